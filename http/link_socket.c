/*
 * Links over a plain socket: writev of shared bytes, EV_WRITE only after EAGAIN.
 */
#include "config.h"

#include "http/link.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_BUFFER_BYTES (256 << 10) /* what lags shall lag in our ring, not in the kernel */
#define NOT_SENT_BYTES    (128 << 10)
#define USER_TIMEOUT_MS   20000 /* sent, but not acknowledged */
/* A viewer of a camera that is down is sent nothing: only this notices that it is gone. */
#define KEEPALIVE_IDLE_S     30
#define KEEPALIVE_INTERVAL_S 10

struct conn {
	int fd;
	struct event *read_ev, *write_ev;
};

void
link_tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_BYTES },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS },
	};

	/* Best effort: a unix socket has no TCP. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	uint8_t buf[4096];
	ssize_t n;

	(void)what;
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		link_close(link);
		return;
	}
	link_on_input(link, buf, (size_t)n);
	link_pump(link);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	link_on_writable(arg);
}

/* The way */

static int
socket_write(struct link *link, uint64_t *written)
{
	struct conn *conn = link->conn;

	return outq_write(&link->out, conn->fd, written);
}

static void
socket_await_writable(struct link *link)
{
	struct conn *conn = link->conn;

	event_add(conn->write_ev, NULL);
}

static void
socket_stop(struct link *link)
{
	struct conn *conn = link->conn;

	event_del(conn->read_ev);
	event_del(conn->write_ev);
}

static void
socket_close(struct link *link)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct conn *conn = link->conn;

	/* Else the kernel would offer the peer for a while what it did not take. */
	if (link->is_stuck)
		(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	event_free(conn->read_ev);
	event_free(conn->write_ev);
	close(conn->fd);
	free(conn);
	link->conn = NULL;
}

void
link_socket(struct link *link, struct front *front, int fd, const struct link_ops *ops, void *arg)
{
	static const struct link_way way = {
		.write = socket_write,
		.await_writable = socket_await_writable,
		.stop = socket_stop,
		.close = socket_close,
	};
	struct conn *conn = xcalloc(1, sizeof(*conn));

	link_init(link, front, &way, conn, ops, arg);
	link_tune(fd);
	conn->fd = fd;
	conn->read_ev = event_new(front->base, fd, EV_READ | EV_PERSIST, on_readable, link);
	conn->write_ev = event_new(front->base, fd, EV_WRITE, on_writable, link);
	if (conn->read_ev == NULL || conn->write_ev == NULL)
		xalloc_die();
	event_add(conn->read_ev, NULL);
}
