/* The loop's side of the editor; see editor.h. */
#include "editor.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>
#include <wchar.h>

#include "editor_state.h"
#include "history.h"
#include "libedit.h"

struct cli_editor cli_editor;

void cli_editor_ask(const char *prompt) {
  uv_mutex_lock(&cli_editor.mutex);
  if (cli_editor.state == CLI_EDITOR_IDLE) {
    size_t length = mbstowcs(cli_editor.prompt, prompt, CLI_EDITOR_PROMPT - 1);
    cli_editor.prompt[length != (size_t)-1 ? length : 0] = L'\0';
    cli_editor.asked = true;
    uv_cond_signal(&cli_editor.wanted);
  }
  uv_mutex_unlock(&cli_editor.mutex);
}

void cli_editor_answer(const char *insertion, const char *list) {
  uv_mutex_lock(&cli_editor.mutex);
  cli_editor.insertion = cli_editor_to_wide(insertion);
  cli_editor.list = list != NULL ? strdup(list) : NULL;
  cli_editor.answered = true;
  uv_cond_signal(&cli_editor.wanted);
  uv_mutex_unlock(&cli_editor.mutex);
}

enum cli_editor_event cli_editor_event(const char **text, size_t *length) {
  uv_mutex_lock(&cli_editor.mutex);
  enum cli_editor_event event = cli_editor.event;
  *text = cli_editor.text != NULL ? cli_editor.text : "";
  *length = strlen(*text);
  uv_mutex_unlock(&cli_editor.mutex);
  return event;
}

static void add_entry(const char *entry, void *user) {
  HistEventW event;
  wchar_t *wide = cli_editor_to_wide(entry);
  (void)user;
  if (wide != NULL) {
    cli_editor.api->history_w(cli_editor.history, &event, H_ENTER, wide);
    free(wide);
  }
}

void cli_editor_remember(const char *entry) {
  uv_mutex_lock(&cli_editor.mutex);
  add_entry(entry, NULL);
  uv_mutex_unlock(&cli_editor.mutex);
}

static void wake_thread(void) {
  (void)!write(cli_editor.wake[1], "", 1);
  uv_cond_signal(&cli_editor.wanted);
}

bool cli_editor_interrupt(void) {
  if (!cli_editor.is_open) {
    return false;
  }
  uv_mutex_lock(&cli_editor.mutex);
  bool edits = cli_editor.state != CLI_EDITOR_IDLE || cli_editor.asked;
  if (edits) {
    cli_editor.aborted = true;
    wake_thread();
  }
  uv_mutex_unlock(&cli_editor.mutex);
  return edits;
}

bool cli_editor_is_open(void) {
  return cli_editor.is_open;
}

void cli_editor_make_way(void) {
  uv_mutex_lock(&cli_editor.mutex);
  if (cli_editor.state != CLI_EDITOR_IDLE) {
    cli_editor_wipe();
  }
}

void cli_editor_come_back(char last) {
  if (cli_editor.state != CLI_EDITOR_IDLE) {
    if (last != '\n') {
      cli_editor_write("\n", 1);
    }
    cli_editor_draw();
  }
  uv_mutex_unlock(&cli_editor.mutex);
}

/* The window's size has changed, or another program has used the terminal. */
static void on_change(uv_signal_t *handle, int number) {
  (void)handle;
  uv_mutex_lock(&cli_editor.mutex);
  if (cli_editor.state != CLI_EDITOR_IDLE) {
    if (number == SIGWINCH) {
      cli_editor_wipe();
      cli_editor.api->el_resize(cli_editor.line);
    } else {
      cli_editor.api->el_set(cli_editor.line, EL_PREP_TERM, 0);
      cli_editor.api->el_set(cli_editor.line, EL_PREP_TERM, 1);
    }
    cli_editor_draw();
  }
  uv_mutex_unlock(&cli_editor.mutex);
}

void cli_editor_reset_terminal(void) {
  if (cli_editor.is_open) {
    tcsetattr(STDIN_FILENO, TCSANOW, &cli_editor.saved);
  }
}

/* Opening and closing. */

static wchar_t *prompt_of(EditLine *line) {
  (void)line;
  return cli_editor.prompt;
}

static void bind_keys(void) {
  static const char *const keys[][2] = {
      {"^I", "luge-complete"},       {"^R", "em-inc-search-prev"},
      {"^W", "ed-delete-prev-word"}, {"\033[3~", "ed-delete-next-char"},
      {"\033[1~", "ed-move-to-beg"}, {"\033[4~", "ed-move-to-end"},
      {"\033[H", "ed-move-to-beg"},  {"\033[F", "ed-move-to-end"},
      {"\033[1;5D", "ed-prev-word"}, {"\033[1;5C", "em-next-word"},
      {"\033[A", "ed-prev-history"}, {"\033[B", "ed-next-history"}};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    cli_editor.api->el_set(cli_editor.line, EL_BIND, keys[i][0], keys[i][1],
                           (char *)NULL);
  }
}

static bool open_libedit(void) {
  const struct cli_libedit *api = cli_editor.api;
  HistEventW event;
  cli_editor.line = api->el_init("luge", stdin, stdout, stderr);
  cli_editor.history = api->history_winit();
  if (cli_editor.line == NULL || cli_editor.history == NULL) {
    return false;
  }
  api->history_w(cli_editor.history, &event, H_SETSIZE, CLI_HISTORY_ENTRIES);
  api->history_w(cli_editor.history, &event, H_SETUNIQUE, 1);
  api->el_wset(cli_editor.line, EL_EDITOR, L"emacs");
  api->el_wset(cli_editor.line, EL_PROMPT, prompt_of);
  api->el_wset(cli_editor.line, EL_HIST, api->history_w, cli_editor.history);
  api->el_wset(cli_editor.line, EL_GETCFN, cli_editor_read_key);
  api->el_wset(cli_editor.line, EL_ADDFN, L"luge-complete", L"complete a name",
               cli_editor_on_tab);
  bind_keys();
  api->el_source(cli_editor.line, NULL);
  cli_history_read(add_entry, NULL);
  return true;
}

static bool fits_terminal(void) {
  const char *kind = getenv("TERM");
  return kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0 &&
         isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
         tcgetattr(STDIN_FILENO, &cli_editor.saved) == 0;
}

/* Characters beyond ASCII need a locale that has them. */
static void set_locale(void) {
  if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1) {
    setlocale(LC_CTYPE, "C.UTF-8");
  }
}

static void watch(uv_signal_t *handle, int number) {
  uv_signal_init(luge_loop(cli_editor.host), handle);
  uv_signal_start(handle, on_change, number);
  uv_unref((uv_handle_t *)handle);
}

/* All signals are for the loop's thread. */
static bool start_thread(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started =
      uv_thread_create(&cli_editor.thread, cli_editor_run, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

static bool open_pipe(void) {
  return uv_pipe(cli_editor.wake, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE) == 0;
}

bool cli_editor_open(luge_host *host, void (*notify)(void)) {
  if (!fits_terminal() || (cli_editor.api = cli_libedit_load()) == NULL) {
    return false;
  }
  set_locale();
  cli_editor.host = host;
  cli_editor.notify = notify;
  if (!open_pipe() || uv_mutex_init(&cli_editor.mutex) != 0 ||
      uv_cond_init(&cli_editor.wanted) != 0 || !open_libedit() ||
      !start_thread()) {
    return false;
  }
  watch(&cli_editor.resized, SIGWINCH);
  watch(&cli_editor.continued, SIGCONT);
  cli_editor.is_open = 1;
  return true;
}

void cli_editor_close(void) {
  if (!cli_editor.is_open) {
    return;
  }
  uv_mutex_lock(&cli_editor.mutex);
  bool edits = cli_editor.state != CLI_EDITOR_IDLE;
  cli_editor.closing = true;
  wake_thread();
  uv_mutex_unlock(&cli_editor.mutex);
  uv_thread_join(&cli_editor.thread);
  cli_editor.is_open = 0;
  uv_close((uv_handle_t *)&cli_editor.resized, NULL);
  uv_close((uv_handle_t *)&cli_editor.continued, NULL);
  cli_editor.api->history_wend(cli_editor.history);
  cli_editor.api->el_end(cli_editor.line);
  tcsetattr(STDIN_FILENO, TCSANOW, &cli_editor.saved);
  if (edits) {
    cli_editor_write("\n", 1);
  }
  free(cli_editor.text);
  uv_cond_destroy(&cli_editor.wanted);
  uv_mutex_destroy(&cli_editor.mutex);
  close(cli_editor.wake[0]);
  close(cli_editor.wake[1]);
}
