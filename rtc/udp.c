/*
 * System calls with many datagrams each.
 */
#include "config.h"

#include "rtc/udp.h"

#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#define RECEIVE_AT_ONCE 32 /* then others get their turn */
#define CONTROL_BYTES   128
#define BUFFER_ENOUGH   (512 << 10)

struct rtc_udp {
	int fd;
	union rtc_address address;
	struct event *readable, *writable;
	const struct rtc_udp_ops *ops;
	void *arg;
	bool has_gso;
	struct rtc_udp_stats stats;
};

/* One for all: what comes in is looked at before the next is read. */
static struct {
	struct mmsghdr headers[RECEIVE_AT_ONCE];
	struct iovec iov[RECEIVE_AT_ONCE];
	struct sockaddr_storage from[RECEIVE_AT_ONCE];
	_Alignas(struct cmsghdr) char control[RECEIVE_AT_ONCE][CONTROL_BYTES];
	uint8_t data[RECEIVE_AT_ONCE][RTC_DATAGRAM_MAX];
} in;

/* In */

static void
prepare(void)
{
	for (unsigned i = 0; i < RECEIVE_AT_ONCE; i++) {
		in.iov[i] = (struct iovec){ in.data[i], sizeof(in.data[i]) };
		in.headers[i].msg_hdr = (struct msghdr){ .msg_name = &in.from[i],
							 .msg_namelen = sizeof(in.from[i]),
							 .msg_iov = &in.iov[i],
							 .msg_iovlen = 1,
							 .msg_control = in.control[i],
							 .msg_controllen = CONTROL_BYTES };
	}
}

/* The address it came to: answers leave from there. */
static void
find_local(struct msghdr *header, uint16_t port, union rtc_address *local)
{
	struct cmsghdr *item;

	memset(local, 0, sizeof(*local));
	for (item = CMSG_FIRSTHDR(header); item != NULL; item = CMSG_NXTHDR(header, item)) {
		if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(item), sizeof(info));
			local->in.sin_family = AF_INET;
			local->in.sin_addr = info.ipi_addr;
			local->in.sin_port = htons(port);
		} else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(item), sizeof(info));
			local->in6.sin6_family = AF_INET6;
			local->in6.sin6_addr = info.ipi6_addr;
			local->in6.sin6_port = htons(port);
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				local->in6.sin6_scope_id = info.ipi6_ifindex;
		}
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct rtc_udp *udp = arg;
	union rtc_address peer, local;
	int n;

	(void)what;
	prepare();
	n = recvmmsg(fd, in.headers, RECEIVE_AT_ONCE, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct msghdr *header = &in.headers[i].msg_hdr;

		udp->stats.received++;
		if (header->msg_flags & MSG_TRUNC) {
			udp->stats.truncated++;
			continue;
		}
		if (!rtc_address_from(header->msg_name, header->msg_namelen, &peer))
			continue;
		find_local(header, rtc_address_port(&udp->address), &local);
		udp->ops->on_datagram(udp->arg, udp, &peer, &local, in.data[i],
				      in.headers[i].msg_len);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct rtc_udp *udp = arg;

	(void)fd;
	(void)what;
	udp->ops->on_room(udp->arg, udp);
}

/* Out */

static void
add_control(struct msghdr *header, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *item =
	    (struct cmsghdr *)(void *)((char *)header->msg_control + header->msg_controllen);

	item->cmsg_level = level;
	item->cmsg_type = type;
	item->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(item), data, len);
	header->msg_controllen += CMSG_SPACE(len);
}

static void
add_local(struct msghdr *header, const union rtc_address *local)
{
	if (local->sa.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = local->in.sin_addr };

		add_control(header, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else if (local->sa.sa_family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_addr = local->in6.sin6_addr,
					    .ipi6_ifindex = local->in6.sin6_scope_id };

		add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

static bool
is_full(int error)
{
	/* Of what else is short for a moment epoll knows nothing: that is lost. */
	return error == EAGAIN || error == EWOULDBLOCK;
}

static size_t
wait_for_room(struct rtc_udp *udp)
{
	udp->stats.full++;
	event_add(udp->writable, NULL);
	return 0;
}

static size_t
send_apart(struct rtc_udp *udp, const struct msghdr *header, const uint8_t *data, size_t len,
	   size_t segment)
{
	struct mmsghdr headers[RTC_UDP_BATCH_SEGMENTS];
	struct iovec iov[RTC_UDP_BATCH_SEGMENTS];
	unsigned n = 0, next = 0;

	for (size_t at = 0; at < len && n < RTC_UDP_BATCH_SEGMENTS; at += segment, n++) {
		iov[n].iov_base = (void *)(uintptr_t)(data + at);
		iov[n].iov_len = len - at < segment ? len - at : segment;
		headers[n] = (struct mmsghdr){ .msg_hdr = *header };
		headers[n].msg_hdr.msg_iov = &iov[n];
	}
	while (next < n) {
		int sent = sendmmsg(udp->fd, headers + next, n - next, MSG_DONTWAIT);

		udp->stats.calls++;
		if (sent < 0 && is_full(errno)) {
			(void)wait_for_room(udp);
			break;
		}
		if (sent < 0)
			udp->stats.refused++;
		/* The first of them was refused: it is lost, those behind it may not be. */
		next += sent > 0 ? (unsigned)sent : 1;
	}
	udp->stats.sent += next;
	return next * segment < len ? next * segment : len;
}

/* -EOPNOTSUPP: not in one call. */
static int
send_together(struct rtc_udp *udp, struct msghdr *header, size_t len, size_t segment)
{
	uint16_t size = (uint16_t)segment;
	ssize_t sent;

	add_control(header, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	sent = sendmsg(udp->fd, header, MSG_DONTWAIT);
	udp->stats.calls++;
	if (sent >= 0) {
		udp->stats.sent += (len + segment - 1) / segment;
		return 0;
	}
	if (is_full(errno))
		return -EAGAIN;
	/* No checksums in hardware, IPsec (EIO): never again. Larger than the path (EINVAL): this
	 * one. */
	if (errno == EIO || errno == ENOPROTOOPT || errno == EOPNOTSUPP)
		udp->has_gso = false;
	else if (errno != EINVAL && errno != EMSGSIZE) {
		udp->stats.refused++;
		return 0;
	}
	return -EOPNOTSUPP;
}

size_t
rtc_udp_send(struct rtc_udp *udp, const union rtc_address *peer, const union rtc_address *local,
	     const uint8_t *data, size_t len, size_t segment)
{
	_Alignas(struct cmsghdr) char control[CONTROL_BYTES] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr header = { .msg_name = (void *)(uintptr_t)&peer->sa,
				 .msg_namelen = rtc_address_len(peer),
				 .msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control };
	size_t local_len;
	int rc;

	add_local(&header, local);
	local_len = header.msg_controllen;
	if (local_len == 0)
		header.msg_control = NULL;
	if (len > segment && udp->has_gso) {
		header.msg_control = control;
		rc = send_together(udp, &header, len, segment);
		if (rc == 0)
			return len;
		if (rc == -EAGAIN)
			return wait_for_room(udp);
		header.msg_controllen = local_len;
		header.msg_control = local_len > 0 ? control : NULL;
	}
	return send_apart(udp, &header, data, len, segment);
}

/* Life */

/* A burst of key frames must fit, and what many viewers say at once. */
static void
size_buffer(int fd, int option, int force, const char *name)
{
	int wanted = RTC_UDP_BUFFER_BYTES, got = 0;
	socklen_t len = sizeof(got);

	if (setsockopt(fd, SOL_SOCKET, force, &wanted, sizeof(wanted)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof(wanted));
	/* The kernel tells twice what it was given. */
	if (getsockopt(fd, SOL_SOCKET, option, &got, &len) == 0 && got / 2 < BUFFER_ENOUGH)
		log_notice("rtc: the kernel gives the UDP socket %d KiB to %s, %d would be better: "
			   "net.core.%cmem_max",
			   got / 2048, name, RTC_UDP_BUFFER_BYTES >> 10,
			   name[0] == 's' ? 'w' : 'r');
}

static bool
knows_gso(int fd)
{
	int size = 0;
	socklen_t len = sizeof(size);

	return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;
}

int
rtc_udp_new(struct event_base *base, int fd, const struct rtc_udp_ops *ops, void *arg,
	    struct rtc_udp **udp)
{
	union rtc_address address;
	struct rtc_udp *made;
	int on = 1, rc;

	rc = rtc_address_of(fd, &address);
	if (rc < 0)
		return rc;
	if (evutil_make_socket_nonblocking(fd) < 0)
		return -EINVAL;
	if (address.sa.sa_family == AF_INET)
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	size_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, "send");
	size_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, "receive");
	made = xcalloc(1, sizeof(*made));
	*made = (struct rtc_udp){
		.fd = fd, .address = address, .ops = ops, .arg = arg, .has_gso = knows_gso(fd)
	};
	made->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, made);
	made->writable = event_new(base, fd, EV_WRITE, on_writable, made);
	if (made->readable == NULL || made->writable == NULL)
		xalloc_die();
	event_add(made->readable, NULL);
	*udp = made;
	return 0;
}

void
rtc_udp_free(struct rtc_udp **udp)
{
	struct rtc_udp *old = *udp;

	if (old == NULL)
		return;
	*udp = NULL;
	event_free(old->readable);
	event_free(old->writable);
	close(old->fd);
	free(old);
}

const union rtc_address *
rtc_udp_address(const struct rtc_udp *udp)
{
	return &udp->address;
}

bool
rtc_udp_is_wildcard(const struct rtc_udp *udp)
{
	const union rtc_address *address = &udp->address;

	return address->sa.sa_family == AF_INET ? address->in.sin_addr.s_addr == INADDR_ANY
						: IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

const struct rtc_udp_stats *
rtc_udp_stats(const struct rtc_udp *udp)
{
	return &udp->stats;
}

void
rtc_udp_forbid_gso(struct rtc_udp *udp)
{
	udp->has_gso = false;
}
