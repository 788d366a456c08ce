/* Tasks whose end is told to the embedder; see start.c. */
#ifndef LUGE_CORE_START_H
#define LUGE_CORE_START_H

struct luge_task;

/* The task has ended, and `started` is set: calls what was to be called. */
void luge__start_tell(struct luge_task *task);

#endif
