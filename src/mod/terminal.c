/* luge.native.terminal: what the standard streams are. */
#include <lauxlib.h>
#include <sys/ioctl.h>
#include <uv.h>

#include "../core/args.h"
#include "modules.h"

/* is_terminal(fd) */
static int lib_is_terminal(lua_State *L) {
  lua_Integer fd = luge__check_integer(L, 1, 0, "a file descriptor");
  lua_pushboolean(L, uv_guess_handle((uv_file)fd) == UV_TTY);
  return 1;
}

/* width(fd) -> columns, or nil if it is no terminal or does not tell */
static int lib_width(lua_State *L) {
  lua_Integer fd = luge__check_integer(L, 1, 0, "a file descriptor");
  struct winsize size;
  if (ioctl((int)fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    lua_pushinteger(L, size.ws_col);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int luge__open_terminal(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"is_terminal", lib_is_terminal}, {"width", lib_width}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
