/* What the machine allows: the HTTP workloads in C, on the same libcurl and
 * libuv as luge, with cJSON. It does what a client has to and nothing else: no
 * errors, limits or cancellation. Settings and result line: bench/README.md. */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

struct text {
  char *bytes;
  size_t length, room;
};

/* One of those that run at once; used again for the next request. */
struct transfer {
  CURL *easy;
  char error[CURL_ERROR_SIZE];
  char *request;
  struct text body; /* the answer; of a stream, the line that is not whole */
  struct text text; /* of a stream */
  long pieces;
};

struct poll {
  uv_poll_t handle;
  curl_socket_t socket;
};

static CURLM *multi;
static uv_timer_t timer;
static struct curl_slist *headers;
static const char *url;
static long total, at_once, chunks, started, done;
static bool streams;
static struct text expected;

static void fail(const char *what) {
  fprintf(stderr, "limit: %s\n", what);
  exit(1);
}

static const char *setting(const char *name, const char *fallback) {
  const char *value = getenv(name);
  return value != NULL ? value : fallback;
}

static void append(struct text *text, const char *bytes, size_t length) {
  if (text->length + length + 1 > text->room) {
    text->room = (text->length + length + 1) * 2;
    text->bytes = realloc(text->bytes, text->room);
    if (text->bytes == NULL) {
      fail("out of memory");
    }
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  text->bytes[text->length] = '\0';
}

/* Requests and answers. */

static void add_message(cJSON *messages, const char *role, const char *text) {
  cJSON *message = cJSON_CreateObject();
  cJSON_AddStringToObject(message, "role", role);
  cJSON_AddStringToObject(message, "content", text);
  cJSON_AddItemToArray(messages, message);
}

static char *request_text(long i) {
  char question[64];
  snprintf(question, sizeof question, "Question %ld: what is the answer?", i);
  cJSON *body = cJSON_CreateObject();
  cJSON_AddStringToObject(body, "model", "mock");
  cJSON *messages = cJSON_AddArrayToObject(body, "messages");
  add_message(messages, "system", "You are a helpful assistant.");
  add_message(messages, "user", question);
  cJSON_AddNumberToObject(body, "temperature", 0.2);
  if (streams) {
    cJSON_AddBoolToObject(body, "stream", true);
  }
  char *text = cJSON_PrintUnformatted(body);
  cJSON_Delete(body);
  return text;
}

static const cJSON *first_choice(const cJSON *answer, const char *name) {
  const cJSON *choices = cJSON_GetObjectItemCaseSensitive(answer, "choices");
  return cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(choices, 0), name);
}

static const char *content(const cJSON *message) {
  return cJSON_GetStringValue(
      cJSON_GetObjectItemCaseSensitive(message, "content"));
}

static void check_answer(const struct transfer *t) {
  cJSON *answer = cJSON_ParseWithLength(t->body.bytes, t->body.length);
  const char *text = content(first_choice(answer, "message"));
  if (text == NULL || strlen(text) != 300) {
    fail("bad answer");
  }
  cJSON_Delete(answer);
}

static void read_event(struct transfer *t, const char *data, size_t length) {
  if (length == 6 && memcmp(data, "[DONE]", 6) == 0) {
    return;
  }
  cJSON *event = cJSON_ParseWithLength(data, length);
  const char *piece = content(first_choice(event, "delta"));
  if (piece != NULL && piece[0] != '\0') {
    append(&t->text, piece, strlen(piece));
    t->pieces++;
  }
  cJSON_Delete(event);
}

static void read_lines(struct transfer *t) {
  size_t from = 0;
  const char *end;
  while ((end = memchr(t->body.bytes + from, '\n', t->body.length - from)) !=
         NULL) {
    const char *line = t->body.bytes + from;
    size_t length = (size_t)(end - line);
    if (length > 6 && memcmp(line, "data: ", 6) == 0) {
      read_event(t, line + 6, length - 6);
    }
    from += length + 1;
  }
  memmove(t->body.bytes, t->body.bytes + from, t->body.length - from);
  t->body.length -= from;
}

static void check_stream(const struct transfer *t) {
  if (t->pieces != chunks || t->text.length != expected.length ||
      memcmp(t->text.bytes, expected.bytes, expected.length) != 0) {
    fail("text differs");
  }
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *user) {
  struct transfer *t = user;
  append(&t->body, bytes, size * count);
  if (streams) {
    read_lines(t);
  }
  return size * count;
}

/* Transfers. */

static void start(struct transfer *t) {
  t->body.length = t->text.length = 0;
  t->pieces = 0;
  t->request = request_text(started++);
  curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->request);
  curl_multi_add_handle(multi, t->easy);
}

static void create(struct transfer *t) {
  t->easy = curl_easy_init();
  curl_easy_setopt(t->easy, CURLOPT_URL, url);
  curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
  curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
  curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
  start(t);
}

static void finish(struct transfer *t, CURLcode code) {
  if (code != CURLE_OK) {
    fail(t->error);
  }
  curl_multi_remove_handle(multi, t->easy);
  (streams ? check_stream : check_answer)(t);
  free(t->request);
  done++;
  if (started < total) {
    start(t);
  }
}

static void read_finished(void) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(multi, &left)) != NULL) {
    struct transfer *t;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
    finish(t, message->data.result);
  }
}

static void on_timer(uv_timer_t *handle) {
  int running;
  (void)handle;
  curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  read_finished();
}

static int set_timer(CURLM *handle, long milliseconds, void *user) {
  (void)handle, (void)user;
  if (milliseconds < 0) {
    uv_timer_stop(&timer);
  } else {
    uv_timer_start(&timer, on_timer, (uint64_t)milliseconds, 0);
  }
  return 0;
}

static void on_poll(uv_poll_t *handle, int status, int events) {
  struct poll *poll = handle->data;
  int flags = status < 0 ? CURL_CSELECT_ERR : 0, running;
  flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
  flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
  curl_multi_socket_action(multi, poll->socket, flags, &running);
  read_finished();
}

static void on_poll_closed(uv_handle_t *handle) {
  free(handle->data);
}

static struct poll *open_poll(curl_socket_t socket) {
  struct poll *poll = calloc(1, sizeof *poll);
  if (poll == NULL) {
    fail("out of memory");
  }
  poll->socket = socket;
  poll->handle.data = poll;
  uv_poll_init_socket(uv_default_loop(), &poll->handle, socket);
  curl_multi_assign(multi, socket, poll);
  return poll;
}

static int set_socket(CURL *easy, curl_socket_t socket, int what, void *user,
                      void *assigned) {
  struct poll *poll = assigned;
  (void)easy, (void)user;
  if (what == CURL_POLL_REMOVE) {
    if (poll != NULL) {
      uv_close((uv_handle_t *)&poll->handle, on_poll_closed);
      curl_multi_assign(multi, socket, NULL);
    }
    return 0;
  }
  poll = poll != NULL ? poll : open_poll(socket);
  uv_poll_start(&poll->handle,
                (what & CURL_POLL_IN ? UV_READABLE : 0) |
                    (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                on_poll);
  return 0;
}

/* The program. */

static void add_header(const char *name, const char *value) {
  char line[128];
  snprintf(line, sizeof line, "%s: %s", name, value);
  headers = curl_slist_append(headers, line);
}

static void prepare(const char *workload) {
  url = setting("BENCH_URL", "");
  total = atol(setting("BENCH_N", "1000"));
  chunks = atol(setting("BENCH_CHUNKS", "100"));
  streams = strncmp(workload, "stream", 6) == 0;
  at_once = streams ? total : atol(setting("BENCH_CONC", "64"));
  add_header("content-type", "application/json");
  add_header("authorization", "Bearer test");
  add_header("x-latency-ms", setting("BENCH_LATENCY_MS", "0"));
  add_header("x-tokens", setting("BENCH_CHUNKS", "16"));
  add_header("x-token-delay-ms", setting("BENCH_DELAY_MS", "0"));
  for (long i = 0; streams && i < chunks; i++) {
    char piece[32];
    int n =
        snprintf(piece, sizeof piece, "tok%ld%c", i, i % 20 == 19 ? '\n' : ' ');
    append(&expected, piece, (size_t)n);
  }
}

static void run(void) {
  uv_timer_init(uv_default_loop(), &timer);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, at_once);
  struct transfer *transfers = calloc((size_t)at_once, sizeof *transfers);
  for (long i = 0; i < at_once && i < total; i++) {
    create(&transfers[i]);
  }
  while (done < total) {
    uv_run(uv_default_loop(), UV_RUN_ONCE);
  }
}

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int main(int argc, char **argv) {
  struct rusage usage;
  if (argc != 2) {
    fail("usage: bench_limit WORKLOAD");
  }
  prepare(argv[1]);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  uint64_t begun = uv_hrtime();
  getrusage(RUSAGE_SELF, &usage);
  double cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  run();
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"ops\":%ld,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"peak_rss_kb\":%ld}\n",
         streams ? total * chunks : total, (double)(uv_hrtime() - begun) * 1e-9,
         seconds(usage.ru_utime) + seconds(usage.ru_stime) - cpu,
         usage.ru_maxrss);
  return 0;
}
