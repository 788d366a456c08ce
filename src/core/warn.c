/* See warn.h. */
#include "warn.h"

#include <string.h>

#include "host.h"

static void append(struct luge_warning *warning, const char *piece) {
  size_t room = sizeof warning->text - 1 - warning->length;
  size_t length = strlen(piece);
  length = length < room ? length : room;
  memcpy(warning->text + warning->length, piece, length);
  warning->length += length;
  warning->text[warning->length] = '\0';
}

/* A message in one piece that begins with an @; unknown ones say nothing. */
static void control(struct luge_warning *warning, const char *message) {
  if (strcmp(message, "@on") == 0) {
    warning->is_on = true;
  } else if (strcmp(message, "@off") == 0) {
    warning->is_on = false;
  }
}

static void on_warning(void *user, const char *message, int goes_on) {
  struct luge_host *host = user;
  struct luge_warning *warning = &host->warning;
  bool is_first = !warning->goes_on;
  warning->goes_on = goes_on != 0;
  if (is_first && !goes_on && message[0] == '@') {
    control(warning, message);
    return;
  }
  append(warning, message);
  if (!goes_on) {
    warning->length = 0;
    if (warning->is_on) {
      luge__log(host, LUGE_LOG_WARN, warning->text);
    }
  }
}

void luge__warn_open(lua_State *L) {
  lua_setwarnf(L, on_warning, luge__host(L));
}
