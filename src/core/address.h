/* Addresses of the Internet Protocol, without ports: read, written, compared
 * with blocks, and told by what they reach. One implementation for permissions,
 * the resolver, sockets and HTTP, so that what is checked is what is connected
 * to. Pure functions: they own nothing, and run on any thread. */
#ifndef LUGE_CORE_ADDRESS_H
#define LUGE_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
  LUGE_ADDRESS_TEXT = 64, /* bytes of a formatted address, with its 0 */
  LUGE_HOST_MAX = 253     /* bytes of a host's name, without a final dot */
};

struct luge_address {
  uint8_t version;   /* 4 or 6; never 6 for mapped addresses, which are 4 */
  uint8_t bytes[16]; /* in network order; of IPv4 the first four */
  uint32_t zone;     /* of a link-local address of IPv6, its interface; or 0 */
};

/* What an address reaches: itself, or what it is a way to. */
enum luge_reach {
  LUGE_REACH_PUBLIC,
  LUGE_REACH_UNSPECIFIED, /* 0.0.0.0/8, ::, which connect to this machine */
  LUGE_REACH_LOOPBACK,    /* 127.0.0.0/8, ::1 */
  LUGE_REACH_LINK,        /* 169.254.0.0/16, fe80::/10: metadata services too */
  LUGE_REACH_PRIVATE,     /* 10/8, 172.16/12, 192.168/16, fc00::/7, fec0::/10,
                             100.64/10, 198.18/15, 64:ff9b:1::/48 */
  LUGE_REACH_MULTICAST,
  LUGE_REACH_RESERVED /* for documentation, for later, or for no host */
};

/* A block of addresses: those whose first `bits` are the base's. */
struct luge_address_block {
  struct luge_address base;
  uint8_t bits;
};

/* Reads an address in every form that a resolver takes: IPv6, in brackets or
 * not, with a zone or not; IPv4 also in inet_aton's forms, such as 127.1,
 * 2130706433, 0x7f.0.0.1 and 0177.1. False: the text is not an address. */
bool luge__address_parse(struct luge_address *address, const char *text,
                         size_t length);

/* Whether a text that is not an address cannot be a name either: its last part
 * is a number, so some programs would read it as an address. */
bool luge__address_is_numeric(const char *text, size_t length);

/* Writes it in its one canonical form (RFC 5952), a zone as its number;
 * returns `text`. */
const char *luge__address_format(const struct luge_address *address,
                                 char text[LUGE_ADDRESS_TEXT]);

/* False: the family is another. */
bool luge__address_from_sockaddr(struct luge_address *address,
                                 const struct sockaddr *from);

/* Returns the size of what it has written. */
socklen_t luge__address_to_sockaddr(const struct luge_address *address,
                                    uint16_t port, struct sockaddr_storage *to);

bool luge__address_equal(const struct luge_address *a,
                         const struct luge_address *b);

enum luge_reach luge__address_reach(const struct luge_address *address);

/* Reads "ADDRESS/BITS", or an address, which is a block of one. Strict: four
 * decimal numbers or IPv6, no zone, and no bit set after the first BITS.
 * A block of mapped addresses is the block of IPv4. */
bool luge__address_block_parse(struct luge_address_block *block,
                               const char *text, size_t length);

/* Whether the address, or the one that it leads to, is in the block. */
bool luge__address_block_holds(const struct luge_address_block *block,
                               const struct luge_address *address);

/* Makes a host's name comparable: lower case, without a final dot. `name` has
 * room for LUGE_HOST_MAX + 1 bytes. Returns NULL; or, in words, why the text is
 * not a name: it is empty, is longer than 253 bytes, has a label that is empty
 * or longer than 63 bytes, or a character that no name has. Names that are not
 * ASCII are refused: they have an ASCII form, xn--. */
const char *luge__host_normalize(const char *text, size_t length,
                                 char name[LUGE_HOST_MAX + 1]);

/* Whether the normalised name is "localhost" or ends in ".localhost", which
 * is this machine without being looked up (RFC 6761, 6.3). */
bool luge__host_is_local(const char *name);

#endif
