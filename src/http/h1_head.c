/* What a request's head says, and whether it may say so: the request line, the
 * fields, and how long the body is (RFC 9112, sections 3, 5 and 6). */
#include "h1_split.h"

#include <string.h>

static int refuse(struct luge__h1 *p, int status, const char *reason) {
  p->reason = reason;
  return status;
}

/* tchar of RFC 9110, section 5.6.2. */
int luge__h1_is_token_char(unsigned char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
         (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static int is_token(struct luge__h1_text t) {
  for (size_t i = 0; i < t.len; i++) {
    if (!luge__h1_is_token_char((unsigned char)t.ptr[i])) {
      return 0;
    }
  }
  return t.len > 0;
}

static int lower(char c) {
  return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Whether `t` is `name`, which is in lower case. */
static int is_named(struct luge__h1_text t, const char *name) {
  for (size_t i = 0; i < t.len; i++) {
    if (lower(t.ptr[i]) != name[i]) { /* name's own end differs, too */
      return 0;
    }
  }
  return name[t.len] == '\0';
}

static struct luge__h1_text trim(struct luge__h1_text t) {
  while (t.len > 0 && (t.ptr[0] == ' ' || t.ptr[0] == '\t')) {
    t.ptr++;
    t.len--;
  }
  while (t.len > 0 && (t.ptr[t.len - 1] == ' ' || t.ptr[t.len - 1] == '\t')) {
    t.len--;
  }
  return t;
}

/* Takes the next element off a comma-separated list; 0 at its end. */
static int next_element(struct luge__h1_text *list,
                        struct luge__h1_text *element) {
  while (list->len > 0) {
    const char *comma = memchr(list->ptr, ',', list->len);
    size_t n = comma != NULL ? (size_t)(comma - list->ptr) : list->len;
    *element = trim((struct luge__h1_text){list->ptr, n});
    n += comma != NULL;
    list->ptr += n;
    list->len -= n;
    if (element->len > 0) {
      return 1;
    }
  }
  return 0;
}

const struct luge__h1_field *luge__h1_find(const struct luge__h1_head *head,
                                           const char *name) {
  for (size_t i = 0; i < head->count; i++) {
    if (is_named(head->fields[i].name, name)) {
      return &head->fields[i];
    }
  }
  return NULL;
}

/* "HTTP/" DIGIT "." DIGIT, of which we speak 1.0 and 1.1. */
static int read_version(struct luge__h1 *p, const char *v, size_t len) {
  if (len != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' ||
      v[6] != '.' || v[7] < '0' || v[7] > '9') {
    return refuse(p, 400, "malformed request line");
  }
  if (v[5] != '1' || v[7] > '1') {
    return refuse(p, 505, "the HTTP version is neither 1.0 nor 1.1");
  }
  p->head.minor = v[7] - '0';
  return 0;
}

/* method SP target SP version, each exactly so. */
static int read_request_line(struct luge__h1 *p) {
  const char *line = p->head_bytes.ptr;
  const char *end = memchr(line, '\r', p->head_bytes.len);
  const char *sp1 = memchr(line, ' ', (size_t)(end - line));
  const char *sp2 =
      sp1 != NULL ? memchr(sp1 + 1, ' ', (size_t)(end - sp1 - 1)) : NULL;
  if (sp2 == NULL) {
    return refuse(p, 400, "malformed request line");
  }
  p->head.method = (struct luge__h1_text){line, (size_t)(sp1 - line)};
  p->head.target = (struct luge__h1_text){sp1 + 1, (size_t)(sp2 - sp1 - 1)};
  if (!is_token(p->head.method) || p->head.target.len == 0) {
    return refuse(p, 400, "malformed request line");
  }
  for (const char *c = sp1 + 1; c < sp2; c++) {
    if (*c <= ' ' || *c >= 0x7F) { /* char may be signed or not */
      return refuse(p, 400, "the target has a character that is not allowed");
    }
  }
  return read_version(p, sp2 + 1, (size_t)(end - sp2 - 1));
}

static int check_field(struct luge__h1 *p, struct luge__h1_field *field) {
  if (!is_token(field->name) || field->name.ptr[field->name.len] != ':') {
    return refuse(p, 400, "malformed header name");
  }
  field->value = trim(field->value);
  for (size_t i = 0; i < field->value.len; i++) {
    unsigned char c = (unsigned char)field->value.ptr[i];
    if ((c < ' ' && c != '\t') || c == 0x7F) {
      return refuse(p, 400, "a header has a character that is not allowed");
    }
  }
  return 0;
}

/* The library's opinion, which must be ours. */
static int split(struct luge__h1 *p) {
  struct luge__h1_text target = p->head.target;
  int status = luge__h1_split(p->head_bytes.ptr, p->head_bytes.len, &p->head);
  if (status != 0) {
    return refuse(p, status,
                  status == 501 ? "unknown method" : "malformed head");
  }
  if (p->head.count != p->lines || p->head.target.ptr != target.ptr ||
      p->head.target.len != target.len) {
    return refuse(p, 400, "malformed head");
  }
  for (size_t i = 0; i < p->head.count; i++) {
    status = check_field(p, &p->head.fields[i]);
    if (status != 0) {
      return status;
    }
  }
  return 0;
}

/* How the body is framed, while the fields are read. */
struct framing {
  int has_length;
  int has_coding;
  int ends_chunked; /* the last coding named so far is chunked */
  int codings;
  int hosts;
  int close;
  int keep_alive;
  int upgrade; /* named by Connection */
};

static int read_length(struct luge__h1 *p, struct framing *f,
                       struct luge__h1_text value) {
  uint64_t length = 0;
  for (size_t i = 0; i < value.len; i++) {
    unsigned digit = (unsigned)(unsigned char)value.ptr[i] - '0';
    if (digit > 9 || i >= 18) { /* 18 digits do not overflow */
      return refuse(p, 400, "malformed Content-Length");
    }
    length = length * 10 + digit;
  }
  if (value.len == 0) {
    return refuse(p, 400, "malformed Content-Length");
  }
  if (f->has_length) {
    return refuse(p, 400, "Content-Length is given twice");
  }
  f->has_length = 1;
  p->head.content_length = length;
  return 0;
}

static int read_coding(struct luge__h1 *p, struct framing *f,
                       struct luge__h1_text value) {
  struct luge__h1_text coding;
  int before = f->codings;
  f->has_coding = 1;
  while (next_element(&value, &coding)) {
    if (f->ends_chunked) {
      return refuse(p, 400, "chunked is not the last Transfer-Encoding");
    }
    f->codings++;
    f->ends_chunked = is_named(coding, "chunked");
  }
  /* Whoever looks at one such field alone must see the same. */
  return f->codings > before ? 0 : refuse(p, 400, "empty Transfer-Encoding");
}

static void read_connection(struct framing *f, struct luge__h1_text value) {
  struct luge__h1_text option;
  while (next_element(&value, &option)) {
    f->close |= is_named(option, "close");
    f->keep_alive |= is_named(option, "keep-alive");
    f->upgrade |= is_named(option, "upgrade");
  }
}

static int is_host_char(unsigned char c) {
  return luge__h1_is_token_char(c) ? strchr("#^`|", c) == NULL
                                   : c != 0 && strchr("~();=", c) != NULL;
}

/* A name or an address, and a port (RFC 9110, section 7.2). */
static int is_host(struct luge__h1_text t) {
  const char *c = t.ptr, *end = t.ptr + t.len;
  int bracket = c < end && *c == '[';
  for (c += bracket; c < end; c++) {
    if (!is_host_char((unsigned char)*c) && !(bracket && *c == ':')) {
      break;
    }
  }
  if (bracket && (c == end || *c++ != ']')) {
    return 0;
  }
  if (c < end && *c++ != ':') {
    return 0;
  }
  while (c < end && *c >= '0' && *c <= '9') {
    c++;
  }
  return c == end;
}

static int read_host(struct luge__h1 *p, struct framing *f,
                     struct luge__h1_text value) {
  if (++f->hosts > 1) {
    return refuse(p, 400, "Host is given twice");
  }
  return is_host(value) ? 0 : refuse(p, 400, "malformed Host");
}

static int read_expect(struct luge__h1 *p, struct luge__h1_text value) {
  if (!is_named(value, "100-continue")) {
    return refuse(p, 417, "unknown expectation");
  }
  p->head.expects_continue = p->head.minor > 0;
  return 0;
}

static int read_field(struct luge__h1 *p, struct framing *f,
                      const struct luge__h1_field *field) {
  if (is_named(field->name, "content-length")) {
    return read_length(p, f, field->value);
  }
  if (is_named(field->name, "transfer-encoding")) {
    return read_coding(p, f, field->value);
  }
  if (is_named(field->name, "host")) {
    return read_host(p, f, field->value);
  }
  if (is_named(field->name, "expect")) {
    return read_expect(p, field->value);
  }
  if (is_named(field->name, "connection")) {
    read_connection(f, field->value);
  }
  return 0;
}

static int check_framing(struct luge__h1 *p, const struct framing *f) {
  if (f->has_coding && f->has_length) {
    return refuse(p, 400, "both Content-Length and Transfer-Encoding");
  }
  if (f->has_coding && p->head.minor == 0) {
    return refuse(p, 400, "Transfer-Encoding in HTTP/1.0");
  }
  if (f->has_coding && !f->ends_chunked) {
    return refuse(p, 400, "the last Transfer-Encoding is not chunked");
  }
  if (f->codings > 1) {
    return refuse(p, 501, "a Transfer-Encoding other than chunked");
  }
  if (p->head.minor > 0 && f->hosts == 0) {
    return refuse(p, 400, "no Host");
  }
  if (p->head.content_length > p->limits->max_body) {
    return refuse(p, 413, "the body is too large");
  }
  return 0;
}

int luge__h1_read_head(struct luge__h1 *p) {
  struct framing f = {0};
  int status = read_request_line(p);
  if (status == 0) {
    status = split(p);
  }
  for (size_t i = 0; status == 0 && i < p->head.count; i++) {
    status = read_field(p, &f, &p->head.fields[i]);
  }
  if (status == 0) {
    status = check_framing(p, &f);
  }
  p->head.chunked = f.has_coding;
  /* What follows a CONNECT may be meant for the tunnel that it asks for. */
  p->head.keep_alive = !f.close && !is_named(p->head.method, "connect") &&
                       (p->head.minor > 0 || f.keep_alive);
  p->head.upgrade = f.upgrade && luge__h1_find(&p->head, "upgrade") != NULL;
  return status;
}
