/*
 * Addresses in numbers.
 */
#include "config.h"

#include "http/access_address.h"

#include "shared/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool
parse(const char *text, struct in6_addr *addr)
{
	char bare[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%"); /* an interface follows */
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		memset(addr, 0, sizeof(*addr));
		addr->s6_addr[10] = addr->s6_addr[11] = 0xff;
		memcpy(&addr->s6_addr[12], &v4, sizeof(v4));
		return true;
	}
	if (len >= sizeof(bare))
		return false;
	memcpy(bare, text, len);
	bare[len] = '\0';
	return inet_pton(AF_INET6, bare, addr) == 1;
}

static void
format(const struct in6_addr *addr, char text[ACCESS_ADDRESS_BYTES])
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		inet_ntop(AF_INET, &addr->s6_addr[12], text, ACCESS_ADDRESS_BYTES);
	else
		inet_ntop(AF_INET6, addr, text, ACCESS_ADDRESS_BYTES);
}

bool
access_address_is_in(const char *address, const char *net)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6 };
	struct network network;

	return parse(address, &addr.sin6_addr) && network_parse(net, &network) == 0 &&
	       network_has(&network, (const struct sockaddr *)&addr);
}

static bool
is_trusted(const char *address, char *const *trusted)
{
	for (; trusted != NULL && *trusted != NULL; trusted++)
		if (access_address_is_in(address, *trusted))
			return true;
	return false;
}

/* The last element of the list's first len bytes; false: it is no address. */
static bool
last_element(const char *list, size_t *len, struct in6_addr *addr)
{
	char text[ACCESS_ADDRESS_BYTES];
	size_t end = *len, begin;

	while (end > 0 && strchr(" \t", list[end - 1]) != NULL)
		end--;
	for (begin = end; begin > 0 && list[begin - 1] != ','; begin--)
		;
	*len = begin > 0 ? begin - 1 : 0;
	while (begin < end && strchr(" \t", list[begin]) != NULL)
		begin++;
	if (end - begin >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(end - begin), list + begin);
	return parse(text, addr);
}

void
access_address_of(const char *peer, char *const *trusted, const char *forwarded,
		  char address[ACCESS_ADDRESS_BYTES])
{
	size_t len = forwarded != NULL ? strlen(forwarded) : 0;
	struct in6_addr addr;

	if (parse(peer, &addr))
		format(&addr, address);
	else
		snprintf(address, ACCESS_ADDRESS_BYTES, "unknown");
	while (len > 0 && is_trusted(address, trusted) && last_element(forwarded, &len, &addr))
		format(&addr, address);
}
