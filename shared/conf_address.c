/*
 * Addresses of listeners: numeric, strict, and whether other machines can reach them.
 */
#include "config.h"

#include "shared/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int
parse_port(const char *text, in_port_t *port)
{
	size_t len = strlen(text);
	int value;

	if (len == 0 || len > 5 || text[0] == '0' || strspn(text, "0123456789") != len)
		return -EINVAL;
	value = atoi(text);
	if (value > 65535)
		return -EINVAL;
	*port = htons((uint16_t)value);
	return 0;
}

static int
parse_ipv6(const char *text, struct sockaddr_storage *addr, socklen_t *addr_len)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const char *end = strchr(text, ']');
	char host[INET6_ADDRSTRLEN];

	if (end == NULL || (size_t)(end - text) > sizeof(host) || end[1] != ':')
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(end - text - 1), text + 1);
	if (inet_pton(AF_INET6, host, &in6.sin6_addr) != 1 ||
	    parse_port(end + 2, &in6.sin6_port) < 0)
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, &in6, sizeof(in6));
	*addr_len = sizeof(in6);
	return 0;
}

int
conf_address_parse(const char *text, struct sockaddr_storage *addr, socklen_t *addr_len)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *colon = strchr(text, ':');
	char host[INET_ADDRSTRLEN];

	if (text[0] == '[')
		return parse_ipv6(text, addr, addr_len);
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (inet_pton(AF_INET, host, &in.sin_addr) != 1 || parse_port(colon + 1, &in.sin_port) < 0)
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, &in, sizeof(in));
	*addr_len = sizeof(in);
	return 0;
}

const char *
conf_address_format(const struct sockaddr *addr, char *buf)
{
	char host[INET6_ADDRSTRLEN] = "?";

	switch (addr->sa_family) {
	case AF_INET: {
		const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(buf, 64, "%s:%u", host, ntohs(in->sin_port));
		return buf;
	}
	case AF_INET6: {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(buf, 64, "[%s]:%u", host, ntohs(in6->sin6_port));
		return buf;
	}
	default:
		return strcpy(buf, addr->sa_family == AF_UNIX ? "unix" : "?");
	}
}

bool
conf_address_is_loopback(const struct sockaddr *addr)
{
	const struct in6_addr *in6;

	switch (addr->sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		in6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;
		return IN6_IS_ADDR_LOOPBACK(in6) ||
		       (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
	default:
		return false;
	}
}
