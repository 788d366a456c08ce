/* Descriptors of stream sockets: non-blocking, and closed in the programs that
 * are started. Any thread. */
#ifndef LUGE_NET_DESCRIPTOR_H
#define LUGE_NET_DESCRIPTOR_H

#include <sys/socket.h>

/* As socket(2) and accept(2): -1 and errno on failure. */
int luge__descriptor_open(int family);
int luge__descriptor_accept(int listener, struct sockaddr *peer,
                            socklen_t *size);

#endif
