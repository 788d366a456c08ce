/* Errors as values; see error.h. The metatable is found by the address of a
 * static, so that no name can be taken by somebody else. */
#include "error.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "name.h"

static const char metatable_key = 0;

static int is_retryable_kind(const char *kind) {
  return strcmp(kind, "network") == 0 || strcmp(kind, "timeout") == 0 ||
         strcmp(kind, "truncated") == 0;
}

static int is_retryable_status(lua_Integer status) {
  return status == 408 || status == 425 || status == 429 || status == 500 ||
         (status >= 502 && status <= 504);
}

/* `kind: message`, where the message may have several lines. */
static int error_text(lua_State *L) {
  lua_settop(L, 1);
  lua_getfield(L, 1, "kind");
  lua_getfield(L, 1, "message");
  const char *kind = lua_isstring(L, 2) ? lua_tostring(L, 2) : "error";
  const char *message = lua_isstring(L, 3) ? lua_tostring(L, 3) : NULL;
  if (message != NULL && message[0] != '\0') {
    lua_pushfstring(L, "%s: %s", kind, message);
  } else {
    lua_pushstring(L, kind);
  }
  return 1;
}

/* What goes between two lines; `last` ends the first. */
static const char *joint(char last) {
  return last == ' ' ? "" : strchr(".:;,", last) != NULL ? " " : "; ";
}

/* Joins the lines of the text on top of the stack. */
static void join_lines(lua_State *L) {
  size_t length;
  const char *text = lua_tolstring(L, -1, &length), *end = text + length;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (const char *at = text; at < end;) {
    const char *stop = at;
    while (stop < end && *stop != '\n' && *stop != '\r') {
      stop++;
    }
    luaL_addlstring(&b, at, (size_t)(stop - at));
    for (at = stop; at < end && strchr("\r\n\t ", *at) != NULL;) {
      at++;
    }
    if (stop > text && stop < end && at < end) {
      luaL_addstring(&b, joint(stop[-1]));
    }
  }
  luaL_pushresult(&b);
}

/* One readable line. */
static int error_tostring(lua_State *L) {
  if (!lua_istable(L, 1)) {
    return luaL_typeerror(L, 1, "luge.Error");
  }
  error_text(L);
  const char *text = lua_tostring(L, -1);
  if (strpbrk(text, "\r\n") != NULL) {
    join_lines(L);
  }
  return 1;
}

void luge__error_init(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "luge.Error");
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
}

void luge__error_mark(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
  lua_setmetatable(L, -2);
}

static void push_errorv(lua_State *L, const char *kind, const char *fmt,
                        va_list args) {
  luaL_checkstack(L, 4, NULL);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "kind");
  lua_pushvfstring(L, fmt, args);
  lua_setfield(L, -2, "message");
  lua_pushboolean(L, is_retryable_kind(kind));
  lua_setfield(L, -2, "retryable");
  luge__error_mark(L);
}

void luge__push_error(lua_State *L, const char *kind, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  push_errorv(L, kind, fmt, args);
  va_end(args);
}

void luge__set_limit(lua_State *L, const char *what, lua_Integer limit) {
  lua_pushstring(L, what);
  lua_setfield(L, -2, "what");
  lua_pushinteger(L, limit);
  lua_setfield(L, -2, "limit");
}

int luge__raise(lua_State *L, const char *kind, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  push_errorv(L, kind, fmt, args);
  va_end(args);
  lua_error(L);
  for (;;) { /* lua_error does not return; its type says otherwise */
  }
}

int luge__raise_memory(lua_State *L) {
  lua_pushliteral(L, "not enough memory");
  lua_error(L);
  for (;;) { /* as above */
  }
}

const char *luge__type_name(lua_State *L, int index) {
  if (luaL_getmetafield(L, index, "__name") != LUA_TSTRING) {
    lua_pushstring(L, luaL_typename(L, index));
  }
  return lua_tostring(L, -1);
}

const char *luge__describe_argument(lua_State *L, int arg) {
  switch (lua_type(L, arg)) {
  case LUA_TNONE:
    return "nothing";
  case LUA_TNUMBER:
    return lua_pushfstring(L, "number %s", luaL_tolstring(L, arg, NULL));
  case LUA_TSTRING: {
    size_t len;
    const char *s = lua_tolstring(L, arg, &len);
    return len <= 40 ? lua_pushfstring(L, "string \"%s\"", s) : "a string";
  }
  case LUA_TBOOLEAN:
    return lua_toboolean(L, arg) ? "true" : "false";
  default:
    return luge__type_name(L, arg);
  }
}

/* Pushes the name of the C function that runs: as it was called, or, where
 * that is not known, as it is found in its module. */
static const char *push_own_name(lua_State *L, int *is_method) {
  lua_Debug ar;
  *is_method = 0;
  if (!lua_getstack(L, 0, &ar)) {
    return lua_pushstring(L, "?");
  }
  lua_getinfo(L, "nf", &ar);
  if (ar.name == NULL && luge__name_function(L)) {
    return lua_tostring(L, -1);
  }
  lua_getinfo(L, "f", &ar);
  if (ar.name == NULL && luge__name_method(L)) {
    *is_method = 1;
    return lua_tostring(L, -1);
  }
  *is_method = strcmp(ar.namewhat, "method") == 0;
  return lua_pushstring(L, ar.name != NULL ? ar.name : "?");
}

int luge__arg_error(lua_State *L, int arg, const char *wants) {
  int is_method;
  const char *got = luge__describe_argument(L, arg);
  const char *name = push_own_name(L, &is_method);
  if (is_method && arg == 1) {
    luge__raise(L, "invalid", "calling '%s' on %s: it takes %s", name, got,
                wants);
  }
  luge__raise(L, "invalid", "bad argument #%d to '%s': got %s, takes %s",
              arg - is_method, name, got, wants);
}

int luge__raise_dotted(lua_State *L, const char *got, const char *noun,
                       const char *method) {
  luge__raise(L, "invalid", "%s: called on %s: write %s:%s(...), with a colon",
              method, got, noun, method);
}

int luge__is_error(lua_State *L, int index, const char *kind) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) {
    return 0;
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
  int is_error = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  if (!is_error || kind == NULL) {
    return is_error;
  }
  index = lua_absindex(L, index);
  lua_pushliteral(L, "kind");
  lua_rawget(L, index);
  const char *actual = lua_tostring(L, -1);
  is_error = actual != NULL && strcmp(actual, kind) == 0;
  lua_pop(L, 1);
  return is_error;
}

/* Causes that are shown: a chain may be a ring. */
enum { MAX_CAUSES = 8 };

static int to_text(lua_State *L) {
  if (luge__is_error(L, 1, NULL)) {
    return error_text(L);
  }
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Pushes the text of one error, without its causes. */
static void push_text(lua_State *L, int index) {
  bool plain = lua_type(L, index) == LUA_TTABLE &&
               luaL_getmetafield(L, index, "__tostring") == LUA_TNIL;
  if (plain) {
    lua_pushliteral(L, "(error object is a table without __tostring)");
    return;
  }
  lua_pushcfunction(L, to_text);
  lua_pushvalue(L, index);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    lua_pop(L, 1);
    lua_pushfstring(L, "(error object is a %s whose __tostring failed)",
                    luaL_typename(L, index));
  }
}

const char *luge__error_text(lua_State *L, int index) {
  luaL_checkstack(L, 8, NULL);
  int error = lua_absindex(L, index), top = lua_gettop(L);
  lua_pushvalue(L, error);
  push_text(L, top + 1);
  lua_insert(L, top + 2);
  lua_settop(L, top + 2);
  for (int i = 0; i < MAX_CAUSES && luge__is_error(L, top + 1, NULL); i++) {
    lua_pushliteral(L, "cause");
    if (lua_rawget(L, top + 1) == LUA_TNIL) {
      break;
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 2);
    lua_pushliteral(L, "\n  caused by: ");
    push_text(L, top + 1);
    lua_insert(L, top + 4);
    lua_settop(L, top + 4);
    lua_concat(L, 3);
  }
  lua_settop(L, top + 2);
  lua_remove(L, top + 1);
  return lua_tostring(L, -1);
}

/* error{ kind=, message=, ... }: takes the table over as the error. */
static int lib_error(lua_State *L) {
  if (!lua_istable(L, 1)) {
    luge__arg_error(L, 1, "a table with a kind");
  }
  lua_settop(L, 1);
  if (lua_getfield(L, 1, "kind") != LUA_TSTRING) {
    luge__raise(L, "invalid", "error: field 'kind' is %s, takes a string",
                luaL_typename(L, -1));
  }
  const char *kind = lua_tostring(L, -1);
  if (lua_getfield(L, 1, "retryable") == LUA_TNIL) {
    lua_getfield(L, 1, "status");
    lua_pushboolean(L, is_retryable_kind(kind) ||
                           (strcmp(kind, "http") == 0 &&
                            is_retryable_status(lua_tointeger(L, -1))));
    lua_setfield(L, 1, "retryable");
  }
  lua_settop(L, 1);
  luge__error_mark(L);
  return 1;
}

static int lib_is_error(lua_State *L) {
  const char *kind = NULL;
  if (!lua_isnoneornil(L, 2)) {
    if (lua_type(L, 2) != LUA_TSTRING) {
      return luge__arg_error(L, 2, "a kind, a string");
    }
    kind = lua_tostring(L, 2);
  }
  lua_pushboolean(L, luge__is_error(L, 1, kind));
  return 1;
}

void luge__error_register(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"error", lib_error}, {"is_error", lib_is_error}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
  lua_setfield(L, -2, "Error");
}
