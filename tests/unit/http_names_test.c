/* Names in HTTP: runs tests/support/http_names*.lua, in hosts with different
 * rights, with a getaddrinfo that the scripts control, and beside a server that
 * says how it was reached: a plain one, a proxy and a SOCKS proxy in one. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <luge.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/addresses.h"
#include "../support/socket.h"

/* What is known of names. */

enum { MAX_NAMES = 256, MAX_ADDRESSES = 4 };

static struct entry {
  char name[64];
  char addresses[MAX_ADDRESSES][64];
  int count, asked;
  bool hangs;
} names[MAX_NAMES];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* With the mutex. */
static struct entry *find(const char *name) {
  for (int i = 0; i < MAX_NAMES; i++) {
    if (names[i].name[0] == '\0') {
      snprintf(names[i].name, sizeof names[i].name, "%s", name);
    }
    if (strcmp(names[i].name, name) == 0) {
      return &names[i];
    }
  }
  abort();
}

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **list) {
  (void)service;
  (void)hints;
  *list = NULL;
  pthread_mutex_lock(&mutex);
  struct entry *entry = find(name);
  entry->asked++;
  while (entry->hangs) {
    pthread_cond_wait(&changed, &mutex);
  }
  for (int i = entry->count; i > 0; i--) {
    *list = make_info(entry->addresses[i - 1], *list);
  }
  pthread_mutex_unlock(&mutex);
  return *list != NULL ? 0 : EAI_NONAME;
}

/* set(name, address, ...): none: the name is unknown; "hang": it hangs */
static int lua_set(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  pthread_mutex_lock(&mutex);
  struct entry *entry = find(name);
  entry->hangs = lua_gettop(L) == 2 && strcmp(lua_tostring(L, 2), "hang") == 0;
  entry->count = entry->hangs ? 0 : lua_gettop(L) - 1;
  for (int i = 0; i < entry->count && i < MAX_ADDRESSES; i++) {
    snprintf(entry->addresses[i], sizeof entry->addresses[i], "%s",
             lua_tostring(L, i + 2));
  }
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  return 0;
}

/* asked(name) -> how often it was looked up */
static int lua_asked(lua_State *L) {
  pthread_mutex_lock(&mutex);
  lua_pushinteger(L, find(luaL_checkstring(L, 1))->asked);
  pthread_mutex_unlock(&mutex);
  return 1;
}

static int port;

/* silence(address) -> whether it is one now that answers nothing: it listens,
 * and has no room for one more connection, as all are kept that it has. */
static int lua_silence(lua_State *L) {
  enum { CONNECTIONS = 4 };
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port)};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                             .sin6_port = htons((uint16_t)port)};
  const char *text = luaL_checkstring(L, 1);
  bool is_v4 = inet_pton(AF_INET, text, &in.sin_addr) == 1;
  (void)inet_pton(AF_INET6, text, &in6.sin6_addr);
  const struct sockaddr *at =
      is_v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
  socklen_t size = is_v4 ? sizeof in : sizeof in6;
  int fd = stream_socket(at->sa_family);
  bool silent = fd >= 0 && bind(fd, at, size) == 0 && listen(fd, 0) == 0;
  for (int i = 0; silent && i < CONNECTIONS; i++) {
    fd = stream_socket(at->sa_family);
    silent = fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
             (connect(fd, at, size) == 0 || errno == EINPROGRESS);
  }
  struct sockaddr_storage peer;
  size = sizeof peer;
  silent = silent && getpeername(fd, (struct sockaddr *)&peer, &size) != 0;
  lua_pushboolean(L, silent);
  return 1;
}

static int open_names(lua_State *L) {
  static const luaL_Reg functions[] = {{"set", lua_set},
                                       {"asked", lua_asked},
                                       {"silence", lua_silence},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushinteger(L, port);
  lua_setfield(L, -2, "port");
  return 1;
}

/* The server. */

static bool get(int fd, void *bytes, size_t length) {
  return recv(fd, bytes, length, MSG_WAITALL) == (ssize_t)length;
}

static void put(int fd, const void *bytes, size_t length) {
  (void)send(fd, bytes, length, MSG_NOSIGNAL);
}

/* Answers what a SOCKS client says; writes whom it wants, as "name x" or
 * "address 1.2.3.4". */
static bool shake(int fd, char *wanted, size_t size) {
  unsigned char head[4], rest[260] = {0};
  if (!get(fd, head, 2) || !get(fd, rest, head[1])) {
    return false;
  }
  put(fd, "\5\0", 2);
  if (!get(fd, head, 4)) {
    return false;
  }
  if (head[3] == 1 && get(fd, rest, 6)) {
    snprintf(wanted, size, "address %d.%d.%d.%d", rest[0], rest[1], rest[2],
             rest[3]);
  } else if (head[3] == 3 && get(fd, rest, 1) &&
             get(fd, rest + 1, rest[0] + 2u)) {
    snprintf(wanted, size, "name %.*s", rest[0], (char *)rest + 1);
  } else if (head[3] == 4 && get(fd, rest, 18)) {
    snprintf(wanted, size, "address of IPv6");
  } else {
    return false;
  }
  put(fd, "\5\0\0\1\0\0\0\0\0\0", 10);
  return true;
}

/* Reads a head; false: the client has left. */
static bool read_head(int fd, char *head, size_t size) {
  size_t length = 0;
  while (length + 1 < size && get(fd, head + length, 1)) {
    head[++length] = '\0';
    if (length >= 4 && strcmp(head + length - 4, "\r\n\r\n") == 0) {
      return true;
    }
  }
  return false;
}

/* Says to which address the client has come, and what it has asked for: or
 * sends it elsewhere. */
static void answer(int fd, const char *head, const char *wanted) {
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  char target[256] = "", body[700], text[1024], address[32] = "";
  if (getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
    inet_ntop(AF_INET, &at.sin_addr, address, sizeof address);
  }
  sscanf(head, "%*s %255s", target);
  if (strncmp(target, "/to?", 4) == 0) {
    snprintf(text, sizeof text,
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
             target + 4);
  } else {
    snprintf(body, sizeof body, "%s%s%s %s", wanted,
             wanted[0] != '\0' ? " at " : "", address, target);
    snprintf(text, sizeof text,
             "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
             body);
  }
  put(fd, text, strlen(text));
}

static void *serve(void *data) {
  int fd = (int)(intptr_t)data;
  char first = 0, head[4096], wanted[300] = "";
  if (recv(fd, &first, 1, MSG_PEEK) == 1 &&
      (first != 5 || shake(fd, wanted, sizeof wanted))) {
    while (read_head(fd, head, sizeof head)) {
      answer(fd, head, wanted);
    }
  }
  close(fd);
  return NULL;
}

static void *listen_for_ever(void *data) {
  int listener = (int)(intptr_t)data, fd;
  while ((fd = accept(listener, NULL, NULL)) >= 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0) {
      pthread_detach(thread);
    }
  }
  return NULL;
}

/* Listens at an address, and at `port` unless that is 0. */
static bool start(const char *address, pthread_t *thread, int *listener) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port)};
  socklen_t size = sizeof at;
  inet_pton(AF_INET, address, &at.sin_addr);
  *listener = stream_socket(AF_INET);
  if (*listener < 0 ||
      bind(*listener, (struct sockaddr *)&at, sizeof at) != 0 ||
      listen(*listener, 64) != 0 ||
      getsockname(*listener, (struct sockaddr *)&at, &size) != 0) {
    return false;
  }
  port = ntohs(at.sin_port);
  return pthread_create(thread, NULL, listen_for_ever,
                        (void *)(intptr_t)*listener) == 0;
}

/* The scripts. */

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)user;
  fprintf(stderr, "%s\n%s\n", message, traceback != NULL ? traceback : "");
}

static bool run(const char *path, const char *allow, const char *deny) {
  luge_capabilities capabilities = luge_trusted();
  if (allow != NULL) {
    capabilities = luge_sandboxed();
    capabilities.net = (luge_rules){.allow = allow, .deny = deny};
    capabilities.read.allow = "*";
  }
  luge_options options = {.size = sizeof options, .on_error = on_error};
  luge_host *host = luge_open(&options);
  lua_State *L = luge_lua(host);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open_names);
  lua_setfield(L, -2, "names");
  lua_pop(L, 1);
  bool ok = luge_restrict(host, &capabilities) == LUGE_OK &&
            luge_run_file(host, path, 0, NULL) == LUGE_OK;
  if (!ok) {
    fprintf(stderr, "%s failed\n", path);
  }
  luge_close(host);
  return ok;
}

int main(void) {
  pthread_t threads[2];
  int listeners[2];
  char allow[256], proxy[64];
  if (!start("127.0.0.1", &threads[0], &listeners[0]) ||
      !start("127.0.0.2", &threads[1], &listeners[1])) {
    printf("127.0.0.2 is no address of this machine: left out\n");
    return 0;
  }
  bool ok = run("tests/support/http_names.lua", NULL, NULL);
  ok = run("tests/support/http_names_denied.lua", "*", "127.0.0.2") && ok;
  snprintf(allow, sizeof allow, "ok.test:%d,*.sub.test,127.0.0.1:%d", port,
           port);
  ok = run("tests/support/http_names_allowed.lua", allow, NULL) && ok;
  snprintf(proxy, sizeof proxy, "http://proxy.test:%d", port);
  setenv("http_proxy", proxy, 1);
  setenv("NO_PROXY", "direct.test, .sub.test,127.0.0.0/8", 1);
  ok = run("tests/support/http_names_environment.lua", NULL, NULL) && ok;
  for (int i = 0; i < 2; i++) {
    shutdown(listeners[i], SHUT_RDWR);
    pthread_join(threads[i], NULL);
    close(listeners[i]);
  }
  return ok ? 0 : 1;
}
