/* See slab.h. */
#include "slab.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 32 * 1024 };

struct luge_slab_page {
  struct luge_slab_page *next;
  size_t unused; /* so that the blocks behind it are aligned */
};

/* The rest of the page before becomes a free block of that size. */
static int add_page(struct luge_slab *slab) {
  struct luge_slab_page *page = malloc(PAGE);
  if (page == NULL) {
    return 0;
  }
  size_t left = (size_t)(slab->end - slab->at);
  if (left > 0) {
    luge__slab_put(slab, slab->at, left);
  }
  page->next = slab->pages;
  slab->pages = page;
  slab->at = (char *)(page + 1);
  slab->end = (char *)page + PAGE;
  return 1;
}

static void *make(struct luge_slab *slab, size_t size) {
  size_t whole = (luge__slab_class(size) + 1) * LUGE_SLAB_STEP;
  if ((size_t)(slab->end - slab->at) < whole && !add_page(slab)) {
    return NULL;
  }
  void *made = slab->at;
  slab->at += whole;
  return made;
}

void *luge__slab_get(struct luge_slab *slab, size_t size) {
  if (!luge__slab_takes(size)) {
    return malloc(size);
  }
  return luge__slab_has(slab, size) ? luge__slab_take(slab, size)
                                    : make(slab, size);
}

void luge__slab_put(struct luge_slab *slab, void *ptr, size_t size) {
  if (luge__slab_takes(size)) {
    luge__slab_give(slab, ptr, size);
  } else {
    free(ptr);
  }
}

void *luge__slab_resize(struct luge_slab *slab, void *ptr, size_t old_size,
                        size_t new_size) {
  int was_small = luge__slab_takes(old_size);
  int is_small = luge__slab_takes(new_size);
  if (!was_small && !is_small) {
    return realloc(ptr, new_size);
  }
  if (was_small && is_small &&
      luge__slab_class(old_size) == luge__slab_class(new_size)) {
    return ptr;
  }
  void *moved = luge__slab_get(slab, new_size);
  if (moved != NULL) {
    memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
    luge__slab_put(slab, ptr, old_size);
  }
  return moved;
}

void luge__slab_free(struct luge_slab *slab) {
  while (slab->pages != NULL) {
    struct luge_slab_page *page = slab->pages;
    slab->pages = page->next;
    free(page);
  }
}
