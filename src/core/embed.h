/* The Lua modules that are compiled in. The table is made from lua/ by the
 * build (cmake/embed.c), is read-only, and lives as long as the
 * program. */
#ifndef LUGE_CORE_EMBED_H
#define LUGE_CORE_EMBED_H

struct luge_embedded {
  const char *name;            /* as for require: "luge.internal.x" */
  const unsigned char *packed; /* Lua text, in zlib's format */
  unsigned long packed_length;
  unsigned long length; /* of the text */
};

/* Sorted by name as strcmp sorts. */
extern const struct luge_embedded luge__embedded[];
extern const unsigned long luge__embedded_count;

#endif
