/* What other threads hand to the host: functions to be called on its loop's
 * thread, in the order of their coming. */
#ifndef LUGE_CORE_POST_H
#define LUGE_CORE_POST_H

#include <luge.h>
#include <stdbool.h>
#include <uv.h>

struct luge_posted {
  struct luge_posted *next;
  luge_post_fn fn;
  void *data;
  bool kept; /* not to be freed: its memory is the poster's */
};

struct luge_mailbox {
  uv_mutex_t mutex;
  uv_async_t async; /* referenced while the host waits for something */
  struct luge_posted *first, *last;
  bool closed;
};

int luge__mailbox_init(struct luge_host *host);

/* As luge_post, with an entry of the caller's that has its `fn` and `data`, and
 * stays in place until `fn` is called: so it cannot fail for lack of memory. */
int luge__post_kept(luge_host *host, struct luge_posted *posted);

/* Calls what is left; what is posted from now on is refused. The async handle
 * is closed by the caller. */
void luge__mailbox_close(struct luge_host *host);
void luge__mailbox_free(struct luge_host *host);

#endif
