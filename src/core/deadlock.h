/* Deadlock: every task waits, and nothing that the host knows of can wake one.
 * Told to the main task, as an error that says what each waits for. */
#ifndef LUGE_CORE_DEADLOCK_H
#define LUGE_CORE_DEADLOCK_H

#include <lua.h>

struct luge_host;

/* Raises `deadlock` in the main task; or, if that is not in a wait of its
 * own, makes it fail with it once its children have been cancelled. */
void luge__deadlock_break(struct luge_host *host);

#endif
