/* io.stdin, io.stdout and io.stderr: files with the methods of Lua's own, over
 * the host's input and output. What makes no sense for a standard stream
 * (closing it, seeking in it) returns an error as Lua's own does. */
#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "../core/class.h"
#include "../core/host.h"
#include "../core/output.h"
#include "stdio.h"
#include "stdio_read.h"
#include "stdio_write.h"

struct file {
  int descriptor;
};

/* Lua's own name, which messages and scripts know. */
static const struct luge_class file_class = {"a FILE*"};

static const char files_key = 0; /* registry: descriptor -> file */

int luge__stdio_file_test(lua_State *L, int index) {
  const struct file *file = luge__class_test(L, index, &file_class);
  return file != NULL ? file->descriptor : -1;
}

static int check_file(lua_State *L) {
  const struct file *file = luge__class_check(L, 1, &file_class);
  return file->descriptor;
}

static int fail(lua_State *L, int error) {
  errno = error;
  return luaL_fileresult(L, 0, NULL);
}

static int file_read(lua_State *L) {
  if (check_file(L) != 0) {
    return fail(L, EBADF);
  }
  lua_remove(L, 1);
  return luge__stdin_read(L);
}

static int next_line(lua_State *L) {
  lua_settop(L, 0);
  int count = (int)lua_tointeger(L, lua_upvalueindex(1));
  luaL_checkstack(L, count, "too many formats");
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(L, lua_upvalueindex(i + 1));
  }
  return luge__stdin_next(L);
}

int luge__stdio_lines(lua_State *L) {
  int count = lua_gettop(L);
  luaL_argcheck(L, count <= 250, 252, "too many arguments");
  luge__stdin_check_formats(L, 1);
  lua_pushinteger(L, count);
  lua_insert(L, 1);
  lua_pushcclosure(L, next_line, count + 1);
  return 1;
}

static int file_lines(lua_State *L) {
  if (check_file(L) != 0) {
    return luaL_error(L, "%s", strerror(EBADF));
  }
  lua_remove(L, 1);
  return luge__stdio_lines(L);
}

static int file_write(lua_State *L) {
  int descriptor = check_file(L);
  if (descriptor == 0) {
    return fail(L, EBADF);
  }
  int status = luge__stdio_write(L, (enum luge_stream)descriptor, 2);
  if (status < 0) {
    return fail(L, -status);
  }
  lua_settop(L, 1);
  return 1;
}

static int file_flush(lua_State *L) {
  int descriptor = check_file(L);
  struct luge_host *host = luge__host(L);
  int error = 0;
  if (descriptor != 0) {
    luge__flush(host);
    error = luge__output(host, (enum luge_stream)descriptor)->error;
  }
  if (error != 0) {
    return fail(L, -error);
  }
  lua_settop(L, 1);
  return 1;
}

static int file_setvbuf(lua_State *L) {
  static const char *const names[] = {"full", "line", "no", NULL};
  static const enum luge_buffering modes[] = {
      LUGE_BUFFER_FULL, LUGE_BUFFER_LINE, LUGE_BUFFER_NONE};
  int descriptor = check_file(L);
  int mode = luaL_checkoption(L, 2, NULL, names);
  struct luge_host *host = luge__host(L);
  if (descriptor != 0) {
    luge__output(host, (enum luge_stream)descriptor)->buffering = modes[mode];
    luge__flush(host);
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int file_seek(lua_State *L) {
  check_file(L);
  return fail(L, ESPIPE);
}

static int file_close(lua_State *L) {
  check_file(L);
  lua_pushnil(L);
  lua_pushliteral(L, "cannot close standard file");
  return 2;
}

/* A standard file in a `local <close>` variable stays open. */
static int file_leave(lua_State *L) {
  check_file(L);
  return 0;
}

static int file_tostring(lua_State *L) {
  static const char *const names[] = {"stdin", "stdout", "stderr"};
  lua_pushfstring(L, "file (%s)", names[check_file(L)]);
  return 1;
}

void luge__stdio_file_push(lua_State *L, int descriptor) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &files_key);
  lua_rawgeti(L, -1, descriptor);
  lua_remove(L, -2);
}

void luge__stdio_file_init(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"read", file_read},       {"lines", file_lines},
      {"write", file_write},     {"flush", file_flush},
      {"setvbuf", file_setvbuf}, {"seek", file_seek},
      {"close", file_close},     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__tostring", file_tostring}, {"__close", file_leave}, {NULL, NULL}};
  luge__class_init(L, &file_class, methods, metamethods);
  lua_createtable(L, 2, 1);
  for (int i = 0; i <= 2; i++) {
    struct file *file = luge__class_new(L, &file_class, sizeof(struct file), 0);
    file->descriptor = i;
    lua_rawseti(L, -2, i);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &files_key);
}
