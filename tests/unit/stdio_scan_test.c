/* The formats of `file:read`: what comes in pieces is read as what comes at
 * once, and nothing is decided before it can be. */
#include "mod/stdio_scan.h"

#include <stdlib.h>
#include <string.h>

#include "../support/check.h"

#define EXPECT_READ(condition, text, format, what)                             \
  EXPECT(condition, "'%s', format %d: %s", text, (int)(format)->kind, what)

static bool scan(const char *text, size_t length, bool ended,
                 const struct luge_format *format, struct luge_clean *clean,
                 struct luge_span *span) {
  struct luge_text input = {text, length, ended};
  *span = (struct luge_span){0};
  return luge__scan(&input, 0, format, clean, span);
}

static bool equal(const struct luge_span *a, const struct luge_span *b) {
  return a->found == b->found && a->next == b->next &&
         (!a->found || (a->begin == b->begin && a->length == b->length));
}

/* Byte by byte, in memory of its own so that reading beyond is noticed. */
static void check_pieces(const char *text, const struct luge_format *format,
                         const struct luge_span *whole) {
  struct luge_clean clean = {0, 0};
  struct luge_span span;
  size_t size = strlen(text), length = 0;
  bool complete = false;
  for (; length <= size && !complete; length++) {
    char *piece = malloc(length + 1);
    memcpy(piece, text, length);
    complete = scan(piece, length, false, format, &clean, &span);
    free(piece);
  }
  if (!complete) {
    complete = scan(text, size, true, format, &clean, &span);
  }
  EXPECT_READ(complete && equal(&span, whole), text, format,
              "differs when it comes in pieces");
}

static void check(const char *text, enum luge_format_kind kind, size_t count,
                  const char *value, size_t next) {
  struct luge_format format = {kind, count};
  struct luge_clean clean = {0, 0};
  struct luge_span span;
  EXPECT_READ(scan(text, strlen(text), true, &format, &clean, &span), text,
              &format, "wants more than all");
  bool as_wanted = value == NULL
                       ? !span.found
                       : span.found && span.length == strlen(value) &&
                             memcmp(text + span.begin, value, span.length) == 0;
  EXPECT_READ(as_wanted && span.next == next, text, &format,
              "is not read as it should be");
  if (kind != LUGE_READ_CHUNK) {
    check_pieces(text, &format, &span);
  }
}

static void test_lines(void) {
  check("", LUGE_READ_LINE, 0, NULL, 0);
  check("\n", LUGE_READ_LINE, 0, "", 1);
  check("a\nb", LUGE_READ_LINE, 0, "a", 2);
  check("ab", LUGE_READ_LINE, 0, "ab", 2);
  check("a\r\n", LUGE_READ_LINE, 0, "a\r", 3);
  check("a\nb", LUGE_READ_WHOLE, 0, "a\n", 2);
  check("ab", LUGE_READ_WHOLE, 0, "ab", 2);
  check("", LUGE_READ_WHOLE, 0, NULL, 0);
}

static void test_bytes(void) {
  check("", LUGE_READ_COUNT, 0, NULL, 0);
  check("a", LUGE_READ_COUNT, 0, "", 0);
  check("abc", LUGE_READ_COUNT, 2, "ab", 2);
  check("abc", LUGE_READ_COUNT, 9, "abc", 3);
  check("", LUGE_READ_COUNT, 9, NULL, 0);
  check("", LUGE_READ_ALL, 0, "", 0);
  check("a\nb", LUGE_READ_ALL, 0, "a\nb", 3);
  check("abc", LUGE_READ_CHUNK, 0, "abc", 3);
  check("", LUGE_READ_CHUNK, 0, NULL, 0);
}

static void test_numbers(void) {
  check("12 x", LUGE_READ_NUMBER, 0, "12", 2);
  check(" \t\n-12", LUGE_READ_NUMBER, 0, "-12", 6);
  check("0x1Fg", LUGE_READ_NUMBER, 0, "0x1F", 4);
  check("0x.8p-2,", LUGE_READ_NUMBER, 0, "0x.8p-2", 7);
  check("1.5e+3e", LUGE_READ_NUMBER, 0, "1.5e+3", 6);
  check("1e", LUGE_READ_NUMBER, 0, "1e", 2);
  check("x", LUGE_READ_NUMBER, 0, "", 0);
  check("+-1", LUGE_READ_NUMBER, 0, "+", 1);
  check("", LUGE_READ_NUMBER, 0, "", 0);
  char digits[301];
  memset(digits, '7', 300);
  digits[300] = '\0';
  check(digits, LUGE_READ_NUMBER, 0, "", 200);
}

/* What is known of one place says nothing of one before it. */
static void test_clean(void) {
  struct luge_text text = {"ab\ncdefgh", 9, false};
  struct luge_format line = {LUGE_READ_LINE, 0};
  struct luge_clean clean = {0, 0};
  struct luge_span span;
  CHECK(!luge__scan(&text, 3, &line, &clean, &span));
  CHECK(clean.from == 3 && clean.to == 9);
  CHECK(luge__scan(&text, 0, &line, &clean, &span) && span.length == 2);
}

int main(void) {
  test_lines();
  test_bytes();
  test_numbers();
  test_clean();
  return verdict();
}
