/* Transfers: one request and its answer, on an easy handle of libcurl. The
 * handle and the buffers are used again for the client's next requests.
 *
 *   luge__transfer_take      the next spare one, still spare
 *   luge__transfer_set_*     what is asked for; may raise: it is still spare
 *   luge__transfer_start     from here on somebody must end it
 *   luge__transfer_release   ends it if need be, and makes it spare
 *
 * Its owner is a task that waits for the whole answer, or a stream. libcurl's
 * callbacks and the timer only record, and wake the task that waits. */
#ifndef LUGE_HTTP_TRANSFER_H
#define LUGE_HTTP_TRANSFER_H

#include <lua.h>

#include "../core/task.h"
#include "../core/timer.h"
#include "body.h"
#include "client.h"
#include "route.h"

struct luge__look;
struct luge__upload;

/* Why a transfer failed. */
enum luge__failure {
  LUGE_FAILURE_NONE,
  LUGE_FAILURE_CURL, /* see `result` */
  LUGE_FAILURE_CLOSED,
  LUGE_FAILURE_MEMORY,
  LUGE_FAILURE_HEAD_LIMIT,
  LUGE_FAILURE_BODY_LIMIT,
  LUGE_FAILURE_FILE_LIMIT,   /* of descriptors */
  LUGE_FAILURE_NO_SOCKET,    /* at the path of a UNIX socket */
  LUGE_FAILURE_RESENT,       /* a kept connection died under it */
  LUGE_FAILURE_PROXY,        /* it wants a user and a password */
  LUGE_FAILURE_SWITCHED,     /* to a protocol that nobody asked for */
  LUGE_FAILURE_NAME,         /* has no address: see `problem` */
  LUGE_FAILURE_PROXY_NAME,   /* the same of the proxy's */
  LUGE_FAILURE_BAD_NAME,     /* is no name: see `problem` */
  LUGE_FAILURE_THREADS,      /* there is none to look names up */
  LUGE_FAILURE_REFUSED,      /* an address that is not permitted */
  LUGE_FAILURE_ENCODING,     /* the body is not what its encoding says */
  LUGE_FAILURE_LENGTH,       /* the body's, as announced, is none */
  LUGE_FAILURE_NO_DECODER,   /* an encoding that we do not know */
  LUGE_FAILURE_CUT_ENCODING, /* the encoded body ended early */
  LUGE_FAILURE_SOURCE,       /* of the request's body */
  LUGE_FAILURE_TIMEOUT,      /* the whole answer, or its head */
  LUGE_FAILURE_CONNECT_TIMEOUT,
  LUGE_FAILURE_IDLE_TIMEOUT
};

enum luge__failure luge__failure_of(enum luge__body_status status);

/* What its task waits for. */
enum luge__awaited { LUGE_AWAIT_END, LUGE_AWAIT_HEAD, LUGE_AWAIT_DATA };

/* The kinds of requests that are set up differently in libcurl. */
enum luge__shape {
  LUGE_SHAPE_NONE, /* not set yet */
  LUGE_SHAPE_GET,
  LUGE_SHAPE_HEAD,
  LUGE_SHAPE_FIELDS, /* a body in memory */
  LUGE_SHAPE_UPLOAD  /* a body that comes piece by piece */
};

enum {
  LUGE_METHOD_MAX = 31,
  LUGE_HEAD_MAX = 256 * 1024 /* of all heads of an answer; libcurl's is more */
};

struct luge__transfer {
  struct luge__client *client;
  struct luge_list link; /* in the client's running or spare ones, or none */
  CURL *easy;
  CURLU *url;

  /* What the handle is set to; kept from one request to the next. */
  struct luge__bytes url_text; /* what `url` was made from */
  struct luge__bytes headers;  /* text of header lines, each ended by a 0 */
  struct luge__bytes nodes;    /* the list of them that libcurl reads */
  char method[LUGE_METHOD_MAX + 1];
  enum luge__shape shape;
  struct luge__route route;
  bool customized; /* CURLOPT_CUSTOMREQUEST is set */
  bool https;
  bool h2c;         /* HTTP/2 without TLS */
  bool anew;        /* libcurl is not to look for an idle connection */
  bool fresh;       /* the client's own options are not set yet */
  bool needs_reset; /* has options that the next request may not have */
  bool used_up;     /* the handle cannot do another request */

  /* This request. */
  struct luge_task *waiter;
  enum luge__awaited awaited;
  struct luge_timer timer; /* for its bounds, from the first wait on */
  struct luge__bounds bounds;
  uint64_t timeout;        /* nanoseconds, 0: none */
  uint64_t started;        /* as luge__now says */
  uint64_t connecting;     /* since when; 0: not yet, or not needed */
  uint64_t active;         /* when bytes last came or went */
  curl_off_t length;       /* of the request's body; -1: not known */
  curl_off_t sent;         /* of that, as last seen */
  curl_off_t expected;     /* bytes of the answer's body; -1: not announced */
  curl_off_t received;     /* of these */
  uint64_t lookup_time;    /* of its names, in nanoseconds */
  struct luge__look *look; /* what libcurl was told of names, or will be */
  struct luge__upload *upload;
  curl_socket_t socket; /* opened for it, or kept and watched for it alone */
  unsigned opened;      /* sockets; with more than one, some may be closed */
  bool streaming;       /* the owner takes the body as it comes */
  bool several;         /* addresses of one kind are tried in turn */
  bool needs_names;     /* libcurl wants addresses: transfer_look.c */
  bool connected;       /* has a connection; the request is on its way */
  bool idempotent;
  bool paused;
  bool dropped;      /* what still comes is nobody's */
  bool bounds_whole; /* the timeout is for a stream's end, too */
  bool multiplexed;  /* the answer comes over HTTP/2 */
  bool sent_again;   /* after libcurl gave it up */
  bool securing;     /* libcurl says that TLS has begun */
  bool was_securing; /* when it ended; the next too */
  bool was_sending;  /* when it ended */
  bool head_done;
  bool complete;       /* the answer, if libcurl begins once more */
  bool handed;         /* to libcurl, which has it */
  bool done;           /* with libcurl */
  bool keeps_encoding; /* the script asked for encodings of its own */
  bool stale;          /* libcurl has a freed header in mind */
  enum luge__failure failure;
  CURLcode result;
  int status;

  size_t head_total;       /* bytes of all heads, the interim ones too */
  struct luge__bytes head; /* the lines of the last one */
  struct luge__body body;
  char problem[CURL_ERROR_SIZE];
};

/* NULL: out of memory. */
struct luge__transfer *luge__transfer_take(struct luge__client *client);

/* What is asked for; transfer_request.c. All raise `invalid`. */
void luge__transfer_set_url(lua_State *L, struct luge__transfer *t, int arg);
void luge__transfer_set_method(lua_State *L, struct luge__transfer *t, int arg);

/* A string, or an upload, which must live until the transfer has ended; or no
 * body. */
void luge__transfer_set_body(lua_State *L, struct luge__transfer *t, int arg);

/* Options of the table at `index` beside those; transfer_options.c. */
void luge__transfer_set_options(lua_State *L, struct luge__transfer *t,
                                int index);

/* The bounds among them. */
void luge__bounds_set(lua_State *L, struct luge__bounds *bounds, int index);

/* Sets the handle up as all of the client's are. */
void luge__transfer_set_basics(struct luge__transfer *t);

/* False: out of memory, nothing was started. */
bool luge__transfer_start(struct luge__transfer *t);

/* Suspends the task until what it awaits has come. */
int luge__transfer_wait(lua_State *L, struct luge__transfer *t,
                        struct luge_task *task, enum luge__awaited awaited,
                        const struct luge_wait_kind *kind);

/* How long `several` addresses are tried, one after another. */
uint64_t luge__transfer_round(const struct luge__transfer *t);

/* Has `several` addresses tried, one after another, while it connects. */
void luge__transfer_keep_trying(struct luge__transfer *t);

/* Guards libcurl from a header of the handle's last answer, which it has freed:
 * whether its version needs that, the callback for it, and what is to be told
 * of each header line while `stale` is set; transfer_stale.c. */
bool luge__stale_headers(const struct luge__curl *curl);
void luge__stale_set_callback(struct luge__transfer *t);
void luge__stale_note_line(struct luge__transfer *t, const char *line,
                           size_t length);

/* Wakes the task if what it awaits has come. */
void luge__transfer_notify(struct luge__transfer *t);

/* Notes that libcurl pauses it, since its owner is slow; or no longer does. */
void luge__transfer_note_pause(struct luge__transfer *t, bool paused);

/* Ends it from outside of libcurl's callbacks. */
void luge__transfer_fail(struct luge__transfer *t, enum luge__failure failure);

/* Its owner is done with it. What it holds can still be read until the client
 * is asked for another transfer, so pushing that may raise. */
void luge__transfer_release(struct luge__transfer *t);

/* The same if nobody will read it; may be called by __gc. */
void luge__transfer_drop(struct luge__transfer *t);

/* Gives back memory that a released one does not need. */
void luge__transfer_trim(struct luge__transfer *t);

/* libcurl has finished it. */
void luge__transfer_done(struct luge__transfer *t, CURLcode result);

/* Whether the answer is complete before the request is all sent, over HTTP/2:
 * the server may read no more, and libcurl (7.88) would wait for ever. */
bool luge__transfer_is_answered(const struct luge__transfer *t);

/* Frees a spare one. */
void luge__transfer_free(struct luge__transfer *t);

/* Moves what has come of the body to `out`, which is empty, and lets more
 * come. False: nothing is there, yet or any more (t->done), or it failed. */
bool luge__transfer_read(struct luge__transfer *t, struct luge__bytes *out);

/* Names; transfer_look.c. Whether libcurl needs no name looked up, having only
 * addresses to connect to. Else it is made to give up, and is told the
 * addresses. */
bool luge__transfer_needs_no_name(const struct luge__transfer *t);

/* libcurl has given up: looks the names up, and begins again. */
void luge__transfer_look_up(struct luge__transfer *t);

/* Whether its names are being looked up: libcurl does not have it meanwhile. */
bool luge__transfer_is_looking(const struct luge__transfer *t);

/* Frees what libcurl was told. libcurl must not have the transfer any more. */
void luge__transfer_end_look(struct luge__transfer *t);

/* Sets libcurl's callbacks on the handle; transfer_callbacks.c. */
void luge__transfer_set_callbacks(struct luge__transfer *t);

/* Has libcurl say when TLS begins, which behind a SOCKS proxy nothing else
 * tells; one that is built without OpenSSL says nothing. */
void luge__transfer_watch_tls(struct luge__transfer *t);

/* Raises the error of a failed transfer, which is spare afterwards;
 * transfer_error.c. */
int luge__transfer_raise(lua_State *L, struct luge__transfer *t);

/* Whether it may have its connection together with others. */
static inline bool luge__transfer_shares(const struct luge__transfer *t) {
  return t->https || t->h2c;
}

static inline struct luge_host *
luge__transfer_host(const struct luge__transfer *t) {
  return t->client->http->host;
}

static inline const struct luge__curl *
luge__transfer_curl(const struct luge__transfer *t) {
  return t->client->http->curl;
}

static inline const struct luge__memory *
luge__transfer_memory(const struct luge__transfer *t) {
  return &t->client->http->memory;
}

#endif
