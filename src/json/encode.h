/* Inside the encoder: the state that encode.c writes with, and what
 * table.c decides about tables. */
#ifndef LUGE_JSON_ENCODE_H
#define LUGE_JSON_ENCODE_H

#include "buffer.h"
#include "json.h"

enum json_frame_kind {
  JSON_SEQUENCE, /* an array that lua_next gives in order */
  JSON_INDEXED,  /* an array that it does not; known to be one */
  JSON_OBJECT,
  JSON_SORTED /* an object; the cursor holds its keys in order */
};

struct json_key;

/* A table that is being written: in slot `table`, its cursor (a key, or the
 * userdata of `keys`) in the next. */
struct json_frame {
  int table;
  enum json_frame_kind kind;
  int marked;               /* by json.object: integers may be keys */
  lua_Integer index, count; /* of the element being written; how many */
  struct json_key *keys;
};

/* Slots behind that of the buffer. */
#define JSON_ARRAY_SLOT  2
#define JSON_OBJECT_SLOT 3

struct json_encoder {
  lua_State *L;
  const struct json_options *options;
  int depth;
  struct json_frame *frames;
  struct json_frame small[JSON_DEPTH];
  struct json_buffer out;
};

/* Raises `invalid`: which value, and what is wrong with it, as
 * lua_pushfstring formats it. */
int luge__json_refuse(struct json_encoder *e, const char *fmt, ...);

/* The same about the table on top, which would be one level too many. */
int luge__json_refuse_depth(struct json_encoder *e);

/* How many elements the frame's table has, which must be a sequence. */
lua_Integer luge__json_count_sequence(struct json_encoder *e,
                                      const struct json_frame *frame);

/* Refuses the key at `index`, as lua_next gave it, if it may be none. */
void luge__json_check_key(struct json_encoder *e,
                          const struct json_frame *frame, int index);

/* Pushes the cursor of the table on top: its keys in order. */
void luge__json_sort_keys(struct json_encoder *e, struct json_frame *frame);

/* Pushes the next key in order and its value; 0 if there is none. */
int luge__json_push_sorted(struct json_encoder *e, struct json_frame *frame);

/* Pushes the key that was pushed last, once more. */
void luge__json_push_key(lua_State *L, const struct json_frame *frame);

#endif
