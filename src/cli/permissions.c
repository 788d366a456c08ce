/* See permissions.h. What several options of one name allow is one list. */
#include "permissions.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "report.h"

static const char *const names[CLI_CAPABILITIES] = {"net", "read", "write",
                                                    "env", "run"};

/* The list that the option is about, or NULL. */
static char **find_list(struct cli_permissions *permissions, const char *option,
                        size_t length) {
  static const char *const verbs[] = {"--allow-", "--deny-"};
  for (int denies = 0; denies < 2; denies++) {
    size_t size = strlen(verbs[denies]);
    for (int i = 0; i < CLI_CAPABILITIES; i++) {
      if (length == size + strlen(names[i]) &&
          memcmp(option, verbs[denies], size) == 0 &&
          memcmp(option + size, names[i], length - size) == 0) {
        return denies ? &permissions->deny[i] : &permissions->allow[i];
      }
    }
  }
  return NULL;
}

bool cli_is_permission(const char *option, size_t length) {
  struct cli_permissions none;
  return find_list(&none, option, length) != NULL;
}

/* Adds to a list that was malloc'ed, or is NULL. */
static bool add(char **list, const char *entries) {
  size_t before = *list != NULL ? strlen(*list) + 1 : 0;
  size_t size = strlen(entries) + 1;
  char *longer = realloc(*list, before + size);
  if (longer == NULL) {
    fputs("luge: not enough memory for the permissions\n", stderr);
    return false;
  }
  if (before > 0) {
    longer[before - 1] = ',';
  }
  memcpy(longer + before, entries, size);
  *list = longer;
  return true;
}

bool cli_take_permission(struct cli_permissions *permissions,
                         const char *option, size_t length) {
  const char *value = option[length] == '=' ? option + length + 1 : "*";
  if (value[0] == '\0') {
    cli_usage_error("option '%.*s' has an empty list; without '=' it is about "
                    "everything",
                    (int)length, option);
    return false;
  }
  permissions->restricted = true;
  return add(find_list(permissions, option, length), value);
}

/* Adds a path as an entry of a list, where a comma is written twice. */
static bool add_path(char **list, const char *path, size_t length) {
  char *entry = malloc(2 * length + 1), *end = entry;
  if (entry == NULL) {
    return add(list, path); /* which tells it */
  }
  for (size_t i = 0; i < length; i++) {
    *end++ = path[i];
    if (path[i] == ',') {
      *end++ = ',';
    }
  }
  *end = '\0';
  bool added = add(list, entry);
  free(entry);
  return added;
}

/* The folder of a script. */
static bool add_folder(char **list, const char *script) {
  const char *slash = strrchr(script, '/');
  if (slash == NULL) {
    return add_path(list, ".", 1);
  }
  size_t length = (size_t)(slash - script);
  return add_path(list, script, length > 0 ? length : 1);
}

/* Where Lua's modules are installed: the absolute directories of package.path,
 * but for the root. */
static bool add_installed(lua_State *L, char **list) {
  bool added = true;
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  const char *at = lua_tostring(L, -1);
  while (added && at != NULL && *at != '\0') {
    size_t length = strcspn(at, ";"), prefix = strcspn(at, "?;");
    while (prefix > 0 && at[prefix - 1] != '/') {
      prefix--;
    }
    if (at[0] == '/' && prefix > 1) {
      added = add_path(list, at, prefix);
    }
    at += length + (at[length] == ';');
  }
  lua_pop(L, 2);
  return added;
}

/* Where `require` may read. */
static bool add_modules(luge_host *host, char **list, const char *script) {
  return (script == NULL || add_folder(list, script)) &&
         add_installed(luge_lua(host), list);
}

/* The script must not write to the file of the audit. */
static bool protect_audit(const struct cli_permissions *permissions,
                          char **deny_write) {
  const char *path = permissions->audit;
  return path == NULL || add_path(deny_write, path, strlen(path));
}

static void set_rules(luge_capabilities *may,
                      const struct cli_permissions *permissions) {
  luge_rules *rules[CLI_CAPABILITIES] = {&may->net, &may->read, &may->write,
                                         &may->env, &may->run};
  for (int i = 0; i < CLI_CAPABILITIES; i++) {
    rules[i]->allow = permissions->allow[i];
    rules[i]->deny = permissions->deny[i];
  }
}

int cli_permissions_apply(luge_host *host,
                          const struct cli_permissions *permissions,
                          const char *script) {
  luge_capabilities may =
      permissions->restricted ? luge_sandboxed() : luge_trusted();
  char *modules = NULL, *deny_write = NULL;
  if (permissions->audit != NULL) {
    if (!cli_audit_open(permissions->audit)) {
      return 1;
    }
    may.authorize = cli_audit_allowed;
    may.audit = cli_audit_denied;
  }
  set_rules(&may, permissions);
  int status = LUGE_MEMORY;
  if ((may.write.deny == NULL || add(&deny_write, may.write.deny)) &&
      protect_audit(permissions, &deny_write) &&
      add_modules(host, &modules, script)) {
    may.write.deny = deny_write;
    may.modules = modules;
    status = luge_restrict(host, &may);
  }
  free(deny_write);
  free(modules);
  return status == LUGE_OK ? 0 : status == LUGE_INVALID ? 2 : 1;
}

void cli_permissions_free(struct cli_permissions *permissions) {
  for (int i = 0; i < CLI_CAPABILITIES; i++) {
    free(permissions->allow[i]);
    free(permissions->deny[i]);
  }
}
