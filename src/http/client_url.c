/* URLs for the Lua side; see client_url.h. */
#include "client_url.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "../core/error.h"
#include "transfer_url.h"

static const struct luge__curl *load(lua_State *L) {
  const char *problem = NULL;
  const struct luge__curl *curl = luge__curl_load(&problem);
  if (curl == NULL) {
    luge__raise(L, "io", "HTTP needs libcurl: %s", problem);
  }
  return curl;
}

static CURLU *parse(lua_State *L, const struct luge__curl *curl, int arg) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  CURLU **slot = lua_touserdata(L, lua_upvalueindex(2));
  if (*slot == NULL && (*slot = curl->url()) == NULL) {
    luge__raise_memory(L);
  }
  luge__url_set(L, curl, *slot, text, length);
  return *slot;
}

/* If pushing it raises, the part is leaked, but only then. */
static const char *push_part(lua_State *L, const struct luge__curl *curl,
                             CURLU *url, CURLUPart part, unsigned flags) {
  char *text = NULL;
  if (curl->url_get(url, part, &text, flags) != CURLUE_OK) {
    return lua_pushliteral(L, "");
  }
  const char *pushed = lua_pushstring(L, text);
  curl->free(text);
  return pushed;
}

/* RFC 3986, 3.1 */
static bool has_scheme(const char *text) {
  size_t length = 0;
  while (isalnum((unsigned char)text[length]) ||
         (text[length] != '\0' && strchr("+-.", text[length]) != NULL)) {
    length++;
  }
  return isalpha((unsigned char)text[0]) && text[length] == ':';
}

/* libcurl cannot read the reference: says whether that is for its scheme, such
 * as "mailto:". */
static int raise_reference(lua_State *L, const char *reference) {
  const char *from = luge__url_push_masked(L, lua_tostring(L, 1));
  const char *shown = luge__url_push_masked(L, reference);
  if (has_scheme(reference) && strncasecmp(reference, "http", 4) != 0) {
    luge__raise(L, "invalid",
                "%s: the server redirects to \"%s\": takes http or https", from,
                shown);
  }
  luge__push_error(L, "network",
                   "%s: the server redirects to a bad URL, \"%s\"", from,
                   shown);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "url");
  lua_pushliteral(L, "protocol");
  lua_setfield(L, -2, "code");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "retryable");
  return lua_error(L);
}

/* Makes `url` where the reference leads from it, with the fragment of either
 * (RFC 9110, 10.2.2). libcurl 7.88 takes "#fragment" and "" for the root. */
static CURLUcode follow(const struct luge__curl *curl, CURLU *url,
                        const char *reference) {
  static const unsigned flags = CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME;
  char *fragment = NULL;
  if (reference[0] == '\0') {
    return CURLUE_OK;
  }
  if (reference[0] == '#') {
    return curl->url_set(url, CURLUPART_FRAGMENT, reference + 1, flags);
  }
  (void)curl->url_get(url, CURLUPART_FRAGMENT, &fragment, 0);
  CURLUcode code = curl->url_set(url, CURLUPART_URL, reference, flags);
  if (code == CURLUE_OK && strchr(reference, '#') == NULL) {
    code = curl->url_set(url, CURLUPART_FRAGMENT, fragment, 0);
  }
  curl->free(fragment);
  return code;
}

static bool leads_to_http(const struct luge__curl *curl, CURLU *url) {
  char *scheme = NULL;
  bool leads = curl->url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
               (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
  curl->free(scheme);
  return leads;
}

int luge__url_resolve(lua_State *L) {
  const struct luge__curl *curl = load(L);
  CURLU *url = parse(L, curl, 1);
  const char *reference = luaL_checkstring(L, 2);
  if (follow(curl, url, reference) != CURLUE_OK || !leads_to_http(curl, url)) {
    return raise_reference(L, reference);
  }
  push_part(L, curl, url, CURLUPART_URL, 0);
  return 1;
}

int luge__url_origin(lua_State *L) {
  const struct luge__curl *curl = load(L);
  CURLU *url = parse(L, curl, 1);
  const char *scheme = push_part(L, curl, url, CURLUPART_SCHEME, 0);
  const char *host = push_part(L, curl, url, CURLUPART_HOST, 0);
  const char *port =
      push_part(L, curl, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  lua_pushfstring(L, "%s://%s:%s", scheme, host, port);
  return 1;
}

int luge__url_mask(lua_State *L) {
  luge__url_push_masked(L, luaL_checkstring(L, 1));
  return 1;
}

static int free_slot(lua_State *L) {
  CURLU **slot = lua_touserdata(L, 1);
  if (*slot != NULL) {
    load(L)->url_cleanup(*slot);
    *slot = NULL;
  }
  return 0;
}

void luge__url_push_slot(lua_State *L) {
  CURLU **slot = lua_newuserdatauv(L, sizeof *slot, 0);
  *slot = NULL;
  lua_newtable(L);
  lua_pushcfunction(L, free_slot);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
}
