/* The command `luge`. */
#include <luge.h>
#include <stdio.h>
#include <string.h>

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)host;
  (void)user;
  FILE *file = stream == LUGE_STDOUT ? stdout : stderr;
  fwrite(bytes, 1, length, file);
  fflush(file);
  return 0;
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)user;
  fprintf(stderr, "luge: %s\n%s%s", message, traceback != NULL ? traceback : "",
          traceback != NULL ? "\n" : "");
}

int main(int argc, char **argv) {
  luge_options options = {
      .size = sizeof options, .output = on_output, .on_error = on_error};
  luge_host *host = luge_open(&options);
  int status = 2;
  if (argc > 1 && strcmp(argv[1], "test") == 0) {
    static const char code[] = "require 'luge.internal.test_command' (...)";
    status = luge_run_string(host, code, sizeof code - 1, "=luge test",
                             argc - 2, (const char *const *)argv + 2);
  } else if (argc > 2 && strcmp(argv[1], "-e") == 0) {
    status = luge_run_string(host, argv[2], strlen(argv[2]), "=-e", 0, NULL);
  } else if (argc > 1) {
    status =
        luge_run_file(host, argv[1], argc - 2, (const char *const *)argv + 2);
  }
  int failed = luge_failed(host);
  luge_close(host);
  return status != LUGE_OK || failed;
}
