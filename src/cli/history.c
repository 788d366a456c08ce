/* The file of what was typed; see history.h. */
#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of old entries that are not worth another file. */
enum { SLACK = 65536 };

/* Makes the directories above the file's name; they are the user's alone. */
static void make_directories(char *path) {
  for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
    *at = '\0';
    mkdir(path, 0700);
    *at = '/';
  }
}

/* The path with `suffix`; false: there is no place for it. */
static bool find_path(char path[PATH_MAX], const char *suffix) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  int length = -1;
  if (state != NULL && state[0] == '/') {
    length = snprintf(path, PATH_MAX, "%s/luge/history%s", state, suffix);
  } else if (home != NULL && home[0] == '/') {
    length = snprintf(path, PATH_MAX, "%s/.local/state/luge/history%s", home,
                      suffix);
  }
  return length > 0 && length < PATH_MAX;
}

static bool write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = write(fd, bytes, length);
    if (count < 0 && errno != EINTR) {
      return false;
    }
    bytes += count > 0 ? count : 0;
    length -= count > 0 ? (size_t)count : 0;
  }
  return true;
}

/* The last bytes of the file, from the beginning of a line on; malloc'ed. */
static char *read_tail(const char *path, off_t *size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status;
  char *text = NULL;
  if (fd < 0) {
    return NULL;
  }
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    off_t from = status.st_size > CLI_HISTORY_BYTES
                     ? status.st_size - CLI_HISTORY_BYTES
                     : 0;
    text = malloc(CLI_HISTORY_BYTES + 1);
    ssize_t length =
        text != NULL ? pread(fd, text, CLI_HISTORY_BYTES, from) : 0;
    if (text != NULL) {
      text[length > 0 ? length : 0] = '\0';
      char *line = from > 0 ? strchr(text, '\n') : NULL;
      if (line != NULL) {
        memmove(text, line + 1, strlen(line + 1) + 1);
      }
    }
    *size = status.st_size;
  }
  close(fd);
  return text;
}

/* Where the newest entries begin. */
static char *newest(char *text) {
  char *at = text + strlen(text);
  int lines = 0;
  while (at > text && lines <= CLI_HISTORY_ENTRIES) {
    lines += *--at == '\n';
  }
  return lines > CLI_HISTORY_ENTRIES ? at + 1 : at;
}

/* A new file in the place of one that has grown. */
static void rewrite(const char *path, const char *text) {
  char temporary[PATH_MAX];
  if (!find_path(temporary, ".new")) {
    return;
  }
  int fd = open(temporary,
                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return;
  }
  bool written = write_all(fd, text, strlen(text));
  close(fd);
  if (!written || rename(temporary, path) != 0) {
    unlink(temporary);
  }
}

static void unescape(char *line) {
  char *to = line;
  for (const char *from = line; *from != '\0'; from++) {
    if (*from == '\\' && from[1] != '\0') {
      from++;
      *to++ = *from == 'n' ? '\n' : *from;
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
}

void cli_history_read(void (*each)(const char *entry, void *user), void *user) {
  char path[PATH_MAX];
  off_t size = 0;
  char *text = find_path(path, "") ? read_tail(path, &size) : NULL;
  if (text == NULL) {
    return;
  }
  char *first = newest(text), *end;
  if (size > 2 * CLI_HISTORY_BYTES || first - text > SLACK) {
    rewrite(path, first);
  }
  for (char *line = first; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    unescape(line);
    each(line, user);
  }
  free(text);
}

/* One write, so that sessions do not mix their entries. */
void cli_history_add(const char *entry, size_t length) {
  char path[PATH_MAX];
  char *line = find_path(path, "") ? malloc(2 * length + 1) : NULL;
  if (line == NULL) {
    return;
  }
  size_t size = 0;
  for (size_t i = 0; i < length; i++) {
    if (entry[i] == '\n' || entry[i] == '\\') {
      line[size++] = '\\';
    }
    line[size++] = entry[i] == '\n' ? 'n' : entry[i];
  }
  line[size++] = '\n';
  make_directories(path);
  int fd =
      open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd >= 0) {
    write_all(fd, line, size);
    close(fd);
  }
  free(line);
}
