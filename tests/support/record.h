/* What the tests of parsers share: what a parser gave, as text; and an
 * allocator that counts, and fails when it is told to. */
#ifndef TESTS_RECORD_H
#define TESTS_RECORD_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static size_t live_bytes;
static int fail_after = -1; /* allocations that still succeed; -1: all */

static inline void *counting_alloc(void *ud, void *block, size_t old_size,
                                   size_t new_size) {
  (void)ud;
  if (new_size > old_size && fail_after >= 0 && fail_after-- == 0) {
    fail_after = 0;
    return NULL;
  }
  live_bytes += new_size - old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

struct record {
  char text[8192];
  size_t len;
};

static inline void put(struct record *r, const char *bytes, size_t n) {
  if (n > 0 && n < sizeof r->text - r->len) {
    memcpy(r->text + r->len, bytes, n);
    r->len += n;
  }
}

#endif
