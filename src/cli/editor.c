/* The editor of lines; see editor.h. */
#include "editor.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>
#include <wchar.h>

#include "history.h"
#include "libedit.h"

enum { PROMPT = 64 };

enum state {
  IDLE,    /* no line is asked for */
  EDITING, /* in el_wgets: the line is on the screen */
  ASKING   /* the same, while a tab waits for its answer */
};

static struct {
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
  enum state state;
  bool asked, answered, aborted, closing;
  wchar_t prompt[PROMPT];
  wchar_t *insertion;
  char *list;
  enum cli_editor_event event;
  char *text; /* of the event */
} editor;

/* Text. Both are malloc'ed; NULL: no memory, or no text. */

static wchar_t *to_wide(const char *text) {
  size_t size = text != NULL ? strlen(text) + 1 : 0;
  wchar_t *wide = size > 0 ? malloc(size * sizeof *wide) : NULL;
  if (wide != NULL && mbstowcs(wide, text, size) == (size_t)-1) {
    free(wide);
    return NULL;
  }
  return wide;
}

static char *to_text(const wchar_t *wide, size_t length) {
  mbstate_t state = {0};
  char *text = malloc(length * MB_CUR_MAX + 1), *end = text;
  for (size_t i = 0; text != NULL && i < length; i++) {
    size_t size = wcrtomb(end, wide[i], &state);
    end += size != (size_t)-1 ? size : 0;
  }
  if (text != NULL) {
    *end = '\0';
  }
  return text;
}

static void write_terminal(const char *text, size_t length) {
  while (length > 0) {
    ssize_t count = write(STDOUT_FILENO, text, length);
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return;
    }
    text += count > 0 ? count : 0;
    length -= count > 0 ? (size_t)count : 0;
  }
}

/* The screen. */

static int columns_of_terminal(void) {
  struct winsize size;
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

/* Columns that libedit takes for a character: "^X" for a control character. */
static int width_of(wchar_t character) {
  int width = wcwidth(character);
  return width < 0 ? 2 : width;
}

/* The row of the cursor, from that of the prompt. */
static int row_of_cursor(void) {
  const LineInfoW *info = editor.api->el_wline(editor.line);
  int columns = columns_of_terminal(), row = 0;
  int column = (int)wcslen(editor.prompt);
  for (const wchar_t *at = info->buffer; at < info->cursor; at++) {
    column = *at == L'\n' ? columns : column + width_of(*at);
    if (column >= columns) {
      row++;
      column -= columns;
    }
  }
  return row;
}

static void wipe(void) {
  char text[32];
  int row = row_of_cursor();
  int length = row > 0 ? snprintf(text, sizeof text, "\r\033[%dA\033[J", row)
                       : snprintf(text, sizeof text, "\r\033[J");
  write_terminal(text, (size_t)length);
}

static void draw(void) {
  editor.api->el_set(editor.line, EL_REFRESH);
}

/* The thread. It holds the lock, but for where it waits. */

static void deliver(luge_host *host, void *data) {
  (void)host;
  (void)data;
  editor.notify();
}

static void tell(enum cli_editor_event event, char *text) {
  free(editor.text);
  editor.event = event;
  editor.text = text;
  luge_post(editor.host, deliver, NULL);
}

static void drain_wake(void) {
  char bytes[16];
  while (read(editor.wake[0], bytes, sizeof bytes) > 0) {
  }
}

/* 1; 0 at the end of the input; -1: the line is given up. */
static int read_byte(char *byte) {
  for (;;) {
    struct pollfd polled[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = editor.wake[0], .events = POLLIN}};
    uv_mutex_unlock(&editor.mutex);
    int count = poll(polled, 2, -1);
    uv_mutex_lock(&editor.mutex);
    if (editor.aborted || editor.closing) {
      return -1;
    }
    if (count > 0 && polled[1].revents != 0) {
      drain_wake();
    }
    if (count > 0 && polled[0].revents != 0) {
      ssize_t size = read(STDIN_FILENO, byte, 1);
      if (size >= 0 || (errno != EINTR && errno != EAGAIN)) {
        return size > 0;
      }
    }
  }
}

/* As libedit asks for a key: bytes that are no character are left out. */
static int read_key(EditLine *line, wchar_t *key) {
  mbstate_t state = {0};
  char byte;
  (void)line;
  for (;;) {
    int status = read_byte(&byte);
    if (status != 1) {
      return status;
    }
    size_t size = mbrtowc(key, &byte, 1, &state);
    if (size == (size_t)-1) {
      memset(&state, 0, sizeof state);
    } else if (size != (size_t)-2) {
      return 1;
    }
  }
}

static void take_answer(void) {
  if (editor.list != NULL) {
    wipe();
    write_terminal(editor.list, strlen(editor.list));
  }
  if (editor.insertion != NULL) {
    editor.api->el_winsertstr(editor.line, editor.insertion);
  }
  free(editor.insertion);
  free(editor.list);
  editor.insertion = NULL;
  editor.list = NULL;
}

static unsigned char on_tab(EditLine *line, wint_t key) {
  const LineInfoW *info = editor.api->el_wline(line);
  bool listed;
  (void)key;
  editor.state = ASKING;
  editor.answered = false;
  tell(CLI_EDITOR_TAB,
       to_text(info->buffer, (size_t)(info->cursor - info->buffer)));
  while (!editor.answered && !editor.closing && !editor.aborted) {
    uv_cond_wait(&editor.wanted, &editor.mutex);
  }
  editor.state = EDITING;
  listed = editor.list != NULL;
  take_answer();
  if (listed) {
    draw();
    return CC_NORM;
  }
  return CC_REFRESH;
}

static void edit_line(void) {
  int length = 0;
  editor.asked = false;
  editor.state = EDITING;
  const wchar_t *line = editor.api->el_wgets(editor.line, &length);
  editor.state = IDLE;
  if (editor.aborted) {
    editor.aborted = false;
    drain_wake();
    write_terminal("^C\n", 3);
    tell(CLI_EDITOR_INTERRUPT, NULL);
  } else if (line == NULL || length <= 0) {
    write_terminal("\n", 1);
    tell(CLI_EDITOR_END, NULL);
  } else {
    bool whole = line[length - 1] == L'\n';
    tell(CLI_EDITOR_LINE, to_text(line, (size_t)(length - whole)));
  }
}

static void run(void *data) {
  (void)data;
  uv_mutex_lock(&editor.mutex);
  while (!editor.closing) {
    if (editor.asked) {
      edit_line();
    } else {
      uv_cond_wait(&editor.wanted, &editor.mutex);
    }
  }
  uv_mutex_unlock(&editor.mutex);
}

/* The loop's thread. */

void cli_editor_ask(const char *prompt) {
  uv_mutex_lock(&editor.mutex);
  if (editor.state == IDLE) {
    size_t length = mbstowcs(editor.prompt, prompt, PROMPT - 1);
    editor.prompt[length != (size_t)-1 ? length : 0] = L'\0';
    editor.asked = true;
    uv_cond_signal(&editor.wanted);
  }
  uv_mutex_unlock(&editor.mutex);
}

void cli_editor_answer(const char *insertion, const char *list) {
  uv_mutex_lock(&editor.mutex);
  editor.insertion = to_wide(insertion);
  editor.list = list != NULL ? strdup(list) : NULL;
  editor.answered = true;
  uv_cond_signal(&editor.wanted);
  uv_mutex_unlock(&editor.mutex);
}

enum cli_editor_event cli_editor_event(const char **text, size_t *length) {
  uv_mutex_lock(&editor.mutex);
  enum cli_editor_event event = editor.event;
  *text = editor.text != NULL ? editor.text : "";
  *length = strlen(*text);
  uv_mutex_unlock(&editor.mutex);
  return event;
}

static void add_entry(const char *entry, void *user) {
  HistEventW event;
  wchar_t *wide = to_wide(entry);
  (void)user;
  if (wide != NULL) {
    editor.api->history_w(editor.history, &event, H_ENTER, wide);
    free(wide);
  }
}

void cli_editor_remember(const char *entry) {
  uv_mutex_lock(&editor.mutex);
  add_entry(entry, NULL);
  uv_mutex_unlock(&editor.mutex);
}

static void wake_thread(void) {
  (void)!write(editor.wake[1], "", 1);
  uv_cond_signal(&editor.wanted);
}

bool cli_editor_interrupt(void) {
  if (!editor.is_open) {
    return false;
  }
  uv_mutex_lock(&editor.mutex);
  bool edits = editor.state != IDLE || editor.asked;
  if (edits) {
    editor.aborted = true;
    wake_thread();
  }
  uv_mutex_unlock(&editor.mutex);
  return edits;
}

bool cli_editor_is_open(void) {
  return editor.is_open;
}

void cli_editor_make_way(void) {
  uv_mutex_lock(&editor.mutex);
  if (editor.state != IDLE) {
    wipe();
  }
}

void cli_editor_come_back(char last) {
  if (editor.state != IDLE) {
    if (last != '\n') {
      write_terminal("\n", 1);
    }
    draw();
  }
  uv_mutex_unlock(&editor.mutex);
}

/* The size has changed, or another program has had the terminal. */
static void on_change(uv_signal_t *handle, int number) {
  (void)handle;
  uv_mutex_lock(&editor.mutex);
  if (editor.state != IDLE) {
    if (number == SIGWINCH) {
      wipe();
      editor.api->el_resize(editor.line);
    } else {
      editor.api->el_set(editor.line, EL_PREP_TERM, 0);
      editor.api->el_set(editor.line, EL_PREP_TERM, 1);
    }
    draw();
  }
  uv_mutex_unlock(&editor.mutex);
}

void cli_editor_reset_terminal(void) {
  if (editor.is_open) {
    tcsetattr(STDIN_FILENO, TCSANOW, &editor.saved);
  }
}

/* Opening and closing. */

static wchar_t *prompt_of(EditLine *line) {
  (void)line;
  return editor.prompt;
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
    editor.api->el_set(editor.line, EL_BIND, keys[i][0], keys[i][1],
                       (char *)NULL);
  }
}

static bool open_libedit(void) {
  const struct cli_libedit *api = editor.api;
  HistEventW event;
  editor.line = api->el_init("luge", stdin, stdout, stderr);
  editor.history = api->history_winit();
  if (editor.line == NULL || editor.history == NULL) {
    return false;
  }
  api->history_w(editor.history, &event, H_SETSIZE, CLI_HISTORY_ENTRIES);
  api->history_w(editor.history, &event, H_SETUNIQUE, 1);
  api->el_wset(editor.line, EL_EDITOR, L"emacs");
  api->el_wset(editor.line, EL_PROMPT, prompt_of);
  api->el_wset(editor.line, EL_HIST, api->history_w, editor.history);
  api->el_wset(editor.line, EL_GETCFN, read_key);
  api->el_wset(editor.line, EL_ADDFN, L"luge-complete", L"complete a name",
               on_tab);
  bind_keys();
  api->el_source(editor.line, NULL);
  cli_history_read(add_entry, NULL);
  return true;
}

static bool fits_terminal(void) {
  const char *kind = getenv("TERM");
  return kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0 &&
         isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
         tcgetattr(STDIN_FILENO, &editor.saved) == 0;
}

/* Characters beyond ASCII need a locale that has them. */
static void set_locale(void) {
  if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1) {
    setlocale(LC_CTYPE, "C.UTF-8");
  }
}

static void watch(uv_signal_t *handle, int number) {
  uv_signal_init(luge_loop(editor.host), handle);
  uv_signal_start(handle, on_change, number);
  uv_unref((uv_handle_t *)handle);
}

/* All signals are for the loop's thread. */
static bool start_thread(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = uv_thread_create(&editor.thread, run, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

static bool open_pipe(void) {
  return uv_pipe(editor.wake, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE) == 0;
}

bool cli_editor_open(luge_host *host, void (*notify)(void)) {
  if (!fits_terminal() || (editor.api = cli_libedit_load()) == NULL) {
    return false;
  }
  set_locale();
  editor.host = host;
  editor.notify = notify;
  if (!open_pipe() || uv_mutex_init(&editor.mutex) != 0 ||
      uv_cond_init(&editor.wanted) != 0 || !open_libedit() || !start_thread()) {
    return false;
  }
  watch(&editor.resized, SIGWINCH);
  watch(&editor.continued, SIGCONT);
  editor.is_open = 1;
  return true;
}

void cli_editor_close(void) {
  if (!editor.is_open) {
    return;
  }
  uv_mutex_lock(&editor.mutex);
  bool edits = editor.state != IDLE;
  editor.closing = true;
  wake_thread();
  uv_mutex_unlock(&editor.mutex);
  uv_thread_join(&editor.thread);
  editor.is_open = 0;
  uv_close((uv_handle_t *)&editor.resized, NULL);
  uv_close((uv_handle_t *)&editor.continued, NULL);
  editor.api->history_wend(editor.history);
  editor.api->el_end(editor.line);
  tcsetattr(STDIN_FILENO, TCSANOW, &editor.saved);
  if (edits) {
    write_terminal("\n", 1);
  }
  free(editor.text);
  uv_cond_destroy(&editor.wanted);
  uv_mutex_destroy(&editor.mutex);
  close(editor.wake[0]);
  close(editor.wake[1]);
}
