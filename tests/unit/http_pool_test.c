/* What a client knows of its connections: it says that none is idle only where
 * that is so. */
#include "http/client_pool.h"

#include "../support/check.h"

#define EMPTY(pool)     CHECK(luge__pool_is_empty(pool))
#define NOT_EMPTY(pool) CHECK(!luge__pool_is_empty(pool))

static void begin(struct luge__pool *pool, bool connects) {
  pool->transfers++;
  if (connects) {
    luge__pool_opened(pool);
  } else {
    luge__pool_taken(pool);
  }
}

static void end(struct luge__pool *pool) {
  pool->transfers--;
  luge__pool_left(pool);
}

static void test_use(void) {
  struct luge__pool pool = {0};
  EMPTY(&pool);
  begin(&pool, true);
  begin(&pool, true);
  EMPTY(&pool);
  end(&pool);
  NOT_EMPTY(&pool);
  begin(&pool, false);
  EMPTY(&pool);
  end(&pool);
  end(&pool);
  begin(&pool, false);
  NOT_EMPTY(&pool);
}

static void test_closed(void) {
  struct luge__pool pool = {0};
  begin(&pool, true);
  begin(&pool, true);
  end(&pool);
  end(&pool);
  luge__pool_closed(&pool);
  NOT_EMPTY(&pool);
  luge__pool_closed(&pool);
  EMPTY(&pool);
  luge__pool_taken(&pool); /* libcurl had another opinion */
  EMPTY(&pool);
  luge__pool_left(&pool); /* and closed that too */
  EMPTY(&pool);
}

/* One that waits for its turn is to look for what the one before it leaves. */
static void test_limits(void) {
  struct luge__pool total = {.limits = {.total = 2}};
  struct luge__pool host = {.limits = {.total = 8, .per_host = 2}};
  for (int i = 0; i < 2; i++) {
    EMPTY(&total);
    EMPTY(&host);
    begin(&total, true);
    begin(&host, true);
  }
  NOT_EMPTY(&total);
  NOT_EMPTY(&host);
}

int main(void) {
  test_use();
  test_closed();
  test_limits();
  return verdict();
}
