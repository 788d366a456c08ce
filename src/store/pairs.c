/* Keys and values: the works of calls on them, on the store's thread. */
#include <string.h>

#include "call.h"
#include "worker.h"

/* What one answer to a scan holds, beyond its first row. */
enum { MAX_ROW_BYTES = 1 << 20 };

/* Steps to the live value of the key, and reads it; the statement is to be
 * ended, if there is one. */
static sqlite3_stmt *find(struct luge_database *database,
                          const struct luge_store_call *call,
                          struct luge_value *value, int *code) {
  sqlite3_stmt *statement = luge__database_use(database, LUGE_SQL_GET, code);
  if (statement != NULL) {
    luge__bind_bytes(database, statement, 1, &call->key);
    database->api->bind_double(statement, 2, call->now);
    *code = database->api->step(statement);
    if (*code == SQLITE_ROW) {
      luge__column_value(database, statement, 0, value);
    }
  }
  return statement;
}

static int add_row(struct luge_store_call *call, const struct luge_bytes *key,
                   const struct luge_value *value, int64_t sequence, int code) {
  return luge__rows_add(&call->rows, key, value, sequence) ? code
                                                           : SQLITE_NOMEM;
}

void luge__pair_get(struct luge_job *job) {
  static const struct luge_bytes none = {NULL, 0};
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_database *database = &call->store->database;
  struct luge_value value;
  sqlite3_stmt *statement = find(database, call, &value, &call->code);
  if (statement == NULL) {
    return;
  }
  call->found = call->code == SQLITE_ROW;
  if (call->found) {
    call->code = add_row(call, &none, &value, 0, call->code);
  }
  call->code = luge__database_done(database, statement, call->code);
}

static int put(struct luge_database *database,
               const struct luge_store_call *call) {
  int code;
  sqlite3_stmt *statement = luge__database_use(database, LUGE_SQL_PUT, &code);
  if (statement == NULL) {
    return code;
  }
  luge__bind_bytes(database, statement, 1, &call->key);
  luge__bind_value(database, statement, 2, &call->value);
  if (call->expires > 0) {
    database->api->bind_double(statement, 3, call->expires);
  } else {
    database->api->bind_null(statement, 3);
  }
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

static int erase(struct luge_database *database,
                 const struct luge_store_call *call) {
  int code;
  sqlite3_stmt *statement =
      luge__database_use(database, LUGE_SQL_DELETE, &code);
  if (statement == NULL) {
    return code;
  }
  luge__bind_bytes(database, statement, 1, &call->key);
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

void luge__pair_put(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  call->code = put(&call->store->database, call);
}

/* What has expired was not there. */
void luge__pair_delete(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_database *database = &call->store->database;
  struct luge_value value;
  sqlite3_stmt *statement = find(database, call, &value, &call->code);
  if (statement == NULL) {
    return;
  }
  call->found = call->code == SQLITE_ROW;
  call->code = luge__database_done(database, statement, call->code);
  if (call->code == SQLITE_OK) {
    call->code = erase(database, call);
  }
}

static bool equals(const struct luge_value *a, const struct luge_value *b) {
  return a->is_json == b->is_json && a->text.length == b->text.length &&
         memcmp(a->text.bytes, b->text.bytes, a->text.length) == 0;
}

void luge__pair_compare_and_set(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_database *database = &call->store->database;
  struct luge_value value;
  sqlite3_stmt *statement = find(database, call, &value, &call->code);
  if (statement == NULL) {
    return;
  }
  bool wants_one = call->expected.text.bytes != NULL;
  call->found = call->code == SQLITE_ROW
                    ? wants_one && equals(&value, &call->expected)
                    : !wants_one;
  call->code = luge__database_done(database, statement, call->code);
  if (call->code == SQLITE_OK && call->found) {
    call->code = call->value.text.bytes != NULL ? put(database, call)
                                                : erase(database, call);
  }
}

/* Rows until there are enough of them, by number or by size. */
void luge__pair_scan(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_database *database = &call->store->database;
  bool ends = call->end.bytes != NULL;
  sqlite3_stmt *statement = luge__database_use(
      database, ends ? LUGE_SQL_SCAN_TO : LUGE_SQL_SCAN, &call->code);
  if (statement == NULL) {
    return;
  }
  luge__bind_bytes(database, statement, 1, &call->key);
  database->api->bind_double(statement, 2, call->now);
  database->api->bind_int64(statement, 3, call->limit);
  if (ends) {
    luge__bind_bytes(database, statement, 4, &call->end);
  }
  int code;
  while ((code = database->api->step(statement)) == SQLITE_ROW) {
    struct luge_value value, key;
    luge__column_value(database, statement, 0, &value);
    luge__column_value(database, statement, 1, &key);
    code = add_row(call, &key.text, &value, 0, code);
    if (code != SQLITE_ROW || call->rows.length >= MAX_ROW_BYTES) {
      break;
    }
  }
  call->code = luge__database_done(database, statement, code);
}
