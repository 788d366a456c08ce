/* The standard descriptors: what a host prints goes there. */
#ifndef LUGE_CLI_STDIO_H
#define LUGE_CLI_STDIO_H

#include <luge.h>
#include <stdbool.h>

/* Opens those of the descriptors 0 to 2 that are closed, so that nothing else
 * is ever taken for them: standard input is empty then, and writing fails. */
void cli_stdio_open(void);

/* Callbacks of luge_options. */
int cli_on_output(luge_host *host, enum luge_stream which, const char *bytes,
                  size_t length, void *user);
size_t cli_output_room(luge_host *host, enum luge_stream which, void *user);

/* Writes to standard error, as far as that works. */
void cli_complain(const char *bytes, size_t length);

/* Before luge_close: stops watching the descriptors, and puts them back as they
 * were. From now on output blocks. */
void cli_stdio_close(void);

/* 0, or the errno for which standard output failed. */
int cli_stdout_error(void);

#endif
