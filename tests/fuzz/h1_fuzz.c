/* Fuzz target of the HTTP/1.x request parser. The first byte of the input says
 * how to cut the rest; whole and cut must give the same requests. */
#include "../../src/http/h1.h"

#include <stdlib.h>
#include <string.h>

#include "cut.h"

static uint64_t mix(uint64_t hash, const char *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
  }
  return hash;
}

static uint64_t mix_head(uint64_t hash, const struct luge__h1_head *head) {
  hash = mix(hash, head->method.ptr, head->method.len);
  hash = mix(hash, head->target.ptr, head->target.len);
  for (size_t i = 0; i < head->count; i++) {
    hash = mix(hash, head->fields[i].name.ptr, head->fields[i].name.len);
    hash = mix(hash, head->fields[i].value.ptr, head->fields[i].value.len);
  }
  return mix(hash, head->keep_alive ? "k" : "c", 1);
}

/* Reads one piece; 0 once the parser has failed. */
static int read_piece(struct luge__h1 *p, const char *bytes, size_t len,
                      uint64_t *hash) {
  for (;;) {
    struct luge__h1_text piece;
    switch (luge__h1_next(p, &bytes, &len, &piece)) {
    case LUGE_H1_HEAD:
      *hash = mix_head(*hash, &p->head);
      break;
    case LUGE_H1_BODY:
      *hash = mix(*hash, piece.ptr, piece.len);
      break;
    case LUGE_H1_END:
      *hash = mix(*hash, ";", 1);
      luge__h1_reset(p);
      break;
    case LUGE_H1_MORE:
      return 1;
    default:
      return 0;
    }
  }
}

static uint64_t parse(const char *bytes, size_t len, size_t step) {
  static const struct luge__h1_limits limits = {512, 8, UINT64_MAX};
  struct luge__h1 p;
  struct luge__memory memory = {plain_alloc, NULL};
  luge__h1_init(&p, memory, &limits);
  uint64_t hash = 14695981039346656037u;
  int alive = 1;
  for (size_t at = 0; at < len && alive; at += step) {
    size_t n = len - at < step ? len - at : step;
    char *copy = malloc(n);
    memcpy(copy, bytes + at, n);
    alive = read_piece(&p, copy, n, &hash);
    free(copy);
  }
  hash ^= (uint64_t)(alive ? 0 : p.error);
  luge__h1_free(&p);
  return hash;
}
