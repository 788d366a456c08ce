/* Objects with their keys in order (the option `sort_keys`), by their bytes.
 *
 * The cursor of such a table is a userdata with one entry for each key; its
 * user value is a table that keeps the keys alive. The sort is a heapsort: in
 * place, without recursion, never quadratic. */
#include "encode.h"
#include "number.h"

#include <lauxlib.h>

struct json_key {
  const char *text;
  size_t length;
  lua_Integer at; /* its place in the user value */
};

static int compare(const struct json_key *a, const struct json_key *b) {
  size_t shared = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->text, b->text, shared);
  if (order != 0) {
    return order;
  }
  return (a->length > b->length) - (a->length < b->length);
}

static void sift(struct json_key *keys, size_t root, size_t count) {
  struct json_key moving = keys[root];
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count) {
      break;
    }
    if (child + 1 < count && compare(&keys[child], &keys[child + 1]) < 0) {
      child++;
    }
    if (compare(&keys[child], &moving) <= 0) {
      break;
    }
    keys[root] = keys[child];
    root = child;
  }
  keys[root] = moving;
}

static void sort(struct json_key *keys, size_t count) {
  for (size_t root = count / 2; root-- > 0;) {
    sift(keys, root, count);
  }
  for (size_t last = count; last-- > 1;) {
    struct json_key first = keys[0];
    keys[0] = keys[last];
    keys[last] = first;
    sift(keys, 0, last);
  }
}

static lua_Integer count_keys(lua_State *L, int table) {
  lua_Integer count = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    count++;
  }
  return count;
}

/* Fills the table on top with the keys. */
static lua_Integer collect_keys(struct json_encoder *e,
                                const struct json_frame *frame) {
  lua_State *L = e->L;
  int list = lua_gettop(L);
  lua_Integer count = 0;
  lua_pushnil(L);
  while (lua_next(L, frame->table)) {
    luge__json_check_key(e, frame, lua_absindex(L, -2));
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, list, ++count);
  }
  return count;
}

/* The text of an integer key is made, and kept in the key's stead behind all
 * keys. */
static void fill(lua_State *L, struct json_key *keys, int list,
                 lua_Integer count) {
  for (lua_Integer i = 1; i <= count; i++) {
    struct json_key *key = &keys[i - 1];
    key->at = i;
    lua_rawgeti(L, list, i);
    if (lua_type(L, -1) == LUA_TNUMBER) {
      lua_tolstring(L, -1, NULL);
      lua_pushvalue(L, -1);
      lua_rawseti(L, list, count + i);
    }
    key->text = lua_tolstring(L, -1, &key->length);
    lua_pop(L, 1);
  }
}

void luge__json_sort_keys(struct json_encoder *e, struct json_frame *frame) {
  lua_State *L = e->L;
  lua_Integer count = count_keys(L, frame->table);
  lua_createtable(L, (int)(count < 1000000 ? count : 1000000), 0);
  int list = lua_gettop(L);
  count = collect_keys(e, frame);
  struct json_key *keys = lua_newuserdatauv(L, (size_t)count * sizeof *keys, 1);
  fill(L, keys, list, count);
  sort(keys, (size_t)count);
  lua_insert(L, list);
  lua_setiuservalue(L, -2, 1);
  frame->keys = keys;
  frame->count = count;
}

/* The key in the frame's order at `index`. */
static void push_at(lua_State *L, const struct json_frame *frame,
                    lua_Integer index) {
  lua_getiuservalue(L, frame->table + 1, 1);
  lua_rawgeti(L, -1, frame->keys[index - 1].at);
  lua_remove(L, -2);
}

void luge__json_push_key(lua_State *L, const struct json_frame *frame) {
  push_at(L, frame, frame->index);
}

int luge__json_push_sorted(struct json_encoder *e, struct json_frame *frame) {
  lua_State *L = e->L;
  if (frame->index == frame->count) {
    return 0;
  }
  push_at(L, frame, ++frame->index);
  lua_pushvalue(L, -1);
  lua_rawget(L, frame->table);
  return 1;
}
