/*
 * The floor under every server: how fast, and with how little, can one camera's frames be sent to N
 * viewers at all? Reads the camera once (rtsp_replay, over TCP), makes the fMP4 fragment of each
 * frame once, and sends it in one sendmsg() for each viewer from one epoll loop. No GOP for who
 * joins, no skipping, no deadlines. Speaks as much WebSocket as bench/ws_clients needs.
 *
 *	floor CAMERA-PORT
 *
 * Prints "PORT n" when it listens. Ends with its standard input.
 */
#include "config.h"

#include "media/fmp4.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CAMERA_BYTES  (256u << 10)
#define SAMPLE_BYTES  (4u << 20)
#define RTP_HEAD      12
#define TICKS         3600 /* of a frame at 25 fps */
#define VIEWERS_MAX   8192
#define WS_HEAD_BYTES 10

struct viewer {
	int fd;
	size_t index;
	bool is_upgraded;
	uint8_t *rest; /* what its socket did not take, a copy */
	size_t rest_len;
};

static struct {
	int epoll, listener, camera;
	uint8_t in[CAMERA_BYTES];
	size_t in_len;
	uint8_t sample[SAMPLE_BYTES];
	size_t sample_len, nal_at; /* nal_at: where the length of the last NAL unit stands */
	bool is_key;
	uint32_t sequence;
	struct viewer *viewers[VIEWERS_MAX];
	size_t n_viewers;
} hub;

static void
die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- viewers -------------------------------------------------------------------------------- */

static void
drop(struct viewer *viewer)
{
	hub.viewers[viewer->index] = hub.viewers[--hub.n_viewers];
	hub.viewers[viewer->index]->index = viewer->index;
	close(viewer->fd);
	free(viewer->rest);
	free(viewer);
}

static void
watch(struct viewer *viewer, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = viewer };

	epoll_ctl(hub.epoll, EPOLL_CTL_MOD, viewer->fd, &event);
}

/* Keeps what of the pieces lies behind the first `sent` bytes. */
static void
keep(struct viewer *viewer, const struct iovec *iov, size_t pieces, size_t sent)
{
	if (viewer->rest_len == 0)
		watch(viewer, EPOLLIN | EPOLLOUT);
	for (size_t i = 0; i < pieces; i++) {
		size_t skip = sent < iov[i].iov_len ? sent : iov[i].iov_len;
		size_t n = iov[i].iov_len - skip;

		sent -= skip;
		if (n == 0)
			continue;
		viewer->rest = xreallocarray(viewer->rest, viewer->rest_len + n, 1);
		memcpy(viewer->rest + viewer->rest_len, (uint8_t *)iov[i].iov_base + skip, n);
		viewer->rest_len += n;
	}
}

/* false: it is gone. */
static bool
send_to(struct viewer *viewer, struct iovec *iov, size_t pieces, size_t len)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = pieces };
	ssize_t n = 0;

	if (viewer->rest_len == 0)
		n = sendmsg(viewer->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		return false;
	if (n < (ssize_t)len)
		keep(viewer, iov, pieces, n > 0 ? (size_t)n : 0);
	return true;
}

static bool
send_rest(struct viewer *viewer)
{
	ssize_t n = send(viewer->fd, viewer->rest, viewer->rest_len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN;
	memmove(viewer->rest, viewer->rest + n, viewer->rest_len - (size_t)n);
	viewer->rest_len -= (size_t)n;
	if (viewer->rest_len > 0)
		return true;
	free(viewer->rest);
	viewer->rest = NULL;
	watch(viewer, EPOLLIN);
	return true;
}

/* A request, which is answered unseen; later a word that nobody heeds. */
static bool
hear(struct viewer *viewer)
{
	static const char yes[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				  "Connection: Upgrade\r\n\r\n";
	char request[4096];
	ssize_t n = recv(viewer->fd, request, sizeof(request), MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	if (!viewer->is_upgraded &&
	    send(viewer->fd, yes, sizeof(yes) - 1, MSG_NOSIGNAL) != sizeof(yes) - 1)
		return false;
	viewer->is_upgraded = true;
	return true;
}

static void
accept_viewer(void)
{
	struct viewer *viewer = xcalloc(1, sizeof(*viewer));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = viewer };
	int one = 1;

	viewer->fd = accept4(hub.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (viewer->fd < 0 || hub.n_viewers == VIEWERS_MAX)
		die("accept");
	setsockopt(viewer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	epoll_ctl(hub.epoll, EPOLL_CTL_ADD, viewer->fd, &event);
	viewer->index = hub.n_viewers;
	hub.viewers[hub.n_viewers++] = viewer;
}

/* --- the camera ----------------------------------------------------------------------------- */

static size_t
websocket_head(uint8_t head[WS_HEAD_BYTES], size_t len)
{
	size_t extra = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

	head[0] = 0x82;
	head[1] = (uint8_t)(extra == 0 ? len : extra == 2 ? 126 : 127);
	for (size_t i = 0; i < extra; i++)
		head[2 + i] = (uint8_t)(len >> (8 * (extra - 1 - i)));
	return 2 + extra;
}

static void
send_frame(void)
{
	uint8_t head[WS_HEAD_BYTES], moof[FMP4_FRAGMENT_HEADER_BYTES];
	struct fmp4_sample sample = { .sequence = ++hub.sequence,
				      .track_id = 1,
				      .decode_time = (uint64_t)hub.sequence * TICKS,
				      .duration = TICKS,
				      .is_key = hub.is_key,
				      .payload_len = hub.sample_len };
	struct iovec iov[3] = { { head, websocket_head(head, sizeof(moof) + hub.sample_len) },
				{ moof, sizeof(moof) },
				{ hub.sample, hub.sample_len } };
	size_t len = iov[0].iov_len + iov[1].iov_len + iov[2].iov_len;

	if (fmp4_fragment_header(&sample, moof) == 0)
		for (size_t i = 0; i < hub.n_viewers; i++)
			if (hub.viewers[i]->is_upgraded && !send_to(hub.viewers[i], iov, 3, len))
				drop(hub.viewers[i--]);
	hub.sample_len = 0;
	hub.is_key = false;
}

static void
append(const uint8_t *data, size_t len)
{
	if (hub.sample_len + len > SAMPLE_BYTES)
		die("a frame that is too large");
	memcpy(hub.sample + hub.sample_len, data, len);
	hub.sample_len += len;
}

/* A NAL unit begins: behind its length, which is not known yet. */
static void
begin_nal(uint8_t header)
{
	static const uint8_t length[4];

	hub.nal_at = hub.sample_len;
	hub.is_key = hub.is_key || (header & 31) == 5;
	append(length, 4);
	append(&header, 1);
}

static void
end_nal(void)
{
	size_t len = hub.sample_len - hub.nal_at - 4;
	unsigned type = hub.sample[hub.nal_at + 4] & 31;

	for (int i = 0; i < 4; i++)
		hub.sample[hub.nal_at + (size_t)i] = (uint8_t)(len >> 8 * (3 - i));
	if (type == 7 || type == 8) /* parameter sets are in the init segment */
		hub.sample_len = hub.nal_at;
}

/* RFC 6184: a NAL unit, or a piece of one (FU-A). */
static void
take_packet(const uint8_t *rtp, size_t len)
{
	const uint8_t *nal = rtp + RTP_HEAD;

	if (len < RTP_HEAD + 3 || rtp[0] != 0x80)
		return;
	len -= RTP_HEAD;
	if ((nal[0] & 31) != 28) {
		begin_nal(nal[0]);
		append(nal + 1, len - 1);
		end_nal();
	} else {
		if (nal[1] & 0x80)
			begin_nal((uint8_t)((nal[0] & 0xe0) | (nal[1] & 31)));
		append(nal + 2, len - 2);
		if (nal[1] & 0x40)
			end_nal();
	}
	if (rtp[1] & 0x80)
		send_frame();
}

/* Interleaved packets, and answers without a body. */
static void
read_camera(void)
{
	ssize_t n = recv(hub.camera, hub.in + hub.in_len, CAMERA_BYTES - hub.in_len, MSG_DONTWAIT);
	size_t at = 0, size;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("camera");
	hub.in_len += (size_t)n;
	while (hub.in_len - at >= 4) {
		const uint8_t *data = hub.in + at, *end;

		if (data[0] == '$') {
			size = 4 + ((size_t)data[2] << 8 | data[3]);
			if (size > hub.in_len - at)
				break;
			take_packet(data + 4, size - 4);
		} else {
			end = memmem(data, hub.in_len - at, "\r\n\r\n", 4);
			if (end == NULL)
				break;
			size = (size_t)(end - data) + 4;
		}
		at += size;
	}
	memmove(hub.in, hub.in + at, hub.in_len - at);
	hub.in_len -= at;
}

/* --- the program ---------------------------------------------------------------------------- */

static void
open_camera(uint16_t port)
{
	static const char play[] =
	    "SETUP rtsp://127.0.0.1/floor/video RTSP/1.0\r\nCSeq: 1\r\n"
	    "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
	    "PLAY rtsp://127.0.0.1/floor RTSP/1.0\r\nCSeq: 2\r\nSession: 1\r\n\r\n";
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &hub.camera };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	hub.camera = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (hub.camera < 0 || connect(hub.camera, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    send(hub.camera, play, sizeof(play) - 1, MSG_NOSIGNAL) != sizeof(play) - 1)
		die("camera");
	epoll_ctl(hub.epoll, EPOLL_CTL_ADD, hub.camera, &event);
}

static void
listen_somewhere(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &hub.listener };
	struct epoll_event input = { .events = EPOLLIN, .data.ptr = &hub };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	hub.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (hub.listener < 0 || bind(hub.listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(hub.listener, 512) < 0)
		die("listen");
	getsockname(hub.listener, (struct sockaddr *)&addr, &len);
	epoll_ctl(hub.epoll, EPOLL_CTL_ADD, hub.listener, &event);
	epoll_ctl(hub.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	printf("PORT %u\n", ntohs(addr.sin_port));
	fflush(stdout);
}

static void
serve(struct viewer *viewer, uint32_t events)
{
	if (((events & EPOLLOUT) && !send_rest(viewer)) ||
	    ((events & ~(uint32_t)EPOLLOUT) && !hear(viewer)))
		drop(viewer);
}

int
main(int argc, char **argv)
{
	struct epoll_event event;
	struct rlimit limit;

	if (argc != 2) {
		fprintf(stderr, "usage: floor CAMERA-PORT\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	hub.epoll = epoll_create1(EPOLL_CLOEXEC);
	open_camera((uint16_t)atoi(argv[1]));
	listen_somewhere();
	for (;;) {
		/* One event in a turn: a viewer that was dropped shall not be in the same batch. */
		if (epoll_wait(hub.epoll, &event, 1, -1) < 1)
			continue;
		if (event.data.ptr == &hub)
			return 0;
		if (event.data.ptr == &hub.listener)
			accept_viewer();
		else if (event.data.ptr == &hub.camera)
			read_camera();
		else
			serve(event.data.ptr, event.events);
	}
}
