/* What scripts print, as an embedder gets it: buffering, order, readers that
 * are slow or fail; os.exit; luge_describe_tasks. */
#define _GNU_SOURCE 1 /* for uv.h */

#include <luge.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "../support/check.h"

/* A reader that keeps what comes. */
struct reader {
  char text[1 << 18];
  size_t length;
  unsigned calls;
  size_t room; /* bytes; SIZE_MAX: no limit */
  size_t most; /* that came at once, while the room was limited */
  int error;   /* a negative errno, to be returned */
  char tasks[512];
  uv_timer_t timer;
  luge_host *host;
};

static struct reader reader;

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  struct reader *to = user;
  (void)host;
  to->calls++;
  if (to->error != 0) {
    return to->error;
  }
  if (stream == LUGE_STDERR) {
    to->text[to->length++] = '!';
  }
  memcpy(to->text + to->length, bytes, length);
  to->length += length;
  to->text[to->length] = '\0';
  if (to->room != SIZE_MAX) {
    to->most = length > to->most ? length : to->most;
    to->room -= length < to->room ? length : to->room;
  }
  return 0;
}

static size_t output_room(luge_host *host, enum luge_stream stream,
                          void *user) {
  (void)host;
  (void)stream;
  return ((struct reader *)user)->room;
}

static void open_reader(bool lines) {
  luge_options options = {.size = sizeof options,
                          .user = &reader,
                          .output = on_output,
                          .output_room = output_room,
                          .line_buffered = lines};
  memset(&reader, 0, sizeof reader);
  reader.room = SIZE_MAX;
  reader.host = luge_open(&options);
  CHECK(reader.host != NULL);
}

static int run(const char *code) {
  return luge_run_string(reader.host, code, strlen(code), "=test", 0, NULL);
}

static void close_reader(void) {
  CHECK(luge_close(reader.host) == LUGE_OK);
}

static void test_buffering(void) {
  open_reader(false);
  CHECK(run("for i = 1, 100 do print(i) end") == LUGE_OK);
  CHECK(reader.calls == 1);
  CHECK(run("print(1) require'luge'.sleep(0.001) print(2)") == LUGE_OK);
  CHECK(reader.calls == 3);
  CHECK(run("io.stdout:setvbuf 'no' io.write('a', 'b')") == LUGE_OK);
  CHECK(reader.calls == 5);
  close_reader();
  open_reader(true);
  CHECK(run("print(1) io.write('a', 'b') print(2)") == LUGE_OK);
  CHECK(reader.calls == 2);
  CHECK(strcmp(reader.text, "1\nab2\n") == 0);
  close_reader();
}

static void test_order(void) {
  open_reader(false);
  CHECK(run("io.write 'a' io.stderr:write 'b' io.write 'c'") == LUGE_OK);
  CHECK(strcmp(reader.text, "a!bc") == 0);
  close_reader();
}

/* Each time 1000 bytes more are taken. */
static void on_timer(uv_timer_t *timer) {
  struct reader *slow = timer->data;
  slow->room = 1000;
  luge_output_ready(slow->host, LUGE_STDOUT);
}

static void start_timer(void (*callback)(uv_timer_t *timer), uint64_t repeat) {
  uv_timer_init(luge_loop(reader.host), &reader.timer);
  reader.timer.data = &reader;
  uv_timer_start(&reader.timer, callback, 1, repeat);
}

static void test_slow(void) {
  open_reader(false);
  reader.room = 0;
  start_timer(on_timer, 1);
  CHECK(
      run("local luge = require 'luge' "
          "local out = luge.stdout "
          "local t = luge.spawn(function() "
          "  for i = 1, 5 do out:write(('a'):rep(20000)) end out:flush() end) "
          "luge.sleep(0) out:write(('b'):rep(20000)):flush()") == LUGE_OK);
  CHECK(reader.length == 120000);
  CHECK(reader.most <= 1000);
  size_t first = strspn(reader.text, "a");
  CHECK(first >= 20000 && first % 20000 == 0); /* each in one piece */
  CHECK(strspn(reader.text + first, "b") == 20000);
  uv_close((uv_handle_t *)&reader.timer, NULL);
  close_reader();
}

/* What nobody will ever read is waited for until the embedder gives up. */
static void on_cancel(uv_timer_t *timer) {
  luge_cancel(((struct reader *)timer->data)->host, "enough");
}

static void test_cancelled(void) {
  open_reader(false);
  reader.room = 0;
  start_timer(on_cancel, 0);
  CHECK(run("require'luge'.stdout:write(('a'):rep(20000))") == LUGE_CANCELLED);
  reader.room = SIZE_MAX;
  uv_close((uv_handle_t *)&reader.timer, NULL);
  close_reader();
}

static void test_failed(void) {
  open_reader(false);
  reader.error = -ENOSPC;
  CHECK(run("io.write 'a' local luge = require 'luge' "
            "local ok, message, code = io.stdout:flush() "
            "assert(ok == nil and message and code == 28) "
            "assert(select(3, io.write 'b') == 28) print 'c' "
            "local ok, err = pcall(luge.stdout.write, luge.stdout, 'd') "
            "assert(luge.is_error(err, 'io') and err.errno == 'ENOSPC')") ==
        LUGE_OK);
  CHECK(reader.calls == 1);
  close_reader();
  open_reader(false);
  reader.error = -EPIPE;
  CHECK(run("local luge = require 'luge' "
            "local ok, err = pcall(function() luge.stdout:write 'x':flush() "
            "end) assert(luge.is_error(err, 'closed'))") == LUGE_OK);
  close_reader();
}

static void test_exit(void) {
  open_reader(false);
  CHECK(luge_exit_code(reader.host) == 0);
  CHECK(run("print(1) os.exit(5)") == LUGE_EXIT);
  CHECK(luge_exit_code(reader.host) == 5);
  CHECK(strcmp(reader.text, "1\n") == 0);
  CHECK(!luge_failed(reader.host));
  close_reader();
}

static void add_line(const char *line, void *user) {
  struct reader *to = user;
  size_t length = strlen(to->tasks);
  snprintf(to->tasks + length, sizeof to->tasks - length, "%s\n", line);
}

static void on_describe(uv_timer_t *timer) {
  struct reader *to = timer->data;
  CHECK(luge_describe_tasks(to->host, add_line, to) == LUGE_OK);
  luge_cancel(to->host, "seen");
}

static void test_describe(void) {
  open_reader(false);
  CHECK(luge_describe_tasks(reader.host, NULL, NULL) == LUGE_INVALID);
  CHECK(luge_describe_tasks(NULL, add_line, &reader) == LUGE_INVALID);
  start_timer(on_describe, 0);
  CHECK(run("local luge = require 'luge'\n"
            "luge.spawn(function()\n luge.event():wait() end):name 'child'\n"
            "luge.sleep(1e9)") == LUGE_CANCELLED);
  CHECK(strcmp(reader.tasks, "task 1 waits for sleep at test:4\n"
                             "child waits for an event at test:3\n") == 0);
  uv_close((uv_handle_t *)&reader.timer, NULL);
  close_reader();
}

int main(void) {
  test_buffering();
  test_order();
  test_slow();
  test_cancelled();
  test_failed();
  test_exit();
  test_describe();
  return verdict();
}
