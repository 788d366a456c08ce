/* Tracebacks that cross tasks. An error passes through message handlers on
 * its way: each notes the stack that it sees, and the host keeps the text for
 * the error last seen. luge's own errors carry it in `traceback` too. */
#ifndef LUGE_CORE_TRACE_H
#define LUGE_CORE_TRACE_H

#include <lua.h>

/* Adds the stack of L1, from `level` on, to the trace of the error on top of
 * L's stack, unless it is there already. */
void luge__trace_note(lua_State *L, lua_State *L1, int level);

/* For whoever waits while an error is on its way: pushes the error last seen in
 * the current task, its text, and the mark of the stack noted last; or nils,
 * which are not to be put back. That pops them. */
void luge__trace_push_last(lua_State *L);
void luge__trace_put_back(lua_State *L);

struct luge_task;

/* Adds where the task, whose Task is at `index`, was spawned. */
void luge__trace_spawned(lua_State *L, struct luge_task *task, int index);

/* Pushes the text noted for the error at `index`, or nil. */
void luge__trace_push(lua_State *L, int index);

/* Makes the text on top of the stack, which is popped, the trace of the error
 * at `index` again, after other errors have passed in between. */
void luge__trace_set(lua_State *L, int index);

/* The same for an error that is still in the task where it was noted: its text
 * was only added to, or the error was replaced by one that says more. */
void luge__trace_amend(lua_State *L, int index);

#endif
