/* The HTTP server in a host that may have little memory: a request that needs
 * too much fails alone, and the server goes on. */
#include "../support/raw_http.h"

static int port;

static int is_well(void) {
  ask(port, "GET /", "\r\n");
  return is_status(200) && strcmp(body(), "hello") == 0;
}

/* Connections that each make the server keep as much as it does of what
 * nobody reads. */
static void test_many_bodies(void) {
  static char piece[100 * 1024];
  enum { MANY = 100 };
  int fds[MANY];
  for (int i = 0; i < MANY; i++) {
    fds[i] = dial(port);
    say(fds[i], "POST /length HTTP/1.1\r\nHost: h\r\n"
                "Content-Length: 1000000\r\n\r\n");
    say_bytes(fds[i], piece, sizeof piece);
  }
  nap(100);
  for (int i = 0; i < MANY; i++) {
    close(fds[i]);
  }
  nap(100);
  CHECK(is_well());
}

static void test_large_answers(void) {
  ask(port, "GET /large?n=2000000", "\r\n");
  CHECK(is_status(200) && strlen(body()) == 2000000);
  ask(port, "GET /large?n=20000000", "\r\n");
  CHECK(!is_status(200) && is_well());
  ask(port, "GET /garbage?n=1000000", "\r\n");
  CHECK(!is_status(200) && is_well());
}

static void test_large_body(void) {
  static char piece[100 * 1024];
  int fd = dial(port);
  forget();
  say(fd, "POST /length HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
          "Content-Length: 20480000\r\n\r\n");
  for (int i = 0; i < 200; i++) {
    say_bytes(fd, piece, sizeof piece);
  }
  hear_end(fd);
  CHECK(!is_status(200) && is_well());
  close(fd);
}

static void test_large_heads(void) {
  static char head[200 * 1024];
  memset(head, 'x', sizeof head);
  enum { MANY = 60 };
  int fds[MANY];
  for (int i = 0; i < MANY; i++) {
    fds[i] = dial(port);
    say(fds[i], "GET / HTTP/1.1\r\nA: ");
    say_bytes(fds[i], head, sizeof head);
  }
  nap(100);
  for (int i = 0; i < MANY; i++) {
    close(fds[i]);
  }
  nap(100);
  CHECK(is_well());
}

static int run_client(int ports) {
  char line[64] = {0};
  if (read(ports, line, sizeof line - 1) <= 0 ||
      sscanf(line, "%d", &port) != 1) {
    fprintf(stderr, "the server did not start\n");
    return 1;
  }
  CHECK(is_well());
  test_large_answers();
  test_large_body();
  test_many_bodies();
  test_large_heads();
  ask(port, "GET /quit", "\r\n");
  CHECK(strcmp(body(), "bye") == 0);
  return verdict();
}

int main(void) {
  return serve("tests/unit/http_server_memory.lua", 8 * 1024 * 1024, 256,
               run_client);
}
