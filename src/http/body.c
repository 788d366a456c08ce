/* Bodies of answers; see body.h. */
#include "body.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "body_decode.h"

/* A piece of a decoded stream is about so long. */
enum { PIECE = 64 * 1024 };

/* Encodings of one body, one upon the other. */
enum { MAX_CODINGS = 4 };

/* Buffers up to this size are kept for the next body. */
enum { MAX_KEPT = 16 * 1024 };

static bool passes(const struct luge__body *body, size_t more) {
  return body->max != 0 && more > body->max - body->total;
}

/* Decodes `length` bytes to `out`, until that is `most` long; says in *used
 * how many it took. */
static enum luge__body_status decode(struct luge__body *body,
                                     const struct luge__memory *memory,
                                     const char *bytes, size_t length,
                                     size_t *used, struct luge__bytes *out,
                                     size_t most) {
  struct luge__piece in = {.ptr = (char *)bytes, .len = length};
  bool more = true;
  while (more && out->len < most) {
    if (!luge__bytes_reserve(out, memory, PIECE / 4)) {
      return LUGE_BODY_MEMORY;
    }
    struct luge__piece space = {.ptr = out->ptr + out->len,
                                .len = out->cap - out->len};
    size_t room = space.len, left = in.len;
    if (!luge__decoder_run(body->decoder, &in, &space)) {
      return LUGE_BODY_CORRUPT;
    }
    size_t made = room - space.len;
    if (passes(body, made)) {
      return LUGE_BODY_LIMIT;
    }
    out->len += made;
    body->total += made;
    body->pending = space.len == 0;
    more = body->pending || (in.len > 0 && (made > 0 || in.len < left));
  }
  *used = length - in.len;
  return LUGE_BODY_OK;
}

enum luge__body_status luge__body_add(struct luge__body *body,
                                      const struct luge__memory *memory,
                                      const char *bytes, size_t length) {
  if (body->decoder != NULL) {
    size_t used;
    return decode(body, memory, bytes, length, &used, &body->bytes, SIZE_MAX);
  }
  if (passes(body, length)) {
    return LUGE_BODY_LIMIT;
  }
  body->total += length;
  return luge__bytes_append(&body->bytes, memory, bytes, length)
             ? LUGE_BODY_OK
             : LUGE_BODY_MEMORY;
}

enum luge__body_status luge__body_keep(struct luge__body *body,
                                       const struct luge__memory *memory,
                                       const char *bytes, size_t length) {
  if (body->decoder == NULL) {
    return luge__body_add(body, memory, bytes, length);
  }
  return luge__bytes_append(&body->bytes, memory, bytes, length)
             ? LUGE_BODY_OK
             : LUGE_BODY_MEMORY;
}

static enum luge__body_status move_decoded(struct luge__body *body,
                                           const struct luge__memory *memory,
                                           struct luge__bytes *out) {
  size_t used = 0;
  enum luge__body_status status =
      decode(body, memory, body->bytes.ptr + body->used,
             body->bytes.len - body->used, &used, out, PIECE);
  body->used += used;
  if (body->used == body->bytes.len) {
    body->used = body->bytes.len = 0;
  }
  return status;
}

/* Without an encoding the two buffers change places: nothing is copied. */
enum luge__body_status luge__body_move(struct luge__body *body,
                                       const struct luge__memory *memory,
                                       struct luge__bytes *out) {
  if (!luge__body_holds(body)) {
    return LUGE_BODY_OK;
  }
  if (body->decoder != NULL) {
    return move_decoded(body, memory, out);
  }
  struct luge__bytes empty = *out;
  *out = body->bytes;
  body->bytes = empty;
  return LUGE_BODY_OK;
}

bool luge__body_holds(const struct luge__body *body) {
  return body->bytes.len > 0 || body->pending;
}

enum luge__body_status luge__body_end(struct luge__body *body) {
  return body->decoder == NULL || luge__decoder_is_done(body->decoder)
             ? LUGE_BODY_OK
             : LUGE_BODY_CUT;
}

/* What was applied last is undone first. */
static enum luge__body_status add_coding(struct luge__body *body,
                                         const struct luge__memory *memory,
                                         const char *coding, size_t length) {
  if (length == 0 || (length == 8 && strncasecmp(coding, "identity", 8) == 0)) {
    return LUGE_BODY_OK;
  }
  if (body->codings == MAX_CODINGS || !luge__decoder_knows(coding, length)) {
    return LUGE_BODY_UNKNOWN;
  }
  struct luge__decoder *decoder = luge__decoder_new(memory, coding, length);
  if (decoder != NULL && body->decoder != NULL) {
    decoder = luge__decoder_chain(memory, decoder, body->decoder);
  }
  if (decoder == NULL) {
    return LUGE_BODY_MEMORY;
  }
  body->decoder = decoder;
  body->codings++;
  return LUGE_BODY_OK;
}

static bool is_between(char c) {
  return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum luge__body_status luge__body_decode(struct luge__body *body,
                                         const struct luge__memory *memory,
                                         const char *list, size_t length) {
  enum luge__body_status status = LUGE_BODY_OK;
  const char *end = list + length;
  while (list < end && status == LUGE_BODY_OK) {
    const char *coding = list;
    while (list < end && !is_between(*list)) {
      list++;
    }
    status = add_coding(body, memory, coding, (size_t)(list - coding));
    list++;
  }
  return status;
}

void luge__body_reset(struct luge__body *body,
                      const struct luge__memory *memory) {
  luge__decoder_free(body->decoder, memory);
  if (body->bytes.cap > MAX_KEPT) {
    luge__bytes_free(&body->bytes, memory);
  }
  *body = (struct luge__body){
      .bytes = {.ptr = body->bytes.ptr, .cap = body->bytes.cap}};
}

void luge__body_free(struct luge__body *body,
                     const struct luge__memory *memory) {
  luge__decoder_free(body->decoder, memory);
  luge__bytes_free(&body->bytes, memory);
  *body = (struct luge__body){0};
}
