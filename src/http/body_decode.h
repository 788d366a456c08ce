/* Decoders of Content-Encoding, each from a library that is loaded when the
 * first HTTP client is made, if it is there (libcurl has loaded most of them
 * already). gzip and deflate are RFC 9110, 8.4.1; br is RFC 7932; zstd is
 * RFC 8878. */
#ifndef LUGE_HTTP_BODY_DECODE_H
#define LUGE_HTTP_BODY_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"

/* Bytes to read, or room to write: both shrink as they are used. */
struct luge__piece {
  char *ptr;
  size_t len;
};

struct luge__decoder {
  const struct luge__decoder_kind *kind;
  bool done;  /* at the end of what is encoded */
  bool begun; /* has seen a byte */
};

struct luge__decoder_kind {
  const char *name; /* in Content-Encoding */
  bool (*load)(void);
  struct luge__decoder *(*open)(const struct luge__memory *memory);
  /* Decodes until the input or the room is used up, and sets `done`. What
   * follows the end is dropped, as browsers do. False: corrupt. */
  bool (*run)(struct luge__decoder *decoder, struct luge__piece *in,
              struct luge__piece *out);
  void (*close)(struct luge__decoder *decoder,
                const struct luge__memory *memory);
};

extern const struct luge__decoder_kind luge__gzip_decoder;
extern const struct luge__decoder_kind luge__deflate_decoder;
extern const struct luge__decoder_kind luge__brotli_decoder;
extern const struct luge__decoder_kind luge__zstd_decoder;

/* The value of Accept-Encoding: what is there; "" if nothing is. */
const char *luge__decoder_names(void);

bool luge__decoder_knows(const char *encoding, size_t length);

/* NULL: out of memory. */
struct luge__decoder *luge__decoder_new(const struct luge__memory *memory,
                                        const char *encoding, size_t length);

/* One that hands what `first` makes to `second`; owns both. NULL: out of
 * memory; `first` is freed then, `second` is not. body_chain.c. */
struct luge__decoder *luge__decoder_chain(const struct luge__memory *memory,
                                          struct luge__decoder *first,
                                          struct luge__decoder *second);

bool luge__decoder_run(struct luge__decoder *decoder, struct luge__piece *in,
                       struct luge__piece *out);

/* Whether the encoded body is complete. One of no bytes at all is. */
bool luge__decoder_is_done(const struct luge__decoder *decoder);

/* NULL is allowed. */
void luge__decoder_free(struct luge__decoder *decoder,
                        const struct luge__memory *memory);

/* Loads a library's functions: { name, where to put it }, ended by NULL.
 * False: it is not there, or lacks one. */
struct luge__import {
  const char *name;
  void *function;
};

/* What the dynamic loader calls a shared library. */
#if defined(__APPLE__)
#define LUGE_LIBRARY(name, version) "lib" name "." version ".dylib"
#else
#define LUGE_LIBRARY(name, version) "lib" name ".so." version
#endif

bool luge__load_library(const char *name, const struct luge__import *imports);

#endif
