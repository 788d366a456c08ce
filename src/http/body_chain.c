/* Two decoders, the second of which reads what the first one makes: a body
 * with several encodings is a chain of such pairs. */
#include "body_decode.h"

/* Between the two. */
enum { ROOM = 16 * 1024 };

struct chain {
  struct luge__decoder base;
  struct luge__decoder *first, *second;
  struct luge__piece between; /* made by the first, not read by the second */
  bool pending;               /* the first has more */
  char room[ROOM];
};

static struct chain *as_chain(struct luge__decoder *base) {
  return (struct chain *)(void *)base;
}

/* Lets the first make more; false: corrupt. */
static bool refill(struct chain *c, struct luge__piece *in) {
  struct luge__piece space = {.ptr = c->room, .len = sizeof c->room};
  bool ok = luge__decoder_run(c->first, in, &space);
  c->between.ptr = c->room;
  c->between.len = sizeof c->room - space.len;
  c->pending = space.len == 0;
  return ok;
}

static bool run(struct luge__decoder *base, struct luge__piece *in,
                struct luge__piece *out) {
  struct chain *c = as_chain(base);
  bool ok = true;
  for (bool more = true; ok && more && out->len > 0;) {
    size_t before = c->between.len + in->len, room = out->len;
    ok = luge__decoder_run(c->second, &c->between, out);
    if (ok && out->len > 0 && c->between.len == 0) {
      ok = refill(c, in);
    }
    more = c->pending || out->len < room ||
           c->between.len + in->len != before || c->between.len > 0;
  }
  c->base.done =
      luge__decoder_is_done(c->first) && luge__decoder_is_done(c->second);
  return ok;
}

static void close_chain(struct luge__decoder *base,
                        const struct luge__memory *memory) {
  struct chain *c = as_chain(base);
  luge__decoder_free(c->first, memory);
  luge__decoder_free(c->second, memory);
  memory->fn(memory->ud, c, sizeof *c, 0);
}

struct luge__decoder *luge__decoder_chain(const struct luge__memory *memory,
                                          struct luge__decoder *first,
                                          struct luge__decoder *second) {
  static const struct luge__decoder_kind kind = {.run = run,
                                                 .close = close_chain};
  struct chain *c = memory->fn(memory->ud, NULL, 0, sizeof *c);
  if (c == NULL) {
    luge__decoder_free(first, memory);
    return NULL;
  }
  c->base = (struct luge__decoder){.kind = &kind};
  c->first = first;
  c->second = second;
  c->between = (struct luge__piece){.ptr = c->room};
  c->pending = false;
  return &c->base;
}
