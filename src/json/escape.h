/* Escapes in strings: RFC 8259 section 7. */
#ifndef LUGE_JSON_ESCAPE_H
#define LUGE_JSON_ESCAPE_H

/* Reads the escape at `*text`, a pair of them for a character beyond the
 * Basic Multilingual Plane, from a text that ends with a NUL, and moves `*text`
 * behind it. Writes the character as UTF-8, 4 bytes at most; its length. 0: the
 * escape is malformed, `*what` says how. */
int luge__json_read_escape(const char **text, char *out, const char **what);

#endif
