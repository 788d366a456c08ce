/* Small blocks of memory, for a host's own allocator. Lua makes and frees many,
 * and says how large they were: so a list of free ones for each size does,
 * where malloc has to look and to join neighbours. A block costs a tenth of
 * what it does there, and has no header.
 *
 * Blocks come from pages that are freed with the host: what one size has had at
 * its peak stays with it. Loop thread only. */
#ifndef LUGE_CORE_BLOCKS_H
#define LUGE_CORE_BLOCKS_H

#include <stddef.h>

enum {
  LUGE_BLOCK_STEP = 16, /* sizes are multiples of it */
  LUGE_BLOCK_MAX = 512, /* larger ones are malloc's */
  LUGE_BLOCK_SIZES = LUGE_BLOCK_MAX / LUGE_BLOCK_STEP
};

struct luge_free_block {
  struct luge_free_block *next;
};

struct luge_block_page;

/* All zero at first. */
struct luge_blocks {
  struct luge_free_block *free[LUGE_BLOCK_SIZES];
  char *at, *end; /* what is left of the newest page */
  struct luge_block_page *pages;
};

/* A sanitizer is to see each block by itself. */
#if defined(__SANITIZE_ADDRESS__)
#define LUGE_SEE_BLOCKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LUGE_SEE_BLOCKS 1
#endif
#endif
#ifndef LUGE_SEE_BLOCKS
#define LUGE_SEE_BLOCKS 0
#endif

static inline int luge__block_is_small(size_t size) {
  return size <= LUGE_BLOCK_MAX && !LUGE_SEE_BLOCKS;
}

/* The place of a size from 1 on in the lists. */
static inline size_t luge__block_place(size_t size) {
  return (size - 1) / LUGE_BLOCK_STEP;
}

/* What the next two do with a size of which none is free, and with large
 * ones. */
void *luge__blocks_make(struct luge_blocks *blocks, size_t size);
void luge__blocks_drop(void *ptr);

/* A block of `size` bytes, at least 1. NULL: out of memory. */
static inline void *luge__blocks_get(struct luge_blocks *blocks, size_t size) {
  size_t place = luge__block_place(size);
  if (!luge__block_is_small(size) || blocks->free[place] == NULL) {
    return luge__blocks_make(blocks, size);
  }
  struct luge_free_block *block = blocks->free[place];
  blocks->free[place] = block->next;
  return block;
}

/* Gives a block back that has `size` bytes. */
static inline void luge__blocks_put(struct luge_blocks *blocks, void *ptr,
                                    size_t size) {
  if (!luge__block_is_small(size)) {
    luge__blocks_drop(ptr);
    return;
  }
  struct luge_free_block *block = ptr;
  size_t place = luge__block_place(size);
  block->next = blocks->free[place];
  blocks->free[place] = block;
}

/* Changes the size of a block, which may move; neither size is 0. NULL: out of
 * memory, and it stays as it was. */
void *luge__blocks_resize(struct luge_blocks *blocks, void *ptr,
                          size_t old_size, size_t new_size);

/* Frees the pages, and with them all small blocks. */
void luge__blocks_free(struct luge_blocks *blocks);

#endif
