/* The list of decoders; see body_decode.h. */
#include "body_decode.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

static const struct luge__decoder_kind *const kinds[] = {
    &luge__gzip_decoder, &luge__deflate_decoder, &luge__brotli_decoder,
    &luge__zstd_decoder, NULL};

static uv_once_t once = UV_ONCE_INIT;
static const struct luge__decoder_kind *loaded[5]; /* ended by NULL */
static char names[40];

bool luge__load_library(const char *name, const struct luge__import *imports) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    return false;
  }
  for (; imports->name != NULL; imports++) {
    void *symbol = dlsym(library, imports->name);
    if (symbol == NULL) {
      return false;
    }
    memcpy(imports->function, &symbol, sizeof symbol);
  }
  return true;
}

static void load(void) {
  size_t count = 0;
  for (size_t i = 0; kinds[i] != NULL; i++) {
    if (kinds[i]->load()) {
      loaded[count++] = kinds[i];
      size_t used = strlen(names);
      snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
               kinds[i]->name);
    }
  }
}

const char *luge__decoder_names(void) {
  uv_once(&once, load);
  return names;
}

static const struct luge__decoder_kind *find(const char *encoding,
                                             size_t length) {
  luge__decoder_names();
  if (length == 6 && strncasecmp(encoding, "x-gzip", 6) == 0) {
    encoding += 2;
    length -= 2;
  }
  for (size_t i = 0; loaded[i] != NULL; i++) {
    if (strlen(loaded[i]->name) == length &&
        strncasecmp(loaded[i]->name, encoding, length) == 0) {
      return loaded[i];
    }
  }
  return NULL;
}

bool luge__decoder_knows(const char *encoding, size_t length) {
  return find(encoding, length) != NULL;
}

struct luge__decoder *luge__decoder_new(const struct luge__memory *memory,
                                        const char *encoding, size_t length) {
  const struct luge__decoder_kind *kind = find(encoding, length);
  struct luge__decoder *decoder = kind->open(memory);
  if (decoder != NULL) {
    decoder->kind = kind;
  }
  return decoder;
}

bool luge__decoder_run(struct luge__decoder *decoder, struct luge__piece *in,
                       struct luge__piece *out) {
  decoder->begun = decoder->begun || in->len > 0;
  return decoder->kind->run(decoder, in, out);
}

bool luge__decoder_is_done(const struct luge__decoder *decoder) {
  return decoder->done || !decoder->begun;
}

void luge__decoder_free(struct luge__decoder *decoder,
                        const struct luge__memory *memory) {
  if (decoder != NULL) {
    decoder->kind->close(decoder, memory);
  }
}
