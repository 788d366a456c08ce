/* The decoder of whole documents: what reads text (decode.c) and what makes
 * tables (decode_table.c) share.
 *
 * Nothing recurses. The elements of an open container wait on the Lua stack
 * until it closes, so that its table is made once, with the right size; a
 * container with many gets its table earlier, and later elements go straight
 * into it. */
#ifndef LUGE_JSON_DECODE_H
#define LUGE_JSON_DECODE_H

#include "../core/error.h"
#include "buffer.h"
#include "json.h"
#include "names.h"

#include <stdbool.h>

/* An array or object that is still open. */
struct json_container {
  int base; /* the stack slot of the table, or for it */
  bool is_object, has_table;
  bool may_repeat;   /* a name may wait twice */
  lua_Integer count; /* elements of an array that are in the table */
  uint64_t names[JSON_NAMES / 64]; /* the places of those that wait */
};

struct json_decoder {
  lua_State *L;
  const char *text, *p, *end;
  int top, room; /* of the Lua stack: used, and known to be there */
  int depth, max_depth;
  int strings; /* slot of the names' strings */
  struct json_names *names;
  int after_name;              /* the value of the last name follows */
  struct json_container *open; /* `depth` of them */
  struct json_container small[JSON_DEPTH];
  struct json_buffer buffer;
};

/* Raises `parse` about the byte at `p`. */
LUGE_NORETURN void luge__json_decode_fail(struct json_decoder *d, const char *p,
                                          const char *what);

/* Opens a container within the innermost one. */
void luge__json_open_container(struct json_decoder *d, bool is_object);

/* The innermost container is complete: its table is the value on top. */
void luge__json_close_container(struct json_decoder *d);

/* After an element of the innermost container, if another follows: makes sure
 * that not too many wait. */
void luge__json_store_waiting(struct json_decoder *d);

/* Whether the next key of the innermost container is a name that other
 * documents are likely to repeat. One of more members than that is taken for a
 * dictionary. */
static inline int json_is_record(const struct json_decoder *d) {
  enum { RECORD = 64 };
  const struct json_container *container = &d->open[d->depth - 1];
  return !container->has_table && d->top - container->base < 2 * RECORD;
}

/* Notes that the last of the names is a key. Those that are the same have the
 * same place. */
static inline void json_note_name(struct json_decoder *d) {
  struct json_container *object = &d->open[d->depth - 1];
  unsigned place = d->names->last;
  if (place >= JSON_NAMES) {
    object->may_repeat = true;
    return;
  }
  uint64_t *names = &object->names[place / 64];
  uint64_t bit = UINT64_C(1) << (place % 64);
  object->may_repeat = object->may_repeat || (*names & bit) != 0;
  *names |= bit;
}

#endif
