/* UNIX sockets; see unix.h. */
#include "unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "../core/permission.h"
#include "../core/place.h"
#include "descriptor.h"

const char *luge__unix_permit(lua_State *L, const char *path, size_t *length) {
  if (path[0] == '@') {
    luge__permit(L, LUGE_OP_SOCKET_WRITE, path);
    lua_pushstring(L, path);
  } else {
    luge__permit_path(L, LUGE_OP_SOCKET_WRITE, LUGE_OP_SOCKET_READ, path);
  }
  return lua_tolstring(L, -1, length);
}

socklen_t luge__unix_address(struct sockaddr_un *address, const char *path,
                             size_t length) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (length >= sizeof address->sun_path) {
    return 0;
  }
  memcpy(address->sun_path, path, length);
  if (path[0] == '@') {
    address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  }
  return (socklen_t)sizeof *address;
}

#if defined(O_PATH)

/* A link in place of the socket is none, and refuses. */
static int hold(struct luge_unix_target *target, const char *path) {
  struct luge_place place;
  int error = luge__place_again(&place, path);
  if (error == 0) {
    target->held =
        openat(place.dir, place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    error = target->held < 0 ? errno : 0;
  }
  luge__place_leave(&place);
  char alias[sizeof target->address.sun_path];
  if (error == 0 &&
      luge__descriptor_alias(target->held, NULL, alias, sizeof alias)) {
    target->size = luge__unix_address(&target->address, alias, strlen(alias));
  }
  return error;
}

#else

static int hold(struct luge_unix_target *target, const char *path) {
  (void)target;
  (void)path;
  return 0;
}

#endif

int luge__unix_aim(struct luge_unix_target *target,
                   const struct luge_host *host, const char *path,
                   size_t length) {
  target->held = -1;
  target->size = luge__unix_address(&target->address, path, length);
  return luge__is_trusted(host) || path[0] == '@' ? 0 : hold(target, path);
}

static int bind_to(const struct sockaddr_un *address, socklen_t size,
                   int backlog, int *fd) {
  *fd = luge__descriptor_open(AF_UNIX);
  if (*fd < 0) {
    return uv_translate_sys_error(errno);
  }
  int status = 0;
  if (bind(*fd, (const struct sockaddr *)address, size) != 0 ||
      listen(*fd, backlog) != 0) {
    status = uv_translate_sys_error(errno);
    close(*fd);
  }
  return status;
}

/* Whether a socket is there that nobody listens on any more. */
static bool is_stale(const struct sockaddr_un *address, socklen_t size) {
  struct stat found;
  if (lstat(address->sun_path, &found) != 0 || !S_ISSOCK(found.st_mode)) {
    return false;
  }
  int fd = luge__descriptor_open(AF_UNIX);
  if (fd < 0) {
    return false;
  }
  bool stale = connect(fd, (const struct sockaddr *)address, size) != 0 &&
               errno == ECONNREFUSED;
  close(fd);
  return stale;
}

int luge__unix_listen(struct luge_unix_file *file, const char *path,
                      size_t length, int backlog, int *fd) {
  struct sockaddr_un address;
  struct stat made;
  socklen_t size = luge__unix_address(&address, path, length);
  bool has_file = path[0] != '@';
  if (size == 0) {
    return UV_ENAMETOOLONG;
  }
  int status = bind_to(&address, size, backlog, fd);
  if (status == UV_EADDRINUSE && has_file && is_stale(&address, size) &&
      unlink(address.sun_path) == 0) {
    status = bind_to(&address, size, backlog, fd);
  }
  if (status == 0 && has_file && lstat(address.sun_path, &made) == 0) {
    memcpy(file->path, address.sun_path, sizeof file->path);
    file->device = made.st_dev;
    file->inode = made.st_ino;
  }
  return status;
}

void luge__unix_remove(struct luge_unix_file *file) {
  struct stat found;
  if (file->path[0] != '\0' && lstat(file->path, &found) == 0 &&
      found.st_dev == file->device && found.st_ino == file->inode) {
    unlink(file->path);
  }
  file->path[0] = '\0';
}
