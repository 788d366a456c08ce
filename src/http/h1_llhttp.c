/* Splitting a head with llhttp. */
#ifdef LUGE_HAVE_LLHTTP

#include "h1_split.h"

#include <llhttp.h>

static int on_url(llhttp_t *parser, const char *at, size_t len) {
  struct luge__h1_head *head = parser->data;
  head->target = (struct luge__h1_text){at, len};
  return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len) {
  struct luge__h1_head *head = parser->data;
  if (head->count == head->capacity) {
    return -1;
  }
  head->fields[head->count++] =
      (struct luge__h1_field){.name = {at, len}, .value = {at + len, 0}};
  return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len) {
  struct luge__h1_head *head = parser->data;
  head->fields[head->count - 1].value = (struct luge__h1_text){at, len};
  return 0;
}

/* 1: take the request for one without a body. */
static int on_headers_complete(llhttp_t *parser) {
  (void)parser;
  return 1;
}

int luge__h1_split(const char *bytes, size_t len, struct luge__h1_head *head) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = on_url;
  settings.on_header_field = on_header_field;
  settings.on_header_value = on_header_value;
  settings.on_headers_complete = on_headers_complete;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = head;
  head->count = 0;
  llhttp_errno_t error = llhttp_execute(&parser, bytes, len);
  if (error == HPE_INVALID_METHOD) {
    return 501;
  }
  if (error == HPE_PAUSED_UPGRADE) {
    return llhttp_get_error_pos(&parser) == bytes + len ? 0 : 400;
  }
  return error == HPE_OK ? 0 : 400;
}

#else
typedef int luge__h1_no_llhttp; /* ISO C wants a declaration */
#endif
