/* Undoing the chunked transfer coding (RFC 9112, section 7.1), to the letter:
 * every line ends in CRLF, a size is hexadecimal digits and nothing else.
 * Extensions and trailer fields are checked and dropped. */
#ifndef LUGE_HTTP_H1_CHUNKED_H
#define LUGE_HTTP_H1_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

struct luge__h1_chunked {
  int state;
  int digits;
  size_t overhead; /* bytes of extensions and trailers so far */
  uint64_t left;   /* of the chunk */
};

enum luge__h1_chunk {
  LUGE_H1_CHUNK_MORE,
  LUGE_H1_CHUNK_DATA, /* `*piece` and `*piece_len` are set */
  LUGE_H1_CHUNK_END,
  LUGE_H1_CHUNK_BAD,
  LUGE_H1_CHUNK_OVERHEAD /* more than max_overhead */
};

void luge__h1_chunked_init(struct luge__h1_chunked *c);

/* Moves `*bytes` and `*len` past what it read. */
enum luge__h1_chunk luge__h1_chunked_next(struct luge__h1_chunked *c,
                                          size_t max_overhead,
                                          const char **bytes, size_t *len,
                                          const char **piece,
                                          size_t *piece_len);

#endif
