/* The client against servers of HTTP/2 that break off, refuse and leave (RFC
 * 9113, sections 6.4, 6.8 and 8.7): runs the tests of
 * tests/support/http2_faults.lua. Each fault has a port of its own. */
#include "../support/fault_server.h"

enum {
  DATA,
  HEADERS,
  RST_STREAM = 3,
  SETTINGS,
  PING = 6,
  GOAWAY,
  WINDOW_UPDATE,
  CONTINUATION
};

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

enum { NO_ERROR, INTERNAL_ERROR = 2, REFUSED_STREAM = 7 };

static void frame(int fd, int type, int flags, uint32_t stream,
                  const void *payload, size_t length) {
  unsigned char head[] = {
      length >> 16 & 255,  length >> 8 & 255,    length & 255,
      (unsigned char)type, (unsigned char)flags, stream >> 24 & 127,
      stream >> 16 & 255,  stream >> 8 & 255,    stream & 255};
  put(fd, head, sizeof head);
  if (length > 0) {
    put(fd, payload, length);
  }
}

static void put_number(unsigned char *at, uint32_t value) {
  for (int i = 0; i < 4; i++) {
    at[i] = value >> (24 - 8 * i) & 255;
  }
}

static void rst_stream(int fd, uint32_t stream, uint32_t code) {
  unsigned char payload[4];
  put_number(payload, code);
  frame(fd, RST_STREAM, 0, stream, payload, sizeof payload);
}

/* Status 200: a number in the static table of HPACK. */
static void head(int fd, uint32_t stream) {
  frame(fd, HEADERS, END_HEADERS, stream, "\x88", 1);
}

/* The same with a content-length of "100". */
static void head_100(int fd, uint32_t stream) {
  frame(fd, HEADERS, END_HEADERS, stream,
        "\x88\x0f\x0d\x03"
        "100",
        7);
}

static void data(int fd, uint32_t stream, int flags, const char *text) {
  frame(fd, DATA, flags, stream, text, strlen(text));
}

static void answer(int fd, uint32_t stream) {
  head(fd, stream);
  data(fd, stream, END_STREAM, "ok");
}

/* The client says that it has what was sent: libcurl drops what comes together
 * with a failure. A byte for each word, through a pipe that all share. */
static int words[2];

static void wait_for_word(void) {
  char byte;
  if (read(words[0], &byte, 1) != 1) {
    _exit(1);
  }
}

static void take_word(int fd, uint32_t stream, int count) {
  (void)count;
  if (write(words[1], "", 1) == 1) {
    answer(fd, stream);
  }
}

/* What is done to the request number `count` of a connection. */

static void reset_stream(int fd, uint32_t stream, int count) {
  (void)count;
  rst_stream(fd, stream, INTERNAL_ERROR);
}

static void answer_slowly(int fd, uint32_t stream, int count) {
  (void)count;
  nap(2);
  answer(fd, stream);
}

/* For want of room. */
static void refuse(int fd, uint32_t stream, int count) {
  (void)count;
  rst_stream(fd, stream, REFUSED_STREAM);
}

/* Says that it goes, and does not look at the request. */
static void leave(int fd, uint32_t stream, int count) {
  unsigned char payload[8] = {0};
  (void)stream;
  (void)count;
  frame(fd, GOAWAY, 0, 0, payload, sizeof payload);
  nap(10);
  _exit(0);
}

static void break_stream(int fd, uint32_t stream, int count) {
  (void)count;
  head(fd, stream);
  data(fd, stream, 0, "begun");
  wait_for_word();
  rst_stream(fd, stream, INTERNAL_ERROR);
}

static void break_off(int fd, uint32_t stream, int count) {
  (void)count;
  head(fd, stream);
  data(fd, stream, 0, "begun");
  wait_for_word();
  _exit(0);
}

static void fall_short(int fd, uint32_t stream, int count) {
  (void)count;
  head_100(fd, stream);
  wait_for_word();
  data(fd, stream, END_STREAM, "begun");
}

static void say_nothing(int fd, uint32_t stream, int count) {
  (void)fd;
  (void)stream;
  (void)count;
}

static void flood(int fd, uint32_t stream, int count) {
  static const char field[] = "\x00\x05x-one\x05value";
  (void)count;
  frame(fd, HEADERS, 0, stream, "\x88", 1);
  for (int i = 0; i < 1000000; i++) {
    frame(fd, CONTINUATION, 0, stream, field, sizeof field - 1);
  }
}

static bool get(int fd, void *bytes, size_t length) {
  return length == 0 || recv(fd, bytes, length, MSG_WAITALL) == (ssize_t)length;
}

/* A connection with these settings: two bytes of number and four of value. */
static void converse(int fd, const void *settings, size_t size,
                     void (*respond)(int fd, uint32_t stream, int count)) {
  static unsigned char payload[1 << 16];
  unsigned char h[24];
  int count = 0;
  if (!get(fd, h, 24)) { /* the preface */
    return;
  }
  frame(fd, SETTINGS, 0, 0, settings, size);
  while (get(fd, h, 9)) {
    size_t length = (size_t)h[0] << 16 | (size_t)h[1] << 8 | h[2];
    if (length > sizeof payload || !get(fd, payload, length)) {
      return;
    }
    if (h[3] == SETTINGS && !(h[4] & ACK)) {
      frame(fd, SETTINGS, ACK, 0, NULL, 0);
    } else if (h[3] == HEADERS) {
      respond(fd,
              (uint32_t)h[5] << 24 | (uint32_t)h[6] << 16 |
                  (uint32_t)h[7] << 8 | h[8],
              ++count);
    }
  }
}

#define SERVE(name, respond)                                                   \
  static void name(int fd) {                                                   \
    converse(fd, NULL, 0, respond);                                            \
  }

SERVE(serve_reset, reset_stream)
SERVE(serve_refused, refuse)
SERVE(serve_leaving, leave)
SERVE(serve_broken, break_stream)
SERVE(serve_cut, break_off)
SERVE(serve_short, fall_short)
SERVE(serve_silent, say_nothing)
SERVE(serve_flood, flood)
SERVE(serve_word, take_word)

static void serve_one(int fd) { /* at a time */
  converse(fd, "\0\3\0\0\0\1", 6, answer_slowly);
}

static void serve_narrow(int fd) { /* no window for bodies */
  converse(fd, "\0\4\0\0\0\0", 6, say_nothing);
}

static void serve_other(int fd) { /* another protocol */
  char scrap[256];
  if (recv(fd, scrap, sizeof scrap, 0) > 0) {
    say(fd, "220 mail.example.com ESMTP\r\n");
    nap(100);
  }
}

static const struct {
  const char *name;
  void (*serve)(int fd);
} servers[] = {
    {"LUGE_H2_RESET", serve_reset},     {"LUGE_H2_REFUSED", serve_refused},
    {"LUGE_H2_LEAVING", serve_leaving}, {"LUGE_H2_BROKEN", serve_broken},
    {"LUGE_H2_CUT", serve_cut},         {"LUGE_H2_SHORT", serve_short},
    {"LUGE_H2_SILENT", serve_silent},   {"LUGE_H2_FLOOD", serve_flood},
    {"LUGE_H2_ONE", serve_one},         {"LUGE_H2_NARROW", serve_narrow},
    {"LUGE_H2_OTHER", serve_other},     {"LUGE_H2_WORD", serve_word}};

enum { COUNT = sizeof servers / sizeof *servers };

int main(void) {
  pid_t started[COUNT];
  if (pipe(words) != 0) {
    return 1;
  }
  for (size_t i = 0; i < COUNT; i++) {
    started[i] = start_server(servers[i].name, servers[i].serve);
    if (started[i] < 0) {
      fprintf(stderr, "no port is free\n");
      return 1;
    }
  }
  bool ok = run_tests("tests/support/http2_faults.lua", 0);
  for (size_t i = 0; i < COUNT; i++) {
    stop_server(started[i]);
  }
  return ok ? 0 : 1;
}
