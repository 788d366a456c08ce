/* libcurl, loaded when it is first needed: linking it would more than double
 * the time that a script takes to start. The table of its functions is
 * loaded once in a process, by whichever thread comes first, and is read-only
 * from then on. Compiled against 7.81 or later, and run with any: options that
 * are newer are known here by their numbers, and tried at run time. */
#ifndef LUGE_HTTP_CURL_H
#define LUGE_HTTP_CURL_H

#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

#define LUGE_CURL_FUNCTIONS(X)                                                 \
  X(easy_cleanup)                                                              \
  X(easy_getinfo)                                                              \
  X(easy_init)                                                                 \
  X(easy_pause)                                                                \
  X(easy_reset)                                                                \
  X(easy_setopt)                                                               \
  X(easy_strerror)                                                             \
  X(free)                                                                      \
  X(global_init)                                                               \
  X(multi_add_handle)                                                          \
  X(multi_cleanup)                                                             \
  X(multi_info_read)                                                           \
  X(multi_init)                                                                \
  X(multi_remove_handle)                                                       \
  X(multi_setopt)                                                              \
  X(multi_socket_action)                                                       \
  X(share_cleanup)                                                             \
  X(share_init)                                                                \
  X(share_setopt)                                                              \
  X(url)                                                                       \
  X(url_cleanup)                                                               \
  X(url_get)                                                                   \
  X(url_set)                                                                   \
  X(version_info)

struct luge__curl {
#define LUGE_CURL_MEMBER(name) __typeof__(&curl_##name) name;
  LUGE_CURL_FUNCTIONS(LUGE_CURL_MEMBER)
#undef LUGE_CURL_MEMBER
};

/* The table, loading it if need be; or NULL, and why in *problem, until the
 * thread asks again. */
const struct luge__curl *luge__curl_load(const char **problem);

/* What versions after 7.81 know, by its number. */
#define LUGE_CURLOPT_QUICK_EXIT                                                \
  ((CURLoption)(CURLOPTTYPE_LONG + 322)) /* 7.87 */

enum {
  LUGE_CURLE_TOO_LARGE = 100 /* 8.6 */
};

#endif
