/* Opening a host with all of luge's modules in it: what is below core knows
 * none of them. */
#include <luge.h>

#include "core/host.h"
#include "core/permission.h"
#include "core/require.h"
#include "mod/environment.h"
#include "mod/modules.h"
#include "mod/stdio.h"

/* The module that gives Tasks their methods is loaded at once: the main task
 * has them too. */
static int open_modules(lua_State *L) {
  luge__preload(L, luge__modules);
  luaL_requiref(L, "luge.native.task", luge__open_task, 0);
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

int luge_restrict(luge_host *host, const luge_capabilities *capabilities) {
  if (!luge__may_turn(host) || capabilities == NULL ||
      host->permission != NULL) {
    return LUGE_INVALID;
  }
  return luge__permission_open(host, capabilities);
}
