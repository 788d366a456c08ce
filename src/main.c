/* The command `luge`: luge.h's first user. The parts are in src/cli. */
#include "cli/app.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/run.h"
#include "cli/signals.h"
#include "cli/stdio.h"

int main(int argc, char **argv) {
  struct cli_options options;
  cli_stdio_open();
  cli_failed_writes();
  if (cli_app_is_one()) {
    return cli_run_app(argc, argv);
  }
  int status = 2;
  if (cli_parse(argc, argv, &options)) {
    status = options.action == CLI_HELP      ? cli_help()
             : options.action == CLI_VERSION ? cli_version()
                                             : cli_run(argc, argv, &options);
  }
  cli_permissions_free(&options.permissions);
  return status;
}
