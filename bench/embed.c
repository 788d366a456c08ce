/* What embedding costs: hosts opened and closed, their memory, and calls of C
 * functions that wait, beside one that does not. Prints figures.
 *
 *   cmake --build --preset release --target bench && build/bench_embed
 */
#define _GNU_SOURCE 1

#include <luge.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <uv.h>

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long resident_kilobytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file != NULL) {
    if (fscanf(file, "%*s %ld", &pages) != 1) {
      pages = 0;
    }
    fclose(file);
  }
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void fail(const char *what) {
  fprintf(stderr, "bench_embed: %s\n", what);
  exit(EXIT_FAILURE);
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)traceback;
  (void)user;
  fail(message);
}

static luge_host *open_host(void) {
  luge_options options = {.size = sizeof options, .on_error = on_error};
  luge_host *host = luge_open(&options);
  if (host == NULL) {
    fail("no host");
  }
  return host;
}

static void run(luge_host *host, const char *code) {
  if (luge_run_string(host, code, strlen(code), "=bench", 0, NULL) != LUGE_OK) {
    fail("a script has failed");
  }
}

/* Hosts. `code` may be NULL: none is run. */
static void measure_cycles(const char *what, const char *code) {
  enum { WARM = 20, CYCLES = 500 };
  double start = 0;
  for (int i = 0; i < WARM + CYCLES; i++) {
    if (i == WARM) {
      start = cpu_seconds();
    }
    luge_host *host = open_host();
    if (code != NULL) {
      run(host, code);
    }
    luge_close(host);
  }
  printf("%-44s %8.1f us\n", what, (cpu_seconds() - start) / CYCLES * 1e6);
}

/* In a process of its own: what others have freed would be used again. */
static void measure_memory(const char *what, const char *code) {
  enum { HOSTS = 100 };
  static luge_host *hosts[HOSTS];
  struct luge_usage usage = {.size = sizeof usage};
  pid_t child = fork();
  if (child != 0) {
    waitpid(child, NULL, 0);
    return;
  }
  long before = resident_kilobytes();
  for (int i = 0; i < HOSTS; i++) {
    hosts[i] = open_host();
    if (code != NULL) {
      run(hosts[i], code);
    }
  }
  long after = resident_kilobytes();
  luge_usage(hosts[0], &usage);
  printf("%-44s %8.1f KB resident, %.1f KB counted\n", what,
         (double)(after - before) / HOSTS, (double)usage.memory / 1024);
  exit(EXIT_SUCCESS);
}

/* Calls. */

static int push_one(lua_State *L, void *data) {
  (void)data;
  lua_pushinteger(L, 1);
  return 1;
}

static int plain(lua_State *L) {
  return push_one(L, NULL);
}

static int at_once(lua_State *L) {
  luge_pending *pending = luge_wait_begin(L);
  luge_resolve(pending, push_one, NULL);
  return luge_wait(L, pending, NULL, NULL);
}

/* Completed by the loop, from an idle handle, in its next turn. */

static luge_pending *waiting;

static void on_idle(uv_idle_t *idle) {
  uv_idle_stop(idle);
  luge_resolve(waiting, push_one, NULL);
}

static int through_loop(lua_State *L) {
  uv_idle_t *idle = lua_touserdata(L, lua_upvalueindex(1));
  waiting = luge_wait_begin(L);
  uv_idle_start(idle, on_idle);
  return luge_wait(L, waiting, NULL, NULL);
}

/* Many at once: the turn of the loop is shared. */

enum { TASKS = 64 };
static luge_pending *all[TASKS];
static int count;

static void on_idle_all(uv_idle_t *idle) {
  uv_idle_stop(idle);
  int n = count;
  count = 0;
  for (int i = 0; i < n; i++) {
    luge_resolve(all[i], push_one, NULL);
  }
}

static int with_others(lua_State *L) {
  uv_idle_t *idle = lua_touserdata(L, lua_upvalueindex(1));
  luge_pending *pending = luge_wait_begin(L);
  all[count++] = pending;
  uv_idle_start(idle, on_idle_all);
  return luge_wait(L, pending, NULL, NULL);
}

static double measure_calls(luge_host *host, const char *what, const char *name,
                            int calls, double plain_us) {
  char code[512];
  snprintf(code, sizeof code,
           "local luge, f = require 'luge', %s\n"
           "local tasks = %d\n"
           "for t = 1, tasks do luge.spawn(function()\n"
           "  for i = 1, %d // tasks do f() end\n"
           "end) end",
           name, strcmp(name, "with_others") == 0 ? TASKS : 1, calls);
  run(host, "collectgarbage()");
  double start = cpu_seconds();
  run(host, code);
  double us = (cpu_seconds() - start) / calls * 1e6;
  if (plain_us > 0) {
    printf("%-44s %8.3f us, %.3f above\n", what, us, us - plain_us);
  } else {
    printf("%-44s %8.3f us\n", what, us);
  }
  return us;
}

static void on_closed(uv_handle_t *handle) {
  (void)handle;
}

static void add_looping(luge_host *host, uv_idle_t *idle, lua_CFunction fn,
                        const char *name) {
  lua_State *L = luge_lua(host);
  uv_idle_init(luge_loop(host), idle);
  lua_pushlightuserdata(L, idle);
  lua_pushcclosure(L, fn, 1);
  lua_setglobal(L, name);
}

static void measure_all_calls(void) {
  luge_host *host = open_host();
  uv_idle_t idle, idle_all;
  lua_register(luge_lua(host), "plain", plain);
  lua_register(luge_lua(host), "at_once", at_once);
  add_looping(host, &idle, through_loop, "through_loop");
  add_looping(host, &idle_all, with_others, "with_others");
  double us = measure_calls(host, "a plain C function", "plain", 5000000, 0);
  measure_calls(host, "one that waits, completed at once", "at_once", 5000000,
                us);
  measure_calls(host, "one through the loop, one at a time", "through_loop",
                500000, us);
  measure_calls(host, "one through the loop, 64 at a time", "with_others",
                640000, us);
  uv_close((uv_handle_t *)&idle, on_closed);
  uv_close((uv_handle_t *)&idle_all, on_closed);
  luge_close(host);
}

int main(void) {
  measure_memory("a host, open", NULL);
  measure_memory("a host that has run a script with luge",
                 "local luge = require 'luge' luge.sleep(0)");
  measure_cycles("open, close", NULL);
  measure_cycles("open, run an empty script, close", "");
  measure_cycles("open, run a script with luge, close",
                 "local luge = require 'luge' luge.sleep(0)");
  measure_all_calls();
  return EXIT_SUCCESS;
}
