/* zstd, with a window of 8 MiB at most, as RFC 9659 wants it of HTTP. The
 * part of the library's interface that is used here, stable since 1.4, is
 * declared again: its headers are rarely installed with it. */
#include "body_decode.h"

enum { PARAMETER_WINDOW_LOG_MAX = 100, WINDOW_LOG = 23 };

struct in_buffer {
  const void *src;
  size_t size, pos;
};

struct out_buffer {
  void *dst;
  size_t size, pos;
};

struct zstd_decoder {
  struct luge__decoder base;
  void *context;
};

typedef void *(*create_fn)(void);
typedef size_t (*destroy_fn)(void *context);
typedef size_t (*parameter_fn)(void *context, int parameter, int value);
typedef size_t (*decompress_fn)(void *context, struct out_buffer *out,
                                struct in_buffer *in);
typedef unsigned (*is_error_fn)(size_t code);

static create_fn create;
static destroy_fn destroy;
static parameter_fn set_parameter;
static decompress_fn decompress;
static is_error_fn is_error;

static bool load(void) {
  const struct luge__import imports[] = {
      {"ZSTD_createDCtx", &create},
      {"ZSTD_freeDCtx", &destroy},
      {"ZSTD_DCtx_setParameter", &set_parameter},
      {"ZSTD_decompressStream", &decompress},
      {"ZSTD_isError", &is_error},
      {NULL, NULL}};
  return luge__load_library(LUGE_LIBRARY("zstd", "1"), imports);
}

static void close_zstd(struct luge__decoder *base,
                       const struct luge__memory *memory) {
  struct zstd_decoder *d = (struct zstd_decoder *)(void *)base;
  if (d->context != NULL) {
    destroy(d->context);
  }
  memory->fn(memory->ud, d, sizeof *d, 0);
}

static struct luge__decoder *open_zstd(const struct luge__memory *memory) {
  struct zstd_decoder *d = memory->fn(memory->ud, NULL, 0, sizeof *d);
  if (d == NULL) {
    return NULL;
  }
  *d = (struct zstd_decoder){.context = create()};
  if (d->context == NULL) {
    close_zstd(&d->base, memory);
    return NULL;
  }
  set_parameter(d->context, PARAMETER_WINDOW_LOG_MAX, WINDOW_LOG);
  return &d->base;
}

/* A body may be several frames: its end is wherever one has ended and no
 * byte follows. */
static bool run(struct luge__decoder *base, struct luge__piece *in,
                struct luge__piece *out) {
  struct zstd_decoder *d = (struct zstd_decoder *)(void *)base;
  struct in_buffer from = {in->ptr, in->len, 0};
  struct out_buffer to = {out->ptr, out->len, 0};
  while (from.pos < from.size || (to.pos == 0 && !d->base.done)) {
    size_t code = decompress(d->context, &to, &from);
    if (is_error(code)) {
      return false;
    }
    d->base.done = code == 0;
    if (to.pos == to.size || from.pos == from.size) {
      break;
    }
  }
  in->ptr += from.pos;
  in->len -= from.pos;
  out->ptr += to.pos;
  out->len -= to.pos;
  return true;
}

const struct luge__decoder_kind luge__zstd_decoder = {"zstd", load, open_zstd,
                                                      run, close_zstd};
