/* Finding modules in files: the searcher of Lua modules and package.searchpath,
 * where each file is decided about before it is looked for. */
#include <fcntl.h>
#include <lualib.h>
#include <string.h>
#include <sys/stat.h>

#include "../core/permission.h"
#include "../core/place.h"
#include "stock.h"

/* Whether there is such a file, for scripts that may read it. What is where
 * they may not is not told. That they may is decided when it is opened. */
static bool exists(lua_State *L, const char *path, bool *permitted) {
  struct luge_host *host = luge__host(L);
  struct luge_place place;
  struct stat status;
  int error = luge__place_find(&place, path, true);
  *permitted = place.path != NULL &&
               (luge__would_permit(host, LUGE_OP_LOAD_MODULE, place.path) ||
                luge__permits(host, LUGE_OP_LOAD_MODULE, place.path));
  bool found =
      *permitted && error == 0 &&
      fstatat(place.dir, place.name, &status, luge__place_flags(&place)) == 0 &&
      S_ISREG(status.st_mode);
  luge__place_leave(&place);
  return found;
}

/* Adds to the string at `reasons`, below the path. */
static void add_reason(lua_State *L, int reasons, const char *path,
                       bool permitted) {
  lua_pushvalue(L, reasons);
  lua_pushfstring(
      L, permitted ? "\n\tno file '%s'" : "\n\tnot permitted: --allow-read=%s",
      path);
  lua_concat(L, 2);
  lua_replace(L, reasons);
  lua_settop(L, reasons);
}

/* Pushes the first file that a path has for a name, and returns true; or the
 * reasons why there is none. */
static bool search(lua_State *L, const char *name, const char *path) {
  lua_pushliteral(L, "");
  int reasons = lua_gettop(L);
  while (*path != '\0') {
    size_t length = strcspn(path, ";");
    bool permitted;
    lua_pushlstring(L, path, length);
    const char *file = luaL_gsub(L, lua_tostring(L, -1), "?", name);
    if (length > 0 && exists(L, file, &permitted)) {
      return true;
    }
    if (length > 0) {
      add_reason(L, reasons, file, permitted);
    }
    path += length + (path[length] == ';');
  }
  lua_settop(L, reasons);
  return false;
}

static const char *check_name(lua_State *L, int arg) {
  size_t length;
  const char *name = luaL_checklstring(L, arg, &length);
  luaL_argcheck(L, strlen(name) == length, arg, "a zero byte in a name");
  return name;
}

/* Upvalue: the table `package`. */
int luge__stock_searcher(lua_State *L) {
  const char *name = check_name(L, 1);
  if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING) {
    return luaL_error(L, "'package.path' must be a string");
  }
  const char *path = lua_tostring(L, -1);
  if (!search(L, luaL_gsub(L, name, ".", LUA_DIRSEP), path)) {
    return 1;
  }
  const char *file = lua_tostring(L, -1);
  if (luge__stock_load_file(L, file, LUGE_OP_LOAD_MODULE) != LUA_OK) {
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s",
                      name, file, lua_tostring(L, -1));
  }
  lua_pushstring(L, file);
  return 2;
}

/* package.searchpath(name, path, separator, replacement) */
int luge__stock_searchpath(lua_State *L) {
  const char *name = check_name(L, 1);
  const char *path = luaL_checkstring(L, 2);
  const char *separator = luaL_optstring(L, 3, ".");
  const char *replacement = luaL_optstring(L, 4, LUA_DIRSEP);
  if (separator[0] != '\0') {
    name = luaL_gsub(L, name, separator, replacement);
  }
  if (search(L, name, path)) {
    return 1;
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}
