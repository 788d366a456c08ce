/* Whether the process may open some more files, as many as a loop needs or a
 * library: those do not say so when they fail. Any thread. */
#ifndef LUGE_CORE_DESCRIPTORS_H
#define LUGE_CORE_DESCRIPTORS_H

#include <stdbool.h>

bool luge__descriptors_are_left(void);

#endif
