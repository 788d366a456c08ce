/* What a transfer asks for: URL, method, body. The handle keeps what it was
 * set to; only what differs from its last request is set again. */
#include <string.h>

#include "../core/error.h"
#include "transfer.h"
#include "transfer_headers.h"
#include "transfer_upload.h"
#include "transfer_url.h"

static bool same_url(const struct luge__transfer *t, const char *text,
                     size_t length) {
  return t->url_text.len == length + 1 &&
         memcmp(t->url_text.ptr, text, length) == 0;
}

/* HTTP/2 is negotiated inside TLS: there a request waits for a connection
 * that is being made, since they may share it. */
static void use_url(struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  curl->easy_setopt(t->easy, CURLOPT_CURLU, t->url);
  curl->easy_setopt(t->easy, CURLOPT_PIPEWAIT, t->https ? 1L : 0L);
}

void luge__transfer_set_url(lua_State *L, struct luge__transfer *t, int arg) {
  size_t length;
  const char *text = lua_tolstring(L, arg, &length);
  if (text == NULL) {
    luge__arg_error(L, arg, "a URL");
  }
  if (same_url(t, text, length)) {
    return;
  }
  t->url_text.len = 0; /* should it raise, none is set */
  t->route.known = false;
  t->https = luge__url_set(L, luge__transfer_curl(t), t->url, text, length);
  use_url(t);
  if (!luge__bytes_append(&t->url_text, luge__transfer_memory(t), text,
                          length + 1)) {
    luge__raise_memory(L);
  }
}

void luge__transfer_set_method(lua_State *L, struct luge__transfer *t,
                               int arg) {
  size_t length;
  const char *method = lua_tolstring(L, arg, &length);
  if (method == NULL || length > LUGE_METHOD_MAX ||
      !luge__is_token(method, length)) {
    luge__raise(L, "invalid",
                "bad method \"%s\": takes a word such as GET, of %d bytes at "
                "most",
                method != NULL ? method : "", LUGE_METHOD_MAX);
  }
  if (strcmp(t->method, method) == 0) {
    return;
  }
  if (strcmp(method, "CONNECT") == 0) {
    luge__raise(L, "invalid",
                "bad method: CONNECT is for proxies (option 'proxy')");
  }
  memcpy(t->method, method, length + 1);
  t->shape = LUGE_SHAPE_NONE;
  t->idempotent = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
                  strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
}

/* The method that libcurl uses for a shape unless told otherwise. */
static const char *method_of(enum luge__shape shape) {
  switch (shape) {
  case LUGE_SHAPE_GET:
    return "GET";
  case LUGE_SHAPE_HEAD:
    return "HEAD";
  case LUGE_SHAPE_FIELDS:
    return "POST";
  case LUGE_SHAPE_UPLOAD:
    return "PUT";
  case LUGE_SHAPE_NONE:
    break;
  }
  return "";
}

static void set_shape(struct luge__transfer *t, enum luge__shape shape) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  if (t->shape == shape) {
    return;
  }
  t->shape = shape;
  curl->easy_setopt(t->easy, CURLOPT_HTTPGET, 1L); /* undoes the others */
  if (shape == LUGE_SHAPE_HEAD) {
    curl->easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
  } else if (shape == LUGE_SHAPE_FIELDS) {
    curl->easy_setopt(t->easy, CURLOPT_POST, 1L);
  } else if (shape == LUGE_SHAPE_UPLOAD) {
    curl->easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
  }
  bool custom = strcmp(t->method, method_of(shape)) != 0;
  if (custom || t->customized) {
    curl->easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST,
                      custom ? t->method : NULL);
  }
  t->customized = custom;
}

static bool expects_body(const struct luge__transfer *t) {
  return strcmp(t->method, "POST") == 0 || strcmp(t->method, "PUT") == 0 ||
         strcmp(t->method, "PATCH") == 0;
}

static void set_upload(struct luge__transfer *t, struct luge__upload *upload) {
  set_shape(t, LUGE_SHAPE_UPLOAD);
  t->length = upload->length;
  luge__transfer_curl(t)->easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE,
                                      t->length);
  t->upload = upload;
}

void luge__transfer_set_body(lua_State *L, struct luge__transfer *t, int arg) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  size_t length = 0;
  const char *body = lua_tolstring(L, arg, &length);
  struct luge__upload *upload = luge__upload_test(L, arg);
  if ((body != NULL || upload != NULL) && strcmp(t->method, "HEAD") == 0) {
    luge__raise(L, "invalid", "a HEAD request takes no body");
  }
  if (upload != NULL) {
    set_upload(t, upload);
    return;
  }
  if (body == NULL && !expects_body(t)) {
    set_shape(t, strcmp(t->method, "HEAD") == 0 ? LUGE_SHAPE_HEAD
                                                : LUGE_SHAPE_GET);
    return;
  }
  set_shape(t, LUGE_SHAPE_FIELDS);
  t->length = (curl_off_t)length;
  curl->easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, t->length);
  curl->easy_setopt(t->easy, CURLOPT_POSTFIELDS, body != NULL ? body : "");
}
