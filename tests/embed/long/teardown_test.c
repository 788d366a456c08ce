/* The same with a thousand children. */
#define MANY     1000
#define CHILDREN 1000
#include "../teardown_test.c"
