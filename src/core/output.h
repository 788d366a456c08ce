/* What scripts print; see output.c. */
#ifndef LUGE_CORE_OUTPUT_H
#define LUGE_CORE_OUTPUT_H

#include <stddef.h>

struct luge_host;

/* Adds to what will be handed to the host's output callback. 0, or the
 * negative errno that the callback returned. */
int luge__print(struct luge_host *host, const char *bytes, size_t length);

/* Hands over what was collected. */
int luge__flush(struct luge_host *host);

void luge__output_free(struct luge_host *host);

#endif
