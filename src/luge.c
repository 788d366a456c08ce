/* Opening a host with all of luge's modules in it: core itself knows none of
 * them. */
#include <luge.h>

#include "core/host.h"
#include "core/permission.h"
#include "mod/environment.h"
#include "mod/modules.h"
#include "mod/stdio.h"

/* The module that gives Tasks their methods is loaded at once: the main task
 * has them too. */
static int open_modules(lua_State *L) {
  luge__modules_preload(L);
  luge__modules_open(L, "luge.native.task");
  luge__stdio_install(L);
  luge__environment_install(L);
  return 0;
}

luge_host *luge_open(const luge_options *options) {
  luge_host *host = luge__host_open(options);
  if (host == NULL) {
    return NULL;
  }
  lua_pushcfunction(host->L, open_modules);
  if (lua_pcall(host->L, 0, 0, 0) != LUA_OK) {
    luge_close(host);
    return NULL;
  }
  const luge_capabilities *capabilities = host->options.capabilities;
  host->options.capabilities = NULL; /* the embedder's, and not for long */
  if (capabilities != NULL && luge_restrict(host, capabilities) != LUGE_OK) {
    luge_close(host);
    return NULL;
  }
  return host;
}

static int restrict_modules(lua_State *L) {
  luge__modules_restrict(L);
  return 0;
}

int luge_restrict(luge_host *host, const luge_capabilities *capabilities) {
  if (!luge__may_turn(host) || capabilities == NULL ||
      host->permission != NULL) {
    return LUGE_INVALID;
  }
  int status = luge__permission_open(host, capabilities);
  if (status != LUGE_OK || luge__is_trusted(host)) {
    return status;
  }
  lua_pushcfunction(host->L, restrict_modules);
  if (lua_pcall(host->L, 0, 0, 0) != LUA_OK) {
    lua_pop(host->L, 1);
    return LUGE_MEMORY;
  }
  return LUGE_OK;
}
