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

struct luge_free_block;
struct luge_block_page;

/* All zero at first. */
struct luge_blocks {
  struct luge_free_block *free[LUGE_BLOCK_SIZES];
  char *at, *end; /* what is left of the newest page */
  struct luge_block_page *pages;
};

/* As lua_Alloc, but `old_size` is 0 without a block. */
void *luge__blocks_realloc(struct luge_blocks *blocks, void *ptr,
                           size_t old_size, size_t new_size);

/* Frees the pages, and with them all small blocks. */
void luge__blocks_free(struct luge_blocks *blocks);

#endif
