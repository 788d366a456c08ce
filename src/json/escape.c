/* Reading escapes; see escape.h. */
#include "escape.h"

#include "scan.h"

static int malformed(const char **what, const char *message) {
  *what = message;
  return 0;
}

/* Reads four hexadecimal digits; -1 if there are none. */
static int32_t read_hex(const char *p) {
  int32_t code = 0;
  for (int i = 0; i < 4; i++) {
    int digit = json_hex((unsigned char)p[i]);
    if (digit < 0) {
      return -1;
    }
    code = code << 4 | digit;
  }
  return code;
}

/* A backslash and a `u` are at `*text`. */
static int read_unicode(const char **text, char *out, const char **what) {
  const char *p = *text + 2;
  int32_t code = read_hex(p);
  if (code < 0) {
    return malformed(what, "malformed \\u escape");
  }
  p += 4;
  if (code >= 0xD800 && code < 0xE000) {
    int is_pair = code < 0xDC00 && p[0] == '\\' && p[1] == 'u';
    int32_t low = is_pair ? read_hex(p + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF) {
      return malformed(what, "lone surrogate");
    }
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    p += 6;
  }
  *text = p;
  return json_put_utf8(out, (uint32_t)code);
}

int luge__json_read_escape(const char **text, char *out, const char **what) {
  char letter = (*text)[1];
  if (letter == 'u') {
    return read_unicode(text, out, what);
  }
  out[0] = json_unescape(letter);
  if (out[0] == 0) {
    *text += letter == 0; /* then the text may have ended there */
    return malformed(what, "unknown escape");
  }
  *text += 2;
  return 1;
}
