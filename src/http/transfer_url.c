/* URLs; see transfer_url.h. */
#include "transfer_url.h"

#include <string.h>
#include <strings.h>

#include "../core/error.h"

#include <lauxlib.h>

static int raise_bad(lua_State *L, const char *text, const char *why) {
  return luge__raise(L, "invalid", "bad URL \"%s\": %s",
                     luge__url_push_masked(L, text), why);
}

static bool has_control(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == 0x7f) {
      return true;
    }
  }
  return false;
}

static const char *explain(CURLUcode code) {
  switch (code) {
  case CURLUE_OUT_OF_MEMORY:
    return "not enough memory";
  case CURLUE_BAD_PORT_NUMBER:
    return "its port is no number from 0 to 65535";
  case CURLUE_UNSUPPORTED_SCHEME:
    return "takes http or https";
  case CURLUE_NO_HOST:
    return "it has no host";
  default:
    return "takes an absolute URL, such as https://example.com/path";
  }
}

/* libcurl would accept one slash or three in the place of two. */
static bool has_authority(const char *text) {
  const char *colon = strchr(text, ':');
  return colon != NULL && strncmp(colon, "://", 3) == 0 &&
         strchr("/?#\\", colon[3]) == NULL;
}

/* libcurl would translate it according to the process's locale. */
static bool has_foreign_host(const char *text) {
  const char *at = strstr(text, "://") + 3;
  const char *end = at + strcspn(at, "/?#");
  bool foreign = false;
  for (; at < end; at++) {
    foreign = *at != '@' && (foreign || (unsigned char)*at >= 0x80);
  }
  return foreign;
}

bool luge__url_set(lua_State *L, const struct luge__curl *curl, CURLU *url,
                   const char *text, size_t length) {
  char *scheme = NULL;
  if (has_control(text, length)) {
    raise_bad(L, text, "it holds a control character");
  }
  (void)curl->url_set(url, CURLUPART_URL, NULL, 0);
  CURLUcode code = curl->url_set(url, CURLUPART_URL, text,
                                 CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
  if (code == CURLUE_OK) {
    code = curl->url_get(url, CURLUPART_SCHEME, &scheme, 0);
  }
  if (code == CURLUE_OK && !has_authority(text)) {
    code = CURLUE_NO_HOST;
  }
  if (code != CURLUE_OK) {
    curl->free(scheme);
    raise_bad(L, text, explain(code));
  }
  if (has_foreign_host(text)) {
    curl->free(scheme);
    raise_bad(L, text, "its host takes ASCII: other letters as xn--...");
  }
  bool https = strcmp(scheme, "https") == 0;
  bool known = https || strcmp(scheme, "http") == 0;
  curl->free(scheme);
  if (!known) {
    raise_bad(L, text, "takes http or https");
  }
  return https;
}

static bool holds(const char *name, size_t length, const char *word) {
  size_t n = strlen(word);
  for (size_t i = 0; i + n <= length; i++) {
    if (strncasecmp(name + i, word, n) == 0) {
      return true;
    }
  }
  return false;
}

bool luge__is_secret(const char *name, size_t length) {
  static const char *const words[] = {"key",      "token",     "secret",
                                      "password", "signature", NULL};
  for (int i = 0; words[i] != NULL; i++) {
    if (holds(name, length, words[i])) {
      return true;
    }
  }
  return (length == 13 && strncasecmp(name, "authorization", 13) == 0) ||
         (length == 6 && strncasecmp(name, "cookie", 6) == 0) ||
         (length == 19 && strncasecmp(name, "proxy-authorization", 19) == 0) ||
         (length == 3 && strncasecmp(name, "sig", 3) == 0);
}

/* Copies up to `end`, leaving out the password before an "@". */
static const char *mask_authority(luaL_Buffer *b, const char *at,
                                  const char *end) {
  const char *start = at;
  for (; at + 2 < end && memcmp(at, "://", 3) != 0; at++) {
  }
  if (at + 2 >= end) {
    return start;
  }
  at += 3;
  size_t length = strcspn(at, "/?#");
  const char *host = at;
  for (const char *p = at; p < at + length; p++) {
    host = *p == '@' ? p : host;
  }
  const char *colon = memchr(at, ':', (size_t)(host - at));
  if (colon == NULL) {
    return start;
  }
  luaL_addlstring(b, start, (size_t)(colon + 1 - start));
  luaL_addstring(b, "***");
  return host;
}

static const char *mask_parameters(luaL_Buffer *b, const char *at,
                                   const char *end) {
  while (at < end) {
    size_t length = strcspn(at, "?&=");
    if (at + length >= end) {
      break;
    }
    bool masked = at[length] == '=' && luge__is_secret(at, length);
    luaL_addlstring(b, at, length + 1);
    at += length + 1;
    if (masked) {
      luaL_addstring(b, "***");
      at += strcspn(at, "&#");
    }
  }
  return at;
}

const char *luge__url_push_masked(lua_State *L, const char *text) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  const char *end = text + strlen(text);
  const char *at = mask_authority(&b, text, end);
  const char *query = memchr(at, '?', (size_t)(end - at));
  if (query != NULL) {
    luaL_addlstring(&b, at, (size_t)(query + 1 - at));
    at = mask_parameters(&b, query + 1, end);
  }
  luaL_addlstring(&b, at, (size_t)(end - at));
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}
