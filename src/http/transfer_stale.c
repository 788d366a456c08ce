/* A guard against curl#11101. From 7.84 to 8.0, libcurl keeps a pointer to the
 * last header of a handle's last answer, which it has freed. If the first
 * header line of the next answer begins with a blank, it takes that for a
 * continuation, and writes to the freed memory.
 *
 * Such an answer is malformed (RFC 9112, 2.2). But libcurl shows a line to the
 * header callback only when it has looked at it; to the debug callback it does
 * so before. So that one is called from a status line to the line behind it,
 * and empties a line that begins with a blank, as libcurl refuses an empty one.
 * To take a new handle for each answer instead would cost a seventh of a
 * request. */
#include <strings.h>

#include "transfer.h"

static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t size,
                    void *data) {
  const struct luge__transfer *t = data;
  (void)easy;
  if (t->stale && type == CURLINFO_HEADER_IN && size > 0 &&
      (bytes[0] == ' ' || bytes[0] == '\t')) {
    bytes[0] = '\0';
  }
  return 0;
}

static void show_lines(const struct luge__transfer *t, bool show) {
  luge__transfer_curl(t)->easy_setopt(t->easy, CURLOPT_VERBOSE, show ? 1L : 0L);
}

bool luge__stale_headers(const struct luge__curl *curl) {
  unsigned version = curl->version_info(CURLVERSION_NOW)->version_num;
  return version >= 0x075400 && version < 0x080100;
}

void luge__stale_set_callback(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  curl->easy_setopt(t->easy, CURLOPT_DEBUGFUNCTION, on_debug);
  curl->easy_setopt(t->easy, CURLOPT_DEBUGDATA, t);
}

void luge__stale_note_line(struct luge__transfer *t, const char *line,
                           size_t length) {
  bool is_status = length > 5 && strncasecmp(line, "HTTP/", 5) == 0;
  bool is_end = line[0] == '\r' || line[0] == '\n';
  show_lines(t, is_status);
  t->stale = is_status || is_end;
}
