/* Thousands of connections that wait for a next request cost the HTTP server
 * little memory and no time, and leave nothing behind. */
#include "../support/raw_http.h"

enum { MANY = 9000, SPARE = 100 };

/* Bytes for each; a sanitizer puts more around every block. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ALLOWED = 32 * 1024 };
#elif defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { ALLOWED = 32 * 1024 };
#else
enum { ALLOWED = 4 * 1024 };
#endif
#else
enum { ALLOWED = 4 * 1024 };
#endif

static int port;
static int fds[MANY];

static rlim_t descriptors(void) {
  struct rlimit limit = {256, 256};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max < MANY + SPARE ? limit.rlim_max : MANY + SPARE;
}

static long resident(void) {
  ask(port, "GET /rss", "\r\n");
  return atol(body());
}

static int run_client(int ports) {
  char line[64] = {0};
  if (read(ports, line, sizeof line - 1) <= 0 ||
      sscanf(line, "%d", &port) != 1) {
    fprintf(stderr, "the server did not start\n");
    return 1;
  }
  struct rlimit enough = {descriptors(), descriptors()};
  setrlimit(RLIMIT_NOFILE, &enough);
  int count = (int)(enough.rlim_cur - SPARE);
  long before = resident();
  for (int i = 0; i < count; i++) {
    fds[i] = dial(port);
    forget();
    say(fds[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(hear(fds[i], "hello"));
  }
  long each = (resident() - before) / count;
  if (each > ALLOWED) {
    fprintf(stderr, "an idle connection takes %ld bytes\n", each);
    failures++;
  }
  for (int i = 0; i < count; i += 100) { /* they are still good for use */
    forget();
    say(fds[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(hear(fds[i], "hello"));
  }
  for (int i = 0; i < count; i++) {
    close(fds[i]);
  }
  ask(port, "GET /quit", "\r\n");
  CHECK(strcmp(body(), "bye") == 0);
  return verdict();
}

int main(void) {
  return serve("tests/unit/http_server_memory.lua", 0, descriptors(),
               run_client);
}
