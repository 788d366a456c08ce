/* See names.h. */
#include "names.h"

#include <netdb.h>
#include <string.h>

#include "../core/host.h"

/* How long an answer is kept, in nanoseconds. */
static const uint64_t KEPT = 60000000000;

enum {
  MAX_KEPT = 1024, /* answers */
  MAX_WANTED = 8   /* look-ups at once that somebody waits for */
};

struct luge__name {
  struct luge__names *names;
  struct luge_list bucket;
  struct luge_list order; /* in the queue, or among the answers kept */
  struct luge_list queries;
  enum { QUEUED, RUNNING, DONE } state;
  struct luge__lookup *lookup; /* while QUEUED */
  struct luge_answer *answer;  /* while kept */
  uint64_t until;              /* when it is too old */
  size_t size;                 /* of this struct */
  char text[];
};

bool luge__names_init(struct luge__names *names, struct luge_host *host,
                      uv_async_t *ready) {
  *names = (struct luge__names){.host = host, .ready = ready};
  for (int i = 0; i < LUGE_NAMES_BUCKETS; i++) {
    luge__list_init(&names->buckets[i]);
  }
  luge__list_init(&names->queue);
  luge__list_init(&names->kept);
  names->lookups = luge__lookups_new(ready);
  return names->lookups != NULL;
}

static struct luge_list *bucket_of(struct luge__names *names,
                                   const char *text) {
  uint32_t hash = 2166136261u;
  for (; *text != '\0'; text++) {
    hash = (hash ^ (unsigned char)*text) * 16777619u;
  }
  return &names->buckets[(hash ^ hash >> 16) % LUGE_NAMES_BUCKETS];
}

static struct luge__name *find(struct luge__names *names, const char *text) {
  struct luge_list *bucket = bucket_of(names, text);
  for (struct luge_list *at = bucket->next; at != bucket; at = at->next) {
    struct luge__name *name = luge__container(at, struct luge__name, bucket);
    if (strcmp(name->text, text) == 0) {
      return name;
    }
  }
  return NULL;
}

static struct luge__name *create(struct luge__names *names, const char *text) {
  size_t length = strlen(text), size = sizeof(struct luge__name) + length + 1;
  struct luge__name *name = luge__realloc(names->host, NULL, 0, size);
  if (name == NULL) {
    return NULL;
  }
  *name = (struct luge__name){.names = names, .state = QUEUED, .size = size};
  memcpy(name->text, text, length + 1);
  name->lookup = luge__lookup_new(text, name);
  if (name->lookup == NULL) {
    luge__realloc(names->host, name, size, 0);
    return NULL;
  }
  luge__list_init(&name->queries);
  luge__list_append(bucket_of(names, text), &name->bucket);
  luge__list_append(&names->queue, &name->order);
  return name;
}

/* Its queries are gone, and no thread has it. */
static void drop(struct luge__name *name) {
  struct luge__names *names = name->names;
  luge__list_remove(&name->bucket);
  luge__list_remove(&name->order);
  names->kept_count -= name->answer != NULL;
  luge__answer_unref(name->answer);
  luge__lookup_free(name->lookup);
  luge__realloc(names->host, name, name->size, 0);
}

struct luge_answer *luge__names_answer(struct luge__names *names,
                                       const char *text) {
  struct luge__name *name = find(names, text);
  if (name == NULL || name->state != DONE) {
    return NULL;
  }
  if (luge__now(names->host) < name->until) {
    return name->answer;
  }
  drop(name);
  return NULL;
}

static void keep(struct luge__name *name, struct luge_answer *answer) {
  struct luge__names *names = name->names;
  luge__answer_ref(answer);
  name->answer = answer;
  name->until = luge__now(names->host) + KEPT;
  luge__list_append(&names->kept, &name->order);
  if (++names->kept_count > MAX_KEPT) {
    drop(luge__container(names->kept.next, struct luge__name, order));
  }
}

/* Gives threads what is queued. False: there is no thread. */
static bool dispatch(struct luge__names *names) {
  while (!luge__list_empty(&names->queue) && names->wanted < MAX_WANTED &&
         names->running < LUGE_LOOKUP_THREADS) {
    struct luge__name *name =
        luge__container(names->queue.next, struct luge__name, order);
    if (!luge__lookups_start(names->lookups, name->lookup)) {
      return false;
    }
    luge__list_remove(&name->order);
    name->lookup = NULL;
    name->state = RUNNING;
    names->running++;
    names->wanted++;
  }
  return true;
}

static void join(struct luge__name *name, struct luge_query *query) {
  if (name->state == RUNNING && luge__list_empty(&name->queries)) {
    name->names->wanted++; /* it had been given up */
  }
  query->name = name;
  query->status = LUGE_RESOLVE_PENDING;
  luge__list_append(&name->queries, &query->link);
}

/* Refuses a query that is the only one of its name; its `done` is not
 * called. */
static enum luge_resolve refuse(struct luge_query *query) {
  luge__list_remove(&query->link);
  drop(query->name);
  query->name = NULL;
  return LUGE_RESOLVE_THREADS;
}

enum luge_resolve luge__names_ask(struct luge__names *names,
                                  struct luge_query *query, const char *text) {
  struct luge__name *name = find(names, text);
  if (name != NULL) {
    join(name, query);
    return query->status;
  }
  name = create(names, text);
  if (name == NULL) {
    return LUGE_RESOLVE_MEMORY;
  }
  join(name, query);
  return dispatch(names) || names->running > 0 ? query->status : refuse(query);
}

/* Starts no other look-up now but in the loop's next turn: many may be about to
 * leave, also those in the queue. */
void luge__names_leave(struct luge_query *query) {
  struct luge__name *name = query->name;
  luge__list_remove(&query->link);
  query->name = NULL;
  if (!luge__list_empty(&name->queries)) {
    return;
  }
  if (name->state == QUEUED) {
    drop(name);
  } else {
    name->names->wanted--;
    uv_async_send(name->names->ready);
  }
}

/* What comes back. */

static const char *explain(const struct luge__lookup *lookup) {
  switch (lookup->status) {
  case 0:
  case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
  case EAI_NODATA:
#endif
    return "no address is known for the name";
  case EAI_AGAIN:
    return "the name servers do not answer";
  default:
    return gai_strerror(lookup->status);
  }
}

/* What the queries of a name are told. */
struct outcome {
  enum luge_resolve status;
  const char *problem;
  struct luge_answer *answer;
};

static struct outcome outcome_of(struct luge__names *names,
                                 const struct luge__lookup *lookup) {
  if (lookup->status == EAI_MEMORY) {
    return (struct outcome){.status = LUGE_RESOLVE_MEMORY};
  }
  if (lookup->status != 0 || lookup->count == 0) {
    return (struct outcome){.status = LUGE_RESOLVE_FAILED,
                            .problem = explain(lookup)};
  }
  struct luge_answer *answer = luge__answer_new(names->host, lookup->count);
  if (answer == NULL) {
    return (struct outcome){.status = LUGE_RESOLVE_MEMORY};
  }
  memcpy(answer->addresses, lookup->addresses,
         lookup->count * sizeof *lookup->addresses);
  return (struct outcome){.status = LUGE_RESOLVE_OK, .answer = answer};
}

static void settle(struct luge_query *query, const struct outcome *outcome) {
  luge__list_remove(&query->link);
  query->status = outcome->status;
  query->problem = outcome->problem;
  query->answer = outcome->answer;
  if (query->answer != NULL) {
    luge__answer_ref(query->answer);
  }
}

/* Calls the queries' `done`, which may ask again, or cancel others of these
 * queries: so they are in a list of their own, that no name has. */
static void tell(struct luge_list *queries, const struct outcome *outcome) {
  while (!luge__list_empty(queries)) {
    struct luge_query *query =
        luge__container(queries->next, struct luge_query, link);
    settle(query, outcome);
    query->done(query);
  }
}

static void take_queries(struct luge__name *name, struct luge_list *queries) {
  luge__list_init(queries);
  while (!luge__list_empty(&name->queries)) {
    struct luge_query *query =
        luge__container(name->queries.next, struct luge_query, link);
    luge__list_remove(&query->link);
    luge__list_append(queries, &query->link);
    query->name = NULL;
  }
}

static void finish(struct luge__names *names, struct luge__lookup *lookup) {
  struct luge__name *name = lookup->owner;
  struct luge_list queries;
  struct outcome outcome = outcome_of(names, lookup);
  luge__lookup_free(lookup);
  names->running--;
  names->wanted -= !luge__list_empty(&name->queries);
  take_queries(name, &queries);
  name->state = DONE;
  if (outcome.answer != NULL) {
    keep(name, outcome.answer);
  } else {
    drop(name);
  }
  tell(&queries, &outcome);
  luge__answer_unref(outcome.answer);
}

void luge__names_turn(struct luge__names *names) {
  struct luge__lookup *lookup = luge__lookups_take(names->lookups);
  while (lookup != NULL) {
    struct luge__lookup *next = lookup->next;
    finish(names, lookup);
    lookup = next;
  }
  (void)dispatch(names); /* what is queued stays so */
}

static void forget(struct luge__name *name) {
  struct luge_list queries;
  take_queries(name, &queries);
  while (!luge__list_empty(&queries)) {
    luge__list_remove(queries.next);
  }
  drop(name);
}

void luge__names_close(struct luge__names *names) {
  luge__lookups_close(names->lookups);
  for (int i = 0; i < LUGE_NAMES_BUCKETS; i++) {
    struct luge_list *bucket = &names->buckets[i];
    while (!luge__list_empty(bucket)) {
      forget(luge__container(bucket->next, struct luge__name, bucket));
    }
  }
}
