/* What reads the command's output: slow readers, non-blocking pipes, terminals;
 * and terminals on its input. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/process.h"

/* Reads to the end, slowly at first; says how many bytes came. */
static size_t drain(int fd, unsigned *sum) {
  static unsigned char buffer[1 << 16];
  size_t total = 0;
  ssize_t count;
  *sum = 0;
  while ((count = read(fd, buffer, total < 4096 ? 100 : sizeof buffer)) > 0) {
    for (ssize_t i = 0; i < count; i++) {
      *sum = *sum * 31 + buffer[i];
    }
    total += (size_t)count;
  }
  return total;
}

/* Nothing is lost, whoever has made the pipe non-blocking. */
static void test_nonblocking(void) {
  static const char code[] =
      "local luge = require 'luge' for i = 1, 50000 do print(i) end "
      "luge.stdout:write(('x'):rep(200000)) luge.sleep(0) "
      "print(('y'):rep(100000))";
  static const unsigned flags[] = {0, PROCESS_NONBLOCKING_OUT};
  unsigned sums[2];
  for (int i = 0; i < 2; i++) {
    struct process process;
    process_start(&process, flags[i], "-e", code, NULL);
    CHECK(drain(process.out, &sums[i]) == 288894 + 200000 + 100001);
    CHECK(process_end(&process, NULL) == 0);
  }
  CHECK(sums[0] == sums[1]);
}

/* A task that writes to a slow reader holds nobody up. */
static void waits_for_reader(unsigned flags, const char *code) {
  struct process process;
  process_start(&process, flags, "-e", code, NULL);
  process_expect(process.err, "tick 3");
  unsigned sum;
  drain(process.out, &sum);
  process_expect(process.err, "written");
  CHECK(process_end(&process, NULL) == 0);
}

#define TICKS                                                                  \
  "local luge = require 'luge' luge.spawn(function() for i = 1, 3 do "         \
  "luge.sleep(0.01) luge.stderr:write('tick ', i, '\\n') end end) "

static void test_slow_reader(void) {
  static const char once[] =
      TICKS "luge.stdout:write(('x'):rep(1 << 20)):flush() "
            "io.stderr:write('written\\n')";
  static const char often[] =
      TICKS "for i = 1, 1000 do luge.stdout:write(('x'):rep(1000)) end "
            "io.stderr:write('written\\n')";
  waits_for_reader(0, once);
  waits_for_reader(0, often);
  waits_for_reader(PROCESS_NONBLOCKING_OUT, once);
}

/* The writes of several tasks come one after the other, each whole. */
static void test_writers(void) {
  struct process process;
  process_start(&process, 0, "-e",
                "local luge = require 'luge' luge.map({ 'a', 'b', 'c' }, "
                "function(c) luge.stdout:write(c:rep(100000), '\\n') end)",
                NULL);
  char *text = malloc(300003 + 1);
  size_t length = 0;
  ssize_t count;
  CHECK(text != NULL);
  while ((count = read(process.out, text + length, 300004 - length)) > 0) {
    length += (size_t)count;
  }
  CHECK(length == 300003);
  text[length] = '\0';
  CHECK(strspn(text, "a") == 100000 && strspn(text + 100001, "b") == 100000 &&
        strspn(text + 200002, "c") == 100000);
  free(text);
  CHECK(process_end(&process, NULL) == 0);
}

/* A write that waits can be cancelled, and the next one goes on. */
static void test_cancelled_write(void) {
  struct process process;
  process_start(&process, 0, "-e",
                "local luge = require 'luge' "
                "local ok, err = pcall(luge.timeout, 0.02, function() "
                "luge.stdout:write(('x'):rep(1 << 20)) end) "
                "luge.stderr:write('gave up\\n') print(ok, err) "
                "luge.stdout:write('\\nthe next one\\n')",
                NULL);
  process_expect(process.err, "gave up");
  char *text = calloc(1, (1 << 20) + 4096);
  CHECK(text != NULL);
  size_t length = 0;
  ssize_t count;
  while ((count = read(process.out, text + length, (1 << 20) + 4095 - length)) >
         0) {
    length += (size_t)count;
  }
  CHECK(strstr(text, "false\ttimeout: ") != NULL);
  CHECK(strstr(text, "\nthe next one\n") != NULL);
  free(text);
  CHECK(process_end(&process, NULL) == 0);
}

/* A reader that takes nothing cannot keep the command from exiting. */
static void test_stuck_reader(void) {
  static const char *const codes[] = {
      "io.stderr:write('ready\\n') while true do print(('x'):rep(1000)) end",
      "io.stderr:write('ready\\n') local luge = require 'luge' "
      "while true do luge.stdout:write(('x'):rep(1000)) end",
      "io.stderr:write('ready\\n') local luge = require 'luge' "
      "while true do print(('x'):rep(1000)) luge.sleep(0) end"};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    struct process process;
    process_start(&process, 0, "-e", codes[i], NULL);
    process_expect(process.err, "ready");
    struct pollfd poller = {.fd = process.out, .events = POLLIN};
    CHECK(poll(&poller, 1, -1) == 1);
    kill(process.pid, SIGINT);
    CHECK(process_end(&process, NULL) == 128 + SIGINT);
  }
}

/* On a terminal each line comes as it is printed, though Lua goes on. */
static void test_terminal_output(void) {
  struct process process;
  process_start(&process, PROCESS_TERMINAL, "-e",
                "print 'at once' while true do end", NULL);
  process_expect(process.out, "at once");
  kill(process.pid, SIGINT);
  CHECK(process_end(&process, NULL) == 128 + SIGINT);
}

static void test_terminal_input(void) {
  struct process process;
  process_start(&process, PROCESS_TERMINAL, "-e",
                "print 'name?' print('hello ' .. io.read()) "
                "print(io.read(), io.read())",
                NULL);
  process_expect(process.out, "name?");
  process_write(&process, "Ada\n");
  process_expect(process.out, "hello Ada");
  process_write(&process, "\x04"); /* the end, for ever */
  process_expect(process.out, "nil\tnil");
  CHECK(process_end(&process, NULL) == 0);
}

/* Nothing waits for a script unasked: there is the prompt. */
static void test_terminal_alone(void) {
  struct process process;
  process_start(&process, PROCESS_TERMINAL, NULL);
  process_expect(process.out, "Ctrl-D leaves");
  process_write(&process, "os.exit(5)\n");
  CHECK(process_end(&process, NULL) == 5);
}

int main(void) {
  test_nonblocking();
  test_slow_reader();
  test_writers();
  test_cancelled_write();
  test_stuck_reader();
  test_terminal_output();
  test_terminal_input();
  test_terminal_alone();
  return EXIT_SUCCESS;
}
