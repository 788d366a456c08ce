/* Classes of userdata: a metatable in the registry, found by the address of a
 * static luge_class. */
#ifndef LUGE_CORE_CLASS_H
#define LUGE_CORE_CLASS_H

#include <lauxlib.h>
#include <stddef.h>

#include "error.h"

struct luge_class {
  const char *name; /* with an article, as messages call it: "a Task" */
};

/* Creates the metatable; both lists end by a NULL name, `metamethods` may be
 * NULL. Scripts see only the methods. __gc gets objects of the class, perhaps
 * more than once; after it a script's own finalizers may still call methods. */
void luge__class_init(lua_State *L, const struct luge_class *class,
                      const luaL_Reg *methods, const luaL_Reg *metamethods);

/* Has `missing` called, as an __index, for fields that no method has. */
void luge__class_missing(lua_State *L, const struct luge_class *class,
                         lua_CFunction missing);

/* Has `gc` called when the userdata on top of the stack, which scripts never
 * see, is collected. The metatable is in the registry under `key`. */
void luge__class_collect(lua_State *L, const void *key, lua_CFunction gc);

/* Pushes a new userdata of the class, zeroed, with `values` user values. */
void *luge__class_new(lua_State *L, const struct luge_class *class, size_t size,
                      int values);

/* The userdata at `index` if it is of the class; else NULL, or `invalid`. */
void *luge__class_test(lua_State *L, int index, const struct luge_class *class);
void *luge__class_check(lua_State *L, int index,
                        const struct luge_class *class);

/* Raises that `invalid`: the value at `index` should be of the class. */
LUGE_NORETURN int luge__class_refuse(lua_State *L, int index,
                                     const struct luge_class *class);

#endif
