/* Files that are compiled in: what the build (cmake/embed.c) makes tables of.
 * They are read-only, and live as long as the program. */
#ifndef LUGE_EMBEDDED_H
#define LUGE_EMBEDDED_H

struct luge_embedded {
  const char *name;            /* of a module as for require: "luge.chain" */
  const unsigned char *packed; /* the text, in zlib's format */
  unsigned long packed_length;
  unsigned long length; /* of the text */
};

#endif
