/* Descriptors that listen; see net_listen.h. */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "../net/descriptor.h"
#include "net_address.h"
#include "net_listen.h"

static int fail(int fd) {
  int status = uv_translate_sys_error(errno);
  if (fd >= 0) {
    close(fd);
  }
  return status;
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
  *fd = luge__descriptor_open(address->sa_family);
  if (*fd < 0) {
    return fail(-1);
  }
  prepare(*fd, address->sa_family);
  if (bind(*fd, address, size) != 0 || listen(*fd, backlog) != 0) {
    return fail(*fd);
  }
  return 0;
}
