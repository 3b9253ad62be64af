/*
 * Comparing only what is the address: padding and flow labels are not.
 */
#include "config.h"

#include "rtc/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

bool
rtc_address_from(const struct sockaddr *sa, size_t len, union rtc_address *address)
{
	union rtc_address made;

	memset(&made, 0, sizeof(made));
	if (len >= sizeof(made.in) && sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;

		made.in.sin_family = AF_INET;
		made.in.sin_addr = in->sin_addr;
		made.in.sin_port = in->sin_port;
	} else if (len >= sizeof(made.in6) && sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

		made.in6.sin6_family = AF_INET6;
		made.in6.sin6_addr = in6->sin6_addr;
		made.in6.sin6_port = in6->sin6_port;
		made.in6.sin6_scope_id = in6->sin6_scope_id;
	} else {
		return false;
	}
	*address = made;
	return true;
}

int
rtc_address_of(int fd, union rtc_address *address)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
		return -errno;
	return rtc_address_from((struct sockaddr *)&bound, len, address) ? 0 : -EAFNOSUPPORT;
}

bool
rtc_address_parse(const char *text, uint16_t port, union rtc_address *address)
{
	union rtc_address made;

	memset(&made, 0, sizeof(made));
	if (inet_pton(AF_INET, text, &made.in.sin_addr) == 1) {
		made.in.sin_family = AF_INET;
		made.in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &made.in6.sin6_addr) == 1) {
		made.in6.sin6_family = AF_INET6;
		made.in6.sin6_port = htons(port);
	} else {
		return false;
	}
	*address = made;
	return true;
}

socklen_t
rtc_address_len(const union rtc_address *address)
{
	return address->sa.sa_family == AF_INET ? sizeof(address->in) : sizeof(address->in6);
}

uint16_t
rtc_address_port(const union rtc_address *address)
{
	return ntohs(address->sa.sa_family == AF_INET ? address->in.sin_port
						      : address->in6.sin6_port);
}

bool
rtc_address_is_same_host(const union rtc_address *a, const union rtc_address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0 &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool
rtc_address_is_same(const union rtc_address *a, const union rtc_address *b)
{
	return rtc_address_is_same_host(a, b) && rtc_address_port(a) == rtc_address_port(b);
}

static uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ (hash >> 29);
}

uint32_t
rtc_address_hash(const union rtc_address *address, uint64_t key)
{
	uint64_t hash = mix(key, rtc_address_port(address)), words[2];

	if (address->sa.sa_family == AF_INET)
		return (uint32_t)mix(mix(hash, address->in.sin_addr.s_addr), key);
	memcpy(words, &address->in6.sin6_addr, sizeof(words));
	return (uint32_t)mix(mix(mix(hash, words[0]), words[1]), key);
}

void
rtc_address_text(const union rtc_address *address, char out[RTC_ADDRESS_TEXT])
{
	const struct in6_addr *in6 = &address->in6.sin6_addr;

	out[0] = '\0';
	if (address->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->in.sin_addr, out, RTC_ADDRESS_TEXT);
	else if (address->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(in6))
		inet_ntop(AF_INET, &in6->s6_addr[12], out, RTC_ADDRESS_TEXT);
	else if (address->sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, in6, out, RTC_ADDRESS_TEXT);
}
