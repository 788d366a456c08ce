/* SQLite, loaded when it is first needed, as libcurl is: see http/curl.h. The
 * table of its functions is loaded once in a process, by whichever thread comes
 * first, and is read-only from then on. */
#ifndef LUGE_STORE_SQLITE_H
#define LUGE_STORE_SQLITE_H

#include <sqlite3.h>

#define LUGE_SQLITE_FUNCTIONS(X)                                               \
  X(bind_blob64)                                                               \
  X(bind_double)                                                               \
  X(bind_int64)                                                                \
  X(bind_null)                                                                 \
  X(bind_text64)                                                               \
  X(busy_handler)                                                              \
  X(close)                                                                     \
  X(column_blob)                                                               \
  X(column_bytes)                                                              \
  X(column_int64)                                                              \
  X(column_type)                                                               \
  X(db_config)                                                                 \
  X(db_readonly)                                                               \
  X(errmsg)                                                                    \
  X(errstr)                                                                    \
  X(exec)                                                                      \
  X(extended_errcode)                                                          \
  X(finalize)                                                                  \
  X(get_autocommit)                                                            \
  X(interrupt)                                                                 \
  X(limit)                                                                     \
  X(open_v2)                                                                   \
  X(prepare_v3)                                                                \
  X(reset)                                                                     \
  X(step)                                                                      \
  X(system_errno)                                                              \
  X(threadsafe)

struct luge__sqlite {
#define LUGE_SQLITE_MEMBER(name) __typeof__(&sqlite3_##name) name;
  LUGE_SQLITE_FUNCTIONS(LUGE_SQLITE_MEMBER)
#undef LUGE_SQLITE_MEMBER
};

/* The table, loading it if need be; or NULL, and why in *problem, until the
 * thread asks again. */
const struct luge__sqlite *luge__sqlite_load(const char **problem);

/* SQLite's own name for a result code: "SQLITE_FULL". */
const char *luge__sqlite_name(int code);

#endif
