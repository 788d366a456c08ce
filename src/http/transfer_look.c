/* Names of a transfer. libcurl looks nothing up: when it needs the addresses of
 * a name, because there is no connection to be used again and it was not told
 * them of late, it is made to give up, before anything is sent. The names on
 * the way are then looked up by the host's resolver, libcurl is told the
 * addresses (CURLOPT_RESOLVE, for all transfers of the client), and the
 * transfer begins again. So what goes over a kept connection, or to an address,
 * costs no look at the resolver. */
#include <stdio.h>
#include <string.h>

#include "../net/resolver.h"
#include "transfer.h"

/* If libcurl asks again within so many nanoseconds, it is for another name. */
static const uint64_t TOO_SOON = 1000000000;

struct question {
  struct luge_query query;
  struct luge__look *look;
};

struct luge__look {
  struct luge__transfer *transfer;
  struct luge__stop stops[LUGE_STOPS];
  struct question questions[LUGE_STOPS];
  struct curl_slist nodes[LUGE_STOPS]; /* of what is in `text` */
  struct luge__bytes text;
  unsigned count, pending;
  uint64_t told; /* when libcurl was, or 0 */
};

bool luge__transfer_needs_no_name(const struct luge__transfer *t) {
  const struct luge__look *look = t->look;
  if (look == NULL) {
    return t->route.literal;
  }
  for (unsigned i = 0; i < look->count; i++) {
    if (look->stops[i].literal) {
      return true; /* the names it knows: it asks about the address */
    }
  }
  return t->route.literal;
}

bool luge__transfer_is_looking(const struct luge__transfer *t) {
  return t->look != NULL && t->look->told == 0;
}

void luge__transfer_end_look(struct luge__transfer *t) {
  struct luge__look *look = t->look;
  if (look == NULL) {
    return;
  }
  for (unsigned i = 0; i < look->count; i++) {
    luge__resolve_end(&look->questions[i].query);
  }
  luge__transfer_curl(t)->easy_setopt(t->easy, CURLOPT_RESOLVE, NULL);
  luge__bytes_free(&look->text, luge__transfer_memory(t));
  luge__realloc(luge__transfer_host(t), look, sizeof *look, 0);
  t->look = NULL;
}

/* What came. */

static void explain(struct luge__transfer *t, const char *problem) {
  snprintf(t->problem, sizeof t->problem, "%s", problem != NULL ? problem : "");
}

static enum luge__failure failure_of(const struct luge__look *look,
                                     unsigned at) {
  const struct luge_query *query = &look->questions[at].query;
  explain(look->transfer, query->problem);
  switch (query->status) {
  case LUGE_RESOLVE_INVALID:
    return LUGE_FAILURE_BAD_NAME;
  case LUGE_RESOLVE_FAILED:
    return look->stops[at].operation == LUGE_OP_HTTP_PROXY
               ? LUGE_FAILURE_PROXY_NAME
               : LUGE_FAILURE_NAME;
  case LUGE_RESOLVE_THREADS:
    return LUGE_FAILURE_THREADS;
  case LUGE_RESOLVE_CLOSED:
    return LUGE_FAILURE_CLOSED;
  default:
    return LUGE_FAILURE_MEMORY;
  }
}

static bool append(struct luge__look *look, const char *text) {
  return luge__bytes_append(&look->text, luge__transfer_memory(look->transfer),
                            text, strlen(text));
}

/* "+name:port:address,address", which is kept no longer than others. Says how
 * many addresses there are; -1: out of memory. */
static int write_entry(struct luge__look *look, unsigned at) {
  const struct luge__stop *stop = &look->stops[at];
  const struct luge_answer *answer = look->questions[at].query.answer;
  char text[LUGE_ADDRESS_TEXT], port[16];
  int count = 0, of_four = 0;
  snprintf(port, sizeof port, ":%u:", (unsigned)stop->port);
  bool ok = append(look, "+") && append(look, stop->name) && append(look, port);
  for (unsigned i = 0; ok && i < answer->count; i++) {
    const struct luge_address *address = &answer->addresses[i];
    if (address->zone == 0 && /* libcurl reads none */
        luge__route_permits(look->transfer, stop, at, address)) {
      luge__address_format(address, text);
      ok = append(look, count++ > 0 ? "," : "") && append(look, text);
      of_four += address->version == 4;
    }
  }
  look->transfer->several |= of_four > 1 || count - of_four > 1;
  ok = ok && luge__bytes_append(&look->text,
                                luge__transfer_memory(look->transfer), "", 1);
  return ok ? count : -1;
}

static enum luge__failure none_left(struct luge__transfer *t) {
  explain(t, "libcurl cannot use the addresses of the name");
  return t->route.refused.version != 0 ? LUGE_FAILURE_REFUSED
                                       : LUGE_FAILURE_NAME;
}

static void link_nodes(struct luge__look *look, unsigned count) {
  char *at = look->text.ptr;
  for (unsigned i = 0; i < count; i++) {
    look->nodes[i].data = at;
    look->nodes[i].next = i + 1 < count ? &look->nodes[i + 1] : NULL;
    at += strlen(at) + 1;
  }
}

/* For names; libcurl's entries have no place for an address of IPv6. */
static enum luge__failure write_all(struct luge__look *look) {
  unsigned written = 0;
  for (unsigned i = 0; i < look->count; i++) {
    if (look->stops[i].literal) {
      continue;
    }
    int count = write_entry(look, i);
    if (count <= 0) {
      return count < 0 ? LUGE_FAILURE_MEMORY : none_left(look->transfer);
    }
    written++;
  }
  link_nodes(look, written); /* from here on the text stays in place */
  return LUGE_FAILURE_NONE;
}

/* libcurl goes on to the next address when half of its time to connect is over:
 * which is 300 s where it is told no other. It is told the bound, and a little
 * more, so that it is the bound that ends the last one. */
static void share_time(struct luge__transfer *t) {
  uint64_t time = luge__transfer_round(t);
  time += time / 8;
  luge__transfer_curl(t)->easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS,
                                      (long)(time / 1000000) + 1);
  t->needs_reset = true; /* the next request may have time of its own */
  luge__transfer_keep_trying(t);
}

static enum luge__failure tell(struct luge__look *look) {
  struct luge__transfer *t = look->transfer;
  for (unsigned i = 0; i < look->count; i++) {
    if (look->questions[i].query.status != LUGE_RESOLVE_OK) {
      return failure_of(look, i);
    }
  }
  enum luge__failure failure = write_all(look);
  if (failure != LUGE_FAILURE_NONE) {
    return failure;
  }
  uint64_t now = luge__now(luge__transfer_host(t));
  luge__transfer_curl(t)->easy_setopt(t->easy, CURLOPT_RESOLVE, look->nodes);
  if (t->several) {
    share_time(t);
  }
  t->lookup_time = now - t->started;
  look->told = now;
  return luge__client_resume(t->client, t) ? LUGE_FAILURE_NONE
                                           : LUGE_FAILURE_MEMORY;
}

static void go_on(struct luge__look *look) {
  struct luge__transfer *t = look->transfer;
  enum luge__failure failure = tell(look);
  if (failure != LUGE_FAILURE_NONE) {
    look->told = 0;
    luge__transfer_fail(t, failure);
  }
}

static void on_answer(struct luge_query *query) {
  struct luge__look *look =
      luge__container(query, struct question, query)->look;
  if (--look->pending == 0) {
    go_on(look);
  }
}

/* Asking. */

static struct luge__look *create(struct luge__transfer *t) {
  struct luge__look *look =
      luge__realloc(luge__transfer_host(t), NULL, 0, sizeof *look);
  if (look != NULL) {
    *look = (struct luge__look){.transfer = t};
  }
  return look;
}

static void ask(struct luge__look *look) {
  struct luge__transfer *t = look->transfer;
  struct luge__stop stops[LUGE_STOPS];
  unsigned count = luge__route_stops(t, stops);
  for (unsigned i = 0; i < count; i++) {
    if (stops[i].resolved) {
      look->stops[look->count++] = stops[i];
    }
  }
  look->pending = 1; /* ours: nothing goes on before all are asked */
  for (unsigned i = 0; i < look->count; i++) {
    struct question *question = &look->questions[i];
    const char *name = look->stops[i].name;
    question->look = look;
    if (luge__resolve(luge__transfer_host(t), &question->query, name,
                      strlen(name), on_answer) == LUGE_RESOLVE_PENDING) {
      look->pending++;
    }
  }
}

/* Takes the transfer back from libcurl; it stays in the list of those
 * running. */
static struct luge__look *begin(struct luge__transfer *t) {
  luge__client_remove(t->client, t);
  luge__list_append(&t->client->running, &t->link);
  luge__transfer_end_look(t);
  t->needs_names = t->connected = false;
  return t->look = create(t);
}

void luge__transfer_look_up(struct luge__transfer *t) {
  uint64_t now = luge__now(luge__transfer_host(t));
  bool again = t->look != NULL && now - t->look->told < TOO_SOON;
  struct luge__look *look = begin(t);
  if (look == NULL) {
    luge__transfer_fail(t, LUGE_FAILURE_MEMORY);
    return;
  }
  ask(look);
  if (again || look->count == 0) {
    explain(t, "the host has no name that can be looked up");
    luge__transfer_fail(t, LUGE_FAILURE_BAD_NAME);
  } else if (--look->pending == 0) {
    go_on(look);
  }
}
