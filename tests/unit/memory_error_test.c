/* Whichever allocation fails in a task, what leaves the task is an error of
 * kind `limit`: neither Lua's own string, nor that with a position before it.
 */
#include <luge.h>

#include <stdio.h>
#include <string.h>

#include "../support/check.h"
#include "../support/failing_memory.h"

static const char code[] =
    "local luge = require 'luge'\n"
    "local fs = require 'luge.fs'\n"
    "local queue = luge.queue()\n"
    "local task = luge.spawn(function()\n"
    "  queue:put(1)\n"
    "  luge.sleep(0.0001)\n"
    "  luge.timeout(1, luge.sleep, 0)\n"
    "  for _ in luge.stream(function(emit) emit(1) end) do end\n"
    "  fs.stat '/'\n"
    "  fs.read '/dev/null'\n"
    "end)\n"
    "local ok, err = pcall(luge.await, task)\n"
    "if not ok and not luge.is_error(err, 'limit') then\n"
    "  print(err)\n"
    "end\n";

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)host;
  if (stream == LUGE_STDOUT) {
    *(bool *)user = true;
    fprintf(stderr, "%.*s", (int)length, bytes);
  }
  return 0;
}

/* Whether there was a k-th allocation. */
static bool try_one(long k) {
  struct memory memory = {.left = -1, .failures = 1};
  bool wrong = false;
  luge_options options = {.size = sizeof options,
                          .alloc = allocate,
                          .alloc_data = &memory,
                          .output = on_output,
                          .user = &wrong};
  luge_host *host = luge_open(&options);
  CHECK(host != NULL);
  luge_run_string(host, code, sizeof code - 1, "=test", 0, NULL);
  memory.left = k; /* now that all modules are loaded */
  luge_run_string(host, code, sizeof code - 1, "=test", 0, NULL);
  memory.left = -1;
  luge_close(host);
  CHECK(!wrong);
  return memory.failed;
}

int main(void) {
  for (long k = 0; try_one(k); k++) {
  }
  return verdict();
}
