/* A server that runs the scripts of strangers: who sends one gets its result as
 * JSON. Each runs in a host of its own, on a thread of its own, with nothing
 * but the language and luge: no files, no network, no programs; 16 MB; and a
 * second, after which it is interrupted wherever it is.
 *
 *   sandbox_server FILE 8080    serves: curl -d 'return 6 * 7' localhost:8080
 *   sandbox_server FILE         sends itself some scripts, and ends
 *
 * FILE is sandbox_server.lua: the server is a script too, one that is trusted.
 * It calls `run_script`, an asynchronous C function.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include <luge.h>

#include <lauxlib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
  luge_host *host;            /* the server's; retained */
  _Atomic(luge_host *) guest; /* the script's; retained */
  atomic_int unwanted;        /* nobody waits any more */
  luge_pending *pending;      /* the server's thread only */
  int failed;
  char *answer; /* JSON, or why there is none */
  size_t length;
  char code[];
};

static void release(struct request *request) {
  luge_release(request->host);
  luge_release(request->guest);
  free(request->answer);
  free(request);
}

static void keep_answer(struct request *request, const char *text) {
  if (request->answer == NULL && text != NULL) {
    request->answer = strdup(text);
  }
}

/* The guest's thread. */

static void on_guest_error(luge_host *guest, const char *message,
                           const char *traceback, void *user) {
  (void)guest;
  (void)traceback;
  keep_answer(user, message);
}

static int run_guest(struct request *request, luge_host *guest) {
  lua_State *L = luge_lua(guest);
  if (luaL_loadbufferx(L, request->code, request->length, "=script", "t") !=
      LUA_OK) {
    keep_answer(request, lua_tostring(L, -1));
    return LUGE_ERROR;
  }
  int status = luge_run_function(guest, 0, 1);
  if (status == LUGE_OK) {
    status = luge_json_encode(L, -1);
    keep_answer(request, luaL_tolstring(L, -1, NULL));
  }
  return status;
}

static void on_answer(luge_host *host, void *data);

static void *guest_main(void *data) {
  struct request *request = data;
  luge_capabilities nothing = luge_sandboxed();
  luge_options options = {.size = sizeof options,
                          .memory_limit = 16 << 20,
                          .interruptible = 1,
                          .capabilities = &nothing,
                          .on_error = on_guest_error,
                          .user = request};
  luge_host *guest = luge_open(&options);
  luge_retain(guest);
  atomic_store(&request->guest, guest);
  request->failed = guest == NULL || atomic_load(&request->unwanted) ||
                    run_guest(request, guest) != LUGE_OK;
  luge_close(guest);
  if (luge_post(request->host, on_answer, request) != LUGE_OK) {
    release(request); /* the server is gone */
  }
  return NULL;
}

/* The server's thread. */

static int push_answer(lua_State *L, void *data) {
  struct request *request = data;
  int failed = request->failed;
  lua_pushstring(L, request->answer != NULL ? request->answer : "no answer");
  release(request);
  return failed ? lua_error(L) : 1;
}

static void on_answer(luge_host *host, void *data) {
  struct request *request = data;
  (void)host;
  if (luge_resolve(request->pending, push_answer, request) != LUGE_OK) {
    release(request);
  }
}

static void stop(luge_host *guest, void *data) {
  (void)data;
  luge_cancel(guest, "nobody waits for it");
}

/* A script that runs is interrupted, one that waits is cancelled; if it has
 * ended, its host says so. */
static void on_cancelled(luge_pending *pending, void *data) {
  struct request *request = data;
  (void)pending;
  atomic_store(&request->unwanted, 1);
  luge_interrupt(request->guest);
  luge_post(request->guest, stop, NULL);
}

static int push_failure(lua_State *L, void *data) {
  return luaL_error(L, "%s", (const char *)data);
}

static int run_script(lua_State *L) {
  size_t length;
  const char *code = luaL_checklstring(L, 1, &length);
  luge_pending *pending = luge_wait_begin(L);
  struct request *request = calloc(1, sizeof *request + length);
  pthread_t thread;
  if (request != NULL) {
    request->host = lua_touserdata(L, lua_upvalueindex(1));
    request->pending = pending;
    request->length = length;
    memcpy(request->code, code, length);
    luge_retain(request->host);
  }
  if (request == NULL ||
      pthread_create(&thread, NULL, guest_main, request) != 0) {
    if (request != NULL) {
      release(request);
    }
    luge_resolve(pending, push_failure, (void *)"the server is overloaded");
    return luge_wait(L, pending, NULL, NULL);
  }
  pthread_detach(thread);
  return luge_wait(L, pending, on_cancelled, request);
}

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)host;
  (void)stream;
  (void)user;
  return fwrite(bytes, 1, length, stdout) == length ? fflush(stdout) : -1;
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)traceback;
  (void)user;
  fprintf(stderr, "%s\n", message);
}

int main(int argc, char **argv) {
  luge_options options = {
      .size = sizeof options, .output = on_output, .on_error = on_error};
  signal(SIGPIPE, SIG_IGN);
  luge_host *host = luge_open(&options);
  if (host == NULL || argc < 2) {
    fprintf(stderr, "usage: sandbox_server FILE [PORT]\n");
    return 2;
  }
  lua_pushlightuserdata(luge_lua(host), host);
  lua_pushcclosure(luge_lua(host), run_script, 1);
  lua_setglobal(luge_lua(host), "run_script");
  int status =
      luge_run_file(host, argv[1], argc - 2, (const char *const *)argv + 2);
  luge_close(host);
  return status;
}
