/* A growable byte buffer; see bytes.h. */
#include "bytes.h"

#include <stdint.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

int luge__bytes_reserve(struct luge__bytes *b, const struct luge__memory *m,
                        size_t extra) {
  if (extra <= b->cap - b->len) {
    return 1;
  }
  if (extra > SIZE_MAX / 2 - b->len) {
    return 0;
  }
  size_t cap = b->cap < FIRST_CAPACITY ? FIRST_CAPACITY : b->cap;
  while (cap < b->len + extra) {
    cap += cap / 2;
  }
  char *ptr = m->fn(m->ud, b->ptr, b->cap, cap);
  if (ptr == NULL) {
    return 0;
  }
  b->ptr = ptr;
  b->cap = cap;
  return 1;
}

int luge__bytes_append(struct luge__bytes *b, const struct luge__memory *m,
                       const void *bytes, size_t n) {
  if (n == 0) {
    return 1;
  }
  if (!luge__bytes_reserve(b, m, n)) {
    return 0;
  }
  memcpy(b->ptr + b->len, bytes, n);
  b->len += n;
  return 1;
}

void luge__bytes_free(struct luge__bytes *b, const struct luge__memory *m) {
  if (b->ptr != NULL) {
    m->fn(m->ud, b->ptr, b->cap, 0);
  }
  *b = (struct luge__bytes){0};
}
