/* Errors as values: tables with the metatable `luge.Error` and a `kind`.
 *
 * The metatable lives in the registry of each Lua state; the tables belong to
 * Lua. Everything here runs on the thread of its lua_State. */
#ifndef LUGE_CORE_ERROR_H
#define LUGE_CORE_ERROR_H

#include <lua.h>

#if defined(__GNUC__)
#define LUGE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LUGE_NORETURN          __attribute__((noreturn))
#else
#define LUGE_PRINTF(fmt, args)
#define LUGE_NORETURN
#endif

/* Creates the metatable; once per Lua state, before anything can raise. */
void luge__error_init(lua_State *L);

/* Pushes a new error of `kind` whose message is formatted as by
 * lua_pushfstring. Its `retryable` follows from the kind. Add the fields of
 * the kind with lua_setfield, then call lua_error. */
void luge__push_error(lua_State *L, const char *kind, const char *fmt, ...);

/* Sets the fields of the `limit` error on top of the stack: what is too large,
 * and how much is allowed. */
void luge__set_limit(lua_State *L, const char *what, lua_Integer limit);

/* Pushes as above and raises. The int lets callers write `return`. */
LUGE_NORETURN int luge__raise(lua_State *L, const char *kind, const char *fmt,
                              ...);

/* Raises Lua's own error for a full memory: the message alone, without a
 * position. By that it is recognised where it leaves a task, and becomes
 * `limit`. */
LUGE_NORETURN int luge__raise_memory(lua_State *L);

/* Raises `invalid` about argument `arg` (counted as Lua counts it): says which
 * function, which argument, what it got, and `wants`, what it takes. */
LUGE_NORETURN int luge__arg_error(lua_State *L, int arg, const char *wants);

/* What the argument `arg` is, as messages name it; what that needs is pushed.
 */
const char *luge__describe_argument(lua_State *L, int arg);

/* Raises that a method of a `noun` was called with a dot, on `got`. */
LUGE_NORETURN int luge__raise_dotted(lua_State *L, const char *got,
                                     const char *noun, const char *method);

/* Pushes what messages call the type of the value at `index`, and returns it:
 * of a class of luge's own, or of a foreign one, its name. */
const char *luge__type_name(lua_State *L, int index);

/* Makes an error of the table on top of the stack, which has its fields. */
void luge__error_mark(lua_State *L);

/* Whether the value at `index` is a luge error, of `kind` unless NULL. */
int luge__is_error(lua_State *L, int index, const char *kind);

/* Pushes and returns what people are shown of the error at `index`, of whatever
 * type: a line for it and one for each of its causes. Raises only for memory:
 * if a `__tostring` fails, the text says so. */
const char *luge__error_text(lua_State *L, int index);

/* Registers `error`, `is_error` and the metatable `Error` in the table at the
 * top of the stack. */
void luge__error_register(lua_State *L);

#endif
