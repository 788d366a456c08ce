/* The client against servers that break the rules: runs the tests of
 * tests/support/http_*.lua, beside a server that does to a connection what the
 * request's path names. */
#include "../support/fault_server.h"

#define SSE                                                                    \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n"    \
  "data: two\n\n"

/* Answers. */

static void rst(int fd) {
  reset(fd);
}

static void nothing(int fd) {
  (void)fd;
}

static void rst_sse(int fd) {
  say(fd, SSE "data: half");
  nap(100);
  reset(fd);
}

/* A model's answer that breaks off. */
static void rst_chat(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
          "data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\n"
          "data: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\n\n");
  nap(100);
  reset(fd);
}

static void fin_sse(int fd) {
  say(fd, SSE "data: not dispatched");
}

static void half_head(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Le");
}

static void chunked_cut(int fd) {
  say(fd,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
}

static void chunked_bad(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello");
}

static void short_body(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
}

static void close_delimited(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\n\r\nall of \xff it");
}

static void not_http(int fd) {
  say(fd, "220 mail.example.com ESMTP\r\n");
}

static void negative_length(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx");
}

static void long_header(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nX-Long: ");
  for (int i = 0; i < 2048; i++) {
    char kilobyte[1024];
    memset(kilobyte, 'x', sizeof kilobyte);
    put(fd, kilobyte, sizeof kilobyte);
  }
}

static void many_headers(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 200000; i++) {
    say(fd, "X-Another: header\r\n");
  }
}

static void many_interim(int fd) {
  for (int i = 0; i < 20000; i++) {
    say(fd, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  }
}

static void interim(int fd) {
  say(fd, "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/* What an interim head says of its body is about none. */
static void interim_encoded(int fd) {
  say(fd, "HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n"
          "Content-Length: 99999999999\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/* To a request that asked for no other protocol. */
static void switching(int fd) {
  say(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
          "Connection: Upgrade\r\n\r\n");
  linger(fd);
}

static void long_trailer(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2\r\nok\r\n0\r\n");
  for (int i = 0; i < 200000; i++) {
    say(fd, "X-Another: trailer\r\n");
  }
}

static void slow_headers(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\n");
  for (;;) {
    say(fd, "X");
    nap(20);
  }
}

static void silent(int fd) {
  linger(fd);
}

static void stall(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx");
  linger(fd);
}

static void drip(int fd) {
  say(fd, SSE);
  for (;;) {
    say(fd, ":\n");
    nap(10);
  }
}

static void endless(int fd) {
  char kilobyte[1024];
  memset(kilobyte, 'x', sizeof kilobyte);
  say(fd, "HTTP/1.1 200 OK\r\n\r\n");
  for (;;) {
    put(fd, kilobyte, sizeof kilobyte);
  }
}

static void long_line(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ");
  for (;;) {
    say(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  }
}

static void html(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n"
          "\r\n<html>");
}

static void to_ftp(int fd) {
  say(fd, "HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\n"
          "Content-Length: 0\r\n\r\n");
}

static void to_file(int fd) {
  say(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
          "Content-Length: 0\r\n\r\n");
}

/* Answers at once, and reads on until the client has seen it. */
static void early(int fd) {
  say(fd, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n"
          "Connection: close\r\n\r\ntoo much");
  shutdown(fd, SHUT_WR);
  linger(fd);
}

/* Encoded bodies, written by hand: RFC 1951 and 1952. */

static const unsigned char gzip_head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

static void say_gzip(int fd, const char *encoding) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: ");
  say(fd, encoding);
  say(fd, "\r\n\r\n");
}

static uint32_t crc32(const char *bytes, size_t length) {
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < length; i++) {
    crc ^= (unsigned char)bytes[i];
    for (int bit = 0; bit < 8; bit++) {
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
  }
  return ~crc;
}

static void put32(int fd, uint32_t value) {
  unsigned char bytes[] = {value & 255, value >> 8 & 255, value >> 16 & 255,
                           value >> 24};
  put(fd, bytes, 4);
}

/* One stored block. */
static void put_member(int fd, const char *text) {
  size_t length = strlen(text);
  unsigned char block[] = {1, length & 255, length >> 8 & 255, ~length & 255,
                           ~length >> 8 & 255};
  put(fd, gzip_head, sizeof gzip_head);
  put(fd, block, sizeof block);
  say(fd, text);
  put32(fd, crc32(text, length));
  put32(fd, (uint32_t)length);
}

static void gzip(int fd) {
  say_gzip(fd, "gzip");
  put_member(fd, "hello, ");
  put_member(fd, "world");
}

static void gzip_cut(int fd) {
  unsigned char block[] = {1, 100, 0, 155, 255};
  say_gzip(fd, "gzip");
  put(fd, gzip_head, sizeof gzip_head);
  put(fd, block, sizeof block);
  say(fd, "hello");
}

static void gzip_corrupt(int fd) {
  say_gzip(fd, "gzip");
  say(fd, "this is no gzip at all, and never was");
}

static void gzip_empty(int fd) {
  say_gzip(fd, "gzip");
}

static void many_encodings(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip");
  for (int i = 0; i < 19; i++) {
    say(fd, ", gzip");
  }
  say(fd, "\r\n\r\nx");
}

/* A literal, then nothing but "258 bytes from one before": 13 bits each, of
 * the fixed codes, with the lowest bit first. */
static void bomb(int fd) {
  static unsigned char bits[1024 * 1024];
  const char *matches = "1100010100000";
  size_t n = 0;
  const char *begin = "110" /* last block, fixed codes */ "00110000" /* 0 */;
  for (const char *p = begin; *p != '\0'; p++, n++) {
    bits[n / 8] |= (unsigned char)((*p - '0') << n % 8);
  }
  while (n + 13 < sizeof bits * 8) {
    for (const char *p = matches; *p != '\0'; p++, n++) {
      bits[n / 8] |= (unsigned char)((*p - '0') << n % 8);
    }
  }
  say_gzip(fd, "gzip");
  put(fd, gzip_head, sizeof gzip_head);
  put(fd, bits, sizeof bits);
}

/* Connections that are kept. */

/* Reads a head; false: the client has left. */
static bool read_head(int fd, char *head, size_t size) {
  size_t n = 0;
  while (n + 1 < size && recv(fd, head + n, 1, 0) == 1) {
    head[++n] = '\0';
    if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0) {
      return true;
    }
  }
  return false;
}

/* Answers the first request of each connection, and dies of the second. */
static void mortal(int fd) {
  char head[8192];
  say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  read_head(fd, head, sizeof head);
  reset(fd);
}

/* Closes while idle, without having said so. */
static void fickle(int fd) {
  say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/* What a request looked like, as the body. */
static char seen[8192];

static void mirror(int fd) {
  char head[128];
  snprintf(head, sizeof head,
           "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n"
           "\r\n",
           strlen(seen));
  say(fd, head);
  say(fd, seen);
}

static const struct {
  const char *path;
  void (*answer)(int fd);
} answers[] = {{"/rst", rst},
               {"/nothing", nothing},
               {"/rst-sse", rst_sse},
               {"/rst-model/chat/completions", rst_chat},
               {"/fin-sse", fin_sse},
               {"/half-head", half_head},
               {"/chunked-cut", chunked_cut},
               {"/chunked-bad", chunked_bad},
               {"/short", short_body},
               {"/close-delimited", close_delimited},
               {"/not-http", not_http},
               {"/negative-length", negative_length},
               {"/long-header", long_header},
               {"/many-headers", many_headers},
               {"/many-interim", many_interim},
               {"/interim", interim},
               {"/interim-encoded", interim_encoded},
               {"/switching", switching},
               {"/long-trailer", long_trailer},
               {"/slow-headers", slow_headers},
               {"/silent", silent},
               {"/stall", stall},
               {"/drip", drip},
               {"/endless", endless},
               {"/long-line", long_line},
               {"/html", html},
               {"/to-ftp", to_ftp},
               {"/to-file", to_file},
               {"/early", early},
               {"/gzip", gzip},
               {"/gzip-cut", gzip_cut},
               {"/gzip-corrupt", gzip_corrupt},
               {"/gzip-empty", gzip_empty},
               {"/many-encodings", many_encodings},
               {"/bomb", bomb},
               {"/mortal", mortal},
               {"/fickle", fickle},
               {"/mirror", mirror}};

/* As a proxy it sends what it was asked for back, and connects nobody. */
static bool serve_as_proxy(int fd, const char *path) {
  if (strncmp(seen, "CONNECT ", 8) == 0 ||
      strcmp(path, "http://denied.invalid/") == 0) {
    say(fd, "HTTP/1.1 407 Proxy Authentication Required\r\n"
            "Content-Length: 0\r\n\r\n");
    return true;
  }
  if (strncmp(path, "http://", 7) == 0) {
    mirror(fd);
    return true;
  }
  return false;
}

static void serve(int fd) {
  char path[64];
  if (!read_head(fd, seen, sizeof seen) ||
      sscanf(seen, "%*s %63[^? ]", path) != 1 || serve_as_proxy(fd, path)) {
    return;
  }
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    if (strcmp(answers[i].path, path) == 0) {
      answers[i].answer(fd);
      return;
    }
  }
  say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

int main(void) {
  pid_t server = start_server("LUGE_FAULT_PORT", serve);
  if (server < 0) {
    fprintf(stderr, "no port is free\n");
    return 1;
  }
  bool ok = run_tests("tests/support/http_faults.lua", 0) &&
            run_tests("tests/support/http_descriptors.lua", 40);
  stop_server(server);
  return ok ? 0 : 1;
}
