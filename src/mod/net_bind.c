/* Descriptors that listen; see net_listen.h. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net_address.h"
#include "net_listen.h"

static int fail(int fd) {
  int status = uv_translate_sys_error(errno);
  if (fd >= 0) {
    close(fd);
  }
  return status;
}

static int open_socket(int family) {
  return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Makes a port usable again at once, and "::" take IPv4 too. */
static void prepare(int fd, int family) {
  int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
}

int luge__net_bind(const struct sockaddr *address, socklen_t size, int backlog,
                   int *fd) {
  *fd = open_socket(address->sa_family);
  if (*fd < 0) {
    return fail(-1);
  }
  if (address->sa_family != AF_UNIX) {
    prepare(*fd, address->sa_family);
  }
  if (bind(*fd, address, size) != 0 || listen(*fd, backlog) != 0) {
    return fail(*fd);
  }
  return 0;
}

/* Whether a socket is there that nobody listens on any more. */
static bool is_stale(const struct sockaddr_un *address, socklen_t size) {
  struct stat found;
  if (lstat(address->sun_path, &found) != 0 || !S_ISSOCK(found.st_mode)) {
    return false;
  }
  int fd = open_socket(AF_UNIX);
  if (fd < 0) {
    return false;
  }
  bool stale = connect(fd, (const struct sockaddr *)address, size) != 0 &&
               errno == ECONNREFUSED;
  close(fd);
  return stale;
}

int luge__net_bind_path(const char *path, size_t length, int backlog, int *fd) {
  struct sockaddr_un address;
  socklen_t size = luge__net_unix(&address, path, length);
  if (size == 0) {
    return UV_ENAMETOOLONG;
  }
  const struct sockaddr *any = (const struct sockaddr *)&address;
  int status = luge__net_bind(any, size, backlog, fd);
  if (status == UV_EADDRINUSE && path[0] != '@' && is_stale(&address, size) &&
      unlink(address.sun_path) == 0) {
    status = luge__net_bind(any, size, backlog, fd);
  }
  return status;
}
