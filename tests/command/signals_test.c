/* Signals sent to the command: what is cancelled, what runs, how it exits. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "../support/process.h"

/* Says on standard output that it runs, and when its handler does. */
#define HANDLER                                                                \
  "local luge = require 'luge' "                                               \
  "local h <close> = setmetatable({}, { __close = function() "                 \
  "print 'closed' end }) print 'ready' io.stdout:flush() "

/* Sends the signal to a script that has printed "ready"; how many seconds it
 * took until the command was gone. */
static double stop(const char *code, int signal_number, bool handler) {
  struct process process;
  process_start(&process, 0, "-e", code, NULL);
  process_expect(process.out, "ready");
  double before = process_clock();
  kill(process.pid, signal_number);
  if (handler) {
    process_expect(process.out, "closed");
  }
  bool killed;
  int status = process_end(&process, &killed);
  CHECK(status == 128 + signal_number);
  CHECK(!killed);
  return process_clock() - before;
}

/* Builds for finding bugs are slow: each further try has a second more. */
#if defined(LUGE_GCSTRESS) || defined(__SANITIZE_ADDRESS__)
enum { SECONDS_MORE = 1 };
#else
enum { SECONDS_MORE = 0 };
#endif

/* It must be gone within a second, unless the machine is busy with others. */
static void stops(const char *code, int signal_number, bool handler) {
  for (int i = 0; i < 10; i++) {
    if (stop(code, signal_number, handler) < 1 + i * SECONDS_MORE) {
      return;
    }
  }
  CHECK(!"it took longer than a second");
}

static void test_waiting(void) {
  stops(HANDLER "luge.sleep(1e9)", SIGINT, true);
  stops(HANDLER "luge.sleep(1e9)", SIGTERM, true);
  stops(HANDLER "io.read()", SIGINT, true);
}

static void test_children(void) {
  stops("local luge = require 'luge' luge.spawn(function() " HANDLER
        "luge.sleep(1e9) end)",
        SIGTERM, true);
  stops(HANDLER "luge.gather { function() luge.sleep(1e9) end, function() "
                "while true do luge.sleep(0) end end }",
        SIGINT, true);
}

static void test_running(void) {
  stops(HANDLER "while true do end", SIGINT, true);
  stops(HANDLER "while true do end", SIGTERM, true);
  stops(HANDLER "while true do pcall(function() while true do end end) end",
        SIGINT, true);
  stops(HANDLER "while true do pcall(coroutine.wrap(function() "
                "while true do end end)) end",
        SIGINT, true);
  stops("local luge = require 'luge' luge.spawn(function() " HANDLER
        "while true do end end)",
        SIGINT, true);
  stops(HANDLER "while true do luge.sleep(0) end", SIGINT, true);
  stops(HANDLER "while true do pcall(luge.sleep, 0.01) end", SIGINT, true);
}

/* A stream that is being read: the producer's handlers run too. */
/* Each has to be interrupted by itself. */
static void test_many_running(void) {
  stops(HANDLER "for i = 1, 20 do luge.spawn(function() "
                "while true do pcall(luge.sleep, 1) end end) end "
                "luge.sleep(1e9)",
        SIGINT, true);
}

static void test_stream(void) {
  stops("local luge = require 'luge' local s = "
        "luge.stream(function(emit) " HANDLER
        "while true do emit(1) luge.sleep(0.001) end end) "
        "for v in s do luge.sleep(0.001) end",
        SIGINT, true);
}

/* The same over HTTP, with the server in this process. */
static void test_http_stream(void) {
  stops("local luge, http = require 'luge', require 'luge.http' "
        "local server = http.server { handler = function() "
        "return { events = luge.stream(function(emit) while true do "
        "emit { data = 'x' } luge.sleep(0.001) end end) } end } "
        "local h <close> = setmetatable({}, { __close = function() "
        "print 'closed' end }) "
        "local url = ('http://127.0.0.1:%d/'):format(server.port) "
        "for event in http.get(url, { stream = true }):events() do "
        "if not seen then seen = true print 'ready' io.stdout:flush() end end",
        SIGINT, true);
}

static void test_handler_that_waits(void) {
  stops("local luge = require 'luge' local h <close> = setmetatable({}, "
        "{ __close = function() luge.shield(luge.sleep, 0.01) "
        "print 'closed' end }) print 'ready' luge.sleep(1e9)",
        SIGINT, true);
}

/* The signal counts, whatever the script makes of it. */
static void test_status(void) {
#define SLEEPS                                                                 \
  "print 'ready' io.stdout:flush() pcall(require('luge').sleep, 1e9) "
  stops(SLEEPS "print 'goes on'", SIGINT, false);
  stops(SLEEPS "os.exit(7)", SIGINT, false);
  stops(SLEEPS "error 'on purpose'", SIGTERM, false);
}

static void test_second(void) {
  struct process process;
  process_start(&process, 0, "-e",
                "local luge = require 'luge' local h <close> = "
                "setmetatable({}, { __close = function() print 'closed' "
                "luge.shield(luge.sleep, 1e9) end }) "
                "print 'ready' luge.sleep(1e9)",
                NULL);
  process_expect(process.out, "ready");
  kill(process.pid, SIGINT);
  process_expect(process.out, "closed");
  kill(process.pid, SIGTERM);
  CHECK(process_end(&process, NULL) == 128 + SIGTERM);
}

/* While the host closes there is nothing left to cancel. */
static void test_detached(void) {
  struct process process;
  process_start(&process, 0, "-e",
                "local luge = require 'luge' luge.detach(function() "
                "local h <close> = setmetatable({}, { __close = function() "
                "print 'closed' luge.shield(luge.sleep, 1e9) end }) "
                "luge.sleep(1e9) end) luge.sleep(0)",
                NULL);
  process_expect(process.out, "closed");
  kill(process.pid, SIGINT);
  CHECK(process_end(&process, NULL) == 128 + SIGINT);
}

static void test_ignored(void) {
  struct process process;
  process_start(&process, PROCESS_IGNORES_SIGINT, "-e",
                "print 'ready' print(io.read())", NULL);
  process_expect(process.out, "ready");
  kill(process.pid, SIGINT);
  process_write(&process, "still here\n");
  process_expect(process.out, "still here");
  CHECK(process_end(&process, NULL) == 0);
}

/* A script that still comes can be stopped as any process. */
static void test_script_on_stdin(void) {
  struct process process;
  process_start(&process, 0, "-", NULL);
  process_write(&process, "print 'x'\n");
  kill(process.pid, SIGINT);
  bool killed;
  CHECK(process_end(&process, &killed) == 128 + SIGINT);
  CHECK(killed);
}

static void test_usr1(void) {
  struct process process;
  process_start(&process, 0, "-e",
                "local luge = require 'luge' "
                "luge.current():name 'the main one' luge.spawn(function() "
                "luge.queue():get() end):name 'consumer' luge.spawn(function() "
                "luge.gather { function() luge.queue():get() end } "
                "end):name 'gatherer' luge.sleep(0)\n"
                "print 'ready' print(io.read())",
                NULL);
  process_expect(process.out, "ready");
  kill(process.pid, SIGUSR1);
  process_expect(process.err, "luge: the main one waits for standard input at "
                              "(command line):2");
  process_expect(process.err, "luge: consumer waits for an item in a queue at "
                              "(command line):1");
  process_expect(process.err, "luge: gatherer waits for several tasks at "
                              "(command line):1"); /* not in luge.gather */
  process_write(&process, "go on\n");
  process_expect(process.out, "go on");
  process_close(&process.in);
  CHECK(process_end(&process, NULL) == 1); /* the consumer: a deadlock */
}

/* Handlers run, and a disk that does not answer is not waited for. */
static void test_disk_that_hangs(void) {
  const char *library = getenv("LUGE_HANG");
  if (library == NULL) {
    return;
  }
  struct process process;
  setenv("LD_PRELOAD", library, 1);
  process_start(&process, 0, "--timeout", "60", "-e",
                HANDLER "luge.detach(function() luge.sleep(1e9) end) "
                        "require('luge.fs').write('/dev/null', 'x')",
                NULL);
  unsetenv("LD_PRELOAD");
  process_expect(process.err, "fsync hangs");
  kill(process.pid, SIGINT);
  process_expect(process.out, "closed");
  CHECK(process_end(&process, NULL) == 128 + SIGINT);
}

static void times_out(const char *code) {
  struct process process;
  process_start(&process, 0, "--timeout", "0.5", "-e", code, NULL);
  process_expect(process.out, "closed");
  process_expect(process.err, "luge: stopped after 0.5 s (--timeout)");
  CHECK(process_end(&process, NULL) == 124);
}

/* The mask is inherited. */
static void block_alarm(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(how, &set, NULL);
}

static void test_timeout(void) {
  times_out(HANDLER "luge.sleep(1e9)");
  block_alarm(SIG_BLOCK);
  times_out(HANDLER "luge.sleep(1e9)");
  block_alarm(SIG_UNBLOCK);
  times_out(HANDLER "while true do end");
  times_out(HANDLER "while true do pcall(luge.sleep, 0.01) end");
  struct process process;
  /* A finalizer, in which no interruption is seen. */
  process_start(&process, 0, "--timeout", "0.05", "-e",
                "setmetatable({}, { __gc = function() while true do end end }) "
                "collectgarbage()",
                NULL);
  process_expect(process.err, "luge: stopped after 0.05 s (--timeout)");
  CHECK(process_end(&process, NULL) == 124);
  process_start(&process, 0, "--timeout", "60", "-e", "print 'done'", NULL);
  process_expect(process.out, "done");
  CHECK(process_end(&process, NULL) == 0);
}

int main(void) {
  test_waiting();
  test_children();
  test_running();
  test_many_running();
  test_stream();
  test_http_stream();
  test_handler_that_waits();
  test_status();
  test_second();
  test_detached();
  test_ignored();
  test_script_on_stdin();
  test_usr1();
  test_disk_that_hangs();
  test_timeout();
  return EXIT_SUCCESS;
}
