/* See options.h. Options end at the first argument that is none, or at "--";
 * what comes behind belongs to the script. A value is the next argument, or
 * stands behind a "=". */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "subcommands.h"

/* A number of seconds above 0. */
static bool set_seconds(double *seconds, const char *value) {
  char *end;
  *seconds = strtod(value, &end);
  return end != value && *end == '\0' && isfinite(*seconds) && *seconds > 0;
}

static bool set_timeout(struct cli_options *options, const char *value) {
  return set_seconds(&options->timeout, value);
}

static bool set_slow(struct cli_options *options, const char *value) {
  return set_seconds(&options->slow, value);
}

/* How many times 1024 a suffix ("M", "MB", "MiB") stands for; -1: it is
 * none. */
static int powers(const char *suffix) {
  static const char letters[] = "KMG";
  if (suffix[0] == '\0') {
    return 0;
  }
  const char *letter = strchr(letters, suffix[0]), *rest = suffix + 1;
  bool whole =
      rest[0] == '\0' || strcmp(rest, "B") == 0 || strcmp(rest, "iB") == 0;
  return letter == NULL || !whole ? -1 : (int)(letter - letters) + 1;
}

static bool set_memory_limit(struct cli_options *options, const char *value) {
  char *end;
  errno = 0;
  unsigned long long number = strtoull(value, &end, 10);
  int shift = 10 * powers(end);
  if (value[0] < '0' || value[0] > '9' || errno != 0 || shift < 0 ||
      number == 0 || number > SIZE_MAX >> shift) {
    return false;
  }
  options->memory_limit = (size_t)number << shift;
  return true;
}

static bool set_code(struct cli_options *options, const char *value) {
  (void)value;
  options->has_code = true;
  return true;
}

static bool set_interactive(struct cli_options *options, const char *value) {
  (void)value;
  options->interactive = true;
  return true;
}

/* Read again once the host is open. */
static bool set_env_file(struct cli_options *options, const char *value) {
  (void)options;
  return value[0] != '\0';
}

static bool set_sandbox(struct cli_options *options, const char *value) {
  (void)value;
  options->permissions.restricted = true;
  return true;
}

static bool set_audit(struct cli_options *options, const char *value) {
  options->permissions.audit = value;
  return value[0] != '\0';
}

static bool set_help(struct cli_options *options, const char *value) {
  (void)value;
  options->action = CLI_HELP;
  return true;
}

static bool set_version(struct cli_options *options, const char *value) {
  (void)value;
  options->action = CLI_VERSION;
  return true;
}

struct option {
  const char *name;
  const char *operand; /* what it takes, as the help calls it; or NULL */
  const char *takes;   /* the same in words */
  bool (*set)(struct cli_options *options, const char *value);
};

static const struct option known[] = {
    {"-e", "CODE", "Lua code", set_code},
    {"-i", NULL, NULL, set_interactive},
    {"--env-file", "FILE", "the name of a file", set_env_file},
    {"--timeout", "SECONDS", "a number of seconds above 0", set_timeout},
    {"--slow", "SECONDS", "a number of seconds above 0", set_slow},
    {"--memory-limit", "BYTES",
     "a number of bytes above 0, which K, M or G may follow", set_memory_limit},
    {"--sandbox", NULL, NULL, set_sandbox},
    {"--audit", "FILE", "the name of a file", set_audit},
    {"--help", NULL, NULL, set_help},
    {"--version", NULL, NULL, set_version},
};

/* Options that are planned: named as such in the error, and never ignored. */
static bool comes_later(const char *name, size_t length) {
  static const char *const names[] = {"--trace"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
      return true;
    }
  }
  return false;
}

/* The length of an option's name, without a value behind "=" or "-e". */
static size_t name_length(const char *argument) {
  return argument[1] == '-'   ? strcspn(argument, "=")
         : argument[1] == 'e' ? 2
                              : strlen(argument);
}

static const struct option *find(const char *argument, size_t length) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strlen(known[i].name) == length &&
        memcmp(known[i].name, argument, length) == 0) {
      return &known[i];
    }
  }
  return NULL;
}

static bool is_option(const char *argument) {
  return argument[0] == '-' && argument[1] != '\0' &&
         strcmp(argument, "--") != 0;
}

/* The value of the option at *index, which then is that of the last argument
 * that it takes; NULL: there is none. */
static const char *value_of(int argc, char **argv, int *index, size_t length) {
  const char *rest = argv[*index] + length;
  if (rest[0] != '\0') {
    return rest + (rest[0] == '=' && argv[*index][1] == '-');
  }
  return *index + 1 < argc ? argv[++*index] : NULL;
}

static bool unknown(const char *argument, size_t length) {
  if (comes_later(argument, length)) {
    cli_usage_error("option '%.*s' is not part of this version", (int)length,
                    argument);
  } else {
    cli_usage_error("unknown option '%.*s'", (int)length, argument);
  }
  return false;
}

/* Reads the option at *index, and goes to the last argument that it takes. */
static bool parse_option(int argc, char **argv, int *index,
                         struct cli_options *options) {
  const char *argument = argv[*index];
  size_t length = name_length(argument);
  const struct option *option = find(argument, length);
  if (cli_is_permission(argument, length)) {
    return cli_take_permission(&options->permissions, argument, length);
  }
  if (option == NULL) {
    return unknown(argument, length);
  }
  const char *value = NULL;
  if (option->operand != NULL) {
    value = value_of(argc, argv, index, length);
    if (value == NULL) {
      cli_usage_error("option '%s' needs %s", option->name, option->operand);
      return false;
    }
  } else if (argument[length] != '\0') {
    cli_usage_error("option '%s' takes no value", option->name);
    return false;
  }
  if (!option->set(options, value)) {
    cli_usage_error("option '%s' takes %s, not '%s'", option->name,
                    option->takes, value);
    return false;
  }
  return true;
}

/* What `luge test` starts for each file; see test_command.lua. */
static int test_file_of(int argc, char **argv, int operand) {
  return operand + 2 < argc && strcmp(argv[operand], "test") == 0 &&
                 strcmp(argv[operand + 1], "--child") == 0
             ? operand + 2
             : 0;
}

/* Those for tests are those of each file. */
static bool check_permissions(const struct cli_options *options,
                              const char *subcommand) {
  const struct cli_permissions *given = &options->permissions;
  if ((given->restricted || given->audit != NULL) &&
      strcmp(subcommand, "test") != 0) {
    cli_usage_error("permissions are for scripts: 'luge %s' takes none",
                    subcommand);
    return false;
  }
  return true;
}

bool cli_parse(int argc, char **argv, struct cli_options *options) {
  *options = (struct cli_options){.action = CLI_RUN};
  int i = 1;
  for (; i < argc && is_option(argv[i]); i++) {
    if (!parse_option(argc, argv, &i, options)) {
      return false;
    }
    if (options->action != CLI_RUN) {
      return true;
    }
  }
  if (i < argc && strcmp(argv[i], "--") == 0) {
    options->literal_dash = true;
    i++;
  } else if (i < argc && cli_find_subcommand(argv[i]) != NULL) {
    options->action = CLI_COMMAND;
    options->test_file = test_file_of(argc, argv, i);
    if (!check_permissions(options, argv[i])) {
      return false;
    }
  }
  options->operand = i;
  return true;
}

/* The values of the option that `set` reads. */
static bool each_value(int argc, char **argv,
                       bool (*set)(struct cli_options *, const char *),
                       bool (*each)(const char *value, void *user),
                       void *user) {
  for (int i = 1; i < argc && is_option(argv[i]); i++) {
    size_t length = name_length(argv[i]);
    const struct option *option = find(argv[i], length);
    const char *value = option != NULL && option->operand != NULL
                            ? value_of(argc, argv, &i, length)
                            : NULL;
    if (option != NULL && option->set == set && !each(value, user)) {
      return false;
    }
  }
  return true;
}

bool cli_each_code(int argc, char **argv,
                   bool (*each)(const char *code, void *user), void *user) {
  return each_value(argc, argv, set_code, each, user);
}

bool cli_each_env_file(int argc, char **argv,
                       bool (*each)(const char *path, void *user), void *user) {
  return each_value(argc, argv, set_env_file, each, user);
}
