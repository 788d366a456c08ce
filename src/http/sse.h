/* An incremental parser of Server-Sent Events, as the WHATWG HTML standard
 * says under "Interpreting an event stream":
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 *
 * The caller lends a chunk with luge__sse_feed and takes events with
 * luge__sse_next until that says LUGE_SSE_MORE; then the chunk may go. An
 * event that lies whole inside one chunk is never copied. However the bytes
 * are cut, the events are the same, and the time is linear in the bytes.
 *
 * Bytes are passed on as they came: nothing replaces invalid UTF-8. */
#ifndef LUGE_HTTP_SSE_H
#define LUGE_HTTP_SSE_H

#include "bytes.h"

#include <stdint.h>

enum luge__sse_status {
  LUGE_SSE_MORE,        /* the chunk is used up */
  LUGE_SSE_EVENT,       /* the event was filled in */
  LUGE_SSE_LINE_LIMIT,  /* a line is longer than max_line; final */
  LUGE_SSE_EVENT_LIMIT, /* an event's data is longer than max_event; final */
  LUGE_SSE_NO_MEMORY    /* nothing is lost: the same call may be tried again */
};

struct luge__sse_text {
  const char *ptr;
  size_t len;
};

/* Lent until the next call of luge__sse_next, _feed or _free. */
struct luge__sse_event {
  struct luge__sse_text type; /* empty: a "message" */
  struct luge__sse_text data;
  int has_retry;
  uint64_t retry; /* milliseconds, as this event set it */
};

/* A field of the event that is being read: lent by the chunk at first, owned
 * once the chunk ends before the event does. */
struct luge__sse_field {
  struct luge__sse_text value;
  struct luge__bytes own;
  int is_set;
};

struct luge__sse {
  struct luge__memory memory;
  size_t max_line;
  size_t max_event;

  const char *pos; /* what is left of the chunk */
  const char *end;
  const char *next_lf; /* the first at or after pos, or end */
  const char *next_cr;
  struct luge__bytes line; /* a line that began in an earlier chunk */

  struct luge__sse_field type;
  struct luge__sse_field data;
  struct luge__sse_field id;
  struct luge__bytes last_id; /* of the last dispatched block */
  uint64_t retry;             /* the last one read; see has_retry */
  int has_retry;
  int block_has_retry;

  int bom_matched; /* bytes of the byte order mark seen; 3: past it */
  int skip_lf;     /* the last line ended in a CR: a LF belongs to it */
  int dispatched;  /* the block of the last event waits to be cleared */
  int id_changed;  /* last_id differs from what it was at the last event */
  enum luge__sse_status failure;
};

/* The memory is for what outlives a chunk; the limits are in bytes. */
void luge__sse_init(struct luge__sse *p, struct luge__memory memory,
                    size_t max_line, size_t max_event);
void luge__sse_free(struct luge__sse *p);

/* Lends the next bytes. The chunk before must be used up. */
void luge__sse_feed(struct luge__sse *p, const char *bytes, size_t len);

/* Reads on to the end of the next event. An event that the stream's end cuts
 * off is never given, as the standard wants it. */
enum luge__sse_status luge__sse_next(struct luge__sse *p,
                                     struct luge__sse_event *event);

#endif
