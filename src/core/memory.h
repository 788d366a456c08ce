/* Memory: the host's allocator, which counts what Lua and luge's own buffers
 * take, and refuses what passes the limit. Loop thread only. */
#ifndef LUGE_CORE_MEMORY_H
#define LUGE_CORE_MEMORY_H

#include <lua.h>
#include <stddef.h>

#include "slab.h"

struct luge_host;

struct luge_memory {
  lua_Alloc alloc; /* the embedder's; NULL: `slab` and malloc */
  void *data;
  struct luge_slab slab;
  size_t used, limit; /* bytes; 0: no limit */
};

void luge__memory_init(struct luge_memory *memory, lua_Alloc alloc, void *data,
                       size_t limit);

/* To be called when all of it has been given back. */
void luge__memory_free(struct luge_memory *memory);

/* As lua_Alloc; `data` is a struct luge_memory. */
void *luge__memory_alloc(void *data, void *ptr, size_t old_size,
                         size_t new_size);

/* The same from a host's memory. NULL: out of memory, or new_size is 0. */
void *luge__realloc(struct luge_host *host, void *ptr, size_t old_size,
                    size_t new_size);

/* New memory of the host's; raises if there is none. */
void *luge__alloc(lua_State *L, size_t size);
void *luge__alloc_zeroed(lua_State *L, size_t size);

#endif
