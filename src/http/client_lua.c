/* luge.native.http_client: clients and their requests for Lua. Options are
 * checked and given their defaults in lua/luge/http.lua and what it requires,
 * the only users. */
#include <lauxlib.h>
#include <string.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../mod/modules.h"
#include "body_decode.h"
#include "client_stream.h"
#include "client_text.h"
#include "client_url.h"
#include "transfer_headers.h"
#include "transfer_upload.h"

/* The client itself outlives its userdata while transfers run. */
struct client_box {
  struct luge__client *client;
  size_t max_stream; /* bytes of a streamed body; 0: no limit */
};

/* User values: the headers of all its requests, and its options. */
enum { HEADERS = 1, OPTIONS };

static const struct luge_class client_class = {"an HTTP client"};

static struct client_box *check_box(lua_State *L) {
  struct client_box *box = luge__class_check(L, 1, &client_class);
  if (box->client == NULL || box->client->closed) {
    luge__raise(L, "closed", "the HTTP client is closed");
  }
  return box;
}

static struct luge__http *get_service(lua_State *L) {
  struct luge__http **slot = lua_touserdata(L, lua_upvalueindex(1));
  const char *problem = NULL;
  struct luge__http *http = luge__http_service(luge__host(L), slot, &problem);
  if (http == NULL) {
    luge__raise(L, "io", "HTTP needs libcurl: %s", problem);
  } else if (http->stopped) {
    luge__raise(L, "closed", "the host closes");
  }
  return http;
}

static long get_count(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  long count = (long)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return count;
}

/* client(headers, options) -> a client */
static int lib_client(lua_State *L) {
  struct luge__http *http = get_service(L);
  struct client_box *box = luge__class_new(L, &client_class, sizeof *box, 2);
  lua_getfield(L, 2, "cookies");
  struct luge__pool_limits limits = {.total = get_count(L, "max_connections"),
                                     .per_host = get_count(L, "max_per_host"),
                                     .cookies = lua_toboolean(L, -1)};
  lua_pop(L, 1);
  box->client = luge__client_new(http, &limits);
  if (box->client == NULL) {
    return luge__raise_memory(L);
  }
  luge__bounds_set(L, &box->client->bounds, 2);
  box->max_stream = (size_t)get_count(L, "max_stream");
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, HEADERS);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, OPTIONS);
  return 1;
}

static int client_close(lua_State *L) {
  struct client_box *box = luge__class_check(L, 1, &client_class);
  if (box->client != NULL) {
    luge__client_close(box->client);
  }
  return 0;
}

static int client_gc(lua_State *L) {
  struct client_box *box = luge__class_check(L, 1, &client_class);
  struct luge__client *client = box->client;
  box->client = NULL;
  if (client != NULL) {
    luge__client_close(client);
    luge__client_unref(client);
  }
  return 0;
}

/* A request's arguments. */
enum {
  CLIENT = 1,
  METHOD,
  URL,
  FIELDS,
  BODY,
  TYPE,
  TIMEOUT,
  EXTRA,
  STREAM /* above them, of lib_open */
};

/* Up to so many bytes of body libcurl never asks the server first (Expect:
 * 100-continue), which may cost a second. For an upload it always does. */
enum { MAX_UNASKED = 500 * 1024 };

/* The headers of the request, of its client, and ours: libcurl would write the
 * last ones too, but byte by byte, and twice. */
static void set_headers(lua_State *L, struct luge__transfer *t) {
  bool safe = false;
  int top = lua_gettop(L);
  luge__fields_begin(t);
  if (lua_istable(L, EXTRA)) {
    lua_getfield(L, EXTRA, "safe");
    safe = lua_toboolean(L, -1);
  }
  luge__fields_add_table(L, t, FIELDS, false, safe);
  if (lua_istable(L, EXTRA) &&
      lua_getfield(L, EXTRA, "authorization") == LUA_TSTRING) {
    luge__fields_add(L, t, "Authorization", lua_tostring(L, -1));
  }
  lua_getiuservalue(L, CLIENT, HEADERS);
  luge__fields_add_table(L, t, -1, true, safe);
  lua_settop(L, top);
  if (!lua_isnil(L, TYPE)) {
    luge__fields_add(L, t, "Content-Type", lua_tostring(L, TYPE));
  } else if (t->shape == LUGE_SHAPE_FIELDS) { /* libcurl takes it for a form */
    luge__fields_add(L, t, "Content-Type", NULL);
  }
  t->keeps_encoding = luge__fields_have(t, "accept-encoding");
  if (!t->keeps_encoding &&
      luge__decoder_names()[0] != '\0') { /* it is undone by us */
    luge__fields_add(L, t, "Accept-Encoding", luge__decoder_names());
  }
  luge__fields_add(L, t, "User-Agent", "luge/" LUGE_VERSION);
  if (t->upload != NULL || t->length > MAX_UNASKED) {
    luge__fields_add(L, t, "Expect", NULL);
  }
  luge__fields_end(L, t);
}

/* The client's own bounds are for requests that are not streamed. */
static void set_options(lua_State *L, struct luge__transfer *t,
                        size_t max_stream) {
  if (t->fresh) {
    lua_getiuservalue(L, CLIENT, OPTIONS);
    luge__transfer_set_options(L, t, lua_gettop(L));
    lua_pop(L, 1);
    t->fresh = t->needs_reset = false;
  }
  if (t->streaming) {
    t->bounds.max_body = max_stream;
  }
  if (lua_istable(L, EXTRA)) {
    luge__transfer_set_options(L, t, EXTRA);
  }
}

/* A spare transfer, ready to be started; raises, and it stays spare. */
static struct luge__transfer *prepare(lua_State *L, struct client_box *box,
                                      bool streaming) {
  struct luge__transfer *t = luge__transfer_take(box->client);
  if (t == NULL) {
    luge__raise_memory(L);
    return NULL;
  }
  t->streaming = streaming;
  lua_Number seconds = lua_tonumber(L, TIMEOUT);
  t->timeout = seconds > 0 && seconds < 1e9 ? (uint64_t)(seconds * 1e9) : 0;
  set_options(L, t, box->max_stream);
  luge__transfer_set_url(L, t, URL);
  luge__route_set(L, t);
  luge__transfer_set_method(L, t, METHOD);
  luge__transfer_set_body(L, t, BODY);
  set_headers(L, t);
  t->body.max = t->bounds.max_body;
  return t;
}

/* The answer as a whole: status, headers, body. */
static int push_answer(lua_State *L, struct luge__transfer *t) {
  if (t->failure != LUGE_FAILURE_NONE) {
    return luge__transfer_raise(L, t);
  }
  luge__transfer_release(t);
  lua_pushinteger(L, t->status);
  luge__head_push(L, t);
  lua_pushlstring(L, t->body.bytes.ptr != NULL ? t->body.bytes.ptr : "",
                  t->body.bytes.len);
  luge__transfer_trim(t);
  return 3;
}

static int on_answer(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return push_answer(L, task->wait.data);
}

static bool give_up(struct luge_task *task) {
  luge__transfer_drop(task->wait.data);
  return true;
}

static struct client_box *begin(lua_State *L, struct luge_task **task) {
  struct client_box *box = check_box(L);
  lua_settop(L, EXTRA);
  luaL_checkstack(L, 20, NULL);
  *task = luge__enter(L);
  if (box->client->closed) {
    luge__raise(L, "closed", "the HTTP client is closed");
  }
  return box;
}

/* fetch(client, method, url, headers, body, content_type, timeout, options)
 * -> status, headers, body. Waits. */
static int lib_fetch(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "an HTTP response", .cancel = give_up, .finish = on_answer};
  struct luge_task *task;
  struct client_box *box = begin(L, &task);
  struct luge__transfer *t = prepare(L, box, false);
  if (!luge__transfer_start(t)) {
    return luge__raise_memory(L);
  }
  task->wait.data = t;
  if (t->done) { /* others have their turn all the same */
    luge__wake(task);
    return luge__suspend(L, task, &kind);
  }
  return luge__transfer_wait(L, t, task, LUGE_AWAIT_END, &kind);
}

/* The stream is on top of the arguments. */
static int push_opened(lua_State *L, struct luge__stream *stream) {
  struct luge__transfer *t = stream->transfer;
  if (!t->head_done) {
    return luge__stream_raise(L, stream);
  }
  lua_settop(L, STREAM);
  lua_pushinteger(L, t->status);
  stream->head = luge__head_push(L, t);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, STREAM, LUGE_STREAM_HEAD);
  lua_pushvalue(L, STREAM);
  return 3;
}

static int on_opened(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return push_opened(L, task->wait.data);
}

static bool close_stream(struct luge_task *task) {
  luge__stream_close(task->wait.data);
  return true;
}

/* open(the same) -> status, headers, stream. Waits for the head. */
static int lib_open(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "an HTTP response", .cancel = close_stream, .finish = on_opened};
  struct luge_task *task;
  struct client_box *box = begin(L, &task);
  struct luge__stream *stream = luge__stream_new(L);
  lua_pushvalue(L, CLIENT);
  lua_setiuservalue(L, -2, LUGE_STREAM_CLIENT);
  lua_pushvalue(L, BODY);
  lua_setiuservalue(L, -2, LUGE_STREAM_BODY);
  struct luge__transfer *t = prepare(L, box, true);
  if (!luge__transfer_start(t)) {
    return luge__raise_memory(L);
  }
  stream->transfer = t;
  task->wait.data = stream;
  if (t->done || t->head_done) {
    luge__wake(task);
    return luge__suspend(L, task, &kind);
  }
  return luge__transfer_wait(L, t, task, LUGE_AWAIT_HEAD, &kind);
}

/* Pushes the upvalues of all functions: a slot for the host's service, once
 * there is one, and a URL to work with. */
static void push_upvalues(lua_State *L) {
  struct luge__http **service = lua_newuserdatauv(L, sizeof *service, 0);
  *service = NULL;
  luge__url_push_slot(L);
}

int luge__open_http_client(lua_State *L) {
  static const luaL_Reg functions[] = {{"client", lib_client},
                                       {"fetch", lib_fetch},
                                       {"open", lib_open},
                                       {"close", client_close},
                                       {"read", luge__stream_read},
                                       {"close_stream", luge__stream_close_lua},
                                       {"reader", luge__reader_new},
                                       {"info", luge__head_info},
                                       {"timings", luge__head_timings},
                                       {"upload", luge__upload_new},
                                       {"resolve", luge__url_resolve},
                                       {"origin", luge__url_origin},
                                       {"mask", luge__url_mask},
                                       {"escape", luge__text_escape},
                                       {"base64", luge__text_base64},
                                       {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", client_gc}, {"__close", client_close}, {NULL, NULL}};
  luge__class_init(L, &client_class, none, metamethods);
  luge__stream_init(L);
  luge__reader_init(L);
  luge__head_init(L);
  luge__upload_init(L);
  luaL_newlibtable(L, functions);
  push_upvalues(L);
  luaL_setfuncs(L, functions, 2);
  luge__reader_push_methods(L);
  lua_setfield(L, -2, "reader_methods");
  return 1;
}
