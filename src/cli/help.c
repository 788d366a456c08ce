/* See help.h. docs/command.md says more of each. */
#include "help.h"

#include <errno.h>
#include <luge.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static const char help[] =
    "usage: luge [OPTION...] FILE [ARGUMENT...]\n"
    "       luge [OPTION...] -e CODE [FILE [ARGUMENT...]]\n"
    "       luge [OPTION...] - [ARGUMENT...]\n"
    "       luge [OPTION...] [-i]\n"
    "       luge test [PATH...]\n"
    "       luge help [NAME...]\n"
    "       luge build FILE -o APP\n"
    "\n"
    "Runs a Lua script that may wait wherever it calls something slow. `-`\n"
    "reads the script from standard input. `luge` alone is a prompt; where\n"
    "standard input is no terminal, it reads the script from there. `luge "
    "test`\n"
    "runs tests, `luge help` prints what the reference says of a module, a\n"
    "function or a class, and `luge build` makes one executable of a script\n"
    "and its modules.\n"
    "\n"
    "  -e CODE             run CODE, before FILE if there is one; may be "
    "given\n"
    "                      more than once\n"
    "  -i                  go on at the prompt, behind CODE and FILE\n"
    "  --env-file FILE     load environment variables from a dotenv file; may "
    "be\n"
    "                      given more than once\n"
    "  --timeout SECONDS   cancel the script when it takes longer, exit with "
    "124\n"
    "  --memory-limit N    give Lua and luge's buffers N bytes at most; N may\n"
    "                      end in K, M or G\n"
    "  --slow SECONDS      report tasks that keep the others waiting for "
    "longer\n"
    "  --sandbox           deny what no option allows: files, network,\n"
    "                      environment, programs; any option below does so "
    "too\n"
    "  --allow-net[=LIST]  allow hosts: NAME, *.NAME, ADDRESS, "
    "ADDRESS/BITS,\n"
    "                      each also with :PORT\n"
    "  --allow-read[=LIST], --allow-write[=LIST]\n"
    "                      allow files, and directories with all in them\n"
    "  --allow-env[=LIST]  allow environment variables: NAME, PREFIX*\n"
    "  --allow-run[=LIST]  allow programs, which may then do anything\n"
    "  --deny-NAME[=LIST]  the same for net, read, write, env, run: deny, "
    "also\n"
    "                      what is allowed\n"
    "  --audit FILE        log each decision about these as a line of JSON\n"
    "  --                  the options end here\n"
    "  --help, --version   print this, or the version\n"
    "\n"
    "SIGINT and SIGTERM cancel the script and let its handlers run; a second\n"
    "one exits at once. SIGUSR1 prints what each task waits for.\n"
    "\n"
    "Exit status: 0; 1 after an error; 2 if luge was used wrongly; 124 after\n"
    "--timeout; 130 and 143 after SIGINT and SIGTERM; 141 when standard "
    "output\n"
    "was closed; what the script gave to os.exit.\n";

/* The exit status once `count` bytes, negative if they failed, were printed. */
static int status_of(int count) {
  if (count >= 0 && fflush(stdout) == 0) {
    return 0;
  }
  if (errno == EPIPE) {
    return 128 + SIGPIPE;
  }
  fprintf(stderr, "luge: cannot write to standard output: %s\n",
          strerror(errno));
  return 1;
}

int cli_help(void) {
  return status_of(fputs(help, stdout));
}

int cli_version(void) {
  return status_of(printf("luge %s (%s, libuv %s)\n", LUGE_VERSION, LUA_RELEASE,
                          uv_version_string()));
}
