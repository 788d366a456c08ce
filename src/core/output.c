/* What scripts print: collected, and handed to the host's callback before the
 * loop blocks, when the buffer is full, and at the end. */
#include "output.h"

#include <string.h>

#include "host.h"

enum { CAPACITY = 16384 };

static int hand_over(struct luge_host *host, const char *bytes,
                     size_t length) {
  if (host->options.output == NULL || length == 0) {
    return 0;
  }
  return host->options.output(host, LUGE_STDOUT, bytes, length,
                              host->options.user);
}

int luge__flush(struct luge_host *host) {
  size_t length = host->output_length;
  host->output_length = 0;
  return hand_over(host, host->output, length);
}

int luge__print(struct luge_host *host, const char *bytes, size_t length) {
  if (host->output == NULL) {
    host->output = luge__realloc(host, NULL, 0, CAPACITY);
  }
  if (host->output == NULL || host->output_length + length > CAPACITY) {
    int status = luge__flush(host);
    if (status != 0 || host->output == NULL || length > CAPACITY) {
      return status != 0 ? status : hand_over(host, bytes, length);
    }
  }
  memcpy(host->output + host->output_length, bytes, length);
  host->output_length += length;
  return 0;
}

void luge__output_free(struct luge_host *host) {
  luge__realloc(host, host->output, CAPACITY, 0);
  host->output = NULL;
}
