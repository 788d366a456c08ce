/* Proxies that the environment names: http_proxy, https_proxy, all_proxy and
 * no_proxy, also in capitals but for HTTP_PROXY, which a web server sets from a
 * header of a request (CGI). Read once for a client: other threads may change
 * the environment, and libcurl would look into it for every request. */
#ifndef LUGE_HTTP_PROXIES_H
#define LUGE_HTTP_PROXIES_H

#include <stdbool.h>

struct luge_host;
struct luge__proxies;

/* Reads the environment; *proxies is NULL if it names no proxy. False: out of
 * memory. */
bool luge__proxies_read(struct luge_host *host, struct luge__proxies **proxies);
void luge__proxies_free(struct luge_host *host, struct luge__proxies *proxies);

/* The URL of the proxy for a host's name or address, or NULL. */
const char *luge__proxies_choose(const struct luge__proxies *proxies,
                                 bool https, const char *name);

#endif
