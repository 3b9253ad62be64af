/*
 * Networks: all addresses are looked at in the form of IPv6.
 */
#include "config.h"

#include "shared/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool
are_bits_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

static bool
is_clear_behind(const struct network *network)
{
	for (unsigned bit = network->prefix; bit < 128; bit++)
		if ((network->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	return true;
}

static int
parse_prefix(const char *text, unsigned max, unsigned *prefix)
{
	size_t len = strlen(text);

	if (len < 1 || len > 3 || strspn(text, "0123456789") != len ||
	    (text[0] == '0' && len > 1) || strtoul(text, NULL, 10) > max)
		return -EINVAL;
	*prefix = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

int
network_parse(const char *text, struct network *network)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	struct network read = { .prefix = 128 };
	unsigned base = 0;

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, read.bytes + sizeof(mapped)) == 1) {
		memcpy(read.bytes, mapped, sizeof(mapped));
		base = MAPPED_BITS;
	} else if (inet_pton(AF_INET6, address, read.bytes) != 1) {
		return -EINVAL;
	}
	if (text[len] == '/') {
		if (parse_prefix(text + len + 1, 128 - base, &read.prefix) < 0)
			return -EINVAL;
		read.prefix += base;
	}
	if (!is_clear_behind(&read))
		return -EINVAL;
	*network = read;
	return 0;
}

bool
network_has(const struct network *network, const struct sockaddr *addr)
{
	unsigned char bytes[16];

	if (addr->sa_family == AF_INET) {
		memcpy(bytes, mapped, sizeof(mapped));
		memcpy(bytes + sizeof(mapped), &((const struct sockaddr_in *)addr)->sin_addr, 4);
	} else if (addr->sa_family == AF_INET6) {
		memcpy(bytes, &((const struct sockaddr_in6 *)addr)->sin6_addr, 16);
	} else {
		return false;
	}
	return are_bits_equal(bytes, network->bytes, network->prefix);
}
