/* Loading SQLite; see sqlite.h. */
#include "sqlite.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex; /* of `table` and `loaded` */
static struct luge__sqlite table;
static bool loaded;
static _Thread_local char failure[256];

static bool find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  if (symbol == NULL) {
    snprintf(failure, sizeof failure, "%s has no %s", LUGE_SQLITE_SONAME, name);
    return false;
  }
  /* ISO C has no conversion from an object's pointer to a function's. */
  memcpy(function, &symbol, sizeof symbol);
  return true;
}

static bool find_all(void *library) {
#define FIND(name) find(library, "sqlite3_" #name, &table.name) &&
  return LUGE_SQLITE_FUNCTIONS(FIND) true;
#undef FIND
}

/* The library stays loaded: hosts may come and go until the process ends. */
static bool load(void) {
  void *library = dlopen(LUGE_SQLITE_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(failure, sizeof failure, "%s", dlerror());
    return false;
  }
  if (!find_all(library)) {
    return false;
  }
  if (!table.threadsafe()) {
    snprintf(failure, sizeof failure, "%s was built without threads",
             LUGE_SQLITE_SONAME);
    return false;
  }
  return true;
}

static void make_mutex(void) {
  uv_mutex_init(&mutex);
}

/* What failed is tried again by the next who asks: there may have been no
 * descriptor left. */
const struct luge__sqlite *luge__sqlite_load(const char **problem) {
  uv_once(&once, make_mutex);
  uv_mutex_lock(&mutex);
  loaded = loaded || load();
  bool done = loaded;
  uv_mutex_unlock(&mutex);
  *problem = failure;
  return done ? &table : NULL;
}

const char *luge__sqlite_name(int code) {
  static const char *const names[] = {[SQLITE_OK] = "SQLITE_OK",
                                      [SQLITE_ERROR] = "SQLITE_ERROR",
                                      [SQLITE_INTERNAL] = "SQLITE_INTERNAL",
                                      [SQLITE_PERM] = "SQLITE_PERM",
                                      [SQLITE_ABORT] = "SQLITE_ABORT",
                                      [SQLITE_BUSY] = "SQLITE_BUSY",
                                      [SQLITE_LOCKED] = "SQLITE_LOCKED",
                                      [SQLITE_NOMEM] = "SQLITE_NOMEM",
                                      [SQLITE_READONLY] = "SQLITE_READONLY",
                                      [SQLITE_INTERRUPT] = "SQLITE_INTERRUPT",
                                      [SQLITE_IOERR] = "SQLITE_IOERR",
                                      [SQLITE_CORRUPT] = "SQLITE_CORRUPT",
                                      [SQLITE_NOTFOUND] = "SQLITE_NOTFOUND",
                                      [SQLITE_FULL] = "SQLITE_FULL",
                                      [SQLITE_CANTOPEN] = "SQLITE_CANTOPEN",
                                      [SQLITE_PROTOCOL] = "SQLITE_PROTOCOL",
                                      [SQLITE_EMPTY] = "SQLITE_EMPTY",
                                      [SQLITE_SCHEMA] = "SQLITE_SCHEMA",
                                      [SQLITE_TOOBIG] = "SQLITE_TOOBIG",
                                      [SQLITE_CONSTRAINT] = "SQLITE_CONSTRAINT",
                                      [SQLITE_MISMATCH] = "SQLITE_MISMATCH",
                                      [SQLITE_MISUSE] = "SQLITE_MISUSE",
                                      [SQLITE_NOLFS] = "SQLITE_NOLFS",
                                      [SQLITE_AUTH] = "SQLITE_AUTH",
                                      [SQLITE_FORMAT] = "SQLITE_FORMAT",
                                      [SQLITE_RANGE] = "SQLITE_RANGE",
                                      [SQLITE_NOTADB] = "SQLITE_NOTADB"};
  size_t primary = (size_t)(code & 0xFF);
  bool known = primary < sizeof names / sizeof *names && names[primary] != NULL;
  return known ? names[primary] : "SQLITE_ERROR";
}
