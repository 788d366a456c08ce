/* Inside the incremental reader: what reader.c shows to Lua,
 * feed.c makes of the structure of a document, and token.c of its
 * strings, numbers and literals.
 *
 * A reader is a userdata. Its user values hold the tree: a value is put in its
 * place as soon as it begins, and grows there. Only the bytes of the open token
 * are kept, in a buffer, so the work for each byte is constant. */
#ifndef LUGE_JSON_READER_H
#define LUGE_JSON_READER_H

#include "buffer.h"
#include "json.h"

/* What may come next, or what is being read. */
enum json_state {
  JSON_IN_VALUE,
  JSON_IN_FIRST_ELEMENT, /* a value, or the end of the array */
  JSON_IN_FIRST_KEY,     /* a key, or the end of the object */
  JSON_IN_KEY,
  JSON_IN_COLON,
  JSON_IN_NEXT, /* a comma, or the end of the container */
  JSON_IN_END,  /* the value is complete */
  JSON_IN_STRING,
  JSON_IN_ESCAPE,   /* `pending` begins with a backslash */
  JSON_IN_SEQUENCE, /* `pending` is the beginning of a character */
  JSON_IN_NUMBER,
  JSON_IN_LITERAL
};

/* The user values of a reader. */
enum {
  JSON_UV_STACK = 1, /* the open tables, outermost first */
  JSON_UV_ROOT,
  JSON_UV_TABLE, /* the innermost open one */
  JSON_UV_KEY,   /* of the element being read, if that is an object */
  JSON_UV_BOX,   /* of the buffer */
  JSON_UV_ERROR,
  JSON_UV_COUNT = JSON_UV_ERROR
};

struct json_level {
  int is_object;
  lua_Integer count; /* complete elements */
};

struct json_reader {
  enum json_state state;
  int is_key;   /* whether the open string is one */
  uint64_t fed; /* bytes, before the text that is being fed */
  int number;   /* the state within a number; see token.c */
  int literal;  /* which one, and how many of its letters have come */
  int letters;
  char pending[12]; /* of an escape or a character that is cut */
  int pending_length;
  int failed; /* also while a text is being fed: an error may leave it so */
  int finished;
  int moved;    /* whether the table or the key has changed while feeding */
  int grown;    /* whether the tree has */
  size_t shown; /* bytes of the open string that are in the tree */
  struct json_buffer token;
  int depth, max_depth;
  struct json_level levels[];
};

/* Stack slots while a reader is at work. */
enum {
  JSON_SLOT_READER = 1,
  JSON_SLOT_TEXT,
  JSON_SLOT_BOX,
  JSON_SLOT_TABLE,
  JSON_SLOT_KEY
};

#define JSON_SHOWN_NOTHING SIZE_MAX

/* A text that is being fed. */
struct json_feed {
  lua_State *L;
  struct json_reader *r;
  const char *text, *p, *end;
};

/* Reads the text as far as it goes. Raises `parse`. */
void luge__json_feed(struct json_feed *f);

/* Raises `parse` about the byte at `p`, again at every later use. */
void luge__json_feed_error(struct json_feed *f, const char *p,
                           const char *what);

/* Puts the value on top into the tree, as the element that is being read. */
void luge__json_store(lua_State *L, struct json_reader *r);

/* What comes next is another element. */
void luge__json_complete(struct json_reader *r);

/* Read on from where they are: in a string, a number or a literal. */
void luge__json_feed_string(struct json_feed *f);
void luge__json_feed_escape(struct json_feed *f);
void luge__json_feed_sequence(struct json_feed *f);
void luge__json_feed_number(struct json_feed *f);
void luge__json_feed_literal(struct json_feed *f);

/* Begin with the byte at hand; 0 if no number or literal begins so. */
int luge__json_begin_number(struct json_feed *f);
int luge__json_begin_literal(struct json_feed *f);

/* Whether the open number may end here; if so, it does. */
int luge__json_end_number(struct json_feed *f);

#endif
