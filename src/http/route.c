/* See route.h. */
#include "route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../core/error.h"
#include "../core/permission.h"
#include "proxies.h"
#include "transfer.h"
#include "transfer_url.h"

/* Not ASCII: libcurl would translate it, but only in some locales. */
static bool is_foreign(const char *text) {
  while (*text != '\0' && (unsigned char)*text < 0x80) {
    text++;
  }
  return *text != '\0';
}

/* Whether libcurl takes it for an address as we do, and asks nobody. What ends
 * in a dot, say, is a name to it: one that it must be told the address of. */
static bool is_literal_host(const char *name) {
  struct luge_address address;
  char text[LUGE_ADDRESS_TEXT];
  return luge__address_parse(&address, name, strlen(name)) &&
         (strchr(name, ':') != NULL ||
          strcmp(luge__address_format(&address, text), name) == 0);
}

/* Reads the host of a URL, without brackets, and its port, which is `port` if
 * the URL has none. False: it has no host that fits, or out of memory. */
static bool read_host(const struct luge__curl *curl, CURLU *url,
                      struct luge__stop *stop, uint16_t port) {
  char *text = NULL;
  if (curl->url_get(url, CURLUPART_HOST, &text, 0) != CURLUE_OK) {
    return false;
  }
  size_t length = strlen(text), skip = text[0] == '[' ? 1 : 0;
  bool fits = length > 2 * skip && length - 2 * skip < sizeof stop->name &&
              !is_foreign(text);
  if (fits) {
    memcpy(stop->name, text + skip, length - 2 * skip);
    stop->name[length - 2 * skip] = '\0';
    stop->literal = is_literal_host(stop->name);
  }
  curl->free(text);
  stop->port = port;
  if (curl->url_get(url, CURLUPART_PORT, &text,
                    port == 0 ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK) {
    stop->port = (uint16_t)strtoul(text, NULL, 10);
    curl->free(text);
  }
  return fits;
}

/* Kinds of proxies, and who looks the server's name up. */
static const struct kind {
  const char *scheme;
  bool is_socks, asks; /* the proxy does */
  uint16_t port;
} kinds[] = {{"http", false, true, 1080},   {"https", false, true, 443},
             {"socks5h", true, true, 1080}, {"socks5", true, false, 1080},
             {"socks4a", true, true, 1080}, {"socks4", true, false, 1080},
             {"socks", true, false, 1080}};

static const struct kind *find_kind(const char *scheme) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(scheme, kinds[i].scheme) == 0) {
      return &kinds[i];
    }
  }
  return NULL;
}

/* libcurl takes the path of a SOCKS proxy for that of a UNIX socket. */
static bool has_path(const struct luge__curl *curl, CURLU *url) {
  char *path = NULL;
  bool has = curl->url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK &&
             strcmp(path, "/") != 0;
  curl->free(path);
  return has;
}

/* Reads the proxy's URL, as libcurl does; NULL: it cannot be used. */
static const struct kind *read_proxy(const struct luge__curl *curl,
                                     const char *text,
                                     struct luge__stop *stop) {
  CURLU *url = curl->url();
  const struct kind *kind = NULL;
  char *scheme = NULL;
  if (url != NULL &&
      curl->url_set(url, CURLUPART_URL, text,
                    CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) ==
          CURLUE_OK &&
      curl->url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK) {
    kind = find_kind(scheme);
    curl->free(scheme);
  }
  if (kind != NULL && ((kind->is_socks && has_path(curl, url)) ||
                       !read_host(curl, url, stop, kind->port))) {
    kind = NULL;
  }
  curl->url_cleanup(url);
  return kind;
}

static const char *proxy_of(const struct luge__transfer *t) {
  return !t->route.to_socket && t->route.proxy.len > 1 ? t->route.proxy.ptr
                                                       : NULL;
}

bool luge__route_is_proxied(const struct luge__transfer *t) {
  return proxy_of(t) != NULL;
}

unsigned luge__route_stops(struct luge__transfer *t,
                           struct luge__stop stops[LUGE_STOPS]) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  const char *proxy = proxy_of(t);
  const struct kind *kind = NULL;
  unsigned count = 0;
  if (proxy != NULL) {
    stops[count] = (struct luge__stop){
        .operation = LUGE_OP_HTTP_PROXY, .resolved = true, .connected = true};
    kind = read_proxy(curl, proxy, &stops[count++]);
    if (kind == NULL) {
      return 0;
    }
  }
  stops[count] = (struct luge__stop){.operation = LUGE_OP_HTTP_REQUEST,
                                     .resolved = kind == NULL || !kind->asks,
                                     .connected = kind == NULL};
  return read_host(curl, t->url, &stops[count], 0) ? count + 1 : 0;
}

/* Choosing. */

static bool set_proxy(struct luge__transfer *t, const char *proxy) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  struct luge__bytes *text = &t->route.proxy;
  if (text->len > 0 && strcmp(text->ptr, proxy) == 0) {
    return true;
  }
  text->len = 0;
  return luge__bytes_append(text, luge__transfer_memory(t), proxy,
                            strlen(proxy) + 1) &&
         curl->easy_setopt(t->easy, CURLOPT_PROXY, proxy) == CURLE_OK;
}

void luge__route_reset(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  struct luge__bytes proxy = t->route.proxy;
  proxy.len = 0;
  t->route = (struct luge__route){.proxy = proxy};
  curl->easy_setopt(t->easy, CURLOPT_PROXY, "");
  curl->easy_setopt(t->easy, CURLOPT_NOPROXY, "");
}

void luge__route_give(lua_State *L, struct luge__transfer *t,
                      const char *proxy) {
  t->route.given = true;
  t->route.known = false;
  if (!set_proxy(t, proxy)) {
    luge__raise_memory(L);
  }
}

static bool choose_proxy(struct luge__transfer *t) {
  const struct luge__proxies *proxies = t->client->proxies;
  struct luge__stop stop;
  if (t->route.given || proxies == NULL) {
    return true;
  }
  const char *chosen = NULL;
  if (read_host(luge__transfer_curl(t), t->url, &stop, 0)) {
    chosen = luge__proxies_choose(proxies, t->https, stop.name);
  }
  return set_proxy(t, chosen != NULL ? chosen : "");
}

static bool is_literal(struct luge__transfer *t) {
  struct luge__stop stops[LUGE_STOPS];
  unsigned count = luge__route_stops(t, stops);
  bool literal = count > 0;
  for (unsigned i = 0; i < count; i++) {
    literal = literal && (stops[i].literal || !stops[i].resolved);
  }
  return literal;
}

/* Asking. */

static void check_proxy(lua_State *L, struct luge__transfer *t) {
  struct luge__stop stop;
  const char *proxy = proxy_of(t);
  if (proxy != NULL &&
      read_proxy(luge__transfer_curl(t), proxy, &stop) == NULL) {
    luge__raise(L, "invalid",
                "bad proxy \"%s\": takes a URL of http, https, socks5, "
                "socks5h, socks4 or socks4a",
                luge__url_push_masked(L, proxy));
  }
}

/* The name as permissions know it: an address is in its canonical form. */
static const char *known_name(const struct luge__stop *stop,
                              char name[LUGE_HOST_MAX + 1]) {
  struct luge_address address;
  size_t length = strlen(stop->name);
  if (luge__address_parse(&address, stop->name, length)) {
    luge__address_format(&address, name);
    return NULL;
  }
  return luge__host_normalize(stop->name, length, name);
}

static void permit(lua_State *L, const struct luge__stop *stop) {
  char name[LUGE_HOST_MAX + 1];
  const char *problem = known_name(stop, name);
  if (problem != NULL) {
    luge__raise(L, "invalid", "bad host \"%s\": %s", stop->name, problem);
  }
  if (stop->resolved) {
    luge__permit_host(L, stop->operation, name, stop->port);
  } else {
    luge__permit_remote(L, stop->operation, name, stop->port);
  }
}

void luge__route_set(lua_State *L, struct luge__transfer *t) {
  struct luge__stop stops[LUGE_STOPS];
  if (!t->route.known) {
    if (!choose_proxy(t)) {
      luge__raise_memory(L);
    }
    check_proxy(L, t);
    if (t->https && luge__route_is_proxied(t) &&
        strncasecmp(t->route.proxy.ptr, "socks", 5) == 0) {
      luge__transfer_watch_tls(t);
    }
    t->route.literal = is_literal(t);
    t->route.known = true;
  }
  if (luge__is_trusted(luge__transfer_host(t)) || t->route.to_socket) {
    return;
  }
  unsigned count = luge__route_stops(t, stops);
  if (count == 0) {
    luge__raise(L, "invalid", "bad host in \"%s\"",
                luge__url_push_masked(L, t->url_text.ptr));
  }
  for (unsigned i = 0; i < count; i++) {
    permit(L, &stops[i]);
  }
}

/* Addresses. */

bool luge__route_permits(struct luge__transfer *t,
                         const struct luge__stop *stop, unsigned at,
                         const struct luge_address *address) {
  char name[LUGE_HOST_MAX + 1];
  struct sockaddr_storage to;
  struct luge_host *host = luge__transfer_host(t);
  if (luge__is_trusted(host) || stop->literal) { /* or it was asked about */
    return true;
  }
  luge__address_to_sockaddr(address, stop->port, &to);
  if (known_name(stop, name) == NULL &&
      luge__permits_address(host, stop->operation, name,
                            (struct sockaddr *)&to)) {
    return true;
  }
  t->route.refused = *address;
  t->route.refused_at = at;
  return false;
}

static int raise_refused(lua_State *L) {
  struct luge__transfer *t = lua_touserdata(L, 1);
  struct luge__stop stops[LUGE_STOPS];
  struct sockaddr_storage to;
  char name[LUGE_HOST_MAX + 1];
  if (luge__route_stops(t, stops) == 0) {
    return luge__raise_memory(L);
  }
  const struct luge__stop *stop = &stops[t->route.refused_at];
  bool named = !stop->literal && known_name(stop, name) == NULL;
  luge__address_to_sockaddr(&t->route.refused, stop->port, &to);
  return luge__permission_raise_address(L, stop->operation, named ? name : NULL,
                                        (struct sockaddr *)&to);
}

void luge__route_push_refused(lua_State *L, struct luge__transfer *t) {
  lua_pushcfunction(L, raise_refused);
  lua_pushlightuserdata(L, t);
  (void)lua_pcall(L, 1, 0, 0); /* it raises what we want */
}
