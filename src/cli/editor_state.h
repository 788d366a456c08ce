/* What the files of the editor share, and nobody else sees: its state, and how
 * the thread and the loop's side change the screen. See editor.h. */
#ifndef LUGE_CLI_EDITOR_STATE_H
#define LUGE_CLI_EDITOR_STATE_H

#include <signal.h>
#include <termios.h>
#include <uv.h>
#include <wchar.h>

#include "editor.h"
#include "libedit.h"

enum { CLI_EDITOR_PROMPT = 64 };

enum cli_editor_state {
  CLI_EDITOR_IDLE,    /* no line is asked for */
  CLI_EDITOR_EDITING, /* in el_wgets: the line is on the screen */
  CLI_EDITOR_ASKING   /* the same, while a tab waits for its answer */
};

extern struct cli_editor {
  const struct cli_libedit *api;
  EditLine *line;
  HistoryW *history;
  luge_host *host;
  void (*notify)(void);
  uv_thread_t thread;
  uv_signal_t resized, continued;
  struct termios saved;
  volatile sig_atomic_t is_open;

  uv_mutex_t mutex; /* of all that follows, and of the line */
  uv_cond_t wanted;
  int wake[2]; /* a pipe: the thread is to look at the flags */
  enum cli_editor_state state;
  bool asked, answered, aborted, closing;
  wchar_t prompt[CLI_EDITOR_PROMPT];
  wchar_t *insertion;
  char *list;
  enum cli_editor_event event;
  char *text; /* of the event */
} cli_editor;

/* Text, malloc'ed; NULL: no memory, or no text. */
wchar_t *cli_editor_to_wide(const char *text);
char *cli_editor_to_text(const wchar_t *wide, size_t length);

/* The screen, by whoever holds the lock. */
void cli_editor_write(const char *text, size_t length);
void cli_editor_wipe(void); /* the line that is being typed */
void cli_editor_draw(void); /* it again */

/* libedit's calls for a key, and at a tab; on the thread. */
int cli_editor_read_key(EditLine *line, wchar_t *key);
unsigned char cli_editor_on_tab(EditLine *line, wint_t key);

/* The thread: hands lines out until the editor is closing. */
void cli_editor_run(void *data);

#endif
