/* Checks of tests in C, which survive NDEBUG. A test is one file that includes
 * this once, and ends by `return verdict();`. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static int failures;

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);          \
      failures++;                                                              \
    }                                                                          \
  } while (0)

static inline int verdict(void) {
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
