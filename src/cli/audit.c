/* See audit.h. A line is built in memory and written at once, so that those of
 * several processes do not mix. */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int file = -1;
static const char *name;
static bool failed;

bool cli_audit_open(const char *path) {
  name = path;
  file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
  if (file < 0) {
    fprintf(stderr, "luge: cannot open %s: %s\n", path, strerror(errno));
    return false;
  }
  return true;
}

bool cli_audit_failed(void) {
  return failed;
}

/* The length of the character of UTF-8 at `text`, or 0 if it is none. */
static int character(const unsigned char *text) {
  int length = text[0] < 0x80   ? 1
               : text[0] < 0xC2 ? 0
               : text[0] < 0xE0 ? 2
               : text[0] < 0xF0 ? 3
               : text[0] < 0xF5 ? 4
                                : 0;
  for (int i = 1; i < length; i++) {
    if ((text[i] & 0xC0) != 0x80) {
      return 0;
    }
  }
  bool overlong = (text[0] == 0xE0 && text[1] < 0xA0) ||
                  (text[0] == 0xF0 && text[1] < 0x90);
  bool surrogate = text[0] == 0xED && text[1] >= 0xA0;
  bool beyond = text[0] == 0xF4 && text[1] >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

/* A JSON string. Paths are bytes: one that is not UTF-8 is shown as "\u00XX",
 * behind a "\ufffd" that tells it from a character. */
static void put_string(FILE *out, const char *value) {
  const unsigned char *at = (const unsigned char *)value;
  fputc('"', out);
  while (*at != '\0') {
    int length = character(at);
    if (length == 0) {
      fprintf(out, "\\ufffd\\u%04x", *at++);
    } else if (*at < 0x20 || *at == 0x7F) {
      fprintf(out, "\\u%04x", *at++);
    } else {
      if (*at == '"' || *at == '\\') {
        fputc('\\', out);
      }
      fwrite(at, 1, (size_t)length, out);
      at += length;
    }
  }
  fputc('"', out);
}

static void put_member(FILE *out, const char *member, const char *value) {
  fprintf(out, ",\"%s\":", member);
  put_string(out, value);
}

static void put_time(FILE *out) {
  struct timespec now;
  struct tm parts;
  char text[32];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  fprintf(out, "{\"time\":\"%s.%03ldZ\"", text, now.tv_nsec / 1000000);
}

static bool write_line(const char *line, size_t length) {
  while (length > 0) {
    ssize_t count = write(file, line, length);
    if (count < 0 && errno != EINTR) {
      return false;
    }
    if (count > 0) {
      line += count;
      length -= (size_t)count;
    }
  }
  return true;
}

static bool put_line(const luge_access *access) {
  char *line = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&line, &length);
  if (out == NULL) {
    return false;
  }
  put_time(out);
  put_member(out, "operation", access->operation);
  put_member(out, "capability", access->capability);
  put_member(out, "resource", access->resource);
  put_member(out, "decision", access->allowed ? "allow" : "deny");
  put_member(out, "rule", access->rule);
  fputs("}\n", out);
  bool whole = fclose(out) == 0 && write_line(line, length);
  free(line);
  return whole;
}

static void tell(const luge_access *access) {
  if (!failed && !put_line(access)) {
    failed = true;
    fprintf(stderr, "luge: cannot write to %s: %s\n", name, strerror(errno));
  }
}

int cli_audit_allowed(luge_host *host, const luge_access *access, void *user) {
  (void)host;
  (void)user;
  tell(access);
  return !failed;
}

void cli_audit_denied(luge_host *host, const luge_access *access, void *user) {
  (void)host;
  (void)user;
  if (!access->allowed) {
    tell(access);
  }
}
