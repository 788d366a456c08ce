/* Cells: what can be awaited, a Task's outcome or a Future's. A cell is part
 * of a userdata, and is settled once: its values, or its error, are kept in
 * the userdata's first user value. Loop thread only. */
#ifndef LUGE_CORE_CELL_H
#define LUGE_CORE_CELL_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct luge_scope;
struct luge_cell;
struct luge_task;

enum luge_cell_state {
  LUGE_CELL_PENDING,
  LUGE_CELL_RESOLVED,
  LUGE_CELL_REJECTED,
  LUGE_CELL_CANCELLED /* rejected, because its task was cancelled */
};

/* Told once, when the cell is settled, outside of Lua or inside. */
struct luge_listener {
  struct luge_list link;
  void (*notify)(struct luge_listener *listener);
  bool watches; /* only has to know: does not count as awaiting */
};

struct luge_cell {
  struct luge_list listeners;
  uint8_t state; /* enum luge_cell_state */
  bool unwanted; /* nobody wants to hear of an error */
  int count;     /* of its values */
};

void luge__cell_init(struct luge_cell *cell);

/* Have `notify` called when the pending cell is settled: _listen for somebody
 * who awaits it, _watch for one who only has to know and leaves an error to
 * others. To stop listening, remove the link. */
void luge__cell_listen(struct luge_cell *cell, struct luge_listener *listener,
                       void (*notify)(struct luge_listener *listener));
void luge__cell_watch(struct luge_cell *cell, struct luge_listener *listener,
                      void (*notify)(struct luge_listener *listener));

/* Whether somebody awaits it, or an error of it is dropped. */
bool luge__cell_awaited(const struct luge_cell *cell);

/* Has an error dropped that the cell, which is pending, is settled with: only
 * who asks for it gets it. */
void luge__cell_drop_error(struct luge_cell *cell);

/* Settles it with the `count` values on top of the stack, which are popped.
 * `index` is the userdata. May raise (memory) before anything has changed. */
void luge__cell_resolve(lua_State *L, int index, struct luge_cell *cell,
                        int count);

/* Settles it with the error on top of the stack, which is popped. An error
 * that nobody awaits fails `owner`, unless NULL, or is reported when the
 * userdata is collected. Says whether somebody awaits it. */
bool luge__cell_reject(lua_State *L, int index, struct luge_cell *cell,
                       struct luge_scope *owner);

/* Settles it as rejected when there is no memory for the error: whoever awaits
 * it gets a memory error instead. Says whether somebody awaits it. */
bool luge__cell_break(struct luge_cell *cell);

/* Settles it as cancelled, with the error on top of the stack, which is
 * popped; nobody needs to await it. */
void luge__cell_cancel(lua_State *L, int index, struct luge_cell *cell);

/* Pushes the values of a cell that is settled, of the userdata at index 1, or
 * raises its error. Returns as a C function, and never waits. */
int luge__cell_outcome(lua_State *L, struct luge_cell *cell);

/* Waits until it is settled; pushes its values or raises its error. Index 1
 * is the userdata, nothing else is on the stack. `of_task`: it is a Task, and
 * not a Future. Returns as a C function. */
int luge__cell_await(lua_State *L, struct luge_cell *cell, bool of_task);

/* Pushes the error of a rejected cell, and counts it as awaited. */
void luge__cell_push_error(lua_State *L, int index);

/* Counts the error of a rejected cell as awaited; leaves the trace of the error
 * that is on its way, perhaps the same one, as it is. */
void luge__cell_forget_error(lua_State *L, int index);

/* Pushes the traceback of a rejected cell's error and returns 1; else 0. */
int luge__cell_push_trace(lua_State *L, int index, struct luge_cell *cell);

/* Pushes the values of a resolved cell and returns their number. */
int luge__cell_push_values(lua_State *L, int index, struct luge_cell *cell);

#endif
