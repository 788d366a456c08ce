/* Names of hosts; see address.h. */
#include <string.h>

#include "address.h"

enum { LABEL_MAX = 63 };

/* The underscore is no letter of a host's name, but those of services have it,
 * and resolvers take it. */
static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static const char *copy_labels(const char *text, size_t length, char *name) {
  size_t label = 0;
  for (size_t i = 0; i < length; i++) {
    char c = lower(text[i]);
    if (c == '.' && label == 0) {
      return "a label of it is empty";
    }
    if (c != '.' && !is_letter(c)) {
      return "it holds a character that no name has";
    }
    label = c == '.' ? 0 : label + 1;
    if (label > LABEL_MAX) {
      return "a label of it has more than 63 bytes";
    }
    name[i] = c;
  }
  name[length] = '\0';
  return label == 0 ? "a label of it is empty" : NULL;
}

const char *luge__host_normalize(const char *text, size_t length,
                                 char name[LUGE_HOST_MAX + 1]) {
  if (length == 0) {
    return "it is empty";
  }
  if (length > 1 && text[length - 1] == '.') {
    length--;
  }
  if (length > LUGE_HOST_MAX) {
    return "it has more than 253 bytes";
  }
  return copy_labels(text, length, name);
}

bool luge__host_is_local(const char *name) {
  static const char local[] = "localhost";
  size_t length = strlen(name), n = sizeof local - 1;
  return length >= n && strcmp(name + length - n, local) == 0 &&
         (length == n || name[length - n - 1] == '.');
}
