/*
 * The loop.
 */
#include "config.h"

#include "bench/glass/conn.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVICES_MAX 2
#define NS_PER_S     INT64_C(1000000000)

struct listener {
	int fd;
	const struct service *service;
};

static struct {
	int epoll;
	struct listener listeners[SERVICES_MAX];
	size_t n_listeners;
	struct conn *conns;
} loop;

int64_t
conn_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "glass_camera: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
watch(int fd, uint32_t events, void *what, int operation)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	if (epoll_ctl(loop.epoll, operation, fd, &event) < 0)
		die("epoll_ctl");
}

uint16_t
conn_listen(const struct service *service)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct listener *listener = &loop.listeners[loop.n_listeners];
	socklen_t len = sizeof(addr);

	if (loop.n_listeners++ == 0) {
		loop.epoll = epoll_create1(EPOLL_CLOEXEC);
		watch(STDIN_FILENO, EPOLLIN, NULL, EPOLL_CTL_ADD);
	}
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener->service = service;
	listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(listener->fd, 128) < 0)
		die("listen");
	getsockname(listener->fd, (struct sockaddr *)&addr, &len);
	watch(listener->fd, EPOLLIN, listener, EPOLL_CTL_ADD);
	return ntohs(addr.sin_port);
}

static void
accept_conn(const struct listener *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;
	struct conn *conn;

	if (fd < 0)
		return;
	conn = xcalloc(1, sizeof(*conn));
	conn->fd = fd;
	conn->service = listener->service;
	conn->out = xmalloc(CONN_OUT_MAX);
	conn->ssrc = (uint32_t)random();
	conn->timestamp_offset = (uint32_t)random();
	conn->next = loop.conns;
	loop.conns = conn;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch(fd, EPOLLIN, conn, EPOLL_CTL_ADD);
}

void
conn_play(struct conn *conn, struct stream *stream)
{
	if (conn->stream != NULL)
		conn->stream->watchers--;
	conn->stream = stream;
	conn->has_begun = false;
	if (stream == NULL)
		return;
	stream->watchers++;
	stream->wants_key = true;
	if (stream->next_ns == 0)
		stream->next_ns = conn_now_ns();
}

static void
bury(void)
{
	struct conn **at = &loop.conns;

	while (*at != NULL) {
		struct conn *conn = *at;

		if (!conn->is_dead) {
			at = &conn->next;
			continue;
		}
		*at = conn->next;
		conn_play(conn, NULL);
		close(conn->fd);
		free(conn->out);
		free(conn);
	}
}

void
conn_put(struct conn *conn, const void *data, size_t len)
{
	if (conn->out_len + len > CONN_OUT_MAX) {
		fprintf(stderr, "glass_camera: a reader is too slow: its connection is ended\n");
		conn->is_dead = true;
		return;
	}
	memcpy(conn->out + conn->out_len, data, len);
	conn->out_len += len;
}

static void
flush(struct conn *conn)
{
	bool had = conn->out_len > 0;
	size_t sent = 0;

	while (sent < conn->out_len && !conn->is_dead) {
		ssize_t n = send(conn->fd, conn->out + sent, conn->out_len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			conn->is_dead = true;
		else
			sent += (size_t)n;
	}
	memmove(conn->out, conn->out + sent, conn->out_len - sent);
	conn->out_len -= sent;
	if (had)
		watch(conn->fd, conn->out_len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN, conn,
		      EPOLL_CTL_MOD);
}

static void
receive(struct conn *conn)
{
	ssize_t n = recv(conn->fd, conn->in + conn->in_len, CONN_IN_MAX - conn->in_len, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	conn->is_dead = n <= 0;
	conn->in_len += n > 0 ? (size_t)n : 0;
	while (!conn->is_dead && conn->in_len > 0) {
		conn->in[conn->in_len] = '\0';
		n = conn->service->take(conn, conn->in, conn->in_len);
		conn->is_dead |= n < 0 || (n == 0 && conn->in_len == CONN_IN_MAX);
		if (n <= 0)
			break;
		memmove(conn->in, conn->in + n, conn->in_len - (size_t)n);
		conn->in_len -= (size_t)n;
	}
	flush(conn);
}

static const struct listener *
as_listener(const void *what)
{
	for (size_t i = 0; i < loop.n_listeners; i++)
		if (what == &loop.listeners[i])
			return &loop.listeners[i];
	return NULL;
}

/* False at the end of standard input. */
static bool
handle(const struct epoll_event *event)
{
	const struct listener *listener = as_listener(event->data.ptr);
	struct conn *conn = event->data.ptr;
	char ignored[64];

	if (event->data.ptr == NULL)
		return read(STDIN_FILENO, ignored, sizeof(ignored)) > 0;
	if (listener != NULL) {
		accept_conn(listener);
		return true;
	}
	if (event->events & EPOLLOUT)
		flush(conn);
	if (event->events & ~(uint32_t)EPOLLOUT)
		receive(conn);
	return true;
}

bool
conn_wait(int64_t until_ns)
{
	struct epoll_event events[64];
	int64_t left = until_ns - conn_now_ns();
	struct timespec timeout = { 0 };
	bool goes_on = true;
	int n;

	if (left > 0)
		timeout = (struct timespec){ left / NS_PER_S, left % NS_PER_S };
	n = epoll_pwait2(loop.epoll, events, 64, &timeout, NULL);
	for (int i = 0; i < n; i++)
		goes_on = handle(&events[i]) && goes_on;
	bury();
	return goes_on;
}

void
conn_send_all(struct stream *stream, const struct encoded *picture)
{
	for (struct conn *conn = loop.conns; conn != NULL; conn = conn->next) {
		if (conn->stream != stream || (!conn->has_begun && !picture->is_key))
			continue;
		conn->has_begun = true;
		conn->service->send(conn, picture);
		flush(conn);
	}
	bury();
}
