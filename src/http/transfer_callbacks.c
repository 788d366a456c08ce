/* What libcurl calls while it works on a transfer. Nothing here runs Lua or
 * calls libcurl, but for an option: it records, and wakes the task that waits.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "transfer.h"
#include "transfer_upload.h"

/* Of a stream, when it pauses. */
enum { HIGH_WATER = 128 * 1024 };

/* How much of an announced body is allocated at once. */
enum { MAX_AHEAD = 1024 * 1024 };

static void note_activity(struct luge__transfer *t) {
  t->active = t->client->now;
}

/* With a body to send, the answer may be complete before that is sent. */
static void note_answered(struct luge__transfer *t) {
  if (t->multiplexed && t->length != 0 && t->expected == t->received) {
    t->client->answered = true;
  }
}

static size_t fail(struct luge__transfer *t, enum luge__failure failure) {
  t->failure = failure;
  return 0; /* fewer bytes than there were: libcurl gives up */
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of the header line if its name is `name`; else NULL. */
static const char *value_of(const char *line, size_t length, const char *name) {
  size_t n = strlen(name);
  if (length <= n || line[n] != ':' || strncasecmp(line, name, n) != 0) {
    return NULL;
  }
  const char *value = line + n + 1;
  const char *end = line + length;
  while (value < end && (*value == ' ' || *value == '\t')) {
    value++;
  }
  return value;
}

/* An interim answer has none. */
static bool has_body(const struct luge__transfer *t) {
  return t->shape != LUGE_SHAPE_HEAD && t->status >= 200 && t->status != 204 &&
         t->status != 304;
}

static bool start_decoding(struct luge__transfer *t, const char *value,
                           const char *end) {
  if (t->keeps_encoding || !has_body(t)) {
    return true;
  }
  enum luge__body_status status = luge__body_decode(
      &t->body, luge__transfer_memory(t), value, (size_t)(end - value));
  return status == LUGE_BODY_OK || fail(t, luge__failure_of(status));
}

/* The number at *at, at most 2^56, and the white space around it; or -1. */
static curl_off_t read_number(const char **at, const char *end) {
  const char *p = *at;
  curl_off_t number = -1;
  for (; p < end && is_space(*p); p++) {
  }
  for (; p < end && *p >= '0' && *p <= '9'; p++) {
    number = number < 0 ? 0 : number;
    number = number < 1LL << 52 ? number * 10 + (*p - '0') : 1LL << 56;
  }
  for (; p < end && is_space(*p); p++) {
  }
  *at = p;
  return number;
}

/* One that is no number, or two that differ, leave the body's end to be guessed
 * (RFC 9112, 6.3); "5, 5" is 5. libcurl takes the last. */
static bool expect_length(struct luge__transfer *t, const char *value,
                          const char *end) {
  if (!has_body(t)) {
    return true;
  }
  do {
    curl_off_t length = read_number(&value, end);
    if (length < 0 || (t->expected >= 0 && t->expected != length) ||
        (value < end && *value != ',')) {
      return fail(t, LUGE_FAILURE_LENGTH);
    }
    t->expected = length;
  } while (value++ < end);
  size_t length = (size_t)t->expected;
  if (t->body.max != 0 && length > t->body.max) {
    return fail(t, LUGE_FAILURE_BODY_LIMIT);
  }
  size_t ahead = length < MAX_AHEAD ? length : MAX_AHEAD;
  return t->streaming ||
         luge__bytes_reserve(&t->body.bytes, luge__transfer_memory(t), ahead) ||
         fail(t, LUGE_FAILURE_MEMORY);
}

/* Looks at the header lines that say how the body is to be taken. */
static bool look_at(struct luge__transfer *t, const char *line, size_t length) {
  const char *value;
  if ((line[0] | 0x20) != 'c' || length < 10) {
    return true;
  }
  if ((value = value_of(line, length, "content-encoding")) != NULL) {
    return start_decoding(t, value, line + length);
  }
  if ((value = value_of(line, length, "content-length")) != NULL) {
    return expect_length(t, value, line + length);
  }
  return true;
}

static void begin_head(struct luge__transfer *t, const char *line,
                       size_t length) {
  const char *at = memchr(line, ' ', length);
  t->head.len = 0;
  t->status = 0;
  t->expected = -1;
  t->multiplexed = length > 5 && line[5] == '2';
  if (t->multiplexed && t->opened == 1) {
    luge__socket_multiplexes(t->client->http, t->socket, t);
  }
  for (; at != NULL && at[1] == ' '; at++) { /* libcurl skips them, too */
  }
  for (int i = 1; at != NULL && i <= 3 && at[i] >= '0' && at[i] <= '9'; i++) {
    t->status = t->status * 10 + (at[i] - '0');
  }
}

static bool end_head(struct luge__transfer *t) {
  t->head_done = t->status >= 200;
  if (t->head_done && !has_body(t)) {
    t->expected = 0;
  }
  if (t->status == 407 && luge__route_is_proxied(t)) {
    return fail(t, LUGE_FAILURE_PROXY);
  }
  if (t->status == 101) {
    return fail(t, LUGE_FAILURE_SWITCHED);
  }
  note_answered(t);
  luge__transfer_notify(t);
  return true;
}

/* A line that goes on with the one before it (RFC 9112, 5.2): ends that one. */
static void unfold(struct luge__transfer *t) {
  struct luge__bytes *head = &t->head;
  while (head->len > 0 && strchr("\r\n", head->ptr[head->len - 1]) != NULL) {
    head->len--;
  }
}

/* A line of a head, of an interim one too; or of the trailer, which libcurl
 * has no other callback for. */
static size_t on_header(char *line, size_t size, size_t count, void *data) {
  struct luge__transfer *t = data;
  size_t length = size * count;
  if (t->stale) {
    luge__stale_note_line(t, line, length);
  }
  if (t->dropped) {
    return length;
  }
  note_activity(t);
  t->head_total += length;
  if (t->head_total > LUGE_HEAD_MAX) {
    return fail(t, LUGE_FAILURE_HEAD_LIMIT);
  }
  if (t->head_done) {
    return length;
  }
  if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
    begin_head(t, line, length);
    return length;
  }
  if (length <= 2 && (line[0] == '\r' || line[0] == '\n')) {
    return end_head(t) ? length : 0;
  }
  if (line[0] == ' ' || line[0] == '\t') {
    unfold(t);
  }
  if (!luge__bytes_append(&t->head, luge__transfer_memory(t), line, length)) {
    return fail(t, LUGE_FAILURE_MEMORY);
  }
  return look_at(t, line, length) ? length : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
  struct luge__transfer *t = data;
  size_t length = size * count;
  const struct luge__memory *memory = luge__transfer_memory(t);
  enum luge__body_status status;
  if (t->dropped) {
    return length;
  }
  note_activity(t);
  if (!t->streaming) {
    status = luge__body_add(&t->body, memory, bytes, length);
  } else if (t->body.bytes.len >= HIGH_WATER) {
    luge__transfer_note_pause(t, true);
    return CURL_WRITEFUNC_PAUSE;
  } else {
    status = luge__body_keep(&t->body, memory, bytes, length);
  }
  if (status != LUGE_BODY_OK) {
    return fail(t, luge__failure_of(status));
  }
  t->received += (curl_off_t)length;
  note_answered(t);
  luge__transfer_notify(t);
  return length;
}

/* Whether libcurl is about to send a request a second time that must not be. It
 * wants to when a kept connection dies before the first byte of the answer; but
 * if bytes of the request have gone out, it may do harm to send it twice, or
 * its body may be gone. And when a script's own `Expect` is answered with 417:
 * then that is the answer. */
static bool is_resent(struct luge__transfer *t) {
  long sent = 0;
  if (t->head_done) {
    t->complete = true;
    return true;
  }
  if (!t->connected || (t->idempotent && t->upload == NULL)) {
    return false;
  }
  luge__transfer_curl(t)->easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
  if (sent > 0) {
    t->failure = LUGE_FAILURE_RESENT;
  }
  return sent > 0;
}

static curl_socket_t on_open_socket(void *data, curlsocktype purpose,
                                    struct curl_sockaddr *address) {
  struct luge__transfer *t = data;
  (void)purpose;
  if (is_resent(t)) {
    return CURL_SOCKET_BAD;
  }
  if (t->connecting == 0) {
    t->connecting = t->client->now;
  }
  t->securing = false;
  curl_socket_t fd = luge__socket_open(t->client, t, address);
  t->socket = fd;
  t->opened++;
  if (fd == CURL_SOCKET_BAD && (errno == EMFILE || errno == ENFILE)) {
    t->failure = LUGE_FAILURE_FILE_LIMIT;
  } else if (fd == CURL_SOCKET_BAD && errno == ENOENT) {
    t->failure = LUGE_FAILURE_NO_SOCKET;
  }
  return fd;
}

static int on_resolve(void *resolver, void *reserved, void *data) {
  struct luge__transfer *t = data;
  (void)resolver;
  (void)reserved;
  if (is_resent(t)) {
    return 1;
  }
  if (t->connecting == 0) {
    t->connecting = t->client->now;
  }
  t->needs_names = !luge__transfer_needs_no_name(t);
  return t->needs_names;
}

/* A SOCKS proxy has connected: TLS begins. */
static CURLcode on_tls(CURL *easy, void *context, void *data) {
  struct luge__transfer *t = data;
  (void)easy;
  (void)context;
  t->securing = true;
  return CURLE_OK;
}

/* It has a connection; the request goes out next. */
static int on_request(void *data, char *remote, char *local, int remote_port,
                      int local_port) {
  struct luge__transfer *t = data;
  (void)remote;
  (void)local;
  (void)remote_port;
  (void)local_port;
  if (is_resent(t)) {
    return CURL_PREREQFUNC_ABORT;
  }
  if (t->opened == 1) {
    luge__socket_keep(t->client->http, t->socket, t);
  } else if (t->opened == 0 && !luge__transfer_shares(t)) {
    luge__pool_taken(&t->client->pool);
  }
  t->connected = true;
  note_activity(t);
  return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *data) {
  struct luge__transfer *t = data;
  note_activity(t);
  return luge__upload_take(t->upload, bytes, size * count);
}

void luge__transfer_watch_tls(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  curl->easy_setopt(t->easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
  curl->easy_setopt(t->easy, CURLOPT_SSL_CTX_DATA, t);
}

void luge__transfer_set_callbacks(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  CURL *easy = t->easy;
  curl->easy_setopt(easy, CURLOPT_PRIVATE, t);
  curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl->easy_setopt(easy, CURLOPT_HEADERDATA, t);
  curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl->easy_setopt(easy, CURLOPT_WRITEDATA, t);
  curl->easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl->easy_setopt(easy, CURLOPT_READDATA, t);
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, luge__on_close_socket);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, t->client->http);
  curl->easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
  curl->easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, t);
  curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  curl->easy_setopt(easy, CURLOPT_PREREQDATA, t);
  if (t->client->http->stale_headers) {
    luge__stale_set_callback(t);
  }
}
