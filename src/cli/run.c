/* See run.h. The script is read before signals are handled: until it runs they
 * do what they do to any process. */
#include "run.h"

#include <errno.h>
#include <luge.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "audit.h"
#include "build_lua.h"
#include "cjson.h"
#include "editor.h"
#include "editor_lua.h"
#include "reference.h"
#include "report.h"
#include "script.h"
#include "signals.h"
#include "stdio.h"
#include "subcommands.h"

struct job {
  int argc;
  char **argv;
  const struct cli_options *options;
  luge_host *host;
  int status;  /* of what was run last */
  int refused; /* the exit status if the permissions make no sense */
  bool failed;
  bool prompt;               /* goes on at the prompt */
  const struct cli_app *app; /* what runs was built; or NULL */
};

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  struct job *job = user;
  (void)host;
  job->failed = true;
  cli_report_error(message, traceback);
}

/* The first argument after the options, or NULL. */
static const char *operand_of(const struct job *job) {
  int operand = job->options->operand;
  return operand < job->argc ? job->argv[operand] : NULL;
}

/* A subcommand runs no script of the user's itself, only in processes that it
 * starts. */
static bool runs_scripts(const struct job *job) {
  return job->options->action != CLI_COMMAND || job->options->test_file != 0;
}

/* The file beside which the script's modules are; or NULL. */
static const char *path_of_script(const struct job *job) {
  int test_file = job->options->test_file;
  return job->app != NULL ? NULL
         : test_file != 0 ? job->argv[test_file]
                          : operand_of(job);
}

static luge_host *open_host(struct job *job) {
  const struct cli_options *options = job->options;
  luge_options host_options = {.size = sizeof host_options,
                               .memory_limit = options->memory_limit,
                               .user = job,
                               .slow = options->slow,
                               .output = cli_on_output,
                               .output_room = cli_output_room,
                               .line_buffered = isatty(STDOUT_FILENO),
                               .signals = 1,
                               .on_error = on_error,
                               .log = cli_on_log,
                               .record = cli_on_record};
  luge_host *host = luge_open(&host_options);
  if (host == NULL) {
    fprintf(stderr, "luge: not enough memory or file descriptors to start\n");
  }
  return host;
}

/* The global `arg`, as Lua's own command sets it: the script has index 0, or
 * the command if there is no script; what stands before is below. */
static void set_arg(lua_State *L, const struct job *job) {
  int script = job->options->operand < job->argc ? job->options->operand : 0;
  lua_createtable(L, job->argc - script, script + 1);
  for (int i = 0; i < job->argc; i++) {
    lua_pushstring(L, job->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

/* `require` looks beside the script first, wherever luge was started. */
static void set_path(lua_State *L, const char *script) {
  const char *slash = strrchr(script, '/');
  lua_pushlstring(L, slash != NULL ? script : ".",
                  slash != NULL ? (size_t)(slash - script) : 1);
  const char *folder = lua_tostring(L, -1);
  if (strpbrk(folder, ";?") != NULL) { /* the path has no form for it */
    return;
  }
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder, folder,
                  lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
}

static int prepare_lua(lua_State *L) {
  const struct job *job = lua_touserdata(L, 1);
  const char *script = runs_scripts(job) ? path_of_script(job) : NULL;
  set_arg(L, job);
  if (script != NULL && strcmp(script, "-") != 0) {
    set_path(L, script);
  }
  if (job->app != NULL) {
    cli_app_install(L, job->app);
  }
  cli_preload_cjson(L);
  cli_preload_reference(L);
  return 0;
}

static bool prepare(struct job *job) {
  lua_State *L = luge_lua(job->host);
  if (!runs_scripts(job) && cli_build_register(job->host) != LUGE_OK) {
    cli_report_error("not enough memory", NULL);
    return false;
  }
  lua_pushcfunction(L, prepare_lua);
  lua_pushlightuserdata(L, job);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    cli_report_error(lua_tostring(L, -1), NULL);
    return false;
  }
  return cli_signals_start(job->host, job->options->timeout);
}

/* Says whether the next may run. */
static bool run_text(struct job *job, const char *text, size_t length,
                     const char *name, int first_argument) {
  if (cli_stop_signal() != 0) {
    return false;
  }
  int count = first_argument < job->argc ? job->argc - first_argument : 0;
  job->status =
      luge_run_string(job->host, text, length, name, count,
                      (const char *const *)job->argv + first_argument);
  return job->status == LUGE_OK && !job->failed;
}

static bool run_code(const char *code, void *user) {
  struct job *job = user;
  return run_text(job, code, strlen(code), "=(command line)", job->argc);
}

static bool load_env_file(const char *path, void *user) {
  static const char code[] = "require('luge.env').load((...))";
  struct job *job = user;
  if (cli_stop_signal() != 0) {
    return false;
  }
  job->status =
      luge_run_string(job->host, code, sizeof code - 1, "=luge.env", 1, &path);
  return job->status == LUGE_OK && !job->failed;
}

/* Applies the permissions, before anything of the user's runs. Whether scripts
 * may run. */
static bool restrict_host(struct job *job) {
  const struct cli_permissions *permissions = &job->options->permissions;
  if (runs_scripts(job) &&
      (permissions->restricted || permissions->audit != NULL)) {
    job->refused =
        cli_permissions_apply(job->host, permissions, path_of_script(job));
  }
  return job->refused == 0;
}

/* A test file, as a script, is read without permission. */
static bool read_tests(struct job *job) {
  static const char code[] = "require('luge.internal.test_run').read((...))";
  const char *path = path_of_script(job);
  if (job->options->test_file == 0) {
    return true;
  }
  job->status =
      luge_run_string(job->host, code, sizeof code - 1, "=(test)", 1, &path);
  return job->status == LUGE_OK && !job->failed;
}

/* The prompt, on a terminal or not. An error of what was typed does not make
 * the command fail. */
static void run_prompt(struct job *job) {
  static const char code[] = "require 'luge.internal.repl' ()";
  if (cli_editor_register(job->host) == LUGE_OK) {
    run_text(job, code, sizeof code - 1, "=(prompt)", job->argc);
    job->failed = false;
  }
}

/* Does what the options ask for, in their order, but sets the variables first.
 * An executable that was built has no options on its command line. */
static bool run_options(struct job *job) {
  if (job->app != NULL) {
    return restrict_host(job);
  }
  return cli_each_env_file(job->argc, job->argv, load_env_file, job) &&
         read_tests(job) && restrict_host(job) &&
         cli_each_code(job->argc, job->argv, run_code, job);
}

static void run_all(struct job *job, const struct cli_script *script) {
  int first_argument = job->options->operand + 1;
  if (run_options(job) &&
      (script->text == NULL || run_text(job, script->text, script->length,
                                        script->name, first_argument)) &&
      job->prompt) {
    run_prompt(job);
  }
}

/* A signal outweighs the script's own status, and a failed output outweighs
 * success. */
static int exit_status(const struct job *job, int code) {
  int stopped = cli_stop_signal(), error = cli_stdout_error();
  if (stopped == SIGALRM) {
    fputs(cli_time_is_up(), stderr);
    return 124;
  }
  if (stopped != 0 || error == EPIPE) {
    return 128 + (stopped != 0 ? stopped : SIGPIPE);
  }
  if (job->refused != 0) {
    return job->refused;
  }
  if (error != 0) {
    fprintf(stderr, "luge: cannot write to standard output: %s\n",
            strerror(error));
  }
  if (job->status == LUGE_EXIT) {
    return code != 0 ? code : error != 0 || cli_audit_failed();
  }
  return job->status != LUGE_OK || job->failed || error != 0 ||
         cli_audit_failed();
}

static int run_in_host(struct job *job, const struct cli_script *script) {
  job->host = open_host(job);
  if (job->host == NULL) {
    return 1;
  }
  bool prepared = prepare(job);
  if (prepared) {
    run_all(job, script);
    cli_editor_close();
    cli_signals_stop();
    cli_stdio_close();
  }
  int code = luge_exit_code(job->host);
  cli_signals_close(job->host);
  return prepared ? exit_status(job, code) : 1;
}

/* A subcommand is a script that is not read from a file. */
static bool use_subcommand(struct cli_script *script, const char *name) {
  const struct cli_subcommand *command = cli_find_subcommand(name);
  if (command->code == NULL) {
    cli_usage_error("'luge %s' is not part of this version; a script of that "
                    "name is './%s'",
                    name, name);
    return false;
  }
  return cli_script_use(script, command->code, command->name);
}

/* Where the script comes from. Returns 0, or the exit status. */
static int find_script(struct job *job, struct cli_script *script) {
  const struct cli_options *options = job->options;
  const char *path = operand_of(job);
  if (options->action == CLI_COMMAND && options->interactive) {
    return cli_usage_error("option '-i' goes with a script, not with '%s'",
                           path);
  }
  if (options->action == CLI_COMMAND) {
    return use_subcommand(script, path) ? 0 : 2;
  }
  job->prompt = options->interactive ||
                (path == NULL && !options->has_code && isatty(STDIN_FILENO));
  if (path == NULL && (options->has_code || job->prompt)) {
    return 0;
  }
  bool is_stdin =
      path == NULL || (strcmp(path, "-") == 0 && !options->literal_dash);
  return cli_script_read(script, is_stdin ? NULL : path) ? 0 : 1;
}

int cli_run(int argc, char **argv, const struct cli_options *options) {
  struct job job = {.argc = argc, .argv = argv, .options = options};
  struct cli_script script = {.bytes = NULL};
  int status = find_script(&job, &script);
  if (status == 0) {
    status = run_in_host(&job, &script);
  }
  cli_script_free(&script);
  return status;
}

int cli_run_app(int argc, char **argv) {
  struct cli_app app;
  struct cli_options options = {.action = CLI_RUN};
  struct cli_script script = {.bytes = NULL};
  int status = 1;
  if (cli_app_read(&app) &&
      cli_parse(app.option_count, app.options, &options) &&
      cli_app_script(&app, &script)) {
    struct job job = {
        .argc = argc, .argv = argv, .options = &options, .app = &app};
    options.operand = 0; /* arg[0] is the executable */
    status = run_in_host(&job, &script);
  }
  cli_script_free(&script);
  cli_permissions_free(&options.permissions);
  cli_app_free(&app);
  return status;
}
