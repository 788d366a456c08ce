/* Numbers as text: exact both ways, whatever the locale says. */
#ifndef LUGE_JSON_NUMBER_H
#define LUGE_JSON_NUMBER_H

#include <lua.h>
#include <stdint.h>

enum json_number_kind {
  JSON_NOT_A_NUMBER, /* the text is none */
  JSON_TOO_LARGE,    /* beyond the range of a double */
  JSON_INTEGER,
  JSON_FLOAT
};

/* Reads the number at `*text`, which must be followed by some byte that can
 * be no part of one (the NUL of a Lua string will do), and moves `*text`
 * behind it, or to the byte that is out of place. Integers of 64 bits are
 * exact; larger ones and all others become the nearest double. */
enum json_number_kind luge__json_read_number(const char **text,
                                             lua_Integer *integer,
                                             lua_Number *number);

/* The longest text of an integer and of a double, with room to spare. */
#define JSON_NUMBER_SIZE 32

/* Writes a number that reads back the same; the length, no NUL. A double is
 * finite, is written with as few digits as will do, and looks like one: it
 * has a point or an exponent. */
int luge__json_write_integer(char *out, lua_Integer integer);
int luge__json_write_double(char *out, lua_Number number);

/* 10^k, for k from JSON_POW10_MIN to JSON_POW10_MAX, as a fraction of 128
 * bits whose first bit is set, rounded up. */
struct json_pow10 {
  uint64_t high, low;
};

#define JSON_POW10_MIN       (-292)
#define JSON_POW10_MAX       324
#define JSON_POW10_EXACT_MAX 55

extern const struct json_pow10 luge__json_pow10[];

static inline struct json_pow10 json_pow10(int k) {
  return luge__json_pow10[k - JSON_POW10_MIN];
}

/* The floor of the base-2 logarithm of 10^k, for |k| up to 1233. */
static inline int json_log2_pow10(int k) {
  return (k * 1741647) >> 19;
}

/* The 128 bits of a * b: returns the upper half. */
static inline uint64_t json_multiply(uint64_t a, uint64_t b, uint64_t *low) {
#if defined(__SIZEOF_INT128__)
  __extension__ typedef unsigned __int128 uint128;
  uint128 product = (uint128)a * b;
  *low = (uint64_t)product;
  return (uint64_t)(product >> 64);
#else
  uint64_t a1 = a >> 32, a0 = a & 0xFFFFFFFF;
  uint64_t b1 = b >> 32, b0 = b & 0xFFFFFFFF;
  uint64_t mid = a1 * b0 + ((a0 * b0) >> 32);
  uint64_t mid2 = a0 * b1 + (mid & 0xFFFFFFFF);
  *low = a * b;
  return a1 * b1 + (mid >> 32) + (mid2 >> 32);
#endif
}

#endif
