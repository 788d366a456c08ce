/* The thread of a store; see worker.h. */
#include "worker.h"

#include <string.h>
#include <time.h>

enum { MAX_BATCH = 256, MAX_BATCH_BYTES = 8 << 20 };

static void finish(struct luge_store *store, struct luge_store_call *call) {
  uv_mutex_lock(&store->mutex);
  luge__queue_append(&store->outbox, call);
  uv_mutex_unlock(&store->mutex);
  uv_async_send(&store->async);
}

static void fail(struct luge_store_call *call, int code, const char *message) {
  call->code = code;
  memcpy(call->message, message, sizeof call->message);
}

/* After a synchronization that failed nobody knows what is on the disk: the
 * kernel drops what it could not write. The file cannot be trusted until it is
 * opened anew. */
static bool poisons(int code) {
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

static void note_poison(struct luge_store *store, int code) {
  if (poisons(code) && store->poison == 0) {
    store->poison = code;
    memcpy(store->poisoned, store->database.message, sizeof store->poisoned);
  }
}

/* Whether there is nothing to be done for a call. */
static bool is_settled(struct luge_store *store, struct luge_store_call *call) {
  if (atomic_load(&call->job.abandoned)) {
    return true;
  }
  if (store->poison != 0) {
    fail(call, store->poison, store->poisoned);
    return true;
  }
  return false;
}

/* Does the work; `message` becomes what went wrong. */
static int attempt(struct luge_store *store, struct luge_store_call *call) {
  luge__rows_clear(&call->rows);
  call->job.kind->work(&call->job);
  if (call->code != SQLITE_OK) {
    memcpy(call->message, store->database.message, sizeof call->message);
    note_poison(store, call->code);
  }
  return call->code;
}

static bool is_locked(int code) {
  return (code & 0xFF) == SQLITE_BUSY;
}

static void run_reads(struct luge_store *store) {
  struct luge_store_queue later = {NULL, NULL};
  struct luge_store_call *call;
  while ((call = luge__queue_take(&store->reads)) != NULL) {
    if (!is_settled(store, call) && is_locked(attempt(store, call)) &&
        uv_hrtime() < call->give_up_at) {
      luge__queue_append(&later, call);
    } else {
      finish(store, call);
    }
  }
  store->reads = later;
  store->attempts += later.first != NULL;
}

static int end_transaction(struct luge_store *store, int code) {
  struct luge_database *database = &store->database;
  if (code == SQLITE_OK) {
    code = luge__database_run(database, LUGE_SQL_COMMIT);
    note_poison(store, code);
  }
  if (code != SQLITE_OK && luge__database_in_transaction(database)) {
    char message[sizeof database->message];
    memcpy(message, database->message, sizeof message);
    luge__database_run(database, LUGE_SQL_ROLLBACK);
    memcpy(database->message, message, sizeof message);
  }
  return code;
}

/* Entries that have expired go a few at a time. */
static int sweep(struct luge_store *store, double now) {
  struct luge_database *database = &store->database;
  int code;
  if (now >= store->swept_at && now < store->swept_at + 1) {
    return SQLITE_OK;
  }
  sqlite3_stmt *statement = luge__database_use(database, LUGE_SQL_SWEEP, &code);
  if (statement == NULL) {
    return code;
  }
  database->api->bind_double(statement, 1, now);
  store->swept_at = now;
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

/* One transaction for all of the batch. Fails as a whole. */
static int write_together(struct luge_store *store,
                          const struct luge_store_queue *batch) {
  int code = luge__database_run(&store->database, LUGE_SQL_BEGIN);
  if (code != SQLITE_OK) {
    return code;
  }
  for (struct luge_store_call *call = batch->first;
       call != NULL && code == SQLITE_OK; call = call->next) {
    code = attempt(store, call);
  }
  if (code == SQLITE_OK && batch->first->now > 0) {
    code = sweep(store, batch->first->now);
  }
  return end_transaction(store, code);
}

static int write_alone(struct luge_store *store, struct luge_store_call *call) {
  struct luge_store_queue one = {call, call};
  struct luge_store_call *next = call->next;
  call->next = NULL;
  int code = write_together(store, &one);
  call->next = next;
  return code;
}

/* An error of one call is not an error of the others: so each is tried again by
 * itself. */
static void write_each(struct luge_store *store,
                       struct luge_store_queue *batch) {
  struct luge_store_call *call;
  while ((call = luge__queue_take(batch)) != NULL) {
    int code = SQLITE_OK;
    if (!is_settled(store, call)) {
      code = write_alone(store, call);
    }
    if (is_locked(code) && uv_hrtime() < call->give_up_at) {
      luge__queue_append(&store->writes, call);
      continue;
    }
    if (code != SQLITE_OK) {
      fail(call, code, store->database.message);
    }
    finish(store, call);
  }
}

static size_t weight(const struct luge_store_call *call) {
  return call->key.length + call->value.text.length;
}

/* Takes what fits into one transaction, and ends what needs none. */
static void take_batch(struct luge_store *store,
                       struct luge_store_queue *batch) {
  size_t bytes = 0;
  for (int count = 0; count < MAX_BATCH && bytes < MAX_BATCH_BYTES;) {
    struct luge_store_call *call = luge__queue_take(&store->writes);
    if (call == NULL) {
      return;
    }
    if (is_settled(store, call)) {
      finish(store, call);
    } else {
      bytes += weight(call);
      luge__queue_append(batch, call);
      count++;
    }
  }
}

/* Puts those back that may wait longer, before what has come since. */
static void put_back(struct luge_store *store, struct luge_store_queue *batch,
                     int code) {
  struct luge_store_queue later = {NULL, NULL};
  struct luge_store_call *call;
  while ((call = luge__queue_take(batch)) != NULL) {
    if (uv_hrtime() < call->give_up_at) {
      luge__queue_append(&later, call);
    } else {
      fail(call, code, store->database.message);
      finish(store, call);
    }
  }
  while ((call = luge__queue_take(&store->writes)) != NULL) {
    luge__queue_append(&later, call);
  }
  store->writes = later;
}

static void run_writes(struct luge_store *store) {
  struct luge_store_queue batch = {NULL, NULL};
  take_batch(store, &batch);
  if (batch.first == NULL) {
    store->attempts = store->reads.first != NULL ? store->attempts : 0;
    return;
  }
  int code = write_together(store, &batch);
  if (is_locked(code)) {
    store->attempts++;
    put_back(store, &batch, code);
    return;
  }
  store->attempts = 0;
  if (code == SQLITE_OK) {
    struct luge_store_call *call;
    while ((call = luge__queue_take(&batch)) != NULL) {
      finish(store, call);
    }
  } else {
    write_each(store, &batch);
  }
}

/* Nanoseconds to the next attempt at a locked file: up to 16 ms, of random
 * length, so that processes do not meet again and again. */
static uint64_t next_attempt(const struct luge_store *store) {
  unsigned shift = store->attempts < 5 ? store->attempts : 5;
  uint64_t longest = 500000u << shift;
  return longest / 2 + uv_hrtime() % (longest / 2);
}

static void sort_inbox(struct luge_store *store) {
  struct luge_store_call *call;
  while ((call = luge__queue_take(&store->inbox)) != NULL) {
    luge__queue_append(call->writes ? &store->writes : &store->reads, call);
  }
}

/* Waits for calls, or for the time of another attempt. False: it is over. */
static bool wait_for_work(struct luge_store *store) {
  uv_mutex_lock(&store->mutex);
  if (store->attempts > 0 && store->inbox.first == NULL && !store->hurry) {
    uv_cond_timedwait(&store->work, &store->mutex, next_attempt(store));
  }
  while (store->inbox.first == NULL && store->writes.first == NULL &&
         store->reads.first == NULL && !store->stop) {
    uv_cond_wait(&store->work, &store->mutex);
  }
  sort_inbox(store);
  bool over = store->hurry || (store->stop && store->reads.first == NULL &&
                               store->writes.first == NULL);
  uv_mutex_unlock(&store->mutex);
  return !over;
}

static void drop(struct luge_store *store, struct luge_store_queue *queue) {
  struct luge_store_call *call;
  while ((call = luge__queue_take(queue)) != NULL) {
    finish(store, call);
  }
}

void luge__store_thread(void *argument) {
  struct luge_store *store = argument;
  while (wait_for_work(store)) {
    run_reads(store);
    run_writes(store);
  }
  drop(store, &store->reads);
  drop(store, &store->writes);
  uv_mutex_lock(&store->mutex);
  store->running = NULL;
  uv_mutex_unlock(&store->mutex);
  luge__database_close(&store->database);
  uv_mutex_lock(&store->mutex);
  store->ended = true;
  uv_mutex_unlock(&store->mutex);
  uv_async_send(&store->async);
}

/* Nothing else is to be done while the file is being opened: so this blocks. */
static int wait_for_lock(void *data, int count) {
  struct luge_store_call *call = data;
  struct luge_store *store = call->store;
  const struct timespec step = {.tv_nsec = count < 10 ? 1000000 : 5000000};
  uv_mutex_lock(&store->mutex);
  bool hurry = store->hurry;
  uv_mutex_unlock(&store->mutex);
  if (hurry || atomic_load(&call->job.abandoned) ||
      uv_hrtime() >= call->give_up_at) {
    return 0;
  }
  nanosleep(&step, NULL);
  return 1;
}

void luge__store_open(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_store *store = call->store;
  /* A row has a key as well; what is too long for a key was refused before. */
  struct luge_database_options options = {.path = store->path,
                                          .max_bytes = store->max_bytes,
                                          .max_row =
                                              (int)store->max_value + (2 << 20),
                                          .no_follow = store->no_follow,
                                          .busy = wait_for_lock,
                                          .busy_data = call};
  call->code = luge__database_open(&store->database, &options);
  call->give_up_at = 0;
  uv_mutex_lock(&store->mutex);
  store->running = store->database.handle;
  uv_mutex_unlock(&store->mutex);
}
