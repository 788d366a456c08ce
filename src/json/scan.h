/* Looking through text: the bytes of a JSON string that stand for themselves,
 * eight at a time, and well-formed UTF-8 (RFC 3629, table 3-7 of Unicode). */
#ifndef LUGE_JSON_SCAN_H
#define LUGE_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_ONES  UINT64_C(0x0101010101010101)
#define JSON_HIGHS UINT64_C(0x8080808080808080)

static inline uint64_t json_load8(const char *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* Nonzero if one of eight bytes is a quote, a backslash, a control character
 * or not ASCII. A borrow can only mark bytes after the first such byte, so
 * the lowest mark is always right. */
static inline uint64_t json_special8(uint64_t word) {
  uint64_t quote = word ^ (JSON_ONES * '"');
  uint64_t slash = word ^ (JSON_ONES * '\\');
  uint64_t below = (word - JSON_ONES * 0x20) & ~word;
  uint64_t marks = below | ((quote - JSON_ONES) & ~quote) |
                   ((slash - JSON_ONES) & ~slash) | word;
  return marks & JSON_HIGHS;
}

static inline int json_is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The first byte from `p` on that is not plain, or `end`. */
static inline const char *json_skip_plain(const char *p, const char *end) {
  while (end - p >= 8) {
    uint64_t special = json_special8(json_load8(p));
    if (special != 0) {
      return p + (__builtin_ctzll(special) >> 3);
    }
    p += 8;
  }
  while (p < end && json_is_plain((unsigned char)*p)) {
    p++;
  }
  return p;
}

static inline int json_is_cont(unsigned char c) {
  return (c & 0xC0) == 0x80;
}

/* How many bytes a sequence that begins with `c` has; 0 if none does. */
static inline int json_utf8_length(unsigned char c) {
  if (c < 0x80) {
    return 1;
  }
  if (c < 0xC2 || c > 0xF4) {
    return 0;
  }
  return c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Whether `second` may follow `first`: no overlong forms, no surrogates,
 * nothing above U+10FFFF. */
static inline int json_utf8_pair(unsigned char first, unsigned char second) {
  switch (first) {
  case 0xE0:
    return second >= 0xA0 && second <= 0xBF;
  case 0xED:
    return second >= 0x80 && second <= 0x9F;
  case 0xF0:
    return second >= 0x90 && second <= 0xBF;
  case 0xF4:
    return second >= 0x80 && second <= 0x8F;
  default:
    return json_is_cont(second);
  }
}

/* The length of the well-formed sequence at `p`, 0 if there is none. */
static inline int json_utf8(const char *p, const char *end) {
  const unsigned char *s = (const unsigned char *)p;
  int length = json_utf8_length(s[0]);
  if (length < 2 || end - p < length) {
    return length == 1;
  }
  if (!json_utf8_pair(s[0], s[1]) || (length > 2 && !json_is_cont(s[2])) ||
      (length > 3 && !json_is_cont(s[3]))) {
    return 0;
  }
  return length;
}

/* The first byte from `p` on that does not stand for itself in a string, or is
 * no well-formed UTF-8; or `end`. */
static inline const char *json_skip_text(const char *p, const char *end) {
  int length;
  p = json_skip_plain(p, end);
  while (p < end && (unsigned char)*p >= 0x80 &&
         (length = json_utf8(p, end)) > 0) {
    p = json_skip_plain(p + length, end);
  }
  return p;
}

/* Writes a code point, which is no surrogate, as UTF-8; its length. */
static inline int json_put_utf8(char *out, uint32_t code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xC0 | (code >> 6));
    out[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = (char)(0xE0 | (code >> 12));
    out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | (code >> 18));
  out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
  out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
  out[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

/* The value of a hexadecimal digit, -1 for any other byte. */
static inline int json_hex(unsigned char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What the letter after a backslash stands for; 0 for `u` and for letters
 * that may not stand there. */
static inline char json_unescape(char letter) {
  switch (letter) {
  case '"':
  case '\\':
  case '/':
    return letter;
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return 0;
  }
}

#endif
