/* The structure of a document that comes in pieces: containers, commas,
 * colons. A container is in the tree from its first byte on. */
#include "reader.h"

#include <lauxlib.h>

void luge__json_feed_error(struct json_feed *f, const char *p,
                           const char *what) {
  lua_State *L = f->L;
  luge__json_push_parse_error(L, f->text, p, f->end, f->r->fed, what);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, JSON_SLOT_READER, JSON_UV_ERROR);
  lua_error(L);
}

void luge__json_store(lua_State *L, struct json_reader *r) {
  r->grown = 1;
  if (r->depth == 0) {
    lua_setiuservalue(L, JSON_SLOT_READER, JSON_UV_ROOT);
    return;
  }
  struct json_level *level = &r->levels[r->depth - 1];
  if (level->is_object) {
    lua_pushvalue(L, JSON_SLOT_KEY);
    lua_insert(L, -2);
    lua_rawset(L, JSON_SLOT_TABLE);
  } else {
    lua_rawseti(L, JSON_SLOT_TABLE, level->count + 1);
  }
}

void luge__json_complete(struct json_reader *r) {
  if (r->depth == 0) {
    r->state = JSON_IN_END;
    return;
  }
  r->levels[r->depth - 1].count++;
  r->state = JSON_IN_NEXT;
}

static void open_container(struct json_feed *f, int is_object) {
  lua_State *L = f->L;
  struct json_reader *r = f->r;
  if (r->depth == r->max_depth) {
    luge__json_feed_error(f, f->p, "nested too deeply");
  }
  f->p++;
  lua_newtable(L);
  if (!is_object) {
    luge__json_push_array_mark(L);
    lua_setmetatable(L, -2);
  }
  lua_pushvalue(L, -1);
  luge__json_store(L, r);
  luge__json_complete(r);
  lua_getiuservalue(L, JSON_SLOT_READER, JSON_UV_STACK);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, r->depth + 1);
  lua_pop(L, 1);
  lua_replace(L, JSON_SLOT_TABLE);
  r->moved = 1;
  r->levels[r->depth++] = (struct json_level){is_object, 0};
  r->state = is_object ? JSON_IN_FIRST_KEY : JSON_IN_FIRST_ELEMENT;
}

static void close_container(struct json_feed *f) {
  lua_State *L = f->L;
  struct json_reader *r = f->r;
  f->p++;
  lua_getiuservalue(L, JSON_SLOT_READER, JSON_UV_STACK);
  lua_pushnil(L);
  lua_rawseti(L, -2, r->depth);
  r->depth--;
  lua_rawgeti(L, -1, r->depth);
  lua_replace(L, JSON_SLOT_TABLE);
  lua_pop(L, 1);
  r->moved = 1;
  r->state = r->depth == 0 ? JSON_IN_END : JSON_IN_NEXT;
}

static void begin_string(struct json_feed *f, int is_key) {
  f->p++;
  f->r->is_key = is_key;
  f->r->token.length = 0;
  f->r->shown = JSON_SHOWN_NOTHING;
  f->r->state = JSON_IN_STRING;
}

static void begin_value(struct json_feed *f) {
  switch (*f->p) {
  case '"':
    begin_string(f, 0);
    break;
  case '{':
  case '[':
    open_container(f, *f->p == '{');
    break;
  default:
    if (!luge__json_begin_literal(f) && !luge__json_begin_number(f)) {
      luge__json_feed_error(f, f->p, "a value expected");
    }
  }
}

static void begin_key(struct json_feed *f) {
  if (*f->p != '"') {
    luge__json_feed_error(f, f->p, "a key must be a string");
  }
  begin_string(f, 1);
}

static void read_next(struct json_feed *f) {
  struct json_reader *r = f->r;
  int is_object = r->levels[r->depth - 1].is_object;
  if (*f->p == ',') {
    f->p++;
    r->state = is_object ? JSON_IN_KEY : JSON_IN_VALUE;
  } else if (*f->p == (is_object ? '}' : ']')) {
    close_container(f);
  } else {
    luge__json_feed_error(
        f, f->p, is_object ? "',' or '}' expected" : "',' or ']' expected");
  }
}

/* One byte of structure. */
static void read_structure(struct json_feed *f) {
  struct json_reader *r = f->r;
  switch (r->state) {
  case JSON_IN_FIRST_ELEMENT:
    *f->p == ']' ? close_container(f) : begin_value(f);
    break;
  case JSON_IN_FIRST_KEY:
    *f->p == '}' ? close_container(f) : begin_key(f);
    break;
  case JSON_IN_KEY:
    begin_key(f);
    break;
  case JSON_IN_COLON:
    if (*f->p != ':') {
      luge__json_feed_error(f, f->p, "':' expected after a key");
    }
    f->p++;
    r->state = JSON_IN_VALUE;
    break;
  case JSON_IN_NEXT:
    read_next(f);
    break;
  case JSON_IN_END:
    luge__json_feed_error(f, f->p, "nothing may follow the value");
    break;
  default:
    begin_value(f);
  }
}

static int is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

void luge__json_feed(struct json_feed *f) {
  while (f->p < f->end) {
    switch (f->r->state) {
    case JSON_IN_STRING:
      luge__json_feed_string(f);
      break;
    case JSON_IN_ESCAPE:
      luge__json_feed_escape(f);
      break;
    case JSON_IN_SEQUENCE:
      luge__json_feed_sequence(f);
      break;
    case JSON_IN_NUMBER:
      luge__json_feed_number(f);
      break;
    case JSON_IN_LITERAL:
      luge__json_feed_literal(f);
      break;
    default:
      if (is_space(*f->p)) {
        f->p++;
      } else {
        read_structure(f);
      }
    }
  }
}
