/* Answers of the resolver, and its errors; see resolver.h. */
#include <lauxlib.h>

#include "../core/error.h"
#include "../core/host.h"
#include "resolver.h"

static size_t size_of(unsigned count) {
  return sizeof(struct luge_answer) + count * sizeof(struct luge_address);
}

struct luge_answer *luge__answer_new(struct luge_host *host, unsigned count) {
  struct luge_answer *answer = luge__realloc(host, NULL, 0, size_of(count));
  if (answer != NULL) {
    *answer = (struct luge_answer){
        .host = host, .refs = 1, .room = count, .count = count};
  }
  return answer;
}

void luge__answer_ref(struct luge_answer *answer) {
  answer->refs++;
}

void luge__answer_unref(struct luge_answer *answer) {
  if (answer != NULL && --answer->refs == 0) {
    luge__realloc(answer->host, answer, size_of(answer->room), 0);
  }
}

static void set_text(lua_State *L, const char *field, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void push_failed(lua_State *L, const char *text, const char *problem) {
  luge__push_error(L, "network", "cannot resolve \"%s\": %s", text, problem);
  set_text(L, "code", "dns");
  set_text(L, "phase", "dns");
}

static void push_no_thread(lua_State *L) {
  luge__push_error(L, "limit", "no thread is left to resolve names");
  set_text(L, "what", "threads");
}

void luge__resolve_push_error(lua_State *L, const struct luge_query *query,
                              const char *text, size_t length) {
  luaL_checkstack(L, 8, NULL);
  text = lua_pushlstring(L, text, length);
  switch (query->status) {
  case LUGE_RESOLVE_INVALID:
    luge__push_error(L, "invalid", "bad host \"%s\": %s", text, query->problem);
    break;
  case LUGE_RESOLVE_FAILED:
    push_failed(L, text, query->problem);
    break;
  case LUGE_RESOLVE_THREADS:
    push_no_thread(L);
    break;
  case LUGE_RESOLVE_CLOSED:
    luge__push_error(L, "closed", "the host closes");
    break;
  case LUGE_RESOLVE_MEMORY:
  case LUGE_RESOLVE_PENDING:
  case LUGE_RESOLVE_OK:
    lua_pushstring(L, "not enough memory");
    break;
  }
  lua_remove(L, -2);
}
