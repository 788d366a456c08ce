/* Classes of userdata; see class.h. */
#include "class.h"

#include <string.h>

#include "error.h"
#include "name.h"

/* Where a metatable says of which class it is. */
enum { CLASS = 1 };

/* The finalizer of a class: a script may call it, by way of the debug library,
 * with anything. The upvalues are the class and its own finalizer. */
static int finalize(lua_State *L) {
  const struct luge_class *class = lua_touserdata(L, lua_upvalueindex(1));
  return luge__class_test(L, 1, class) != NULL
             ? lua_tocfunction(L, lua_upvalueindex(2))(L)
             : 0;
}

void luge__class_init(lua_State *L, const struct luge_class *class,
                      const luaL_Reg *methods, const luaL_Reg *metamethods) {
  lua_createtable(L, CLASS, 4);
  lua_pushlightuserdata(L, (void *)class);
  lua_rawseti(L, -2, CLASS);
  lua_pushstring(L, strchr(class->name, ' ') + 1);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  if (metamethods != NULL) {
    luaL_setfuncs(L, metamethods, 0);
  }
  lua_pushlightuserdata(L, (void *)class);
  if (lua_getfield(L, -2, "__gc") == LUA_TFUNCTION) {
    lua_pushcclosure(L, finalize, 2);
    lua_setfield(L, -2, "__gc");
  } else {
    lua_pop(L, 2);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, class);
}

void luge__class_missing(lua_State *L, const struct luge_class *class,
                         lua_CFunction missing) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, class);
  lua_getfield(L, -1, "__index");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, missing);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 2);
}

void luge__class_collect(lua_State *L, const void *key, lua_CFunction gc) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  }
  lua_setmetatable(L, -2);
}

void *luge__class_new(lua_State *L, const struct luge_class *class, size_t size,
                      int values) {
  void *object = lua_newuserdatauv(L, size, values);
  memset(object, 0, size);
  lua_rawgetp(L, LUA_REGISTRYINDEX, class);
  lua_setmetatable(L, -2);
  return object;
}

void *luge__class_test(lua_State *L, int index,
                       const struct luge_class *class) {
  void *object = lua_touserdata(L, index);
  if (object == NULL || !lua_getmetatable(L, index)) {
    return NULL;
  }
  lua_rawgeti(L, -1, CLASS);
  const void *found = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return found == class ? object : NULL;
}

/* Pushes the name of the method of the class that runs, if one does that was
 * called with a dot. */
static bool push_dotted(lua_State *L, const struct luge_class *class) {
  lua_Debug ar;
  luaL_checkstack(L, 8, NULL);
  if (!lua_getstack(L, 0, &ar) || !lua_getinfo(L, "nf", &ar) ||
      strcmp(ar.namewhat, "method") == 0 ||
      lua_rawgetp(L, LUA_REGISTRYINDEX, class) != LUA_TTABLE ||
      lua_getfield(L, -1, "__index") != LUA_TTABLE) {
    return false;
  }
  return luge__name_key(L, lua_gettop(L) - 2);
}

int luge__class_refuse(lua_State *L, int index,
                       const struct luge_class *class) {
  const char *got = luge__describe_argument(L, index);
  if (index != 1 || !push_dotted(L, class)) {
    luge__arg_error(L, index, class->name);
  }
  const char *name = lua_tostring(L, -1), *noun = strrchr(class->name, ' ') + 1;
  luge__raise_dotted(L, got, noun, name);
}

void *luge__class_check(lua_State *L, int index,
                        const struct luge_class *class) {
  void *object = luge__class_test(L, index, class);
  if (object == NULL) {
    luge__class_refuse(L, index, class);
  }
  return object;
}
