/* A growing buffer in the memory of the Lua state; see buffer.h. */
#include "buffer.h"

#include "../core/error.h"

#include <lauxlib.h>
#include <stdint.h>

/* Lives in a full userdata; the collector frees what an error left. */
struct box {
  char *data;
  size_t capacity;
};

static const char metatable_key = 0;

/* Asks the allocator of the state, as Lua does; a failed request is tried
 * once more after a full collection. NULL: no memory. */
static char *resize(lua_State *L, char *data, size_t old, size_t size) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  char *moved = alloc(ud, data, old, size);
  if (moved == NULL && size > 0) {
    lua_gc(L, LUA_GCCOLLECT);
    moved = alloc(ud, data, old, size);
  }
  return moved;
}

static int box_gc(lua_State *L) {
  struct box *box = lua_touserdata(L, 1);
  if (box != NULL && box->data != NULL) {
    resize(L, box->data, box->capacity, 0);
    box->data = NULL;
  }
  return 0;
}

static struct box *new_box(struct json_buffer *buffer) {
  lua_State *L = buffer->L;
  luaL_checkstack(L, 4, NULL);
  struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->data = NULL;
  box->capacity = 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
  }
  lua_setmetatable(L, -2);
  lua_replace(L, buffer->slot);
  return box;
}

void luge__json_buffer_init(struct json_buffer *buffer, lua_State *L) {
  luaL_checkstack(L, 8, NULL);
  lua_pushnil(L);
  buffer->L = L;
  buffer->data = buffer->small;
  buffer->length = 0;
  buffer->capacity = sizeof buffer->small;
  buffer->slot = lua_gettop(L);
}

void luge__json_buffer_grow(struct json_buffer *buffer, size_t more) {
  lua_State *L = buffer->L;
  size_t size = buffer->capacity;
  if (more > SIZE_MAX / 4 || size > SIZE_MAX / 4) {
    luge__raise_memory(L);
  }
  while (size - buffer->length < more) {
    size *= 2;
  }
  struct box *box = lua_touserdata(L, buffer->slot);
  if (box == NULL) {
    box = new_box(buffer);
  }
  char *data = resize(L, box->data, box->capacity, size);
  if (data == NULL) {
    luge__raise_memory(L);
  }
  if (box->data == NULL) {
    memcpy(data, buffer->small, buffer->length);
  }
  box->data = buffer->data = data;
  box->capacity = buffer->capacity = size;
}

void luge__json_buffer_free(struct json_buffer *buffer) {
  struct box *box = lua_touserdata(buffer->L, buffer->slot);
  if (box != NULL) {
    resize(buffer->L, box->data, box->capacity, 0);
    box->data = NULL;
    box->capacity = 0;
  }
  buffer->data = buffer->small;
  buffer->length = 0;
  buffer->capacity = sizeof buffer->small;
}
