/* Files of Lua's own io library, opened where they were decided about. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/error.h"
#include "../core/permission.h"
#include "../core/place.h"
#include "stock.h"

const char *luge__stock_path(lua_State *L, int arg) {
  size_t length;
  const char *path = luaL_checklstring(L, arg, &length);
  if (strlen(path) != length) {
    luge__arg_error(L, arg, "a path without zero bytes");
  }
  return path;
}

static int close_file(lua_State *L) {
  luaL_Stream *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  errno = 0;
  return luaL_fileresult(L, fclose(file->f) == 0, NULL);
}

static int flags_of(const char *mode) {
  bool both = strchr(mode, '+') != NULL;
  int access = both ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
  return access | (mode[0] == 'r'   ? 0
                   : mode[0] == 'a' ? O_CREAT | O_APPEND
                                    : O_CREAT | O_TRUNC);
}

static FILE *open_place(const struct luge_place *place, const char *mode,
                        int *error) {
  int fd;
  *error = luge__place_open(place, flags_of(mode), 0666, &fd);
  if (*error != 0) {
    return NULL;
  }
  *error = luge__place_block(fd);
  FILE *file = *error == 0 ? fdopen(fd, mode) : NULL;
  if (file == NULL) {
    *error = *error != 0 ? *error : errno;
    close(fd);
  }
  return file;
}

/* The userdata is there before the file is. */
int luge__stock_open(lua_State *L, const char *path, const char *mode,
                     enum luge_operation operation) {
  bool reads = mode[0] == 'r' || strchr(mode, '+') != NULL;
  bool writes = mode[0] != 'r' || strchr(mode, '+') != NULL;
  luaL_Stream *file = lua_newuserdatauv(L, sizeof *file, 0);
  file->closef = NULL;
  luaL_setmetatable(L, LUA_FILEHANDLE);
  int error;
  struct luge_place *place = luge__permit_place(
      L, reads ? operation : LUGE_OP_IO_WRITE,
      reads && writes ? LUGE_OP_IO_WRITE : LUGE_OP_NONE, path, true, &error);
  if (error == 0) {
    file->f = open_place(place, mode, &error);
  }
  luge__place_leave(place);
  lua_pop(L, 1);
  if (error != 0) {
    lua_pop(L, 1);
    return error;
  }
  file->closef = close_file;
  return 0;
}

static bool is_mode(const char *mode) {
  if (mode[0] == '\0' || strchr("rwa", mode[0]) == NULL) {
    return false;
  }
  mode += mode[1] == '+' ? 2 : 1;
  return strspn(mode, "b") == strlen(mode);
}

void luge__stock_close(lua_State *L, int index) {
  luaL_Stream *file = lua_touserdata(L, index);
  if (file->closef != NULL) {
    file->closef = NULL;
    fclose(file->f);
  }
}

/* io.open(path, mode) */
int luge__stock_io_open(lua_State *L) {
  const char *path = luge__stock_path(L, 1);
  const char *mode = luaL_optstring(L, 2, "r");
  luaL_argcheck(L, is_mode(mode), 2, "invalid mode");
  int error = luge__stock_open(L, path, mode, LUGE_OP_IO_READ);
  if (error != 0) {
    errno = error;
    return luaL_fileresult(L, 0, path);
  }
  return 1;
}

void luge__stock_replace_name(lua_State *L, const char *mode) {
  const char *path = luge__stock_path(L, 1);
  int error = luge__stock_open(L, path, mode, LUGE_OP_IO_READ);
  if (error != 0) {
    luaL_error(L, "%s: %s", path, strerror(error));
  }
  lua_replace(L, 1);
}

/* Upvalues: the file, the number of formats, the formats. */
static int next_line(lua_State *L) {
  int count = (int)lua_tointeger(L, lua_upvalueindex(2));
  lua_settop(L, 0);
  luaL_checkstack(L, count + 2, "too many formats");
  lua_getfield(L, lua_upvalueindex(1), "read");
  lua_pushvalue(L, lua_upvalueindex(1));
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(L, lua_upvalueindex(i + 2));
  }
  lua_call(L, count + 1, LUA_MULTRET);
  if (lua_toboolean(L, 1)) {
    return lua_gettop(L);
  }
  if (lua_gettop(L) > 1) { /* an error, and no end */
    return luaL_error(L, "%s", lua_tostring(L, 2));
  }
  lua_getfield(L, lua_upvalueindex(1), "close");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_call(L, 1, 0);
  return 0;
}

int luge__stock_lines(lua_State *L) {
  int count = lua_gettop(L) - 1;
  luaL_argcheck(L, count <= 250, 252, "too many arguments");
  luge__stock_replace_name(L, "r");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, count);
  lua_rotate(L, 2, 2);
  lua_pushcclosure(L, next_line, count + 2);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 1);
  return 4;
}
