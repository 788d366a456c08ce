/* Removing trees; see fs_remove.h. */
#include "fs_remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_at(const struct luge_job *job, int parent, const char *name);

static bool is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int empty_directory(const struct luge_job *job, DIR *directory) {
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (entry == NULL) {
      return errno;
    }
    int error = is_dots(entry->d_name)
                    ? 0
                    : remove_at(job, dirfd(directory), entry->d_name);
    if (error != 0 && error != ENOENT) {
      return error;
    }
  }
}

static int remove_directory_at(const struct luge_job *job, int parent,
                               const char *name) {
  int fd =
      openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  DIR *directory = fdopendir(fd);
  if (directory == NULL) {
    int error = errno;
    close(fd);
    return error;
  }
  int error = empty_directory(job, directory);
  closedir(directory);
  if (error == 0 && unlinkat(parent, name, AT_REMOVEDIR) != 0) {
    error = errno;
  }
  return error;
}

/* POSIX has EPERM for a directory, Linux EISDIR. */
static int remove_at(const struct luge_job *job, int parent, const char *name) {
  if (atomic_load(&job->abandoned)) {
    return ECANCELED;
  }
  if (unlinkat(parent, name, 0) == 0) {
    return 0;
  }
  int error = errno;
  struct stat status;
  if ((error != EISDIR && error != EPERM) ||
      fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISDIR(status.st_mode)) {
    return error;
  }
  return remove_directory_at(job, parent, name);
}

int luge__fs_remove_tree(const struct luge_job *job,
                         const struct luge_place *place) {
  return remove_at(job, place->dir, place->name);
}
