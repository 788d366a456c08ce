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

/* Whether blocks of that size are the slab's, and not malloc's. */
static inline int luge__slab_takes(size_t size) {
  return size - 1 < LUGE_SLAB_MAX && !LUGE_SLAB_OFF;
}

/* Which list has the blocks for a size that the slab takes. */
static inline size_t luge__slab_class(size_t size) {
  return (size - 1) / LUGE_SLAB_STEP;
}

/* Whether luge__slab_take has one. */
static inline int luge__slab_has(const struct luge_slab *slab, size_t size) {
  return luge__slab_takes(size) && slab->free[luge__slab_class(size)] != NULL;
}

/* The free block of that size that was given last. */
static inline void *luge__slab_take(struct luge_slab *slab, size_t size) {
  struct luge_slab_block **free = &slab->free[luge__slab_class(size)];
  struct luge_slab_block *block = *free;
  *free = block->next;
  return block;
}

/* Makes a block free that the slab takes. */
static inline void luge__slab_give(struct luge_slab *slab, void *ptr,
                                   size_t size) {
  struct luge_slab_block **free = &slab->free[luge__slab_class(size)];
  struct luge_slab_block *block = ptr;
  block->next = *free;
  *free = block;
}

/* A block of any size from 1 on. NULL: out of memory. */
void *luge__slab_get(struct luge_slab *slab, size_t size);

/* Takes back a block of `size` bytes. */
void luge__slab_put(struct luge_slab *slab, void *ptr, size_t size);

/* Changes the size of a block, which may move; neither size is 0. NULL: out of
 * memory; then the block stays as it was. */
void *luge__slab_resize(struct luge_slab *slab, void *ptr, size_t old_size,
                        size_t new_size);

/* Frees the pages, and with them all small blocks. */
void luge__slab_free(struct luge_slab *slab);

#endif
