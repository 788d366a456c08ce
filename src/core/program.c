/* Finding programs; see program.h. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"

/* Where execvp looks if there is no PATH. */
static const char default_path[] = "/bin:/usr/bin";

/* The path with its directory made real, whether anything is there or not. */
static char *settle(const char *path) {
  struct luge_place place;
  luge__place_find(&place, path, false);
  return luge__place_take_path(&place);
}

static bool is_program(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
         access(path, X_OK) == 0;
}

/* The first directory of PATH that has it; an empty one is the current one. */
static char *search(const char *name) {
  char path[PATH_MAX];
  const char *at = getenv("PATH");
  if (at == NULL) {
    at = default_path;
  }
  for (;;) {
    int length = (int)strcspn(at, ":");
    int size = snprintf(path, sizeof path, "%.*s%s%s", length, at,
                        length > 0 ? "/" : "./", name);
    if (size < (int)sizeof path && is_program(path)) {
      return settle(path);
    }
    if (at[length] == '\0') {
      return NULL;
    }
    at += length + 1;
  }
}

char *luge__program_find(const char *name, const char *cwd) {
  char path[PATH_MAX];
  if (name[0] == '\0') {
    return NULL;
  }
  if (strchr(name, '/') == NULL) {
    return search(name);
  }
  if (name[0] == '/' || cwd == NULL) {
    return settle(name);
  }
  int size = snprintf(path, sizeof path, "%s/%s", cwd, name);
  return size < (int)sizeof path ? settle(path) : NULL;
}
