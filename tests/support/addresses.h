/* What a test's own getaddrinfo answers with, and the freeaddrinfo for it. */
#ifndef TESTS_ADDRESSES_H
#define TESTS_ADDRESSES_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* An address, in front of others. */
static struct addrinfo *make_info(const char *text, struct addrinfo *next) {
  struct addrinfo *info = calloc(1, sizeof *info);
  struct sockaddr_storage *to = calloc(1, sizeof *to);
  if (info == NULL || to == NULL) {
    abort();
  }
  struct sockaddr_in in = {.sin_family = AF_INET};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
  bool is_v4 = inet_pton(AF_INET, text, &in.sin_addr) == 1;
  if (is_v4) {
    memcpy(to, &in, sizeof in);
  } else {
    inet_pton(AF_INET6, text, &in6.sin6_addr);
    memcpy(to, &in6, sizeof in6);
  }
  *info = (struct addrinfo){.ai_family = is_v4 ? AF_INET : AF_INET6,
                            .ai_addrlen = is_v4 ? sizeof in : sizeof in6,
                            .ai_addr = (struct sockaddr *)to,
                            .ai_next = next};
  return info;
}

void freeaddrinfo(struct addrinfo *list) {
  while (list != NULL) {
    struct addrinfo *next = list->ai_next;
    free(list->ai_addr);
    free(list);
    list = next;
  }
}

#endif
