/* What was typed at the prompt, kept in a file from one session to the next:
 * $XDG_STATE_HOME/luge/history (~/.local/state), which nobody else may read.
 * An entry is a line, in which a newline is written as \n and a backslash
 * twice. Each is appended as it is entered, so that no session takes anything
 * from another one, and a kill loses nothing; a file that has grown
 * is cut when it is read. */
#ifndef LUGE_CLI_HISTORY_H
#define LUGE_CLI_HISTORY_H

#include <stddef.h>

enum { CLI_HISTORY_ENTRIES = 1000, CLI_HISTORY_BYTES = 1 << 20 };

/* Calls `each` with the newest entries, oldest first. Where there is no file,
 * or none can be read, there are none. */
void cli_history_read(void (*each)(const char *entry, void *user), void *user);

/* Adds one; what cannot be written is not kept. */
void cli_history_add(const char *entry, size_t length);

#endif
