/* Loading libcurl; see curl.h. */
#include "curl.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex; /* who loads */
static struct luge__curl table;
static atomic_bool loaded; /* once `table` is filled */
static _Thread_local char failure[256];

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
static bool load(void) {
  void *library = dlopen(LUGE_CURL_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(failure, sizeof failure, "%s", dlerror());
    return false;
  }
  if (!find_all(library)) {
    return false;
  }
  if (table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    snprintf(failure, sizeof failure, "curl_global_init failed");
    return false;
  }
  return true;
}

static void make_mutex(void) {
  uv_mutex_init(&mutex);
}

/* What failed is tried again by the next who asks: there may have been no
 * descriptor left. */
const struct luge__curl *luge__curl_load(const char **problem) {
  if (!atomic_load(&loaded)) {
    uv_once(&once, make_mutex);
    uv_mutex_lock(&mutex);
    atomic_store(&loaded, atomic_load(&loaded) || load());
    uv_mutex_unlock(&mutex);
  }
  *problem = failure;
  return atomic_load(&loaded) ? &table : NULL;
}
