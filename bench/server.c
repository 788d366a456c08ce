/* A model server for benchmarks: answers in the format of OpenAI's chat
 * completions, with as little work as can be, so that what is measured is the
 * client. One thread, one loop, HTTP/1.1 with keep-alive.
 *
 *   bench_server        listens on a port that the system gives, prints it
 *
 * Headers of a request steer its answer: x-latency-ms, the time before the
 * first byte; and for streams ("stream":true in the body) x-tokens, how many
 * pieces of text, and x-token-delay-ms, the time before each. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum { READ_SIZE = 16384, MAX_REQUEST = 1 << 20, MAX_EVENT = 512 };

/* An answer under way; what the request asked for. */
struct answer {
  long latency, tokens, delay; /* milliseconds */
  bool stream, has_head;
  long next;        /* piece of the stream */
  uint64_t started; /* the stream, on the loop's clock */
};

struct connection {
  uv_tcp_t tcp;
  uv_timer_t timer;
  int handles; /* not yet closed */
  char *in;
  size_t length, room;
  bool busy; /* an answer is under way: what follows waits */
  struct answer answer;
};

struct output {
  uv_write_t request;
  size_t length;
  char bytes[];
};

static const char stream_head[] = "HTTP/1.1 200 OK\r\n"
                                  "content-type: text/event-stream\r\n"
                                  "transfer-encoding: chunked\r\n\r\n";

static void serve(struct connection *c);

static void fail(const char *what) {
  fprintf(stderr, "bench_server: %s\n", what);
  exit(1);
}

static void *allocate(void *old, size_t size) {
  void *memory = realloc(old, size);
  if (memory == NULL) {
    fail("out of memory");
  }
  return memory;
}

static void on_closed(uv_handle_t *handle) {
  struct connection *c = handle->data;
  if (--c->handles == 0) {
    free(c->in);
    free(c);
  }
}

static void hang_up(struct connection *c) {
  if (!uv_is_closing((uv_handle_t *)&c->tcp)) {
    uv_close((uv_handle_t *)&c->tcp, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
  }
}

static void on_written(uv_write_t *request, int status) {
  struct connection *c = request->handle->data;
  if (status != 0) {
    hang_up(c);
  }
  free(request);
}

static struct output *output(size_t room) {
  struct output *out = allocate(NULL, sizeof *out + room);
  out->length = 0;
  return out;
}

static void append(struct output *out, const char *bytes, size_t length) {
  memcpy(out->bytes + out->length, bytes, length);
  out->length += length;
}

static void send_output(struct connection *c, struct output *out) {
  uv_buf_t buffer = uv_buf_init(out->bytes, (unsigned)out->length);
  if (uv_write(&out->request, (uv_stream_t *)&c->tcp, &buffer, 1, on_written) !=
      0) {
    free(out);
    hang_up(c);
  }
}

static void finish(struct connection *c) {
  c->busy = false;
  serve(c);
}

/* A whole completion, with a text of 300 bytes. */

static const char *completion(size_t *length) {
  static char bytes[1024];
  static size_t size;
  if (size == 0) {
    char body[768], text[301];
    memset(text, 'x', 300);
    text[300] = '\0';
    int n = snprintf(body, sizeof body,
                     "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\","
                     "\"created\":1700000000,\"model\":\"mock\",\"choices\":[{"
                     "\"index\":0,\"message\":{\"role\":\"assistant\","
                     "\"content\":\"%s\"},\"finish_reason\":\"stop\"}],"
                     "\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":75,"
                     "\"total_tokens\":95}}",
                     text);
    size = (size_t)snprintf(bytes, sizeof bytes,
                            "HTTP/1.1 200 OK\r\n"
                            "content-type: application/json\r\n"
                            "content-length: %d\r\n\r\n%s",
                            n, body);
  }
  *length = size;
  return bytes;
}

static void send_completion(struct connection *c) {
  size_t length;
  const char *bytes = completion(&length);
  struct output *out = output(length);
  append(out, bytes, length);
  send_output(c, out);
  finish(c);
}

/* Streams. */

/* One event, as one chunk of the transfer encoding. */
static void append_event(struct output *out, const char *data) {
  char chunk[MAX_EVENT];
  int size = (int)strlen(data) + (int)sizeof "data: \n\n" - 1;
  int length = snprintf(chunk, sizeof chunk, "%x\r\ndata: %s\n\n\r\n",
                        (unsigned)size, data);
  append(out, chunk, (size_t)length);
}

static void append_delta(struct output *out, const char *delta,
                         const char *finish_reason) {
  char data[MAX_EVENT - 32];
  snprintf(data, sizeof data,
           "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
           "\"created\":1700000000,\"model\":\"mock\",\"choices\":[{"
           "\"index\":0,\"delta\":{%s},\"finish_reason\":%s}]}",
           delta, finish_reason);
  append_event(out, data);
}

static void append_piece(struct output *out, long i) {
  char delta[64];
  snprintf(delta, sizeof delta, "\"content\":\"tok%ld%s\"", i,
           i % 20 == 19 ? "\\n" : " ");
  append_delta(out, delta, "null");
}

/* The pieces that are due, with what comes before and after them. */
static void send_pieces(struct connection *c, long until) {
  struct answer *a = &c->answer;
  struct output *out =
      output(sizeof stream_head + (size_t)(until - a->next + 3) * MAX_EVENT);
  if (!a->has_head) {
    append(out, stream_head, sizeof stream_head - 1);
    append_delta(out, "\"role\":\"assistant\",\"content\":\"\"", "null");
    a->has_head = true;
  }
  while (a->next < until) {
    append_piece(out, a->next++);
  }
  bool ended = a->next == a->tokens;
  if (ended) {
    append_delta(out, "", "\"stop\"");
    append_event(out, "[DONE]");
    append(out, "0\r\n\r\n", 5);
  }
  send_output(c, out);
  if (ended) {
    finish(c);
  }
}

static void on_piece_due(uv_timer_t *timer) {
  struct connection *c = timer->data;
  struct answer *a = &c->answer;
  uint64_t now = uv_now(timer->loop);
  long due = (long)(now - a->started) / a->delay;
  send_pieces(c, due < a->tokens ? due : a->tokens);
  if (c->busy) {
    uint64_t next = a->started + (uint64_t)((a->next + 1) * a->delay);
    uv_timer_start(timer, on_piece_due, next > now ? next - now : 0, 0);
  }
}

static void start_answer(uv_timer_t *timer) {
  struct connection *c = timer->data;
  struct answer *a = &c->answer;
  a->started = uv_now(timer->loop);
  if (!a->stream) {
    send_completion(c);
  } else if (a->delay == 0) {
    send_pieces(c, a->tokens);
  } else {
    uv_timer_start(timer, on_piece_due, (uint64_t)a->delay, 0);
  }
}

/* Requests. */

static long header(const char *head, const char *name, long fallback) {
  size_t length = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line != NULL;
       line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
      return strtol(line + length + 1, NULL, 10);
    }
  }
  return fallback;
}

/* The size of the request that `in` begins with, or 0 if it is not yet whole;
 * the head is then a string of its own. */
static size_t whole_request(struct connection *c, const char **body) {
  char *end = strstr(c->in, "\r\n\r\n");
  if (end == NULL) {
    return 0;
  }
  end[2] = '\0';
  size_t head = (size_t)(end - c->in) + 4;
  size_t size = head + (size_t)header(c->in, "content-length", 0);
  if (size > c->length) {
    end[2] = '\r';
    return 0;
  }
  *body = c->in + head;
  return size;
}

/* "stream":true, with or without spaces. */
static bool asks_for_stream(const char *body) {
  const char *value = strstr(body, "\"stream\"");
  if (value == NULL) {
    return false;
  }
  value += strlen("\"stream\"");
  value += strspn(value, " :");
  return strncmp(value, "true", 4) == 0;
}

static void read_request(struct connection *c, const char *body) {
  c->answer = (struct answer){
      .latency = header(c->in, "x-latency-ms", 0),
      .tokens = header(c->in, "x-tokens", 16),
      .delay = header(c->in, "x-token-delay-ms", 0),
      .stream = asks_for_stream(body),
  };
}

static void drop_request(struct connection *c, size_t size) {
  c->length -= size;
  memmove(c->in, c->in + size, c->length);
  c->in[c->length] = '\0';
}

static void serve(struct connection *c) {
  const char *body;
  size_t size = c->busy || c->length == 0 ? 0 : whole_request(c, &body);
  if (size > 0) {
    read_request(c, body);
    drop_request(c, size);
    c->busy = true;
    if (c->answer.latency > 0) {
      uv_timer_start(&c->timer, start_answer, (uint64_t)c->answer.latency, 0);
    } else {
      start_answer(&c->timer);
    }
  }
}

static void on_allocate(uv_handle_t *handle, size_t suggested,
                        uv_buf_t *buffer) {
  struct connection *c = handle->data;
  (void)suggested;
  if (c->room - c->length < READ_SIZE) {
    c->room = c->length + 2 * READ_SIZE;
    c->in = allocate(c->in, c->room + 1);
  }
  *buffer = uv_buf_init(c->in + c->length, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer) {
  struct connection *c = stream->data;
  (void)buffer;
  if (n < 0 || c->length + (size_t)n > MAX_REQUEST) {
    hang_up(c);
  } else if (n > 0) {
    c->length += (size_t)n;
    c->in[c->length] = '\0';
    serve(c);
  }
}

static void on_connection(uv_stream_t *server, int status) {
  if (status != 0) {
    return;
  }
  struct connection *c = allocate(NULL, sizeof *c);
  memset(c, 0, sizeof *c);
  uv_tcp_init(server->loop, &c->tcp);
  uv_timer_init(server->loop, &c->timer);
  c->tcp.data = c->timer.data = c;
  c->handles = 2;
  if (uv_accept(server, (uv_stream_t *)&c->tcp) != 0) {
    hang_up(c);
    return;
  }
  uv_tcp_nodelay(&c->tcp, 1);
  uv_read_start((uv_stream_t *)&c->tcp, on_allocate, on_read);
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t server;
  struct sockaddr_in address;
  int length = sizeof address;
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(loop, &server);
  if (uv_tcp_bind(&server, (struct sockaddr *)&address, 0) != 0 ||
      uv_listen((uv_stream_t *)&server, 4096, on_connection) != 0 ||
      uv_tcp_getsockname(&server, (struct sockaddr *)&address, &length) != 0) {
    fail("cannot listen");
  }
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}
