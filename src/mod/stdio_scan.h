/* What a read asks for, and where it ends in the bytes that have come. Looks
 * only: what is found is taken by the caller. */
#ifndef LUGE_MOD_STDIO_SCAN_H
#define LUGE_MOD_STDIO_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum luge_format_kind {
  LUGE_READ_LINE,   /* "l": without its newline */
  LUGE_READ_WHOLE,  /* "L": with it */
  LUGE_READ_NUMBER, /* "n" */
  LUGE_READ_ALL,    /* "a" */
  LUGE_READ_COUNT,  /* so many bytes, fewer at the end */
  LUGE_READ_CHUNK   /* what there is, as it comes */
};

struct luge_format {
  enum luge_format_kind kind;
  size_t count;
};

/* What has come: `ended` says that no more will. */
struct luge_text {
  const char *bytes;
  size_t length;
  bool ended;
};

struct luge_span {
  size_t begin, length; /* the value, in the text */
  size_t next;          /* where the next read begins */
  bool found;           /* false: the end, and nothing in front of it */
};

/* A part of the text that is known to have no newline, so that a long line
 * that comes in pieces is looked through once. */
struct luge_clean {
  size_t from, to;
};

/* Reads one format from `from` on. False: more must come first. */
bool luge__scan(const struct luge_text *text, size_t from,
                const struct luge_format *format, struct luge_clean *clean,
                struct luge_span *span);

#endif
