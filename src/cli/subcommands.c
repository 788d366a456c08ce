/* The table of subcommands; see subcommands.h. */
#include "subcommands.h"

#include <stddef.h>
#include <string.h>

static const struct cli_subcommand subcommands[] = {
    {"build", "require 'luge.internal.build_command' (...)"},
    {"help", "require 'luge.internal.help_command' (...)"},
    {"test", "require 'luge.internal.test_command' (...)"},
    {"trace", NULL},
};

const struct cli_subcommand *cli_find_subcommand(const char *name) {
  for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++) {
    if (strcmp(subcommands[i].name, name) == 0) {
      return &subcommands[i];
    }
  }
  return NULL;
}
