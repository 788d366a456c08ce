/* The thread on which libedit runs. It holds the lock, but for where it waits;
 * it tells the loop's side what happened, and never touches Lua. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "editor_state.h"

static void deliver(luge_host *host, void *data) {
  (void)host;
  (void)data;
  cli_editor.notify();
}

static void tell(enum cli_editor_event event, char *text) {
  free(cli_editor.text);
  cli_editor.event = event;
  cli_editor.text = text;
  luge_post(cli_editor.host, deliver, NULL);
}

static void drain_wake(void) {
  char bytes[16];
  while (read(cli_editor.wake[0], bytes, sizeof bytes) > 0) {
  }
}

/* Reads a byte. 1; 0 at the end of the input; -1: the line was given up. */
static int read_byte(char *byte) {
  for (;;) {
    struct pollfd polled[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = cli_editor.wake[0], .events = POLLIN}};
    uv_mutex_unlock(&cli_editor.mutex);
    int count = poll(polled, 2, -1);
    uv_mutex_lock(&cli_editor.mutex);
    if (cli_editor.aborted || cli_editor.closing) {
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
int cli_editor_read_key(EditLine *line, wchar_t *key) {
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
  if (cli_editor.list != NULL) {
    cli_editor_wipe();
    cli_editor_write(cli_editor.list, strlen(cli_editor.list));
  }
  if (cli_editor.insertion != NULL) {
    cli_editor.api->el_winsertstr(cli_editor.line, cli_editor.insertion);
  }
  free(cli_editor.insertion);
  free(cli_editor.list);
  cli_editor.insertion = NULL;
  cli_editor.list = NULL;
}

unsigned char cli_editor_on_tab(EditLine *line, wint_t key) {
  const LineInfoW *info = cli_editor.api->el_wline(line);
  bool listed;
  (void)key;
  cli_editor.state = CLI_EDITOR_ASKING;
  cli_editor.answered = false;
  tell(CLI_EDITOR_TAB,
       cli_editor_to_text(info->buffer, (size_t)(info->cursor - info->buffer)));
  while (!cli_editor.answered && !cli_editor.closing && !cli_editor.aborted) {
    uv_cond_wait(&cli_editor.wanted, &cli_editor.mutex);
  }
  cli_editor.state = CLI_EDITOR_EDITING;
  listed = cli_editor.list != NULL;
  take_answer();
  if (listed) {
    cli_editor_draw();
    return CC_NORM;
  }
  return CC_REFRESH;
}

static void edit_line(void) {
  int length = 0;
  cli_editor.asked = false;
  cli_editor.state = CLI_EDITOR_EDITING;
  const wchar_t *line = cli_editor.api->el_wgets(cli_editor.line, &length);
  cli_editor.state = CLI_EDITOR_IDLE;
  if (cli_editor.aborted) {
    cli_editor.aborted = false;
    drain_wake();
    cli_editor_write("^C\n", 3);
    tell(CLI_EDITOR_INTERRUPT, NULL);
  } else if (line == NULL || length <= 0) {
    cli_editor_write("\n", 1);
    tell(CLI_EDITOR_END, NULL);
  } else {
    bool whole = line[length - 1] == L'\n';
    tell(CLI_EDITOR_LINE, cli_editor_to_text(line, (size_t)(length - whole)));
  }
}

void cli_editor_run(void *data) {
  (void)data;
  uv_mutex_lock(&cli_editor.mutex);
  while (!cli_editor.closing) {
    if (cli_editor.asked) {
      edit_line();
    } else {
      uv_cond_wait(&cli_editor.wanted, &cli_editor.mutex);
    }
  }
  uv_mutex_unlock(&cli_editor.mutex);
}
