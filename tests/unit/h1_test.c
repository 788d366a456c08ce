/* The request parser: every fixture is read whole, cut at every place and
 * bytewise, and must give the same requests or the same refusal. */
#include "../../src/http/h1.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/check.h"
#include "../support/record.h"

static void puts_(struct record *r, const char *text) {
  put(r, text, strlen(text));
}

/* METHOD target minor [flags] name=value,...: */
static void put_head(struct record *r, const struct luge__h1_head *head) {
  put(r, head->method.ptr, head->method.len);
  puts_(r, " ");
  put(r, head->target.ptr, head->target.len);
  puts_(r, head->minor ? " 1" : " 0");
  puts_(r, head->keep_alive ? "k" : "");
  puts_(r, head->upgrade ? "u" : "");
  puts_(r, head->expects_continue ? "e" : "");
  puts_(r, head->chunked ? "c" : "");
  for (size_t i = 0; i < head->count; i++) {
    puts_(r, " ");
    put(r, head->fields[i].name.ptr, head->fields[i].name.len);
    puts_(r, "=");
    put(r, head->fields[i].value.ptr, head->fields[i].value.len);
  }
  puts_(r, ":");
}

/* Reads on; 0 once the parser has failed. */
static int feed(struct luge__h1 *p, const char *bytes, size_t len,
                struct record *r) {
  char *copy = malloc(len > 0 ? len : 1);
  memcpy(copy, bytes, len);
  const char *at = copy;
  int alive = 1;
  for (;;) {
    struct luge__h1_text piece = {NULL, 0};
    switch (luge__h1_next(p, &at, &len, &piece)) {
    case LUGE_H1_HEAD:
      put_head(r, &p->head);
      continue;
    case LUGE_H1_BODY:
      put(r, piece.ptr, piece.len);
      continue;
    case LUGE_H1_END:
      puts_(r, ";");
      luge__h1_reset(p);
      continue;
    case LUGE_H1_ERROR: {
      char text[16];
      snprintf(text, sizeof text, "!%d", p->error);
      puts_(r, text);
      alive = 0;
      break;
    }
    case LUGE_H1_NO_MEMORY:
      puts_(r, "!memory");
      alive = 0;
      break;
    case LUGE_H1_MORE:
      break;
    }
    free(copy);
    return alive;
  }
}

struct fixture {
  const char *bytes;
  size_t len;
  const char *wanted;
};

static const struct luge__h1_limits limits = {256, 4, 20};

static void compare(const struct fixture *f, const struct record *r,
                    const char *how, size_t cut) {
  if (r->len != strlen(f->wanted) || memcmp(r->text, f->wanted, r->len) != 0) {
    fprintf(stderr, "%.*s\n%s %zu: got %.*s\n           want %s\n\n",
            (int)f->len, f->bytes, how, cut, (int)r->len, r->text, f->wanted);
    failures++;
  }
}

static void run_fixture(const struct fixture *f) {
  struct luge__memory memory = {counting_alloc, NULL};
  for (size_t cut = 0; cut <= f->len; cut++) {
    struct luge__h1 p;
    struct record r = {.len = 0};
    luge__h1_init(&p, memory, &limits);
    if (feed(&p, f->bytes, cut, &r)) {
      feed(&p, f->bytes + cut, f->len - cut, &r);
    }
    luge__h1_free(&p);
    compare(f, &r, "cut at", cut);
  }
  struct luge__h1 p;
  struct record r = {.len = 0};
  luge__h1_init(&p, memory, &limits);
  for (size_t i = 0; i < f->len && feed(&p, f->bytes + i, 1, &r); i++) {
  }
  luge__h1_free(&p);
  compare(f, &r, "bytewise", 0);
}

#define H "Host: h\r\n"
#define CASE(bytes, wanted)                                                    \
  { bytes, sizeof(bytes) - 1, wanted }
#define CHUNKED_HEAD                                                           \
  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_GOT "POST / 1kc Host=h Transfer-Encoding=chunked:"
#define X50         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X250        X50 X50 X50 X50 X50

static const struct fixture fixtures[] = {
    /* What is taken. */
    CASE("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / 1k Host=h:;"),
    CASE("GET / HTTP/1.0\r\n\r\n", "GET / 0:;"),
    CASE("\r\n\r\nGET / HTTP/1.0\r\n\r\n", "GET / 0:;"),
    CASE("GET /a?b=%20 HTTP/1.1\r\nhOST:h\r\nA:\t b c \t\r\nE:\r\n\r\n",
         "GET /a?b=%20 1k hOST=h A=b c E=:;"),
    CASE("GET http://h/x HTTP/1.1\r\n" H "\r\n", "GET http://h/x 1k Host=h:;"),
    CASE("OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS * 1k Host=h:;"),
    CASE("CONNECT h:1 HTTP/1.1\r\n" H "\r\nGET / HTTP/1.0\r\n\r\n",
         "CONNECT h:1 1 Host=h:;GET / 0:;"),
    CASE("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / 1k Host=:;"),
    CASE("GET / HTTP/1.1\r\n" H "A: \xE2\x82\xAC\r\n\r\n",
         "GET / 1k Host=h A=\xE2\x82\xAC:;"),
    CASE("GET / HTTP/1.1\r\n" H "Connection: Close\r\n\r\n",
         "GET / 1 Host=h Connection=Close:;"),
    CASE("GET / HTTP/1.1\r\n" H "Connection: a, ,close\r\n\r\n",
         "GET / 1 Host=h Connection=a, ,close:;"),
    CASE("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "GET / 0k Connection=keep-alive:;"),
    CASE("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "\r\nGET / HTTP/1.0\r\n\r\n",
         "GET / 1ku Host=h Connection=Upgrade Upgrade=websocket:;GET / 0:;"),
    CASE("GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n\r\n",
         "GET / 1k Host=h Upgrade=websocket:;"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"
         "GET / HTTP/1.1\r\n" H "\r\n",
         "POST / 1k Host=h Content-Length=3:abc;GET / 1k Host=h:;"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n",
         "POST / 1k Host=h Content-Length=0:;"),
    CASE("PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n"
         "\r\na",
         "PUT / 1ke Host=h Expect=100-Continue Content-Length=1:a;"),
    CASE("PUT / HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nabc",
         "PUT / 1k Host=h Content-Length=9:abc"),
    CASE(CHUNKED_HEAD "3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
         CHUNKED_GOT "abc;GET / 0:;"),
    CASE(CHUNKED_HEAD "00a;x=\"y z\"\r\n0123456789\r\n1 ;q\r\n!\r\n000\r\n"
                      "Trailer: x\r\nOther:\r\n\r\n",
         CHUNKED_GOT "0123456789!;"),
    CASE("POST / HTTP/1.1\r\n" H
         "Transfer-Encoding: , Chunked\r\n\r\n0\r\n\r\n",
         "POST / 1kc Host=h Transfer-Encoding=, Chunked:;"),

    /* Request lines. */
    CASE("GET  / HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE("GET /  HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE("GET / HTTP/1.1 \r\n" H "\r\n", "!400"),
    CASE("GET\t/ HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE(" GET / HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE("GET /\r\n\r\n", "!400"),
    CASE("GET /a b HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE("GET /\xC3\xA9 HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE("GET /\x01 HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE("GET / HTTP/1.10\r\n" H "\r\n", "!400"),
    CASE("GET / http/1.1\r\n" H "\r\n", "!400"),
    CASE("GET / HTTP/2.0\r\n" H "\r\n", "!505"),
    CASE("GET / HTTP/1.2\r\n" H "\r\n", "!505"),
    CASE("GET / HTTP/0.9\r\n\r\n", "!505"),
    CASE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!505"),
    CASE("NONSENSE / HTTP/1.1\r\n" H "\r\n", "!501"),
    CASE("G@T / HTTP/1.1\r\n" H "\r\n", "!400"),
    CASE("\x16\x03\x01", "!400"),
    CASE("GET /" X250 X50 " HTTP/1.1\r\n\r\n", "!414"),

    /* Lines. */
    CASE("GET / HTTP/1.1\nHost: h\n\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: h\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: h\r\n\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: b\r\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: b\r\n \r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n Host: h\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A b: c\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "\xC3\xA9: c\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H ": c\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: \x7F\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H "A: " X250 "\r\n\r\n", "!431"),
    CASE("GET / HTTP/1.1\r\n" H "A:\r\nB:\r\nC:\r\nD:\r\n\r\n", "!431"),

    /* Hosts and expectations. */
    CASE("GET / HTTP/1.1\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\n" H H "\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: \xC3\xA9\r\n\r\n", "!400"),
    CASE("GET / HTTP/1.1\r\nHost: a_b.c-d:\r\n\r\n",
         "GET / 1k Host=a_b.c-d::;"),
    CASE("GET / HTTP/1.1\r\nHost: [::1%25lo]:80\r\n\r\n",
         "GET / 1k Host=[::1%25lo]:80:;"),
    CASE("GET / HTTP/1.1\r\n" H "Expect: miracles\r\n\r\n", "!417"),

    /* Framing: each of these has smuggled requests somewhere. */
    CASE("POST / HTTP/1.1\r\n" H
         "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
         "Content-Length: 3\r\n\r\n0\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n"
         "\r\nabcd",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\nabc", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 1 2\r\n\r\nabc", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551619\r\n"
         "\r\nabc",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Content-Length: 21\r\n\r\n", "!413"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
         "Transfer-Encoding: identity\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
         "Transfer-Encoding:\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: ,\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n",
         "!400"),
    CASE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n",
         "!501"),
    CASE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "!400"),

    /* Chunks. */
    CASE(CHUNKED_HEAD "3\nabc\r\n0\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "3\rXabc\r\n0\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "3\r\nabcXX0\r\n\r\n", CHUNKED_GOT "abc!400"),
    CASE(CHUNKED_HEAD "3\r\nabc\n0\r\n\r\n", CHUNKED_GOT "abc!400"),
    CASE(CHUNKED_HEAD "3\r\nabcd\r\n0\r\n\r\n", CHUNKED_GOT "abc!400"),
    CASE(CHUNKED_HEAD "\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD ";a\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD " 3\r\nabc", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0x3\r\nabc", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "-3\r\nabc", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "3 3\r\nabc", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "g\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0000000000000003\r\nabc", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "3;a\nabc", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\n\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\n a: b\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\na b\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\na : b\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\na\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\na: b\r\n c\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\nA: b\rc\r\n\r\n", CHUNKED_GOT "!400"),
    CASE(CHUNKED_HEAD "0\r\nA: b\n\r\n", CHUNKED_GOT "!400"),
};

/* What arrives of a body that grows beyond its limit depends on the cuts: the
 * refusal does not. */
static void test_large_chunked_body(void) {
  static const char head[] = CHUNKED_HEAD "14\r\n01234567890123456789\r\n";
  struct luge__memory memory = {counting_alloc, NULL};
  struct luge__h1 p;
  struct record r = {.len = 0};
  luge__h1_init(&p, memory, &limits);
  CHECK(feed(&p, head, sizeof head - 1, &r));
  CHECK(feed(&p, "1\r\n", 3, &r));
  CHECK(!feed(&p, "x\r\n", 3, &r));
  CHECK(p.error == 413);
  luge__h1_free(&p);
}

static void test_chunk_overhead(void) {
  struct luge__memory memory = {counting_alloc, NULL};
  struct luge__h1 p;
  struct record r = {.len = 0};
  luge__h1_init(&p, memory, &limits);
  CHECK(feed(&p, CHUNKED_HEAD "1;", sizeof CHUNKED_HEAD + 1, &r));
  int fed = 0;
  while (fed < 100000 && feed(&p, "xxxxxxxxxx", 10, &r)) {
    fed += 10;
  }
  CHECK(p.error == 431 && fed < 20000);
  luge__h1_free(&p);
}

static void test_idle(void) {
  struct luge__memory memory = {counting_alloc, NULL};
  struct luge__h1 p;
  struct record r = {.len = 0};
  luge__h1_init(&p, memory, &limits);
  CHECK(luge__h1_is_idle(&p));
  feed(&p, "\r\n\r", 3, &r);
  CHECK(luge__h1_is_idle(&p));
  feed(&p, "\n", 1, &r);
  CHECK(luge__h1_is_idle(&p));
  feed(&p, "GET", 3, &r);
  CHECK(!luge__h1_is_idle(&p));
  feed(&p, " / HTTP/1.1\r\nhost: h\r\n\r\n", 24, &r);
  CHECK(luge__h1_is_idle(&p) && live_bytes == 0);
  luge__h1_free(&p);
}

static void test_find(void) {
  static const char head[] = "GET / HTTP/1.1\r\nHOST: h\r\nHos: x\r\n\r\n";
  struct luge__memory memory = {counting_alloc, NULL};
  struct luge__h1 p;
  luge__h1_init(&p, memory, &limits);
  const char *at = head;
  size_t len = sizeof head - 1;
  struct luge__h1_text piece;
  CHECK(luge__h1_next(&p, &at, &len, &piece) == LUGE_H1_HEAD);
  CHECK(luge__h1_find(&p.head, "host") == &p.head.fields[0]);
  CHECK(luge__h1_find(&p.head, "hos") == &p.head.fields[1]);
  CHECK(luge__h1_find(&p.head, "hosts") == NULL);
  luge__h1_free(&p);
}

int main(void) {
  for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
    run_fixture(&fixtures[i]);
  }
  test_large_chunked_body();
  test_chunk_overhead();
  test_idle();
  test_find();
  CHECK(live_bytes == 0);
  return verdict();
}
