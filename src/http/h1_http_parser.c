/* Splitting a head with http_parser 2.9, which older systems have. Debian
 * builds it without its strict mode: it takes spaces in names, folded lines,
 * bare line ends and other things that h1.c and h1_head.c refuse. */
#ifdef LUGE_HAVE_HTTP_PARSER

#include "h1_split.h"

#include <http_parser.h>
#include <uv.h>

/* Heads have our own limit; the library's is one for the whole process. */
static uv_once_t limit_once = UV_ONCE_INIT;

static void lift_limit(void) {
  http_parser_set_max_header_size(UINT32_MAX);
}

static int on_url(http_parser *parser, const char *at, size_t len) {
  struct luge__h1_head *head = parser->data;
  head->target = (struct luge__h1_text){at, len};
  return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t len) {
  struct luge__h1_head *head = parser->data;
  if (head->count == head->capacity) {
    return 1;
  }
  head->fields[head->count++] =
      (struct luge__h1_field){.name = {at, len}, .value = {at + len, 0}};
  return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t len) {
  struct luge__h1_head *head = parser->data;
  head->fields[head->count - 1].value = (struct luge__h1_text){at, len};
  return 0;
}

/* 1: take the request for one without a body. */
static int on_headers_complete(http_parser *parser) {
  (void)parser;
  return 1;
}

int luge__h1_split(const char *bytes, size_t len, struct luge__h1_head *head) {
  static const http_parser_settings settings = {
      .on_url = on_url,
      .on_header_field = on_header_field,
      .on_header_value = on_header_value,
      .on_headers_complete = on_headers_complete,
  };
  uv_once(&limit_once, lift_limit);
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = head;
  head->count = 0;
  size_t read = http_parser_execute(&parser, &settings, bytes, len);
  if (HTTP_PARSER_ERRNO(&parser) == HPE_INVALID_METHOD) {
    return 501;
  }
  return HTTP_PARSER_ERRNO(&parser) == HPE_OK && read == len ? 0 : 400;
}

#else
typedef int luge__h1_other_backend; /* ISO C wants a declaration */
#endif
