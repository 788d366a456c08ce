/* The resolver: names of hosts to addresses, for HTTP, sockets and whoever
 * connects. One for each host; it blocks neither the loop nor libuv's pool.
 *
 * Addresses, in every form that inet_aton takes, are their own answer;
 * "localhost" is this machine (RFC 6761); other names are asked of the system,
 * once for all who ask at the same time. Answers are kept for a minute,
 * failures are not. Whether an address may be reached is for the caller to ask;
 * see vet.h. Loop thread only. */
#ifndef LUGE_NET_RESOLVER_H
#define LUGE_NET_RESOLVER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "../core/address.h"
#include "../core/list.h"

struct luge_host;
struct luge__name;

/* Counted by references; never changed once it is shared. */
struct luge_answer {
  struct luge_host *host;
  unsigned refs;
  unsigned room, count;
  struct luge_address addresses[]; /* in the order to try them in */
};

enum luge_resolve {
  LUGE_RESOLVE_OK,      /* `answer` has come */
  LUGE_RESOLVE_PENDING, /* `done` will be called */
  LUGE_RESOLVE_INVALID, /* the text is no name: `problem` says why */
  LUGE_RESOLVE_FAILED,  /* the name has no address: `problem` says why */
  LUGE_RESOLVE_THREADS, /* the system gives no thread to look it up */
  LUGE_RESOLVE_MEMORY,
  LUGE_RESOLVE_CLOSED /* the host closes */
};

/* A question, part of what its asker owns, zeroed before it is asked. */
struct luge_query {
  struct luge_list link;
  struct luge__name *name; /* while it is pending */
  void (*done)(struct luge_query *query);
  struct luge_answer *answer; /* with LUGE_RESOLVE_OK: a reference */
  const char *problem;        /* static text, or NULL */
  enum luge_resolve status;
};

/* Asks; returns the query's status. When that is LUGE_RESOLVE_PENDING, `done`
 * is called once, from the loop and outside of Lua, with the status it has
 * then: it may start and cancel other queries. Does not count as an operation
 * that may wake a task: that is up to the wait (luge__ref). When the host
 * closes, what is pending is forgotten without a call. */
enum luge_resolve luge__resolve(struct luge_host *host,
                                struct luge_query *query, const char *text,
                                size_t length,
                                void (*done)(struct luge_query *query));

/* Ends a query: `done` is not called any more, and its answer is given back, if
 * there is one. May be called at any time, also if it was never asked. A
 * look-up that has begun goes on. */
void luge__resolve_end(struct luge_query *query);

/* Pushes the error of a query that failed, but for memory, which is a string:
 * `network` with code and phase "dns", `invalid`, `limit` or `closed`. */
void luge__resolve_push_error(lua_State *L, const struct luge_query *query,
                              const char *text, size_t length);

void luge__answer_ref(struct luge_answer *answer);
void luge__answer_unref(struct luge_answer *answer); /* NULL: nothing */

/* A new answer of so many addresses, to be filled in; NULL: out of memory. */
struct luge_answer *luge__answer_new(struct luge_host *host, unsigned count);

#endif
