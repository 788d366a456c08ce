/* Errors of transfers: their kind, code and phase; see docs/errors.md. */
#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "../core/error.h"
#include "transfer.h"
#include "transfer_url.h"

/* How much of a broken-off body an error keeps. */
enum { MAX_PARTIAL = 16 * 1024 * 1024 };

struct verdict {
  const char *kind;
  const char *code; /* of `network`; `what` of `limit` */
  const char *text;
  bool retryable;
  size_t limit;
};

static bool has_time(struct luge__transfer *t, CURLINFO info) {
  curl_off_t microseconds = 0;
  luge__transfer_curl(t)->easy_getinfo(t->easy, info, &microseconds);
  return microseconds > 0;
}

static bool is_sending(struct luge__transfer *t) {
  curl_off_t sent = 0;
  luge__transfer_curl(t)->easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  return t->length < 0 ? t->was_sending : sent < t->length;
}

/* "dns", "connect", ... */
static const char *phase_reached(struct luge__transfer *t) {
  if (t->head_done) {
    return "body";
  }
  if (t->connected) {
    return is_sending(t) ? "send" : "headers";
  }
  if (!has_time(t, CURLINFO_NAMELOOKUP_TIME_T)) {
    return "dns";
  }
  return t->was_securing ? "tls" : "connect";
}

static long get_long(struct luge__transfer *t, CURLINFO info) {
  long value = 0;
  luge__transfer_curl(t)->easy_getinfo(t->easy, info, &value);
  return value;
}

#define NETWORK(code_, text_)                                                  \
  { .kind = "network", .code = code_, .text = text_, .retryable = true }
#define BAD_TLS(text_)                                                         \
  { .kind = "network", .code = "tls", .text = text_ }
#define TRUNCATED(text_)                                                       \
  { .kind = "truncated", .text = text_, .retryable = true }

static struct verdict network(const char *code, const char *text) {
  return (struct verdict)NETWORK(code, text);
}

static struct verdict limit(const char *what, size_t size, const char *text) {
  return (struct verdict){
      .kind = "limit", .code = what, .text = text, .limit = size};
}

/* libcurl has one code for all that goes wrong while it reads. */
static struct verdict on_receive(struct luge__transfer *t) {
  long connect_code = get_long(t, CURLINFO_HTTP_CONNECTCODE);
  if (connect_code >= 300 && !t->connected) {
    return network("proxy", "the proxy refused to connect");
  }
  if (!t->connected && luge__route_is_proxied(t)) {
    return network("proxy", "the proxy broke off");
  }
  if (strstr(t->problem, "chunk") != NULL) {
    return network("protocol", "the chunks of the body are malformed");
  }
  if (strstr(t->problem, "oo large response headers") != NULL ||
      strstr(t->problem, "CONTINUATION") != NULL) {
    return limit("head", LUGE_HEAD_MAX, "the head of the answer is too long");
  }
  if (strstr(t->problem, "nghttp2") != NULL) {
    return network("protocol", "an error in HTTP/2's framing");
  }
  return network("reset", "the connection was reset");
}

static struct verdict truncated(const char *text) {
  return (struct verdict)TRUNCATED(text);
}

/* A body that is shorter than announced is a protocol error in HTTP/2. */
static struct verdict on_stream(const struct luge__transfer *t) {
  return t->expected > t->received &&
                 strstr(t->problem, "PROTOCOL_ERROR") != NULL
             ? truncated("the body is shorter than announced")
             : network("reset", "the server reset the stream");
}

static const char no_socket[] = "there is no such socket";

static struct verdict on_connect(struct luge__transfer *t) {
  if (luge__route_is_proxied(t)) {
    return network("connect", "cannot connect to the proxy");
  }
  switch (get_long(t, CURLINFO_OS_ERRNO)) {
  case ECONNREFUSED:
    return network("connect", "connection refused");
  case EHOSTUNREACH:
  case ENETUNREACH:
    return network("connect", "no route to the host");
  case ENOENT:
    return network("connect", no_socket);
  default:
    return network("connect", "cannot connect");
  }
}

static struct verdict on_http2(const struct luge__transfer *t) {
  return t->problem[0] != '\0' /* without a word if the connection died */
             ? network("protocol", "an error in HTTP/2's framing")
             : network("reset", "the connection was closed");
}

/* libcurl gives this result for a header line that is too long, too. */
static struct verdict on_memory(const struct luge__transfer *t) {
  return t->connected && !t->head_done
             ? limit("head", LUGE_HEAD_MAX,
                     "a header of the answer is too long")
             : (struct verdict){.text = "not enough memory"};
}

/* What those results of libcurl mean that always mean the same. If the text is
 * NULL, libcurl's own is used. */
static const struct {
  int result;
  struct verdict verdict;
} meanings[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, NETWORK("protocol", "the answer is not HTTP")},
    {CURLE_WEIRD_SERVER_REPLY, NETWORK("protocol", "the answer is not HTTP")},
    {CURLE_BAD_FUNCTION_ARGUMENT,
     NETWORK("protocol", "a header or a trailer is malformed")},
    {CURLE_URL_MALFORMAT, {.kind = "invalid", .text = "the URL is malformed"}},
    {CURLE_UPLOAD_FAILED,
     {.kind = "invalid",
      .text = "HTTP/1.0 takes no body whose length is not known"}},
    {CURLE_COULDNT_RESOLVE_PROXY,
     NETWORK("proxy", "the proxy's name cannot be resolved")},
    {CURLE_PROXY, NETWORK("proxy", "the proxy refused to connect")},
    {CURLE_COULDNT_RESOLVE_HOST, NETWORK("dns", "the name cannot be resolved")},
    {CURLE_PARTIAL_FILE, TRUNCATED("the body is shorter than announced")},
    {LUGE_CURLE_TOO_LARGE,
     {.kind = "limit",
      .code = "head",
      .limit = LUGE_HEAD_MAX,
      .text = "the head of the answer is too long"}},
    {CURLE_OPERATION_TIMEDOUT,
     {.kind = "timeout", .text = "timed out", .retryable = true}},
    {CURLE_GOT_NOTHING,
     NETWORK("reset", "the connection was closed before the answer")},
    {CURLE_SEND_ERROR, NETWORK("reset", "the connection broke while sending")},
    {CURLE_SEND_FAIL_REWIND,
     NETWORK("reset", "the connection broke while sending")},
    {CURLE_SSL_CONNECT_ERROR, NETWORK("tls", "the TLS handshake failed")},
    {CURLE_PEER_FAILED_VERIFICATION,
     BAD_TLS("the server's certificate is not trusted")},
    {CURLE_SSL_CERTPROBLEM, BAD_TLS("the client's certificate cannot be used")},
    {CURLE_SSL_CACERT_BADFILE,
     BAD_TLS("the certificates of authorities cannot be read")},
    {CURLE_SSL_CIPHER, BAD_TLS(NULL)},
    {CURLE_SSL_ISSUER_ERROR, BAD_TLS(NULL)},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, BAD_TLS(NULL)},
    {CURLE_SSL_INVALIDCERTSTATUS, BAD_TLS(NULL)},
};

static struct verdict meaning_of(const struct luge__transfer *t) {
  struct verdict found = NETWORK("protocol", NULL);
  for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
    if (meanings[i].result == (int)t->result) {
      found = meanings[i].verdict;
    }
  }
  if (found.text == NULL) {
    found.text = luge__transfer_curl(t)->easy_strerror(t->result);
  }
  return found;
}

static struct verdict of_curl(struct luge__transfer *t) {
  switch ((int)t->result) {
  case CURLE_COULDNT_CONNECT:
    return on_connect(t);
  case CURLE_HTTP2:
    return on_http2(t);
  case CURLE_HTTP2_STREAM:
    return on_stream(t);
  case CURLE_OUT_OF_MEMORY:
    return on_memory(t);
  case CURLE_RECV_ERROR:
    return on_receive(t);
  default:
    return meaning_of(t);
  }
}

static struct verdict timed_out(const char *text) {
  return (struct verdict){.kind = "timeout", .text = text, .retryable = true};
}

static struct verdict verdict_of(struct luge__transfer *t) {
  switch (t->failure) {
  case LUGE_FAILURE_CLOSED:
    return (struct verdict){.kind = "closed", .text = "the client was closed"};
  case LUGE_FAILURE_REFUSED: /* is pushed elsewhere */
  case LUGE_FAILURE_NONE:
  case LUGE_FAILURE_MEMORY:
    return (struct verdict){.text = "not enough memory"};
  case LUGE_FAILURE_HEAD_LIMIT:
    return limit("head", LUGE_HEAD_MAX, "the head of the answer is too long");
  case LUGE_FAILURE_BODY_LIMIT:
    return limit("body", t->body.max, "the body is too long");
  case LUGE_FAILURE_FILE_LIMIT:
    return limit("open files", 0, "no file descriptor is left");
  case LUGE_FAILURE_NO_SOCKET:
    return network("connect", no_socket);
  case LUGE_FAILURE_NAME:
    return network("dns", t->problem);
  case LUGE_FAILURE_PROXY_NAME:
    return network("proxy", "the proxy's name cannot be resolved");
  case LUGE_FAILURE_BAD_NAME:
    return (struct verdict){.kind = "invalid",
                            .text = "the host is no name and no address"};
  case LUGE_FAILURE_THREADS:
    return limit("threads", 0, "no thread is left to resolve names");
  case LUGE_FAILURE_RESENT:
    return network("reset",
                   "a kept connection was closed before the answer came");
  case LUGE_FAILURE_PROXY:
    return network("proxy", "the proxy asks for a user and a password");
  case LUGE_FAILURE_SWITCHED:
    return network("protocol", "the server switches to another protocol");
  case LUGE_FAILURE_ENCODING:
    return network("protocol", "the body's encoding is corrupt");
  case LUGE_FAILURE_LENGTH:
    return network("protocol",
                   "its Content-Length is no number, or contradicts another");
  case LUGE_FAILURE_NO_DECODER:
    return network("protocol", "the body has an encoding that is not known");
  case LUGE_FAILURE_CUT_ENCODING:
    return truncated("the encoded body has no end");
  case LUGE_FAILURE_SOURCE:
    return (struct verdict){.kind = "io",
                            .text = "the request's body cannot be read"};
  case LUGE_FAILURE_TIMEOUT:
    return timed_out("timed out");
  case LUGE_FAILURE_CONNECT_TIMEOUT:
    return timed_out("timed out while connecting");
  case LUGE_FAILURE_IDLE_TIMEOUT:
    return timed_out("timed out: no byte came or went");
  case LUGE_FAILURE_CURL:
    break;
  }
  return of_curl(t);
}

static void set_text(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static double seconds_of_bound(const struct luge__transfer *t) {
  uint64_t bound = t->failure == LUGE_FAILURE_TIMEOUT ? t->timeout
                   : t->connected                     ? t->bounds.idle
                                                      : t->bounds.connect;
  return (double)bound / 1e9;
}

static const char *phase_of(struct luge__transfer *t, const char *code) {
  if (code != NULL &&
      (strcmp(code, "proxy") == 0 || strcmp(code, "tls") == 0)) {
    return code;
  }
  return phase_reached(t);
}

static void set_fields(lua_State *L, struct luge__transfer *t,
                       const struct verdict *verdict) {
  lua_pushboolean(L, verdict->retryable);
  lua_setfield(L, -2, "retryable");
  if (strcmp(verdict->kind, "limit") == 0) {
    luge__set_limit(L, verdict->code, (lua_Integer)verdict->limit);
  } else if (verdict->code != NULL) {
    set_text(L, "code", verdict->code);
  }
  if (strcmp(verdict->kind, "timeout") == 0) {
    lua_pushnumber(L, seconds_of_bound(t));
    lua_setfield(L, -2, "seconds");
  }
  set_text(L, "phase", phase_of(t, verdict->code));
  size_t length = t->body.bytes.len;
  if (t->head_done && !t->streaming && strcmp(verdict->kind, "limit") != 0) {
    lua_pushlstring(L, t->body.bytes.ptr != NULL ? t->body.bytes.ptr : "",
                    length < MAX_PARTIAL ? length : MAX_PARTIAL);
    lua_setfield(L, -2, "partial");
  }
}

/* The header line at which it failed: the last one taken. */
static const char *push_line(lua_State *L, const struct luge__transfer *t) {
  const char *end = t->head.ptr + t->head.len;
  for (; end > t->head.ptr && strchr("\r\n", end[-1]) != NULL; end--) {
  }
  const char *line = end;
  for (; line > t->head.ptr && line[-1] != '\n'; line--) {
  }
  return lua_pushfstring(L, " (%s)",
                         lua_pushlstring(L, line, (size_t)(end - line)));
}

/* What says more: the limit; the line; libcurl's or the resolver's words. */
static const char *push_detail(lua_State *L, const struct luge__transfer *t,
                               const struct verdict *verdict) {
  if (verdict->limit != 0) {
    return lua_pushfstring(L, " (the limit is %I bytes)",
                           (LUAI_UACINT)verdict->limit);
  }
  if (t->failure == LUGE_FAILURE_LENGTH ||
      t->failure == LUGE_FAILURE_NO_DECODER) {
    return push_line(L, t);
  }
  if ((t->failure != LUGE_FAILURE_CURL &&
       t->failure != LUGE_FAILURE_BAD_NAME) ||
      t->problem[0] == '\0') {
    return lua_pushliteral(L, "");
  }
  return lua_pushfstring(L, " (%s)", t->problem);
}

/* The error of the body's source, which lies in the registry, under the
 * transfer (transfer_upload.c). False: there is none. */
static bool push_source_error(lua_State *L, struct luge__transfer *t) {
  if (t->failure != LUGE_FAILURE_SOURCE) {
    return false;
  }
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, t) == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, t);
  return true;
}

static void push_error(lua_State *L, struct luge__transfer *t) {
  struct verdict verdict = verdict_of(t);
  luaL_checkstack(L, 8, NULL);
  if (push_source_error(L, t)) {
    return;
  }
  if (t->failure == LUGE_FAILURE_REFUSED) {
    luge__route_push_refused(L, t);
    return;
  }
  if (verdict.kind == NULL) {
    lua_pushstring(L, verdict.text);
    return;
  }
  const char *url = luge__url_push_masked(L, t->url_text.ptr);
  luge__push_error(L, verdict.kind, "%s %s: %s%s", t->method, url, verdict.text,
                   push_detail(L, t, &verdict));
  set_fields(L, t, &verdict);
  set_text(L, "url", url);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

int luge__transfer_raise(lua_State *L, struct luge__transfer *t) {
  luge__transfer_release(t);
  push_error(L, t);
  luge__transfer_trim(t);
  return lua_error(L);
}
