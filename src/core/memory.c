/* Memory; see memory.h. */
#include "memory.h"

#include "host.h"

void luge__memory_init(struct luge_memory *memory, lua_Alloc alloc, void *data,
                       size_t limit) {
  *memory = (struct luge_memory){.alloc = alloc, .data = data, .limit = limit};
}

void luge__memory_free(struct luge_memory *memory) {
  luge__blocks_free(&memory->blocks);
}

static void *reallocate(struct luge_memory *memory, void *ptr, size_t old_size,
                        size_t new_size) {
  return memory->alloc != NULL
             ? memory->alloc(memory->data, ptr, old_size, new_size)
             : luge__blocks_realloc(&memory->blocks, ptr, old_size, new_size);
}

/* Without a block `old_size` is the kind of what Lua wants to make. */
void *luge__memory_alloc(void *data, void *ptr, size_t old_size,
                         size_t new_size) {
  struct luge_memory *memory = data;
  size_t old = ptr != NULL ? old_size : 0;
  if (memory->limit != 0 && new_size > old &&
      memory->used - old + new_size > memory->limit) {
    return NULL;
  }
  void *block = reallocate(memory, ptr, old_size, new_size);
  if (block != NULL || new_size == 0) {
    memory->used = memory->used - old + new_size;
  }
  return block;
}

void *luge__realloc(struct luge_host *host, void *ptr, size_t old_size,
                    size_t new_size) {
  return luge__memory_alloc(&host->memory, ptr, ptr != NULL ? old_size : 0,
                            new_size);
}
