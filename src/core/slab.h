/* Small blocks of memory, for a host that has no allocator of the embedder's.
 *
 * Lua makes and frees many small blocks, and says how large each one was. So a
 * list of free blocks for each size is enough: no header, and no search as in
 * malloc, at a tenth of the cost.
 *
 * Blocks are cut from pages, which are freed together with the host: memory
 * that one size took at its peak is not used for another. Loop thread only. */
#ifndef LUGE_CORE_SLAB_H
#define LUGE_CORE_SLAB_H

#include <stddef.h>

enum {
  LUGE_SLAB_STEP = 16, /* sizes are multiples of it */
  LUGE_SLAB_MAX = 512, /* larger ones are malloc's */
  LUGE_SLAB_SIZES = LUGE_SLAB_MAX / LUGE_SLAB_STEP
};

struct luge_slab_block { /* a free one */
  struct luge_slab_block *next;
};

struct luge_slab_page;

/* Begins with all zero. */
struct luge_slab {
  struct luge_slab_block *free[LUGE_SLAB_SIZES];
  char *at, *end; /* what is left of the newest page */
  struct luge_slab_page *pages;
};

/* AddressSanitizer watches the blocks of malloc only. */
#if defined(__SANITIZE_ADDRESS__)
#define LUGE_SLAB_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LUGE_SLAB_OFF 1
#endif
#endif
#ifndef LUGE_SLAB_OFF
#define LUGE_SLAB_OFF 0
#endif

static inline int luge__slab_takes(size_t size) {
  return size <= LUGE_SLAB_MAX && !LUGE_SLAB_OFF;
}

/* Which list has the blocks for a size, which is at least 1. */
static inline size_t luge__slab_class(size_t size) {
  return (size - 1) / LUGE_SLAB_STEP;
}

/* The slow paths of the next two: no block of the size is free, and the block
 * is malloc's. */
void *luge__slab_make(struct luge_slab *slab, size_t size);
void luge__slab_drop(void *ptr);

/* A block of `size` bytes, at least 1. NULL: out of memory. */
static inline void *luge__slab_get(struct luge_slab *slab, size_t size) {
  size_t place = luge__slab_class(size);
  if (!luge__slab_takes(size) || slab->free[place] == NULL) {
    return luge__slab_make(slab, size);
  }
  struct luge_slab_block *block = slab->free[place];
  slab->free[place] = block->next;
  return block;
}

/* Takes back a block of `size` bytes. */
static inline void luge__slab_put(struct luge_slab *slab, void *ptr,
                                  size_t size) {
  if (!luge__slab_takes(size)) {
    luge__slab_drop(ptr);
    return;
  }
  struct luge_slab_block *block = ptr;
  size_t place = luge__slab_class(size);
  block->next = slab->free[place];
  slab->free[place] = block;
}

/* Changes the size of a block, which may move; neither size is 0. NULL: out of
 * memory; then the block stays as it was. */
void *luge__slab_resize(struct luge_slab *slab, void *ptr, size_t old_size,
                        size_t new_size);

/* Frees the pages, and with them all small blocks. */
void luge__slab_free(struct luge_slab *slab);

#endif
