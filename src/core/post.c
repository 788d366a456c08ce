/* What other threads hand to the host; see post.h. The entries are malloc'ed:
 * the host's allocator belongs to its own thread. */
#include "post.h"

#include <stdlib.h>

#include "host.h"

static struct luge_posted *take_all(struct luge_mailbox *mailbox) {
  uv_mutex_lock(&mailbox->mutex);
  struct luge_posted *first = mailbox->first;
  mailbox->first = mailbox->last = NULL;
  uv_mutex_unlock(&mailbox->mutex);
  return first;
}

static void deliver(struct luge_host *host) {
  struct luge_posted *posted = take_all(&host->mailbox);
  while (posted != NULL) {
    struct luge_posted *next = posted->next;
    bool kept = posted->kept;
    host->calling++;
    posted->fn(host, posted->data);
    host->calling--;
    if (!kept) {
      free(posted);
    }
    posted = next;
  }
}

static void on_async(uv_async_t *async) {
  deliver(luge__container(async, struct luge_host, mailbox.async));
}

int luge__mailbox_init(struct luge_host *host) {
  struct luge_mailbox *mailbox = &host->mailbox;
  int status = uv_mutex_init(&mailbox->mutex);
  if (status == 0) {
    status = uv_async_init(host->loop, &mailbox->async, on_async);
    if (status != 0) {
      uv_mutex_destroy(&mailbox->mutex);
    }
  }
  if (status == 0) {
    uv_unref((uv_handle_t *)&mailbox->async);
  }
  return status;
}

void luge__mailbox_close(struct luge_host *host) {
  uv_mutex_lock(&host->mailbox.mutex);
  host->mailbox.closed = true;
  uv_mutex_unlock(&host->mailbox.mutex);
  deliver(host);
}

void luge__mailbox_free(struct luge_host *host) {
  uv_mutex_destroy(&host->mailbox.mutex);
}

/* False: the mailbox is closed. */
static bool append(luge_host *host, struct luge_posted *posted) {
  struct luge_mailbox *mailbox = &host->mailbox;
  posted->next = NULL;
  uv_mutex_lock(&mailbox->mutex);
  bool closed = mailbox->closed;
  if (!closed) {
    if (mailbox->last != NULL) {
      mailbox->last->next = posted;
    } else {
      mailbox->first = posted;
    }
    mailbox->last = posted;
    uv_async_send(&mailbox->async);
  }
  uv_mutex_unlock(&mailbox->mutex);
  return !closed;
}

int luge__post_kept(luge_host *host, struct luge_posted *posted) {
  posted->kept = true;
  return append(host, posted) ? LUGE_OK : LUGE_INVALID;
}

int luge_post(luge_host *host, luge_post_fn fn, void *data) {
  if (host == NULL || fn == NULL) {
    return LUGE_INVALID;
  }
  struct luge_posted *posted = malloc(sizeof *posted);
  if (posted == NULL) {
    return LUGE_MEMORY;
  }
  *posted = (struct luge_posted){.fn = fn, .data = data};
  if (!append(host, posted)) {
    free(posted);
    return LUGE_INVALID;
  }
  return LUGE_OK;
}
