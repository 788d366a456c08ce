/* See client_pool.h. */
#include "client_pool.h"

static bool is_below(long count, long limit) {
  return limit == 0 || count < limit;
}

/* Told to connect anew, a request that has to wait for its turn would close
 * the connection that the one before it leaves. */
bool luge__pool_is_empty(const struct luge__pool *pool) {
  return pool->idle == 0 && is_below(pool->transfers, pool->limits.total) &&
         is_below(pool->transfers, pool->limits.per_host);
}

void luge__pool_taken(struct luge__pool *pool) {
  if (pool->idle > 0) {
    pool->idle--;
  }
}

void luge__pool_left(struct luge__pool *pool) {
  if (pool->idle < pool->sockets) {
    pool->idle++;
  }
}

void luge__pool_opened(struct luge__pool *pool) {
  pool->sockets++;
}

void luge__pool_closed(struct luge__pool *pool) {
  pool->sockets--;
  if (pool->idle > pool->sockets) {
    pool->idle = pool->sockets;
  }
}
