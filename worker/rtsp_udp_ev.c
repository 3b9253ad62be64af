/*
 * Two sockets in the loop, read by recvmmsg(): one system call takes what a camera sent in a burst.
 */
#include "config.h"

#include "worker/rtsp_udp_ev.h"

#include "shared/clock.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH             32
#define BATCHES_PER_EVENT 4 /* then others in the loop get their turn */
#define DATAGRAM_MAX      65536
#define PAIR_ATTEMPTS     64
#define RECEIVE_BUFFER    (2 << 20) /* a key frame's burst; the kernel gives what it may */

/* An address without its port, as sockets of one family say it. */
struct address {
	struct sockaddr_storage storage;
	socklen_t len;
};

struct rtsp_udp {
	struct clock *clock;
	const struct rtsp_udp_ops *ops;
	void *arg;
	struct address camera;
	int fds[2];
	struct event *events[2];
	uint16_t port, camera_ports[2];
	uint64_t strangers;
	unsigned calls;
	bool is_freed;
	uint8_t *datagrams; /* BATCH of DATAGRAM_MAX: pages that no datagram reached cost nothing */
};

/* Addresses */

static void
set_port(struct address *address, uint16_t port)
{
	if (address->storage.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
}

static uint16_t
get_port(const struct address *address)
{
	if (address->storage.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
}

static bool
is_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
			      &((const struct sockaddr_in6 *)b)->sin6_addr,
			      sizeof(struct in6_addr)) == 0;
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

static int
read_addresses(int fd, struct address *local, struct address *camera)
{
	local->len = camera->len = sizeof(local->storage);
	if (getsockname(fd, (struct sockaddr *)&local->storage, &local->len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&camera->storage, &camera->len) < 0)
		return -errno;
	if (local->storage.ss_family != AF_INET && local->storage.ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	return 0;
}

/* Sockets */

/* Returns the socket or a negative errno; *address gets the port that was given for port 0. */
static int
bind_at(struct address *address, uint16_t port)
{
	int size = RECEIVE_BUFFER, rc;
	int fd = socket(address->storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	set_port(address, port);
	if (bind(fd, (struct sockaddr *)&address->storage, address->len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address->storage, &address->len) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* Returns 1 when both were had, 0: try again, or a negative errno. */
static int
try_pair(struct address *local, int fds[2])
{
	uint16_t port;

	fds[0] = bind_at(local, 0);
	if (fds[0] < 0)
		return fds[0];
	port = get_port(local);
	if (port % 2 == 0) {
		fds[1] = bind_at(local, (uint16_t)(port + 1));
	} else {
		fds[1] = fds[0];
		fds[0] = bind_at(local, (uint16_t)(port - 1));
	}
	if (fds[0] >= 0 && fds[1] >= 0)
		return 1;
	close(fds[0] >= 0 ? fds[0] : fds[1]);
	return 0;
}

static int
open_pair(struct address *local, int fds[2])
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < PAIR_ATTEMPTS; i++)
		rc = try_pair(local, fds);
	if (rc == 0)
		return -EADDRINUSE;
	return rc < 0 ? rc : 0;
}

/* In */

struct batch {
	struct mmsghdr msgs[BATCH];
	struct iovec iovs[BATCH];
	struct sockaddr_storage from[BATCH];
};

static int
receive(struct rtsp_udp *udp, int fd, struct batch *batch)
{
	memset(batch->msgs, 0, sizeof(batch->msgs));
	for (size_t i = 0; i < BATCH; i++) {
		batch->iovs[i] = (struct iovec){ udp->datagrams + i * DATAGRAM_MAX, DATAGRAM_MAX };
		batch->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &batch->from[i],
							  .msg_namelen = sizeof(batch->from[i]),
							  .msg_iov = &batch->iovs[i],
							  .msg_iovlen = 1 };
	}
	return recvmmsg(fd, batch->msgs, BATCH, MSG_DONTWAIT, NULL);
}

static void
tell(struct rtsp_udp *udp, bool is_rtcp, const struct batch *batch, int n)
{
	int64_t now_ns = clock_now_ns(udp->clock), realtime_ns = clock_realtime_ns(udp->clock);

	for (int i = 0; i < n && !udp->is_freed; i++) {
		if (!is_same_host(&batch->from[i], &udp->camera.storage)) {
			udp->strangers++;
			continue;
		}
		udp->ops->on_packet(udp->arg, is_rtcp, udp->datagrams + (size_t)i * DATAGRAM_MAX,
				    batch->msgs[i].msg_len, now_ns, realtime_ns);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct rtsp_udp *udp = arg;
	bool is_rtcp = fd == udp->fds[1];
	struct batch batch;
	int n = BATCH;

	(void)what;
	udp->calls++;
	for (int i = 0; i < BATCHES_PER_EVENT && n == BATCH && !udp->is_freed; i++) {
		/* errors are ICMP's news of what we sent: no matter */
		n = receive(udp, fd, &batch);
		if (n > 0)
			tell(udp, is_rtcp, &batch, n);
	}
	if (!udp->is_freed)
		udp->ops->on_drained(udp->arg);
	udp->calls--;
	if (udp->calls == 0 && udp->is_freed) {
		free(udp->datagrams);
		free(udp);
	}
}

int
rtsp_udp_new(struct event_base *base, struct clock *clock, int connection_fd,
	     const struct rtsp_udp_ops *ops, void *arg, struct rtsp_udp **udp)
{
	struct rtsp_udp *new_udp;
	struct address local = { .len = 0 }, camera = { .len = 0 };
	int fds[2] = { -1, -1 };
	int rc = read_addresses(connection_fd, &local, &camera);

	if (rc == 0)
		rc = open_pair(&local, fds);
	if (rc < 0)
		return rc;
	new_udp = xcalloc(1, sizeof(*new_udp));
	*new_udp = (struct rtsp_udp){
		.clock = clock, .ops = ops, .arg = arg, .camera = camera, .fds = { fds[0], fds[1] }
	};
	local.len = sizeof(local.storage);
	if (getsockname(fds[0], (struct sockaddr *)&local.storage, &local.len) == 0)
		new_udp->port = get_port(&local);
	new_udp->datagrams = xmalloc((size_t)BATCH * DATAGRAM_MAX);
	for (int i = 0; i < 2; i++) {
		new_udp->events[i] =
		    event_new(base, fds[i], EV_READ | EV_PERSIST, on_readable, new_udp);
		if (new_udp->events[i] == NULL || event_add(new_udp->events[i], NULL) < 0)
			xalloc_die();
	}
	*udp = new_udp;
	return 0;
}

void
rtsp_udp_free(struct rtsp_udp **udp)
{
	struct rtsp_udp *old = *udp;

	*udp = NULL;
	if (old == NULL || old->is_freed)
		return;
	old->is_freed = true;
	for (int i = 0; i < 2; i++) {
		event_free(old->events[i]);
		close(old->fds[i]);
	}
	if (old->calls > 0)
		return;
	free(old->datagrams);
	free(old);
}

uint16_t
rtsp_udp_port(const struct rtsp_udp *udp)
{
	return udp->port;
}

uint64_t
rtsp_udp_strangers(const struct rtsp_udp *udp)
{
	return udp->strangers;
}

/* Out */

void
rtsp_udp_set_camera_ports(struct rtsp_udp *udp, const uint16_t ports[2])
{
	udp->camera_ports[0] = ports[0];
	udp->camera_ports[1] = ports[1];
}

static void
send_to(struct rtsp_udp *udp, int which, const void *data, size_t len)
{
	struct address to = udp->camera;

	if (udp->camera_ports[which] == 0)
		return;
	set_port(&to, udp->camera_ports[which]);
	(void)sendto(udp->fds[which], data, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		     (const struct sockaddr *)&to.storage, to.len);
}

void
rtsp_udp_punch(struct rtsp_udp *udp, uint32_t our_ssrc)
{
	uint8_t ssrc[4] = { (uint8_t)(our_ssrc >> 24), (uint8_t)(our_ssrc >> 16),
			    (uint8_t)(our_ssrc >> 8), (uint8_t)our_ssrc };
	uint8_t rtp[12] = { 0x80 };
	uint8_t rtcp[8] = { 0x80, 201, 0, 1 };

	memcpy(rtp + 8, ssrc, sizeof(ssrc));
	memcpy(rtcp + 4, ssrc, sizeof(ssrc));
	send_to(udp, 0, rtp, sizeof(rtp));
	send_to(udp, 1, rtcp, sizeof(rtcp));
}

void
rtsp_udp_send_rtcp(struct rtsp_udp *udp, const void *data, size_t len)
{
	send_to(udp, 1, data, len);
}
