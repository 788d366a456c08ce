/* Small blocks: aligned, apart from each other, kept over a change of size, and
 * used again. */
#include "core/blocks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS = 400, ROUNDS = 200000, MOST = 3 * LUGE_BLOCK_MAX };

static struct slot {
  unsigned char *at;
  size_t size;
  unsigned char mark;
} slots[SLOTS];

static uint32_t next_random(void) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32);
}

static int holds(const struct slot *slot, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (slot->at[i] != slot->mark) {
      return 0;
    }
  }
  return 1;
}

static void *change_size(struct luge_blocks *blocks, const struct slot *slot,
                         size_t size) {
  if (slot->at == NULL) {
    return size > 0 ? luge__blocks_get(blocks, size) : NULL;
  }
  if (size > 0) {
    return luge__blocks_resize(blocks, slot->at, slot->size, size);
  }
  luge__blocks_put(blocks, slot->at, slot->size);
  return NULL;
}

/* Changes the size of one; its bytes are to stay. */
static int change(struct luge_blocks *blocks, struct slot *slot) {
  size_t size = next_random() % 3 == 0 ? 0 : next_random() % MOST + 1;
  size_t kept = size < slot->size ? size : slot->size;
  if (slot->at != NULL && !holds(slot, slot->size)) {
    printf("a block was written to by another\n");
    return 0;
  }
  slot->at = change_size(blocks, slot, size);
  if (size == 0) {
    slot->size = 0;
    return slot->at == NULL;
  }
  if (slot->at == NULL || (uintptr_t)slot->at % LUGE_BLOCK_STEP != 0 ||
      !holds(slot, kept)) {
    printf("a block of %zu bytes is missing, askew or changed\n", size);
    return 0;
  }
  slot->size = size;
  slot->mark = (unsigned char)next_random();
  memset(slot->at, slot->mark, size);
  return 1;
}

int main(void) {
  struct luge_blocks blocks = {0};
  int ok = 1;
  for (int i = 0; ok && i < ROUNDS; i++) {
    ok = change(&blocks, &slots[next_random() % SLOTS]);
  }
  for (int i = 0; i < SLOTS; i++) {
    change_size(&blocks, &slots[i], 0);
  }
  luge__blocks_free(&blocks);
  return ok ? 0 : 1;
}
