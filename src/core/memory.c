/* Memory; see memory.h. */
#include "memory.h"

#include <stdlib.h>

#include "host.h"

static void *plain(void *data, void *ptr, size_t old_size, size_t new_size) {
  (void)data;
  (void)old_size;
  if (new_size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, new_size);
}

void luge__memory_init(struct luge_memory *memory, lua_Alloc alloc, void *data,
                       size_t limit) {
  *memory = (struct luge_memory){
      .alloc = alloc != NULL ? alloc : plain, .data = data, .limit = limit};
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
  void *block = memory->alloc(memory->data, ptr, old_size, new_size);
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
