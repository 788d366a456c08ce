/* The head of a response: the status line and the fields that the server sets
 * itself; see server.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server.h"

/* RFC 9110, section 15, and RFC 6585; in ascending order. */
static const struct {
  int status;
  const char *text;
} names[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
};

const char *luge__status_text(int status) {
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i].status == status) {
      return names[i].text;
    }
  }
  return "";
}

bool luge__conn_is_to_head(const struct luge__conn *c) {
  const struct luge__h1_text *method = &c->h1.head.method;
  return method->len == 4 && memcmp(method->ptr, "HEAD", 4) == 0;
}

/* IMF-fixdate, made once a second. strftime would follow the locale. */
static const char *date(struct luge__server *s) {
  static const char days[] = "SunMonTueWedThuFriSat";
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  time_t now = time(NULL);
  struct tm tm;
  if (now != s->date_of && gmtime_r(&now, &tm) != NULL) {
    s->date_of = now;
    snprintf(s->date, sizeof s->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             days + 3 * (tm.tm_wday % 7), tm.tm_mday % 100,
             months + 3 * (tm.tm_mon % 12), (tm.tm_year + 1900) % 10000,
             tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
  }
  return s->date;
}

static bool add(struct luge__server *s, const char *bytes, size_t len) {
  return luge__bytes_append(&s->head, &s->memory, bytes, len);
}

bool luge__head_add(struct luge__conn *c, const char *name, size_t name_len,
                    const char *value, size_t value_len) {
  struct luge__server *s = c->server;
  return add(s, name, name_len) && add(s, ": ", 2) &&
         add(s, value, value_len) && add(s, "\r\n", 2);
}

static bool add_framing(struct luge__conn *c, uint64_t length) {
  char number[24];
  switch (c->framing) {
  case LUGE_FRAMING_LENGTH:
    snprintf(number, sizeof number, "%" PRIu64, length);
    return luge__head_add(c, "Content-Length", 14, number, strlen(number));
  case LUGE_FRAMING_CHUNKED:
    return luge__head_add(c, "Transfer-Encoding", 17, "chunked", 7);
  default:
    return true;
  }
}

/* HTTP/1.1 keeps connections unless told not to, HTTP/1.0 the reverse. */
static bool add_connection(struct luge__conn *c) {
  if (!c->keep_alive) {
    return luge__head_add(c, "Connection", 10, "close", 5);
  }
  return c->h1.head.minor > 0 ||
         luge__head_add(c, "Connection", 10, "keep-alive", 10);
}

bool luge__head_begin(struct luge__conn *c, int status, uint64_t length,
                      bool has_date) {
  struct luge__server *s = c->server;
  char line[64];
  snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status,
           luge__status_text(status));
  if (s->head.cap > LUGE_SERVER_BUFFER) {
    luge__bytes_free(&s->head, &s->memory);
  }
  s->head.len = 0;
  const char *today = date(s);
  return add(s, line, strlen(line)) &&
         (has_date || luge__head_add(c, "Date", 4, today, strlen(today))) &&
         add_framing(c, length) && add_connection(c);
}

bool luge__head_end(struct luge__conn *c) {
  return add(c->server, "\r\n", 2);
}
