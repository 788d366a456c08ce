/* Numbers as text, against the C library: every double that is written reads
 * back the same, with the fewest digits; every text reads as strtod reads it;
 * the table of powers is what its comment says. */
#include "json/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/check.h"

/* Marsaglia's xorshift: the same numbers on every run. */
static uint64_t next_random(void) {
  static uint64_t x = UINT64_C(0x9E3779B97F4A7C15);
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return x;
}

static double from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void check_read(const char *text) {
  const char *p = text;
  lua_Integer integer = 0;
  lua_Number number = 0;
  enum json_number_kind kind = luge__json_read_number(&p, &integer, &number);
  double expected = strtod(text, NULL);
  EXPECT(*p == '\0', "%s: stopped at %s", text, p);
  if (isinf(expected)) {
    EXPECT(kind == JSON_TOO_LARGE, "%s: kind %d", text, kind);
  } else if (kind == JSON_INTEGER) {
    EXPECT(integer == strtoll(text, NULL, 10), "%s: %" PRId64, text,
           (int64_t)integer);
  } else {
    EXPECT(kind == JSON_FLOAT && number == expected &&
               signbit(number) == signbit(expected),
           "%s: got %a, strtod says %a", text, number, expected);
  }
}

/* The digits of a number without zeros on either side; how many. */
static int significant(const char *text, char *digits) {
  int count = 0;
  for (; *text != '\0' && *text != 'e'; text++) {
    if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) {
      digits[count++] = *text;
    }
  }
  while (count > 0 && digits[count - 1] == '0') {
    count--;
  }
  digits[count] = '\0';
  return count;
}

/* The text reads back the same, with the fewest digits, and of all such texts
 * it is the nearest. */
static void check_write(double value) {
  char text[JSON_NUMBER_SIZE + 1], other[40], ours[40], theirs[40];
  if (!isfinite(value)) {
    return;
  }
  int length = luge__json_write_double(text, value);
  text[length] = '\0';
  EXPECT(length < JSON_NUMBER_SIZE, "%a: %d characters", value, length);
  EXPECT(strtod(text, NULL) == value, "%a is written as %s", value, text);
  EXPECT(strpbrk(text, ".e") != NULL, "%s looks like an integer", text);
  int count = significant(text, ours);
  if (count > 1) {
    snprintf(other, sizeof other, "%.*e", count - 2, value);
    EXPECT(strtod(other, NULL) != value, "%s: %s is shorter", text, other);
  }
  if (count > 0) {
    snprintf(other, sizeof other, "%.*e", count - 1, value);
    significant(other, theirs);
    EXPECT(strtod(other, NULL) != value || strcmp(ours, theirs) == 0,
           "%s: %s is nearer", text, other);
  }
  check_read(text);
}

static void test_doubles(void) {
  static const double samples[] = {
      0.0,     1.0,     3.0,    0.1,    123.456, 1e21,  1e22,    1e23,
      5e-324,  1e-5,    1e-4,   1e15,   1e16,    1e17,  1.5e300, 0x1p-44,
      0x1p-96, 0x1p971, 9.5e-8, 2e-308, 0x1p63,  0x1p64};
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
    check_write(samples[i]);
    check_write(-samples[i]);
  }
  for (int e = -1074; e < 1024; e++) {
    double power = ldexp(1.0, e);
    check_write(power);
    check_write(nextafter(power, 0));
    check_write(nextafter(power, INFINITY));
  }
  for (int i = 0; i < 50000; i++) {
    uint64_t r = next_random();
    check_write(from_bits(r));
    check_write((double)(r >> 11) * 0x1p-53);
    check_write((double)(int64_t)(r >> 40) / 1000.0);
    check_write(from_bits(r >> 12));
  }
}

/* Texts near the middle between two doubles are the hard ones. */
static void check_halfway(uint64_t r) {
  char text[1200];
  double value = from_bits(r & (UINT64_MAX >> 1));
  if (!isfinite(value) || value > 1e300 || value < 1e-300) {
    return;
  }
  double up = nextafter(value, INFINITY);
  long double middle = ((long double)value + (long double)up) / 2;
  for (int digits = 17; digits <= 40; digits += 3) {
    snprintf(text, sizeof text, "%.*Le", digits - 1, middle);
    check_read(text);
  }
  snprintf(text, sizeof text, "%.800Le", middle);
  check_read(text);
}

static void test_texts(void) {
  static const char *const samples[] = {
      "0",
      "-0",
      "-0.0",
      "0e99999999999999999999",
      "9223372036854775807",
      "-9223372036854775808",
      "1.7976931348623157e308",
      "1.7976931348623158e308",
      "1.7976931348623159e308",
      "2e308",
      "1e-400",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "4.9e-324",
      "2.2250738585072011e-308",
      "9007199254740993.0",
      "9007199254740992.9999999999999999999999999999999",
      "9007199254740993.0000000000000000000000000000001",
      "1e23",
      "8.5e22",
      "0.000000000000000000000000000000000000001e39",
      "123456789012345678901234567890e-10",
  };
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
    check_read(samples[i]);
  }
  char text[64];
  for (int i = 0; i < 50000; i++) {
    uint64_t r = next_random();
    int exponent = (int)(next_random() % 660) - 345;
    snprintf(text, sizeof text, "%" PRIu64 "e%d", r >> (r & 63), exponent);
    check_read(text);
    snprintf(text, sizeof text, "%u.%017" PRIu64, (unsigned)(r & 1023),
             next_random() % UINT64_C(100000000000000000));
    check_read(text);
    if (i % 20 == 0) {
      check_halfway(r);
    }
  }
}

static void test_integers(void) {
  static const lua_Integer samples[] = {
      0, 9, 10, 99, 100, -1, -10, INT64_MAX, INT64_MIN, INT64_C(1) << 53};
  char text[JSON_NUMBER_SIZE + 1], expected[40];
  for (size_t i = 0; i < sizeof samples / sizeof *samples + 100000; i++) {
    lua_Integer value = i < sizeof samples / sizeof *samples
                            ? samples[i]
                            : (lua_Integer)next_random() >> (i & 63);
    text[luge__json_write_integer(text, value)] = '\0';
    snprintf(expected, sizeof expected, "%" PRId64, (int64_t)value);
    EXPECT(strcmp(text, expected) == 0, "%s is written as %s", expected, text);
    check_read(text);
  }
}

static void test_malformed(void) {
  static const struct {
    const char *text;
    int at;
  } samples[] = {{"-", 1},     {"", 0},   {"01", 1},   {"-01", 2}, {"1.", 2},
                 {"1.e5", 2},  {"1e", 2}, {"1e+", 3},  {".5", 0},  {"-.5", 1},
                 {"1.5e-", 5}, {"+1", 0}, {"1.5ex", 4}};
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
    const char *p = samples[i].text;
    lua_Integer integer;
    lua_Number number;
    enum json_number_kind kind = luge__json_read_number(&p, &integer, &number);
    EXPECT(kind == JSON_NOT_A_NUMBER, "%s: kind %d", samples[i].text, kind);
    EXPECT(p - samples[i].text == samples[i].at, "%s: stopped at %d",
           samples[i].text, (int)(p - samples[i].text));
  }
}

/* A number of limbs of 32 bits, the lowest first. */
#define LIMBS 72

static void multiply_limbs(uint32_t *limbs, uint32_t factor) {
  uint64_t carry = 0;
  for (int i = 0; i < LIMBS; i++) {
    carry += (uint64_t)limbs[i] * factor;
    limbs[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

/* Divides; a remainder is kept in `*inexact`, as the floor of a floor loses
 * nothing else. */
static void divide_limbs(uint32_t *limbs, uint32_t divisor, int *inexact) {
  uint64_t rest = 0;
  for (int i = LIMBS - 1; i >= 0; i--) {
    rest = rest << 32 | limbs[i];
    limbs[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  *inexact |= rest != 0;
}

static int limb_bit(const uint32_t *limbs, int bit) {
  return bit >= 0 && (limbs[bit / 32] >> (bit % 32) & 1);
}

/* The upper 128 bits, rounded up. */
static struct json_pow10 upper_bits(const uint32_t *limbs, int inexact) {
  struct json_pow10 result = {0, 0};
  int top = LIMBS * 32 - 1;
  while (!limb_bit(limbs, top)) {
    top--;
  }
  for (int i = 0; i < 64; i++) {
    result.high = result.high << 1 | (uint64_t)limb_bit(limbs, top - i);
    result.low = result.low << 1 | (uint64_t)limb_bit(limbs, top - 64 - i);
  }
  for (int bit = top - 128; bit >= 0 && !inexact; bit--) {
    inexact = limb_bit(limbs, bit);
  }
  result.low += (uint64_t)inexact;
  result.high += inexact && result.low == 0;
  return result;
}

static void check_power(const uint32_t *limbs, int inexact, int k) {
  struct json_pow10 expected = upper_bits(limbs, inexact);
  struct json_pow10 got = json_pow10(k);
  EXPECT(got.high == expected.high && got.low == expected.low,
         "10^%d is wrong in the table", k);
}

static void test_powers(void) {
  uint32_t limbs[LIMBS] = {1};
  int inexact = 0;
  for (int k = 0; k <= JSON_POW10_MAX; k++) {
    check_power(limbs, 0, k);
    multiply_limbs(limbs, 10);
  }
  memset(limbs, 0, sizeof limbs);
  limbs[LIMBS - 1] = UINT32_C(1) << 31;
  for (int k = 0; k >= JSON_POW10_MIN; k--) {
    check_power(limbs, inexact, k);
    divide_limbs(limbs, 10, &inexact);
  }
}

int main(void) {
  test_powers();
  test_integers();
  test_malformed();
  test_texts();
  test_doubles();
  return verdict();
}
