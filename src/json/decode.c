/* Reading a whole document.
 *
 * The text is a Lua string, so it ends with a NUL, which no document may
 * contain: looking at a byte needs no test for the end. Nothing recurses; open
 * arrays and objects are frames.
 *
 * The elements of a container wait on the Lua stack until it closes, so that
 * its table is made once, with the right size; a container with many gets
 * its table earlier, and later elements go straight into it. */
#include "buffer.h"
#include "escape.h"
#include "json.h"
#include "names.h"
#include "number.h"
#include "scan.h"

#include <lauxlib.h>

/* How many values may wait for one table. Deep down they are fewer, so that a
 * document of the greatest depth fits on the Lua stack. */
#define BATCH      256
#define BATCH_DEEP 8
#define DEEP       64

/* An object with more members is taken for a dictionary, whose keys are not
 * names that other documents repeat. */
#define RECORD 64

struct frame {
  int base; /* the stack slot of the table, or for it */
  char is_object, has_table;
  lua_Integer count; /* elements of an array that are in the table */
};

struct decoder {
  lua_State *L;
  const char *text, *p, *end;
  int top, room; /* of the Lua stack: used, and known to be there */
  int depth, max_depth;
  int mark;    /* slot of the metatable of arrays */
  int strings; /* slot of the names' strings */
  struct json_names *names;
  struct frame *frames;
  struct frame small[JSON_DEPTH];
  struct json_buffer buffer;
};

static void fail(struct decoder *d, const char *p, const char *what) {
  luge__json_push_parse_error(d->L, d->text, p, d->end, 0,
                              p < d->end ? what : "unexpected end");
  lua_error(d->L);
}

static inline void skip_space(struct decoder *d) {
  const char *p = d->p;
  while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
    p++;
  }
  d->p = p;
}

/* Makes room for a key, a value, and what moving them into a table takes. Only
 * a little at a time: a stack that has grown stays large for a while, and there
 * may be thousands of tasks. */
static inline void reserve_stack(struct decoder *d) {
  if (d->room - d->top < 8) {
    int more = 24 + d->top;
    luaL_checkstack(d->L, more, "JSON");
    d->room = d->top + more;
  }
}

/* Goes on to the next quote or backslash. */
static inline const char *skip_text(struct decoder *d, const char *p) {
  for (;;) {
    p = json_skip_plain(p, d->end);
    if (*p == '"' || *p == '\\') {
      return p;
    }
    int length = p < d->end ? json_utf8(p, d->end) : 0;
    if (length < 2) {
      fail(d, p,
           length == 1 ? "control character in a string" : "invalid UTF-8");
    }
    do {
      p += length;
    } while ((*p & 0x80) != 0 && (length = json_utf8(p, d->end)) != 0);
  }
}

static const char *read_escape(struct decoder *d, const char *p) {
  const char *what;
  json_reserve(&d->buffer, 4);
  char *out = d->buffer.data + d->buffer.length;
  int length = luge__json_read_escape(&p, out, &what);
  if (length == 0) {
    fail(d, p, what);
  }
  d->buffer.length += (size_t)length;
  return p;
}

/* Pushes the string that begins at `first`, whose first backslash is at `p`. */
static void push_escaped(struct decoder *d, const char *first, const char *p) {
  d->buffer.length = 0;
  json_add(&d->buffer, first, (size_t)(p - first));
  while (*p == '\\') {
    p = read_escape(d, p);
    const char *run = p;
    p = skip_text(d, p);
    json_add(&d->buffer, run, (size_t)(p - run));
  }
  lua_pushlstring(d->L, d->buffer.data, d->buffer.length);
  d->p = p + 1;
}

/* Pushes the string whose quote has been read. */
static inline void push_string(struct decoder *d) {
  const char *first = d->p;
  const char *p = skip_text(d, first);
  if (*p == '\\') {
    push_escaped(d, first, p);
  } else {
    lua_pushlstring(d->L, first, (size_t)(p - first));
    d->p = p + 1;
  }
  d->top++;
}

/* The same of a name. */
static inline void push_name(struct decoder *d) {
  const char *first = d->p;
  const char *p =
      luge__json_expect_name(d->L, d->names, d->strings, first, d->end);
  if (p != NULL) {
    d->p = p;
  } else if (*(p = skip_text(d, first)) == '\\') {
    push_escaped(d, first, p);
  } else {
    luge__json_push_name(d->L, d->names, d->strings, first,
                         (size_t)(p - first));
    d->p = p + 1;
  }
  d->top++;
}

static inline int is_record(const struct decoder *d) {
  const struct frame *frame = &d->frames[d->depth - 1];
  return !frame->has_table && d->top - frame->base < 2 * RECORD;
}

static void push_number(struct decoder *d) {
  lua_Integer integer;
  lua_Number number;
  const char *first = d->p;
  switch (luge__json_read_number(&d->p, &integer, &number)) {
  case JSON_INTEGER:
    lua_pushinteger(d->L, integer);
    break;
  case JSON_FLOAT:
    lua_pushnumber(d->L, number);
    break;
  case JSON_TOO_LARGE:
    fail(d, first, "number too large");
    break;
  default:
    fail(d, d->p, "malformed number");
  }
  d->top++;
}

static int read_word(struct decoder *d, const char *word) {
  size_t i = 0;
  while (word[i] != '\0' && d->p[i] == word[i]) {
    i++;
  }
  d->p += i;
  return word[i] == '\0';
}

static void push_literal(struct decoder *d) {
  int well_formed;
  switch (*d->p) {
  case 't':
    lua_pushboolean(d->L, 1);
    well_formed = read_word(d, "true");
    break;
  case 'f':
    lua_pushboolean(d->L, 0);
    well_formed = read_word(d, "false");
    break;
  default:
    lua_pushlightuserdata(d->L, NULL);
    well_formed = read_word(d, "null");
  }
  d->top++;
  if (!well_formed) {
    fail(d, d->p, "malformed literal");
  }
}

/* Frames beyond the usual depth move to a userdata, in their slot. */
static void grow_frames(struct decoder *d) {
  lua_State *L = d->L;
  size_t size = sizeof(struct frame) * (size_t)d->max_depth;
  struct frame *frames = lua_newuserdatauv(L, size, 0);
  memcpy(frames, d->frames, sizeof(struct frame) * (size_t)d->depth);
  lua_replace(L, d->strings + 1);
  d->frames = frames;
}

static void open_frame(struct decoder *d, int is_object) {
  if (d->depth == d->max_depth) {
    fail(d, d->p - 1, "nested too deeply");
  }
  if (d->depth == JSON_DEPTH && d->frames == d->small) {
    grow_frames(d);
  }
  lua_pushnil(d->L);
  d->frames[d->depth++] =
      (struct frame){.base = ++d->top, .is_object = (char)is_object};
}

/* Moves what waits above the table into it: an object's pairs in their order,
 * so that the last of two with the same key stays. */
static void fill_table(struct decoder *d, struct frame *frame) {
  lua_State *L = d->L;
  int waiting = d->top - frame->base;
  if (frame->is_object && waiting == 2) {
    lua_rawset(L, frame->base);
  } else if (frame->is_object) {
    for (int i = frame->base + 1; i < d->top; i += 2) {
      lua_pushvalue(L, i);
      lua_pushvalue(L, i + 1);
      lua_rawset(L, frame->base);
    }
    lua_settop(L, frame->base);
  } else {
    for (int i = waiting; i > 0; i--) {
      lua_rawseti(L, frame->base, frame->count + i);
    }
    frame->count += waiting;
  }
  d->top = frame->base;
}

/* Makes the table of a container, with room for `expected` values. */
static void make_table(struct decoder *d, struct frame *frame, int expected) {
  lua_State *L = d->L;
  if (frame->is_object) {
    lua_createtable(L, 0, expected / 2);
  } else {
    lua_createtable(L, expected, 0);
    lua_pushvalue(L, d->mark);
    lua_setmetatable(L, -2);
  }
  lua_replace(L, frame->base);
  frame->has_table = 1;
}

/* The container is complete: its table is the value on top. */
static void close_frame(struct decoder *d) {
  struct frame *frame = &d->frames[d->depth - 1];
  if (!frame->has_table) {
    make_table(d, frame, d->top - frame->base);
  }
  if (d->top > frame->base) {
    fill_table(d, frame);
  }
  d->p++;
  d->depth--;
}

static inline void store_waiting(struct decoder *d, struct frame *frame) {
  int waiting = d->top - frame->base;
  if (frame->has_table) {
    fill_table(d, frame);
  } else if (waiting >= (d->depth < DEEP ? BATCH : BATCH_DEEP)) {
    make_table(d, frame, 2 * waiting);
    fill_table(d, frame);
  }
}

static inline void push_key(struct decoder *d) {
  skip_space(d);
  if (*d->p != '"') {
    fail(d, d->p, "a key must be a string");
  }
  d->p++;
  if (is_record(d)) {
    push_name(d);
  } else {
    push_string(d);
  }
  skip_space(d);
  if (*d->p != ':') {
    fail(d, d->p, "':' expected after a key");
  }
  d->p++;
}

/* Reads '[' or '{'. Whether a value follows, and not the end of the
 * container. */
static int open_container(struct decoder *d, char close) {
  d->p++;
  open_frame(d, close == '}');
  skip_space(d);
  if (*d->p == close) {
    close_frame(d);
    return 0;
  }
  if (close == '}') {
    push_key(d);
  }
  return 1;
}

/* Reads a value, or the beginning of a container that is not empty. Whether it
 * is the latter, so that another value follows. */
static int begin_value(struct decoder *d) {
  reserve_stack(d);
  skip_space(d);
  switch (*d->p) {
  case '"':
    d->p++;
    push_string(d);
    return 0;
  case '{':
    return open_container(d, '}');
  case '[':
    return open_container(d, ']');
  case 't':
  case 'f':
  case 'n':
    push_literal(d);
    return 0;
  default:
    if (*d->p != '-' && (*d->p < '0' || *d->p > '9')) {
      fail(d, d->p, "a value expected");
    }
    push_number(d);
    return 0;
  }
}

/* Reads what follows an element: whether there is another. If not, the
 * container is complete, and itself an element of the one around it. */
static int next_element(struct decoder *d) {
  struct frame *frame = &d->frames[d->depth - 1];
  skip_space(d);
  if (*d->p == ',') {
    d->p++;
    store_waiting(d, frame);
    if (frame->is_object) {
      push_key(d);
    }
    return 1;
  }
  if (*d->p != (frame->is_object ? '}' : ']')) {
    fail(d, d->p,
         frame->is_object ? "',' or '}' expected" : "',' or ']' expected");
  }
  close_frame(d);
  return 0;
}

static void read_document(struct decoder *d) {
  int more;
  do {
    more = begin_value(d);
    while (!more && d->depth > 0) {
      more = next_element(d);
    }
  } while (more);
  skip_space(d);
  if (d->p < d->end) {
    fail(d, d->p, "nothing may follow the value");
  }
}

void luge__json_decode(lua_State *L, int index,
                       const struct json_options *options) {
  struct decoder d;
  size_t length;
  d.L = L;
  d.text = d.p = lua_tolstring(L, index, &length);
  d.end = d.text + length;
  d.depth = 0;
  d.max_depth = options->max_depth;
  d.frames = d.small;
  int bottom = lua_gettop(L);
  luge__json_buffer_init(&d.buffer, L);
  luge__json_push_array_mark(L);
  d.names = luge__json_names(L);
  d.strings = lua_gettop(L);
  d.mark = d.strings - 1;
  lua_pushnil(L); /* for frames beyond the usual depth */
  d.top = d.room = lua_gettop(L);
  read_document(&d);
  luge__json_buffer_free(&d.buffer);
  lua_replace(L, bottom + 1);
  lua_settop(L, bottom + 1);
}
