/* The body of an answer on its way from libcurl to a script: its
 * Content-Encoding is undone here. Not by libcurl, which takes a body that was
 * cut off in the middle of its encoding for a complete one, and whose limits
 * count the bytes before decoding. */
#ifndef LUGE_HTTP_BODY_H
#define LUGE_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"

struct luge__decoder;

enum luge__body_status {
  LUGE_BODY_OK,
  LUGE_BODY_MEMORY,  /* out of memory */
  LUGE_BODY_LIMIT,   /* longer than it may be */
  LUGE_BODY_CORRUPT, /* not what its encoding says */
  LUGE_BODY_UNKNOWN, /* an encoding that we do not know, or too many */
  LUGE_BODY_CUT      /* the encoded body has no end */
};

struct luge__body {
  struct luge__bytes bytes; /* decoded; or, of a stream, as they came */
  struct luge__decoder *decoder;
  unsigned codings; /* that the decoder undoes */
  size_t used;      /* of a stream's encoded bytes: how many are decoded */
  size_t total;     /* decoded bytes so far */
  size_t max;       /* for these; 0: no limit */
  bool pending;     /* the decoder has more, from what it has been given */
};

/* Tells how its bytes are encoded: the value of a Content-Encoding header, a
 * list in the order in which the encodings were applied. May be called again
 * for another such header. */
enum luge__body_status luge__body_decode(struct luge__body *body,
                                         const struct luge__memory *memory,
                                         const char *list, size_t length);

/* For a whole body: decodes what comes at once. */
enum luge__body_status luge__body_add(struct luge__body *body,
                                      const struct luge__memory *memory,
                                      const char *bytes, size_t length);

/* For a stream: keeps what comes, and decodes when asked for it, a piece at
 * a time: a small body may become a large one. */
enum luge__body_status luge__body_keep(struct luge__body *body,
                                       const struct luge__memory *memory,
                                       const char *bytes, size_t length);

/* Moves a piece of what is kept to `out`, which is empty; it stays empty if
 * nothing is there. */
enum luge__body_status luge__body_move(struct luge__body *body,
                                       const struct luge__memory *memory,
                                       struct luge__bytes *out);

/* Whether bytes are kept that have not been moved. */
bool luge__body_holds(const struct luge__body *body);

/* Nothing more will come: was it all? */
enum luge__body_status luge__body_end(struct luge__body *body);

/* Empty again, for the next one. Keeps a small buffer. */
void luge__body_reset(struct luge__body *body,
                      const struct luge__memory *memory);

void luge__body_free(struct luge__body *body,
                     const struct luge__memory *memory);

#endif
