/* UNIX sockets: who may use which, their addresses, and the files of those that
 * listen. "@name" is in Linux' abstract namespace, and has no file. */
#ifndef LUGE_NET_UNIX_H
#define LUGE_NET_UNIX_H

#include <lua.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

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

/* Makes a descriptor that listens, in place of one that nobody listens on any
 * more. 0, or a negative errno. */
int luge__unix_listen(struct luge_unix_file *file, const char *path,
                      size_t length, int backlog, int *fd);

/* Removes the file, unless somebody else has put another one there. Again, or
 * of a zeroed one, does nothing. */
void luge__unix_remove(struct luge_unix_file *file);

#endif
