/* Tracebacks that cross tasks. An error passes through message handlers on
 * its way: each notes the stack that it sees, and the host keeps the texts for
 * the errors last seen. luge's own errors carry it in `traceback` too. */
#ifndef LUGE_CORE_TRACE_H
#define LUGE_CORE_TRACE_H

#include <lua.h>
#include <stdint.h>

/* How many errors have their text kept: what other tasks and handlers may raise
 * while one is on its way, until it has lost its stack. */
enum { LUGE_TRACES = 64 };

struct luge_traces {
  struct {
    uint32_t task;    /* the id of the one that has seen it; 0: none */
    lua_State *noted; /* the coroutine whose stack was added last */
  } kept[LUGE_TRACES];
  int next; /* the place of the oldest */
};

/* Adds the stack of L1, from `level` on, to the trace of the error on top of
 * L's stack, unless it is there already. */
void luge__trace_note(lua_State *L, lua_State *L1, int level);

struct luge_task;

/* Adds where the task, whose Task is at `index`, was spawned. */
void luge__trace_spawned(lua_State *L, struct luge_task *task, int index);

/* Pushes the text noted for the error at `index`, or nil. */
void luge__trace_push(lua_State *L, int index);

/* Makes the text on top of the stack, which is popped, the trace of the error
 * at `index`, which comes from another task. */
void luge__trace_set(lua_State *L, int index);

/* The error at `to` has taken the place of that at `from`, as it says more. */
void luge__trace_move(lua_State *L, int from, int to);

void luge__trace_init(lua_State *L);

#endif
