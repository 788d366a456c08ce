/* The command `luge`: luge.h's first user. The parts are in src/cli. */
#include "cli/help.h"
#include "cli/options.h"
#include "cli/run.h"
#include "cli/signals.h"
#include "cli/stdio.h"

int main(int argc, char **argv) {
  struct cli_options options;
  cli_stdio_open();
  cli_ignore_sigpipe();
  if (!cli_parse(argc, argv, &options)) {
    return 2;
  }
  switch (options.action) {
  case CLI_HELP:
    return cli_help();
  case CLI_VERSION:
    return cli_version();
  default:
    return cli_run(argc, argv, &options);
  }
}
