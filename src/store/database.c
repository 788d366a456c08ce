/* Databases; see database.h.
 *
 * What is acknowledged is on the disk: the journal is a write-ahead log that is
 * synchronized at each commit. A file may come from anywhere, so what it could
 * make SQLite do beyond reading and writing tables is switched off. */
#include "database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../core/descriptors.h"
#include "schema.h"

#ifndef SQLITE_OPEN_NOFOLLOW /* Apple's header has left it out */
#define SQLITE_OPEN_NOFOLLOW 0x01000000
#endif

/* To so many bytes a large write-ahead log is cut. */
#define SETTINGS                                                               \
  "PRAGMA trusted_schema = OFF;"                                               \
  "PRAGMA cell_size_check = ON;"                                               \
  "PRAGMA mmap_size = 0;"                                                      \
  "PRAGMA temp_store = MEMORY;"                                                \
  "PRAGMA journal_size_limit = 16777216"

static bool is_exhausted(int error) {
  return error == EMFILE || error == ENFILE;
}

int luge__database_fail(struct luge_database *database, int code) {
  const struct luge__sqlite *api = database->api;
  const char *text = database->handle != NULL ? api->errmsg(database->handle)
                                              : api->errstr(code);
  int error =
      database->handle != NULL ? api->system_errno(database->handle) : 0;
  int primary = code & 0xFF;
  bool tells =
      error != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ||
                     primary == SQLITE_FULL);
  snprintf(database->message, sizeof database->message, "%s%s%s", text,
           tells ? ": " : "", tells ? strerror(error) : "");
  return primary == SQLITE_CANTOPEN && is_exhausted(error)
             ? LUGE_STORE_DESCRIPTORS
             : code;
}

static int execute(struct luge_database *database, const char *sql) {
  int code = database->api->exec(database->handle, sql, NULL, NULL, NULL);
  return code == SQLITE_OK ? code : luge__database_fail(database, code);
}

/* "file:" and ":memory:" would mean something else to SQLite than to a user:
 * so a path that is not absolute begins with "./". */
static int open_file(struct luge_database *database,
                     const struct luge_database_options *options) {
  char name[4096];
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
              SQLITE_OPEN_PRIVATECACHE |
              (options->no_follow ? SQLITE_OPEN_NOFOLLOW : 0);
  const char *path = options->path;
  if (path == NULL) {
    snprintf(name, sizeof name, ":memory:");
  } else if ((size_t)snprintf(name, sizeof name, "%s%s",
                              path[0] == '/' ? "" : "./",
                              path) >= sizeof name) {
    snprintf(database->message, sizeof database->message,
             "the path is too long");
    return SQLITE_CANTOPEN;
  }
  int code = database->api->open_v2(name, &database->handle, flags, NULL);
  return code == SQLITE_OK ? code : luge__database_fail(database, code);
}

static int check_writable(struct luge_database *database) {
  if (database->api->db_readonly(database->handle, "main") != 1) {
    return SQLITE_OK;
  }
  snprintf(database->message, sizeof database->message,
           "the file is read-only");
  return SQLITE_READONLY;
}

static void harden(struct luge_database *database,
                   const struct luge_database_options *options) {
  static const int switches[][2] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
                                    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}};
  const struct luge__sqlite *api = database->api;
  for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
    api->db_config(database->handle, switches[i][0], switches[i][1],
                   (int *)NULL);
  }
  api->limit(database->handle, SQLITE_LIMIT_LENGTH, options->max_row);
  api->limit(database->handle, SQLITE_LIMIT_ATTACHED, 0);
}

/* SQLite answers with the mode that is set now: on a file system without shared
 * memory it is not the one asked for. */
static int set_journal(struct luge_database *database, bool in_memory) {
  const struct luge__sqlite *api = database->api;
  sqlite3_stmt *statement;
  int code = api->prepare_v3(database->handle, "PRAGMA journal_mode = WAL", -1,
                             0, &statement, NULL);
  if (code != SQLITE_OK) {
    return luge__database_fail(database, code);
  }
  code = api->step(statement);
  const char *mode = code == SQLITE_ROW ? api->column_blob(statement, 0) : NULL;
  bool is_set = mode != NULL && api->column_bytes(statement, 0) == 3 &&
                memcmp(mode, "wal", 3) == 0;
  if (code != SQLITE_ROW) {
    luge__database_fail(database, code);
  } else if (!is_set && !in_memory) {
    snprintf(database->message, sizeof database->message,
             "its file system cannot hold a write-ahead log");
    code = SQLITE_CANTOPEN;
  } else {
    code = SQLITE_OK;
  }
  api->finalize(statement);
  return code != SQLITE_OK ? code : execute(database, "PRAGMA synchronous = 2");
}

/* The limit is in pages, of which an empty store needs some. */
static int limit_size(struct luge_database *database, int64_t bytes) {
  char sql[64];
  if (bytes == 0) {
    return SQLITE_OK;
  }
  snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld",
           (long long)(bytes / 4096 < 16 ? 16 : bytes / 4096));
  return execute(database, sql);
}

/* May be done again. */
static int settle(struct luge_database *database,
                  const struct luge_database_options *options) {
  int code = execute(database, SETTINGS);
  if (code == SQLITE_OK) {
    code = luge__schema_check(database);
  }
  if (code == SQLITE_OK) {
    code = set_journal(database, options->path == NULL);
  }
  return code == SQLITE_OK ? limit_size(database, options->max_bytes) : code;
}

static bool is_busy(int code) {
  return code > 0 && (code & 0xFF) == SQLITE_BUSY;
}

int luge__database_open(struct luge_database *database,
                        const struct luge_database_options *options) {
  const char *problem;
  *database = (struct luge_database){.api = luge__sqlite_load(&problem)};
  if (database->api == NULL) {
    snprintf(database->message, sizeof database->message, "%s", problem);
    return luge__descriptors_are_left() ? SQLITE_ERROR : LUGE_STORE_DESCRIPTORS;
  }
  int code = open_file(database, options);
  if (code != SQLITE_OK) {
    return code;
  }
  database->api->busy_handler(database->handle, options->busy,
                              options->busy_data);
  harden(database, options);
  code = check_writable(database);
  if (code == SQLITE_OK) {
    code = settle(database, options);
  }
  /* SQLite does not call the busy handler where two processes might wait for
   * each other, as when both change the journal: so it is called here. */
  for (int i = 0; is_busy(code) && options->busy(options->busy_data, i); i++) {
    database->api->exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    code = settle(database, options);
  }
  database->api->busy_handler(database->handle, NULL, NULL);
  return code;
}

void luge__database_close(struct luge_database *database) {
  if (database->handle == NULL) {
    return;
  }
  for (int i = 0; i < LUGE_SQL_COUNT; i++) {
    database->api->finalize(database->statements[i]);
  }
  database->api->close(database->handle);
  database->handle = NULL;
}

/* Statements. */

sqlite3_stmt *luge__database_use(struct luge_database *database,
                                 enum luge_statement name, int *code) {
  sqlite3_stmt **statement = &database->statements[name];
  *code = SQLITE_OK;
  if (*statement == NULL) {
    *code =
        database->api->prepare_v3(database->handle, luge__schema_sql(name), -1,
                                  SQLITE_PREPARE_PERSISTENT, statement, NULL);
    if (*code != SQLITE_OK) {
      luge__database_fail(database, *code);
    }
  }
  return *statement;
}

int luge__database_done(struct luge_database *database, sqlite3_stmt *statement,
                        int code) {
  bool went = code == SQLITE_ROW || code == SQLITE_DONE || code == SQLITE_OK;
  if (!went) {
    code = database->api->extended_errcode(database->handle);
    luge__database_fail(database, code);
  }
  database->api->reset(statement);
  return went ? SQLITE_OK : code;
}

int luge__database_run(struct luge_database *database,
                       enum luge_statement name) {
  int code;
  sqlite3_stmt *statement = luge__database_use(database, name, &code);
  if (statement == NULL) {
    return code;
  }
  return luge__database_done(database, statement,
                             database->api->step(statement));
}

bool luge__database_in_transaction(const struct luge_database *database) {
  return !database->api->get_autocommit(database->handle);
}

void luge__bind_bytes(const struct luge_database *database,
                      sqlite3_stmt *statement, int index,
                      const struct luge_bytes *bytes) {
  database->api->bind_blob64(statement, index, bytes->bytes, bytes->length,
                             SQLITE_STATIC);
}

void luge__bind_value(const struct luge_database *database,
                      sqlite3_stmt *statement, int index,
                      const struct luge_value *value) {
  if (value->is_json) {
    database->api->bind_text64(statement, index, value->text.bytes,
                               value->text.length, SQLITE_STATIC, SQLITE_UTF8);
  } else {
    luge__bind_bytes(database, statement, index, &value->text);
  }
}

/* An empty BLOB has no address of its own. */
void luge__column_value(const struct luge_database *database,
                        sqlite3_stmt *statement, int index,
                        struct luge_value *value) {
  const struct luge__sqlite *api = database->api;
  value->is_json = api->column_type(statement, index) == SQLITE_TEXT;
  const char *bytes = api->column_blob(statement, index);
  value->text.bytes = bytes != NULL ? bytes : "";
  value->text.length = (size_t)api->column_bytes(statement, index);
}
