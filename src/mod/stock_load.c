/* load, loadfile and dofile for text alone: bytecode can do anything to the
 * interpreter. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../core/permission.h"
#include "stock.h"

/* What load, or a part of it, returns for the function or error on top. */
static int finish(lua_State *L, int status, int environment) {
  if (status != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (environment != 0) {
    lua_pushvalue(L, environment);
    if (lua_setupvalue(L, -2, 1) == NULL) {
      lua_pop(L, 1);
    }
  }
  return 1;
}

static int environment_at(lua_State *L, int arg) {
  return lua_isnone(L, arg) ? 0 : arg;
}

static void refuse_bytecode(lua_State *L, const char *name) {
  luge__permit(L, LUGE_OP_LOAD_BYTECODE, name);
}

/* A mode that asks for bytecode alone asks for what there is not. */
static void check_mode(lua_State *L, int arg) {
  const char *mode = luaL_optstring(L, arg, "bt");
  if (strchr(mode, 't') == NULL) {
    refuse_bytecode(L, "bytecode");
  }
}

/* Index of what keeps the piece alive that was read last. */
enum { PIECE = 5 };

static const char *read_piece(lua_State *L, void *data, size_t *size) {
  (void)data;
  luaL_checkstack(L, 2, "too many nested functions");
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    *size = 0;
    return NULL;
  }
  if (!lua_isstring(L, -1)) {
    luaL_error(L, "reader function must return a string");
  }
  lua_replace(L, PIECE);
  return lua_tolstring(L, PIECE, size);
}

/* load(chunk, name, mode, environment) */
int luge__stock_load(lua_State *L) {
  int environment = environment_at(L, 4);
  size_t length;
  const char *text = lua_tolstring(L, 1, &length);
  check_mode(L, 3);
  if (text != NULL) {
    if (text[0] == LUA_SIGNATURE[0]) {
      refuse_bytecode(L, "bytecode");
    }
    const char *name = luaL_optstring(L, 2, text);
    return finish(L, luaL_loadbufferx(L, text, length, name, "t"), environment);
  }
  luaL_checktype(L, 1, LUA_TFUNCTION);
  const char *name = luaL_optstring(L, 2, "=(load)");
  lua_settop(L, PIECE);
  return finish(L, lua_load(L, read_piece, NULL, name, "t"), environment);
}

/* Skips a byte order mark, and a first line that begins by "#" but for its
 * end, so that lines count right. */
static void skip_first(const char **text, size_t *length) {
  const char *at = *text, *end = *text + *length;
  if (*length >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
    at += 3;
  }
  if (at < end && *at == '#') {
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    at = line_end != NULL ? line_end : end;
  }
  *text = at;
  *length = (size_t)(end - at);
}

/* Reads the rest of the Lua file on top of the stack into a string, which takes
 * its place. Returns 0 or an errno. */
static int read_all(lua_State *L) {
  FILE *file = ((luaL_Stream *)lua_touserdata(L, -1))->f;
  luaL_Buffer buffer;
  size_t count;
  luaL_buffinit(L, &buffer);
  do {
    char *room = luaL_prepbuffer(&buffer);
    count = fread(room, 1, LUAL_BUFFERSIZE, file);
    luaL_addsize(&buffer, count);
  } while (count > 0);
  int error = ferror(file) ? errno : 0;
  luaL_pushresult(&buffer);
  luge__stock_close(L, lua_gettop(L) - 1);
  lua_remove(L, -2);
  return error;
}

int luge__stock_load_file(lua_State *L, const char *path,
                          enum luge_operation operation) {
  size_t length;
  int error = luge__stock_open(L, path, "r", operation);
  if (error == 0) {
    error = read_all(L);
    if (error != 0) {
      lua_pop(L, 1);
    }
  }
  if (error != 0) {
    lua_pushfstring(L, "cannot read %s: %s", path, strerror(error));
    return LUA_ERRFILE;
  }
  const char *text = lua_tolstring(L, -1, &length);
  const char *name = lua_pushfstring(L, "@%s", path);
  skip_first(&text, &length);
  if (length > 1 && text[text[0] == '\n'] == LUA_SIGNATURE[0]) {
    refuse_bytecode(L, path);
  }
  int status = luaL_loadbufferx(L, text, length, name, "t");
  lua_replace(L, -3);
  lua_pop(L, 1);
  return status;
}

/* Without a name: standard input, which is the script's. */
static int load_named(lua_State *L) {
  return lua_isnoneornil(L, 1)
             ? luaL_loadfilex(L, NULL, "t")
             : luge__stock_load_file(L, luge__stock_path(L, 1),
                                     LUGE_OP_LOAD_FILE);
}

/* loadfile(name, mode, environment) */
int luge__stock_loadfile(lua_State *L) {
  int environment = environment_at(L, 3);
  check_mode(L, 2);
  return finish(L, load_named(L), environment);
}

static int done(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L) - 1;
}

/* dofile(name) */
int luge__stock_dofile(lua_State *L) {
  lua_settop(L, 1);
  if (load_named(L) != LUA_OK) {
    return lua_error(L);
  }
  lua_callk(L, 0, LUA_MULTRET, 0, done);
  return done(L, LUA_OK, 0);
}
