/* Deciding about hosts and addresses; see permission.h. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "permission_decide.h"

const char *luge__net_resource(char text[LUGE_NET_RESOURCE], const char *host,
                               uint16_t port) {
  snprintf(text, LUGE_NET_RESOURCE,
           strchr(host, ':') != NULL ? "[%.*s]:%u" : "%.*s:%u", LUGE_HOST_MAX,
           host, (unsigned)port);
  return text;
}

/* What is asked about; the subject points into it. */
struct target {
  struct luge_address address, loopback;
  struct luge_subject subject;
  char resource[LUGE_NET_RESOURCE];
};

/* Rules know no zones of addresses. */
static void name_resource(struct target *target, const char *host,
                          uint16_t port) {
  char plain[LUGE_HOST_MAX + 1];
  size_t length = strcspn(host, "%");
  snprintf(plain, sizeof plain, "%.*s", (int)length, host);
  luge__net_resource(target->resource, plain, port);
}

static bool listens(enum luge_operation operation) {
  return operation == LUGE_OP_NET_LISTEN || operation == LUGE_OP_HTTP_LISTEN;
}

/* This machine goes by many names: who connects to 0.0.0.0 gets to 127.0.0.1,
 * and all of these are "localhost". */
static void set_address(struct target *target, enum luge_operation operation) {
  struct luge_subject *subject = &target->subject;
  enum luge_reach reach = luge__address_reach(&target->address);
  subject->address = &target->address;
  if (reach == LUGE_REACH_UNSPECIFIED && !listens(operation)) {
    const char *text = target->address.version == 4 ? "127.0.0.1" : "::1";
    luge__address_parse(&target->loopback, text, strlen(text));
    subject->other = &target->loopback;
    reach = LUGE_REACH_LOOPBACK;
  }
  subject->alias = reach == LUGE_REACH_LOOPBACK ? "localhost" : NULL;
}

/* A name is not denied yet if its addresses are to be asked about and may be
 * allowed. */
static void permit_host(lua_State *L, enum luge_operation operation,
                        const char *name, uint16_t port, bool asks_again) {
  struct luge_host *host = luge__host(L);
  struct target target = {.subject = {.text = name, .port = port}};
  if (luge__is_trusted(host)) {
    return;
  }
  bool literal = luge__address_parse(&target.address, name, strlen(name));
  if (literal) {
    target.subject.text = NULL;
    set_address(&target, operation);
  }
  struct luge_verdict verdict = luge__judge(host, operation, &target.subject);
  if (!literal && asks_again && !verdict.allowed && verdict.rule[0] == '\0' &&
      luge__rules_await_address(&host->permission->rules[LUGE_CAP_NET], port)) {
    return;
  }
  name_resource(&target, name, port);
  verdict = luge__settle(host, operation, target.resource, verdict);
  if (!verdict.allowed) {
    luge__deny(L, operation, target.resource, verdict.rule);
  }
}

void luge__permit_host(lua_State *L, enum luge_operation operation,
                       const char *name, uint16_t port) {
  permit_host(L, operation, name, port, true);
}

void luge__permit_remote(lua_State *L, enum luge_operation operation,
                         const char *name, uint16_t port) {
  permit_host(L, operation, name, port, false);
}

static uint16_t port_of(const struct sockaddr *address) {
  return ntohs(address->sa_family == AF_INET6
                   ? ((const struct sockaddr_in6 *)address)->sin6_port
                   : ((const struct sockaddr_in *)address)->sin_port);
}

/* An address, and the name that it was found by. */
static bool find(struct target *target, enum luge_operation operation,
                 const char *name, const struct sockaddr *address) {
  char text[LUGE_ADDRESS_TEXT];
  if (!luge__address_from_sockaddr(&target->address, address)) {
    return false;
  }
  uint16_t port = port_of(address);
  target->subject = (struct luge_subject){.text = name, .port = port};
  set_address(target, operation);
  luge__address_format(&target->address, text);
  name_resource(target, text, port);
  return true;
}

bool luge__permits_address(struct luge_host *host,
                           enum luge_operation operation, const char *name,
                           const struct sockaddr *address) {
  struct target target;
  if (luge__is_trusted(host)) {
    return true;
  }
  return find(&target, operation, name, address) &&
         luge__settle(host, operation, target.resource,
                      luge__judge(host, operation, &target.subject))
             .allowed;
}

int luge__permission_raise_address(lua_State *L, enum luge_operation operation,
                                   const char *name,
                                   const struct sockaddr *address) {
  struct target target;
  if (!find(&target, operation, name, address)) {
    return luge__permission_raise(L, operation, name != NULL ? name : "");
  }
  struct luge_verdict verdict =
      luge__judge(luge__host(L), operation, &target.subject);
  return luge__deny(L, operation, target.resource,
                    verdict.allowed ? "authorize" : verdict.rule);
}
