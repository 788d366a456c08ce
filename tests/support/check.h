/* Checks of tests in C, which survive NDEBUG. A test is one file that includes
 * this once, and ends by `return verdict();`. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static int failures;

/* The arguments say what is wrong, as those of printf. The first failures tell
 * enough. */
#define EXPECT(condition, ...)                                                 \
  do {                                                                         \
    if (!(condition) && failures++ < 20) {                                     \
      fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                          \
      fprintf(stderr, __VA_ARGS__);                                            \
      fputc('\n', stderr);                                                     \
    }                                                                          \
  } while (0)

#define CHECK(condition) EXPECT(condition, "%s", #condition)

static inline int verdict(void) {
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
