/* An allocator for a host that fails when it is told to, and counts what is not
 * given back. */
#ifndef TESTS_FAILING_MEMORY_H
#define TESTS_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct memory {
  long left;     /* allocations until one fails; negative: none will */
  long failures; /* how many then fail, one after the other; negative: all */
  bool failed;
  size_t live; /* bytes */
};

/* For luge_options.alloc; `data` is a struct memory. */
static inline void *allocate(void *data, void *ptr, size_t old_size,
                             size_t new_size) {
  struct memory *memory = (struct memory *)data;
  size_t old = ptr != NULL ? old_size : 0;
  if (new_size == 0) {
    free(ptr);
    memory->live -= old;
    return NULL;
  }
  if (new_size > old && memory->left >= 0 && memory->left-- == 0) {
    memory->failed = true;
    memory->left = --memory->failures == 0 ? -1 : 0;
    return NULL;
  }
  void *block = realloc(ptr, new_size);
  memory->live += new_size - old;
  return block;
}

#endif
