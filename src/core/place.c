/* Walking paths; see place.h. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(O_PATH)
#define PASS_FLAG O_PATH
#elif defined(O_SEARCH)
#define PASS_FLAG O_SEARCH
#else
#define PASS_FLAG O_RDONLY
#endif

/* Limits: of links followed, the system's own; of turns back to a parent. */
enum { MOST_LINKS = 40, MOST_TURNS = 256 };

struct walk {
  int dir;             /* the directory that `path` names; -1: none yet */
  size_t length;       /* of path */
  char path[PATH_MAX]; /* real, "" for the root */
  char rest[PATH_MAX]; /* what is still to go */
  int links, turns;
  bool follow;
};

struct luge_place luge__place_here(const char *path) {
  return (struct luge_place){.dir = AT_FDCWD, .name = path};
}

static bool is_found(const struct luge_place *place) {
  return place->path != NULL;
}

void luge__place_leave(struct luge_place *place) {
  if (is_found(place)) {
    close(place->dir);
    free(place->path);
    place->path = NULL;
  }
}

char *luge__place_take_path(struct luge_place *place) {
  char *path = place->path;
  if (is_found(place)) {
    close(place->dir);
    place->path = NULL;
  }
  return path;
}

static int enter(struct walk *walk, int parent, const char *name) {
  int dir =
      openat(parent, name, PASS_FLAG | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (dir < 0) {
    return errno;
  }
  if (walk->dir >= 0) {
    close(walk->dir);
  }
  walk->dir = dir;
  return 0;
}

static int begin_at_root(struct walk *walk) {
  walk->length = 0;
  walk->path[0] = '\0';
  return enter(walk, AT_FDCWD, "/");
}

static int begin(struct walk *walk) {
  if (walk->rest[0] == '\0') {
    return ENOENT;
  }
  if (walk->rest[0] == '/') {
    return begin_at_root(walk);
  }
  if (getcwd(walk->path, sizeof walk->path) == NULL) {
    return errno;
  }
  walk->length = strcmp(walk->path, "/") == 0 ? 0 : strlen(walk->path);
  walk->path[walk->length] = '\0';
  return enter(walk, AT_FDCWD, ".");
}

/* Puts `text` in front of what is still to go, which is "" or begins by "/". */
static int insert(struct walk *walk, const char *text, size_t length) {
  size_t left = strlen(walk->rest);
  if (length + left >= sizeof walk->rest) {
    return ENAMETOOLONG;
  }
  memmove(walk->rest + length, walk->rest, left + 1);
  memcpy(walk->rest, text, length);
  return 0;
}

/* Does not open "..", which may be another directory by now than the one we
 * came from: walks from the root to the parent again. */
static int turn_back(struct walk *walk) {
  if (++walk->turns > MOST_TURNS) {
    return ELOOP;
  }
  while (walk->length > 0 && walk->path[--walk->length] != '/') {
  }
  int error = insert(walk, walk->path, walk->length);
  return error == 0 ? begin_at_root(walk) : error;
}

/* Goes on with the target of a link. */
static int turn_aside(struct walk *walk, const char *target, size_t length) {
  if (++walk->links > MOST_LINKS) {
    return ELOOP;
  }
  int error = insert(walk, target, length);
  return error == 0 && target[0] == '/' ? begin_at_root(walk) : error;
}

/* Takes the next name out of what is still to go; its length, 0 at the end. */
static size_t take_name(struct walk *walk, char *name) {
  const char *rest = walk->rest + strspn(walk->rest, "/");
  size_t length = strcspn(rest, "/");
  memcpy(name, rest, length);
  name[length] = '\0';
  memmove(walk->rest, rest + length, strlen(rest + length) + 1);
  return length;
}

static int append(struct walk *walk, const char *name) {
  size_t length = strlen(name);
  if (walk->length + 1 + length >= sizeof walk->path) {
    return ENAMETOOLONG;
  }
  walk->path[walk->length] = '/';
  memcpy(walk->path + walk->length + 1, name, length + 1);
  walk->length += 1 + length;
  return 0;
}

#if defined(__APPLE__)
/* Where file names ignore case: makes the name the one that the system has. */
static void correct_case(struct luge_place *place) {
  char path[PATH_MAX];
  int fd = openat(place->dir, place->name, O_EVTONLY | O_SYMLINK | O_CLOEXEC);
  if (fd < 0) {
    return;
  }
  char *copy = fcntl(fd, F_GETPATH, path) == 0 ? strdup(path) : NULL;
  close(fd);
  if (copy != NULL) {
    bool is_dot = strcmp(place->name, ".") == 0;
    free(place->path);
    place->path = copy;
    place->name = is_dot ? "." : strrchr(copy, '/') + 1;
  }
}
#endif

/* One "/" where there are several, and none at the end. */
static void tidy(char *path) {
  char *to = path;
  for (const char *at = path; *at != '\0'; at++) {
    if (*at != '/' || (at[1] != '/' && at[1] != '\0')) {
      *to++ = *at;
    }
  }
  *to = '\0';
}

/* Where a walk ended: at `name` in its directory, with what is left of the
 * path behind it; at "." the directory itself. */
static int arrive(struct walk *walk, struct luge_place *place,
                  const char *name) {
  bool is_dot = strcmp(name, ".") == 0;
  tidy(walk->rest);
  size_t size = walk->length + strlen(name) + strlen(walk->rest) + 3;
  place->path = malloc(size);
  if (place->path == NULL) {
    return ENOMEM;
  }
  snprintf(place->path, size, "%s%s%s%s", walk->path,
           is_dot && walk->length > 0 ? "" : "/", is_dot ? "" : name,
           walk->rest);
  place->name = is_dot ? "." : place->path + walk->length + 1;
  place->dir = walk->dir;
  walk->dir = -1;
  return 0;
}

static int stop(struct walk *walk, struct luge_place *place, const char *name,
                int error) {
  int status = arrive(walk, place, name);
  return status != 0 ? status : error;
}

/* At the last name. It need not exist, but must be a directory if a "/" stands
 * behind it. */
static int arrive_last(struct walk *walk, struct luge_place *place,
                       const char *name) {
  struct stat status;
  bool wrong = walk->rest[0] != '\0' &&
               fstatat(walk->dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
               !S_ISDIR(status.st_mode);
  walk->rest[0] = '\0';
  int error = stop(walk, place, name, wrong ? ENOTDIR : 0);
#if defined(__APPLE__)
  if (error == 0) {
    correct_case(place);
  }
#endif
  return error;
}

enum { GO_ON = -1 };

/* Walks one name further. An errno, 0 at the end, or GO_ON. */
static int step(struct walk *walk, struct luge_place *place) {
  char name[PATH_MAX], target[PATH_MAX];
  if (take_name(walk, name) == 0) {
    return arrive(walk, place, ".");
  }
  if (strcmp(name, ".") == 0) {
    return GO_ON;
  }
  if (strcmp(name, "..") == 0) {
    int error = turn_back(walk);
    return error != 0 ? stop(walk, place, name, error) : GO_ON;
  }
  bool last = walk->rest[strspn(walk->rest, "/")] == '\0';
  ssize_t length = -1;
  if (!last || walk->rest[0] != '\0' || walk->follow) {
    length = readlinkat(walk->dir, name, target, sizeof target);
  }
  int error;
  if (length >= 0) {
    error = turn_aside(walk, target, (size_t)length);
  } else if (last) {
    return arrive_last(walk, place, name);
  } else {
    error = enter(walk, walk->dir, name);
    error = error == 0 ? append(walk, name) : error;
  }
  return error != 0 ? stop(walk, place, name, error) : GO_ON;
}

static int find(struct walk *walk, struct luge_place *place) {
  int error = begin(walk);
  if (error != 0) {
    return error;
  }
  do {
    error = step(walk, place);
  } while (error == GO_ON);
  return error;
}

int luge__place_find(struct luge_place *place, const char *path, bool follow) {
  *place = luge__place_here(path);
  size_t size = strlen(path) + 1;
  if (size > PATH_MAX) {
    return ENAMETOOLONG;
  }
  struct walk *walk = calloc(1, sizeof *walk);
  if (walk == NULL) {
    return ENOMEM;
  }
  walk->dir = -1;
  walk->follow = follow;
  memcpy(walk->rest, path, size);
  int error = find(walk, place);
  if (walk->dir >= 0) {
    close(walk->dir);
  }
  free(walk);
  return error;
}

char *luge__real_path(const char *path) {
  struct luge_place place;
  int error = luge__place_find(&place, path, true);
  char *real = luge__place_take_path(&place);
  errno = error;
  return real;
}

int luge__place_block(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 ? 0 : errno;
}

int luge__place_open(const struct luge_place *place, int flags, mode_t mode,
                     int *fd) {
  flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  flags |= is_found(place) ? O_NOFOLLOW : 0;
  do {
    *fd = openat(place->dir, place->name, flags, mode);
  } while (*fd < 0 && errno == EINTR);
  return *fd < 0 ? errno : 0;
}

int luge__place_flags(const struct luge_place *place) {
  return is_found(place) ? AT_SYMLINK_NOFOLLOW : 0;
}

/* POSIX has EPERM for a directory, Linux EISDIR. */
int luge__place_remove(const struct luge_place *place) {
  if (unlinkat(place->dir, place->name, 0) == 0) {
    return 0;
  }
  int error = errno;
  if ((error == EISDIR || error == EPERM) &&
      unlinkat(place->dir, place->name, AT_REMOVEDIR) == 0) {
    return 0;
  }
  return error == EISDIR || (error == EPERM && errno != ENOTDIR) ? errno
                                                                 : error;
}

int luge__place_rename(const struct luge_place *from,
                       const struct luge_place *to) {
  return renameat(from->dir, from->name, to->dir, to->name) == 0 ? 0 : errno;
}
