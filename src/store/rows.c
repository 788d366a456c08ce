/* Rows on their way from the store's thread to the loop's; see call.h. */
#include <stdlib.h>
#include <string.h>

#include "call.h"

static bool reserve(struct luge_rows *rows, size_t size) {
  size_t capacity = rows->capacity == 0 ? 256 : rows->capacity;
  while (capacity - rows->length < size) {
    capacity *= 2;
  }
  if (capacity != rows->capacity) {
    char *bytes = realloc(rows->bytes, capacity);
    if (bytes == NULL) {
      rows->exhausted = true;
      return false;
    }
    rows->bytes = bytes;
    rows->capacity = capacity;
  }
  return true;
}

static void put(struct luge_rows *rows, const void *bytes, size_t length) {
  if (length > 0) {
    memcpy(rows->bytes + rows->length, bytes, length);
    rows->length += length;
  }
}

bool luge__rows_add(struct luge_rows *rows, const struct luge_bytes *key,
                    const struct luge_value *value, int64_t sequence) {
  struct luge_row row = {.key_length = key->length,
                         .length = value->text.length,
                         .sequence = sequence,
                         .is_json = value->is_json};
  if (!reserve(rows, sizeof row + row.key_length + row.length)) {
    return false;
  }
  put(rows, &row, sizeof row);
  put(rows, key->bytes, key->length);
  put(rows, value->text.bytes, value->text.length);
  return true;
}

size_t luge__rows_read(const struct luge_rows *rows, size_t offset,
                       struct luge_row *row, const char **key,
                       const char **value) {
  memcpy(row, rows->bytes + offset, sizeof *row);
  *key = rows->bytes + offset + sizeof *row;
  *value = *key + row->key_length;
  return offset + sizeof *row + row->key_length + row->length;
}

void luge__rows_clear(struct luge_rows *rows) {
  free(rows->bytes);
  *rows = (struct luge_rows){.bytes = NULL};
}
