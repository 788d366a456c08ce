/* Names that are looked up, or whose answer is kept: the resolver's table.
 * Names wait in a queue of our own, so that one that nobody waits for any more
 * is never looked up, and a look-up that hangs after it was given up does not
 * keep others from getting a thread. Loop thread only. */
#ifndef LUGE_NET_NAMES_H
#define LUGE_NET_NAMES_H

#include <uv.h>

#include "lookups.h"
#include "resolver.h"

enum { LUGE_NAMES_BUCKETS = 256 };

struct luge__names {
  struct luge_host *host;
  struct luge__lookups *lookups;
  uv_async_t *ready; /* sent when luge__names_turn has something to do */
  struct luge_list buckets[LUGE_NAMES_BUCKETS];
  struct luge_list queue;
  struct luge_list kept; /* the oldest first */
  unsigned kept_count;
  unsigned running, wanted; /* look-ups; those that somebody waits for */
};

/* False: out of memory. */
bool luge__names_init(struct luge__names *names, struct luge_host *host,
                      uv_async_t *ready);

/* The answer that is kept for the name, or NULL. */
struct luge_answer *luge__names_answer(struct luge__names *names,
                                       const char *text);

/* Has the name looked up for the query, and returns the query's status. */
enum luge_resolve luge__names_ask(struct luge__names *names,
                                  struct luge_query *query, const char *text);

/* The query of a name is about to be forgotten. */
void luge__names_leave(struct luge_query *query);

/* Tells the queries whose answers have come, and starts the next look-ups. */
void luge__names_turn(struct luge__names *names);

/* Forgets all queries and answers. */
void luge__names_close(struct luge__names *names);

#endif
