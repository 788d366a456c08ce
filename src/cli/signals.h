/* The signals of the command, and the time that --timeout gives. The handlers
 * interrupt Lua where it runs, and wake the loop where it does not: from there
 * the main task is cancelled. One host at a time: handlers have no argument. */
#ifndef LUGE_CLI_SIGNALS_H
#define LUGE_CLI_SIGNALS_H

#include <luge.h>
#include <stdbool.h>

/* Before anything is written: a closed pipe, or a file that would be larger
 * than RLIMIT_FSIZE, is an error and no signal. */
void cli_failed_writes(void);

/* Handles SIGINT, SIGTERM and SIGUSR1 from now on, and cancels the script
 * after `timeout` seconds, unless that is 0. False: told on standard error
 * why not. */
bool cli_signals_start(luge_host *host, double timeout);

/* From now on SIGINT calls `fn` from the loop instead. If something keeps the
 * loop from turning, SIGINT only interrupts that. */
void cli_signals_ask(void (*fn)(void));

/* Before luge_close: from now on SIGINT and SIGTERM end the process at once. */
void cli_signals_stop(void);

/* luge_close. After one of them, or when the time is up, it ends the process
 * half a second after the last task, if other threads are still at work. */
void cli_signals_close(luge_host *host);

/* SIGINT, SIGTERM, SIGALRM (the time is up), or 0: what came first. */
int cli_stop_signal(void);

/* What is said of the last one. */
const char *cli_time_is_up(void);

#endif
