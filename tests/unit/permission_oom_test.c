/* Out of memory in a host that restricts its scripts: whichever allocation
 * fails, what is denied stays denied, and nothing leaks. The fast tier takes
 * every STEP-th one; LUGE_OOM_ALL=1 takes all. */
#define _GNU_SOURCE 1

#include <luge.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../support/check.h"
#include "../support/failing_memory.h"

enum { STEP = 31 };

static bool escaped; /* the script got at what is denied */

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)host;
  (void)user;
  escaped = escaped || (stream == LUGE_STDOUT && length >= 7 &&
                        memcmp(bytes, "ESCAPED", 7) == 0);
  return 0;
}

/* Whatever fails here for want of memory, none of the calls may reach what is
 * denied. */
static const char code[] = "local function reach(f, ...)\n"
                           "  local ok, result = pcall(f, ...)\n"
                           "  if ok and result then print 'ESCAPED' end\n"
                           "end\n"
                           "local fs = require 'luge.fs'\n"
                           "reach(fs.read, '/etc/passwd')\n"
                           "reach(fs.rename, '/etc/passwd', '/etc/x')\n"
                           "reach(io.open, '/etc/passwd')\n"
                           "reach(io.lines, '/etc/../etc/passwd')\n"
                           "reach(loadfile, '/etc/passwd')\n"
                           "reach(os.getenv, 'PATH')\n"
                           "reach(require('luge.process').run, { 'true' })\n"
                           "reach(load, '\\27Lua')\n"
                           "reach(package.searchpath, 'passwd', '/etc/?')\n"
                           "fs.list('/usr')\n"
                           "io.open('/usr'):close()\n"
                           "load 'return 1' ()";

static const luge_options *options_of(struct memory *memory) {
  static luge_capabilities may;
  static luge_options options;
  may = luge_sandboxed();
  may.read.allow = "/usr,/usr/share/nothing";
  may.net.allow = "*.example.com,10.0.0.0/8,[::1]:80";
  may.env.deny = "SECRET,PRE_*";
  may.run.allow = "no-such-program,/usr/bin/nothing";
  may.modules = "/usr/share/lua";
  options = (luge_options){.size = sizeof options,
                           .alloc = allocate,
                           .alloc_data = memory,
                           .output = on_output,
                           .capabilities = &may};
  return &options;
}

/* Whether there was a k-th allocation. */
static bool try_one(long k) {
  struct memory memory = {.left = k, .failures = 1};
  luge_host *host = luge_open(options_of(&memory));
  if (host != NULL) {
    luge_run_string(host, code, sizeof code - 1, "=test", 0, NULL);
    memory.left = -1;
    luge_run_string(host, code, sizeof code - 1, "=test", 0, NULL);
    luge_close(host);
  }
  EXPECT(!escaped, "allocation %ld failing: the script escaped", k);
  EXPECT(memory.live == 0, "allocation %ld failing: memory leaks", k);
  escaped = false;
  return memory.failed;
}

int main(void) {
  const char *all = getenv("LUGE_OOM_ALL");
  long step = all != NULL && all[0] == '1' ? 1 : STEP;
  for (long k = 0; try_one(k); k += step) {
  }
  return verdict();
}
