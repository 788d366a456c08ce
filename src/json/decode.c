/* Reading a whole document; see decode.h.
 *
 * The text is a Lua string, so it ends with a NUL, which no document may
 * contain: looking at a byte needs no test for the end. */
#include "decode.h"
#include "escape.h"
#include "number.h"
#include "scan.h"

#include <lauxlib.h>

void luge__json_decode_fail(struct json_decoder *d, const char *p,
                            const char *what) {
  luge__json_push_parse_error(d->L, d->text, p, d->end, 0,
                              p < d->end ? what : "unexpected end");
  lua_error(d->L);
  for (;;) { /* lua_error does not return; its type says otherwise */
  }
}

static inline void skip_space(struct json_decoder *d) {
  const char *p = d->p;
  while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
    p++;
  }
  d->p = p;
}

/* Makes room for a key, a value, and what moving them into a table takes. Only
 * a little at a time: a stack that has grown stays large for a while, and there
 * may be thousands of tasks. */
static inline void reserve_stack(struct json_decoder *d) {
  if (d->room - d->top < 8) {
    int more = 24 + d->top;
    luaL_checkstack(d->L, more, "JSON");
    d->room = d->top + more;
  }
}

/* Goes on to the next quote or backslash. */
static inline const char *skip_text(struct json_decoder *d, const char *p) {
  for (;;) {
    p = json_skip_plain(p, d->end);
    if (*p == '"' || *p == '\\') {
      return p;
    }
    int length = p < d->end ? json_utf8(p, d->end) : 0;
    if (length < 2) {
      luge__json_decode_fail(d, p,
                             length == 1 ? "control character in a string"
                                         : "invalid UTF-8");
    }
    do {
      p += length;
    } while ((*p & 0x80) != 0 && (length = json_utf8(p, d->end)) != 0);
  }
}

static const char *read_escape(struct json_decoder *d, const char *p) {
  const char *what;
  json_reserve(&d->buffer, 4);
  char *out = d->buffer.data + d->buffer.length;
  int length = luge__json_read_escape(&p, out, &what);
  if (length == 0) {
    luge__json_decode_fail(d, p, what);
  }
  d->buffer.length += (size_t)length;
  return p;
}

/* Pushes the string that begins at `first`, whose first backslash is at `p`. */
static void push_escaped(struct json_decoder *d, const char *first,
                         const char *p) {
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
static inline void push_string(struct json_decoder *d) {
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

/* The same, of a name's value. */
static inline void push_text(struct json_decoder *d) {
  const char *first = d->p;
  const char *p =
      luge__json_expect_text(d->L, d->names, d->strings, first, d->end);
  if (p != NULL) {
    d->p = p;
    d->top++;
  } else {
    push_string(d);
    luge__json_keep_text(d->L, d->names, d->strings, first,
                         (size_t)(d->p - 1 - first));
  }
}

/* The same, of a name. */
static inline void push_name(struct json_decoder *d) {
  const char *first = d->p;
  const char *p =
      luge__json_expect_name(d->L, d->names, d->strings, first, d->end);
  if (p != NULL) {
    d->p = p;
  } else if (*(p = skip_text(d, first)) == '\\') {
    push_escaped(d, first, p);
    d->names->last = JSON_NAMES_OTHER;
  } else {
    luge__json_push_name(d->L, d->names, d->strings, first,
                         (size_t)(p - first));
    d->p = p + 1;
  }
  d->top++;
}

static void push_number(struct json_decoder *d) {
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
    luge__json_decode_fail(d, first, "number too large");
    break;
  default:
    luge__json_decode_fail(d, d->p, "malformed number");
  }
  d->top++;
}

static int read_word(struct json_decoder *d, const char *word) {
  size_t i = 0;
  while (word[i] != '\0' && d->p[i] == word[i]) {
    i++;
  }
  d->p += i;
  return word[i] == '\0';
}

static void push_literal(struct json_decoder *d) {
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
    luge__json_decode_fail(d, d->p, "malformed literal");
  }
}

static inline void push_key(struct json_decoder *d) {
  skip_space(d);
  if (*d->p != '"') {
    luge__json_decode_fail(d, d->p, "a key must be a string");
  }
  d->p++;
  d->after_name = json_is_record(d);
  if (d->after_name) {
    push_name(d);
    json_note_name(d);
  } else {
    push_string(d);
    d->open[d->depth - 1].may_repeat = true;
  }
  skip_space(d);
  if (*d->p != ':') {
    luge__json_decode_fail(d, d->p, "':' expected after a key");
  }
  d->p++;
}

/* Reads '[' or '{'. Whether a value follows, and not the end of the
 * container. */
static int open_container(struct json_decoder *d, char close) {
  d->p++;
  luge__json_open_container(d, close == '}');
  skip_space(d);
  if (*d->p == close) {
    d->p++;
    luge__json_close_container(d);
    return 0;
  }
  if (close == '}') {
    push_key(d);
  }
  return 1;
}

/* Reads a value, or the beginning of a container that is not empty. Whether it
 * is the latter, so that another value follows. */
static int begin_value(struct json_decoder *d) {
  int after_name = d->after_name;
  d->after_name = 0;
  reserve_stack(d);
  skip_space(d);
  switch (*d->p) {
  case '"':
    d->p++;
    if (after_name) {
      push_text(d);
    } else {
      push_string(d);
    }
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
      luge__json_decode_fail(d, d->p, "a value expected");
    }
    push_number(d);
    return 0;
  }
}

/* Reads what follows an element: whether there is another. If not, the
 * container is complete, and itself an element of the one around it. */
static int next_element(struct json_decoder *d) {
  bool is_object = d->open[d->depth - 1].is_object;
  skip_space(d);
  if (*d->p == ',') {
    d->p++;
    luge__json_store_waiting(d);
    if (is_object) {
      push_key(d);
    }
    return 1;
  }
  if (*d->p != (is_object ? '}' : ']')) {
    luge__json_decode_fail(
        d, d->p, is_object ? "',' or '}' expected" : "',' or ']' expected");
  }
  d->p++;
  luge__json_close_container(d);
  return 0;
}

static void read_document(struct json_decoder *d) {
  int more;
  do {
    more = begin_value(d);
    while (!more && d->depth > 0) {
      more = next_element(d);
    }
  } while (more);
  skip_space(d);
  if (d->p < d->end) {
    luge__json_decode_fail(d, d->p, "nothing may follow the value");
  }
}

void luge__json_decode(lua_State *L, int index,
                       const struct json_options *options) {
  struct json_decoder d;
  size_t length;
  d.L = L;
  d.text = d.p = lua_tolstring(L, index, &length);
  d.end = d.text + length;
  d.depth = 0;
  d.max_depth = options->max_depth;
  d.open = d.small;
  d.after_name = 0;
  int bottom = lua_gettop(L);
  luge__json_buffer_init(&d.buffer, L);
  d.names = luge__json_names(L);
  d.strings = lua_gettop(L);
  lua_pushnil(L); /* for containers beyond the usual depth */
  d.top = d.room = lua_gettop(L);
  read_document(&d);
  luge__json_buffer_free(&d.buffer);
  lua_replace(L, bottom + 1);
  lua_settop(L, bottom + 1);
}
