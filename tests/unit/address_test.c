/* Addresses: read as all resolvers do, written in one form, compared with
 * blocks, and told by what they reach. */
#include "core/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "../support/check.h"

static bool parse(struct luge_address *address, const char *text) {
  return luge__address_parse(address, text, strlen(text));
}

/* How each is written; NULL: it is none. */
static const struct {
  const char *text, *form;
} addresses[] = {
    {"127.0.0.1", "127.0.0.1"},
    {"127.1", "127.0.0.1"},
    {"127.0.1", "127.0.0.1"},
    {"0", "0.0.0.0"},
    {"0x7f.1", "127.0.0.1"},
    {"0X7F.0x0.0.1", "127.0.0.1"},
    {"2130706433", "127.0.0.1"},
    {"0x7f000001", "127.0.0.1"},
    {"017700000001", "127.0.0.1"},
    {"0177.0.0.1", "127.0.0.1"},
    {"127.0.0.1.", "127.0.0.1"},
    {"10.65535", "10.0.255.255"},
    {"255.255.255.255", "255.255.255.255"},
    {"4294967295", "255.255.255.255"},
    {"::1", "::1"},
    {"[::1]", "::1"},
    {"0:0:0:0:0:0:0:1", "::1"},
    {"::ffff:127.0.0.1", "127.0.0.1"},
    {"[::FFFF:7f00:1]", "127.0.0.1"},
    {"64:ff9b::7f00:1", "64:ff9b::7f00:1"},
    {"2001:DB8::0:1", "2001:db8::1"},
    {"fe80::1%3", "fe80::1%3"},
    {"[fe80::1%3]", "fe80::1%3"},
    {"", NULL},
    {".", NULL},
    {"1.", "0.0.0.1"},
    {"1..2", NULL},
    {"1.2.3.4.5", NULL},
    {"256.1.1.1", NULL},
    {"1.256.1.1", NULL},
    {"1.16777216", NULL},
    {"4294967296", NULL},
    {"99999999999999999999", NULL},
    {"08.1.1.1", NULL},
    {"0xg", NULL},
    {"1 ", NULL},
    {" 1", NULL},
    {"-1", NULL},
    {"+1", NULL},
    {"example.com", NULL},
    {"a.1", NULL},
    {"[127.0.0.1]", NULL},
    {"[::1", NULL},
    {"::1%", NULL},
    {"fe80::1%nowhere", NULL},
    {"1::2::3", NULL},
    {":::", NULL},
    {"::1 ", NULL},
};

static void test_parse(void) {
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    struct luge_address address;
    char text[LUGE_ADDRESS_TEXT];
    bool read = parse(&address, addresses[i].text);
    EXPECT(read == (addresses[i].form != NULL), "%s", addresses[i].text);
    if (read && addresses[i].form != NULL) {
      luge__address_format(&address, text);
      EXPECT(strcmp(text, addresses[i].form) == 0, "%s", text);
    }
  }
  struct luge_address address;
  CHECK(!luge__address_parse(&address, "::1\0", 4));
  CHECK(!luge__address_parse(&address, "1\0", 2));
}

static void test_numeric(void) {
  static const char *const yes[] = {"256.1.1.1", "1.2.3.4.5",      "a.1",
                                    "a.0x1",     "a.99999999999.", "09"};
  static const char *const no[] = {"example.com", "1a", "a.1b", "", ".", "0xg"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    EXPECT(luge__address_is_numeric(yes[i], strlen(yes[i])), "%s", yes[i]);
  }
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
    EXPECT(!luge__address_is_numeric(no[i], strlen(no[i])), "%s", no[i]);
  }
}

static void test_sockaddr(void) {
  static const char *const texts[] = {"1.2.3.4", "::1", "fe80::1%7"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct luge_address address, back;
    struct sockaddr_storage to;
    EXPECT(parse(&address, texts[i]), "%s", texts[i]);
    socklen_t size = luge__address_to_sockaddr(&address, 80, &to);
    EXPECT(size == (address.version == 4 ? sizeof(struct sockaddr_in)
                                         : sizeof(struct sockaddr_in6)),
           "%s", texts[i]);
    EXPECT(luge__address_from_sockaddr(&back, (struct sockaddr *)&to) &&
               luge__address_equal(&address, &back),
           "%s", texts[i]);
  }
  struct sockaddr other = {.sa_family = AF_UNIX};
  struct luge_address address;
  CHECK(!luge__address_from_sockaddr(&address, &other));
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
  inet_pton(AF_INET6, "::ffff:10.0.0.1", &in6.sin6_addr);
  CHECK(luge__address_from_sockaddr(&address, (struct sockaddr *)&in6) &&
        address.version == 4);
}

static const struct {
  const char *text;
  enum luge_reach reach;
} reached[] = {
    {"8.8.8.8", LUGE_REACH_PUBLIC},
    {"0.0.0.0", LUGE_REACH_UNSPECIFIED},
    {"0.1.2.3", LUGE_REACH_UNSPECIFIED},
    {"127.255.0.1", LUGE_REACH_LOOPBACK},
    {"169.254.169.254", LUGE_REACH_LINK},
    {"100.64.0.1", LUGE_REACH_PRIVATE},
    {"100.128.0.1", LUGE_REACH_PUBLIC},
    {"172.31.255.255", LUGE_REACH_PRIVATE},
    {"172.32.0.0", LUGE_REACH_PUBLIC},
    {"192.0.2.1", LUGE_REACH_RESERVED},
    {"239.1.1.1", LUGE_REACH_MULTICAST},
    {"255.255.255.255", LUGE_REACH_RESERVED},
    {"::", LUGE_REACH_UNSPECIFIED},
    {"::1", LUGE_REACH_LOOPBACK},
    {"::ffff:127.0.0.1", LUGE_REACH_LOOPBACK},
    {"::127.0.0.1", LUGE_REACH_LOOPBACK},
    {"64:ff9b::7f00:1", LUGE_REACH_LOOPBACK},
    {"64:ff9b::808:808", LUGE_REACH_PUBLIC},
    {"64:ff9b:1::1", LUGE_REACH_PRIVATE},
    {"2002:a00:1::1", LUGE_REACH_PRIVATE},
    {"2001:0:1:2:3:4:80ff:fffe", LUGE_REACH_LOOPBACK},
    {"fe80::1", LUGE_REACH_LINK},
    {"febf::1", LUGE_REACH_LINK},
    {"fec0::1", LUGE_REACH_PRIVATE},
    {"fd00::1", LUGE_REACH_PRIVATE},
    {"ff02::1", LUGE_REACH_MULTICAST},
    {"2001:db8::1", LUGE_REACH_RESERVED},
    {"2606:4700::1111", LUGE_REACH_PUBLIC},
};

static void test_reach(void) {
  for (size_t i = 0; i < sizeof reached / sizeof *reached; i++) {
    struct luge_address address;
    EXPECT(parse(&address, reached[i].text) &&
               luge__address_reach(&address) == reached[i].reach,
           "%s", reached[i].text);
  }
}

static const struct {
  const char *block, *address;
  bool holds;
} blocks[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"0.0.0.0/0", "1.2.3.4", true},
    {"0.0.0.0/0", "2606::1", false},
    {"::/0", "2606::1", true},
    {"::/0", "1.2.3.4", false},
    {"::/0", "::ffff:1.2.3.4", false},
    {"127.0.0.1", "127.1", true},
    {"127.0.0.1", "127.0.0.2", false},
    {"127.0.0.0/8", "::ffff:127.9.9.9", true},
    {"127.0.0.0/8", "64:ff9b::7f00:1", true},
    {"64:ff9b::/96", "64:ff9b::7f00:1", true},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"fe80::/10", "fe80::1%2", true},
    {"2001:db8::/33", "2001:db8:7fff::", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"192.168.1.128/25", "192.168.1.200", true},
    {"192.168.1.128/25", "192.168.1.100", false},
};

static void test_blocks(void) {
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    struct luge_address_block block;
    struct luge_address address;
    bool read = luge__address_block_parse(&block, blocks[i].block,
                                          strlen(blocks[i].block)) &&
                parse(&address, blocks[i].address);
    EXPECT(read &&
               luge__address_block_holds(&block, &address) == blocks[i].holds,
           "%s, %s", blocks[i].block, blocks[i].address);
  }
  static const char *const bad[] = {
      "",           "/8",         "10.0.0.0/",      "10.0.0.0/33", "10.0.0.1/8",
      "10/8",       "0x7f.0.0.1", "10.0.0.0/8/8",   "10.0.0.0/ 8", "::/129",
      "fe80::1%1",  "[::1]",      "2001:db8::1/64", "a",           "0177.0.0.1",
      "10.0.0.0/-1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct luge_address_block block;
    EXPECT(!luge__address_block_parse(&block, bad[i], strlen(bad[i])), "%s",
           bad[i]);
  }
}

static void test_names(void) {
  char name[LUGE_HOST_MAX + 1], text[300];
  CHECK(luge__host_normalize("EXAMPLE.Com.", 12, name) == NULL &&
        strcmp(name, "example.com") == 0);
  static const char *const bad[] = {"",          ".",   "..",  "a..b", ".a",
                                    "a b",       "a/b", "a@b", "a#b",  "a%b",
                                    "b\xc3\xbc", "a:1", "[a]", "a.."};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    EXPECT(luge__host_normalize(bad[i], strlen(bad[i]), name) != NULL, "%s",
           bad[i]);
  }
  CHECK(luge__host_normalize("a\0b", 3, name) != NULL);
  memset(text, 'a', sizeof text);
  CHECK(luge__host_normalize(text, 63, name) == NULL);
  CHECK(luge__host_normalize(text, 64, name) != NULL);
  for (size_t i = 1; i < sizeof text; i += 2) {
    text[i] = '.';
  }
  CHECK(luge__host_normalize(text, 253, name) == NULL);
  CHECK(luge__host_normalize(text, 254, name) == NULL);
  CHECK(luge__host_normalize(text, 255, name) != NULL);
  CHECK(luge__host_is_local("localhost") && luge__host_is_local("a.localhost"));
  CHECK(!luge__host_is_local("alocalhost") &&
        !luge__host_is_local("localhost.a") && !luge__host_is_local("host"));
}

int main(void) {
  test_parse();
  test_numeric();
  test_sockaddr();
  test_reach();
  test_blocks();
  test_names();
  return verdict();
}
