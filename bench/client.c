/*
 * A viewer's socket: what nobody needs to see is thrown away where it lies (MSG_TRUNC), and the
 * kernel says when bytes arrived (SO_TIMESTAMPNS), however late this process reads them.
 */
#include "config.h"

#include "bench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RECV_BUFFER_BYTES (4 << 20)
#define READ_BYTES        512 /* the heads of a frame are shorter */

int64_t
client_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

void
client_drop(struct client *client, uint64_t *counter)
{
	if (client->fd < 0)
		return;
	close(client->fd);
	client->fd = -1;
	client->state = CLIENT_AT_END;
	client->closed_ns = client_now_ns();
	(*counter)++;
}

/* All that is sent is short: what the kernel does not take at once means a dead connection. */
void
client_send(struct client *client, uint8_t opcode, const void *payload, size_t len)
{
	uint8_t frame[8 + 512] = { (uint8_t)(0x80 | opcode), (uint8_t)(0x80 | len) };
	size_t head = 6; /* the mask: zeros */

	if (len > 512)
		return;
	if (len > 125) {
		frame[1] = 0x80 | 126;
		frame[2] = (uint8_t)(len >> 8);
		frame[3] = (uint8_t)len;
		head = 8;
	}
	memcpy(frame + head, payload, len);
	if (send(client->fd, frame, head + len, MSG_NOSIGNAL) != (ssize_t)(head + len))
		client_drop(client, &client->crowd->totals.closed);
}

/* A large buffer: this process may itself be kept waiting on a busy machine, and that shall not
 * look like a slow network. A small one: what is slow shall be felt by the server. */
static void
tune(int fd, int receive_bytes)
{
	const int one = 1, bytes = receive_bytes > 0 ? receive_bytes : RECV_BUFFER_BYTES;

	if (receive_bytes > 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

void
client_start(struct client *client, struct crowd *crowd, const char *stream)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)crowd->port) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	const char *token = getenv(CLIENT_TOKEN);
	char request[2048], path[128];
	int len;

	client_begin(client, crowd, stream);
	if (inet_pton(AF_INET, crowd->host, &addr.sin_addr) != 1) {
		fprintf(stderr, "%s: want an IPv4 address\n", crowd->host);
		exit(2);
	}
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		fail("socket");
	tune(client->fd, crowd->receive_bytes);
	if (connect(client->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		fail("connect");
	snprintf(path, sizeof(path), crowd->is_wall ? "/ws" : "/api/ws?src=%s", stream);
	len =
	    snprintf(request, sizeof(request),
		     "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
		     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s%s%s\r\n",
		     path, crowd->host, crowd->port, token != NULL ? "Authorization: Bearer " : "",
		     token != NULL ? token : "", token != NULL ? "\r\n" : "");
	if (len < 0 || (size_t)len >= sizeof(request)) {
		fprintf(stderr, CLIENT_TOKEN " is too long\n");
		exit(2);
	}
	if (send(client->fd, request, (size_t)len, MSG_NOSIGNAL) != len ||
	    fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0 ||
	    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
		fail("start");
}

/* When the kernel got what was read last, by the monotonic clock; 0: it does not say. */
static int64_t
arrival_ns(struct msghdr *msg, int64_t real_ns)
{
	struct timespec ts;

	for (struct cmsghdr *at = CMSG_FIRSTHDR(msg); at != NULL; at = CMSG_NXTHDR(msg, at)) {
		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(at), sizeof(ts));
		return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec - real_ns;
	}
	return 0;
}

static ssize_t
receive(struct client *client, uint8_t *buffer, size_t size, int flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	struct iovec iov = { buffer, size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(client->fd, &msg, flags);

	if (n > 0) {
		client->read_ns = client_now_ns();
		client->kernel_ns = arrival_ns(&msg, client->crowd->real_ns);
	}
	return n;
}

size_t
client_read(struct client *client, size_t budget_bytes)
{
	static uint8_t buffer[65536];
	size_t total = 0;

	client->has_ended_frame = false;
	/* One frame in a turn: the last read would only say that there is no more. */
	while (client->fd >= 0 && total < budget_bytes && !client->has_ended_frame) {
		uint64_t skip = client_can_skip(client);
		size_t want = skip > 0 ? (size_t)skip : READ_BYTES;
		ssize_t n;

		if (want > sizeof(buffer))
			want = sizeof(buffer);
		if (want > budget_bytes - total)
			want = budget_bytes - total;
		n = receive(client, buffer, want, skip > 0 ? MSG_TRUNC : 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			client_drop(client, &client->crowd->totals.closed);
			break;
		}
		total += (size_t)n;
		if (skip > 0)
			client_skip(client, (size_t)n);
		else
			client_feed(client, buffer, (size_t)n);
		if ((size_t)n < want)
			break;
	}
	return total;
}
