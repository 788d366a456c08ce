/* Where a server listens, as Lua says: what may be, and errors of it; see
 * server_lua.h. */
#include <lauxlib.h>
#include <string.h>

#include "../core/error.h"
#include "../core/permission.h"
#include "server_lua.h"

static int raise_listen(lua_State *L, int status, const char *where) {
  bool exhausted = status == UV_EMFILE || status == UV_ENFILE;
  luge__push_error(L, exhausted ? "limit" : "io", "cannot listen on %s: %s",
                   where, uv_strerror(status));
  if (exhausted) {
    lua_pushliteral(L, "open files");
    lua_setfield(L, -2, "what");
  }
  lua_pushstring(L, uv_err_name(status));
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, where);
  lua_setfield(L, -2, "path");
  return lua_error(L);
}

static void listen_tcp(lua_State *L, struct luge__server *s) {
  struct sockaddr_storage address;
  const char *host = luaL_checkstring(L, 1);
  int port = (int)luaL_checkinteger(L, 2);
  luaL_argcheck(L, port >= 0 && port <= 65535, 2, "a port");
  if (uv_ip4_addr(host, port, (struct sockaddr_in *)&address) != 0 &&
      uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address) != 0) {
    luge__raise(L, "invalid",
                "http.server: 'host' is \"%s\", takes an IPv4 or IPv6 "
                "address, or \"localhost\"",
                host);
  }
  luge__permit_host(L, LUGE_OP_HTTP_LISTEN, host, (uint16_t)port);
  int status = luge__server_listen_tcp(s, (struct sockaddr *)&address);
  if (status != 0) {
    const char *form = strchr(host, ':') != NULL ? "[%s]:%d" : "%s:%d";
    raise_listen(L, status, lua_pushfstring(L, form, host, port));
  }
}

static void listen_pipe(lua_State *L, struct luge__server *s) {
  size_t length;
  const char *path = luge__unix_permit(L, luaL_checkstring(L, 3), &length);
  int status = luge__server_listen_pipe(s, path, length);
  if (status != 0) {
    raise_listen(L, status, path);
  }
}

void luge__server_listen(lua_State *L, struct luge__server *s) {
  int top = lua_gettop(L);
  if (lua_isnil(L, 3)) {
    listen_tcp(L, s);
  } else {
    listen_pipe(L, s);
  }
  lua_settop(L, top);
}
