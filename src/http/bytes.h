/* A growable byte buffer over a caller's allocator.
 *
 * Parsers keep in one what a chunk of input ends in the middle of. The
 * allocator is shaped like lua_Alloc, so that a host's memory limit counts
 * these bytes; a failed growth leaves the buffer as it was. */
#ifndef LUGE_HTTP_BYTES_H
#define LUGE_HTTP_BYTES_H

#include <stddef.h>

/* `fn(ud, block, old_size, new_size)`; a new size of 0 frees. */
struct luge__memory {
  void *(*fn)(void *ud, void *block, size_t old_size, size_t new_size);
  void *ud;
};

struct luge__bytes {
  char *ptr;
  size_t len;
  size_t cap;
};

/* Makes room for `extra` bytes after `len`; 0 when memory ran out. Growth is
 * geometric: appending byte by byte takes linear time. */
int luge__bytes_reserve(struct luge__bytes *b, const struct luge__memory *m,
                        size_t extra);

/* Appends `n` bytes, which may not lie in the buffer itself; 0 when memory
 * ran out. */
int luge__bytes_append(struct luge__bytes *b, const struct luge__memory *m,
                       const void *bytes, size_t n);

/* Frees what the buffer holds and leaves it empty. */
void luge__bytes_free(struct luge__bytes *b, const struct luge__memory *m);

#endif
