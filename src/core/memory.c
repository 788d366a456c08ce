/* Memory; see memory.h. */
#include "memory.h"

#include <stdbool.h>
#include <string.h>

#include "error.h"
#include "host.h"

void luge__memory_init(struct luge_memory *memory, lua_Alloc alloc, void *data,
                       size_t limit) {
  *memory = (struct luge_memory){.alloc = alloc, .data = data, .limit = limit};
}

void luge__memory_free(struct luge_memory *memory) {
  luge__slab_free(&memory->slab);
}

/* The common paths of luge__memory_alloc save no registers if the others stay
 * out of it. */
#if defined(__GNUC__)
#define LUGE_APART __attribute__((noinline))
#else
#define LUGE_APART
#endif

static bool fits(const struct luge_memory *memory, size_t more) {
  return memory->limit == 0 || memory->used + more <= memory->limit;
}

/* `kind` says what Lua wants to make. */
LUGE_APART static void *get(struct luge_memory *memory, size_t kind,
                            size_t size) {
  if (size == 0 || !fits(memory, size)) {
    return NULL;
  }
  void *block = memory->alloc != NULL
                    ? memory->alloc(memory->data, NULL, kind, size)
                    : luge__slab_get(&memory->slab, size);
  memory->used += block != NULL ? size : 0;
  return block;
}

LUGE_APART static void *put(struct luge_memory *memory, void *ptr,
                            size_t size) {
  memory->used -= size;
  if (memory->alloc != NULL) {
    memory->alloc(memory->data, ptr, size, 0);
  } else {
    luge__slab_put(&memory->slab, ptr, size);
  }
  return NULL;
}

LUGE_APART static void *resize(struct luge_memory *memory, void *ptr,
                               size_t old_size, size_t new_size) {
  if (new_size > old_size && !fits(memory, new_size - old_size)) {
    return NULL;
  }
  void *block = memory->alloc != NULL
                    ? memory->alloc(memory->data, ptr, old_size, new_size)
                    : luge__slab_resize(&memory->slab, ptr, old_size, new_size);
  if (block != NULL) {
    memory->used = memory->used - old_size + new_size;
  }
  return block;
}

/* Lua comes here several times for each value it makes. So what is common, a
 * small block that lies ready, needs no call; the slab of a host with an
 * allocator of the embedder's has none. */
void *luge__memory_alloc(void *data, void *ptr, size_t old_size,
                         size_t new_size) {
  struct luge_memory *memory = data;
  if (ptr == NULL) {
    if (!luge__slab_has(&memory->slab, new_size) || !fits(memory, new_size)) {
      return get(memory, old_size, new_size);
    }
    memory->used += new_size;
    return luge__slab_take(&memory->slab, new_size);
  }
  if (new_size > 0) {
    return resize(memory, ptr, old_size, new_size);
  }
  if (memory->alloc != NULL || !luge__slab_takes(old_size)) {
    return put(memory, ptr, old_size);
  }
  memory->used -= old_size;
  luge__slab_give(&memory->slab, ptr, old_size);
  return NULL;
}

void *luge__realloc(struct luge_host *host, void *ptr, size_t old_size,
                    size_t new_size) {
  return luge__memory_alloc(&host->memory, ptr, ptr != NULL ? old_size : 0,
                            new_size);
}

void *luge__alloc(lua_State *L, size_t size) {
  void *block = luge__realloc(luge__host(L), NULL, 0, size);
  if (block == NULL) {
    luge__raise_memory(L);
  }
  return block;
}

void *luge__alloc_zeroed(lua_State *L, size_t size) {
  return memset(luge__alloc(L, size), 0, size);
}
