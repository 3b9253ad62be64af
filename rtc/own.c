/*
 * Gathering candidates.
 */
#include "config.h"

#include "rtc/own.h"

#include "rtc/tcp.h"
#include "rtc/udp.h"

#include <stdio.h>
#include <string.h>

struct list {
	struct rtc_sdp_candidate *out;
	size_t n;
};

static void
add(struct list *list, const char *text, uint16_t port, bool is_tcp)
{
	if (list->n == RTC_SDP_CANDIDATES_MAX || text[0] == '\0')
		return;
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->out[i].address, text) == 0 && list->out[i].port == port &&
		    list->out[i].is_tcp == is_tcp)
			return;
	list->out[list->n] = (struct rtc_sdp_candidate){ .port = port, .is_tcp = is_tcp };
	snprintf(list->out[list->n++].address, sizeof(list->out[0].address), "%s", text);
}

static bool
is_wildcard(const union rtc_address *address)
{
	return address->sa.sa_family == AF_INET ? address->in.sin_addr.s_addr == INADDR_ANY
						: IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

/* Whether a socket that is bound so is reached at that address. */
static bool
covers(const union rtc_address *bound, const char *text)
{
	char own[RTC_ADDRESS_TEXT];
	union rtc_address address;

	if (!rtc_address_parse(text, 0, &address))
		return false;
	/* The sockets of IPv6 are that only. */
	if (is_wildcard(bound))
		return address.sa.sa_family == bound->sa.sa_family;
	rtc_address_text(bound, own);
	return strcmp(own, text) == 0;
}

static void
add_of(struct list *list, const struct rtc *rtc, const union rtc_address *bound, const char *local,
       bool is_tcp)
{
	uint16_t port = rtc_address_port(bound);
	char own[RTC_ADDRESS_TEXT];

	if (covers(bound, local))
		add(list, local, port, is_tcp);
	if (!is_wildcard(bound)) {
		rtc_address_text(bound, own);
		add(list, own, port, is_tcp);
		return;
	}
	for (unsigned i = 0; i < rtc->n_own; i++)
		if (covers(bound, rtc->own[i]))
			add(list, rtc->own[i], port, is_tcp);
}

static const union rtc_address *
bound_of(const struct rtc *rtc, unsigned i, bool is_tcp)
{
	return is_tcp ? rtc_tcp_port_address(rtc->tcp[i]) : rtc_udp_address(rtc->udp[i]);
}

/* At most so many, that those of the other kind have room too. */
static void
add_kind(struct list *list, const struct rtc *rtc, const char *local, bool is_tcp)
{
	unsigned n = is_tcp ? rtc->n_tcp : rtc->n_udp;

	for (unsigned i = 0; i < n; i++)
		if (covers(bound_of(rtc, i, is_tcp), local))
			add(list, local, rtc_address_port(bound_of(rtc, i, is_tcp)), is_tcp);
	for (unsigned i = 0; i < rtc->n_configured && n > 0; i++)
		add(list, rtc->configured[i], rtc->port, is_tcp);
	for (unsigned i = 0; i < n; i++)
		add_of(list, rtc, bound_of(rtc, i, is_tcp), local, is_tcp);
}

static bool
is_loopback(const char *text)
{
	union rtc_address address;

	if (!rtc_address_parse(text, 0, &address))
		return false;
	if (address.sa.sa_family == AF_INET)
		return ntohl(address.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&address.in6.sin6_addr);
}

size_t
rtc_own_candidates(const struct rtc *rtc, const char *local, const char *client,
		   struct rtc_sdp_candidate out[RTC_SDP_CANDIDATES_MAX])
{
	struct list list = { .out = out };

	/* Where a proxy reached us is nowhere for who is behind it. */
	if (is_loopback(local) && client[0] != '\0' && !is_loopback(client))
		local = "";

	add_kind(&list, rtc, local, false);
	/* TCP is for where UDP does not get through: the best addresses are enough. */
	if (list.n > RTC_SDP_CANDIDATES_MAX - 4)
		list.n = RTC_SDP_CANDIDATES_MAX - 4;
	add_kind(&list, rtc, local, true);
	return list.n;
}
