/* See proxies.h. */
#include "proxies.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../core/address.h"
#include "../core/host.h"

enum { HTTP, HTTPS, ALL, NONE, COUNT };

struct luge__proxies {
  size_t size;
  const char *values[COUNT]; /* in `text`; NULL: not set */
  char text[];
};

/* The names of each variable; the first that is set counts. */
static const char *const names[COUNT][2] = {{"http_proxy", NULL},
                                            {"https_proxy", "HTTPS_PROXY"},
                                            {"all_proxy", "ALL_PROXY"},
                                            {"no_proxy", "NO_PROXY"}};

static const char *get(int which) {
  for (int i = 0; i < 2 && names[which][i] != NULL; i++) {
    const char *value = getenv(names[which][i]);
    if (value != NULL) {
      return value[0] != '\0' ? value : NULL;
    }
  }
  return NULL;
}

bool luge__proxies_read(struct luge_host *host,
                        struct luge__proxies **proxies) {
  size_t size = sizeof **proxies;
  *proxies = NULL;
  for (int i = 0; i < COUNT; i++) {
    const char *value = get(i);
    size += value != NULL ? strlen(value) + 1 : 0;
  }
  if (get(HTTP) == NULL && get(HTTPS) == NULL && get(ALL) == NULL) {
    return true;
  }
  struct luge__proxies *read = luge__realloc(host, NULL, 0, size);
  if (read == NULL) {
    return false;
  }
  *read = (struct luge__proxies){.size = size};
  char *at = read->text;
  for (int i = 0; i < COUNT; i++) {
    const char *value = get(i);
    if (value != NULL) {
      read->values[i] = at;
      at = stpcpy(at, value) + 1;
    }
  }
  *proxies = read;
  return true;
}

void luge__proxies_free(struct luge_host *host, struct luge__proxies *proxies) {
  if (proxies != NULL) {
    luge__realloc(host, proxies, proxies->size, 0);
  }
}

/* A domain, with its subdomains; or a block of addresses. */
static bool is_exempt(const char *token, size_t length, const char *name) {
  struct luge_address address;
  struct luge_address_block block;
  size_t whole = strlen(name);
  if (luge__address_parse(&address, name, whole)) {
    return luge__address_block_parse(&block, token, length) &&
           luge__address_block_holds(&block, &address);
  }
  if (length > 0 && token[0] == '.') {
    token++;
    length--;
  }
  if (length > 0 && token[length - 1] == '.') {
    length--;
  }
  return length > 0 && length <= whole &&
         strncasecmp(name + whole - length, token, length) == 0 &&
         (length == whole || name[whole - length - 1] == '.');
}

/* A list, separated by commas or blanks; "*" alone means all hosts. */
static bool goes_without(const char *list, const char *name) {
  static const char between[] = ", \t";
  if (strcmp(list, "*") == 0) {
    return true;
  }
  for (;;) {
    list += strspn(list, between);
    size_t length = strcspn(list, between);
    if (length == 0) {
      return false;
    }
    if (is_exempt(list, length, name)) {
      return true;
    }
    list += length;
  }
}

const char *luge__proxies_choose(const struct luge__proxies *proxies,
                                 bool https, const char *name) {
  if (proxies == NULL || (proxies->values[NONE] != NULL &&
                          goes_without(proxies->values[NONE], name))) {
    return NULL;
  }
  const char *chosen = proxies->values[https ? HTTPS : HTTP];
  return chosen != NULL ? chosen : proxies->values[ALL];
}
