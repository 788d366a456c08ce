/* Small blocks: aligned, apart from each other, kept over a change of size, and
 * used again. */
#include "core/slab.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS = 400, ROUNDS = 200000, MOST = 3 * LUGE_SLAB_MAX };

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

static void *change_size(struct luge_slab *slab, const struct slot *slot,
                         size_t size) {
  if (slot->at == NULL) {
    return size > 0 ? luge__slab_get(slab, size) : NULL;
  }
  if (size > 0) {
    return luge__slab_resize(slab, slot->at, slot->size, size);
  }
  luge__slab_put(slab, slot->at, slot->size);
  return NULL;
}

/* Changes the size of one; its bytes are to stay. */
static int change(struct luge_slab *slab, struct slot *slot) {
  size_t size = next_random() % 3 == 0 ? 0 : next_random() % MOST + 1;
  size_t kept = size < slot->size ? size : slot->size;
  if (slot->at != NULL && !holds(slot, slot->size)) {
    printf("a block was written to by another\n");
    return 0;
  }
  slot->at = change_size(slab, slot, size);
  if (size == 0) {
    slot->size = 0;
    return slot->at == NULL;
  }
  if (slot->at == NULL || (uintptr_t)slot->at % LUGE_SLAB_STEP != 0 ||
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
  struct luge_slab slab = {0};
  int ok = 1;
  for (int i = 0; ok && i < ROUNDS; i++) {
    ok = change(&slab, &slots[next_random() % SLOTS]);
  }
  for (int i = 0; i < SLOTS; i++) {
    change_size(&slab, &slots[i], 0);
  }
  luge__slab_free(&slab);
  return ok ? 0 : 1;
}
