/* The editor of lines at the prompt: libedit, on a thread of its own, since it
 * waits for keys wherever it likes to. The thread holds a lock while it works,
 * and not while it waits for a key; who prints meanwhile takes the lock, wipes
 * away the line that is being typed, and has it drawn again below. All of these
 * functions are the loop's thread's. One prompt in a process. */
#ifndef LUGE_CLI_EDITOR_H
#define LUGE_CLI_EDITOR_H

#include <luge.h>
#include <stdbool.h>
#include <stddef.h>

enum cli_editor_event {
  CLI_EDITOR_LINE,      /* was entered: the text */
  CLI_EDITOR_TAB,       /* wants an answer: the text before the cursor */
  CLI_EDITOR_INTERRUPT, /* the line was given up */
  CLI_EDITOR_END        /* of the input */
};

/* Starts it, unless the standard streams are no terminal that can be edited
 * on. `notify` is called on the loop's thread for each event. */
bool cli_editor_open(luge_host *host, void (*notify)(void));

/* Asks for a line, or, after a tab, goes on; then there will be one event.
 * The prompt is UTF-8. */
void cli_editor_ask(const char *prompt);

/* What is put in at the cursor, after a tab, and what is shown above the line;
 * either may be NULL. */
void cli_editor_answer(const char *insertion, const char *list);

/* The last event; its text is malloc'ed UTF-8 until the next is asked for. */
enum cli_editor_event cli_editor_event(const char **text, size_t *length);

/* Puts an entry in front of the others. */
void cli_editor_remember(const char *entry);

/* Gives up the line that is being typed. False: there is none. */
bool cli_editor_interrupt(void);

bool cli_editor_is_open(void);

/* Around what is written to the terminal, if it is open: `last` is the last
 * byte of that. */
void cli_editor_make_way(void);
void cli_editor_come_back(char last);

/* Puts the terminal back as it was. Fit for signal handlers. */
void cli_editor_reset_terminal(void);

/* Before luge_close. Again does nothing. */
void cli_editor_close(void);

#endif
