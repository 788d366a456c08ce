/* See script.h. The text begins behind a byte order mark and a first line that
 * begins with "#", whose end is kept so that the lines count right. What is
 * plainly not text is refused here, in words that are kinder than Lua's. */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <luge.h>

enum { FIRST_CAPACITY = 16384, LOOKED_AT = 8192 };

static bool complain(const char *verb, const char *path, int error) {
  fprintf(stderr, "luge: cannot %s %s: %s\n", verb,
          path != NULL ? path : "standard input", strerror(error));
  return false;
}

static bool refuse(const char *path, const char *what) {
  fprintf(stderr, "luge: %s is %s\n", path != NULL ? path : "standard input",
          what);
  return false;
}

static bool grow(struct cli_script *script, size_t *capacity) {
  size_t size = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
  char *bytes = realloc(script->bytes, size);
  if (bytes != NULL) {
    script->bytes = bytes;
    *capacity = size;
  }
  return bytes != NULL;
}

/* Returns 0 or an errno. */
static int read_all(struct cli_script *script, int fd) {
  size_t capacity = 0;
  for (;;) {
    if (script->length == capacity && !grow(script, &capacity)) {
      return ENOMEM;
    }
    ssize_t count =
        read(fd, script->bytes + script->length, capacity - script->length);
    if (count == 0) {
      return 0;
    }
    if (count < 0 && errno != EINTR) {
      return errno;
    }
    script->length += count > 0 ? (size_t)count : 0;
  }
}

static void skip(struct cli_script *script, size_t count) {
  script->text += count;
  script->length -= count;
}

static void skip_first_line(struct cli_script *script) {
  script->text = script->bytes;
  if (script->length >= 3 && memcmp(script->text, "\xEF\xBB\xBF", 3) == 0) {
    skip(script, 3);
  }
  if (script->length > 0 && script->text[0] == '#') {
    const char *end = memchr(script->text, '\n', script->length);
    skip(script, end != NULL ? (size_t)(end - script->text) : script->length);
  }
}

static bool is_text(const struct cli_script *script, const char *path) {
  size_t size = sizeof LUA_SIGNATURE - 1;
  if (script->length >= size &&
      memcmp(script->text, LUA_SIGNATURE, size) == 0) {
    return refuse(path, "compiled Lua: luge runs source text only");
  }
  size_t looked_at = script->length < LOOKED_AT ? script->length : LOOKED_AT;
  if (memchr(script->text, '\0', looked_at) != NULL) {
    return refuse(path, "not a text file");
  }
  return true;
}

/* `kind` is "@" for a file's name, "=" for any other. */
static bool set_name(struct cli_script *script, char kind, const char *name) {
  size_t size = strlen(name) + 2;
  script->name = malloc(size);
  if (script->name == NULL) {
    return complain("read", name, ENOMEM);
  }
  snprintf(script->name, size, "%c%s", kind, name);
  return true;
}

bool cli_script_read(struct cli_script *script, const char *path) {
  *script = (struct cli_script){.bytes = NULL};
  int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
  if (fd < 0) {
    return complain("open", path, errno);
  }
  int error = read_all(script, fd);
  if (path != NULL) {
    close(fd);
  }
  if (error != 0) {
    return complain("read", path, error);
  }
  skip_first_line(script);
  return is_text(script, path) && set_name(script, path != NULL ? '@' : '=',
                                           path != NULL ? path : "stdin");
}

bool cli_script_use(struct cli_script *script, const char *text,
                    const char *name) {
  *script = (struct cli_script){.text = text, .length = strlen(text)};
  return set_name(script, '=', name);
}

void cli_script_free(struct cli_script *script) {
  free(script->bytes);
  free(script->name);
}
