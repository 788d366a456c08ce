/* The spare transfers of a client: made, kept, and made ready for the next
 * request; see transfer.h. */
#include "transfer.h"

/* How many spare ones a client keeps, at some 20 KB each, most of it
 * libcurl's. */
enum { MAX_SPARE = 256 };

/* Buffers up to this size are kept for the next request. */
enum { MAX_KEPT = 16 * 1024 };

void luge__transfer_free(struct luge__transfer *t) {
  struct luge__client *client = t->client;
  const struct luge__curl *curl = luge__transfer_curl(t);
  const struct luge__memory *memory = luge__transfer_memory(t);
  curl->easy_cleanup(t->easy);
  curl->url_cleanup(t->url);
  luge__list_remove(&t->link);
  luge__bytes_free(&t->url_text, memory);
  luge__bytes_free(&t->headers, memory);
  luge__bytes_free(&t->nodes, memory);
  luge__bytes_free(&t->route.proxy, memory);
  luge__bytes_free(&t->head, memory);
  luge__body_free(&t->body, memory);
  luge__realloc(client->http->host, t, sizeof *t, 0);
  client->spare_count--;
}

static struct luge__transfer *create(struct luge__client *client) {
  const struct luge__curl *curl = client->http->curl;
  struct luge__transfer *t =
      luge__realloc(client->http->host, NULL, 0, sizeof *t);
  if (t == NULL) {
    return NULL;
  }
  *t = (struct luge__transfer){
      .client = client, .expected = -1, .socket = CURL_SOCKET_BAD};
  luge__list_append(&client->spare, &t->link);
  client->spare_count++;
  t->easy = curl->easy_init();
  t->url = curl->url();
  if (t->easy == NULL || t->url == NULL) {
    luge__transfer_free(t);
    return NULL;
  }
  luge__transfer_set_basics(t);
  return t;
}

/* Rids the handle of options that the next request may not have. Takes a new
 * handle if it is used up, or if there are cookies: easy_reset leaks the name
 * of their file. False: out of memory. */
static bool clean(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  if (t->client->share == NULL && !t->used_up) {
    curl->easy_reset(t->easy);
  } else {
    CURL *easy = curl->easy_init();
    if (easy == NULL) {
      return false;
    }
    curl->easy_cleanup(t->easy);
    t->easy = easy;
    t->stale = false;
  }
  luge__transfer_set_basics(t);
  return true;
}

/* Forgets the last request, but keeps what the handle is set to. */
static void reset(struct luge__transfer *t) {
  const struct luge__memory *memory = luge__transfer_memory(t);
  t->bounds = t->client->bounds;
  t->timeout = t->connecting = 0;
  t->length = t->sent = t->received = 0;
  t->expected = -1;
  t->lookup_time = 0;
  t->route.refused.version = 0;
  t->opened = 0;
  t->socket = CURL_SOCKET_BAD;
  t->upload = NULL;
  t->streaming = t->connected = t->head_done = t->complete = false;
  t->needs_names = t->several = false;
  t->keeps_encoding = t->was_sending = t->bounds_whole = false;
  t->multiplexed = t->sent_again = t->dropped = false;
  t->failure = LUGE_FAILURE_NONE;
  t->result = CURLE_OK;
  t->status = 0;
  t->stale = t->stale || (t->head_total > 0 && t->client->http->stale_headers);
  t->head_total = t->head.len = 0;
  t->problem[0] = '\0';
  luge__body_reset(&t->body, memory);
}

struct luge__transfer *luge__transfer_take(struct luge__client *client) {
  if (luge__list_empty(&client->spare)) {
    return create(client);
  }
  struct luge__transfer *t =
      luge__container(client->spare.prev, struct luge__transfer, link);
  reset(t);
  return !(t->needs_reset || t->used_up) || clean(t) ? t : NULL;
}

void luge__transfer_drop(struct luge__transfer *t) {
  struct luge__client *client = t->client;
  luge__client_ref(client);
  luge__transfer_release(t);
  luge__transfer_trim(t);
  luge__client_unref(client);
}

void luge__transfer_trim(struct luge__transfer *t) {
  if (t->client->closed || t->client->spare_count > MAX_SPARE) {
    luge__transfer_free(t);
  } else if (t->body.bytes.cap > MAX_KEPT) {
    luge__body_free(&t->body, luge__transfer_memory(t));
  }
}
