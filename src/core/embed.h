/* The Lua modules that are compiled in. The table is made from lua/ by the
 * build (cmake/LugeEmbed.cmake), is read-only, and lives as long as the
 * program. */
#ifndef LUGE_CORE_EMBED_H
#define LUGE_CORE_EMBED_H

struct luge_embedded {
  const char *name;     /* as for require: "luge.internal.x" */
  const char *source;   /* Lua text, ended by a zero */
  unsigned long length; /* of source, without the zero */
};

/* Sorted by name as strcmp sorts, ended by an entry whose name is NULL. */
extern const struct luge_embedded luge__embedded[];

#endif
