/* Where paths lead to (src/core/place.h), and that nothing stays open. */
#define _GNU_SOURCE 1

#include "core/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/check.h"

static char root[PATH_MAX]; /* the real path of the folder that tests are in */

static int count_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++) {
    count += fcntl(fd, F_GETFD) != -1;
  }
  return count;
}

/* Looks `path` up and compares: `wanted` is below the folder if it begins with
 * no "/", NULL: not told; `name` is what is left in the directory. */
static void leads(int line, const char *path, bool follow, int error,
                  const char *wanted, const char *name) {
  struct luge_place place;
  char full[2 * PATH_MAX];
  int status = luge__place_find(&place, path, follow);
  snprintf(full, sizeof full, "%s%s%s",
           wanted != NULL && wanted[0] == '/' ? "" : root,
           wanted == NULL || wanted[0] == '/' || wanted[0] == '\0' ? "" : "/",
           wanted != NULL ? wanted : "");
  if (status != error ||
      (wanted != NULL &&
       (place.path == NULL || strcmp(place.path, full) != 0)) ||
      (name != NULL && (place.path == NULL || strcmp(place.name, name) != 0))) {
    fprintf(stderr, "line %d: %s: error %d, path %s, name %s\n", line, path,
            status, place.path != NULL ? place.path : "-",
            place.path != NULL ? place.name : "-");
    failures++;
  }
  luge__place_leave(&place);
  luge__place_leave(&place);
}

#define LEADS(...) leads(__LINE__, __VA_ARGS__)

static void prepare(void) {
  char template[] = "/tmp/luge-place-XXXXXX";
  CHECK(mkdtemp(template) != NULL);
  CHECK(realpath(template, root) != NULL && chdir(root) == 0);
  CHECK(mkdir("dir", 0700) == 0 && mkdir("dir/sub", 0700) == 0);
  close(open("file", O_WRONLY | O_CREAT, 0600));
  CHECK(symlink("dir", "to-dir") == 0);
  CHECK(symlink("file", "to-file") == 0);
  CHECK(symlink("../file", "dir/up") == 0);
  CHECK(symlink("missing", "dangling") == 0);
  CHECK(symlink("b", "a") == 0 && symlink("a", "b") == 0);
  CHECK(symlink("dir/sub/", "slash") == 0);
}

static void clean_up(void) {
  static const char *const names[] = {"dir/up", "to-dir",   "to-file", "a",
                                      "b",      "dangling", "slash",   "file"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    CHECK(unlink(names[i]) == 0);
  }
  CHECK(rmdir("dir/sub") == 0 && rmdir("dir") == 0 && rmdir(root) == 0);
}

static void test_names(void) {
  LEADS("file", true, 0, "file", "file");
  LEADS("./file", true, 0, "file", "file");
  LEADS("dir//sub", true, 0, "dir/sub", "sub");
  LEADS("dir/sub/", true, 0, "dir/sub", "sub");
  LEADS("dir/.", true, 0, "dir", ".");
  LEADS("dir/sub/..", true, 0, "dir", "dir");
  LEADS("dir/sub/../../file", true, 0, "file", "file");
  LEADS(".", true, 0, "", ".");
  LEADS("/", true, 0, "/", ".");
  LEADS("//", true, 0, "/", ".");
  LEADS("/..", true, 0, "/", ".");
  LEADS("/../../tmp/..", true, 0, "/", NULL);
  LEADS("/./tmp", false, 0, "/tmp", "tmp");
}

static void test_links(void) {
  LEADS("to-file", true, 0, "file", "file");
  LEADS("to-file", false, 0, "to-file", "to-file");
  LEADS("to-dir/sub", false, 0, "dir/sub", "sub");
  LEADS("to-dir/", false, 0, "dir", "dir");
  LEADS("to-dir/../file", false, 0, "file", "file");
  LEADS("dir/up", true, 0, "file", "file");
  LEADS("to-dir/up", true, 0, "file", "file");
  LEADS("slash", true, 0, "dir/sub", "sub");
  LEADS("slash/../up", true, 0, "file", "file");
  LEADS("dangling", true, 0, "missing", "missing");
  LEADS("a", true, ELOOP, NULL, NULL);
  LEADS("a", false, 0, "a", "a");
  LEADS("a/x", false, ELOOP, NULL, NULL);
}

static void test_missing(void) {
  LEADS("missing", true, 0, "missing", "missing");
  LEADS("missing/", true, 0, "missing", "missing");
  LEADS("missing/a/b", true, ENOENT, "missing/a/b", "missing/a/b");
  LEADS("missing//a//", true, ENOENT, "missing/a", "missing/a");
  LEADS("missing/../file", true, ENOENT, "missing/../file", NULL);
  LEADS("dangling/x", true, ENOENT, "missing/x", "missing/x");
  LEADS("file/", true, ENOTDIR, "file", NULL);
  LEADS("file/x", true, ENOTDIR, "file/x", NULL);
  LEADS("to-file/", true, ENOTDIR, "file", NULL);
  LEADS("", true, ENOENT, NULL, NULL);
}

static void test_long(void) {
  char path[PATH_MAX + 64];
  memset(path, 'x', sizeof path);
  path[300] = '\0';
  LEADS(path, true, 0, NULL, NULL); /* is for who uses it to fail */
  memcpy(path + 300, "/y", 3);
  LEADS(path, true, ENAMETOOLONG, NULL, NULL);
  memset(path, '/', sizeof path);
  path[PATH_MAX + 8] = '\0';
  LEADS(path, true, ENAMETOOLONG, NULL, NULL);
  path[PATH_MAX - 1] = '\0';
  LEADS(path, true, 0, "/", ".");
  for (int i = 0; i < 1000; i++) {
    memcpy(path + 3 * i, "../", 4);
  }
  LEADS(path, true, ELOOP, NULL, NULL);
  path[3 * 200] = '\0';
  LEADS(path, true, 0, "/", ".");
}

/* What was found is never followed, nor is what takes its place. */
static void test_use(void) {
  struct luge_place place, other;
  struct stat status;
  int fd;
  CHECK(luge__place_find(&place, "file", true) == 0);
  CHECK(unlink("file") == 0 && symlink("/etc/passwd", "file") == 0);
  CHECK(luge__place_open(&place, O_RDONLY, 0, &fd) == ELOOP && fd == -1);
  CHECK(fstatat(place.dir, place.name, &status, luge__place_flags(&place)) ==
            0 &&
        S_ISLNK(status.st_mode));
  CHECK(luge__place_remove(&place) == 0);
  CHECK(luge__place_open(&place, O_WRONLY | O_CREAT, 0600, &fd) == 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  close(fd);
  CHECK(luge__place_find(&other, "dir/moved", false) == 0);
  CHECK(luge__place_rename(&place, &other) == 0);
  CHECK(luge__place_rename(&other, &place) == 0);
  luge__place_leave(&other);
  CHECK(luge__place_find(&other, "dir", true) == 0);
  CHECK(luge__place_remove(&other) == ENOTEMPTY);
  luge__place_leave(&other);
  luge__place_leave(&place);
  char *real = luge__real_path("to-dir/up");
  CHECK(real != NULL && strcmp(real + strlen(root), "/file") == 0);
  free(real);
}

int main(void) {
  prepare();
  int before = count_descriptors();
  test_names();
  test_links();
  test_missing();
  test_long();
  test_use();
  CHECK(count_descriptors() == before);
  clean_up();
  return verdict();
}
