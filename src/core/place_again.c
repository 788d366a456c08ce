/* Places for what opens files by name, and not by a descriptor; see place.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

int luge__place_again(struct luge_place *place, const char *real) {
  int error = luge__place_find(place, real, false);
  bool other = place->path != NULL && strcmp(place->path, real) != 0;
  return error == 0 && other ? ELOOP : error;
}

#if defined(__linux__)

static const char descriptors[] = "/proc/self/fd";

bool luge__descriptor_alias(int fd, const char *name, char *text, size_t size) {
  int length = snprintf(text, size, "%s/%d%s%s", descriptors, fd,
                        name != NULL ? "/" : "", name != NULL ? name : "");
  return length > 0 && (size_t)length < size && access(descriptors, X_OK) == 0;
}

#else

bool luge__descriptor_alias(int fd, const char *name, char *text, size_t size) {
  (void)fd;
  (void)name;
  (void)text;
  (void)size;
  return false;
}

#endif
