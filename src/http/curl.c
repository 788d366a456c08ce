/* Loading libcurl; see curl.h. */
#include "curl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static uv_once_t once = UV_ONCE_INIT;
static struct luge__curl table;
static char failure[256];

static int find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  if (symbol == NULL) {
    snprintf(failure, sizeof failure, "%s has no %s", LUGE_CURL_SONAME, name);
    return 0;
  }
  /* ISO C has no conversion from an object's pointer to a function's. */
  memcpy(function, &symbol, sizeof symbol);
  return 1;
}

static int find_all(void *library) {
#define FIND(name) find(library, "curl_" #name, &table.name) &&
  return LUGE_CURL_FUNCTIONS(FIND) 1;
#undef FIND
}

/* The library stays loaded: hosts may come and go until the process ends. */
static void load(void) {
  void *library = dlopen(LUGE_CURL_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(failure, sizeof failure, "%s", dlerror());
    return;
  }
  if (find_all(library) && table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    snprintf(failure, sizeof failure, "curl_global_init failed");
  }
}

const struct luge__curl *luge__curl_load(const char **problem) {
  uv_once(&once, load);
  *problem = failure;
  return failure[0] == '\0' ? &table : NULL;
}
