/* Places: where a path leads to, held by the descriptor of its directory. A
 * path is walked one name at a time, and links are followed here and not by the
 * system, so that what is checked (`path`, the real path) and what is used
 * (`name` in `dir`, never followed) are the same whatever is swapped meanwhile.
 * The links of /proc that lead to open files by magic are texts here like any
 * other. Any thread; malloc'ed. */
#ifndef LUGE_CORE_PLACE_H
#define LUGE_CORE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct luge_place {
  int dir;          /* AT_FDCWD where none was looked up */
  const char *name; /* in it: one name, or "." */
  char *path;       /* the real path of that; NULL: it was not looked up */
};

/* A path that is not looked up: for hosts that trust their scripts. `path`
 * outlives the place. */
struct luge_place luge__place_here(const char *path);

/* Looks `path` up; the last name too, if `follow` says so and it is a link. It
 * need not exist. Returns 0 or an errno: then `path` is how far it came and
 * what was left of it; after ENOENT the directory is there, and `name` is all
 * that is missing below. To be left in any case. */
int luge__place_find(struct luge_place *place, const char *path, bool follow);

/* Looks a real path up again that was checked before. ELOOP: it has links now,
 * and leads elsewhere. */
int luge__place_again(struct luge_place *place, const char *real);

/* A path that leads to what the descriptor is of, or (unless `name` is NULL) to
 * the name in that directory, whatever is swapped meanwhile: for libraries that
 * take no descriptor. False: there is none, as where there is no /proc. */
bool luge__descriptor_alias(int fd, const char *name, char *text, size_t size);

/* Closes and frees what it has; again, or of a zeroed place, does nothing. */
void luge__place_leave(struct luge_place *place);

/* Leaves it but for its path, which is then to be freed. */
char *luge__place_take_path(struct luge_place *place);

/* Opens what is there, as open(2) does, without waiting for the other end of a
 * FIFO, closed in children. What is no regular file is O_NONBLOCK. A link at a
 * place that was found is ELOOP. Returns 0 or an errno. */
int luge__place_open(const struct luge_place *place, int flags, mode_t mode,
                     int *fd);

/* Takes O_NONBLOCK off again. Returns 0 or an errno. */
int luge__place_block(int fd);

/* As remove(3) and rename(2) do. Both return 0 or an errno. */
int luge__place_remove(const struct luge_place *place);
int luge__place_rename(const struct luge_place *from,
                       const struct luge_place *to);

/* The flag that keeps fstatat and the like from following what was found. */
int luge__place_flags(const struct luge_place *place);

/* The real path that `path` has, or would have if it existed. NULL: no memory,
 * or errno tells why the current directory is unknown. To be freed. */
char *luge__real_path(const char *path);

#endif
