/* gzip and deflate. A gzip body may be several members one after another. Of
 * "deflate" there are two: zlib's format, which it should be, and bare
 * deflate, which some servers send; the first byte tells them apart. */
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "body_decode.h"

struct zlib_decoder {
  struct luge__decoder base;
  const struct luge__memory *memory;
  z_stream stream;
  bool gzip;
  bool open;
  bool between; /* the end of a member: another may follow */
};

/* Linked: nothing is to be loaded. */
static bool load(void) {
  return true;
}

/* zlib frees without telling the size: it is kept in front of the block. */
enum { PREFIX = 16 };

static voidpf allocate(voidpf data, uInt items, uInt size) {
  const struct luge__memory *memory = data;
  size_t total = (size_t)items * size + PREFIX;
  char *block = memory->fn(memory->ud, NULL, 0, total);
  if (block == NULL) {
    return NULL;
  }
  memcpy(block, &total, sizeof total);
  return block + PREFIX;
}

static void release(voidpf data, voidpf address) {
  const struct luge__memory *memory = data;
  char *block = (char *)address - PREFIX;
  size_t total;
  memcpy(&total, block, sizeof total);
  memory->fn(memory->ud, block, total, 0);
}

static struct luge__decoder *open_zlib(const struct luge__memory *memory,
                                       bool gzip) {
  struct zlib_decoder *d = memory->fn(memory->ud, NULL, 0, sizeof *d);
  if (d == NULL) {
    return NULL;
  }
  *d = (struct zlib_decoder){.memory = memory, .gzip = gzip};
  d->stream.zalloc = allocate;
  d->stream.zfree = release;
  d->stream.opaque = (voidpf)memory;
  return &d->base;
}

static struct luge__decoder *open_gzip(const struct luge__memory *memory) {
  return open_zlib(memory, true);
}

static struct luge__decoder *open_deflate(const struct luge__memory *memory) {
  return open_zlib(memory, false);
}

/* Window bits as inflateInit2 takes them: 16 more mean gzip, negative ones
 * bare deflate. */
static int window_bits(const struct zlib_decoder *d, unsigned char first) {
  if (d->gzip) {
    return MAX_WBITS + 16;
  }
  return (first & 0x0f) == Z_DEFLATED ? MAX_WBITS : -MAX_WBITS;
}

static bool begin(struct zlib_decoder *d, const struct luge__piece *in) {
  if (d->open) {
    return true;
  }
  d->open = inflateInit2(&d->stream,
                         window_bits(d, (unsigned char)in->ptr[0])) == Z_OK;
  return d->open;
}

/* After a member: the next one, or something that is none. */
static bool next_member(struct zlib_decoder *d, struct luge__piece *in) {
  if (!d->between || in->len == 0) {
    return true;
  }
  if (!d->gzip || (unsigned char)in->ptr[0] != 0x1f) {
    in->len = 0;
    return true;
  }
  d->base.done = d->between = false;
  return inflateReset(&d->stream) == Z_OK;
}

static bool run(struct luge__decoder *base, struct luge__piece *in,
                struct luge__piece *out) {
  struct zlib_decoder *d = (struct zlib_decoder *)(void *)base;
  if (in->len == 0 && !d->open) {
    return true;
  }
  if (!begin(d, in) || !next_member(d, in)) {
    return false;
  }
  d->stream.next_in = (const Bytef *)in->ptr;
  d->stream.avail_in = in->len < 1u << 30 ? (uInt)in->len : 1u << 30;
  d->stream.next_out = (Bytef *)out->ptr;
  d->stream.avail_out = out->len < 1u << 30 ? (uInt)out->len : 1u << 30;
  size_t took = d->stream.avail_in, room = d->stream.avail_out;
  int status = Z_OK;
  if (!d->base.done) {
    status = inflate(&d->stream, Z_NO_FLUSH);
  }
  took -= d->stream.avail_in;
  room -= d->stream.avail_out;
  in->ptr += took;
  in->len -= took;
  out->ptr += room;
  out->len -= room;
  if (status == Z_STREAM_END) {
    d->base.done = d->between = true;
  }
  return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
}

static void close_zlib(struct luge__decoder *base,
                       const struct luge__memory *memory) {
  struct zlib_decoder *d = (struct zlib_decoder *)(void *)base;
  if (d->open) {
    inflateEnd(&d->stream);
  }
  memory->fn(memory->ud, d, sizeof *d, 0);
}

const struct luge__decoder_kind luge__gzip_decoder = {"gzip", load, open_gzip,
                                                      run, close_zlib};
const struct luge__decoder_kind luge__deflate_decoder = {
    "deflate", load, open_deflate, run, close_zlib};
