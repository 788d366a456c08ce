/* Addresses as text and as libc has them; see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static int digit_of(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Reads a decimal, octal or hexadecimal number, as C writes them, up to `end`.
 * False: it is none, or takes more than 32 bits. */
static bool read_number(const char *at, const char *end, uint32_t *number) {
  int base = 10;
  uint64_t value = 0;
  if (end - at > 1 && at[0] == '0') {
    base = (at[1] | 0x20) == 'x' ? 16 : 8;
    at += base == 16 ? 2 : 1; /* "0x" alone is 0 to some */
  } else if (at == end) {
    return false;
  }
  for (; at < end; at++) {
    int digit = digit_of(*at);
    if (digit >= base) {
      return false;
    }
    value = value * (unsigned)base + (unsigned)digit;
    if (value > UINT32_MAX) {
      return false;
    }
  }
  *number = (uint32_t)value;
  return true;
}

static void set_v4(struct luge_address *address, uint32_t value) {
  *address = (struct luge_address){.version = 4};
  for (int i = 0; i < 4; i++) {
    address->bytes[i] = (uint8_t)(value >> (24 - 8 * i));
  }
}

/* One to four numbers: the last one fills the bytes that are left. A final dot
 * is allowed, as in names. */
static bool parse_v4(struct luge_address *address, const char *text,
                     size_t length) {
  const char *at = text, *end = text + length;
  uint32_t value = 0, number;
  if (length > 0 && end[-1] == '.') {
    end--;
  }
  for (int parts = 1; parts <= 4; parts++) {
    const char *dot = memchr(at, '.', (size_t)(end - at));
    if (!read_number(at, dot != NULL ? dot : end, &number)) {
      return false;
    }
    if (dot == NULL) {
      int bits = 8 * (5 - parts);
      if (bits < 32 && number >> bits != 0) {
        return false;
      }
      set_v4(address, value | number);
      return true;
    }
    if (number > 255) {
      return false;
    }
    value |= number << (32 - 8 * parts);
    at = dot + 1;
  }
  return false;
}

/* The number or the name of an interface. */
static bool parse_zone(struct luge_address *address, const char *text) {
  if (!read_number(text, text + strlen(text), &address->zone)) {
    address->zone = if_nametoindex(text);
  }
  return address->zone != 0;
}

/* ::ffff:1.2.3.4 is 1.2.3.4 to the system. */
static void unmap(struct luge_address *address) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  if (address->version == 6 && memcmp(address->bytes, mapped, 12) == 0) {
    uint8_t bytes[4];
    memcpy(bytes, address->bytes + 12, 4);
    *address = (struct luge_address){.version = 4};
    memcpy(address->bytes, bytes, 4);
  }
}

static bool parse_v6(struct luge_address *address, const char *text,
                     size_t length) {
  char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 4];
  if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
    text++;
    length -= 2;
  }
  if (length >= sizeof copy || memchr(text, '\0', length) != NULL) {
    return false;
  }
  memcpy(copy, text, length);
  copy[length] = '\0';
  char *zone = strchr(copy, '%');
  if (zone != NULL) {
    *zone++ = '\0';
  }
  *address = (struct luge_address){.version = 6};
  if (inet_pton(AF_INET6, copy, address->bytes) != 1 ||
      (zone != NULL && !parse_zone(address, zone))) {
    return false;
  }
  unmap(address);
  return true;
}

bool luge__address_parse(struct luge_address *address, const char *text,
                         size_t length) {
  return parse_v4(address, text, length) || parse_v6(address, text, length);
}

bool luge__address_is_numeric(const char *text, size_t length) {
  uint32_t number;
  const char *end = text + length;
  if (length > 0 && end[-1] == '.') {
    end--;
  }
  const char *last = end;
  bool decimal = true;
  for (; last > text && last[-1] != '.'; last--) {
    decimal = decimal && last[-1] >= '0' && last[-1] <= '9';
  }
  return last < end && (decimal || read_number(last, end, &number));
}

const char *luge__address_format(const struct luge_address *address,
                                 char text[LUGE_ADDRESS_TEXT]) {
  int family = address->version == 4 ? AF_INET : AF_INET6;
  if (inet_ntop(family, address->bytes, text, LUGE_ADDRESS_TEXT) == NULL) {
    text[0] = '\0';
  }
  if (address->zone != 0) {
    size_t length = strlen(text);
    snprintf(text + length, LUGE_ADDRESS_TEXT - length, "%%%u",
             (unsigned)address->zone);
  }
  return text;
}

bool luge__address_from_sockaddr(struct luge_address *address,
                                 const struct sockaddr *from) {
  *address = (struct luge_address){0};
  if (from->sa_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, from, sizeof in);
    address->version = 4;
    memcpy(address->bytes, &in.sin_addr, 4);
    return true;
  }
  if (from->sa_family == AF_INET6) {
    struct sockaddr_in6 in6;
    memcpy(&in6, from, sizeof in6);
    address->version = 6;
    memcpy(address->bytes, &in6.sin6_addr, 16);
    address->zone = in6.sin6_scope_id;
    unmap(address);
    return true;
  }
  return false;
}

socklen_t luge__address_to_sockaddr(const struct luge_address *address,
                                    uint16_t port,
                                    struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  if (address->version == 4) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&in.sin_addr, address->bytes, 4);
    memcpy(to, &in, sizeof in);
    return sizeof in;
  }
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                             .sin6_port = htons(port),
                             .sin6_scope_id = address->zone};
  memcpy(&in6.sin6_addr, address->bytes, 16);
  memcpy(to, &in6, sizeof in6);
  return sizeof in6;
}

bool luge__address_equal(const struct luge_address *a,
                         const struct luge_address *b) {
  return a->version == b->version && a->zone == b->zone &&
         memcmp(a->bytes, b->bytes, a->version == 4 ? 4 : 16) == 0;
}
