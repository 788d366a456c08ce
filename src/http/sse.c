/* Server-Sent Events; see sse.h. */
#include "sse.h"

#include <string.h>

/* A buffer that held an uncommonly long line is not kept for the next. */
enum { KEPT_CAPACITY = 64 * 1024 };

/* What Lua's integers hold. */
static const uint64_t MAX_RETRY = INT64_MAX;

static const char byte_order_mark[3] = {'\xEF', '\xBB', '\xBF'};

void luge__sse_init(struct luge__sse *p, struct luge__memory memory,
                    size_t max_line, size_t max_event) {
  *p = (struct luge__sse){
      .memory = memory, .max_line = max_line, .max_event = max_event};
}

void luge__sse_free(struct luge__sse *p) {
  luge__bytes_free(&p->line, &p->memory);
  luge__bytes_free(&p->type.own, &p->memory);
  luge__bytes_free(&p->data.own, &p->memory);
  luge__bytes_free(&p->id.own, &p->memory);
  luge__bytes_free(&p->last_id, &p->memory);
}

void luge__sse_feed(struct luge__sse *p, const char *bytes, size_t len) {
  p->pos = bytes;
  p->end = bytes + len;
  p->next_lf = NULL;
  p->next_cr = NULL;
}

static void empty(struct luge__sse *p, struct luge__bytes *b) {
  b->len = 0;
  if (b->cap > KEPT_CAPACITY) {
    luge__bytes_free(b, &p->memory);
  }
}

static void clear_field(struct luge__sse *p, struct luge__sse_field *f) {
  if (f->is_set) {
    empty(p, &f->own);
    f->is_set = 0;
    f->value = (struct luge__sse_text){"", 0};
  }
}

static void clear_block(struct luge__sse *p) {
  clear_field(p, &p->type);
  clear_field(p, &p->data);
  clear_field(p, &p->id);
  p->block_has_retry = 0;
  p->dispatched = 0;
}

static int is_owned(const struct luge__sse_field *f) {
  return f->own.len > 0 && f->value.ptr == f->own.ptr;
}

/* Copies a lent value, for the chunk is about to go. */
static int own_field(struct luge__sse *p, struct luge__sse_field *f) {
  if (!f->is_set || is_owned(f)) {
    return 1;
  }
  if (f->value.len == 0) {
    f->value.ptr = "";
    return 1;
  }
  f->own.len = 0;
  if (!luge__bytes_append(&f->own, &p->memory, f->value.ptr, f->value.len)) {
    return 0;
  }
  f->value.ptr = f->own.ptr;
  return 1;
}

static enum luge__sse_status fail(struct luge__sse *p,
                                  enum luge__sse_status failure) {
  p->failure = failure;
  p->pos = p->end;
  return failure;
}

static int line_too_long(const struct luge__sse *p, size_t more) {
  return p->line.len > p->max_line || more > p->max_line - p->line.len;
}

/* Keeps what the chunk's end cuts off: the block so far, the line so far. May
 * be called again after it ran out of memory. */
static enum luge__sse_status keep_rest(struct luge__sse *p) {
  size_t rest = (size_t)(p->end - p->pos);
  if (line_too_long(p, rest)) {
    return fail(p, LUGE_SSE_LINE_LIMIT);
  }
  if (!own_field(p, &p->type) || !own_field(p, &p->data) ||
      !own_field(p, &p->id)) {
    return LUGE_SSE_NO_MEMORY;
  }
  if (p->line.len == 0) {
    empty(p, &p->line); /* only now can no field lie in it */
  }
  if (!luge__bytes_append(&p->line, &p->memory, p->pos, rest)) {
    return LUGE_SSE_NO_MEMORY;
  }
  p->pos = p->end;
  return LUGE_SSE_MORE;
}

static const char *find(const char *from, const char *end, int c) {
  const char *found = memchr(from, c, (size_t)(end - from));
  return found != NULL ? found : end;
}

/* The end of the line at pos. Both searches remember what they found, so that
 * a chunk full of one kind of line end is not searched again and again for
 * the other. */
static const char *line_end(struct luge__sse *p) {
  if (p->next_lf == NULL || p->next_lf < p->pos) {
    p->next_lf = find(p->pos, p->end, '\n');
  }
  if (p->next_cr == NULL || p->next_cr < p->pos) {
    p->next_cr = find(p->pos, p->end, '\r');
  }
  return p->next_lf < p->next_cr ? p->next_lf : p->next_cr;
}

static int is_named(const char *name, size_t len, const char *wanted) {
  return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

static void set_field(struct luge__sse_field *f, struct luge__sse_text value) {
  f->own.len = 0;
  f->value = value;
  f->is_set = 1;
}

/* The first line of data is lent; a second one makes the data ours. */
static enum luge__sse_status add_data(struct luge__sse *p,
                                      struct luge__sse_text value) {
  struct luge__sse_field *data = &p->data;
  if (!data->is_set) {
    if (value.len > p->max_event) {
      return fail(p, LUGE_SSE_EVENT_LIMIT);
    }
    set_field(data, value);
    return LUGE_SSE_MORE;
  }
  if (data->value.len >= p->max_event ||
      value.len > p->max_event - data->value.len - 1) {
    return fail(p, LUGE_SSE_EVENT_LIMIT);
  }
  if (!own_field(p, data) ||
      !luge__bytes_reserve(&data->own, &p->memory, value.len + 1)) {
    return LUGE_SSE_NO_MEMORY;
  }
  luge__bytes_append(&data->own, &p->memory, "\n", 1);
  luge__bytes_append(&data->own, &p->memory, value.ptr, value.len);
  data->value.ptr = data->own.ptr;
  data->value.len = data->own.len;
  return LUGE_SSE_MORE;
}

/* Only digits count; what is too large is as large as can be. */
static void set_retry(struct luge__sse *p, struct luge__sse_text value) {
  uint64_t retry = 0;
  for (size_t i = 0; i < value.len; i++) {
    unsigned digit = (unsigned)(unsigned char)value.ptr[i] - '0';
    if (digit > 9) {
      return;
    }
    retry = retry > (MAX_RETRY - digit) / 10 ? MAX_RETRY : retry * 10 + digit;
  }
  if (value.len > 0) {
    p->retry = retry;
    p->has_retry = 1;
    p->block_has_retry = 1;
  }
}

/* A line that is not empty; LUGE_SSE_MORE: read on. */
static enum luge__sse_status read_field(struct luge__sse *p,
                                        struct luge__sse_text line) {
  const char *colon = memchr(line.ptr, ':', line.len);
  size_t name_len = colon != NULL ? (size_t)(colon - line.ptr) : line.len;
  struct luge__sse_text value = {"", 0};
  if (colon != NULL) {
    value.ptr = colon + 1;
    value.len = line.len - name_len - 1;
    if (value.len > 0 && value.ptr[0] == ' ') {
      value.ptr++;
      value.len--;
    }
  }
  if (is_named(line.ptr, name_len, "data")) {
    return add_data(p, value);
  }
  if (is_named(line.ptr, name_len, "event")) {
    set_field(&p->type, value);
  } else if (is_named(line.ptr, name_len, "id")) {
    if (memchr(value.ptr, '\0', value.len) == NULL) {
      set_field(&p->id, value);
    }
  } else if (is_named(line.ptr, name_len, "retry")) {
    set_retry(p, value);
  }
  return LUGE_SSE_MORE;
}

/* The block's id becomes the stream's, also where it has no data. */
static int settle_id(struct luge__sse *p) {
  const struct luge__sse_text *id = &p->id.value;
  if (!p->id.is_set ||
      (id->len == p->last_id.len &&
       (id->len == 0 || memcmp(id->ptr, p->last_id.ptr, id->len) == 0))) {
    return 1;
  }
  if (id->len > p->last_id.len &&
      !luge__bytes_reserve(&p->last_id, &p->memory, id->len - p->last_id.len)) {
    return 0;
  }
  p->last_id.len = 0;
  luge__bytes_append(&p->last_id, &p->memory, id->ptr, id->len);
  p->id_changed = 1;
  return 1;
}

/* The empty line. A block without data is no event: read on. */
static enum luge__sse_status dispatch(struct luge__sse *p,
                                      struct luge__sse_event *event) {
  if (!settle_id(p)) {
    return LUGE_SSE_NO_MEMORY;
  }
  if (!p->data.is_set) {
    clear_block(p);
    return LUGE_SSE_MORE;
  }
  event->type = p->type.value;
  event->data = p->data.value;
  event->has_retry = p->block_has_retry;
  event->retry = p->retry;
  p->dispatched = 1;
  return LUGE_SSE_EVENT;
}

/* Steps over the end of a line at `eol`; the LF of a CR LF may be still to
 * come. */
static void step_over(struct luge__sse *p, const char *eol) {
  p->line.len = 0;
  p->pos = eol + 1;
  if (*eol == '\r') {
    p->skip_lf = 1;
  }
}

/* Reads the line that ends at `eol`. When memory runs out, nothing changed. */
static enum luge__sse_status read_line(struct luge__sse *p, const char *eol,
                                       struct luge__sse_event *event) {
  struct luge__sse_text line = {p->pos, (size_t)(eol - p->pos)};
  size_t held = p->line.len;
  if (line_too_long(p, line.len)) {
    return fail(p, LUGE_SSE_LINE_LIMIT);
  }
  if (held > 0) {
    if (!luge__bytes_append(&p->line, &p->memory, line.ptr, line.len)) {
      return LUGE_SSE_NO_MEMORY;
    }
    line = (struct luge__sse_text){p->line.ptr, p->line.len};
  }
  enum luge__sse_status status =
      line.len == 0 ? dispatch(p, event) : read_field(p, line);
  if (status == LUGE_SSE_NO_MEMORY) {
    p->line.len = held;
  } else if (p->failure == LUGE_SSE_MORE) {
    step_over(p, eol);
  }
  return status;
}

/* Skips a byte order mark at the very beginning. If what began like one turns
 * out to be text, that is put back. */
static int skip_byte_order_mark(struct luge__sse *p) {
  while (p->bom_matched < 3 && p->pos < p->end) {
    if (*p->pos != byte_order_mark[p->bom_matched]) {
      if (!luge__bytes_append(&p->line, &p->memory, byte_order_mark,
                              (size_t)p->bom_matched)) {
        return 0;
      }
      p->bom_matched = 3;
      return 1;
    }
    p->pos++;
    p->bom_matched++;
  }
  return 1;
}

enum luge__sse_status luge__sse_next(struct luge__sse *p,
                                     struct luge__sse_event *event) {
  if (p->dispatched) {
    clear_block(p);
  }
  if (p->failure != LUGE_SSE_MORE) {
    return p->failure;
  }
  if (!skip_byte_order_mark(p)) {
    return LUGE_SSE_NO_MEMORY;
  }
  while (p->pos < p->end) {
    if (p->skip_lf) {
      p->skip_lf = 0;
      if (*p->pos == '\n') {
        p->pos++;
        continue;
      }
    }
    const char *eol = line_end(p);
    if (eol == p->end) {
      break;
    }
    enum luge__sse_status status = read_line(p, eol, event);
    if (status != LUGE_SSE_MORE) {
      return status;
    }
  }
  return keep_rest(p);
}
