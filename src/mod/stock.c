/* Changing the libraries; see stock.h. */
#include "stock.h"

#include <errno.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "../core/permission.h"
#include "../core/place.h"

/* Where the C library makes temporary files. */
#ifdef P_tmpdir
static const char temporary[] = P_tmpdir;
#else
static const char temporary[] = "/tmp";
#endif

/* os.remove(path) */
static int os_remove(lua_State *L) {
  const char *path = luge__stock_path(L, 1);
  int error;
  struct luge_place *place = luge__permit_place(
      L, LUGE_OP_OS_REMOVE, LUGE_OP_NONE, path, false, &error);
  errno = error != 0 ? error : luge__place_remove(place);
  luge__place_leave(place);
  return luaL_fileresult(L, errno == 0, path);
}

/* os.rename(from, to) */
static int os_rename(lua_State *L) {
  const char *from = luge__stock_path(L, 1), *to = luge__stock_path(L, 2);
  int error, to_error;
  struct luge_place *source = luge__permit_place(
      L, LUGE_OP_OS_RENAME, LUGE_OP_NONE, from, false, &error);
  struct luge_place *target = luge__permit_place(
      L, LUGE_OP_OS_RENAME, LUGE_OP_NONE, to, false, &to_error);
  if (source->path != NULL && target->path != NULL &&
      luge__can_be_read(luge__host(L), target->path)) {
    luge__permit(L, LUGE_OP_OS_MOVE, source->path);
  }
  error = error != 0 ? error : to_error;
  errno = error != 0 ? error : luge__place_rename(source, target);
  luge__place_leave(source);
  luge__place_leave(target);
  return luaL_fileresult(L, errno == 0, NULL);
}

/* Calls Lua's own, the upvalue, with the arguments. It calls nothing back. */
static int call_original(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* io.tmpfile() and os.tmpname(): files that the C library makes. */
static int make_temporary(lua_State *L) {
  luge__permit_path(L, LUGE_OP_IO_WRITE, LUGE_OP_NONE, temporary);
  lua_settop(L, 0);
  return call_original(L);
}

/* os.setlocale(locale, category): may be asked, but not set for the process. */
static int os_setlocale(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) {
    luge__permit(L, LUGE_OP_SETLOCALE, luaL_checkstring(L, 1));
  }
  return call_original(L);
}

/* package.loadlib(path, name) */
static int package_loadlib(lua_State *L) {
  luge__permit(L, LUGE_OP_LOAD_LIBRARY, luge__stock_path(L, 1));
  return call_original(L);
}

/* Replaces functions of the table on top; each has the one that it replaces as
 * its upvalue if it is to call it. */
static void replace(lua_State *L, const luaL_Reg *functions, bool calls) {
  for (; functions->name != NULL; functions++) {
    if (calls) {
      lua_getfield(L, -1, functions->name);
    }
    lua_pushcclosure(L, functions->func, calls ? 1 : 0);
    lua_setfield(L, -2, functions->name);
  }
}

static void change_io(lua_State *L) {
  static const luaL_Reg own[] = {{"open", luge__stock_io_open}, {NULL, NULL}};
  static const luaL_Reg around[] = {{"tmpfile", make_temporary}, {NULL, NULL}};
  lua_getglobal(L, LUA_IOLIBNAME);
  replace(L, own, false);
  replace(L, around, true);
  lua_pop(L, 1);
}

static void change_os(lua_State *L) {
  static const luaL_Reg own[] = {
      {"remove", os_remove}, {"rename", os_rename}, {NULL, NULL}};
  static const luaL_Reg around[] = {
      {"tmpname", make_temporary}, {"setlocale", os_setlocale}, {NULL, NULL}};
  lua_getglobal(L, LUA_OSLIBNAME);
  replace(L, own, false);
  replace(L, around, true);
  lua_pop(L, 1);
}

static void change_base(lua_State *L) {
  static const luaL_Reg own[] = {{"load", luge__stock_load},
                                 {"loadfile", luge__stock_loadfile},
                                 {"dofile", luge__stock_dofile},
                                 {NULL, NULL}};
  lua_pushglobaltable(L);
  replace(L, own, false);
  lua_pop(L, 1);
}

/* Lua's own searchers are the last three: of Lua files, of C modules, and of C
 * modules with others in them. */
static void change_package(lua_State *L) {
  static const luaL_Reg own[] = {{"searchpath", luge__stock_searchpath},
                                 {NULL, NULL}};
  static const luaL_Reg around[] = {{"loadlib", package_loadlib}, {NULL, NULL}};
  lua_getglobal(L, LUA_LOADLIBNAME);
  replace(L, own, false);
  replace(L, around, true);
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_getfield(L, -1, "searchers");
  lua_Integer count = luaL_len(L, -1);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, luge__stock_searcher, 1);
  lua_rawseti(L, -2, count - 2);
  for (lua_Integer i = count - 1; i <= count; i++) {
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 2);
}

/* Takes all from the library on top but the names in `kept`. */
static void keep_only(lua_State *L, const char *const *kept) {
  lua_newtable(L);
  for (; *kept != NULL; kept++) {
    lua_getfield(L, -2, *kept);
    lua_setfield(L, -2, *kept);
  }
  lua_pushnil(L);
  while (lua_next(L, -3) != 0) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushvalue(L, -1);
    lua_rawget(L, -4);
    lua_rawset(L, -5);
  }
  lua_pop(L, 1);
}

/* debug.getinfo: but for C functions, which are told of and not given. Among
 * them are some that nobody is to call. */
static int debug_getinfo(lua_State *L) {
  int arg = lua_isthread(L, 1) ? 2 : 1;
  bool is_here = arg == 1 || lua_tothread(L, 1) == L;
  if (is_here && lua_isinteger(L, arg) && lua_tointeger(L, arg) >= 0) {
    lua_pushinteger(L, lua_tointeger(L, arg) + 1); /* one level more */
    lua_replace(L, arg);
  }
  call_original(L);
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "func");
    bool is_given = !lua_iscfunction(L, -1);
    lua_pop(L, 1);
    if (!is_given) {
      lua_pushnil(L);
      lua_setfield(L, -2, "func");
    }
  }
  return 1;
}

static void cut_debug(lua_State *L) {
  static const char *const kept[] = {"traceback", "getinfo", NULL};
  static const luaL_Reg around[] = {{"getinfo", debug_getinfo}, {NULL, NULL}};
  lua_getglobal(L, LUA_DBLIBNAME);
  keep_only(L, kept);
  replace(L, around, true);
  lua_pop(L, 1);
  lua_getglobal(L, LUA_STRLIBNAME);
  lua_pushnil(L);
  lua_setfield(L, -2, "dump");
  lua_pop(L, 1);
}

void luge__stock_restrict(lua_State *L) {
  change_io(L);
  change_os(L);
  if (luge__is_restricted(luge__host(L))) {
    change_base(L);
    change_package(L);
    cut_debug(L);
  }
}
