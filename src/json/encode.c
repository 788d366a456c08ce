/* Writing a document.
 *
 * Tables are read raw and in one pass; nothing recurses. An open table has
 * two slots of the Lua stack, for itself and for a cursor, and the value that
 * is to be written next stands above them. The text grows in a buffer of the
 * Lua state's. */
#include "encode.h"
#include "../core/error.h"
#include "buffer.h"
#include "json.h"
#include "number.h"
#include "scan.h"

#include <lauxlib.h>
#include <math.h>

static void add_plain(struct json_encoder *e, const char *text, size_t length) {
  json_add(&e->out, text, length);
}

static void add_newline(struct json_encoder *e) {
  const struct json_options *options = e->options;
  if (options->indent == NULL) {
    return;
  }
  json_reserve(&e->out, 1 + (size_t)e->depth * options->indent_length);
  json_put(&e->out, '\n');
  for (int i = 0; i < e->depth; i++) {
    json_put_bytes(&e->out, options->indent, options->indent_length);
  }
}

/* Writes the escape of a control character, a quote or a backslash; there is
 * room for it. */
static void put_escape(struct json_buffer *out, unsigned char c) {
  static const char letters[] = "uuuuuuuubtnufruu";
  static const char digits[] = "0123456789abcdef";
  char letter = c < 16 ? letters[c] : c < 0x20 ? 'u' : (char)c;
  json_put(out, '\\');
  json_put(out, letter);
  if (letter == 'u') {
    json_put_bytes(out, "00", 2);
    json_put(out, digits[c >> 4]);
    json_put(out, digits[c & 15]);
  }
}

/* Copies what is plain, eight bytes at a time; where it stops. There is room
 * for the rest of the text and 8 bytes more. */
static inline const char *put_plain(struct json_buffer *out, const char *p,
                                    const char *end) {
  char *to = out->data + out->length;
  const char *from = p;
  while (end - p >= 8) {
    uint64_t special = json_special8(json_load8(p));
    memcpy(to, p, 8);
    if (special != 0) {
      p += __builtin_ctzll(special) >> 3;
      out->length += (size_t)(p - from);
      return p;
    }
    p += 8;
    to += 8;
  }
  while (p < end && json_is_plain((unsigned char)*p)) {
    *to++ = *p++;
  }
  out->length += (size_t)(p - from);
  return p;
}

/* Copies a well-formed sequence of more than one byte, or fails. */
static const char *put_utf8(struct json_encoder *e, const char *text,
                            const char *p, const char *end) {
  int length = json_utf8(p, end);
  if (length == 0) {
    lua_Integer at = (lua_Integer)(p - text) + 1;
    luge__json_refuse(e, "holds invalid UTF-8 at byte %I", (LUAI_UACINT)at);
  }
  json_put_bytes(&e->out, p, (size_t)length);
  return p + length;
}

static void add_string(struct json_encoder *e, const char *p, size_t length) {
  struct json_buffer *out = &e->out;
  const char *text = p, *end = p + length;
  json_reserve(out, length + 16);
  json_put(out, '"');
  while ((p = put_plain(out, p, end)) < end) {
    json_reserve(out, (size_t)(end - p) + 24);
    if ((unsigned char)*p >= 0x80) {
      p = put_utf8(e, text, p, end);
    } else {
      put_escape(out, (unsigned char)*p++);
    }
  }
  json_put(out, '"');
}

static void add_integer(struct json_encoder *e, lua_Integer integer) {
  json_reserve(&e->out, JSON_NUMBER_SIZE);
  e->out.length +=
      (size_t)luge__json_write_integer(e->out.data + e->out.length, integer);
}

static void add_number(struct json_encoder *e) {
  if (lua_isinteger(e->L, -1)) {
    add_integer(e, lua_tointeger(e->L, -1));
    return;
  }
  lua_Number number = lua_tonumber(e->L, -1);
  if (!isfinite(number)) {
    luge__json_refuse(e, "is %s, which JSON has no form for",
                      isnan(number) ? "nan" : "infinite");
  }
  json_reserve(&e->out, JSON_NUMBER_SIZE);
  e->out.length +=
      (size_t)luge__json_write_double(e->out.data + e->out.length, number);
}

/* Adds the key at `index` and the colon. An integer is a key only of a table
 * with the mark of an object. */
static void add_key(struct json_encoder *e, int index) {
  if (lua_type(e->L, index) == LUA_TSTRING) {
    size_t length;
    const char *text = lua_tolstring(e->L, index, &length);
    add_string(e, text, length);
  } else {
    json_reserve(&e->out, JSON_NUMBER_SIZE + 2);
    json_put(&e->out, '"');
    add_integer(e, lua_tointeger(e->L, index));
    json_reserve(&e->out, 1);
    json_put(&e->out, '"');
  }
  if (e->options->indent != NULL) {
    add_plain(e, ": ", 2);
  } else {
    add_plain(e, ":", 1);
  }
}

/* Frames beyond the usual depth move to a userdata, in their slot. */
static void grow_frames(struct json_encoder *e) {
  size_t size = sizeof *e->frames * (size_t)e->options->max_depth;
  struct json_frame *frames = lua_newuserdatauv(e->L, size, 0);
  memcpy(frames, e->frames, sizeof *e->frames * (size_t)e->depth);
  lua_replace(e->L, e->out.slot + 1);
  e->frames = frames;
}

/* The table on top becomes a frame. */
static struct json_frame *open_frame(struct json_encoder *e) {
  if (e->depth == e->options->max_depth) {
    luge__json_refuse_depth(e);
  }
  if (e->depth == JSON_DEPTH && e->frames == e->small) {
    grow_frames(e);
  }
  luaL_checkstack(e->L, 16, "JSON");
  struct json_frame *frame = &e->frames[e->depth];
  frame->table = lua_gettop(e->L);
  frame->index = frame->count = 0;
  frame->keys = NULL;
  return frame;
}

static int has_mark(struct json_encoder *e, int mark) {
  if (!lua_getmetatable(e->L, -1)) {
    return 0;
  }
  int same = lua_rawequal(e->L, -1, e->out.slot + mark);
  lua_pop(e->L, 1);
  return same;
}

/* The table on top has no elements. */
static int add_empty(struct json_encoder *e, int is_array) {
  add_plain(e, is_array ? "[]" : "{}", 2);
  lua_pop(e->L, 1);
  return 0;
}

static int begin_array(struct json_encoder *e, struct json_frame *frame) {
  lua_State *L = e->L;
  e->depth++;
  add_plain(e, "[", 1);
  frame->index = 1;
  if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == 1) {
    frame->kind = JSON_SEQUENCE;
  } else {
    frame->kind = JSON_INDEXED;
    frame->count = luge__json_count_sequence(e, frame);
    lua_pop(L, 1);
    lua_rawgeti(L, frame->table, 1);
  }
  add_newline(e);
  return 1;
}

/* Adds the key below the value on top; both stay there unchanged. */
static int begin_pair(struct json_encoder *e, const struct json_frame *frame) {
  add_newline(e);
  add_key(e, -2);
  if (frame->kind == JSON_SORTED) {
    lua_remove(e->L, -2);
  }
  return 1;
}

static int begin_object(struct json_encoder *e, struct json_frame *frame) {
  e->depth++;
  add_plain(e, "{", 1);
  if (e->options->sort_keys) {
    frame->kind = JSON_SORTED;
    lua_settop(e->L, frame->table);
    luge__json_sort_keys(e, frame);
    luge__json_push_sorted(e, frame);
  } else {
    frame->kind = JSON_OBJECT;
    luge__json_check_key(e, frame, -2);
  }
  return begin_pair(e, frame);
}

/* Begins the table on top. Whether a value follows, and not its end. */
static int begin_table(struct json_encoder *e) {
  lua_State *L = e->L;
  int is_array = has_mark(e, JSON_ARRAY_SLOT);
  int is_object = !is_array && has_mark(e, JSON_OBJECT_SLOT);
  struct json_frame *frame = open_frame(e);
  lua_pushnil(L);
  if (!lua_next(L, -2)) {
    return add_empty(e, is_array);
  }
  if (is_array || (!is_object && lua_type(L, -2) != LUA_TSTRING)) {
    return begin_array(e, frame);
  }
  frame->marked = is_object;
  return begin_object(e, frame);
}

/* Writes the value on top, or the beginning of a table: whether a value
 * follows. */
static int begin_value(struct json_encoder *e) {
  lua_State *L = e->L;
  size_t length;
  const char *text;
  switch (lua_type(L, -1)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, -1, &length);
    add_string(e, text, length);
    break;
  case LUA_TNUMBER:
    add_number(e);
    break;
  case LUA_TBOOLEAN:
    text = lua_toboolean(L, -1) ? "true" : "false";
    add_plain(e, text, strlen(text));
    break;
  case LUA_TTABLE:
    return begin_table(e);
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, -1) == NULL) {
      add_plain(e, "null", 4);
      break;
    } /* fall through */
  default:
    luge__json_refuse(e, "is a %s, which JSON has no form for",
                      luaL_typename(L, -1));
  }
  lua_pop(L, 1);
  return 0;
}

/* Pushes the next element of an array; 0 at its end. */
static int push_element(struct json_encoder *e, struct json_frame *frame) {
  lua_State *L = e->L;
  if (frame->kind == JSON_SEQUENCE) {
    if (!lua_next(L, frame->table)) {
      return 0;
    }
    frame->index++;
    if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == frame->index) {
      return 1;
    }
    /* The rest is not in order: what was written so far is right, and the other
     * elements are fetched by index. */
    lua_pop(L, 1);
    frame->kind = JSON_INDEXED;
    frame->count = luge__json_count_sequence(e, frame);
  } else {
    frame->index++;
  }
  return frame->index <= frame->count &&
         lua_rawgeti(L, frame->table, frame->index) != LUA_TNIL;
}

/* Pushes the next value of an object, below it the key; 0 at its end. */
static int push_pair(struct json_encoder *e, struct json_frame *frame) {
  if (frame->kind == JSON_SORTED) {
    return luge__json_push_sorted(e, frame);
  }
  if (!lua_next(e->L, frame->table)) {
    return 0;
  }
  luge__json_check_key(e, frame, -2);
  return 1;
}

static int close_table(struct json_encoder *e, struct json_frame *frame,
                       const char *close) {
  e->depth--;
  add_newline(e);
  add_plain(e, close, 1);
  lua_settop(e->L, frame->table - 1);
  return 0;
}

/* Pushes the innermost table's next value; if it has none, the table is
 * complete. */
static int next_value(struct json_encoder *e) {
  struct json_frame *frame = &e->frames[e->depth - 1];
  if (frame->kind <= JSON_INDEXED) {
    if (!push_element(e, frame)) {
      return close_table(e, frame, "]");
    }
    add_plain(e, ",", 1);
    add_newline(e);
    return 1;
  }
  if (!push_pair(e, frame)) {
    return close_table(e, frame, "}");
  }
  add_plain(e, ",", 1);
  return begin_pair(e, frame);
}

static void write_document(struct json_encoder *e) {
  int more;
  do {
    more = begin_value(e);
    while (!more && e->depth > 0) {
      more = next_value(e);
    }
  } while (more);
}

void luge__json_encode(lua_State *L, int index,
                       const struct json_options *options) {
  struct json_encoder e;
  index = lua_absindex(L, index);
  e.L = L;
  e.options = options;
  e.depth = 0;
  e.frames = e.small;
  luge__json_buffer_init(&e.out, L);
  luaL_checkstack(L, 8, NULL);
  lua_pushnil(L); /* for frames beyond the usual depth */
  luge__json_push_array_mark(L);
  luge__json_push_object_mark(L);
  lua_pushvalue(L, index);
  write_document(&e);
  lua_pushlstring(L, e.out.data, e.out.length);
  luge__json_buffer_free(&e.out);
  lua_replace(L, e.out.slot);
  lua_settop(L, e.out.slot);
}
