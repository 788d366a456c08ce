/* luge.command.editor; see editor_lua.h. What luge.internal.repl has of the
 * terminal, and of what Ctrl-C is to do. */
#include "editor_lua.h"

#include <lauxlib.h>
#include <string.h>

#include "editor.h"
#include "history.h"
#include "signals.h"

static const char interrupted_key = 0; /* registry: a function */
static luge_pending *reader;           /* the task that waits for an event */
static luge_host *the_host;

static int push_event(lua_State *L, void *data) {
  static const char *const names[] = {[CLI_EDITOR_LINE] = "line",
                                      [CLI_EDITOR_TAB] = "tab",
                                      [CLI_EDITOR_INTERRUPT] = "interrupt",
                                      [CLI_EDITOR_END] = "end"};
  const char *text;
  size_t length;
  (void)data;
  enum cli_editor_event event = cli_editor_event(&text, &length);
  lua_pushstring(L, names[event]);
  lua_pushlstring(L, text, length);
  return 2;
}

static void on_event(void) {
  luge_pending *pending = reader;
  reader = NULL;
  if (pending != NULL) {
    luge_resolve(pending, push_event, NULL);
  }
}

/* The prompt stays until the command ends, which is why nobody waits. */
static void on_cancel(luge_pending *pending, void *data) {
  (void)data;
  reader = NULL;
  luge_resolve(pending, NULL, NULL);
}

/* Where nothing is being typed, the function cancels what runs: as a task of
 * its own, since signals are handled outside of all tasks. */
static void on_interrupt(void) {
  lua_State *L = luge_lua(the_host);
  if (L == NULL || cli_editor_interrupt()) {
    return;
  }
  int top = lua_gettop(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &interrupted_key) == LUA_TFUNCTION) {
    luge_start_function(the_host, 0, NULL, NULL);
  }
  lua_settop(L, top);
}

/* open(interrupted) -> whether there is a terminal to edit on; from then on
 * SIGINT calls the function. */
static int lib_open(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  if (!cli_editor_open(the_host, on_event)) {
    lua_pushboolean(L, 0);
    return 1;
  }
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &interrupted_key);
  cli_signals_ask(on_interrupt);
  lua_pushboolean(L, 1);
  return 1;
}

/* read(prompt) -> "line", its text; "tab", the text before the cursor: wants
 * an answer, and another read; "interrupt"; "end" */
static int lib_read(lua_State *L) {
  const char *prompt = luaL_checkstring(L, 1);
  reader = luge_wait_begin(L);
  cli_editor_ask(prompt);
  return luge_wait(L, reader, on_cancel, NULL);
}

/* answer(insertion or nil, list or nil) */
static int lib_answer(lua_State *L) {
  cli_editor_answer(luaL_optstring(L, 1, NULL), luaL_optstring(L, 2, NULL));
  return 0;
}

/* remember(entry): for this session and the next ones */
static int lib_remember(lua_State *L) {
  size_t length;
  const char *entry = luaL_checklstring(L, 1, &length);
  if (strlen(entry) == length) {
    cli_editor_remember(entry);
    cli_history_add(entry, length);
  }
  return 0;
}

/* index(value) -> the table where its methods are, also those of what hides its
 * metatable from scripts */
static int lib_index(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__index") != LUA_TTABLE) {
    lua_pushnil(L);
  }
  return 1;
}

static int open_module(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", lib_open},         {"read", lib_read},   {"answer", lib_answer},
      {"remember", lib_remember}, {"index", lib_index}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushliteral(L, LUGE_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}

int cli_editor_register(luge_host *host) {
  the_host = host;
  return luge_register(host, "luge.command.editor", open_module);
}
