/* The functions of `io` that have to do with the standard streams; see
 * stdio.h. Each looks whether the default file is one of the three standard
 * ones, and otherwise does what Lua's own does: the method of the file. */
#include "stdio.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "../core/host.h"
#include "../core/output.h"
#include "../core/permission.h"
#include "../core/program.h"
#include "../core/wait.h"
#include "modules.h"
#include "os_exit.h"
#include "stdio_read.h"
#include "stdio_write.h"
#include "stock.h"

/* Registry keys of the default files. */
static const char input_key = 0;
static const char output_key = 0;

/* Pushes a default file; says which standard one it is, or -1. */
static int push_default(lua_State *L, const char *key) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  return luge__stdio_file_test(L, -1);
}

static int called(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L);
}

/* Calls the function at index 1 with what is above; it may wait. */
static int call_first(lua_State *L) {
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, called);
  return called(L, LUA_OK, 0);
}

/* Calls the method of the file on top of the stack, which is popped, with the
 * arguments from 1 on. Lua's own files do not wait; those of io.popen do. */
static int call_method(lua_State *L, const char *name) {
  lua_insert(L, 1);
  lua_getfield(L, 1, name);
  lua_insert(L, 1);
  return call_first(L);
}

/* Whether it is a file of luge.internal.shell. */
static bool is_pipe(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE ||
      luaL_getmetafield(L, index, "__iotype") == LUA_TNIL) {
    return false;
  }
  lua_pop(L, 1);
  return true;
}

/* Calls Lua's own function, the upvalue, with all that is on the stack. */
static int call_original(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int io_read(lua_State *L) {
  if (push_default(L, &input_key) < 0) {
    return call_method(L, "read");
  }
  lua_pop(L, 1);
  return luge__stdin_read(L);
}

static int io_write(lua_State *L) {
  int descriptor = push_default(L, &output_key);
  if (descriptor < 0) {
    return call_method(L, "write");
  }
  lua_pop(L, 1);
  int status = luge__stdio_write(L, (enum luge_stream)descriptor, 1);
  if (status < 0) {
    errno = -status;
    return luaL_fileresult(L, 0, NULL);
  }
  push_default(L, &output_key);
  return 1;
}

/* Without a file name: those of the default input, which stays open. */
static int io_lines(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) {
    return luge__is_trusted(luge__host(L)) ? call_original(L)
                                           : luge__stock_lines(L);
  }
  if (lua_gettop(L) > 0) {
    lua_remove(L, 1);
  }
  if (push_default(L, &input_key) < 0) {
    return call_method(L, "lines");
  }
  lua_pop(L, 1);
  return luge__stdio_lines(L);
}

/* io.input and io.output: tells the default file, or sets it. `mode` is for a
 * name. */
static int default_file(lua_State *L, const char *key, const char *mode) {
  if (lua_isnoneornil(L, 1)) {
    push_default(L, key);
    return 1;
  }
  if (lua_isstring(L, 1) && !luge__is_trusted(luge__host(L))) {
    luge__stock_replace_name(L, mode);
  }
  if (luge__stdio_file_test(L, 1) < 0 && !is_pipe(L, 1)) {
    call_original(L);
  }
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  return 1;
}

static int io_input(lua_State *L) {
  return default_file(L, &input_key, "r");
}

static int io_output(lua_State *L) {
  return default_file(L, &output_key, "w");
}

static int io_close(lua_State *L) {
  if (lua_isnone(L, 1)) {
    push_default(L, &output_key);
  } else if (luge__stdio_file_test(L, 1) < 0 && !is_pipe(L, 1)) {
    return call_original(L);
  }
  lua_settop(L, 1);
  return call_method(L, "close");
}

static int io_flush(lua_State *L) {
  push_default(L, &output_key);
  return call_method(L, "flush");
}

static int io_type(lua_State *L) {
  luaL_checkany(L, 1);
  if (is_pipe(L, 1)) {
    luaL_callmeta(L, 1, "__iotype");
    return 1;
  }
  if (luge__stdio_file_test(L, 1) < 0) {
    return call_original(L);
  }
  lua_pushliteral(L, "file");
  return 1;
}

static void permit_shell(lua_State *L) {
  if (luge__is_trusted(luge__host(L))) {
    return;
  }
  char *shell = luge__program_find("/bin/sh", NULL);
  lua_pushstring(L, shell != NULL ? shell : "/bin/sh");
  free(shell);
  luge__permit_program(L, LUGE_OP_OS_EXECUTE, lua_tostring(L, -1));
  lua_pop(L, 1);
}

/* os.execute and io.popen let their task wait; where Lua cannot suspend they
 * are Lua's own, and block. What was printed before goes first. */
static int run_program(lua_State *L, const char *name) {
  luge__flush(luge__host(L));
  if (lua_isnoneornil(L, 1)) {
    return call_original(L);
  }
  if (!luge__can_wait(L)) {
    permit_shell(L);
    return call_original(L);
  }
  lua_getglobal(L, "require");
  lua_pushliteral(L, "luge.internal.shell");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, name);
  lua_insert(L, 1);
  lua_pop(L, 1);
  return call_first(L);
}

static int os_execute(lua_State *L) {
  return run_program(L, "execute");
}

static int io_popen(lua_State *L) {
  return run_program(L, "popen");
}

/* Replaces functions of the library on top of the stack; each has the one
 * that it replaces as its upvalue. */
static void replace(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name != NULL; functions++) {
    lua_getfield(L, -1, functions->name);
    lua_pushcclosure(L, functions->func, 1);
    lua_setfield(L, -2, functions->name);
  }
}

static void replace_io(lua_State *L) {
  static const char *const names[] = {"stdin", "stdout", "stderr"};
  static const luaL_Reg functions[] = {
      {"read", io_read},   {"write", io_write},   {"lines", io_lines},
      {"input", io_input}, {"output", io_output}, {"close", io_close},
      {"flush", io_flush}, {"type", io_type},     {"popen", io_popen},
      {NULL, NULL}};
  lua_getglobal(L, LUA_IOLIBNAME);
  replace(L, functions);
  for (int i = 0; i <= 2; i++) {
    luge__stdio_file_push(L, i);
    lua_setfield(L, -2, names[i]);
  }
  lua_pop(L, 1);
  luge__stdio_file_push(L, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &input_key);
  luge__stdio_file_push(L, LUGE_STDOUT);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &output_key);
}

static void replace_os(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"execute", os_execute}, {"exit", luge__os_exit}, {NULL, NULL}};
  lua_getglobal(L, LUA_OSLIBNAME);
  replace(L, functions);
  lua_pop(L, 1);
}

void luge__stdio_install(lua_State *L) {
  luge__stdio_file_init(L);
  replace_io(L);
  replace_os(L);
  lua_pushcfunction(L, luge__stdio_print);
  lua_setglobal(L, "print");
}

int luge__open_stdio(lua_State *L) {
  static const luaL_Reg functions[] = {{"take", luge__stdin_take},
                                       {"write", luge__stdio_wait_write},
                                       {"flush", luge__stdio_wait_flush},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
