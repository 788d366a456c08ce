/* UNIX sockets: who may use which, their addresses, and the files of those that
 * listen. "@name" is in Linux' abstract namespace, and has no file. */
#ifndef LUGE_NET_UNIX_H
#define LUGE_NET_UNIX_H

#include <lua.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

struct luge_host;

/* The file of a socket that listens; none if its path is empty. */
struct luge_unix_file {
  char path[sizeof((struct sockaddr_un *)0)->sun_path];
  dev_t device;
  ino_t inode;
};

/* Asks whether the socket may be used; pushes the path that is to be, which has
 * no links left. Raises `permission`. */
const char *luge__unix_permit(lua_State *L, const char *path, size_t *length);

/* Its size; or 0: too long. */
socklen_t luge__unix_address(struct sockaddr_un *address, const char *path,
                             size_t length);

/* Where to connect to. */
struct luge_unix_target {
  struct sockaddr_un address;
  socklen_t size;
  int held; /* to be closed once that is done; -1: nothing */
};

/* Sets the target for a path that was permitted: where scripts are confined,
 * the socket that is there now, and none that is put there meanwhile. 0, or an
 * errno; `length` was looked at by luge__unix_address before. */
int luge__unix_aim(struct luge_unix_target *target,
                   const struct luge_host *host, const char *path,
                   size_t length);

/* Makes a descriptor that listens, in place of one that nobody listens on any
 * more. 0, or a negative errno. */
int luge__unix_listen(struct luge_unix_file *file, const char *path,
                      size_t length, int backlog, int *fd);

/* Removes the file, unless somebody else has put another one there. Again, or
 * of a zeroed one, does nothing. */
void luge__unix_remove(struct luge_unix_file *file);

#endif
