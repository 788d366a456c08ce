/* The part of reading a request's head that is left to a library: llhttp
 * (h1_llhttp.c) or http_parser (h1_http_parser.c), whichever there is. */
#ifndef LUGE_HTTP_H1_SPLIT_H
#define LUGE_HTTP_H1_SPLIT_H

#include "h1.h"

/* Splits a complete head, its empty line included, into `target` and at most
 * `capacity` fields, which point into `bytes`. Returns 0, or the HTTP status
 * to refuse the head with. */
int luge__h1_split(const char *bytes, size_t len, struct luge__h1_head *head);

#endif
