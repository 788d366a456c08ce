/* The client and TLS: runs the tests of tests/support/http_tls.lua beside
 * `openssl s_server`, one that anybody may talk to and one that wants a
 * client's certificate. Without openssl there is nothing to test. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/luge-tls-XXXXXX";

static bool run(const char *command) {
  int status = system(command);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool make_certificate(void) {
  char command[512];
  snprintf(command, sizeof command,
           "cd %s && openssl req -x509 -newkey ec -pkeyopt "
           "ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem "
           "-days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
           "2>openssl.log",
           dir);
  return run(command);
}

/* Starts a server in the directory; its port, once it listens. */
static int serve(pid_t *server, const char *verify) {
  int ends[2], port = 0;
  char line[256];
  if (pipe(ends) != 0) {
    return 0;
  }
  *server = fork();
  if (*server == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    if (chdir(dir) == 0 && freopen("server.log", "a", stderr) != NULL) {
      execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0",
             "-cert", "cert.pem", "-key", "key.pem", "-CAfile", "cert.pem",
             "-www", verify, verify != NULL ? "1" : NULL, (char *)NULL);
    }
    _exit(127);
  }
  close(ends[1]);
  FILE *output = fdopen(ends[0], "r");
  while (port == 0 && output != NULL && fgets(line, sizeof line, output)) {
    sscanf(line, "ACCEPT 127.0.0.1:%d", &port);
  }
  return port;
}

static void set_port(const char *name, int port) {
  char text[16];
  snprintf(text, sizeof text, "%d", port);
  setenv(name, text, 1);
}

static int run_tests(const char *luge) {
  int status = 1;
  pid_t child = fork();
  if (child == 0) {
    execl(luge, luge, "test", "tests/support/http_tls.lua", (char *)NULL);
    _exit(127);
  }
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void end(pid_t server) {
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
}

int main(void) {
  const char *luge = getenv("LUGE");
  pid_t open_server, strict_server;
  if (!run("command -v openssl >/dev/null")) {
    puts("there is no openssl: nothing was tested");
    return 0;
  }
  if (luge == NULL || mkdtemp(dir) == NULL || !make_certificate()) {
    fprintf(stderr, "LUGE must name the command, and openssl work\n");
    return 1;
  }
  set_port("LUGE_TLS_PORT", serve(&open_server, NULL));
  set_port("LUGE_TLS_STRICT_PORT", serve(&strict_server, "-Verify"));
  setenv("LUGE_TLS_DIR", dir, 1);
  int result = run_tests(luge);
  end(open_server);
  end(strict_server);
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", dir);
  return run(command) ? result : 1;
}
