/* Writing numbers.
 *
 * A double is written with the fewest digits that read back as the same
 * double, and among those with the nearest: R. Giulietti, The Schubfach way
 * to render doubles, 2020. `c * 2^q` is the double, `s * 10^k` what is
 * sought; section numbers are the paper's. */
#include "number.h"

#include <string.h>

struct decimal {
  uint64_t digits;
  int exponent;
};

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";

/* Writes `value` so that it ends before `end`; where it begins. */
static char *write_digits(char *end, uint64_t value) {
  while (value >= 100) {
    end -= 2;
    memcpy(end, pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    memcpy(end, pairs + value * 2, 2);
  } else {
    *--end = (char)('0' + value);
  }
  return end;
}

int luge__json_write_integer(char *out, lua_Integer integer) {
  char text[24];
  char *end = text + sizeof text;
  uint64_t value = (uint64_t)integer;
  char *first = write_digits(end, integer < 0 ? 0 - value : value);
  if (integer < 0) {
    *--first = '-';
  }
  size_t length = (size_t)(end - first);
  memcpy(out, first, length);
  return (int)length;
}

/* The upper bits of g * cp, the lowest one set if any bit below was: enough
 * to compare with integers (9.9). */
static uint64_t round_to_odd(struct json_pow10 g, uint64_t cp) {
  uint64_t low, mid;
  uint64_t carry = json_multiply(g.low, cp, &low);
  uint64_t high = json_multiply(g.high, cp, &mid);
  mid += carry;
  high += mid < carry;
  return high | (mid > 1);
}

static struct decimal shortest(uint64_t c, int q, int irregular) {
  int odd = (int)(c & 1);
  /* k is the floor of the base-10 logarithm of the interval's width, which
   * at a power of two is three quarters of the usual. */
  int k = (q * 1262611 - (irregular ? 524031 : 0)) >> 22;
  int h = q + json_log2_pow10(-k) + 1;
  struct json_pow10 g = json_pow10(-k);
  uint64_t below = round_to_odd(g, (4 * c - 2 + (uint64_t)irregular) << h);
  uint64_t value = round_to_odd(g, (4 * c) << h);
  uint64_t above = round_to_odd(g, (4 * c + 2) << h);
  uint64_t lower = below + (uint64_t)odd;
  uint64_t upper = above - (uint64_t)odd;

  uint64_t s = value / 4;
  if (s >= 10) {
    uint64_t tens = s / 10;
    int down = lower <= 40 * tens;
    int up = 40 * tens + 40 <= upper;
    if (down != up) {
      return (struct decimal){tens + (uint64_t)up, k + 1};
    }
  }
  int down = lower <= 4 * s;
  int up = 4 * s + 4 <= upper;
  if (down != up) {
    return (struct decimal){s + (uint64_t)up, k};
  }
  uint64_t mid = 4 * s + 2;
  int round_up = value > mid || (value == mid && (s & 1));
  return (struct decimal){s + (uint64_t)round_up, k};
}

static struct decimal to_decimal(uint64_t bits) {
  uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
  int biased = (int)(bits >> 52 & 0x7FF);
  struct decimal d;
  if (biased == 0) {
    d = shortest(fraction, -1074, 0);
  } else {
    d = shortest(fraction | UINT64_C(1) << 52, biased - 1075,
                 fraction == 0 && biased > 1);
  }
  while (d.digits % 10 == 0) {
    d.digits /= 10;
    d.exponent++;
  }
  return d;
}

static int write_zeros(char *out, int count) {
  memset(out, '0', (size_t)count);
  return count;
}

/* d.ddde-x, with the point `point` places after the first digit. */
static int write_scientific(char *out, const char *digits, int count,
                            int point) {
  int length = 0;
  out[length++] = digits[0];
  if (count > 1) {
    out[length++] = '.';
    memcpy(out + length, digits + 1, (size_t)count - 1);
    length += count - 1;
  }
  out[length++] = 'e';
  return length + luge__json_write_integer(out + length, point - 1);
}

/* The point stands after `point` digits: 0.00123, 1.23, 1230.0. */
static int write_plain(char *out, const char *digits, int count, int point) {
  int length = 0;
  if (point <= 0) {
    memcpy(out, "0.", 2);
    length = 2 + write_zeros(out + 2, -point);
    memcpy(out + length, digits, (size_t)count);
    return length + count;
  }
  if (point >= count) {
    memcpy(out, digits, (size_t)count);
    length = count + write_zeros(out + count, point - count);
    memcpy(out + length, ".0", 2);
    return length + 2;
  }
  memcpy(out, digits, (size_t)point);
  out[point] = '.';
  memcpy(out + point + 1, digits + point, (size_t)(count - point));
  return count + 1;
}

int luge__json_write_double(char *out, lua_Number number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  int sign = (int)(bits >> 63);
  *out = '-';
  out += sign;
  bits &= UINT64_MAX >> 1;
  if (bits == 0) {
    memcpy(out, "0.0", 3);
    return sign + 3;
  }
  struct decimal d = to_decimal(bits);
  char text[24];
  char *end = text + sizeof text;
  char *digits = write_digits(end, d.digits);
  int count = (int)(end - digits);
  int point = count + d.exponent;
  if (point < -4 || point > 17) {
    return sign + write_scientific(out, digits, count, point);
  }
  return sign + write_plain(out, digits, count, point);
}
