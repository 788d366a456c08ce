/* A database of luge.store: its file, its schema, its statements. Used by the
 * store's own thread alone, so it knows neither Lua nor the loop; all it says
 * of an error is SQLite's result code and a text. */
#ifndef LUGE_STORE_DATABASE_H
#define LUGE_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sqlite.h"

/* Codes beside SQLite's own: the file is fine, but no store of ours; there are
 * no descriptors left. */
enum {
  LUGE_STORE_FOREIGN = -1,
  LUGE_STORE_NEWER = -2,
  LUGE_STORE_DESCRIPTORS = -3
};

enum luge_statement {
  LUGE_SQL_BEGIN,
  LUGE_SQL_COMMIT,
  LUGE_SQL_ROLLBACK,
  LUGE_SQL_GET,
  LUGE_SQL_PUT,
  LUGE_SQL_DELETE,
  LUGE_SQL_SCAN,
  LUGE_SQL_SCAN_TO,
  LUGE_SQL_SWEEP,
  LUGE_SQL_LOG_FIND,
  LUGE_SQL_LOG_ADD,
  LUGE_SQL_LOG_SET,
  LUGE_SQL_ENTRY_ADD,
  LUGE_SQL_ENTRY_READ,
  LUGE_SQL_ENTRY_CUT,
  LUGE_SQL_COUNT
};

/* bytes is NULL: there is none. */
struct luge_bytes {
  const char *bytes;
  size_t length;
};

/* A string as it is, or the JSON text of any other value. */
struct luge_value {
  struct luge_bytes text;
  bool is_json;
};

struct luge_database_options {
  const char *path;  /* NULL: in memory */
  int64_t max_bytes; /* of the database; 0: no limit of ours */
  int max_row;       /* bytes of a row, at most */
  bool no_follow;    /* refuse a path with symbolic links in it */
  /* As for sqlite3_busy_handler: another process has the file. */
  int (*busy)(void *data, int count);
  void *busy_data;
};

struct luge_database {
  const struct luge__sqlite *api;
  sqlite3 *handle;
  sqlite3_stmt *statements[LUGE_SQL_COUNT];
  char message[256]; /* of the last error */
};

/* Opens it, and makes it if there is none. A result code; in any case
 * luge__database_close is to be called. */
int luge__database_open(struct luge_database *database,
                        const struct luge_database_options *options);
void luge__database_close(struct luge_database *database);

/* A statement, ready to be given its parameters; or NULL, and the code is in
 * *code. It is to be ended by luge__database_done, with what stepping it gave,
 * which then is returned; SQLITE_OK instead of _ROW and _DONE. */
sqlite3_stmt *luge__database_use(struct luge_database *database,
                                 enum luge_statement name, int *code);
int luge__database_done(struct luge_database *database, sqlite3_stmt *statement,
                        int code);

/* Runs a statement that has no parameters and no rows. */
int luge__database_run(struct luge_database *database,
                       enum luge_statement name);

/* Whether a transaction is open. */
bool luge__database_in_transaction(const struct luge_database *database);

/* Notes what SQLite says of the error `code`, and returns it. */
int luge__database_fail(struct luge_database *database, int code);

/* Parameters and columns. What is bound must stay until the statement is
 * done. */
void luge__bind_bytes(const struct luge_database *database,
                      sqlite3_stmt *statement, int index,
                      const struct luge_bytes *bytes);
void luge__bind_value(const struct luge_database *database,
                      sqlite3_stmt *statement, int index,
                      const struct luge_value *value);
void luge__column_value(const struct luge_database *database,
                        sqlite3_stmt *statement, int index,
                        struct luge_value *value);

#endif
