/* luge.native.environment: the variables of the process, and those that
 * luge.env has loaded, which come first. The latter are kept in a table of the
 * host: the process is the embedder's, and setenv is not safe while other
 * threads run. Scripts never get the table itself, since each name they read
 * needs a permission. */
#include "environment.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "../core/error.h"
#include "../core/permission.h"
#include "modules.h"

static const char loaded_key = 0; /* registry: name -> value */

static const char *check_name(lua_State *L, int arg) {
  size_t length;
  const char *name = luaL_checklstring(L, arg, &length);
  if (strlen(name) != length) {
    luge__arg_error(L, arg, "a name without zero bytes");
  }
  return name;
}

static int push_value(lua_State *L) {
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) == LUA_TNIL) {
    lua_pushstring(L, getenv(lua_tostring(L, 1)));
  }
  return 1;
}

/* get(name) -> its value or nil: os.getenv as scripts have it */
static int get(lua_State *L) {
  luge__permit(L, LUGE_OP_ENV_GET, check_name(L, 1));
  return push_value(L);
}

/* try(name) -> the same, or nil where it is not permitted: for what luge itself
 * can do without */
static int try(lua_State *L) {
  const char *name = check_name(L, 1);
  struct luge_host *host = luge__host(L);
  return luge__would_permit(host, LUGE_OP_ENV_GET, name) &&
                 luge__permits(host, LUGE_OP_ENV_GET, name)
             ? push_value(L)
             : 0;
}

/* set(name, value): for this host alone */
static int set(lua_State *L) {
  check_name(L, 1);
  check_name(L, 2);
  lua_settop(L, 2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_insert(L, 1);
  lua_rawset(L, 1);
  return 0;
}

/* Variables that hold no secrets, and that hardly a program runs without. */
static bool is_basic(const char *name) {
  static const char *const names[] = {"PATH",  "HOME", "USER",   "LOGNAME",
                                      "SHELL", "TERM", "TMPDIR", "TZ",
                                      "LANG",  NULL};
  if (strncmp(name, "LC_", 3) == 0) {
    return true;
  }
  int i = 0;
  while (names[i] != NULL && strcmp(names[i], name) != 0) {
    i++;
  }
  return names[i] != NULL;
}

/* Whether a child is given a variable: a basic one, or one that the script may
 * read, about which is decided as if it did. */
static bool is_inherited(struct luge_host *host, const char *name) {
  return is_basic(name) || !luge__is_restricted(host) ||
         (luge__would_permit(host, LUGE_OP_ENV_GET, name) &&
          luge__permits(host, LUGE_OP_ENV_GET, name));
}

struct variables {
  uv_env_item_t *items;
  int count;
};

/* variables, table */
static int add_process(lua_State *L) {
  const struct variables *variables = lua_touserdata(L, 1);
  struct luge_host *host = luge__host(L);
  for (int i = 0; i < variables->count; i++) {
    const uv_env_item_t *item = &variables->items[i];
    if (item->name[0] != '\0' && is_inherited(host, item->name)) {
      lua_pushstring(L, item->value);
      lua_setfield(L, 2, item->name);
    }
  }
  return 0;
}

/* table */
static void add_loaded(lua_State *L) {
  int table = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (is_inherited(luge__host(L), lua_tostring(L, -2))) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, table);
    } else {
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

/* Sets the variables of the process that a child inherits, and then those that
 * were loaded, in the table on top. */
static void inherit(lua_State *L) {
  struct variables variables;
  if (uv_os_environ(&variables.items, &variables.count) != 0) {
    luge__raise_memory(L);
    return;
  }
  lua_pushcfunction(L, add_process);
  lua_pushlightuserdata(L, &variables);
  lua_pushvalue(L, -3);
  int status = lua_pcall(L, 2, 0, 0);
  uv_os_free_environ(variables.items, variables.count);
  if (status != LUA_OK) {
    lua_error(L);
  }
  add_loaded(L);
}

/* Variables that make a program load other code: with them one that is
 * permitted would do anything. */
static bool replaces_code(const char *name) {
  return strncmp(name, "LD_", 3) == 0 || strncmp(name, "DYLD_", 5) == 0;
}

/* Sets the values that the script gives in the table on top. */
static void add_values(lua_State *L, int values) {
  int table = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, values) != 0) {
    const char *name =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (name[0] == '\0' || strchr(name, '=') != NULL ||
        strlen(name) != lua_rawlen(L, -2)) {
      luge__raise(L, "invalid", "bad name of an environment variable");
    }
    if (lua_toboolean(L, -1) == 0) {
      lua_pushnil(L);
      lua_setfield(L, table, name);
    } else {
      if (replaces_code(name)) {
        luge__permit(L, LUGE_OP_PROCESS_ENV, name);
      }
      check_name(L, lua_gettop(L));
      lua_pushvalue(L, -1);
      lua_setfield(L, table, name);
    }
    lua_pop(L, 1);
  }
}

/* Replaces the entries of the table on top by strings "NAME=value", and returns
 * these. */
static char **push_strings(lua_State *L) {
  int table = lua_gettop(L);
  lua_Integer count = 0;
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    lua_pushfstring(L, "%s=%s", lua_tostring(L, -2), lua_tostring(L, -1));
    lua_rawseti(L, table + 1, ++count);
    lua_pop(L, 1);
  }
  lua_replace(L, table);
  char **strings =
      lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *strings, 1);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, table, i + 1);
    strings[i] = (char *)lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  lua_insert(L, table);
  lua_setiuservalue(L, table, 1);
  return strings;
}

static bool is_changed(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_pushnil(L);
  bool changed = lua_next(L, -2) != 0;
  lua_pop(L, changed ? 3 : 1);
  return changed;
}

char **luge__environment_for_child(lua_State *L, int values, bool clear) {
  bool restricted = luge__is_restricted(luge__host(L));
  if (!clear && !restricted && lua_isnoneornil(L, values) && !is_changed(L)) {
    lua_pushnil(L);
    return NULL;
  }
  lua_newtable(L);
  if (!clear) {
    inherit(L);
  }
  if (!lua_isnoneornil(L, values)) {
    luaL_checktype(L, values, LUA_TTABLE);
    add_values(L, values);
  }
  return push_strings(L);
}

void luge__environment_install(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_getglobal(L, LUA_OSLIBNAME);
  lua_pushcfunction(L, get);
  lua_setfield(L, -2, "getenv");
  lua_pop(L, 1);
}

void luge__environment_push(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
}

int luge__open_environment(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"get", get}, {"try", try}, {"set", set}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
