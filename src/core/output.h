/* What scripts print: collected, a buffer for each standard stream, and handed
 * to the host's output callback before the loop blocks, when the buffer is
 * full, and at the end. Loop thread only. */
#ifndef LUGE_CORE_OUTPUT_H
#define LUGE_CORE_OUTPUT_H

#include <luge.h>
#include <stdbool.h>
#include <stddef.h>

#include "turns.h"

/* When what is in a buffer is handed over at the latest. */
enum luge_buffering {
  LUGE_BUFFER_FULL, /* before the loop blocks */
  LUGE_BUFFER_LINE, /* at the end of each line */
  LUGE_BUFFER_NONE  /* at once */
};

struct luge_output {
  char *bytes;
  size_t begin, end; /* of what was not handed over */
  enum luge_buffering buffering;
  int error;                 /* a negative errno: closed to scripts */
  struct luge_turns writers; /* tasks that wait for room */
};

/* The host's output for a stream. */
struct luge_output *luge__output(luge_host *host, enum luge_stream stream);

void luge__output_init(luge_host *host);

/* Prints. Where a slow reader leaves no room this blocks the thread. 0, or the
 * negative errno for which the stream is closed to scripts. */
int luge__print(luge_host *host, enum luge_stream stream, const char *bytes,
                size_t length);

/* The same, but takes only what fits without blocking; says how much. */
size_t luge__offer(luge_host *host, enum luge_stream stream, const char *bytes,
                   size_t length);

/* Hands over all that was collected; or what the embedder takes without
 * blocking. */
void luge__flush(luge_host *host);
void luge__flush_ready(luge_host *host);

void luge__output_free(luge_host *host);

#endif
