/* The same, ten thousand times. */
#define CYCLES 10000
#include "../cycles_test.c"
