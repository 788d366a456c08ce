/* Blocks of addresses, and what addresses reach; see address.h. The blocks are
 * those of the registries of special-purpose addresses (RFC 6890). */
#include <arpa/inet.h>
#include <string.h>

#include "address.h"

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits) {
  unsigned whole = bits / 8, rest = bits % 8;
  return memcmp(a, b, whole) == 0 &&
         (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* Prefixes of IPv6 addresses that lead to an IPv4 address, and where in the
 * address that is. */
static const struct way {
  uint8_t prefix[4];
  uint8_t bits, at;
  bool inverted;
} ways[] = {
    {{0x20, 0x02}, 16, 2, false}, /* 6to4, RFC 3056 */
    {{0x20, 0x01}, 32, 12, true}, /* Teredo, RFC 4380 */
};

/* The first twelve bytes of those that hold it in their last four. */
static const uint8_t compatible[12] = {0};
static const uint8_t translated[12] = {0, 0x64, 0xff, 0x9b}; /* RFC 6052 */

static void take(struct luge_address *inner, const uint8_t *at, bool inverted) {
  struct luge_address found = {.version = 4};
  for (int i = 0; i < 4; i++) {
    found.bytes[i] = inverted ? (uint8_t)~at[i] : at[i];
  }
  *inner = found; /* which may be the one that `at` is part of */
}

/* :: and ::1 look like compatible addresses, but are not. */
static bool is_own(const uint8_t *bytes) {
  static const uint8_t zero[15] = {0};
  return memcmp(bytes, zero, 15) == 0 && bytes[15] <= 1;
}

/* Finds the IPv4 address that an IPv6 one leads to: a compatible one (::/96), a
 * translated one (64:ff9b::/96) or a tunnelled one (2002::/16, 2001::/32).
 * False: it leads to none. */
static bool inner_of(const struct luge_address *address,
                     struct luge_address *inner) {
  const uint8_t *bytes = address->bytes;
  if (address->version != 6 || is_own(bytes)) {
    return false;
  }
  if (same_bits(bytes, compatible, 96) || same_bits(bytes, translated, 96)) {
    take(inner, bytes + 12, false);
    return true;
  }
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    if (same_bits(bytes, ways[i].prefix, ways[i].bits)) {
      take(inner, bytes + ways[i].at, ways[i].inverted);
      return true;
    }
  }
  return false;
}

struct range {
  uint8_t prefix[16];
  uint8_t bits, reach;
};

/* The first that holds an address counts. */
static const struct range ranges_v4[] = {
    {{0}, 8, LUGE_REACH_UNSPECIFIED},
    {{10}, 8, LUGE_REACH_PRIVATE},
    {{100, 64}, 10, LUGE_REACH_PRIVATE},
    {{127}, 8, LUGE_REACH_LOOPBACK},
    {{169, 254}, 16, LUGE_REACH_LINK},
    {{172, 16}, 12, LUGE_REACH_PRIVATE},
    {{192, 0, 0}, 24, LUGE_REACH_RESERVED},
    {{192, 0, 2}, 24, LUGE_REACH_RESERVED},
    {{192, 168}, 16, LUGE_REACH_PRIVATE},
    {{198, 18}, 15, LUGE_REACH_PRIVATE},
    {{198, 51, 100}, 24, LUGE_REACH_RESERVED},
    {{203, 0, 113}, 24, LUGE_REACH_RESERVED},
    {{224}, 4, LUGE_REACH_MULTICAST},
    {{240}, 4, LUGE_REACH_RESERVED},
};

static const struct range ranges_v6[] = {
    {{0}, 128, LUGE_REACH_UNSPECIFIED},
    {{[15] = 1}, 128, LUGE_REACH_LOOPBACK},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, LUGE_REACH_PRIVATE}, /* RFC 8215 */
    {{1}, 64, LUGE_REACH_RESERVED},                        /* discarded */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, LUGE_REACH_RESERVED},
    {{0x3f, 0xff}, 20, LUGE_REACH_RESERVED},
    {{0x5f}, 16, LUGE_REACH_RESERVED}, /* segment routing */
    {{0xfc}, 7, LUGE_REACH_PRIVATE},
    {{0xfe, 0x80}, 10, LUGE_REACH_LINK},
    {{0xfe, 0xc0}, 10, LUGE_REACH_PRIVATE},
    {{0xff}, 8, LUGE_REACH_MULTICAST},
};

static enum luge_reach find(const struct range *ranges, size_t count,
                            const uint8_t *bytes) {
  for (size_t i = 0; i < count; i++) {
    if (same_bits(bytes, ranges[i].prefix, ranges[i].bits)) {
      return (enum luge_reach)ranges[i].reach;
    }
  }
  return LUGE_REACH_PUBLIC;
}

enum luge_reach luge__address_reach(const struct luge_address *address) {
  struct luge_address inner;
  if (inner_of(address, &inner)) {
    address = &inner;
  }
  return address->version == 4
             ? find(ranges_v4, sizeof ranges_v4 / sizeof *ranges_v4,
                    address->bytes)
             : find(ranges_v6, sizeof ranges_v6 / sizeof *ranges_v6,
                    address->bytes);
}

static bool read_bits(const char *text, unsigned most, unsigned *bits) {
  *bits = 0;
  size_t length = strlen(text);
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') {
      return false;
    }
    *bits = *bits * 10 + (unsigned)(text[i] - '0');
  }
  return length >= 1 && length <= 3 && *bits <= most;
}

static bool has_rest(const uint8_t *bytes, unsigned bits, unsigned all) {
  for (unsigned i = bits; i < all; i++) {
    if (bytes[i / 8] >> (7 - i % 8) & 1) {
      return true;
    }
  }
  return false;
}

/* Addresses are never mapped ones. */
static void unmap(struct luge_address_block *block) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  if (block->base.version == 6 && block->bits >= 96 &&
      same_bits(block->base.bytes, mapped, 96)) {
    take(&block->base, block->base.bytes + 12, false);
    block->bits = (uint8_t)(block->bits - 96);
  }
}

bool luge__address_block_parse(struct luge_address_block *block,
                               const char *text, size_t length) {
  char copy[INET6_ADDRSTRLEN + 4];
  if (length >= sizeof copy || memchr(text, '\0', length) != NULL) {
    return false;
  }
  memcpy(copy, text, length);
  copy[length] = '\0';
  char *slash = strchr(copy, '/');
  if (slash != NULL) {
    *slash++ = '\0';
  }
  struct luge_address base = {.version = 4};
  if (inet_pton(AF_INET, copy, base.bytes) != 1) {
    base.version = 6;
    if (inet_pton(AF_INET6, copy, base.bytes) != 1) {
      return false;
    }
  }
  unsigned all = base.version == 4 ? 32 : 128, bits = all;
  if ((slash != NULL && !read_bits(slash, all, &bits)) ||
      has_rest(base.bytes, bits, all)) {
    return false;
  }
  *block = (struct luge_address_block){.base = base, .bits = (uint8_t)bits};
  unmap(block);
  return true;
}

static bool holds(const struct luge_address_block *block,
                  const struct luge_address *address) {
  return block->base.version == address->version &&
         same_bits(block->base.bytes, address->bytes, block->bits);
}

bool luge__address_block_holds(const struct luge_address_block *block,
                               const struct luge_address *address) {
  struct luge_address inner;
  return holds(block, address) ||
         (inner_of(address, &inner) && holds(block, &inner));
}
