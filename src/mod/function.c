/* Functions that change states; see function.h. The string begins with a byte
 * for each upvalue, and one that ends them. Only what luge__function_dump has
 * made of a function that runs here is ever loaded: bytecode from elsewhere
 * could do anything. */
#include "function.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "../core/error.h"

enum { GLOBALS = 'g', ITSELF = 's', END = '.' };

/* A state keeps so many functions; then it forgets them all and begins anew. */
enum { MAX_KEPT = 64 };

static const char kept_key =
    0; /* registry: string -> function; 1 -> their number */

static int refuse_upvalue(lua_State *L, int function, const char *name) {
  lua_Debug ar;
  lua_pushvalue(L, function);
  lua_getinfo(L, ">S", &ar);
  return luge__raise(
      L, "invalid",
      "the function at %s:%d uses '%s' from outside of it: in a worker it has "
      "its arguments, globals, and what it requires itself",
      ar.short_src, ar.linedefined, name[0] != '\0' ? name : "a local");
}

/* The kind of the upvalue on top of the stack, which is popped. */
static char kind_of(lua_State *L, int function) {
  lua_pushglobaltable(L);
  char kind = lua_rawequal(L, -1, -2)         ? GLOBALS
              : lua_rawequal(L, -2, function) ? ITSELF
                                              : END;
  lua_pop(L, 2);
  return kind;
}

struct dump {
  luaL_Buffer buffer;
  bool begun;
  size_t count;
  char kinds[256];
};

/* The buffer begins once lua_dump has taken the function off the top. */
static int add(lua_State *L, const void *bytes, size_t length, void *data) {
  struct dump *dump = data;
  if (!dump->begun) {
    dump->begun = true;
    luaL_buffinit(L, &dump->buffer);
    luaL_addlstring(&dump->buffer, dump->kinds, dump->count);
  }
  luaL_addlstring(&dump->buffer, bytes, length);
  return 0;
}

void luge__function_dump(lua_State *L, int index) {
  struct dump dump = {.begun = false};
  const char *name;
  index = lua_absindex(L, index);
  if (!lua_isfunction(L, index) || lua_iscfunction(L, index)) {
    luge__raise(L, "invalid", "a worker runs functions written in Lua, got %s",
                lua_iscfunction(L, index) ? "one written in C"
                                          : luaL_typename(L, index));
  }
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  while ((name = lua_getupvalue(L, index, (int)dump.count + 1)) != NULL) {
    char kind = kind_of(L, index);
    if (kind == END) {
      refuse_upvalue(L, index, name);
    }
    dump.kinds[dump.count++] = kind;
  }
  dump.kinds[dump.count++] = END;
  lua_pushvalue(L, index);
  lua_dump(L, add, &dump, 0);
  luaL_pushresult(&dump.buffer);
  lua_remove(L, -2);
}

/* Pushes the table of the functions that were loaded. */
static void push_kept(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key) == LUA_TTABLE) {
    if (lua_rawgeti(L, -1, 1) == LUA_TNUMBER &&
        lua_tointeger(L, -1) < MAX_KEPT) {
      lua_pop(L, 1);
      return;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushinteger(L, 0);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
}

static void load(lua_State *L, int index) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  size_t count = strchr(text, END) - text;
  if (luaL_loadbufferx(L, text + count + 1, length - count - 1, "=function",
                       "b") != LUA_OK) {
    lua_error(L);
  }
  for (size_t i = 0; i < count; i++) {
    if (text[i] == GLOBALS) {
      lua_pushglobaltable(L);
    } else {
      lua_pushvalue(L, -1);
    }
    lua_setupvalue(L, -2, (int)i + 1);
  }
}

void luge__function_load(lua_State *L, int index) {
  index = lua_absindex(L, index);
  push_kept(L);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 1);
    load(L, index);
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    lua_rawgeti(L, -2, 1);
    lua_pushinteger(L, lua_tointeger(L, -1) + 1);
    lua_rawseti(L, -4, 1);
    lua_pop(L, 1);
  }
  lua_remove(L, -2);
}
