/* See report.h. An error may hold what a server sent: control characters are
 * shown as escapes, so that they cannot drive the terminal. */
#include "report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "stdio.h"

/* Whether the bytes from `text` on begin a control character: of ASCII, or of
 * the second set, in UTF-8. Newlines and tabs are for reading. */
static bool is_control(const unsigned char *text) {
  return (text[0] < 0x20 && text[0] != '\n' && text[0] != '\t') ||
         text[0] == 0x7F ||
         (text[0] == 0xC2 && text[1] >= 0x80 && text[1] < 0xA0);
}

/* A report is written as a whole, or in pieces of this size. */
static char buffer[4096];
static size_t used;

static void flush(void) {
  cli_complain(buffer, used);
  used = 0;
}

static void put_byte(char byte) {
  if (used == sizeof buffer) {
    flush();
  }
  buffer[used++] = byte;
}

static void put_escape(unsigned char byte) {
  static const char digits[] = "0123456789ABCDEF";
  put_byte('\\');
  put_byte('x');
  put_byte(digits[byte >> 4]);
  put_byte(digits[byte & 15]);
}

static void put(const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  for (; *at != '\0'; at++) {
    if (is_control(at)) {
      at += *at == 0xC2;
      put_escape(*at);
    } else {
      put_byte((char)*at);
    }
  }
}

static void put_line(const char *prefix, const char *text, const char *more) {
  put(prefix);
  put(text);
  if (more != NULL) {
    put("\n");
    put(more);
  }
  put("\n");
  flush();
}

void cli_report_error(const char *message, const char *traceback) {
  put_line("luge: ", message, traceback);
}

int cli_usage_error(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("luge: ", stderr);
  vfprintf(stderr, format, args);
  fputs(" (see luge --help)\n", stderr);
  va_end(args);
  return 2;
}

void cli_on_log(luge_host *host, enum luge_log_level level, const char *message,
                void *user) {
  static const char *const prefixes[] = {[LUGE_LOG_DEBUG] = "luge: debug: ",
                                         [LUGE_LOG_INFO] = "luge: ",
                                         [LUGE_LOG_WARN] = "luge: warning: ",
                                         [LUGE_LOG_ERROR] = "luge: error: "};
  (void)host;
  (void)user;
  put_line(prefixes[level], message, NULL);
}

void cli_on_record(luge_host *host, enum luge_log_level level, const char *text,
                   const char *json, void *user) {
  static const char *const names[] = {[LUGE_LOG_DEBUG] = " DEBUG ",
                                      [LUGE_LOG_INFO] = " INFO  ",
                                      [LUGE_LOG_WARN] = " WARN  ",
                                      [LUGE_LOG_ERROR] = " ERROR "};
  char clock[16];
  struct tm parts;
  time_t now = time(NULL);
  (void)host;
  (void)user;
  if (!isatty(STDERR_FILENO)) {
    put_line("", json, NULL);
    return;
  }
  localtime_r(&now, &parts);
  strftime(clock, sizeof clock, "%H:%M:%S", &parts);
  put(clock);
  put_line(names[level], text, NULL);
}

static void put_task(const char *line, void *user) {
  (void)user;
  put_line("luge: ", line, NULL);
}

void cli_report_tasks(luge_host *host) {
  luge_describe_tasks(host, put_task, NULL);
}
