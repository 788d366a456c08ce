/* See blocks.h. */
#include "blocks.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 32 * 1024 };

struct luge_block_page {
  struct luge_block_page *next;
  size_t unused; /* for what follows to be aligned */
};

/* What is left of the newest page becomes a block of the size that it has. */
static int add_page(struct luge_blocks *blocks) {
  struct luge_block_page *page = malloc(PAGE);
  if (page == NULL) {
    return 0;
  }
  size_t left = (size_t)(blocks->end - blocks->at);
  if (left > 0) {
    luge__blocks_put(blocks, blocks->at, left);
  }
  page->next = blocks->pages;
  blocks->pages = page;
  blocks->at = (char *)(page + 1);
  blocks->end = (char *)page + PAGE;
  return 1;
}

void *luge__blocks_make(struct luge_blocks *blocks, size_t size) {
  if (!luge__block_is_small(size)) {
    return malloc(size);
  }
  size_t whole = (luge__block_place(size) + 1) * LUGE_BLOCK_STEP;
  if ((size_t)(blocks->end - blocks->at) < whole && !add_page(blocks)) {
    return NULL;
  }
  void *made = blocks->at;
  blocks->at += whole;
  return made;
}

void luge__blocks_drop(void *ptr) {
  free(ptr);
}

void *luge__blocks_resize(struct luge_blocks *blocks, void *ptr,
                          size_t old_size, size_t new_size) {
  int was_small = luge__block_is_small(old_size);
  int is_small = luge__block_is_small(new_size);
  if (!was_small && !is_small) {
    return realloc(ptr, new_size);
  }
  if (was_small && is_small &&
      luge__block_place(old_size) == luge__block_place(new_size)) {
    return ptr;
  }
  void *moved = luge__blocks_get(blocks, new_size);
  if (moved != NULL) {
    memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
    luge__blocks_put(blocks, ptr, old_size);
  }
  return moved;
}

void luge__blocks_free(struct luge_blocks *blocks) {
  while (blocks->pages != NULL) {
    struct luge_block_page *page = blocks->pages;
    blocks->pages = page->next;
    free(page);
  }
}
