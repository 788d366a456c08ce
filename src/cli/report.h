/* What the command has to say on standard error. */
#ifndef LUGE_CLI_REPORT_H
#define LUGE_CLI_REPORT_H

#include <luge.h>

/* Prints an error; `traceback` may be NULL. */
void cli_report_error(const char *message, const char *traceback);

/* Says on standard error that the command was used wrongly; returns 2. */
int cli_usage_error(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A callback of luge_options. */
void cli_on_log(luge_host *host, enum luge_log_level level, const char *message,
                void *user);

/* What a script logs: text on a terminal, lines of JSON elsewhere. */
void cli_on_record(luge_host *host, enum luge_log_level level, const char *text,
                   const char *json, void *user);

/* Prints every task and what it waits for. */
void cli_report_tasks(luge_host *host);

#endif
