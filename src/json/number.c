/* Reading numbers: RFC 8259 section 6.
 *
 * A decimal is m * 10^e. Three ways lead to the nearest double, each tried
 * where the one before it does not apply: both parts are exact doubles
 * (W. D. Clinger, How to read floating point numbers accurately, 1990); a
 * product with a power of ten of 128 bits, whose error cannot reach the
 * nearest rounding boundary; and strtod, given digits without a point, so
 * that the locale has no say. */
#include "number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(lua_Integer) == 8, "64-bit integers");
_Static_assert(sizeof(lua_Number) == 8 && DBL_MANT_DIG == 53,
               "numbers are IEEE 754 doubles");

struct decimal {
  const char *first, *last; /* the digits, perhaps with a point in them */
  uint64_t digits;          /* as an integer; exact up to 19 digits */
  int64_t exponent;
  int count; /* of digits; zeros in front count too */
  int negative;
};

/* Digits beyond these can only break a tie in rounding: it is enough to know
 * whether one of them is not zero. */
#define MAX_DIGITS 800

/* Larger exponents are all the same: zero, or too large. The digits in
 * front of one may be as many as memory holds, so it is clamped late. */
#define MAX_EXPONENT INT64_C(1000000000000000)

static inline int is_digit(char c) {
  return (unsigned char)(c - '0') < 10;
}

static enum json_number_kind finish(double value, const struct decimal *d,
                                    lua_Number *number) {
  *number = d->negative ? -value : value;
  return value > DBL_MAX ? JSON_TOO_LARGE : JSON_FLOAT;
}

/* The general way. Zeros in front are left out, and so is the point. */
static double by_strtod(const struct decimal *d) {
  char text[MAX_DIGITS + 32];
  int length = 0, rest = 0;
  int64_t exponent = d->exponent;
  for (const char *p = d->first; p < d->last; p++) {
    if (*p == '.' || (*p == '0' && length == 0)) {
      continue;
    }
    if (length < MAX_DIGITS) {
      text[length++] = *p;
    } else {
      rest |= *p != '0';
      exponent++;
    }
  }
  if (length == 0) {
    return 0.0;
  }
  if (rest) {
    text[length++] = '1';
    exponent--;
  }
  if (exponent > 100000 || exponent < -100000) {
    return exponent > 0 ? HUGE_VAL : 0.0;
  }
  text[length++] = 'e';
  length += luge__json_write_integer(text + length, exponent);
  text[length] = '\0';
  return strtod(text, NULL);
}

/* digits * 10^exponent through the table. Zero where that cannot decide:
 * the exact product lies within (product - digits, product], all shifted,
 * and a rounding boundary may lie there too; or the result is no normal
 * double. */
static double by_table(uint64_t digits, int exponent) {
  if (exponent < JSON_POW10_MIN || exponent > 308) {
    return 0.0;
  }
  struct json_pow10 power = json_pow10(exponent);
  int zeros = __builtin_clzll(digits);
  uint64_t w = digits << zeros;
  uint64_t low, carry, mid;
  carry = json_multiply(w, power.low, &low);
  uint64_t high = json_multiply(w, power.high, &mid);
  mid += carry;
  high += mid < carry;

  int shift = (high >> 63) != 0 ? 11 : 10;
  uint64_t mantissa = high >> shift;
  uint64_t rest = high & ((UINT64_C(1) << shift) - 1);
  uint64_t half = UINT64_C(1) << (shift - 1);
  int exact = exponent >= 0 && exponent <= JSON_POW10_EXACT_MAX;
  if (rest > half) {
    mantissa++;
  } else if (rest == half) {
    if (exact) {
      mantissa += (mid | low) != 0 || (mantissa & 1);
    } else if (mid == 0 && low < w) {
      return 0.0;
    } else {
      mantissa++;
    }
  }
  int binary = 1 + shift - zeros + json_log2_pow10(exponent);
  if (binary < -1074 || binary > 971) {
    return 0.0;
  }
  /* Adding the mantissa with its hidden bit adds one to the exponent; if it was
   * rounded up to 2^53, it adds another one, as it should. */
  uint64_t bits = ((uint64_t)(binary + 1074) << 52) + mantissa;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static enum json_number_kind to_double(const struct decimal *d,
                                       lua_Number *number) {
  static const double powers[] = {
      1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (d->count > 19) {
    return finish(by_strtod(d), d, number);
  }
  if (d->digits == 0) {
    return finish(0.0, d, number);
  }
#if FLT_EVAL_METHOD == 0
  if (d->digits <= UINT64_C(1) << 53 && d->exponent >= -22 &&
      d->exponent <= 22) {
    double value = (double)d->digits;
    value = d->exponent < 0 ? value / powers[-d->exponent]
                            : value * powers[d->exponent];
    return finish(value, d, number);
  }
#endif
  double value = 0.0;
  if (d->exponent >= JSON_POW10_MIN && d->exponent <= 308) {
    value = by_table(d->digits, (int)d->exponent);
  }
  return finish(value != 0.0 ? value : by_strtod(d), d, number);
}

static enum json_number_kind
to_integer(const struct decimal *d, lua_Integer *integer, lua_Number *number) {
  uint64_t limit = (uint64_t)INT64_MAX + (d->negative ? 1 : 0);
  if (d->count > 19 || d->digits > limit) {
    return to_double(d, number);
  }
  *integer = (lua_Integer)(d->negative ? 0 - d->digits : d->digits);
  return JSON_INTEGER;
}

/* The part after `e`; whether it is well formed. */
static int read_exponent(const char **text, struct decimal *d) {
  const char *p = *text;
  int negative = *p == '-';
  if (*p == '+' || *p == '-') {
    p++;
  }
  int well_formed = is_digit(*p);
  int64_t exponent = 0;
  for (; is_digit(*p); p++) {
    if (exponent < MAX_EXPONENT) {
      exponent = exponent * 10 + (*p - '0');
    }
  }
  d->exponent += negative ? -exponent : exponent;
  *text = p;
  return well_formed;
}

/* The part after the point: more digits, and one power of ten less each. */
static int read_fraction(const char **text, struct decimal *d) {
  const char *first = *text, *p = first;
  for (; is_digit(*p); p++) {
    d->digits = d->digits * 10 + (uint64_t)(*p - '0');
  }
  d->exponent = -(p - first);
  d->last = *text = p;
  return p > first;
}

/* Zeros in front are no digits to the 19 that an integer can hold. */
static int count_digits(const struct decimal *d) {
  const char *p = d->first;
  while (p < d->last && (*p == '0' || *p == '.')) {
    p++;
  }
  ptrdiff_t count = d->last - p;
  count -= memchr(p, '.', (size_t)count) != NULL;
  return count > 20 ? 20 : (int)count;
}

enum json_number_kind luge__json_read_number(const char **text,
                                             lua_Integer *integer,
                                             lua_Number *number) {
  const char *p = *text;
  struct decimal d = {0};
  d.negative = *p == '-';
  p += d.negative;
  d.first = p;
  while (is_digit(*p)) {
    d.digits = d.digits * 10 + (uint64_t)(*p++ - '0');
  }
  d.last = p;
  if (p == d.first || (*d.first == '0' && p > d.first + 1)) {
    *text = p == d.first ? p : d.first + 1;
    return JSON_NOT_A_NUMBER;
  }
  d.count = p - d.first > 19 ? 20 : (int)(p - d.first);
  if (*p != '.' && (*p | 0x20) != 'e') {
    *text = p;
    return to_integer(&d, integer, number);
  }
  int well_formed = 1;
  if (*p == '.') {
    p++;
    well_formed = read_fraction(&p, &d);
  }
  if (well_formed && (*p | 0x20) == 'e') {
    p++;
    well_formed = read_exponent(&p, &d);
  }
  *text = p;
  if (!well_formed) {
    return JSON_NOT_A_NUMBER;
  }
  d.count = count_digits(&d);
  return to_double(&d, number);
}
