/* What luge.native.store does with open stores, the loop's part of it. A store
 * is the first argument of each function. A value is two arguments, or two
 * results: bytes, and whether they are JSON. */
#include "../core/args.h"
#include "store.h"

static struct luge_store_call *call_of(struct luge_job *job) {
  return (struct luge_store_call *)job;
}

/* Results. */

static int done_value(lua_State *L, struct luge_job *job) {
  const struct luge_store_call *call = call_of(job);
  luge__store_raise(L, call, "read");
  if (!call->found) {
    return 0;
  }
  struct luge_row row;
  const char *key, *value;
  luge__rows_read(&call->rows, 0, &row, &key, &value);
  lua_pushlstring(L, value, row.length);
  lua_pushboolean(L, row.is_json);
  return 2;
}

static int done_nothing(lua_State *L, struct luge_job *job) {
  luge__store_raise(L, call_of(job), "write");
  return 0;
}

static int done_found(lua_State *L, struct luge_job *job) {
  luge__store_raise(L, call_of(job), "write");
  lua_pushboolean(L, call_of(job)->found);
  return 1;
}

static int done_number(lua_State *L, struct luge_job *job) {
  luge__store_raise(L, call_of(job), "write");
  lua_pushinteger(L, call_of(job)->number);
  return 1;
}

static int done_bounds(lua_State *L, struct luge_job *job) {
  luge__store_raise(L, call_of(job), "read");
  lua_pushinteger(L, call_of(job)->from);
  lua_pushinteger(L, call_of(job)->number);
  return 2;
}

/* A flat list: key or sequence number, bytes, whether they are JSON, ... */
static int push_rows(lua_State *L, const struct luge_rows *rows, bool in_log) {
  lua_Integer place = 0;
  lua_newtable(L);
  for (size_t offset = 0; offset < rows->length;) {
    struct luge_row row;
    const char *key, *value;
    offset = luge__rows_read(rows, offset, &row, &key, &value);
    if (in_log) {
      lua_pushinteger(L, row.sequence);
    } else {
      lua_pushlstring(L, key, row.key_length);
    }
    lua_rawseti(L, -2, ++place);
    lua_pushlstring(L, value, row.length);
    lua_rawseti(L, -2, ++place);
    lua_pushboolean(L, row.is_json);
    lua_rawseti(L, -2, ++place);
  }
  return 1;
}

static int done_pairs(lua_State *L, struct luge_job *job) {
  luge__store_raise(L, call_of(job), "read");
  return push_rows(L, &call_of(job)->rows, false);
}

static int done_entries(lua_State *L, struct luge_job *job) {
  luge__store_raise(L, call_of(job), "read");
  return push_rows(L, &call_of(job)->rows, true);
}

/* get(store, key, now) -> value, or nothing */
static int lib_get(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a value of a store"), luge__pair_get, done_value,
      luge__store_free};
  static const struct luge_store_strings strings = {.key = 2};
  struct luge_store *store = luge__store_check(L);
  lua_Number now = luaL_checknumber(L, 3);
  struct luge_store_call *call = luge__store_call(L, store, &kind, &strings);
  call->now = now;
  return luge__store_run(L, call);
}

/* The time is at the index `now`, and after it the time at which the value
 * expires. */
static int write_pair(lua_State *L, const struct luge_job_kind *kind,
                      const struct luge_store_strings *strings, int now) {
  struct luge_store *store = luge__store_check(L);
  lua_Number time = luaL_checknumber(L, now);
  lua_Number expires = luaL_optnumber(L, now + 1, 0);
  struct luge_store_call *call = luge__store_call(L, store, kind, strings);
  call->writes = true;
  call->now = time;
  call->expires = expires;
  return luge__store_run(L, call);
}

/* put(store, key, value, now, expires?) */
static int lib_put(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a store to be written"), luge__pair_put, done_nothing,
      luge__store_free};
  static const struct luge_store_strings strings = {.key = 2, .value = 3};
  return write_pair(L, &kind, &strings, 5);
}

/* delete(store, key, now) -> whether it was there */
static int lib_delete(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a store to be written"), luge__pair_delete, done_found,
      luge__store_free};
  static const struct luge_store_strings strings = {.key = 2};
  return write_pair(L, &kind, &strings, 3);
}

/* compare_and_set(store, key, expected, value, now, expires?) -> whether it was
 * as expected; either value may be nil */
static int lib_compare_and_set(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a store to be written"), luge__pair_compare_and_set,
      done_found, luge__store_free};
  static const struct luge_store_strings strings = {
      .key = 2, .expected = 3, .value = 5};
  return write_pair(L, &kind, &strings, 7);
}

/* scan(store, from, end or nil, now, limit) -> rows */
static int lib_scan(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("values of a store"),
                                            luge__pair_scan, done_pairs,
                                            luge__store_free};
  static const struct luge_store_strings strings = {.key = 2, .end = 3};
  struct luge_store *store = luge__store_check(L);
  lua_Number now = luaL_checknumber(L, 4);
  lua_Integer limit = luge__check_integer(L, 5, 1, "a number of rows");
  struct luge_store_call *call = luge__store_call(L, store, &kind, &strings);
  call->now = now;
  call->limit = limit;
  return luge__store_run(L, call);
}

/* append(store, log, value) -> its sequence number */
static int lib_append(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a log to be written"), luge__log_append, done_number,
      luge__store_free};
  static const struct luge_store_strings strings = {.key = 2, .value = 3};
  struct luge_store *store = luge__store_check(L);
  struct luge_store_call *call = luge__store_call(L, store, &kind, &strings);
  call->writes = true;
  return luge__store_run(L, call);
}

/* read(store, log, from, limit) -> rows */
static int lib_read(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("entries of a log"),
                                            luge__log_read, done_entries,
                                            luge__store_free};
  static const struct luge_store_strings strings = {.key = 2};
  struct luge_store *store = luge__store_check(L);
  lua_Integer from = luaL_checkinteger(L, 3);
  lua_Integer limit = luge__check_integer(L, 4, 1, "a number of rows");
  struct luge_store_call *call = luge__store_call(L, store, &kind, &strings);
  call->from = from;
  call->limit = limit;
  return luge__store_run(L, call);
}

/* bounds(store, log) -> the first sequence number, the next one */
static int lib_bounds(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("entries of a log"),
                                            luge__log_bounds, done_bounds,
                                            luge__store_free};
  static const struct luge_store_strings strings = {.key = 2};
  struct luge_store *store = luge__store_check(L);
  return luge__store_run(L, luge__store_call(L, store, &kind, &strings));
}

/* truncate(store, log, before) -> how many went */
static int lib_truncate(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a log to be written"), luge__log_truncate, done_number,
      luge__store_free};
  static const struct luge_store_strings strings = {.key = 2};
  struct luge_store *store = luge__store_check(L);
  lua_Integer before = luaL_checkinteger(L, 3);
  struct luge_store_call *call = luge__store_call(L, store, &kind, &strings);
  call->writes = true;
  call->from = before;
  return luge__store_run(L, call);
}

const luaL_Reg luge__store_functions[] = {
    {"get", lib_get},           {"put", lib_put},
    {"delete", lib_delete},     {"compare_and_set", lib_compare_and_set},
    {"scan", lib_scan},         {"append", lib_append},
    {"read", lib_read},         {"bounds", lib_bounds},
    {"truncate", lib_truncate}, {NULL, NULL}};
