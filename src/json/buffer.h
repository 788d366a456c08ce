/* A buffer of bytes that grows by doubling, in the memory of the Lua state
 * (so that its limit counts it), small contents on the C stack.
 *
 * The memory belongs to a userdata in a stack slot of the caller's, so an
 * error raised while the buffer is in use leaks nothing. */
#ifndef LUGE_JSON_BUFFER_H
#define LUGE_JSON_BUFFER_H

#include <lua.h>
#include <stddef.h>
#include <string.h>

#define JSON_BUFFER_INLINE 1024

struct json_buffer {
  lua_State *L;
  char *data;
  size_t length, capacity;
  int slot;
  char small[JSON_BUFFER_INLINE];
};

/* Pushes the slot in which the buffer keeps its memory. */
void luge__json_buffer_init(struct json_buffer *buffer, lua_State *L);

/* Makes room for `more` bytes beyond the length. Raises Lua's memory error. */
void luge__json_buffer_grow(struct json_buffer *buffer, size_t more);

/* Gives the memory back at once; the buffer is empty then. */
void luge__json_buffer_free(struct json_buffer *buffer);

static inline void json_reserve(struct json_buffer *buffer, size_t more) {
  if (buffer->capacity - buffer->length < more) {
    luge__json_buffer_grow(buffer, more);
  }
}

/* Adds to room that has been reserved. */
static inline void json_put(struct json_buffer *buffer, char c) {
  buffer->data[buffer->length++] = c;
}

static inline void json_put_bytes(struct json_buffer *buffer, const char *bytes,
                                  size_t length) {
  memcpy(buffer->data + buffer->length, bytes, length);
  buffer->length += length;
}

static inline void json_add(struct json_buffer *buffer, const char *bytes,
                            size_t length) {
  json_reserve(buffer, length);
  json_put_bytes(buffer, bytes, length);
}

#endif
