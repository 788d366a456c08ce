/* Calls: what a task asks of a store. A call is a job whose work is done on
 * the store's own thread; see worker.h. Its strings are copies behind it, so
 * that a task may go on, cancelled, while the thread still uses them; what the
 * thread finds is malloc'ed, since the host's memory is the loop's. */
#ifndef LUGE_STORE_CALL_H
#define LUGE_STORE_CALL_H

#include "../mod/job.h"
#include "database.h"

struct luge_store;

/* Rows as they come, one behind the other: a header, the key, the value. */
struct luge_rows {
  char *bytes;
  size_t length, capacity;
  bool exhausted; /* no memory for them */
};

struct luge_row {
  size_t key_length, length; /* of the key, 0 in a log; of the value */
  int64_t sequence;          /* in a log */
  bool is_json;
};

struct luge_store_call {
  struct luge_job job;
  struct luge_store_call *next; /* in a queue of the thread's */
  struct luge_store *store;
  bool writes;         /* goes into a transaction with others */
  uint64_t give_up_at; /* uv_hrtime() until which a locked file is waited for */

  struct luge_bytes key; /* or the name of a log, or where a scan begins */
  struct luge_bytes end; /* of a scan; may be absent */
  struct luge_value value, expected; /* either may be absent */
  double now, expires;               /* Unix time; expires 0: never */
  int64_t from, limit;

  int code;          /* SQLite's, or one of database.h; 0: all went well */
  char message[256]; /* of the error */
  int64_t number;
  bool found;
  struct luge_rows rows;
};

/* What calls do on the store's thread. Each may be run again after a failed
 * attempt, and then sets its results anew. */
void luge__pair_get(struct luge_job *job);
void luge__pair_put(struct luge_job *job);
void luge__pair_delete(struct luge_job *job);
void luge__pair_compare_and_set(struct luge_job *job);
void luge__pair_scan(struct luge_job *job);
void luge__log_append(struct luge_job *job);
void luge__log_read(struct luge_job *job);
void luge__log_bounds(struct luge_job *job);
void luge__log_truncate(struct luge_job *job);

/* Adds a row; false: no memory. */
bool luge__rows_add(struct luge_rows *rows, const struct luge_bytes *key,
                    const struct luge_value *value, int64_t sequence);

/* Reads the row at `offset`, and returns the offset of the next. */
size_t luge__rows_read(const struct luge_rows *rows, size_t offset,
                       struct luge_row *row, const char **key,
                       const char **value);
void luge__rows_clear(struct luge_rows *rows);

#endif
