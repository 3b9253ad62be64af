/*
 * The sockets of WebRTC: for each address one of UDP and one of TCP with the same number.
 */
#include "config.h"

#include "supervisor/sup_rtc.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_BACKLOG 256

struct address {
	struct sockaddr_storage addr;
	socklen_t len;
};

struct addresses {
	struct address list[CONF_MAX_LISTEN];
	size_t n;
};

static bool
is_any(const struct sockaddr_storage *addr)
{
	static const struct in6_addr any = IN6ADDR_ANY_INIT;
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

	if (addr->ss_family == AF_INET)
		return in->sin_addr.s_addr == htonl(INADDR_ANY);
	return memcmp(&in6->sin6_addr, &any, sizeof(any)) == 0;
}

static bool
has(const struct addresses *all, const struct address *address)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].len == address->len &&
		    memcmp(&all->list[i].addr, &address->addr, address->len) == 0)
			return true;
	return false;
}

/* What listens on all addresses of a family leaves none for others. */
static void
drop_covered(struct addresses *all)
{
	struct addresses kept = { .n = 0 };
	bool any[2] = { false, false };

	for (size_t i = 0; i < all->n; i++)
		any[all->list[i].addr.ss_family == AF_INET6] |= is_any(&all->list[i].addr);
	for (size_t i = 0; i < all->n; i++)
		if (is_any(&all->list[i].addr) || !any[all->list[i].addr.ss_family == AF_INET6])
			kept.list[kept.n++] = all->list[i];
	*all = kept;
}

static void
add(struct addresses *all, const struct address *address)
{
	if (all->n < CONF_MAX_LISTEN && !has(all, address))
		all->list[all->n++] = *address;
}

static void
add_configured(const struct conf *conf, struct addresses *all)
{
	struct address address;

	for (size_t i = 0; i < conf->rtc_listen.n; i++)
		if (conf_ip_parse(conf->rtc_listen.list[i], (uint16_t)conf->rtc_port, &address.addr,
				  &address.len) == 0)
			add(all, &address);
}

/* Those of http, with the other port. Only what is bound to an address counts. */
static void
add_of_http(const struct conf *conf, const struct sup_listeners *listeners, struct addresses *all)
{
	in_port_t port = htons((uint16_t)conf->rtc_port);
	struct address address;

	for (size_t i = 0; i < listeners->n; i++) {
		if (conf_address_parse(listeners->list[i].address, &address.addr, &address.len) < 0)
			continue;
		if (address.addr.ss_family == AF_INET)
			((struct sockaddr_in *)&address.addr)->sin_port = port;
		else
			((struct sockaddr_in6 *)&address.addr)->sin6_port = port;
		add(all, &address);
	}
}

static void
find_wanted(const struct conf *conf, const struct sup_listeners *listeners, struct addresses *all)
{
	all->n = 0;
	if (conf->rtc_listen.n > 0)
		add_configured(conf, all);
	else
		add_of_http(conf, listeners, all);
	drop_covered(all);
}

/* One socket. */
static int
open_socket(const struct address *address, int type, int *opened)
{
	int family = address->addr.ss_family, on = 1, rc;
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* Answers go out from the address that was asked. */
	if (type == SOCK_DGRAM && family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else if (type == SOCK_DGRAM)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address->addr, address->len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, TCP_BACKLOG) < 0)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*opened = fd;
	return 0;
}

static int
open_pair(const struct address *address, struct sup_rtc_socket *socket)
{
	int rc = open_socket(address, SOCK_DGRAM, &socket->udp);

	if (rc < 0)
		return rc;
	rc = open_socket(address, SOCK_STREAM, &socket->tcp);
	if (rc < 0)
		close(socket->udp);
	return rc;
}

static struct sup_rtc_socket *
find(struct sup_rtc_sockets *sockets, const char *address)
{
	for (size_t i = 0; i < sockets->n; i++)
		if (strcmp(sockets->list[i].address, address) == 0)
			return &sockets->list[i];
	return NULL;
}

void
sup_rtc_sockets_close(struct sup_rtc_sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++) {
		if (sockets->list[i].udp >= 0)
			close(sockets->list[i].udp);
		if (sockets->list[i].tcp >= 0)
			close(sockets->list[i].tcp);
	}
	sockets->n = 0;
}

/* They are the other's now. */
static void
give_up(struct sup_rtc_sockets *old, const struct sup_rtc_sockets *taken)
{
	for (size_t i = 0; i < taken->n; i++) {
		struct sup_rtc_socket *socket = find(old, taken->list[i].address);

		if (socket != NULL)
			socket->udp = socket->tcp = -1;
	}
}

static void
close_new(const struct sup_rtc_sockets *old, const struct sup_rtc_sockets *fresh)
{
	for (size_t i = 0; i < fresh->n; i++) {
		if (find((struct sup_rtc_sockets *)old, fresh->list[i].address) != NULL)
			continue;
		close(fresh->list[i].udp);
		close(fresh->list[i].tcp);
	}
}

int
sup_rtc_sockets_open(const struct conf *conf, const struct sup_listeners *listeners,
		     struct sup_rtc_sockets *old, struct sup_rtc_sockets *wanted, char *err,
		     size_t err_len)
{
	struct sup_rtc_sockets fresh = { .n = 0 };
	struct addresses all;
	int rc = 0;

	find_wanted(conf, listeners, &all);
	if (all.n == 0) {
		snprintf(err, err_len, "there is no address to listen on");
		return -EADDRNOTAVAIL;
	}
	for (size_t i = 0; i < all.n && rc == 0; i++) {
		struct sup_rtc_socket *to = &fresh.list[fresh.n], *from;

		conf_address_format((const struct sockaddr *)&all.list[i].addr, to->address);
		from = find(old, to->address);
		if (from != NULL)
			*to = *from;
		else
			rc = open_pair(&all.list[i], to);
		if (rc == 0)
			fresh.n++;
		else
			snprintf(err, err_len, "cannot listen on %s, UDP and TCP: %s", to->address,
				 strerror(-rc));
	}
	if (rc < 0) {
		close_new(old, &fresh);
		return rc;
	}
	give_up(old, &fresh);
	*wanted = fresh;
	return 0;
}

bool
sup_rtc_sockets_fit(const struct conf *conf, const struct sup_listeners *listeners,
		    const struct sup_rtc_sockets *old)
{
	struct addresses all;
	char text[64];

	find_wanted(conf, listeners, &all);
	if (all.n != old->n)
		return false;
	for (size_t i = 0; i < all.n; i++)
		if (strcmp(conf_address_format((const struct sockaddr *)&all.list[i].addr, text),
			   old->list[i].address) != 0)
			return false;
	return true;
}

static in_port_t
port_of(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? ((const struct sockaddr_in *)addr)->sin_port
					  : ((const struct sockaddr_in6 *)addr)->sin6_port;
}

static bool
is_in_the_way(const struct sockaddr_storage *one, const struct sockaddr_storage *other)
{
	return one->ss_family == other->ss_family && port_of(one) == port_of(other) &&
	       (is_any(one) || is_any(other));
}

bool
sup_rtc_sockets_clash(const struct conf *conf, const struct sup_listeners *listeners,
		      const struct sup_rtc_sockets *old)
{
	struct addresses all;

	find_wanted(conf, listeners, &all);
	for (size_t i = 0; i < old->n; i++) {
		struct address there;

		if (conf_address_parse(old->list[i].address, &there.addr, &there.len) < 0 ||
		    has(&all, &there))
			continue;
		for (size_t j = 0; j < all.n; j++)
			if (is_in_the_way(&there.addr, &all.list[j].addr))
				return true;
	}
	return false;
}
