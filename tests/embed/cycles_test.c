/* Hosts opened, used and closed again and again: memory does not grow, and no
 * descriptor stays open. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <stdbool.h>
#include <unistd.h>

#ifndef CYCLES
#define CYCLES 300
#endif

/* Under a sanitizer the process keeps what is freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MAX_GROWTH = 1 << 30 };
#else
enum { MAX_GROWTH = 1 << 20 }; /* bytes */
#endif

static const char code[] =
    "local luge = require 'luge'\n"
    "local json = require 'luge.json'\n"
    "local q = luge.queue(2)\n"
    "luge.spawn(function() for i = 1, 9 do q:put(i) end q:close() end)\n"
    "for v in q:iter() do json.decode(json.encode { v }) end\n"
    "luge.map({ 1, 2, 3 }, function() luge.sleep(0) return offloaded() end)\n"
    "pcall(luge.timeout, 0, luge.sleep, 100)\n"
    "local s <close> = luge.stream(function(emit) emit(1) emit(2) end)\n"
    "s:next()";

/* The embedder's memory: all of it comes back. */
static size_t live;

static void *allocate(void *data, void *ptr, size_t old_size, size_t new_size) {
  (void)data;
  size_t old = ptr != NULL ? old_size : 0;
  if (new_size == 0) {
    free(ptr);
    live -= old;
    return NULL;
  }
  void *block = realloc(ptr, new_size);
  live += block != NULL ? new_size - old : 0;
  return block;
}

static void work(void *data) {
  (void)data;
}

static int offloaded(lua_State *L) {
  return luge_offload(L, work, NULL, NULL, NULL);
}

static void cycle(uv_loop_t *loop, lua_Alloc alloc) {
  luge_options options = {.size = sizeof options,
                          .loop = loop,
                          .alloc = alloc,
                          .on_error = on_error};
  luge_host *host = luge_open(&options);
  lua_register(luge_lua(host), "offloaded", offloaded);
  RUNS(host, code);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(live == 0);
}

static size_t resident(void) {
  size_t bytes = 0;
  CHECK(uv_resident_set_memory(&bytes) == 0);
  return bytes;
}

/* The next descriptor that the system would give. */
static int next_descriptor(void) {
  int fd = dup(0);
  close(fd);
  return fd;
}

int main(void) {
  uv_loop_t loop;
  size_t before = 0;
  int descriptor = 0;
  uv_loop_init(&loop);
  for (int i = -CYCLES / 2; i < CYCLES && failures == 0; i++) {
    if (i == 0) { /* the allocator has found its size */
      before = resident();
      descriptor = next_descriptor();
    }
    cycle(i % 2 == 0 ? NULL : &loop, i % 4 < 2 ? allocate : NULL);
  }
  size_t after = resident();
  if (after > before + MAX_GROWTH) {
    fprintf(stderr, "grown by %zu KB\n", (after - before) / 1024);
    failures++;
  }
  CHECK(next_descriptor() == descriptor);
  CHECK(uv_loop_close(&loop) == 0);
  return verdict();
}
