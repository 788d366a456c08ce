/* What the editor puts on the screen, and the texts for it; see editor_state.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "editor_state.h"

wchar_t *cli_editor_to_wide(const char *text) {
  size_t size = text != NULL ? strlen(text) + 1 : 0;
  wchar_t *wide = size > 0 ? malloc(size * sizeof *wide) : NULL;
  if (wide != NULL && mbstowcs(wide, text, size) == (size_t)-1) {
    free(wide);
    return NULL;
  }
  return wide;
}

char *cli_editor_to_text(const wchar_t *wide, size_t length) {
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

void cli_editor_write(const char *text, size_t length) {
  while (length > 0) {
    ssize_t count = write(STDOUT_FILENO, text, length);
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return;
    }
    text += count > 0 ? count : 0;
    length -= count > 0 ? (size_t)count : 0;
  }
}

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
  const LineInfoW *info = cli_editor.api->el_wline(cli_editor.line);
  int columns = columns_of_terminal(), row = 0;
  int column = (int)wcslen(cli_editor.prompt);
  for (const wchar_t *at = info->buffer; at < info->cursor; at++) {
    column = *at == L'\n' ? columns : column + width_of(*at);
    if (column >= columns) {
      row++;
      column -= columns;
    }
  }
  return row;
}

void cli_editor_wipe(void) {
  char text[32];
  int row = row_of_cursor();
  int length = row > 0 ? snprintf(text, sizeof text, "\r\033[%dA\033[J", row)
                       : snprintf(text, sizeof text, "\r\033[J");
  cli_editor_write(text, (size_t)length);
}

void cli_editor_draw(void) {
  cli_editor.api->el_set(cli_editor.line, EL_REFRESH);
}
