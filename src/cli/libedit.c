/* Loading libedit; see libedit.h. */
#include "libedit.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  /* ISO C has no conversion from an object's pointer to a function's. */
  memcpy(function, &symbol, sizeof symbol);
  return symbol != NULL;
}

const struct cli_libedit *cli_libedit_load(void) {
  static struct cli_libedit table;
  void *library = dlopen(LUGE_EDIT_SONAME, RTLD_NOW | RTLD_LOCAL);
#define FIND(name) find(library, #name, &table.name) &&
  bool found = library != NULL && CLI_LIBEDIT_FUNCTIONS(FIND) true;
#undef FIND
  return found ? &table : NULL;
}
