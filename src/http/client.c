/* Clients and the service that they belong to; see client.h.
 *
 * libcurl's time is libuv's: a timer of its own for each client and not one of
 * the host's heap, since it has to go on while the host's clock is a virtual
 * one, cannot fail to start inside a callback, and counts as nothing that a
 * task may wait for. */
#include "client.h"

#include "proxies.h"
#include "transfer.h"
#include "transfer_upload.h"

/* libcurl is called again at once as often as it asks for that, but after so
 * many times the loop gets its turn. */
enum { MAX_CALLS = 16 };

/* Milliseconds between two nudges of held-up streams; see is_held_up. */
enum { NUDGE = 10 };

void luge__client_ref(struct luge__client *client) {
  client->refs++;
}

static void free_spare(struct luge__client *client) {
  while (!luge__list_empty(&client->spare)) {
    luge__transfer_free(
        luge__container(client->spare.next, struct luge__transfer, link));
  }
}

void luge__client_unref(struct luge__client *client) {
  if (--client->refs == 0) {
    free_spare(client);
    if (client->share != NULL) { /* the transfers used it until now */
      client->http->curl->share_cleanup(client->share);
    }
    luge__proxies_free(client->http->host, client->proxies);
    luge__realloc(client->http->host, client, sizeof *client, 0);
  }
}

static void on_timer_closed(uv_handle_t *handle) {
  struct luge__client *client = handle->data;
  client->http->host->handles--;
  luge__client_unref(client);
}

static void finish_done(struct luge__client *client) {
  const struct luge__curl *curl = client->http->curl;
  CURLMsg *message;
  int left;
  while ((message = curl->multi_info_read(client->multi, &left)) != NULL) {
    CURL *easy = message->easy_handle;
    CURLcode result = message->data.result;
    void *transfer = NULL;
    curl->easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    luge__transfer_done(transfer, result);
  }
}

static void finish_answered(struct luge__client *client) {
  client->answered = false;
  for (struct luge_list *at = client->running.next; at != &client->running;) {
    struct luge__transfer *t = luge__container(at, struct luge__transfer, link);
    at = at->next;
    if (luge__transfer_is_answered(t)) {
      luge__transfer_done(t, CURLE_OK);
    }
  }
}

static void on_timer(uv_timer_t *timer) {
  luge__client_turn(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* Reads the clock once for all that libcurl calls back until the end of the
 * call. */
static void enter(struct luge__client *client) {
  client->in_turn = true;
  client->now = luge__now(client->http->host);
}

/* A stream of HTTP/2 that is paused may leave bytes of others in libcurl's
 * buffers, where no event of the socket tells of them (seen in 7.88). */
static bool is_held_up(const struct luge__client *client) {
  const struct luge_list *running = &client->running;
  return client->holding > 0 && running->next != running->prev;
}

static void on_nudge(uv_timer_t *timer) {
  if (is_held_up(timer->data)) {
    luge__sockets_nudge(timer->data);
  }
}

void luge__client_turn(struct luge__client *client, curl_socket_t fd,
                       int flags) {
  const struct luge__curl *curl = client->http->curl;
  int running, calls = 1;
  enter(client);
  client->due = false;
  curl->multi_socket_action(client->multi, fd, flags, &running);
  while (client->due && calls++ < MAX_CALLS) {
    client->due = false;
    curl->multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  client->in_turn = false;
  if (client->due) {
    uv_timer_start(&client->timer, on_timer, 0, 0);
  }
  if (is_held_up(client)) {
    uv_timer_start(&client->nudge, on_nudge, NUDGE, 0);
  }
  finish_done(client);
  if (client->answered) {
    finish_answered(client);
  }
}

/* Never calls libcurl, which is calling. */
static int on_set_timer(CURLM *multi, long ms, void *data) {
  struct luge__client *client = data;
  (void)multi;
  client->due = ms == 0 && client->in_turn;
  if (ms < 0 || client->due) {
    uv_timer_stop(&client->timer);
  } else {
    uv_timer_start(&client->timer, on_timer, (uint64_t)ms, 0);
  }
  return 0;
}

/* Sets whether libcurl is to look for an idle connection. */
static void choose_connection(const struct luge__client *client,
                              struct luge__transfer *t) {
  bool anew = t->sent_again ||
              (!luge__transfer_shares(t) && luge__pool_is_empty(&client->pool));
  if (anew != t->anew) {
    client->http->curl->easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, (long)anew);
    t->anew = anew;
  }
}

static bool hand_over(struct luge__client *client, struct luge__transfer *t) {
  choose_connection(client, t);
  t->handed =
      client->http->curl->multi_add_handle(client->multi, t->easy) == CURLM_OK;
  client->pool.transfers += t->handed;
  return t->handed;
}

static void take_back(struct luge__client *client, struct luge__transfer *t) {
  if (!t->handed) {
    return;
  }
  client->http->curl->multi_remove_handle(client->multi, t->easy);
  t->handed = false;
  client->pool.transfers--;
  if (t->connected && !luge__transfer_shares(t)) {
    luge__pool_left(&client->pool);
  }
}

/* Does not call libcurl further: that sets its timer, and goes on in the loop's
 * next turn. */
bool luge__client_resume(struct luge__client *client,
                         struct luge__transfer *transfer) {
  return hand_over(client, transfer);
}

bool luge__client_add(struct luge__client *client,
                      struct luge__transfer *transfer) {
  enter(client);
  bool added = hand_over(client, transfer);
  client->in_turn = false;
  if (!added) {
    return false;
  }
  luge__list_remove(&transfer->link);
  luge__list_append(&client->running, &transfer->link);
  luge__client_turn(client, CURL_SOCKET_TIMEOUT, 0);
  return true;
}

/* What libcurl holds back for a paused stream survives the request if others
 * use the connection (seen in 7.88): it would become part of the handle's next
 * answer. So libcurl is made to deliver it now, to nobody. When libcurl is done
 * with the request it is too late for that, and the handle is not used
 * again. */
static void drop_held_back(struct luge__client *client,
                           struct luge__transfer *transfer) {
  transfer->dropped = true;
  if (client->http->curl->easy_pause(transfer->easy, CURLPAUSE_CONT) !=
      CURLE_OK) {
    transfer->used_up = true;
  }
}

void luge__client_remove(struct luge__client *client,
                         struct luge__transfer *transfer) {
  if (transfer->paused) {
    drop_held_back(client, transfer);
  }
  take_back(client, transfer);
  luge__list_remove(&transfer->link);
}

void luge__client_rouse(struct luge__client *client, CURL *easy) {
  enter(client);
  client->http->curl->easy_pause(easy, CURLPAUSE_RECV);
  client->in_turn = false;
  luge__client_unpause(client, easy);
}

void luge__client_unpause(struct luge__client *client, CURL *easy) {
  enter(client);
  client->http->curl->easy_pause(easy, CURLPAUSE_CONT);
  client->in_turn = false;
  luge__client_turn(client, CURL_SOCKET_TIMEOUT, 0);
}

bool luge__client_is_paused(const struct luge__client *client) {
  for (struct luge_list *at = client->running.next; at != &client->running;
       at = at->next) {
    const struct luge__transfer *t =
        luge__container(at, struct luge__transfer, link);
    if (t->paused || (t->upload != NULL && t->upload->paused)) {
      return true;
    }
  }
  return false;
}

static bool open_multi(struct luge__client *client,
                       const struct luge__pool_limits *limits) {
  const struct luge__curl *curl = client->http->curl;
  CURLM *multi = client->multi = curl->multi_init();
  if (multi == NULL) {
    return false;
  }
  curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, luge__on_socket);
  curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
  curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_set_timer);
  curl->multi_setopt(multi, CURLMOPT_TIMERDATA, client);
  curl->multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limits->total);
  curl->multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, limits->per_host);
  if (limits->total > 0) {
    curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS, limits->total);
  }
  if (limits->cookies) {
    client->share = curl->share_init();
    return client->share != NULL &&
           curl->share_setopt(client->share, CURLSHOPT_SHARE,
                              CURL_LOCK_DATA_COOKIE) == CURLSHE_OK;
  }
  return true;
}

static void close_multi(struct luge__client *client) {
  const struct luge__curl *curl = client->http->curl;
  if (client->multi != NULL) {
    curl->multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, NULL);
    curl->multi_cleanup(client->multi);
  }
  client->multi = NULL;
}

struct luge__client *luge__client_new(struct luge__http *http,
                                      const struct luge__pool_limits *limits) {
  struct luge__client *client =
      luge__realloc(http->host, NULL, 0, sizeof *client);
  if (client == NULL) {
    return NULL;
  }
  *client =
      (struct luge__client){.http = http, .refs = 1, .pool.limits = *limits};
  luge__list_init(&client->running);
  luge__list_init(&client->spare);
  if (!luge__proxies_read(http->host, &client->proxies) ||
      !open_multi(client, limits)) {
    close_multi(client);
    luge__client_unref(client);
    return NULL;
  }
  uv_timer_init(http->host->loop, &client->timer);
  uv_timer_init(http->host->loop, &client->nudge);
  http->host->handles += 2;
  client->timer.data = client->nudge.data = client;
  client->refs += 2;
  luge__list_append(&http->clients, &client->link);
  return client;
}

void luge__client_close(struct luge__client *client) {
  if (client->closed) {
    return;
  }
  client->closed = true;
  luge__list_remove(&client->link);
  while (!luge__list_empty(&client->running)) {
    luge__transfer_fail(
        luge__container(client->running.next, struct luge__transfer, link),
        LUGE_FAILURE_CLOSED);
  }
  free_spare(client);
  close_multi(client);
  uv_close((uv_handle_t *)&client->timer, on_timer_closed);
  uv_close((uv_handle_t *)&client->nudge, on_timer_closed);
}

/* The service. */

static void stop(struct luge_service *service) {
  struct luge__http *http =
      luge__container(service, struct luge__http, service);
  http->stopped = true;
  while (!luge__list_empty(&http->clients)) {
    luge__client_close(
        luge__container(http->clients.next, struct luge__client, link));
  }
  luge__sockets_free(http);
}

static void freed(struct luge_service *service) {
  struct luge__http *http =
      luge__container(service, struct luge__http, service);
  luge__realloc(http->host, http, sizeof *http, 0);
}

static void *reallocate(void *data, void *block, size_t old_size,
                        size_t new_size) {
  return luge__realloc(data, block, old_size, new_size);
}

struct luge__http *luge__http_service(struct luge_host *host,
                                      struct luge__http **slot,
                                      const char **problem) {
  if (*slot != NULL) {
    return *slot;
  }
  const struct luge__curl *curl = luge__curl_load(problem);
  if (curl == NULL) {
    return NULL;
  }
  struct luge__http *http = luge__realloc(host, NULL, 0, sizeof *http);
  if (http == NULL) {
    *problem = "not enough memory";
    return NULL;
  }
  *http = (struct luge__http){.host = host,
                              .curl = curl,
                              .stale_headers = luge__stale_headers(curl),
                              .memory = {.fn = reallocate, .ud = host},
                              .held = -1,
                              .service = {.stop = stop, .freed = freed}};
  luge__list_init(&http->clients);
  luge__service_start(host, &http->service);
  *slot = http;
  return http;
}
