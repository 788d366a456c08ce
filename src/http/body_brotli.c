/* br. The library's headers are rarely installed with it: the part of its
 * interface that is used here, stable since 1.0, is declared again. */
#include <stdint.h>

#include "body_decode.h"

enum { RESULT_ERROR, RESULT_SUCCESS, RESULT_MORE_INPUT, RESULT_MORE_OUTPUT };

struct brotli_decoder {
  struct luge__decoder base;
  void *state;
};

typedef void *(*create_fn)(void *alloc, void *free, void *opaque);
typedef int (*decode_fn)(void *state, size_t *in_len, const uint8_t **in,
                         size_t *out_len, uint8_t **out, size_t *total);
typedef void (*destroy_fn)(void *state);

static create_fn create;
static decode_fn decode;
static destroy_fn destroy;

static bool load(void) {
  const struct luge__import imports[] = {
      {"BrotliDecoderCreateInstance", &create},
      {"BrotliDecoderDecompressStream", &decode},
      {"BrotliDecoderDestroyInstance", &destroy},
      {NULL, NULL}};
  return luge__load_library(LUGE_LIBRARY("brotlidec", "1"), imports);
}

static void close_brotli(struct luge__decoder *base,
                         const struct luge__memory *memory) {
  struct brotli_decoder *d = (struct brotli_decoder *)(void *)base;
  if (d->state != NULL) {
    destroy(d->state);
  }
  memory->fn(memory->ud, d, sizeof *d, 0);
}

/* Its window is 16 MiB at most, and outside of the host's memory limit. */
static struct luge__decoder *open_brotli(const struct luge__memory *memory) {
  struct brotli_decoder *d = memory->fn(memory->ud, NULL, 0, sizeof *d);
  if (d == NULL) {
    return NULL;
  }
  *d = (struct brotli_decoder){.state = create(NULL, NULL, NULL)};
  if (d->state == NULL) {
    close_brotli(&d->base, memory);
    return NULL;
  }
  return &d->base;
}

static bool run(struct luge__decoder *base, struct luge__piece *in,
                struct luge__piece *out) {
  struct brotli_decoder *d = (struct brotli_decoder *)(void *)base;
  const uint8_t *next_in = (const uint8_t *)in->ptr;
  uint8_t *next_out = (uint8_t *)out->ptr;
  if (d->base.done) {
    in->len = 0;
    return true;
  }
  int result = decode(d->state, &in->len, &next_in, &out->len, &next_out, NULL);
  in->ptr = (char *)next_in;
  out->ptr = (char *)next_out;
  d->base.done = result == RESULT_SUCCESS;
  return result != RESULT_ERROR;
}

const struct luge__decoder_kind luge__brotli_decoder = {"br", load, open_brotli,
                                                        run, close_brotli};
