/* A transfer on its way, from its start to its end; see transfer.h. */
#include "transfer.h"

#include <string.h>
#include <sys/socket.h>

#include "../core/error.h"
#include "../core/sched.h"
#include "transfer_upload.h"

static uint64_t earlier(uint64_t at, uint64_t since, uint64_t bound) {
  return bound != 0 && since + bound < at ? since + bound : at;
}

static bool is_timed(const struct luge__transfer *t) {
  return t->timeout != 0 &&
         (t->bounds_whole || !(t->streaming && t->head_done));
}

/* While it connects, how often libcurl is made to see whether it is time for
 * the next address: 7.88 has no timer for that. */
enum { TRIES = 16 };

/* Where it has longer to connect than libcurl has by itself, or for ever, its
 * addresses are tried in rounds. In nanoseconds. */
static const uint64_t MAX_ROUND = 300 * UINT64_C(1000000000);
static const uint64_t ROUND = 10 * UINT64_C(1000000000);

static bool has_rounds(const struct luge__transfer *t) {
  return t->several &&
         (t->bounds.connect == 0 || t->bounds.connect >= MAX_ROUND);
}

uint64_t luge__transfer_round(const struct luge__transfer *t) {
  return has_rounds(t) ? ROUND : t->bounds.connect;
}

/* When to look at the bounds again. It may be connected by then. */
static uint64_t next_look(const struct luge__transfer *t, uint64_t now) {
  uint64_t at = is_timed(t) ? t->started + t->timeout : UINT64_MAX;
  if (!t->connected) {
    at = earlier(at, t->connecting != 0 ? t->connecting : now,
                 t->bounds.connect);
    at = earlier(at, now, t->several ? luge__transfer_round(t) / TRIES : 0);
  }
  return earlier(at, t->connected ? t->active : now, t->bounds.idle);
}

/* The bound that was passed. Waiting for its turn in libcurl's queue is not
 * yet connecting. */
static enum luge__failure bound_passed(const struct luge__transfer *t,
                                       uint64_t now) {
  if (is_timed(t) && now >= t->started + t->timeout) {
    return LUGE_FAILURE_TIMEOUT;
  }
  if (t->connected) {
    return t->bounds.idle != 0 && now >= t->active + t->bounds.idle
               ? LUGE_FAILURE_IDLE_TIMEOUT
               : LUGE_FAILURE_NONE;
  }
  return t->bounds.connect != 0 && t->connecting != 0 &&
                 now >= t->connecting + t->bounds.connect
             ? LUGE_FAILURE_CONNECT_TIMEOUT
             : LUGE_FAILURE_NONE;
}

/* For a body in memory: libcurl sends it without calling us. */
static void note_sent(struct luge__transfer *t, uint64_t now) {
  curl_off_t sent = 0;
  luge__transfer_curl(t)->easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (sent != t->sent) {
    t->sent = sent;
    t->active = now;
  }
}

/* Whether the server may have closed the connection. With a body that waits for
 * its source, libcurl 7.88 does not tell. */
static bool may_have_left(const struct luge__transfer *t) {
  char byte;
  return t->socket == CURL_SOCKET_BAD ||
         recv(t->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Whether it is the script that holds it up: the source of the request's body
 * has given nothing yet. */
static bool is_source_awaited(const struct luge__transfer *t) {
  return t->upload != NULL && t->upload->paused && !t->head_done &&
         !may_have_left(t);
}

static void on_look(struct luge_timer *timer);

/* Makes sure that the bounds are looked at by then, or earlier. */
static void look_again(struct luge__transfer *t, uint64_t at) {
  struct luge_host *host = luge__transfer_host(t);
  struct luge_timer *timer = &t->timer;
  if (luge__timer_started(timer) ? at < timer->at : at != UINT64_MAX) {
    luge__timer_stop(host, timer);
    luge__timer_start_bound(host, timer, at, on_look);
  }
}

void luge__transfer_keep_trying(struct luge__transfer *t) {
  if (t->waiter != NULL) {
    look_again(t, next_look(t, luge__now(luge__transfer_host(t))));
  }
}

/* Keeps libcurl from giving up too early: it does after 300 s, unless told
 * otherwise. If it is told, it starts a timer that lives as long as the
 * transfer and is moved with every event, so it is told only where the bound is
 * larger. */
static void outlast(const struct luge__transfer *t) {
  static const long seconds = 20 * 86400;
  if (t->bounds.connect == 0 || t->bounds.connect >= MAX_ROUND) {
    luge__transfer_curl(t)->easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT,
                                        seconds);
  }
}

static bool has_peer(const struct luge__transfer *t) {
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  return t->opened > 0 &&
         getpeername(t->socket, (struct sockaddr *)&peer, &size) == 0;
}

/* Makes libcurl see whether it is time for the next address. What follows when
 * one has answered, such as TLS, has no rounds. */
static void try_next(struct luge__transfer *t) {
  if (!t->several || t->connected) {
    return;
  }
  if (has_rounds(t) && has_peer(t)) {
    t->several = false;
    outlast(t);
  } else {
    luge__client_rouse(t->client, t->easy);
  }
}

static void on_look(struct luge_timer *timer) {
  struct luge__transfer *t =
      luge__container(timer, struct luge__transfer, timer);
  uint64_t now = luge__now(luge__transfer_host(t));
  if (t->waiter == NULL) {
    return;
  }
  note_sent(t, now);
  if (is_source_awaited(t)) {
    t->active = now;
  }
  try_next(t);
  if (t->waiter == NULL) { /* it has what it waited for */
    return;
  }
  enum luge__failure failure = bound_passed(t, now);
  if (failure == LUGE_FAILURE_NONE) {
    look_again(t, next_look(t, now));
  } else {
    luge__transfer_fail(t, failure);
  }
}

static void end_upload(struct luge__transfer *t) {
  if (t->upload != NULL) {
    luge__upload_end(t->upload);
    t->upload = NULL;
  }
}

bool luge__transfer_start(struct luge__transfer *t) {
  struct luge_host *host = luge__transfer_host(t);
  if (!luge__timer_reserve(host)) {
    return false;
  }
  outlast(t);
  t->started = t->active = luge__now(host);
  t->client->spare_count--;
  luge__client_ref(t->client);
  t->done = false;
  if (t->upload != NULL) {
    t->upload->transfer = t;
  }
  if (luge__client_add(t->client, t)) {
    return true;
  }
  end_upload(t);
  t->client->spare_count++;
  luge__client_unref(t->client);
  return false;
}

static bool has_come(const struct luge__transfer *t) {
  return t->done || (t->awaited == LUGE_AWAIT_HEAD && t->head_done) ||
         (t->awaited == LUGE_AWAIT_DATA && luge__body_holds(&t->body));
}

int luge__transfer_wait(lua_State *L, struct luge__transfer *t,
                        struct luge_task *task, enum luge__awaited awaited,
                        const struct luge_wait_kind *kind) {
  struct luge_host *host = luge__transfer_host(t);
  if (!luge__timer_reserve(host)) {
    return luge__raise_memory(L);
  }
  t->active = luge__now(host);
  look_again(t, next_look(t, t->active));
  t->waiter = task;
  t->awaited = awaited;
  luge__ref(host);
  return luge__suspend(L, task, kind);
}

/* The waiting task gives up. */
static void unwait(struct luge__transfer *t) {
  if (t->waiter != NULL) {
    t->waiter = NULL;
    luge__unref(luge__transfer_host(t));
  }
}

void luge__transfer_notify(struct luge__transfer *t) {
  struct luge_task *task = t->waiter;
  if (task != NULL && has_come(t)) {
    unwait(t);
    luge__wake(task);
  }
}

void luge__transfer_note_pause(struct luge__transfer *t, bool paused) {
  if (t->multiplexed) {
    t->client->holding += (unsigned)paused - (unsigned)t->paused;
  }
  t->paused = paused;
}

enum luge__failure luge__failure_of(enum luge__body_status status) {
  switch (status) {
  case LUGE_BODY_OK:
    break;
  case LUGE_BODY_MEMORY:
    return LUGE_FAILURE_MEMORY;
  case LUGE_BODY_LIMIT:
    return LUGE_FAILURE_BODY_LIMIT;
  case LUGE_BODY_CORRUPT:
    return LUGE_FAILURE_ENCODING;
  case LUGE_BODY_UNKNOWN:
    return LUGE_FAILURE_NO_DECODER;
  case LUGE_BODY_CUT:
    return LUGE_FAILURE_CUT_ENCODING;
  }
  return LUGE_FAILURE_NONE;
}

/* Whether there is a way to the server: a proxy has made it, or none has to. */
static bool is_through(const struct luge__transfer *t) {
  long code = 0;
  luge__transfer_curl(t)->easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE,
                                       &code);
  return t->securing || code / 100 == 2 || !luge__route_is_proxied(t);
}

/* Whether it is in its TLS handshake: libcurl does not say that it is connected
 * before that is over. */
static bool is_securing(const struct luge__transfer *t) {
  return t->https && !t->connected && is_through(t) && has_peer(t);
}

/* Takes it back from libcurl. */
static void end(struct luge__transfer *t) {
  if (!t->done) {
    t->was_securing = is_securing(t);
    if (luge__transfer_is_looking(t)) {
      luge__list_remove(&t->link);
    } else {
      luge__client_remove(t->client, t);
    }
    luge__transfer_end_look(t);
    luge__transfer_note_pause(t, false);
    luge__timer_stop(luge__transfer_host(t), &t->timer);
    t->done = true;
    t->was_sending = t->upload != NULL && !t->upload->ended;
    end_upload(t);
  }
}

/* Whether libcurl has given up a request that it might have sent again. It does
 * so with the requests that an HTTP/2 server leaves unanswered when it goes
 * away (GOAWAY, CURLE_HTTP2); and when the sixth kept connection has died under
 * a handle, counting those of its earlier requests. */
static bool is_given_up(const struct luge__transfer *t, CURLcode result) {
  return result == CURLE_HTTP2 ||
         (result != CURLE_OK && strstr(t->problem, "died, tried") != NULL);
}

/* What libcurl gave up is sent again, once, on a new connection: if it is safe
 * to send twice, or if nothing of it was sent. */
static bool may_go_again(const struct luge__transfer *t, CURLcode result) {
  long sent = 0;
  if (!is_given_up(t, result) || t->failure != LUGE_FAILURE_NONE ||
      t->sent_again || t->opened > 0 || t->head_total > 0) {
    return false;
  }
  luge__transfer_curl(t)->easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
  return sent == 0 || (t->idempotent && t->upload == NULL);
}

static bool go_again(struct luge__transfer *t) {
  luge__client_remove(t->client, t);
  t->sent_again = true;
  t->connected = false;
  return luge__client_add(t->client, t);
}

/* Begins the next round if the last address was as silent. */
static bool try_again(struct luge__transfer *t, CURLcode result) {
  if (result != CURLE_OPERATION_TIMEDOUT || !has_rounds(t) || t->connected ||
      t->failure != LUGE_FAILURE_NONE) {
    return false;
  }
  luge__client_remove(t->client, t);
  t->opened = 0;
  return luge__client_add(t->client, t);
}

/* libcurl reports success for an answer whose head broke off. */
void luge__transfer_done(struct luge__transfer *t, CURLcode result) {
  if (t->needs_names && result != CURLE_OK && t->failure == LUGE_FAILURE_NONE) {
    luge__transfer_look_up(t);
    return;
  }
  if ((may_go_again(t, result) && go_again(t)) || try_again(t, result)) {
    return;
  }
  end(t);
  result = t->complete ? CURLE_OK : result;
  t->result = result == CURLE_OK && !t->head_done ? CURLE_GOT_NOTHING : result;
  if (t->result == CURLE_OK) {
    t->failure = t->streaming ? LUGE_FAILURE_NONE
                              : luge__failure_of(luge__body_end(&t->body));
  } else if (t->failure == LUGE_FAILURE_NONE) {
    t->failure = LUGE_FAILURE_CURL;
  }
  luge__transfer_notify(t);
}

bool luge__transfer_is_answered(const struct luge__transfer *t) {
  if (!t->multiplexed || !t->head_done || t->length == 0 ||
      t->expected != t->received) {
    return false;
  }
  if (t->upload != NULL) {
    return !t->upload->ended || t->upload->bytes.len > 0;
  }
  curl_off_t sent = 0;
  luge__transfer_curl(t)->easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  return sent < t->length;
}

void luge__transfer_fail(struct luge__transfer *t, enum luge__failure failure) {
  end(t);
  t->failure = failure;
  luge__transfer_notify(t);
}

void luge__transfer_release(struct luge__transfer *t) {
  unwait(t);
  end(t);
  luge__list_append(&t->client->spare, &t->link);
  t->client->spare_count++;
  luge__client_unref(t->client);
}

bool luge__transfer_read(struct luge__transfer *t, struct luge__bytes *out) {
  enum luge__body_status status =
      luge__body_move(&t->body, luge__transfer_memory(t), out);
  if (status == LUGE_BODY_OK && out->len == 0 && t->done &&
      t->failure == LUGE_FAILURE_NONE) {
    status = luge__body_end(&t->body);
  }
  if (status != LUGE_BODY_OK) {
    luge__transfer_fail(t, luge__failure_of(status));
    return false;
  }
  if (t->paused) {
    luge__transfer_note_pause(t, false);
    luge__client_unpause(t->client, t->easy);
  }
  return out->len > 0;
}
