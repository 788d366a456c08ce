/* See stdio_scan.h. The formats are those of Lua's own `file:read`. */
#include "stdio_scan.h"

#include <ctype.h>
#include <string.h>

/* As in Lua's own: the longest numeral. */
enum { MAX_NUMERAL = 200 };

static bool found(struct luge_span *span, size_t begin, size_t length,
                  size_t next) {
  *span = (struct luge_span){begin, length, next, true};
  return true;
}

static bool at_end(struct luge_span *span, size_t at) {
  *span = (struct luge_span){.next = at};
  return true;
}

static bool scan_line(const struct luge_text *text, size_t from, bool whole,
                      struct luge_clean *clean, struct luge_span *span) {
  bool known = clean->from <= from && from < clean->to;
  size_t start = known ? clean->to : from;
  const char *newline = memchr(text->bytes + start, '\n', text->length - start);
  if (newline != NULL) {
    size_t end = (size_t)(newline - text->bytes);
    return found(span, from, end - from + whole, end + 1);
  }
  *clean = (struct luge_clean){from, text->length};
  if (!text->ended) {
    return false;
  }
  return from < text->length
             ? found(span, from, text->length - from, text->length)
             : at_end(span, from);
}

static bool scan_count(const struct luge_text *text, size_t from, size_t count,
                       struct luge_span *span) {
  size_t left = text->length - from;
  if (left < (count > 0 ? count : 1) && !text->ended) {
    return false;
  }
  if (left == 0) {
    return at_end(span, from);
  }
  size_t length = count < left ? count : left;
  return found(span, from, length, from + length);
}

/* A numeral, character by character, as C's scanf would take it. */

struct numeral {
  const struct luge_text *text;
  size_t begin, at;
  bool starved; /* wanted to see what has not come yet */
  bool too_long;
};

static int peek(struct numeral *numeral) {
  if (numeral->at == numeral->text->length) {
    numeral->starved = !numeral->text->ended;
    return -1;
  }
  return (unsigned char)numeral->text->bytes[numeral->at];
}

static bool accept(struct numeral *numeral, const char *set) {
  int c = peek(numeral);
  if (c <= 0 || strchr(set, c) == NULL || numeral->too_long) {
    return false;
  }
  if (numeral->at - numeral->begin >= MAX_NUMERAL) {
    numeral->too_long = true;
    return false;
  }
  numeral->at++;
  return true;
}

static int accept_digits(struct numeral *numeral, bool hex) {
  int count = 0;
  while (accept(numeral, hex ? "0123456789abcdefABCDEF" : "0123456789")) {
    count++;
  }
  return count;
}

static void skip_space(struct numeral *numeral) {
  int c;
  while ((c = peek(numeral)) >= 0 && isspace(c)) {
    numeral->at++;
  }
  numeral->begin = numeral->at;
}

static bool scan_number(const struct luge_text *text, size_t from,
                        struct luge_span *span) {
  struct numeral numeral = {.text = text, .at = from};
  int digits = 0;
  bool hex = false;
  skip_space(&numeral);
  accept(&numeral, "+-");
  if (accept(&numeral, "0")) {
    hex = accept(&numeral, "xX");
    digits = !hex;
  }
  digits += accept_digits(&numeral, hex);
  if (accept(&numeral, ".")) {
    digits += accept_digits(&numeral, hex);
  }
  if (digits > 0 && accept(&numeral, hex ? "pP" : "eE")) {
    accept(&numeral, "+-");
    accept_digits(&numeral, false);
  }
  if (numeral.starved) {
    return false;
  }
  size_t length = numeral.too_long ? 0 : numeral.at - numeral.begin;
  return found(span, numeral.begin, length, numeral.at);
}

bool luge__scan(const struct luge_text *text, size_t from,
                const struct luge_format *format, struct luge_clean *clean,
                struct luge_span *span) {
  switch (format->kind) {
  case LUGE_READ_LINE:
    return scan_line(text, from, false, clean, span);
  case LUGE_READ_WHOLE:
    return scan_line(text, from, true, clean, span);
  case LUGE_READ_NUMBER:
    return scan_number(text, from, span);
  case LUGE_READ_ALL:
    return text->ended && found(span, from, text->length - from, text->length);
  case LUGE_READ_COUNT:
    return scan_count(text, from, format->count, span);
  default:
    return scan_count(text, from, 0, span) &&
           (!span->found ||
            found(span, from, text->length - from, text->length));
  }
}
