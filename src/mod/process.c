/* luge.native.process: starting programs; see process_child.h for what a child
 * is, process_methods.h for what is done with one, and lua/luge/process.lua for
 * options and defaults. */
#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/args.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/permission.h"
#include "../core/program.h"
#include "environment.h"
#include "modules.h"
#include "process_child.h"
#include "process_methods.h"

/* The children that live: killed when the host closes. */
struct children {
  struct luge_service service;
  struct luge_host *host;
  struct luge_list list;
};

static const char children_key = 0; /* registry: the struct */

/* spawn(arguments, environment or nil, whether that is all, cwd or nil, stdin,
 * stdout, stderr, grace) */

/* The strings of the list at `arg`. They live as long as the list and a
 * userdata that is left on the stack. */
static char **check_strings(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, arg);
  char **strings =
      lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *strings, 0);
  for (lua_Integer i = 0; i < count; i++) {
    size_t length;
    lua_rawgeti(L, arg, i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      luge__raise(L, "invalid",
                  "argument %I of a process is a %s, and takes "
                  "a string",
                  (LUAI_UACINT)i, luaL_typename(L, -1));
    }
    strings[i] = (char *)lua_tolstring(L, -1, &length);
    if (strlen(strings[i]) != length) {
      luge__raise(L, "invalid",
                  "a process takes no string with a zero byte, such as the "
                  "one behind \"%s\"",
                  strings[i]);
    }
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  return strings;
}

static void stop_children(struct luge_service *service) {
  struct children *children =
      luge__container(service, struct children, service);
  struct luge_list *at;
  for (at = children->list.next; at != &children->list; at = at->next) {
    luge__child_kill(luge__container(at, struct luge_child, link), SIGKILL);
  }
}

static void free_children(struct luge_service *service) {
  struct children *children =
      luge__container(service, struct children, service);
  luge__realloc(children->host, children, sizeof *children, 0);
}

static struct children *children_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &children_key);
  struct children *children = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return children;
}

static void create_children(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_pushboolean(L, 0); /* makes room for the key: nothing fails later */
  lua_rawsetp(L, LUA_REGISTRYINDEX, &children_key);
  struct children *children = luge__alloc_zeroed(L, sizeof *children);
  children->host = host;
  children->service.stop = stop_children;
  children->service.freed = free_children;
  luge__list_init(&children->list);
  luge__service_start(host, &children->service);
  lua_pushlightuserdata(L, children);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &children_key);
}

/* ENOENT may be the directory's. */
static int raise_spawn(lua_State *L, const struct luge_child_options *options,
                       int error) {
  char name[32], text[128];
  bool exhausted = error == UV_EMFILE || error == UV_ENFILE;
  bool in_cwd = options->cwd != NULL && access(options->cwd, X_OK) != 0;
  uv_err_name_r(error, name, sizeof name);
  uv_strerror_r(error, text, sizeof text);
  luge__push_error(L, exhausted ? "limit" : "process",
                   "cannot start %s%s%s: %s", options->file,
                   in_cwd ? " in " : "", in_cwd ? options->cwd : "", text);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, in_cwd ? options->cwd : options->file);
  lua_setfield(L, -2, "path");
  if (exhausted) {
    lua_pushliteral(L, "open files");
    lua_setfield(L, -2, "what");
  }
  return lua_error(L);
}

/* Decides about the path that is found here, and has that path run: the child's
 * own PATH might lead to another program. */
static void permit(lua_State *L, struct luge_child_options *options) {
  if (luge__is_trusted(luge__host(L))) {
    return;
  }
  char *path = luge__program_find(options->file, options->cwd);
  if (path == NULL) { /* not every script may know whether it exists */
    luge__permit(L, LUGE_OP_PROCESS_SPAWN, options->file);
    return;
  }
  options->file = lua_pushstring(L, path);
  free(path);
  luge__permit_program(L, LUGE_OP_PROCESS_SPAWN, options->file);
}

static int lib_spawn(lua_State *L) {
  static const char *const modes[] = {"null", "pipe", "inherit", "stdout",
                                      NULL};
  struct luge_child_options options = {.cwd = luaL_optstring(L, 4, NULL)};
  for (int i = 0; i < 3; i++) {
    options.stdio[i] =
        (enum luge_child_stdio)luaL_checkoption(L, 5 + i, NULL, modes);
  }
  options.grace = luge__check_seconds(L, 8);
  lua_settop(L, 8);
  options.args = check_strings(L, 1);
  options.file = options.args[0];
  luaL_argcheck(L, options.file != NULL, 1, "no program");
  permit(L, &options);
  options.env = luge__environment_for_child(L, 2, lua_toboolean(L, 3));
  struct luge_child_box *box = luge__process_new(L);
  struct luge_host *host = luge__host(L);
  luge__flush(host);
  int status =
      luge__child_spawn(host, &children_of(L)->list, &options, &box->child);
  return status == 0 ? 1 : raise_spawn(L, &options, status);
}

int luge__open_process(lua_State *L) {
  static const luaL_Reg functions[] = {{"spawn", lib_spawn}, {NULL, NULL}};
  luge__process_init(L);
  create_children(L);
  luaL_newlib(L, functions);
  return 1;
}
