/* Sockets of libcurl on libuv. That of an established connection keeps its
 * poll handle until libcurl closes it, and goes on being polled while it is
 * idle, but without holding the loop: a request on a kept connection then
 * costs no system call to watch it. An event on an idle one means that the
 * server has closed it, or speaks out of turn: it is shut down, so that
 * libcurl finds it dead. But not while a transfer is paused, which libcurl
 * does not watch either; nor one of HTTP/2, where a server may say something
 * at any time (more window, a PING): libcurl reads that before the next use.
 *
 * Other sockets, of attempts to connect and of libcurl's own, may be closed
 * without a word: their polling ends when libcurl says REMOVE. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../net/unix.h"
#include "client.h"
#include "transfer.h"

struct luge__socket {
  uv_poll_t poll;
  struct luge__client *client;
  curl_socket_t fd;
  int polled; /* the events that libuv polls for */
  bool wanted;
};

static struct luge__socket *find(const struct luge__http *http,
                                 curl_socket_t fd) {
  size_t place = (size_t)fd;
  return place < http->socket_count ? http->sockets[place].socket : NULL;
}

static bool make_room(struct luge__http *http, curl_socket_t fd) {
  size_t count = http->socket_count, wanted = (size_t)fd + 1;
  if (wanted <= count) {
    return true;
  }
  size_t grown = count * 2 > wanted ? count * 2 : wanted + 16;
  struct luge__socket_place *sockets =
      luge__realloc(http->host, http->sockets, count * sizeof *sockets,
                    grown * sizeof *sockets);
  if (sockets == NULL) {
    return false;
  }
  for (size_t i = count; i < grown; i++) {
    sockets[i] = (struct luge__socket_place){0};
  }
  http->sockets = sockets;
  http->socket_count = grown;
  return true;
}

static void on_closed(uv_handle_t *handle) {
  struct luge__http *http = handle->data;
  http->host->handles--;
  luge__realloc(http->host, handle, sizeof(struct luge__socket), 0);
}

/* To be called before the descriptor is closed: its number may come back as
 * another's. */
static void drop(struct luge__http *http, struct luge__socket *sock) {
  http->sockets[sock->fd].socket = NULL;
  uv_poll_stop(&sock->poll);
  uv_close((uv_handle_t *)&sock->poll, on_closed);
}

static struct luge__socket *add(struct luge__client *client, curl_socket_t fd) {
  struct luge__http *http = client->http;
  struct luge__socket *sock = NULL;
  if (make_room(http, fd)) {
    sock = luge__realloc(http->host, NULL, 0, sizeof *sock);
  }
  if (sock == NULL) {
    return NULL;
  }
  *sock = (struct luge__socket){.client = client, .fd = fd};
  if (uv_poll_init_socket(http->host->loop, &sock->poll, fd) != 0) {
    luge__realloc(http->host, sock, sizeof *sock, 0);
    return NULL;
  }
  http->host->handles++;
  sock->poll.data = http;
  http->sockets[fd].socket = sock;
  uv_unref((uv_handle_t *)&sock->poll);
  return sock;
}

static void on_idle(struct luge__socket *sock) {
  const struct luge__http *http = sock->client->http;
  uv_poll_stop(&sock->poll);
  sock->polled = 0;
  if (!http->sockets[sock->fd].multiplexed &&
      !luge__client_is_paused(sock->client)) {
    shutdown(sock->fd, SHUT_RDWR);
  }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct luge__socket *sock = luge__container(poll, struct luge__socket, poll);
  if (status < 0) {
    sock->polled = 0; /* libuv has stopped it */
  }
  if (!sock->wanted) {
    on_idle(sock);
    return;
  }
  /* With an error there may be bytes that came before it: for CSELECT_ERR
   * alone libcurl would not look. */
  int flags = (status < 0 ? CURL_CSELECT_ERR | CURL_CSELECT_IN : 0) |
              (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
              (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
  luge__client_turn(sock->client, sock->fd, flags);
}

static void want(struct luge__socket *sock, int what) {
  int events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
               (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  if (events != sock->polled &&
      uv_poll_start(&sock->poll, events, on_poll) == 0) {
    sock->polled = events;
  }
  sock->wanted = true;
  uv_ref((uv_handle_t *)&sock->poll);
}

/* A transfer that opens none is on a kept one. */
static void note_kept(const struct luge__http *http, CURL *easy,
                      curl_socket_t fd) {
  struct luge__transfer *t = NULL;
  if (http->curl->easy_getinfo(easy, CURLINFO_PRIVATE, &t) == CURLE_OK &&
      t != NULL && t->opened == 0) {
    t->socket = fd;
  }
}

int luge__on_socket(CURL *easy, curl_socket_t fd, int what, void *data,
                    void *unused) {
  struct luge__client *client = data;
  struct luge__http *http = client->http;
  (void)unused;
  struct luge__socket *sock = find(http, fd);
  if (what == CURL_POLL_REMOVE) {
    if (sock != NULL && !http->sockets[fd].kept) {
      drop(http, sock);
    } else if (sock != NULL) {
      sock->wanted = false;
      uv_unref((uv_handle_t *)&sock->poll);
    }
    return 0;
  }
  if (sock == NULL) {
    sock = add(client, fd);
  }
  if (sock == NULL) {
    return -1;
  }
  want(sock, what);
  note_kept(http, easy, fd);
  return 0;
}

int luge__on_close_socket(void *data, curl_socket_t fd) {
  struct luge__http *http = data;
  struct luge__socket *sock = find(http, fd);
  if (sock != NULL) {
    drop(http, sock);
  }
  if ((size_t)fd < http->socket_count) {
    if (http->sockets[fd].client != NULL) {
      luge__pool_closed(&http->sockets[fd].client->pool);
    }
    http->sockets[fd] = (struct luge__socket_place){0};
  }
  return close(fd);
}

static int create(const struct curl_sockaddr *address) {
#ifdef SOCK_CLOEXEC
  return socket(address->family, address->socktype | SOCK_CLOEXEC,
                address->protocol);
#else
  int fd = socket(address->family, address->socktype, address->protocol);
  if (fd >= 0) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return fd;
#endif
}

static void release(struct luge__http *http) {
  if (http->held >= 0) {
    close(http->held);
    http->held = -1;
  }
}

/* libcurl connects as soon as it has the descriptor, to what the address is by
 * then; its room is that of any address. 0, or an errno. */
static int aim(struct luge__http *http, struct curl_sockaddr *address) {
  struct luge_unix_target target;
  struct sockaddr_un un = {0};
  memcpy(&un, (const char *)&address->addr,
         address->addrlen < sizeof un ? address->addrlen : sizeof un - 1);
  if (un.sun_path[0] == '\0') {
    return 0; /* in the abstract namespace */
  }
  int error =
      luge__unix_aim(&target, http->host, un.sun_path, strlen(un.sun_path));
  release(http);
  http->held = target.held;
  memcpy((char *)&address->addr, &target.address, target.size);
  address->addrlen = (unsigned)target.size;
  return error;
}

curl_socket_t luge__socket_open(struct luge__client *client,
                                const struct luge__transfer *opener,
                                struct curl_sockaddr *address) {
  struct luge__http *http = client->http;
  int error = address->family == AF_UNIX ? aim(http, address) : 0;
  int fd = error == 0 ? create(address) : -1;
  if (fd < 0) {
    errno = error != 0 ? error : errno;
    return CURL_SOCKET_BAD;
  }
  if (!make_room(http, fd)) {
    close(fd);
    errno = ENOMEM;
    return CURL_SOCKET_BAD;
  }
  if (http->sockets[fd].socket != NULL) { /* it was closed without a word */
    drop(http, http->sockets[fd].socket);
  }
  http->sockets[fd] =
      (struct luge__socket_place){.client = client, .opener = opener};
  luge__pool_opened(&client->pool);
  return fd;
}

void luge__socket_keep(struct luge__http *http, curl_socket_t fd,
                       const struct luge__transfer *opener) {
  if ((size_t)fd < http->socket_count && http->sockets[fd].opener == opener) {
    http->sockets[fd].kept = true;
  }
}

void luge__socket_multiplexes(struct luge__http *http, curl_socket_t fd,
                              const struct luge__transfer *opener) {
  if ((size_t)fd < http->socket_count && http->sockets[fd].opener == opener) {
    http->sockets[fd].multiplexed = true;
  }
}

void luge__sockets_nudge(struct luge__client *client) {
  struct luge__http *http = client->http;
  for (size_t i = 0; i < http->socket_count; i++) {
    const struct luge__socket *sock = http->sockets[i].socket;
    if (sock != NULL && sock->client == client && sock->wanted &&
        http->sockets[i].multiplexed) {
      luge__client_turn(client, sock->fd, CURL_CSELECT_IN);
    }
  }
}

/* What is left once all clients are closed: libcurl's own sockets. */
void luge__sockets_free(struct luge__http *http) {
  release(http);
  for (size_t i = 0; i < http->socket_count; i++) {
    if (http->sockets[i].socket != NULL) {
      drop(http, http->sockets[i].socket);
    }
  }
  luge__realloc(http->host, http->sockets,
                http->socket_count * sizeof *http->sockets, 0);
  http->sockets = NULL;
  http->socket_count = 0;
}
