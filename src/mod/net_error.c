/* Errors of sockets; see net_socket.h. */
#include <string.h>

#include "../core/error.h"
#include "net_socket.h"

static void set_text(lua_State *L, const char *field, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static int raise_exhausted(lua_State *L, const char *phase, const char *text) {
  luge__push_error(L, "limit", "%s: %s", phase, text);
  set_text(L, "what", "open files");
  return lua_error(L);
}

int luge__net_raise(lua_State *L, int error, const char *phase,
                    const char *where) {
  char name[32], text[128];
  uv_err_name_r(error, name, sizeof name);
  uv_strerror_r(error, text, sizeof text);
  if (error == UV_ENOMEM) {
    return luge__raise_memory(L);
  }
  if (error == UV_EMFILE || error == UV_ENFILE) {
    return raise_exhausted(L, phase, text);
  }
  bool connects = strcmp(phase, "connect") == 0;
  if (connects) {
    luge__push_error(L, "network", "cannot connect to %s: %s", where, text);
  } else {
    luge__push_error(L, "network", "the connection broke: %s", text);
  }
  set_text(L, "code", connects ? "connect" : "reset");
  set_text(L, "phase", phase);
  set_text(L, "errno", name);
  return lua_error(L);
}
