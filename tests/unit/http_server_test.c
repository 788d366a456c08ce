/* The HTTP server over raw sockets, byte by byte: the servers are those of
 * http_server.lua. */
#include "../support/raw_http.h"

#include <sys/un.h>

static int main_port, quick_port, closing_port, ending_port, big_port, few_port;
static char unix_path[108];

static const char *get(const char *target) {
  char head[256];
  snprintf(head, sizeof head, "GET %s", target);
  return ask(main_port, head, "\r\n");
}

/* Sends the text on a connection of its own, and reads to the end; see
 * hear_end. */
static int exchange(const char *text) {
  int fd = dial(main_port);
  forget();
  say(fd, text);
  int end = hear_end(fd);
  close(fd);
  return end;
}

/* Asks until the answer is `wanted`, for some seconds at most. */
static int becomes(const char *target, const char *wanted) {
  double until = now() + 20;
  do {
    get(target);
    if (strcmp(body(), wanted) == 0) {
      return 1;
    }
    nap(5);
  } while (now() < until);
  return 0;
}

static void test_answers(void) {
  get("/");
  CHECK(is_status(200) && strcmp(body(), "hello") == 0);
  CHECK(has("HTTP/1.1 200 OK\r\n") && has("\r\nContent-Length: 5\r\n"));
  CHECK(has("\r\nDate: ") && has(" GMT\r\n") && has("\r\nConnection: close\r"));
  CHECK(has("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
  get("/items/a%2Fb%20c");
  CHECK(strcmp(body(), "a/b c") == 0);
  get("/items/new");
  CHECK(strcmp(body(), "literal") == 0);
  get("/files/a/b%2E/c");
  CHECK(strcmp(body(), "a/b./c") == 0);
  get("/items/a/b");
  CHECK(is_status(404));
  get("/items");
  CHECK(is_status(404));
  ask(main_port, "DELETE /items/1", "\r\n");
  CHECK(is_status(405) && has("\r\nAllow: GET, HEAD, PUT\r\n"));
  ask(main_port, "PUT /items/1", "\r\n");
  CHECK(is_status(204) && !has("Content-Length") && strcmp(body(), "") == 0);
  ask(main_port, "OPTIONS /head?q=1+2%263&q=2", "x-a: 1\r\nX-A: 2\r\n\r\n");
  CHECK(strcmp(body(), "OPTIONS /head q=1 2&3 a=1, 2 all=1|2") == 0);
  ask(main_port, "GET http://h/items/7", "\r\n");
  CHECK(strcmp(body(), "7") == 0);
  get("/date");
  CHECK(has("\r\nDate: today\r\n") && !has("GMT"));
  CHECK(has("\r\ncontent-type: text/x\r\n") && !has("text/plain"));
}

static void test_bad_requests(void) {
  get("/%00");
  CHECK(is_status(400));
  get("/%zz");
  CHECK(is_status(400));
  get("/?a=%");
  CHECK(is_status(400));
  get("/#a");
  CHECK(is_status(400));
  ask(main_port, "HEAD /", "Host: again\r\n\r\n");
  CHECK(is_status(400) && !has("Host is given twice"));
  ask(main_port, "GET /", "Host: again\r\n\r\n");
  CHECK(is_status(400) && has("Host is given twice"));
  ask(main_port, "POST /echo",
      "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  CHECK(is_status(400));
  CHECK(exchange("GET / HTTP/3.0\r\n\r\n") == 0 && is_status(505));
  int end = exchange("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"
                     "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(end == 0 && is_status(501)); /* what follows may be for the tunnel */
  CHECK(!has("hello"));
  char long_line[2200];
  memset(long_line, 'x', sizeof long_line);
  memcpy(long_line, "GET /", 5);
  long_line[sizeof long_line - 1] = '\0';
  ask(main_port, long_line, "\r\n");
  CHECK(is_status(414));
  memcpy(long_line, "A-b: ", 5);
  memcpy(long_line + sizeof long_line - 5, "\r\n\r\n", 5);
  ask(main_port, "GET /", long_line);
  CHECK(is_status(431));
}

static void test_keep_alive(void) {
  int fd = dial(main_port);
  forget();
  for (int i = 0; i < 3; i++) {
    forget();
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(hear(fd, "hello") && !has("Connection:"));
  }
  forget();
  say(fd, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /items/9 HTTP/1.1\r\n"
          "Host: h\r\nConnection: close\r\n\r\n");
  CHECK(hear_end(fd) == 0);
  CHECK(has("\r\nContent-Length: 5\r\n") && !has("hello"));
  close(fd);
  int end = exchange("HEAD /iterator HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                     "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(end == 0 && !has("piece")); /* no length to go by */
  end = exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                 "GET / HTTP/1.0\r\n\r\n");
  CHECK(end == 0 && has("\r\nConnection: keep-alive\r\n"));
  CHECK(has("hello") && has("\r\nConnection: close\r\n"));
}

/* The first answer takes longest, and yet comes first. */
static void test_pipelining(void) {
  int end = exchange(
      "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
      "GET /items/last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const char *slow = strstr(reply, "slow"), *abc = strstr(reply, "abc"),
             *last = strstr(reply, "last");
  CHECK(end == 0 && slow != NULL && abc != NULL && last != NULL);
  CHECK(slow < abc && abc < last);
}

static int count_answers(void) {
  int count = 0;
  for (const char *at = reply; (at = strstr(at, "HTTP/1.1 200")) != NULL;
       at++) {
    count++;
  }
  return count;
}

/* More requests than a server keeps in advance. */
static void test_long_pipeline(void) {
  enum { COUNT = 5000 };
  int fd = dial(main_port);
  forget();
  if (fork() == 0) {
    for (int i = 0; i < COUNT; i++) {
      say(fd, "GET /items/x HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    say(fd, "GET /items/end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    _exit(0);
  }
  CHECK(hear_end(fd) == 0 && count_answers() == COUNT + 1);
  CHECK(strcmp(reply + reply_len - 3, "end") == 0);
  wait(NULL);
  close(fd);
}

static void test_bodies(void) {
  static const char request[] =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
      "Connection: close\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: x\r\n\r\n";
  int fd = dial(main_port);
  forget();
  for (size_t i = 0; i < sizeof request - 1; i++) {
    say_bytes(fd, request + i, 1);
  }
  CHECK(hear_end(fd) == 0 && strcmp(body(), "abcde") == 0);
  close(fd);
  ask(main_port, "POST /echo", "Content-Length: 1001\r\n\r\n");
  CHECK(is_status(413));
  ask(main_port, "POST /echo", "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n");
  CHECK(is_status(400));
}

static void test_too_many_chunks(void) {
  char chunk[0x1F4 + 10] = "1f4\r\n";
  memset(chunk + 5, 'z', 0x1F4);
  memcpy(chunk + 5 + 0x1F4, "\r\n", 3);
  int fd = dial(main_port);
  forget();
  say(fd, "POST /pieces HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
          "\r\n");
  for (int i = 0; i < 3; i++) {
    say(fd, chunk);
  }
  CHECK(hear_end(fd) == 0 && is_status(413));
  close(fd);
}

static void test_continue(void) {
  int fd = dial(main_port);
  forget();
  say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
          "Expect: 100-continue\r\nConnection: close\r\n\r\n");
  CHECK(hear(fd, "HTTP/1.1 100 Continue\r\n\r\n"));
  forget();
  say(fd, "ok");
  CHECK(hear_end(fd) == 0 && is_status(200) && strcmp(body(), "ok") == 0);
  close(fd);

  /* Nobody asked for the body: the answer comes without a 100. */
  ask(main_port, "POST /ignore",
      "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  CHECK(is_status(200) && strcmp(body(), "ignored") == 0);
}

/* An answer before the body has come is not lost, be it long. */
static void test_early_answers(void) {
  static char upload[20000000];
  int fd = dial(main_port);
  forget();
  say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n");
  say_bytes(fd, upload, sizeof upload);
  CHECK(hear_end(fd) == 0 && is_status(413));
  close(fd);

  fd = dial(main_port);
  forget();
  say(fd, "POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n");
  CHECK(hear(fd, "ignored") && has("\r\nConnection: close\r\n"));
  say_bytes(fd, upload, 900);
  CHECK(hear_end(fd) == 0);
  close(fd);
}

static void test_streams(void) {
  get("/iterator");
  CHECK(has("\r\nTransfer-Encoding: chunked\r\n"));
  CHECK(strcmp(body(), "7\r\npiece 1\r\n7\r\npiece 2\r\n7\r\npiece 3\r\n"
                       "0\r\n\r\n") == 0);
  get("/producer");
  CHECK(is_status(201) && has("\r\nX-B: 1\r\nX-B: 2\r\n"));
  CHECK(strcmp(body(), "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n") == 0);
  int end = exchange("GET /iterator HTTP/1.0\r\n\r\n");
  CHECK(end == 0 && !has("chunked"));
  CHECK(strcmp(body(), "piece 1piece 2piece 3") == 0);
  end = exchange("GET /events HTTP/1.0\r\n\r\n");
  CHECK(end == 0 && has("\r\nContent-Type: text/event-stream\r\n"));
  CHECK(strcmp(body(),
               "event: delta\nid: 7\nretry: 10\ndata: a\ndata: b\n\n"
               "data: plain\ndata: text\n\n: still here\n\ndata: \n\n") == 0);
}

static void test_errors(void) {
  get("/errors");
  get("/raise");
  CHECK(is_status(500) && !has("on purpose"));
  get("/errors");
  CHECK(has("GET /raise: ") && has("raised on purpose"));
  get("/nothing");
  CHECK(is_status(500));
  get("/errors");
  CHECK(has("the handler returned nil"));
  get("/inject");
  CHECK(is_status(500) && !has("X-B"));
  get("/inject-name");
  CHECK(is_status(500) && !has("X-A"));
  get("/ours");
  CHECK(is_status(500));
  get("/errors");
  CHECK(has("header 'X-A' has a CR, LF or NUL"));
  CHECK(has("'content-length' is the server's own to set"));

  /* An answer that breaks off must not look complete. */
  get("/broken");
  CHECK(is_status(200) && strcmp(body(), "5\r\nbegun\r\n") == 0);
  get("/inject-event");
  CHECK(is_status(200) && strcmp(body(), "") == 0);
  CHECK(exchange("GET /broken HTTP/1.0\r\n\r\n") == -1);
  get("/errors");
  CHECK(has("broken on purpose") && has("event: 'id'"));
}

/* A handler ends soon after its client has left, whatever it waits for. */
static void test_leaving(void) {
  char before[16], entered[16];
  get("/begun");
  int begun = atoi(body());
  get("/left");
  int left = atoi(body());
  static const char *const requests[] = {
      "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST /wait-body HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
      ("POST /wait-body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
       "\r\n3\r\nab"),
      "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n",
  };
  for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
    int fd = dial(main_port);
    say(fd, requests[i]);
    snprintf(entered, sizeof entered, "%d", ++begun);
    CHECK(becomes("/begun", entered));
    close(fd);
    snprintf(before, sizeof before, "%d", ++left);
    CHECK(becomes("/left", before));
  }
  int fd = dial(main_port); /* with a reset */
  struct linger hard = {1, 0};
  say(fd, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  snprintf(entered, sizeof entered, "%d", ++begun);
  CHECK(becomes("/begun", entered));
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(fd);
  snprintf(before, sizeof before, "%d", ++left);
  CHECK(becomes("/left", before));
  get("/errors");
  CHECK(strcmp(body(), "") == 0);
}

/* Clients that leave at all moments leave nothing behind. */
static void test_leaving_early(void) {
  static const char request[] = "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"
                                "GET /iterator HTTP/1.1\r\nHost: h\r\n\r\n";
  struct linger hard = {1, 0};
  for (size_t i = 0; i < 200; i++) {
    int fd = dial(main_port);
    say_bytes(fd, request, i % sizeof request);
    if (i % 3 == 0) {
      nap(1);
    }
    if (i % 2 == 0) {
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    close(fd);
  }
  CHECK(becomes("/running", "1 1 1"));
}

/* Also when so much of a body has come that no more of it is read, as long as
 * the rest fits the system's buffers: beyond them the end is not sent. */
static void test_leaving_unread(void) {
  static char piece[130 * 1024];
  get("/left");
  char wanted[16];
  snprintf(wanted, sizeof wanted, "%d", atoi(body()) + 1);
  int fd = dial(big_port);
  say(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  say_bytes(fd, piece, sizeof piece);
  nap(50);
  close(fd);
  CHECK(becomes("/left", wanted));
}

static void test_backpressure(void) {
  int fd = dial(main_port);
  say(fd, "GET /flood HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  long before, after = -1;
  do { /* until the buffers between are full */
    before = after;
    nap(100);
    get("/produced");
    after = atol(body());
  } while (after != before);
  CHECK(after < 32 * 1024 * 1024);
  size_t total = 0;
  ssize_t n;
  do {
    forget();
    n = hear_once(fd);
    total += reply_len;
  } while (n > 0);
  CHECK(n == 0 && total > 1024u * 65536);
  close(fd);

  fd = dial(main_port); /* a large body, read late */
  forget();
  say(fd, "GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  nap(100);
  CHECK(hear_end(fd) == 0 && reply_len > 8 * 1024 * 1024);
  CHECK(strlen(body()) == 8 * 1024 * 1024);
  close(fd);
}

static void test_time_limits(void) {
  int idle = dial(quick_port), slow = dial(quick_port);
  forget();
  say(slow, "GET / HT");
  CHECK(hear_end(slow) == 0 && is_status(408));
  forget();
  CHECK(hear_end(idle) == 0 && reply_len == 0);
  close(idle);
  close(slow);
  slow = dial(quick_port);
  forget();
  say(slow, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc");
  CHECK(hear_end(slow) == 0 && is_status(408));
  close(slow);
}

/* Two connections are allowed: the third waits until one of them closes. */
static void test_max_connections(void) {
  int one = dial(few_port), two = dial(few_port), three = dial(few_port);
  forget();
  say(three, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  struct timeval brief = {0, 50000}, patience = {10, 0};
  setsockopt(three, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
  CHECK(hear_once(three) < 0);
  setsockopt(three, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  close(one);
  CHECK(hear(three, "few"));
  close(two);
  close(three);
}

static void test_unix_socket(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  memcpy(to.sun_path, unix_path, sizeof to.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
  forget();
  say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(hear_end(fd) == 0 && strcmp(body(), "unix") == 0);
  close(fd);
}

static void test_closing(void) {
  int idle = dial(closing_port), busy = dial(closing_port);
  forget();
  say(busy, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  get("/close");
  CHECK(strcmp(body(), "closed") == 0);
  CHECK(dial(closing_port) == -1);
  forget();
  CHECK(hear(busy, "in time") && has("\r\nConnection: close\r\n"));
  forget();
  CHECK(hear_end(idle) == 0 && reply_len == 0);
  close(idle);
  close(busy);

  busy = dial(ending_port);
  say(busy, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  get("/end");
  CHECK(strcmp(body(), "1") == 0);
  forget();
  CHECK(hear_end(busy) <= 0 && reply_len == 0);
  close(busy);
}

/* More clients than the server has descriptors for: some are turned away, and
 * when they have gone all is as before. */
static void test_no_descriptors(void) {
  enum { MANY = 100 };
  int fds[MANY];
  for (int i = 0; i < MANY; i++) {
    fds[i] = dial(main_port);
  }
  nap(50);
  for (int i = 0; i < MANY; i++) {
    close(fds[i]);
  }
  CHECK(becomes("/", "hello"));
}

static int run_client(int port_pipe) {
  char line[256] = {0};
  ssize_t n = read(port_pipe, line, sizeof line - 1);
  if (n <= 0 || sscanf(line, "%d %d %d %d %d %d %100s", &main_port, &quick_port,
                       &closing_port, &ending_port, &big_port, &few_port,
                       unix_path) != 7) {
    fprintf(stderr, "the servers did not start\n");
    return 1;
  }
  test_answers();
  test_bad_requests();
  test_keep_alive();
  test_pipelining();
  test_long_pipeline();
  test_bodies();
  test_too_many_chunks();
  test_continue();
  test_early_answers();
  test_streams();
  test_errors();
  test_leaving();
  test_leaving_unread();
  test_leaving_early();
  test_backpressure();
  test_time_limits();
  test_max_connections();
  test_unix_socket();
  test_closing();
  test_no_descriptors();
  get("/quit");
  CHECK(strcmp(body(), "bye") == 0);
  return verdict();
}

int main(void) {
  return serve("tests/unit/http_server.lua", 0, 64, run_client);
}
