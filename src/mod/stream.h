/* A stream between its producer and its readers: what stream.c, which starts
 * and closes it, and stream_item.c, through which the items go, share. The
 * stream is a userdata, and the first upvalue of the functions `next`, `close`
 * and `emit`, of which Lua has no other way to it. Loop thread only. */
#ifndef LUGE_MOD_STREAM_H
#define LUGE_MOD_STREAM_H

#include <lua.h>
#include <stdbool.h>

#include "../core/cell.h"
#include "../core/list.h"
#include "../core/task.h"

struct luge_channel {
  struct luge_list readers; /* wait in `next` */
  struct luge_list holders; /* wait in `emit` with an item nobody took */
  struct luge_list resting; /* wait in `emit`, their item was taken */
  struct luge_listener ended;
  struct luge_task *producer; /* NULL: not started */
  struct luge_task *maker;
  struct luge_scope *owner; /* a scope of the maker */
  lua_Integer capacity;     /* items that may be ready before they are read */
  lua_Integer head, count;  /* of the ring of these */
  int line;                 /* where it was made */
  bool closed;
};

/* User values of the stream. */
enum {
  STREAM_FUNCTION = 1, /* until it has started; then the producer's Task */
  STREAM_MAKER,        /* its Task */
  STREAM_SITE,    /* the function that made the stream, until it has started */
  STREAM_CONTEXT, /* the maker's, or nil */
  STREAM_ITEMS, /* the ring, from 1; and the items of holders, by their task */
  STREAM_VALUES = STREAM_ITEMS
};

static inline struct luge_channel *luge__stream_self(lua_State *L) {
  return (struct luge_channel *)lua_touserdata(L, lua_upvalueindex(1));
}

static inline bool luge__stream_has_ended(const struct luge_channel *stream) {
  return stream->producer != NULL &&
         stream->producer->cell.state != LUGE_CELL_PENDING;
}

/* Spawns the producer. Raises `closed` if its owner has ended. */
void luge__stream_start(lua_State *L, struct luge_channel *stream);

/* Lets all go on who wait for an item, or with one: there is no more. */
void luge__stream_wake_all(struct luge_channel *stream);

/* emit(item), next() */
int luge__stream_emit(lua_State *L);
int luge__stream_next(lua_State *L);

#endif
