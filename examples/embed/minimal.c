/* The smallest host: runs the script that it is given, to the end.
 *
 *   minimal FILE [ARG...]    without a FILE, a script of its own
 */
#include <luge.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char greeting[] =
    "local luge = require 'luge'\n"
    "local words = luge.map({ 'Hello', 'from', 'a', 'host' }, function(word)\n"
    "  luge.sleep(0.01)\n"
    "  return word\n"
    "end)\n"
    "print(table.concat(words, ' ', 1, words.n))\n";

/* What scripts print goes where the program wants it. */
static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)host;
  (void)user;
  FILE *file = stream == LUGE_STDOUT ? stdout : stderr;
  return fwrite(bytes, 1, length, file) == length ? 0 : -1;
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)user;
  fprintf(stderr, "%s\n", message);
  if (traceback != NULL) {
    fprintf(stderr, "%s\n", traceback);
  }
}

int main(int argc, char **argv) {
  luge_options options = {
      .size = sizeof options, .output = on_output, .on_error = on_error};
  signal(SIGPIPE, SIG_IGN);
  luge_host *host = luge_open(&options);
  if (host == NULL) {
    fprintf(stderr, "minimal: no memory\n");
    return 1;
  }
  int status = argc > 1 ? luge_run_file(host, argv[1], argc - 2,
                                        (const char *const *)argv + 2)
                        : luge_run_string(host, greeting, strlen(greeting),
                                          "=greeting", 0, NULL);
  if (status == LUGE_EXIT) {
    status = luge_exit_code(host);
  }
  luge_close(host);
  return status;
}
