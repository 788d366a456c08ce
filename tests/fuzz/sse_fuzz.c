/* Fuzz target of the Server-Sent Events parser. The first byte of the input
 * says how to cut the rest; whole and cut must give the same events. */
#include "../../src/http/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"

static uint64_t mix(uint64_t hash, const char *bytes, size_t len) {
  hash = (hash ^ len) * 1099511628211u;
  for (size_t i = 0; i < len; i++) {
    hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
  }
  return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number) {
  return mix(hash, (const char *)&number, sizeof number);
}

/* A hash over all events, taken from pieces of `step` bytes. */
static uint64_t parse(const char *bytes, size_t len, size_t step) {
  struct luge__sse p;
  struct luge__memory memory = {plain_alloc, NULL};
  luge__sse_init(&p, memory, 64, 128);
  uint64_t hash = 14695981039346656037u;
  enum luge__sse_status status = LUGE_SSE_MORE;
  for (size_t at = 0; at < len && status == LUGE_SSE_MORE; at += step) {
    size_t n = len - at < step ? len - at : step;
    char *copy = malloc(n);
    memcpy(copy, bytes + at, n);
    luge__sse_feed(&p, copy, n);
    struct luge__sse_event e;
    while ((status = luge__sse_next(&p, &e)) == LUGE_SSE_EVENT) {
      hash = mix(hash, e.type.ptr, e.type.len);
      hash = mix(hash, e.data.ptr, e.data.len);
      hash = mix(hash, p.last_id.ptr, p.last_id.len);
      hash = mix_number(hash, e.has_retry ? e.retry : 0);
    }
    free(copy);
  }
  luge__sse_free(&p);
  return mix_number(hash, status);
}
