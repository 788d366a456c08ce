/* Threads that look names up, of one host. Not those of libuv's pool: look-ups
 * may hang for as long as the network likes, and what works on files must not
 * wait behind them. They are started when needed, and end when nothing has come
 * for some seconds, or at close; one that hangs in getaddrinfo then is left
 * behind, and frees what it shares once that returns.
 *
 * What they work on is malloc'ed: it may outlive the host and its allocator. */
#ifndef LUGE_NET_LOOKUPS_H
#define LUGE_NET_LOOKUPS_H

#include <stdbool.h>
#include <uv.h>

#include "../core/address.h"

enum {
  LUGE_LOOKUP_THREADS = 32,  /* at most */
  LUGE_LOOKUP_ADDRESSES = 64 /* of one name, at most */
};

struct luge__lookups;

/* One look-up. It belongs to the caller; from luge__lookups_start until
 * luge__lookups_take gives it back, to the threads. */
struct luge__lookup {
  struct luge__lookup *next;
  void *owner; /* the caller's; the threads do not touch it */
  char name[LUGE_HOST_MAX + 2];
  int status; /* getaddrinfo's */
  unsigned count;
  struct luge_address *addresses;
};

/* NULL: out of memory. */
struct luge__lookup *luge__lookup_new(const char *name, void *owner);
void luge__lookup_free(struct luge__lookup *lookup);

/* `ready` is sent whenever there is something to take. NULL: out of memory. */
struct luge__lookups *luge__lookups_new(uv_async_t *ready);

/* False: no thread could be started, and none is there to wait for. */
bool luge__lookups_start(struct luge__lookups *lookups,
                         struct luge__lookup *lookup);

/* What has been looked up, as a list; NULL: nothing. */
struct luge__lookup *luge__lookups_take(struct luge__lookups *lookups);

/* Does not wait for look-ups; from now on `ready` is not sent. */
void luge__lookups_close(struct luge__lookups *lookups);

#endif
