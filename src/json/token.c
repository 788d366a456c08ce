/* Strings, numbers and literals that may be cut anywhere. A byte after which
 * no document is possible is refused at once, not at the token's end. */
#include "number.h"
#include "reader.h"
#include "scan.h"

#include <lauxlib.h>

/* A buffer that a long string has made larger than this is not kept. */
#define KEPT (64 * 1024)

static void end_string(struct json_feed *f, const char *bytes, size_t length) {
  struct json_reader *r = f->r;
  if (r->is_key) {
    lua_pushlstring(f->L, bytes, length);
    lua_replace(f->L, JSON_SLOT_KEY);
    r->state = JSON_IN_COLON;
    r->moved = 1;
  } else {
    if (r->shown != length) {
      lua_pushlstring(f->L, bytes, length);
      luge__json_store(f->L, r);
    }
    luge__json_complete(r);
  }
  if (r->token.capacity > KEPT) {
    luge__json_buffer_free(&r->token);
  }
}

/* Waits for the rest of what begins at `f->p`. */
static void begin_pending(struct json_feed *f, enum json_state state) {
  f->r->pending[0] = *f->p++;
  f->r->pending_length = 1;
  f->r->state = state;
}

void luge__json_feed_string(struct json_feed *f) {
  struct json_buffer *token = &f->r->token;
  const char *first = f->p;
  const char *p = json_skip_text(first, f->end);
  f->p = p;
  if (p < f->end && *p == '"' && token->length == 0) {
    f->p++;
    end_string(f, first, (size_t)(p - first));
    return;
  }
  json_add(token, first, (size_t)(p - first));
  if (p == f->end) {
    return;
  }
  if (*p == '"') {
    f->p++;
    end_string(f, token->data, token->length);
  } else if (*p == '\\') {
    begin_pending(f, JSON_IN_ESCAPE);
  } else if (json_utf8_length((unsigned char)*p) > 1) {
    begin_pending(f, JSON_IN_SEQUENCE);
  } else {
    luge__json_feed_error(f, p,
                          (unsigned char)*p < 0x20
                              ? "control character in a string"
                              : "invalid UTF-8");
  }
}

void luge__json_feed_sequence(struct json_feed *f) {
  struct json_reader *r = f->r;
  unsigned char first = (unsigned char)r->pending[0];
  unsigned char c = (unsigned char)*f->p;
  int fits =
      r->pending_length == 1 ? json_utf8_pair(first, c) : json_is_cont(c);
  if (!fits) {
    luge__json_feed_error(f, f->p, "invalid UTF-8");
  }
  r->pending[r->pending_length++] = *f->p++;
  if (r->pending_length == json_utf8_length(first)) {
    json_add(&r->token, r->pending, (size_t)r->pending_length);
    r->state = JSON_IN_STRING;
  }
}

static uint32_t read_hex(const char *digits) {
  uint32_t code = 0;
  for (int i = 0; i < 4; i++) {
    code = code << 4 | (uint32_t)json_hex((unsigned char)digits[i]);
  }
  return code;
}

/* Whether `c` may be the byte at `at` of an escape, all before it being
 * right: \uXXXX, or \uD8XX\uDCXX up to \uDBXX\uDFXX. */
static int fits_escape(const char *pending, int at, char c) {
  int digit = json_hex((unsigned char)c);
  switch (at) {
  case 1:
    return c == 'u' || json_unescape(c) != 0;
  case 3: /* DC00 to DFFF may not come first */
    return digit >= 0 && (digit < 12 || (pending[2] | 0x20) != 'd');
  case 6:
    return c == '\\';
  case 7:
    return c == 'u';
  case 8:
    return digit == 13;
  case 9:
    return digit >= 12;
  default:
    return digit >= 0;
  }
}

static void end_escape(struct json_reader *r, uint32_t code) {
  json_reserve(&r->token, 4);
  r->token.length +=
      (size_t)json_put_utf8(r->token.data + r->token.length, code);
  r->state = JSON_IN_STRING;
}

void luge__json_feed_escape(struct json_feed *f) {
  struct json_reader *r = f->r;
  int at = r->pending_length;
  if (!fits_escape(r->pending, at, *f->p)) {
    luge__json_feed_error(f, f->p,
                          at == 1             ? "unknown escape"
                          : at == 3 || at > 5 ? "lone surrogate"
                                              : "malformed \\u escape");
  }
  r->pending[r->pending_length++] = *f->p++;
  if (at == 1 && r->pending[1] != 'u') {
    end_escape(r, (uint32_t)json_unescape(r->pending[1]));
  } else if (at == 5) {
    uint32_t code = read_hex(r->pending + 2);
    if (code < 0xD800 || code > 0xDFFF) {
      end_escape(r, code);
    }
  } else if (at == 11) {
    uint32_t high = read_hex(r->pending + 2) - 0xD800;
    uint32_t low = read_hex(r->pending + 8) - 0xDC00;
    end_escape(r, 0x10000 + (high << 10) + low);
  }
}

/* What a number has so far; the odd ones are numbers already. */
enum {
  AFTER_MINUS = 0,
  AFTER_ZERO = 1,
  IN_INTEGER = 3,
  AFTER_POINT = 4,
  IN_FRACTION = 5,
  AFTER_E = 6,
  AFTER_SIGN = 8,
  IN_EXPONENT = 9,
  NOWHERE = -1
};

/* Where `c` leads; NOWHERE if it is no part of the number. */
static int next_number_state(int state, char c) {
  if (c >= '0' && c <= '9') {
    switch (state) {
    case AFTER_MINUS:
      return c == '0' ? AFTER_ZERO : IN_INTEGER;
    case AFTER_ZERO:
      return NOWHERE;
    case IN_INTEGER:
      return IN_INTEGER;
    case AFTER_POINT:
    case IN_FRACTION:
      return IN_FRACTION;
    default:
      return IN_EXPONENT;
    }
  }
  if (c == '.' && (state == AFTER_ZERO || state == IN_INTEGER)) {
    return AFTER_POINT;
  }
  if ((c | 0x20) == 'e' &&
      (state == AFTER_ZERO || state == IN_INTEGER || state == IN_FRACTION)) {
    return AFTER_E;
  }
  return (c == '-' || c == '+') && state == AFTER_E ? AFTER_SIGN : NOWHERE;
}

int luge__json_begin_number(struct json_feed *f) {
  struct json_reader *r = f->r;
  char c = *f->p;
  int state = c == '-' ? AFTER_MINUS : next_number_state(AFTER_MINUS, c);
  if (state == NOWHERE) {
    return 0;
  }
  r->number = state;
  r->token.length = 0;
  json_add(&r->token, f->p++, 1);
  r->state = JSON_IN_NUMBER;
  return 1;
}

int luge__json_end_number(struct json_feed *f) {
  struct json_reader *r = f->r;
  if ((r->number & 1) == 0) {
    return 0;
  }
  json_add(&r->token, "", 1);
  const char *text = r->token.data;
  lua_Integer integer;
  lua_Number number;
  switch (luge__json_read_number(&text, &integer, &number)) {
  case JSON_INTEGER:
    lua_pushinteger(f->L, integer);
    break;
  case JSON_FLOAT:
    lua_pushnumber(f->L, number);
    break;
  default:
    luge__json_feed_error(f, f->p, "number too large");
  }
  luge__json_store(f->L, r);
  luge__json_complete(r);
  return 1;
}

void luge__json_feed_number(struct json_feed *f) {
  struct json_reader *r = f->r;
  const char *first = f->p;
  for (; f->p < f->end; f->p++) {
    int state = next_number_state(r->number, *f->p);
    if (state == NOWHERE) {
      break;
    }
    r->number = state;
  }
  json_add(&r->token, first, (size_t)(f->p - first));
  if (f->p < f->end && !luge__json_end_number(f)) {
    luge__json_feed_error(f, f->p, "malformed number");
  }
}

static const char *const literals[] = {"true", "false", "null"};

int luge__json_begin_literal(struct json_feed *f) {
  for (int i = 0; i < 3; i++) {
    if (*f->p == literals[i][0]) {
      f->r->literal = i;
      f->r->letters = 0;
      f->r->state = JSON_IN_LITERAL;
      return 1;
    }
  }
  return 0;
}

void luge__json_feed_literal(struct json_feed *f) {
  struct json_reader *r = f->r;
  const char *word = literals[r->literal];
  while (f->p < f->end && word[r->letters] != '\0') {
    if (*f->p != word[r->letters]) {
      luge__json_feed_error(f, f->p, "malformed literal");
    }
    f->p++;
    r->letters++;
  }
  if (word[r->letters] != '\0') {
    return;
  }
  if (r->literal == 2) {
    lua_pushlightuserdata(f->L, NULL);
  } else {
    lua_pushboolean(f->L, r->literal == 0);
  }
  luge__json_store(f->L, r);
  luge__json_complete(r);
}
