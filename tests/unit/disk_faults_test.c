/* A disk that fails, and a system without threads. The functions below stand
 * before the system's, also for SQLite, and end with EIO or EAGAIN where
 * tests/support/disk_faults.lua, which is run here, has asked for that. What a
 * full disk does is the system's own: the script says how long files may
 * become. */
#define _GNU_SOURCE 1

#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <lauxlib.h>
#include <luge.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../support/check.h"

/* What fails: a call, on files whose paths match. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char failing[16], pattern[256];
static int failed;

static bool is_of_file(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = '\0';
  return fnmatch(pattern, path, 0) == 0;
}

static bool is_failing(const char *call) {
  return strcmp(call, failing) == 0;
}

static bool fails(const char *call, int fd) {
  int error = errno;
  pthread_mutex_lock(&mutex);
  bool does = is_failing(call) && is_of_file(fd);
  failed += does;
  pthread_mutex_unlock(&mutex);
  errno = does ? EIO : error;
  return does;
}

/* Declares `real`: the C library's function, or a sanitizer's. */
#define REAL(name)                                                             \
  __typeof__(&name) real;                                                      \
  void *symbol = dlsym(RTLD_NEXT, #name);                                      \
  memcpy(&real, &symbol, sizeof real)

#pragma GCC visibility push(default)

int fsync(int fd) {
  REAL(fsync);
  return fails("fsync", fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return fails("fsync", fd) ? -1 : real(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(write);
  return fails("write", fd) ? -1 : real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  REAL(pwrite);
  return fails("write", fd) ? -1 : real(fd, bytes, count, offset);
}

#ifdef __GLIBC__
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  REAL(pwrite64);
  return fails("write", fd) ? -1 : real(fd, bytes, count, offset);
}
#endif

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*run)(void *), void *data) {
  REAL(pthread_create);
  pthread_mutex_lock(&mutex);
  bool does = is_failing("thread");
  failed += does;
  pthread_mutex_unlock(&mutex);
  return does ? EAGAIN : real(thread, attributes, run, data);
}

/* It is closed all the same. */
int close(int fd) {
  REAL(close);
  bool does = fails("close", fd);
  int status = real(fd);
  errno = does ? EIO : errno;
  return does ? -1 : status;
}

#pragma GCC visibility pop

/* What the script calls. */

/* fail(call, pattern): from now on, until mend() */
static int lib_fail(lua_State *L) {
  const char *call = luaL_checkstring(L, 1), *name = luaL_checkstring(L, 2);
  pthread_mutex_lock(&mutex);
  snprintf(failing, sizeof failing, "%s", call);
  snprintf(pattern, sizeof pattern, "%s", name);
  failed = 0;
  pthread_mutex_unlock(&mutex);
  return 0;
}

/* mend() -> how often something has failed */
static int lib_mend(lua_State *L) {
  pthread_mutex_lock(&mutex);
  failing[0] = '\0';
  lua_pushinteger(L, failed);
  pthread_mutex_unlock(&mutex);
  return 1;
}

/* limit(bytes?): how long files may become; without one, as long as before */
static int lib_limit(lua_State *L) {
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = (rlim_t)luaL_optinteger(L, 1, (lua_Integer)limit.rlim_max);
  lua_pushboolean(L, setrlimit(RLIMIT_FSIZE, &limit) == 0);
  return 1;
}

static char said[4096];

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)user;
  snprintf(said, sizeof said, "%s%s%s", message, traceback != NULL ? "\n" : "",
           traceback != NULL ? traceback : "");
}

/* said() -> the last error that nobody could handle, once; or "" */
static int lib_said(lua_State *L) {
  lua_pushstring(L, said);
  said[0] = '\0';
  return 1;
}

int main(void) {
  luge_options options = {.size = sizeof options, .on_error = on_error};
  static const luaL_Reg functions[] = {{"fail", lib_fail},
                                       {"mend", lib_mend},
                                       {"limit", lib_limit},
                                       {"said", lib_said},
                                       {NULL, NULL}};
  signal(SIGXFSZ, SIG_IGN);
  luge_host *host = luge_open(&options);
  lua_State *L = luge_lua(host);
  luaL_newlib(L, functions);
  lua_setglobal(L, "disk");
  CHECK(luge_run_file(host, "tests/support/disk_faults.lua", 0, NULL) ==
        LUGE_OK);
  CHECK(luge_close(host) == LUGE_OK);
  fputs(said, stderr);
  return verdict();
}
