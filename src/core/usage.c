/* luge_usage: what a host takes, in figures. */
#include <luge.h>
#include <string.h>

#include "host.h"

int luge_usage(const luge_host *host, struct luge_usage *usage) {
  if (!luge__usable(host) || usage == NULL ||
      usage->size < sizeof usage->size) {
    return LUGE_INVALID;
  }
  struct luge_usage now = {
      .size = usage->size,
      .memory = host->memory.used,
      .memory_limit = host->memory.limit,
      .tasks = host->live,
      .operations = host->refs,
      .timers = host->timers.count - host->timers.bounds,
  };
  size_t size = usage->size < sizeof now ? usage->size : sizeof now;
  memcpy(usage, &now, size);
  return LUGE_OK;
}
