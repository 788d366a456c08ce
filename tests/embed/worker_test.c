/* luge.worker in an embedder: whatever threads its scripts start, the embedder
 * is called on its own, has its allocator used on no other, and finds none of
 * them left when the host has closed. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

static struct {
  uv_thread_t thread;
  int wrong; /* calls on another thread */
  int asked, told, logged, allocations;
  char printed[256];
} seen;

static void check_thread(void) {
  uv_thread_t self = uv_thread_self();
  seen.wrong += !uv_thread_equal(&self, &seen.thread);
}

static void *allocate(void *data, void *ptr, size_t old_size, size_t new_size) {
  (void)data;
  (void)old_size;
  check_thread();
  seen.allocations++;
  if (new_size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, new_size);
}

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  size_t used = strlen(seen.printed);
  (void)host;
  (void)stream;
  check_thread();
  CHECK(user == &seen);
  if (length < sizeof seen.printed - used) {
    memcpy(seen.printed + used, bytes, length);
  }
  return 0;
}

static void on_log(luge_host *host, enum luge_log_level level,
                   const char *message, void *user) {
  (void)host;
  (void)level;
  (void)user;
  check_thread();
  CHECK(strstr(message, "from a worker") != NULL);
  seen.logged++;
}

static int on_authorize(luge_host *host, const luge_access *access,
                        void *user) {
  (void)host;
  check_thread();
  CHECK(user == &seen);
  seen.asked++;
  return strcmp(access->resource, "REFUSED") != 0;
}

static void on_audit(luge_host *host, const luge_access *access, void *user) {
  (void)host;
  (void)access;
  (void)user;
  check_thread();
  seen.told++;
}

static luge_host *open_watched(int signals) {
  luge_capabilities capabilities = luge_trusted();
  luge_options options = {.size = sizeof options,
                          .user = &seen,
                          .alloc = allocate,
                          .signals = signals,
                          .output = on_output,
                          .log = on_log,
                          .on_error = on_error,
                          .capabilities = &capabilities};
  capabilities.authorize = on_authorize;
  capabilities.audit = on_audit;
  memset(&seen, 0, sizeof seen);
  memset(&reported, 0, sizeof reported);
  seen.thread = uv_thread_self();
  return luge_open(&options);
}

static int open_module(lua_State *L) {
  lua_pushinteger(L, 42);
  return 1;
}

/* What a worker wants of the embedder, and what it was given. */
static void test_callbacks(void) {
  static const char code[] =
      "local worker = require 'luge.worker'\n"
      "local a, b, c = worker.run(function()\n"
      "  print 'printed'\n"
      "  require 'luge.log'.warn 'from a worker'\n"
      "  local ok, err = pcall(os.getenv, 'REFUSED')\n"
      "  os.getenv 'HOME'\n"
      "  return err.kind, require 'given', require 'source'\n"
      "end)\n"
      "assert(a == 'permission' and b == 42 and c == 'text')\n";
  luge_host *host = open_watched(0);
  CHECK(luge_register(host, "given", open_module) == LUGE_OK);
  CHECK(luge_preload(host, "source", "return 'text'", 13) == LUGE_OK);
  CHECK(run(host, code) == LUGE_OK);
  luge_close(host);
  CHECK(reported.count == 0);
  CHECK(seen.asked >= 2 && seen.told == seen.asked);
  CHECK(seen.logged == 1);
  CHECK(strcmp(seen.printed, "printed\n") == 0);
  CHECK(seen.allocations > 0 && seen.wrong == 0);
}

/* Jobs that compute are interrupted, with a signal or without. */
static void test_close(int signals) {
  static const char code[] =
      "local luge, worker = require 'luge', require 'luge.worker'\n"
      "local pool = worker.pool { size = 3 }\n"
      "for i = 1, 5 do\n"
      "  luge.detach(pool.run, pool, function()\n"
      "    while true do pcall(function() while true do end end) end\n"
      "  end)\n"
      "end\n"
      "luge.sleep(0.02)\n"
      "assert(not pcall(luge.timeout, 0.01, worker.run, function()\n"
      "  while true do end\n"
      "end))\n"
      "assert(worker.run(function() return 1 end) == 1)\n";
  luge_host *host = open_watched(signals);
  CHECK(run(host, code) == LUGE_OK);
  uint64_t before = uv_hrtime();
  luge_close(host);
  CHECK(uv_hrtime() - before < UINT64_C(5000000000)); /* none abandoned */
  CHECK(reported.count == 0 && seen.wrong == 0);
}

/* A host on a loop that is somebody else's. */
static void test_borrowed_loop(void) {
  static const char code[] =
      "return require 'luge.worker'.run(function(n) return n + 1 end, 6)";
  struct outcome outcome = {.calls = 0};
  uv_loop_t loop;
  uv_loop_init(&loop);
  luge_host *host = open_host(&loop);
  luge_start_string(host, code, sizeof code - 1, "=test", 0, NULL, on_done,
                    &outcome);
  while (outcome.calls == 0 && uv_run(&loop, UV_RUN_ONCE) != 0) {
  }
  CHECK(outcome.status == LUGE_OK && outcome.number == 7);
  luge_close(host);
  CHECK(uv_loop_close(&loop) == 0);
}

int main(void) {
  test_callbacks();
  test_close(0);
  test_close(1);
  test_borrowed_loop();
  return verdict();
}
