/* Fuzz targets of parsers that are fed in pieces. The first byte of the input
 * says how to cut the rest; whole and cut must give the same. Each target
 * defines `parse`. */
#ifndef TESTS_CUT_H
#define TESTS_CUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline void *plain_alloc(void *ud, void *block, size_t old_size,
                                size_t new_size) {
  (void)ud;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

/* A hash over all that comes out of the bytes, fed `step` at a time. */
static uint64_t parse(const char *bytes, size_t len, size_t step);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) {
    return 0;
  }
  const char *bytes = (const char *)data + 1;
  uint64_t whole = parse(bytes, size - 1, size - 1);
  uint64_t cut = parse(bytes, size - 1, (size_t)data[0] % 16 + 1);
  if (whole != cut) {
    abort();
  }
  return 0;
}

#endif
