/* See blocks.h. */
#include "blocks.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 32 * 1024 };

struct luge_free_block {
  struct luge_free_block *next;
};

struct luge_block_page {
  struct luge_block_page *next;
  size_t unused; /* for what follows to be aligned */
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

static int is_small(size_t size) {
  return size <= LUGE_BLOCK_MAX && !LUGE_SEE_BLOCKS;
}

/* The place of a size from 1 on in the lists. */
static size_t place_of(size_t size) {
  return (size - 1) / LUGE_BLOCK_STEP;
}

static void put(struct luge_blocks *blocks, void *ptr, size_t place) {
  struct luge_free_block *block = ptr;
  block->next = blocks->free[place];
  blocks->free[place] = block;
}

/* What is left of the newest page becomes a block of the size that it has. */
static int add_page(struct luge_blocks *blocks) {
  struct luge_block_page *page = malloc(PAGE);
  if (page == NULL) {
    return 0;
  }
  size_t left = (size_t)(blocks->end - blocks->at);
  if (left > 0) {
    put(blocks, blocks->at, place_of(left));
  }
  page->next = blocks->pages;
  blocks->pages = page;
  blocks->at = (char *)(page + 1);
  blocks->end = (char *)page + PAGE;
  return 1;
}

static void *get(struct luge_blocks *blocks, size_t place) {
  struct luge_free_block *block = blocks->free[place];
  if (block != NULL) {
    blocks->free[place] = block->next;
    return block;
  }
  size_t size = (place + 1) * LUGE_BLOCK_STEP;
  if ((size_t)(blocks->end - blocks->at) < size && !add_page(blocks)) {
    return NULL;
  }
  void *made = blocks->at;
  blocks->at += size;
  return made;
}

static void *allocate(struct luge_blocks *blocks, size_t size) {
  return is_small(size) ? get(blocks, place_of(size)) : malloc(size);
}

static void release(struct luge_blocks *blocks, void *ptr, size_t size) {
  if (is_small(size)) {
    put(blocks, ptr, place_of(size));
  } else {
    free(ptr);
  }
}

static void *move(struct luge_blocks *blocks, void *ptr, size_t old_size,
                  size_t new_size) {
  void *moved = allocate(blocks, new_size);
  if (moved != NULL) {
    memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
    release(blocks, ptr, old_size);
  }
  return moved;
}

void *luge__blocks_realloc(struct luge_blocks *blocks, void *ptr,
                           size_t old_size, size_t new_size) {
  if (ptr == NULL || old_size == 0) {
    return new_size > 0 ? allocate(blocks, new_size) : NULL;
  }
  if (new_size == 0) {
    release(blocks, ptr, old_size);
    return NULL;
  }
  if (!is_small(old_size) && !is_small(new_size)) {
    return realloc(ptr, new_size);
  }
  if (is_small(old_size) && is_small(new_size) &&
      place_of(old_size) == place_of(new_size)) {
    return ptr;
  }
  return move(blocks, ptr, old_size, new_size);
}

void luge__blocks_free(struct luge_blocks *blocks) {
  while (blocks->pages != NULL) {
    struct luge_block_page *page = blocks->pages;
    blocks->pages = page->next;
    free(page);
  }
}
