/* Options of a transfer; see transfer.h. The Lua side has checked their names
 * and types. */
#include <lauxlib.h>
#include <string.h>

#include "../core/error.h"
#include "../core/permission.h"
#include "../net/unix.h"
#include "transfer.h"
#include "transfer_upload.h"

/* How long libcurl uses the addresses that it was told, which the resolver has
 * kept for up to a minute. */
static const long DNS_SECONDS = 15;

void luge__transfer_set_basics(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  CURL *easy = t->easy;
  t->needs_reset = t->used_up = t->customized = false;
  t->https = t->h2c = t->anew = false;
  t->fresh = true;
  t->shape = LUGE_SHAPE_NONE;
  t->method[0] = '\0';
  t->url_text.len = 0;
  luge__transfer_set_callbacks(t);
  curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl->easy_setopt(easy, LUGE_CURLOPT_QUICK_EXIT, 1L);
  curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, t->problem);
  curl->easy_setopt(easy, CURLOPT_PROTOCOLS,
                    (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl->easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, DNS_SECONDS);
  luge__route_reset(t);
  if (t->client->share != NULL) {
    curl->easy_setopt(easy, CURLOPT_SHARE, t->client->share);
    curl->easy_setopt(easy, CURLOPT_COOKIEFILE, "");
  }
}

/* Pushes an option, in the place of the one pushed before. */
static bool get(lua_State *L, int index, const char *name) {
  lua_settop(L, index);
  return lua_getfield(L, index, name) != LUA_TNIL;
}

static const char *get_text(lua_State *L, int index, const char *name) {
  return get(L, index, name) ? lua_tostring(L, -1) : NULL;
}

static uint64_t nanoseconds(lua_State *L) {
  lua_Number seconds = lua_tonumber(L, -1);
  return seconds < 1e9 ? (uint64_t)(seconds * 1e9) : 0; /* 0: for ever */
}

static int set(lua_State *L, struct luge__transfer *t, const char *name,
               CURLoption option, const char *value) {
  CURLcode code = luge__transfer_curl(t)->easy_setopt(t->easy, option, value);
  if (code == CURLE_OK) {
    return 0;
  }
  return luge__raise(L, "invalid", "option '%s' cannot be used: %s", name,
                     luge__transfer_curl(t)->easy_strerror(code));
}

static bool is_pem(const char *text) {
  return strstr(text, "-----BEGIN ") != NULL;
}

/* A path, or the PEM text itself. libcurl copies it. */
static void set_pem(lua_State *L, struct luge__transfer *t, int index,
                    const char *name, CURLoption path, CURLoption blob) {
  size_t length;
  const char *text = get_text(L, index, name);
  if (text == NULL) {
    return;
  }
  if (!is_pem(text)) {
    text = luge__permit_path(L, LUGE_OP_HTTP_FILE, LUGE_OP_HTTP_FILE, text);
    set(L, t, name, path, text);
    return;
  }
  text = lua_tolstring(L, -1, &length);
  struct curl_blob value = {
      .data = (void *)text, .len = length, .flags = CURL_BLOB_COPY};
  if (luge__transfer_curl(t)->easy_setopt(t->easy, blob, &value) != CURLE_OK) {
    luge__raise(L, "invalid",
                "option '%s' takes a path: this libcurl reads no PEM text",
                name);
  }
}

static void set_tls(lua_State *L, struct luge__transfer *t, int index) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  if (get(L, index, "verify")) {
    long verify = lua_toboolean(L, -1);
    curl->easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, verify);
    curl->easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
  }
  set_pem(L, t, index, "ca", CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB);
  set_pem(L, t, index, "cert", CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB);
  set_pem(L, t, index, "key", CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB);
}

/* In libcurl 7.88 neither the connection nor the handle can be used again: the
 * next request fails. */
static bool forgets_h2c(const struct luge__curl *curl) {
  return curl->version_info(CURLVERSION_NOW)->version_num >> 8 == 0x0758;
}

static void set_version(lua_State *L, struct luge__transfer *t, int index) {
  static const struct {
    const char *name;
    long value;
  } versions[] = {{"1.0", CURL_HTTP_VERSION_1_0},
                  {"1.1", CURL_HTTP_VERSION_1_1},
                  {"2", CURL_HTTP_VERSION_2TLS},
                  {"h2c", CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE}};
  const struct luge__curl *curl = luge__transfer_curl(t);
  const char *name = get_text(L, index, "http_version");
  for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
    if (name != NULL && strcmp(name, versions[i].name) == 0) {
      curl->easy_setopt(t->easy, CURLOPT_HTTP_VERSION, versions[i].value);
      t->h2c = strcmp(name, "h2c") == 0;
      t->used_up = t->h2c && forgets_h2c(curl);
      curl->easy_setopt(t->easy, CURLOPT_FORBID_REUSE, (long)t->used_up);
    }
  }
}

static void set_socket(lua_State *L, struct luge__transfer *t,
                       const char *path) {
  struct sockaddr_un address;
  size_t length;
  path = luge__unix_permit(L, path, &length);
  if (luge__unix_address(&address, path, length) == 0) {
    luge__raise(L, "invalid", "the path of a UNIX socket is too long");
  }
  if (path[0] == '@') {
    set(L, t, "unix_socket", CURLOPT_ABSTRACT_UNIX_SOCKET, path + 1);
  } else {
    set(L, t, "unix_socket", CURLOPT_UNIX_SOCKET_PATH, path);
  }
  t->route.to_socket = true;
  t->route.known = false;
}

static void set_route(lua_State *L, struct luge__transfer *t, int index) {
  const char *text;
  if ((text = get_text(L, index, "proxy")) != NULL) {
    luge__route_give(L, t, text);
  }
  if ((text = get_text(L, index, "unix_socket")) != NULL) {
    set_socket(L, t, text);
  }
}

void luge__bounds_set(lua_State *L, struct luge__bounds *bounds, int index) {
  int top = lua_gettop(L);
  lua_pushvalue(L, index);
  index = top + 1;
  if (get(L, index, "connect_timeout")) {
    bounds->connect = nanoseconds(L);
  }
  if (get(L, index, "idle_timeout")) {
    bounds->idle = nanoseconds(L);
  }
  if (get(L, index, "max_body")) {
    bounds->max_body = (size_t)lua_tointeger(L, -1);
  }
  lua_settop(L, top);
}

/* The request goes to another origin, which must not get the client's
 * certificate. */
static void drop_certificate(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  curl->easy_setopt(t->easy, CURLOPT_SSLCERT, NULL);
  curl->easy_setopt(t->easy, CURLOPT_SSLKEY, NULL);
  curl->easy_setopt(t->easy, CURLOPT_SSLCERT_BLOB, NULL);
  curl->easy_setopt(t->easy, CURLOPT_SSLKEY_BLOB, NULL);
}

void luge__transfer_set_options(lua_State *L, struct luge__transfer *t,
                                int index) {
  int top = lua_gettop(L);
  t->needs_reset = true;
  lua_pushvalue(L, index);
  index = lua_gettop(L);
  set_tls(L, t, index);
  set_version(L, t, index);
  set_route(L, t, index);
  luge__bounds_set(L, &t->bounds, index);
  t->bounds_whole = get(L, index, "whole");
  if (get(L, index, "safe")) {
    drop_certificate(t);
  }
  lua_settop(L, top);
}
