/*
 * Networks by address and prefix: "127.0.0.1", "192.0.2.0/24", "2001:db8::/32".
 */
#ifndef CAMHUB_SHARED_NETWORK_H
#define CAMHUB_SHARED_NETWORK_H

#include <stdbool.h>
#include <sys/socket.h>

struct network {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned prefix;         /* bits of bytes that count, 0 to 128 */
};

/* Numeric, without a scope; bits behind the prefix are 0. 0 or -EINVAL. */
int network_parse(const char *text, struct network *network);
/* IPv4 that came over an IPv6 socket is IPv4. False for addresses that are neither. */
bool network_has(const struct network *network, const struct sockaddr *addr);

#endif
