/* Interrupting and watching what runs: `luge_interrupt`, and the report of a
 * task that holds the loop. Both look at the coroutine that runs through a
 * debug hook, which costs nothing while it is not armed. */
#ifndef LUGE_CORE_INTERRUPT_H
#define LUGE_CORE_INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

struct luge_host;

/* To be called when a coroutine starts or resumes, if host->watching. */
void luge__watch(struct luge_host *host, lua_State *co);

/* Reads from the options what is to be watched. To be called before any thread
 * is made. */
void luge__watch_init(struct luge_host *host);

/* As luge_interrupt from a signal handler on the host's own thread; but if
 * nothing runs, it interrupts what runs next. */
void luge__interrupt_next(struct luge_host *host);

/* Whether the error on top of the stack is not to be stopped by any protected
 * call: that of an interruption, of os.exit, which ends all that it cancels, or
 * of a cancellation that the task does not heed. */
bool luge__error_passes(lua_State *L);

/* Replaces `pcall` and `xpcall` by functions that do not stop such errors. */
void luge__protect_open(lua_State *L);

#endif
