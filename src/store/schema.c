/* The tables of a store; see schema.h.
 *
 * A value is a BLOB if it is a string, and TEXT if it is another value's JSON.
 * Keys and names are BLOBs, which SQLite orders by their bytes. The entry
 * number `sequence` of the log with number `id` is the row id * 2^40 +
 * sequence, so that a log is a range of rows in the order of their coming. */
#include "schema.h"

#include <stdio.h>

/* "luge" in ASCII: what the `file` command and we know it by. */
enum { APPLICATION_ID = 0x6C756765, FORMAT = 1 };

#define LIVE "(expires IS NULL OR expires > ?2)"

const char *luge__schema_sql(enum luge_statement name) {
  static const char *const texts[LUGE_SQL_COUNT] = {
      [LUGE_SQL_BEGIN] = "BEGIN IMMEDIATE",
      [LUGE_SQL_COMMIT] = "COMMIT",
      [LUGE_SQL_ROLLBACK] = "ROLLBACK",
      [LUGE_SQL_GET] = "SELECT value FROM pair WHERE key = ?1 AND " LIVE,
      [LUGE_SQL_PUT] =
          "INSERT INTO pair (key, value, expires) VALUES (?1, ?2, ?3)"
          " ON CONFLICT (key) DO UPDATE"
          " SET value = excluded.value, expires = excluded.expires",
      [LUGE_SQL_DELETE] = "DELETE FROM pair WHERE key = ?1",
      [LUGE_SQL_SCAN] = "SELECT value, key FROM pair WHERE key >= ?1"
                        " AND " LIVE " ORDER BY key LIMIT ?3",
      [LUGE_SQL_SCAN_TO] = "SELECT value, key FROM pair WHERE key >= ?1"
                           " AND key < ?4 AND " LIVE " ORDER BY key LIMIT ?3",
      [LUGE_SQL_SWEEP] = "DELETE FROM pair WHERE rowid IN"
                         " (SELECT rowid FROM pair WHERE expires <= ?1"
                         " LIMIT 256)",
      [LUGE_SQL_LOG_FIND] = "SELECT id, first, next FROM log WHERE name = ?1",
      [LUGE_SQL_LOG_ADD] =
          "INSERT INTO log (name, first, next) VALUES (?1, 1, 1)",
      [LUGE_SQL_LOG_SET] = "UPDATE log SET first = ?2, next = ?3 WHERE id = ?1",
      [LUGE_SQL_ENTRY_ADD] = "INSERT INTO entry (id, value) VALUES (?1, ?2)",
      [LUGE_SQL_ENTRY_READ] = "SELECT value, id FROM entry WHERE id >= ?1"
                              " AND id < ?2 ORDER BY id LIMIT ?3",
      [LUGE_SQL_ENTRY_CUT] = "DELETE FROM entry WHERE id >= ?1 AND id < ?2"};
  return texts[name];
}

static const char tables[] =
    "CREATE TABLE pair (id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL,"
    " value NOT NULL, expires REAL);"
    "CREATE INDEX pair_expires ON pair (expires) WHERE expires IS NOT NULL;"
    "CREATE TABLE log (id INTEGER PRIMARY KEY, name BLOB UNIQUE NOT NULL,"
    " first INTEGER NOT NULL, next INTEGER NOT NULL);"
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, value NOT NULL);";

static int execute(struct luge_database *database, const char *sql) {
  int code = database->api->exec(database->handle, sql, NULL, NULL, NULL);
  return code == SQLITE_OK ? code : luge__database_fail(database, code);
}

static int query(struct luge_database *database, const char *sql,
                 sqlite3_int64 *number) {
  const struct luge__sqlite *api = database->api;
  sqlite3_stmt *statement;
  int code = api->prepare_v3(database->handle, sql, -1, 0, &statement, NULL);
  if (code != SQLITE_OK) {
    return luge__database_fail(database, code);
  }
  code = api->step(statement);
  *number = code == SQLITE_ROW ? api->column_int64(statement, 0) : 0;
  if (code != SQLITE_ROW) {
    luge__database_fail(database, code);
  }
  api->finalize(statement);
  return code == SQLITE_ROW ? SQLITE_OK : code;
}

struct identity {
  sqlite3_int64 application, format, tables;
};

static int identify(struct luge_database *database, struct identity *identity) {
  int code = query(database, "PRAGMA application_id", &identity->application);
  if (code == SQLITE_OK) {
    code = query(database, "PRAGMA user_version", &identity->format);
  }
  if (code == SQLITE_OK) {
    code = query(database, "SELECT count(*) FROM sqlite_master",
                 &identity->tables);
  }
  return code;
}

static int judge(struct luge_database *database,
                 const struct identity *identity) {
  if (identity->application != APPLICATION_ID || identity->format < 1) {
    snprintf(database->message, sizeof database->message,
             "it is a database of another program");
    return LUGE_STORE_FOREIGN;
  }
  if (identity->format > FORMAT) {
    snprintf(database->message, sizeof database->message,
             "it has format %lld, of a newer luge; this one knows %d",
             (long long)identity->format, FORMAT);
    return LUGE_STORE_NEWER;
  }
  return SQLITE_OK;
}

static bool is_empty(const struct identity *identity) {
  return identity->application == 0 && identity->format == 0 &&
         identity->tables == 0;
}

/* Inside a transaction: another process may just have made them. */
static int create(struct luge_database *database) {
  char sql[128];
  struct identity identity = {0};
  int code = identify(database, &identity);
  if (code != SQLITE_OK || !is_empty(&identity)) {
    return code != SQLITE_OK ? code : judge(database, &identity);
  }
  code = execute(database, tables);
  if (code == SQLITE_OK) {
    snprintf(sql, sizeof sql,
             "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, FORMAT);
    code = execute(database, sql);
  }
  return code;
}

/* In one transaction: the file is as it was at one moment. */
static int look(struct luge_database *database, struct identity *identity) {
  int code = execute(database, "BEGIN");
  if (code == SQLITE_OK) {
    code = identify(database, identity);
  }
  return code == SQLITE_OK ? execute(database, "COMMIT") : code;
}

int luge__schema_check(struct luge_database *database) {
  struct identity identity = {0};
  int code = look(database, &identity);
  if (code != SQLITE_OK || !is_empty(&identity)) {
    return code != SQLITE_OK ? code : judge(database, &identity);
  }
  code = luge__database_run(database, LUGE_SQL_BEGIN);
  if (code == SQLITE_OK) {
    code = create(database);
  }
  if (code == SQLITE_OK) {
    code = luge__database_run(database, LUGE_SQL_COMMIT);
  }
  return code;
}
