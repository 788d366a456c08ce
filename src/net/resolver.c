/* See resolver.h. */
#include "resolver.h"

#include <string.h>

#include "../core/host.h"
#include "names.h"

struct resolver {
  struct luge_service service;
  struct luge_host *host;
  struct luge__names names;
  uv_async_t ready;
  bool stopped;
};

/* The service. */

static void on_ready(uv_async_t *ready) {
  struct resolver *resolver = luge__container(ready, struct resolver, ready);
  if (!resolver->stopped) {
    luge__names_turn(&resolver->names);
  }
}

static void on_closed(uv_handle_t *handle) {
  struct resolver *resolver = luge__container(handle, struct resolver, ready);
  resolver->host->handles--;
}

static void stop(struct luge_service *service) {
  struct resolver *resolver =
      luge__container(service, struct resolver, service);
  resolver->stopped = true;
  luge__names_close(&resolver->names);
  uv_close((uv_handle_t *)&resolver->ready, on_closed);
}

static void freed(struct luge_service *service) {
  struct resolver *resolver =
      luge__container(service, struct resolver, service);
  luge__realloc(resolver->host, resolver, sizeof *resolver, 0);
}

static bool open_resolver(struct resolver *resolver) {
  struct luge_host *host = resolver->host;
  if (!luge__names_init(&resolver->names, host, &resolver->ready)) {
    return false;
  }
  if (uv_async_init(host->loop, &resolver->ready, on_ready) != 0) {
    luge__names_close(&resolver->names);
    return false;
  }
  uv_unref((uv_handle_t *)&resolver->ready);
  host->handles++;
  return true;
}

/* The host's resolver, made when it is first needed; NULL: out of memory. */
static struct resolver *resolver_of(struct luge_host *host) {
  for (struct luge_service *at = host->services; at != NULL; at = at->next) {
    if (at->stop == stop) {
      return luge__container(at, struct resolver, service);
    }
  }
  struct resolver *resolver = luge__realloc(host, NULL, 0, sizeof *resolver);
  if (resolver == NULL) {
    return NULL;
  }
  *resolver = (struct resolver){.service = {.stop = stop, .freed = freed},
                                .host = host};
  if (!open_resolver(resolver)) {
    luge__realloc(host, resolver, sizeof *resolver, 0);
    return NULL;
  }
  luge__service_start(host, &resolver->service);
  return resolver;
}

/* Asking. */

static enum luge_resolve fail(struct luge_query *query,
                              enum luge_resolve status, const char *problem) {
  query->problem = problem;
  return query->status = status;
}

static enum luge_resolve answer_with(struct luge_query *query,
                                     struct luge_answer *answer) {
  query->answer = answer;
  return query->status = answer != NULL ? LUGE_RESOLVE_OK : LUGE_RESOLVE_MEMORY;
}

static enum luge_resolve answer_address(struct luge_host *host,
                                        struct luge_query *query,
                                        const struct luge_address *address) {
  struct luge_answer *answer = luge__answer_new(host, 1);
  if (answer != NULL) {
    answer->addresses[0] = *address;
  }
  return answer_with(query, answer);
}

/* IPv4 first: most of what listens on this machine does so there, and whoever
 * connects tries the other address next. */
static enum luge_resolve answer_local(struct luge_host *host,
                                      struct luge_query *query) {
  struct luge_answer *answer = luge__answer_new(host, 2);
  if (answer != NULL) {
    luge__address_parse(&answer->addresses[0], "127.0.0.1", 9);
    luge__address_parse(&answer->addresses[1], "::1", 3);
  }
  return answer_with(query, answer);
}

static enum luge_resolve ask(struct luge_host *host, struct luge_query *query,
                             const char *name) {
  struct resolver *resolver = resolver_of(host);
  if (resolver == NULL) {
    return fail(query, LUGE_RESOLVE_MEMORY, NULL);
  }
  if (resolver->stopped) {
    return fail(query, LUGE_RESOLVE_CLOSED, NULL);
  }
  struct luge_answer *kept = luge__names_answer(&resolver->names, name);
  if (kept != NULL) {
    luge__answer_ref(kept);
    return answer_with(query, kept);
  }
  return query->status = luge__names_ask(&resolver->names, query, name);
}

enum luge_resolve luge__resolve(struct luge_host *host,
                                struct luge_query *query, const char *text,
                                size_t length,
                                void (*done)(struct luge_query *query)) {
  struct luge_address address;
  char name[LUGE_HOST_MAX + 2];
  *query = (struct luge_query){.done = done};
  if (luge__address_parse(&address, text, length)) {
    return answer_address(host, query, &address);
  }
  const char *problem = luge__host_normalize(text, length, name);
  if (problem == NULL && luge__address_is_numeric(text, length)) {
    problem = "it ends in a number, but is no address";
  }
  if (problem != NULL) {
    return fail(query, LUGE_RESOLVE_INVALID, problem);
  }
  if (luge__host_is_local(name)) {
    return answer_local(host, query);
  }
  if (text[length - 1] == '.') { /* it is complete: no domain is appended */
    size_t end = strlen(name);
    name[end] = '.';
    name[end + 1] = '\0';
  }
  return ask(host, query, name);
}

void luge__resolve_end(struct luge_query *query) {
  if (query->name != NULL) {
    luge__names_leave(query);
  }
  luge__list_remove(&query->link); /* it may be about to be told */
  luge__answer_unref(query->answer);
  query->answer = NULL;
}
