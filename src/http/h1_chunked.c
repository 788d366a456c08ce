/* The chunked transfer coding; see h1_chunked.h. A state machine over bytes,
 * but for the data itself, which is lent in one piece. */
#include "h1_chunked.h"

#include "h1.h"

enum {
  SIZE,         /* hexadecimal digits */
  SIZE_SPACE,   /* spaces before an extension */
  EXTENSION,    /* up to CR */
  SIZE_LF,      /* LF after the size line */
  DATA,         /* `left` bytes */
  DATA_CR,      /* CRLF after them */
  DATA_LF,      /* */
  TRAILER,      /* the first byte of a line after the last chunk */
  TRAILER_NAME, /* up to a colon */
  TRAILER_LINE, /* up to CR */
  TRAILER_LF,   /* LF after a trailer field */
  END_LF,       /* LF of the empty line */
  END,          /* */
  BAD           /* */
};

void luge__h1_chunked_init(struct luge__h1_chunked *c) {
  *c = (struct luge__h1_chunked){.state = SIZE};
}

static int hex_value(unsigned char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What may stand in an extension or a trailer field. */
static int is_text(unsigned char c) {
  return c == '\t' || (c >= ' ' && c != 0x7F);
}

/* 15 digits hold any size that there can be, and do not overflow. */
static int read_size(struct luge__h1_chunked *c, unsigned char byte) {
  int digit = hex_value(byte);
  if (digit >= 0 && c->digits < 15) {
    c->left = c->left * 16 + (uint64_t)digit;
    c->digits++;
    return SIZE;
  }
  if (digit >= 0 || c->digits == 0) {
    return BAD;
  }
  switch (byte) {
  case '\r':
    return SIZE_LF;
  case ';':
    return EXTENSION;
  case ' ':
  case '\t':
    return SIZE_SPACE;
  default:
    return BAD;
  }
}

static int read_size_space(unsigned char byte) {
  if (byte == ' ' || byte == '\t') {
    return SIZE_SPACE;
  }
  return byte == ';' ? EXTENSION : BAD;
}

static int read_line(int state, unsigned char byte, int after) {
  if (byte == '\r') {
    return after;
  }
  return is_text(byte) ? state : BAD;
}

static int expect(unsigned char byte, unsigned char wanted, int after) {
  return byte == wanted ? after : BAD;
}

static int start_chunk(struct luge__h1_chunked *c) {
  int is_last = c->left == 0;
  c->digits = 0;
  return is_last ? TRAILER : DATA;
}

/* The name of a trailer field, as strict as those of headers. */
static int read_trailer_name(unsigned char byte) {
  return luge__h1_is_token_char(byte) ? TRAILER_NAME : BAD;
}

static int step(struct luge__h1_chunked *c, unsigned char byte) {
  switch (c->state) {
  case SIZE:
    return read_size(c, byte);
  case SIZE_SPACE:
    return read_size_space(byte);
  case EXTENSION:
    return read_line(EXTENSION, byte, SIZE_LF);
  case SIZE_LF:
    return byte == '\n' ? start_chunk(c) : BAD;
  case DATA_CR:
    return expect(byte, '\r', DATA_LF);
  case DATA_LF:
    return expect(byte, '\n', SIZE);
  case TRAILER:
    return byte == '\r' ? END_LF : read_trailer_name(byte);
  case TRAILER_NAME:
    return byte == ':' ? TRAILER_LINE : read_trailer_name(byte);
  case TRAILER_LINE:
    return read_line(TRAILER_LINE, byte, TRAILER_LF);
  case TRAILER_LF:
    return expect(byte, '\n', TRAILER);
  case END_LF:
    return expect(byte, '\n', END);
  default:
    return BAD;
  }
}

static int is_overhead(int state) {
  return state == SIZE_SPACE || state == EXTENSION || state == TRAILER_NAME ||
         state == TRAILER_LINE;
}

static enum luge__h1_chunk lend(struct luge__h1_chunked *c, const char **bytes,
                                size_t *len, const char **piece,
                                size_t *piece_len) {
  size_t n = c->left < *len ? (size_t)c->left : *len;
  *piece = *bytes;
  *piece_len = n;
  *bytes += n;
  *len -= n;
  c->left -= n;
  if (c->left == 0) {
    c->state = DATA_CR;
  }
  return LUGE_H1_CHUNK_DATA;
}

enum luge__h1_chunk luge__h1_chunked_next(struct luge__h1_chunked *c,
                                          size_t max_overhead,
                                          const char **bytes, size_t *len,
                                          const char **piece,
                                          size_t *piece_len) {
  while (c->state != END) {
    if (*len == 0) {
      return LUGE_H1_CHUNK_MORE;
    }
    if (c->state == DATA) {
      return lend(c, bytes, len, piece, piece_len);
    }
    c->state = step(c, (unsigned char)**bytes);
    if (c->state == BAD) {
      return LUGE_H1_CHUNK_BAD;
    }
    ++*bytes;
    --*len;
    if (is_overhead(c->state) && ++c->overhead > max_overhead) {
      return LUGE_H1_CHUNK_OVERHEAD;
    }
  }
  return LUGE_H1_CHUNK_END;
}
