/* The Server-Sent Events parser: every fixture is cut at every place, at every
 * two places, and into single bytes, and must give the same events. */
#include "../../src/http/sse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../support/check.h"
#include "../support/record.h"

enum { LIMIT = 16 * 1024 * 1024, MAX_TWO_CUTS = 200 };

static const struct luge__memory memory = {counting_alloc, NULL};

/* type|data|id|retry; */
static void put_event(struct record *r, const struct luge__sse *p,
                      const struct luge__sse_event *e) {
  put(r, e->type.ptr, e->type.len);
  put(r, "|", 1);
  put(r, e->data.ptr, e->data.len);
  put(r, "|", 1);
  put(r, p->last_id.ptr, p->last_id.len);
  put(r, "|", 1);
  if (e->has_retry) {
    char number[32];
    int n = snprintf(number, sizeof number, "%" PRIu64, e->retry);
    put(r, number, (size_t)n);
  }
  put(r, ";", 1);
}

/* Feeds a copy of its own size, so that a sanitizer sees every byte read
 * beyond it or after it has gone. */
static void feed_copy(struct luge__sse *p, const char *bytes, size_t len,
                      struct record *r) {
  char *copy = malloc(len > 0 ? len : 1);
  memcpy(copy, bytes, len);
  luge__sse_feed(p, copy, len);
  struct luge__sse_event event;
  enum luge__sse_status status;
  while ((status = luge__sse_next(p, &event)) == LUGE_SSE_EVENT) {
    put_event(r, p, &event);
  }
  if (status != LUGE_SSE_MORE) {
    put(r, status == LUGE_SSE_LINE_LIMIT ? "!L" : "!E", 2);
  }
  free(copy);
}

struct fixture {
  const char *name;
  const char *bytes;
  size_t len;
  const char *events;
  size_t events_len;
  size_t max_line, max_event;
};

static void run_cut(const struct fixture *f, size_t cut1, size_t cut2) {
  struct luge__sse p;
  struct record r = {.len = 0};
  luge__sse_init(&p, memory, f->max_line, f->max_event);
  feed_copy(&p, f->bytes, cut1, &r);
  if (p.failure == LUGE_SSE_MORE) {
    feed_copy(&p, f->bytes + cut1, cut2 - cut1, &r);
  }
  if (p.failure == LUGE_SSE_MORE) {
    feed_copy(&p, f->bytes + cut2, f->len - cut2, &r);
  }
  luge__sse_free(&p);
  if (r.len != f->events_len || memcmp(r.text, f->events, r.len) != 0) {
    fprintf(stderr, "%s, cut at %zu and %zu: got %.*s\n", f->name, cut1, cut2,
            (int)r.len, r.text);
    failures++;
  }
}

static void run_bytewise(const struct fixture *f) {
  struct luge__sse p;
  struct record r = {.len = 0};
  luge__sse_init(&p, memory, f->max_line, f->max_event);
  for (size_t i = 0; i < f->len && p.failure == LUGE_SSE_MORE; i++) {
    feed_copy(&p, f->bytes + i, 1, &r);
  }
  luge__sse_free(&p);
  if (r.len != f->events_len || memcmp(r.text, f->events, r.len) != 0) {
    fprintf(stderr, "%s, bytewise: got %.*s\n", f->name, (int)r.len, r.text);
    failures++;
  }
}

static void run_fixture(const struct fixture *f) {
  for (size_t i = 0; i <= f->len; i++) {
    run_cut(f, i, f->len);
    for (size_t j = i; f->len <= MAX_TWO_CUTS && j < f->len; j++) {
      run_cut(f, i, j);
    }
  }
  run_bytewise(f);
}

#define STREAM(name, bytes, events)                                            \
  { name, bytes, sizeof(bytes) - 1, events, sizeof(events) - 1, LIMIT, LIMIT }
#define LIMITED(name, line, event, bytes, events)                              \
  { name, bytes, sizeof(bytes) - 1, events, sizeof(events) - 1, line, event }

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct fixture fixtures[] = {
    STREAM("one event", "data: hello\n\n", "|hello||;"),
    STREAM("all fields", "event: e\ndata: d\nid: 7\nretry: 12\n\n",
           "e|d|7|12;"),
    STREAM("CR", "data: a\rdata: b\r\rdata: c\r\r", "|a\nb||;|c||;"),
    STREAM("CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n",
           "|a\nb||;|c||;"),
    STREAM("CR then LF are one end", "data: a\r\n\n", "|a||;"),
    STREAM("LF then CR are two", "data: a\n\rdata: b\n\r", "|a||;|b||;"),
    STREAM("mixed", "data: a\r\ndata: b\rdata: c\n\r\n", "|a\nb\nc||;"),
    STREAM("unfinished event", "data: a\n\ndata: b\n", "|a||;"),
    STREAM("unfinished line", "data: a\n\ndata: b", "|a||;"),
    STREAM("nothing", "", ""),
    STREAM("only line ends", "\n\n\r\r\n\r\n", ""),
    STREAM("one space goes", "data:  two\n\ndata:none\n\ndata:\ttab\n\n",
           "| two||;|none||;|\ttab||;"),
    STREAM("event type lasts one event",
           "event: x\ndata: 1\n\ndata: 2\n\nevent: y\n\ndata: 3\n\n",
           "x|1||;|2||;|3||;"),
    STREAM("last event type wins", "event: x\nevent: y\ndata: 1\n\n", "y|1||;"),
    STREAM("id persists", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
           "|a|1|;|b|1|;|c||;"),
    STREAM("id without data", "id: 1\n\ndata: a\n\n", "|a|1|;"),
    STREAM("id shrinks and grows",
           "id: 12345\ndata: a\n\nid: 1\ndata: b\n\nid: 678901\ndata: c\n\n",
           "|a|12345|;|b|1|;|c|678901|;"),
    STREAM("retry must be digits",
           "retry: 1x\ndata: a\n\nretry: -1\ndata: b\n\nretry\ndata: c\n\n"
           "retry:\ndata: d\n\nretry:  1\ndata: e\n\nretry: 007\ndata: f\n\n",
           "|a||;|b||;|c||;|d||;|e||;|f||7;"),
    STREAM("retry is capped", "retry: 99999999999999999999999\ndata: a\n\n",
           "|a||9223372036854775807;"),
    STREAM("byte order mark",
           "\xEF\xBB\xBF"
           "data: a\n\n",
           "|a||;"),
    STREAM("unfinished byte order mark",
           "\xEF\xBB"
           "data: a\n\ndata: b\n\n",
           "|b||;"),
    STREAM("byte order mark later",
           "data: a\n\n\xEF\xBB\xBF"
           "data: b\n\n",
           "|a||;"),
    STREAM("invalid UTF-8 is kept", "data: \xFF\xC3\n\n", "|\xFF\xC3||;"),
    STREAM("field names are exact",
           "Data: a\n data: b\ndata : c\ndatax: d\ndat: e\n\n", ""),
    STREAM("many lines", "data\ndata\ndata: x\ndata\n\n", "|\n\nx\n||;"),

    /* After web-platform-tests, eventsource/ (format-*, event-data). */
    STREAM("wpt format-bom",
           "\xEF\xBB\xBF"
           "data:1\n\n\xEF\xBB\xBF"
           "data:2\n\ndata:3\n\n",
           "|1||;|3||;"),
    STREAM("wpt format-bom-2",
           "\xEF\xBB\xBF\xEF\xBB\xBF"
           "data:1\n\ndata:2\n\ndata:3\n\n",
           "|2||;|3||;"),
    STREAM("wpt format-comments",
           "data:1\r:\0\n:\r\ndata:2\n:" X64 X64 "\rdata:3\n:data:fail\r:" X64
           "\ndata:4\n\n",
           "|1\n2\n3\n4||;"),
    STREAM("wpt format-data-before-final-empty-line",
           "retry:1000\ndata:test1\n\nid:test\ndata:test2", "|test1||1000;"),
    STREAM("wpt format-field-data", "data:\n\ndata\ndata\n\ndata:test\n\n",
           "|||;|\n||;|test||;"),
    STREAM("wpt format-field-event", "event:test\ndata:x\n\ndata:x\n\n",
           "test|x||;|x||;"),
    STREAM("wpt format-field-event-empty", "event: \ndata:data\n\n",
           "|data||;"),
    STREAM("wpt format-field-id", "id: \xE2\x80\xA6\ndata:hello\n\n",
           "|hello|\xE2\x80\xA6|;"),
    STREAM("wpt format-field-id-null",
           "id: \0\0\ndata:hello\n\nid:1\0\ndata:x\n\n", "|hello||;|x||;"),
    STREAM("wpt format-field-parsing",
           "data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\r"
           "data_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
           "|\0\n 2\n1\n3\n\n4||;"),
    STREAM("wpt format-field-retry-bogus",
           "retry:2000\nretry:1000x\ndata:x\n\n", "|x||2000;"),
    STREAM("wpt format-field-retry-empty", "retry\ndata:test\n\n", "|test||;"),
    STREAM(
        "wpt format-field-unknown",
        "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay"
        "\n\n",
        "|test\n||;"),
    STREAM("wpt format-leading-space", "data:\ttest\rdata: \ndata:test\n\n",
           "|\ttest\n\ntest||;"),
    STREAM("wpt format-newlines", "data:test\r\ndata\ndata:test\r\n\r",
           "|test\n\ntest||;"),
    STREAM("wpt format-null-character", "data:\0\n\n\n\n", "|\0||;"),
    STREAM("wpt event-data",
           "data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\n"
           "Data:data\n\ndata\n\ndata:end\n\n",
           "|msg\nmsg||;|||;|end||;"),

    LIMITED("line at the limit", 8, LIMIT, "data: ab\n\n", "|ab||;"),
    LIMITED("line beyond it", 8, LIMIT, "data: a\n\ndata: abc\n\n", "|a||;!L"),
    LIMITED("comment beyond it", 8, LIMIT, "data: a\n\n:345678901\n",
            "|a||;!L"),
    LIMITED("event at the limit", LIMIT, 5, "data: ab\ndata: cd\n\n",
            "|ab\ncd||;"),
    LIMITED("event beyond it", LIMIT, 5, "data: ab\ndata: cd\ndata\n\n", "!E"),
    LIMITED("event of one line beyond it", LIMIT, 5, "data: abcdef\n\n", "!E"),
    LIMITED("byte order mark and a small limit", 1, LIMIT,
            "\xEF\xBB"
            "d\n",
            "!L"),
};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line of 16 MiB, byte by byte; then as many short lines in one chunk, ended
 * by CR, in which no LF is ever found. Quadratic time would take hours. */
static void test_linear_time(void) {
  double start = seconds();
  struct luge__sse p;
  struct luge__sse_event event;
  luge__sse_init(&p, memory, LIMIT + 8, LIMIT + 8);
  luge__sse_feed(&p, "data: ", 6);
  CHECK(luge__sse_next(&p, &event) == LUGE_SSE_MORE);
  for (int i = 0; i < LIMIT; i++) {
    luge__sse_feed(&p, "x", 1);
    CHECK(luge__sse_next(&p, &event) == LUGE_SSE_MORE);
  }
  luge__sse_feed(&p, "\n\n", 2);
  CHECK(luge__sse_next(&p, &event) == LUGE_SSE_EVENT);
  CHECK(event.data.len == LIMIT);

  char *chunk = malloc(LIMIT);
  memset(chunk, '\r', LIMIT);
  luge__sse_feed(&p, chunk, LIMIT);
  CHECK(luge__sse_next(&p, &event) == LUGE_SSE_MORE);
  luge__sse_free(&p);
  free(chunk);
  CHECK(seconds() - start < 20); /* a second without a sanitizer */
}

/* An event whole inside its chunk costs no memory. */
static void test_no_copy(void) {
  static const char bytes[] = "event: delta\ndata: {}\n\ndata: x\n\n";
  struct luge__sse p;
  struct luge__sse_event event;
  luge__sse_init(&p, memory, LIMIT, LIMIT);
  luge__sse_feed(&p, bytes, sizeof bytes - 1);
  CHECK(luge__sse_next(&p, &event) == LUGE_SSE_EVENT);
  CHECK(event.data.ptr > bytes && event.data.ptr < bytes + sizeof bytes);
  CHECK(luge__sse_next(&p, &event) == LUGE_SSE_EVENT);
  CHECK(luge__sse_next(&p, &event) == LUGE_SSE_MORE);
  CHECK(live_bytes == 0);
  luge__sse_free(&p);
}

/* Feeds bytewise with an allocator whose nth call fails, tries each failed
 * call again, and must get the same events. */
static void run_out_of_memory(const struct fixture *f, int nth) {
  struct luge__sse p;
  struct record r = {.len = 0};
  luge__sse_init(&p, memory, f->max_line, f->max_event);
  fail_after = nth;
  for (size_t at = 0; at < f->len; at += 3) {
    struct luge__sse_event event;
    enum luge__sse_status status;
    luge__sse_feed(&p, f->bytes + at, f->len - at < 3 ? f->len - at : 3);
    while ((status = luge__sse_next(&p, &event)) == LUGE_SSE_EVENT ||
           status == LUGE_SSE_NO_MEMORY) {
      if (status == LUGE_SSE_EVENT) {
        put_event(&r, &p, &event);
      }
      fail_after = status == LUGE_SSE_NO_MEMORY ? -1 : fail_after;
    }
  }
  fail_after = -1;
  luge__sse_free(&p);
  CHECK(r.len == f->events_len && memcmp(r.text, f->events, r.len) == 0);
}

int main(void) {
  for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
    run_fixture(&fixtures[i]);
    for (int nth = 0; nth < 8 && fixtures[i].max_line == LIMIT &&
                      fixtures[i].max_event == LIMIT;
         nth++) {
      run_out_of_memory(&fixtures[i], nth);
    }
  }
  test_no_copy();
  test_linear_time();
  CHECK(live_bytes == 0);
  return verdict();
}
