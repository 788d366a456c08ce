/* The tables of arrays and objects; see decode.h. */
#include "decode.h"

#include <string.h>

/* How many values may wait for one table. Deep down they are fewer, so that a
 * document of the greatest depth fits on the Lua stack. */
enum { BATCH = 256, BATCH_DEEP = 8, DEEP = 64 };

/* Containers beyond the usual depth move to a userdata, in their slot. */
static void grow(struct json_decoder *d) {
  lua_State *L = d->L;
  size_t size = sizeof(struct json_container);
  struct json_container *open =
      lua_newuserdatauv(L, size * (size_t)d->max_depth, 0);
  memcpy(open, d->open, size * (size_t)d->depth);
  lua_replace(L, d->strings + 1);
  d->open = open;
}

void luge__json_open_container(struct json_decoder *d, bool is_object) {
  if (d->depth == d->max_depth) {
    luge__json_decode_fail(d, d->p - 1, "nested too deeply");
  }
  if (d->depth == JSON_DEPTH && d->open == d->small) {
    grow(d);
  }
  lua_pushnil(d->L);
  d->open[d->depth++] =
      (struct json_container){.base = ++d->top, .is_object = is_object};
}

/* Makes the table, with room for `expected` values. */
static void make_table(struct json_decoder *d, struct json_container *container,
                       int expected) {
  lua_State *L = d->L;
  if (container->is_object) {
    lua_createtable(L, 0, expected / 2);
  } else {
    lua_createtable(L, expected, 0);
    lua_rawgeti(L, d->strings, JSON_NAMES_ARRAY_MARK);
    lua_setmetatable(L, -2);
  }
  lua_replace(L, container->base);
  container->has_table = true;
}

/* Moves pairs into the table from the first on, so that the last of two with
 * the same key stays. */
static void fill_in_order(struct json_decoder *d,
                          const struct json_container *object) {
  lua_State *L = d->L;
  for (int i = object->base + 1; i < d->top; i += 2) {
    lua_pushvalue(L, i);
    lua_pushvalue(L, i + 1);
    lua_rawset(L, object->base);
  }
  lua_settop(L, object->base);
}

static void fill_object(struct json_decoder *d,
                        const struct json_container *object, int waiting) {
  if (object->may_repeat && waiting > 2) {
    fill_in_order(d, object);
    return;
  }
  for (int i = waiting; i > 0; i -= 2) {
    lua_rawset(d->L, object->base);
  }
}

static void fill_array(struct json_decoder *d, struct json_container *array,
                       int waiting) {
  for (int i = waiting; i > 0; i--) {
    lua_rawseti(d->L, array->base, array->count + i);
  }
  array->count += waiting;
}

/* Moves what waits above the table into it. */
static void fill_table(struct json_decoder *d,
                       struct json_container *container) {
  int waiting = d->top - container->base;
  if (container->is_object) {
    fill_object(d, container, waiting);
  } else {
    fill_array(d, container, waiting);
  }
  d->top = container->base;
}

void luge__json_close_container(struct json_decoder *d) {
  struct json_container *container = &d->open[--d->depth];
  if (!container->has_table) {
    make_table(d, container, d->top - container->base);
  }
  if (d->top > container->base) {
    fill_table(d, container);
  }
}

void luge__json_store_waiting(struct json_decoder *d) {
  struct json_container *container = &d->open[d->depth - 1];
  int waiting = d->top - container->base;
  if (container->has_table) {
    fill_table(d, container);
  } else if (waiting >= (d->depth < DEEP ? BATCH : BATCH_DEEP)) {
    make_table(d, container, 2 * waiting);
    fill_table(d, container);
  }
}
