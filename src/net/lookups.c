/* See lookups.h. */
#include "lookups.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How long a thread waits for something to look up. */
static const uint64_t IDLE = 10000000000; /* nanoseconds */

struct thread {
  struct luge__lookups *lookups;
  pthread_t id;
  enum { NONE, RUNNING, ENDED } state;
  bool busy;
  bool left; /* detached: it holds a part of the struct's life */
};

/* Everything but `ready` is guarded by the mutex. */
struct luge__lookups {
  uv_mutex_t mutex;
  uv_cond_t more;
  uv_async_t *ready;
  struct luge__lookup *first, *last; /* to be looked up */
  struct luge__lookup *done;
  unsigned waiting; /* of them */
  unsigned idle;    /* threads */
  unsigned left;    /* who hold this struct after close */
  bool closed;
  struct thread threads[LUGE_LOOKUP_THREADS];
};

static void destroy(struct luge__lookups *lookups) {
  uv_cond_destroy(&lookups->more);
  uv_mutex_destroy(&lookups->mutex);
  free(lookups);
}

struct luge__lookups *luge__lookups_new(uv_async_t *ready) {
  struct luge__lookups *lookups = calloc(1, sizeof *lookups);
  if (lookups == NULL) {
    return NULL;
  }
  lookups->ready = ready;
  if (uv_mutex_init(&lookups->mutex) != 0) {
    free(lookups);
    return NULL;
  }
  if (uv_cond_init(&lookups->more) != 0) {
    uv_mutex_destroy(&lookups->mutex);
    free(lookups);
    return NULL;
  }
  return lookups;
}

struct luge__lookup *luge__lookup_new(const char *name, void *owner) {
  struct luge__lookup *lookup = calloc(1, sizeof *lookup);
  size_t length = strlen(name);
  if (lookup != NULL && length < sizeof lookup->name) {
    memcpy(lookup->name, name, length + 1);
    lookup->owner = owner;
  }
  return lookup;
}

void luge__lookup_free(struct luge__lookup *lookup) {
  if (lookup != NULL) {
    free(lookup->addresses);
    free(lookup);
  }
}

static void add(struct luge__lookup *lookup, const struct sockaddr *from) {
  struct luge_address address;
  if (lookup->count == LUGE_LOOKUP_ADDRESSES ||
      !luge__address_from_sockaddr(&address, from)) {
    return;
  }
  for (unsigned i = 0; i < lookup->count; i++) {
    if (luge__address_equal(&address, &lookup->addresses[i])) {
      return;
    }
  }
  lookup->addresses[lookup->count++] = address;
}

/* In the order of getaddrinfo, which is that of RFC 6724. */
static void look_up(struct luge__lookup *lookup) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  lookup->status = getaddrinfo(lookup->name, NULL, &hints, &list);
  if (lookup->status != 0) {
    return;
  }
  lookup->addresses = calloc(LUGE_LOOKUP_ADDRESSES, sizeof *lookup->addresses);
  if (lookup->addresses == NULL) {
    lookup->status = EAI_MEMORY;
  }
  for (const struct addrinfo *at = list;
       at != NULL && lookup->addresses != NULL; at = at->ai_next) {
    add(lookup, at->ai_addr);
  }
  freeaddrinfo(list);
}

static struct luge__lookup *take_first(struct luge__lookups *lookups) {
  struct luge__lookup *lookup = lookups->first;
  if (lookup != NULL) {
    lookups->first = lookup->next;
    lookups->waiting--;
  }
  return lookup;
}

static void finish(struct luge__lookups *lookups, struct luge__lookup *lookup) {
  if (lookups->closed) {
    luge__lookup_free(lookup);
    return;
  }
  lookup->next = lookups->done;
  lookups->done = lookup;
  uv_async_send(lookups->ready);
}

static void work(struct thread *self) {
  struct luge__lookups *lookups = self->lookups;
  while (!lookups->closed) {
    struct luge__lookup *lookup = take_first(lookups);
    if (lookup != NULL) {
      self->busy = true;
      uv_mutex_unlock(&lookups->mutex);
      look_up(lookup);
      uv_mutex_lock(&lookups->mutex);
      self->busy = false;
      finish(lookups, lookup);
      continue;
    }
    lookups->idle++;
    int status = uv_cond_timedwait(&lookups->more, &lookups->mutex, IDLE);
    lookups->idle--;
    if (status != 0 && lookups->first == NULL) {
      return;
    }
  }
}

static void *run(void *data) {
  struct thread *self = data;
  struct luge__lookups *lookups = self->lookups;
  uv_mutex_lock(&lookups->mutex);
  work(self);
  self->state = ENDED;
  bool last = self->left && --lookups->left == 0;
  uv_mutex_unlock(&lookups->mutex);
  if (last) {
    destroy(lookups);
  }
  return NULL;
}

/* Starts a thread with all signals blocked: they are for the threads of whoever
 * handles them. */
static int create(struct thread *thread) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int status = pthread_create(&thread->id, NULL, run, thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status;
}

/* Starts one more thread, in a place that is free. False: the system has none
 * to give. */
static bool add_thread(struct luge__lookups *lookups) {
  for (int i = 0; i < LUGE_LOOKUP_THREADS; i++) {
    struct thread *thread = &lookups->threads[i];
    if (thread->state == ENDED) {
      pthread_join(thread->id, NULL); /* it needs the mutex no more */
      thread->state = NONE;
    }
    if (thread->state == NONE) {
      thread->lookups = lookups;
      thread->state = create(thread) == 0 ? RUNNING : NONE;
      return thread->state == RUNNING;
    }
  }
  return true;
}

static bool has_threads(const struct luge__lookups *lookups) {
  for (int i = 0; i < LUGE_LOOKUP_THREADS; i++) {
    if (lookups->threads[i].state == RUNNING) {
      return true;
    }
  }
  return false;
}

bool luge__lookups_start(struct luge__lookups *lookups,
                         struct luge__lookup *lookup) {
  uv_mutex_lock(&lookups->mutex);
  bool ok = lookups->idle > lookups->waiting || add_thread(lookups) ||
            has_threads(lookups);
  if (ok) {
    lookup->next = NULL;
    if (lookups->first != NULL) {
      lookups->last->next = lookup;
    } else {
      lookups->first = lookup;
    }
    lookups->last = lookup;
    lookups->waiting++;
    uv_cond_signal(&lookups->more);
  }
  uv_mutex_unlock(&lookups->mutex);
  return ok;
}

struct luge__lookup *luge__lookups_take(struct luge__lookups *lookups) {
  uv_mutex_lock(&lookups->mutex);
  struct luge__lookup *done = lookups->done;
  lookups->done = NULL;
  uv_mutex_unlock(&lookups->mutex);
  return done;
}

static void free_all(struct luge__lookup *lookup) {
  while (lookup != NULL) {
    struct luge__lookup *next = lookup->next;
    luge__lookup_free(lookup);
    lookup = next;
  }
}

/* Leaves the threads that are at work to themselves. Says which are to be
 * joined. */
static void leave_busy(struct luge__lookups *lookups, bool *joined) {
  for (int i = 0; i < LUGE_LOOKUP_THREADS; i++) {
    struct thread *thread = &lookups->threads[i];
    joined[i] = thread->state != NONE && !thread->busy;
    if (thread->busy) {
      pthread_detach(thread->id);
      thread->left = true;
      lookups->left++;
    }
  }
}

void luge__lookups_close(struct luge__lookups *lookups) {
  bool joined[LUGE_LOOKUP_THREADS];
  uv_mutex_lock(&lookups->mutex);
  lookups->closed = true;
  leave_busy(lookups, joined);
  lookups->left++; /* one more, until we have waited for the others */
  free_all(lookups->first);
  free_all(lookups->done);
  uv_cond_broadcast(&lookups->more);
  uv_mutex_unlock(&lookups->mutex);
  for (int i = 0; i < LUGE_LOOKUP_THREADS; i++) {
    if (joined[i]) {
      pthread_join(lookups->threads[i].id, NULL);
    }
  }
  uv_mutex_lock(&lookups->mutex);
  bool last = --lookups->left == 0;
  uv_mutex_unlock(&lookups->mutex);
  if (last) {
    destroy(lookups);
  }
}
