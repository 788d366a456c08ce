/* The Lua modules that are compiled in. The table is made from lua/ by the
 * build. */
#ifndef LUGE_CORE_EMBED_H
#define LUGE_CORE_EMBED_H

#include "embedded.h"

/* Sorted by name as strcmp sorts. */
extern const struct luge_embedded luge__embedded[];
extern const unsigned long luge__embedded_count;

#endif
