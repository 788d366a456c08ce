/* An incremental parser of HTTP/1.x requests, for a server (RFC 9112).
 *
 * The caller offers bytes to luge__h1_next until it says LUGE_H1_MORE. Heads
 * are collected, bodies are lent in pieces of the caller's own bytes. After
 * LUGE_H1_END nothing more is read until luge__h1_reset: requests that the
 * client sent ahead wait in the caller's buffer.
 *
 * Where lenience has let requests be smuggled past a proxy, this refuses: line
 * ends other than CRLF, folded lines, NUL, spaces around names, Content-Length
 * beside Transfer-Encoding or given twice, transfer codings other than
 * `chunked`, sloppy chunks. Lines and framing are checked here (h1.c,
 * h1_head.c, h1_chunked.c), the split into fields is a library's (h1_split.h),
 * which thereby gives a second opinion. */
#ifndef LUGE_HTTP_H1_H
#define LUGE_HTTP_H1_H

#include "bytes.h"
#include "h1_chunked.h"

#include <stdint.h>

enum luge__h1_status {
  LUGE_H1_MORE,     /* all bytes are read */
  LUGE_H1_HEAD,     /* head is filled in */
  LUGE_H1_BODY,     /* a piece of the body */
  LUGE_H1_END,      /* the request is complete */
  LUGE_H1_ERROR,    /* answer with `error` and close; final */
  LUGE_H1_NO_MEMORY /* final */
};

struct luge__h1_text {
  const char *ptr;
  size_t len;
};

struct luge__h1_field {
  struct luge__h1_text name;
  struct luge__h1_text value; /* without the spaces around it */
};

/* Valid until luge__h1_reset or _free. */
struct luge__h1_head {
  struct luge__h1_text method;
  struct luge__h1_text target;
  struct luge__h1_field *fields;
  size_t count;
  size_t capacity;
  int minor; /* HTTP/1.minor: 0 or 1 */
  int keep_alive;
  int upgrade;          /* asks to speak another protocol */
  int expects_continue; /* waits for 100 (Continue) */
  int chunked;
  uint64_t content_length; /* 0 where there is none */
};

struct luge__h1_limits {
  size_t max_head;   /* bytes of the request line and all fields */
  size_t max_fields; /* also bounds what a head's table takes */
  uint64_t max_body; /* bytes, after the chunks are undone */
};

struct luge__h1 {
  struct luge__memory memory;
  const struct luge__h1_limits *limits; /* borrowed: many share one */
  int state;
  size_t line_start; /* of the line being read, in head_bytes */
  size_t lines;
  struct luge__bytes head_bytes;
  struct luge__h1_head head;
  struct luge__h1_chunked chunked;
  uint64_t body_left;
  int error;          /* an HTTP status: 400, 413, 414, 417, 431, 501, 505 */
  const char *reason; /* what was wrong, for the log and the answer */
};

void luge__h1_init(struct luge__h1 *p, struct luge__memory memory,
                   const struct luge__h1_limits *limits);
void luge__h1_free(struct luge__h1 *p);

/* Frees the head and gets ready for the next request. */
void luge__h1_reset(struct luge__h1 *p);

/* Whether no byte of a request has come yet: the client may leave without
 * having missed anything. */
int luge__h1_is_idle(const struct luge__h1 *p);

/* Reads on, and moves `*bytes` and `*len` past what it read. Sets `*piece` for
 * LUGE_H1_BODY. */
enum luge__h1_status luge__h1_next(struct luge__h1 *p, const char **bytes,
                                   size_t *len, struct luge__h1_text *piece);

/* The first field of that name (in lower case), or NULL. */
const struct luge__h1_field *luge__h1_find(const struct luge__h1_head *head,
                                           const char *name);

/* Reads the collected head of `lines` field lines: 0, or the status to refuse
 * it with and the reason. */
int luge__h1_read_head(struct luge__h1 *p);

/* Whether it may be in a method or in the name of a header (RFC 9110, 5.6.2).
 */
int luge__h1_is_token_char(unsigned char c);

#endif
