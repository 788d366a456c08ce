/* Reading requests off a connection; see h1.h. */
#include "h1.h"

#include <string.h>

enum { HEAD, BODY, CHUNKED, DONE, FAILED };

/* Extensions and trailers of a chunked body: nobody needs that many. */
enum { MAX_CHUNK_OVERHEAD = 16 * 1024 };

void luge__h1_init(struct luge__h1 *p, struct luge__memory memory,
                   const struct luge__h1_limits *limits) {
  *p = (struct luge__h1){.memory = memory, .limits = limits, .state = HEAD};
}

void luge__h1_free(struct luge__h1 *p) {
  luge__bytes_free(&p->head_bytes, &p->memory);
  if (p->head.fields != NULL) {
    p->memory.fn(p->memory.ud, p->head.fields,
                 p->head.capacity * sizeof *p->head.fields, 0);
  }
  p->head = (struct luge__h1_head){0};
}

void luge__h1_reset(struct luge__h1 *p) {
  luge__h1_free(p);
  luge__h1_init(p, p->memory, p->limits);
}

/* An empty line is no beginning of a request. */
int luge__h1_is_idle(const struct luge__h1 *p) {
  return p->state == HEAD &&
         (p->head_bytes.len == 0 || p->head_bytes.ptr[0] == '\r');
}

static enum luge__h1_status fail(struct luge__h1 *p, int error,
                                 const char *reason) {
  p->state = FAILED;
  p->error = error;
  p->reason = reason;
  return LUGE_H1_ERROR;
}

static enum luge__h1_status out_of_memory(struct luge__h1 *p) {
  p->state = FAILED;
  p->error = 0;
  return LUGE_H1_NO_MEMORY;
}

static int in_request_line(const struct luge__h1 *p) {
  return p->line_start == 0;
}

/* The line that ends at the end of head_bytes: CRLF, nothing like it inside,
 * and no continuation of the one before. */
static const char *check_line(const struct luge__h1 *p) {
  const char *line = p->head_bytes.ptr + p->line_start;
  size_t len = p->head_bytes.len - p->line_start;
  if (len < 2 || line[len - 2] != '\r') {
    return "a line does not end in CRLF";
  }
  if (memchr(line, '\r', len - 2) != NULL) {
    return "a CR without its LF";
  }
  if (memchr(line, '\0', len - 2) != NULL) {
    return "a NUL in the head";
  }
  if (!in_request_line(p) && (line[0] == ' ' || line[0] == '\t')) {
    return "a folded header line";
  }
  return NULL;
}

static int make_fields(struct luge__h1 *p) {
  if (p->lines == 0) {
    return 1;
  }
  size_t size = p->lines * sizeof *p->head.fields;
  p->head.fields = p->memory.fn(p->memory.ud, NULL, 0, size);
  if (p->head.fields == NULL) {
    return 0;
  }
  p->head.capacity = p->lines;
  return 1;
}

static enum luge__h1_status end_head(struct luge__h1 *p) {
  if (!make_fields(p)) {
    return out_of_memory(p);
  }
  int error = luge__h1_read_head(p);
  if (error != 0) {
    return fail(p, error, p->reason);
  }
  luge__h1_chunked_init(&p->chunked);
  p->body_left = p->head.chunked ? p->limits->max_body : p->head.content_length;
  p->state = p->head.chunked ? CHUNKED : BODY;
  return LUGE_H1_HEAD;
}

/* A complete line. LUGE_H1_MORE: read on. */
static enum luge__h1_status end_line(struct luge__h1 *p) {
  const char *problem = check_line(p);
  if (problem != NULL) {
    return fail(p, 400, problem);
  }
  size_t len = p->head_bytes.len - p->line_start;
  if (len == 2 && in_request_line(p)) {
    p->head_bytes.len = 0; /* an empty line before a request is forgiven */
    return LUGE_H1_MORE;
  }
  if (len == 2) {
    return end_head(p);
  }
  if (!in_request_line(p) && ++p->lines > p->limits->max_fields) {
    return fail(p, 431, "too many headers");
  }
  p->line_start = p->head_bytes.len;
  return LUGE_H1_MORE;
}

/* Whether a request may begin so: a TLS greeting, say, never does, and has no
 * line end to wait for. */
static int may_begin(char c) {
  return (c > ' ' && c < 0x7F) || c == '\r' || c == '\n';
}

/* Collects the head line by line. */
static enum luge__h1_status read_head(struct luge__h1 *p, const char **bytes,
                                      size_t *len) {
  enum luge__h1_status status = LUGE_H1_MORE;
  while (status == LUGE_H1_MORE && *len > 0) {
    if (p->head_bytes.len == 0 && !may_begin(**bytes)) {
      return fail(p, 400, "this is not HTTP");
    }
    const char *lf = memchr(*bytes, '\n', *len);
    size_t n = lf != NULL ? (size_t)(lf + 1 - *bytes) : *len;
    if (n > p->limits->max_head - p->head_bytes.len) {
      return in_request_line(p) ? fail(p, 414, "the request line is too long")
                                : fail(p, 431, "the head is too large");
    }
    if (!luge__bytes_append(&p->head_bytes, &p->memory, *bytes, n)) {
      return out_of_memory(p);
    }
    *bytes += n;
    *len -= n;
    if (lf != NULL) {
      status = end_line(p);
    }
  }
  return status;
}

static enum luge__h1_status end_request(struct luge__h1 *p) {
  p->state = DONE;
  return LUGE_H1_END;
}

static enum luge__h1_status read_body(struct luge__h1 *p, const char **bytes,
                                      size_t *len,
                                      struct luge__h1_text *piece) {
  if (p->body_left == 0) {
    return end_request(p);
  }
  if (*len == 0) {
    return LUGE_H1_MORE;
  }
  size_t n = p->body_left < *len ? (size_t)p->body_left : *len;
  *piece = (struct luge__h1_text){*bytes, n};
  *bytes += n;
  *len -= n;
  p->body_left -= n;
  return LUGE_H1_BODY;
}

static enum luge__h1_status read_chunked(struct luge__h1 *p, const char **bytes,
                                         size_t *len,
                                         struct luge__h1_text *piece) {
  switch (luge__h1_chunked_next(&p->chunked, MAX_CHUNK_OVERHEAD, bytes, len,
                                &piece->ptr, &piece->len)) {
  case LUGE_H1_CHUNK_MORE:
    return LUGE_H1_MORE;
  case LUGE_H1_CHUNK_END:
    return end_request(p);
  case LUGE_H1_CHUNK_DATA:
    if (piece->len > p->body_left) {
      return fail(p, 413, "the body is too large");
    }
    p->body_left -= piece->len;
    return LUGE_H1_BODY;
  case LUGE_H1_CHUNK_OVERHEAD:
    return fail(p, 431, "too many chunk extensions or trailers");
  case LUGE_H1_CHUNK_BAD:
    break;
  }
  return fail(p, 400, "malformed chunk");
}

enum luge__h1_status luge__h1_next(struct luge__h1 *p, const char **bytes,
                                   size_t *len, struct luge__h1_text *piece) {
  switch (p->state) {
  case HEAD:
    return read_head(p, bytes, len);
  case BODY:
    return read_body(p, bytes, len, piece);
  case CHUNKED:
    return read_chunked(p, bytes, len, piece);
  case DONE:
    return LUGE_H1_END;
  default:
    return p->error != 0 ? LUGE_H1_ERROR : LUGE_H1_NO_MEMORY;
  }
}
