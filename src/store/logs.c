/* Append-only logs: the works of calls on them, on the store's thread. A log
 * has entries from `first` up to `next`, without gaps; see schema.c. */
#include "call.h"
#include "worker.h"

enum { MAX_ROW_BYTES = 1 << 20 };

static const int64_t ENTRIES = (int64_t)1 << 40; /* of a log, in its life */

struct log {
  int64_t id; /* 0: there is none */
  int64_t first, next;
};

static int find(struct luge_database *database, const struct luge_bytes *name,
                struct log *log) {
  const struct luge__sqlite *api = database->api;
  int code;
  *log = (struct log){.first = 1, .next = 1};
  sqlite3_stmt *statement =
      luge__database_use(database, LUGE_SQL_LOG_FIND, &code);
  if (statement == NULL) {
    return code;
  }
  luge__bind_bytes(database, statement, 1, name);
  code = api->step(statement);
  if (code == SQLITE_ROW) {
    log->id = api->column_int64(statement, 0);
    log->first = api->column_int64(statement, 1);
    log->next = api->column_int64(statement, 2);
  }
  return luge__database_done(database, statement, code);
}

static int add(struct luge_database *database, const struct luge_bytes *name) {
  int code;
  sqlite3_stmt *statement =
      luge__database_use(database, LUGE_SQL_LOG_ADD, &code);
  if (statement == NULL) {
    return code;
  }
  luge__bind_bytes(database, statement, 1, name);
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

static int find_or_add(struct luge_database *database,
                       const struct luge_bytes *name, struct log *log) {
  int code = find(database, name, log);
  if (code == SQLITE_OK && log->id == 0) {
    code = add(database, name);
    if (code == SQLITE_OK) {
      code = find(database, name, log);
    }
  }
  return code;
}

static int set_bounds(struct luge_database *database, const struct log *log) {
  int code;
  sqlite3_stmt *statement =
      luge__database_use(database, LUGE_SQL_LOG_SET, &code);
  if (statement == NULL) {
    return code;
  }
  database->api->bind_int64(statement, 1, log->id);
  database->api->bind_int64(statement, 2, log->first);
  database->api->bind_int64(statement, 3, log->next);
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

static int add_entry(struct luge_database *database, int64_t id,
                     const struct luge_value *value) {
  int code;
  sqlite3_stmt *statement =
      luge__database_use(database, LUGE_SQL_ENTRY_ADD, &code);
  if (statement == NULL) {
    return code;
  }
  database->api->bind_int64(statement, 1, id);
  luge__bind_value(database, statement, 2, value);
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

void luge__log_append(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_database *database = &call->store->database;
  struct log log;
  call->code = find_or_add(database, &call->key, &log);
  if (call->code != SQLITE_OK) {
    return;
  }
  call->number = log.next++;
  call->code =
      add_entry(database, log.id * ENTRIES + call->number, &call->value);
  if (call->code == SQLITE_OK) {
    call->code = set_bounds(database, &log);
  }
}

static int read_rows(struct luge_store_call *call, const struct log *log,
                     int64_t from) {
  static const struct luge_bytes none = {NULL, 0};
  struct luge_database *database = &call->store->database;
  const struct luge__sqlite *api = database->api;
  int code;
  sqlite3_stmt *statement =
      luge__database_use(database, LUGE_SQL_ENTRY_READ, &code);
  if (statement == NULL) {
    return code;
  }
  api->bind_int64(statement, 1, log->id * ENTRIES + from);
  api->bind_int64(statement, 2, log->id * ENTRIES + log->next);
  api->bind_int64(statement, 3, call->limit);
  while ((code = api->step(statement)) == SQLITE_ROW) {
    struct luge_value value;
    int64_t sequence = api->column_int64(statement, 1) - log->id * ENTRIES;
    luge__column_value(database, statement, 0, &value);
    if (!luge__rows_add(&call->rows, &none, &value, sequence)) {
      code = SQLITE_NOMEM;
      break;
    }
    if (call->rows.length >= MAX_ROW_BYTES) {
      break;
    }
  }
  return luge__database_done(database, statement, code);
}

/* Entries that are removed between the two statements are left out. */
void luge__log_read(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct log log;
  call->code = find(&call->store->database, &call->key, &log);
  int64_t from = call->from > log.first ? call->from : log.first;
  if (call->code == SQLITE_OK && log.id != 0 && from < log.next) {
    call->code = read_rows(call, &log, from);
  }
}

/* `from` is the first entry, `number` what the next one will be. */
void luge__log_bounds(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct log log;
  call->code = find(&call->store->database, &call->key, &log);
  call->from = log.first;
  call->number = log.next;
}

static int cut(struct luge_database *database, int64_t from, int64_t before) {
  int code;
  sqlite3_stmt *statement =
      luge__database_use(database, LUGE_SQL_ENTRY_CUT, &code);
  if (statement == NULL) {
    return code;
  }
  database->api->bind_int64(statement, 1, from);
  database->api->bind_int64(statement, 2, before);
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

/* Removes the entries before `from`; their numbers are not used again. */
void luge__log_truncate(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_database *database = &call->store->database;
  struct log log;
  call->number = 0;
  call->code = find(database, &call->key, &log);
  int64_t before = call->from < log.next ? call->from : log.next;
  if (call->code != SQLITE_OK || log.id == 0 || before <= log.first) {
    return;
  }
  call->code =
      cut(database, log.id * ENTRIES + log.first, log.id * ENTRIES + before);
  call->number = before - log.first;
  log.first = before;
  if (call->code == SQLITE_OK) {
    call->code = set_bounds(database, &log);
  }
}
