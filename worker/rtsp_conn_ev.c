/*
 * A socket in the loop. Reading costs one system call per wakeup when all that was there fits, and
 * what was read is not moved but when it comes to lie at the buffer's end.
 */
#include "config.h"

#include "worker/rtsp_conn_ev.h"

#include "shared/clock.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM_MIN         16384 /* less than this behind the unread bytes: they move to the front */
#define READS_PER_WAKEUP 16    /* then others in the loop get their turn */

struct rtsp_conn {
	int fd;
	struct clock *clock;
	const struct rtsp_conn_ops *ops;
	void *arg;
	struct event *readable, *writable;
	struct rtsp_tls *tls;
	bool is_connected, is_ready, is_ended;
	bool is_held, has_unshown;
	bool tls_read_wants_write, tls_write_wants_read;

	unsigned calls; /* of us from the loop that are under way */
	bool is_freed;

	uint8_t *in;
	size_t in_start, in_end;
	uint8_t *out;
	size_t out_start, out_end;
};

static void
free_now(struct rtsp_conn *conn)
{
	free(conn->in);
	free(conn->out);
	free(conn);
}

static void
leave_call(struct rtsp_conn *conn)
{
	conn->calls--;
	if (conn->calls == 0 && conn->is_freed)
		free_now(conn);
}

static void
end(struct rtsp_conn *conn, enum rtsp_conn_end how, const char *reason)
{
	if (conn->is_ended || conn->is_freed)
		return;
	conn->is_ended = true;
	event_del(conn->readable);
	event_del(conn->writable);
	conn->ops->on_end(conn->arg, how, reason);
}

static void
end_by_errno(struct rtsp_conn *conn, int error)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "the connection broke: %s", strerror(error));
	end(conn, RTSP_CONN_BROKEN, reason);
}

static bool
is_over(const struct rtsp_conn *conn)
{
	return conn->is_ended || conn->is_freed;
}

/* Out */

static void
want_write(struct rtsp_conn *conn, bool wanted)
{
	if (wanted)
		event_add(conn->writable, NULL);
	else
		event_del(conn->writable);
}

/* Bytes taken, 0: not now, -1: the connection has ended. */
static ssize_t
write_tls(struct rtsp_conn *conn, const uint8_t *data, size_t len)
{
	size_t n = 0;
	enum rtsp_tls_io io = rtsp_tls_write(conn->tls, data, len, &n);

	conn->tls_write_wants_read = io == RTSP_TLS_WANT_READ;
	if (io == RTSP_TLS_OK)
		return (ssize_t)n;
	if (io == RTSP_TLS_WANT_READ || io == RTSP_TLS_WANT_WRITE)
		return 0;
	end(conn, RTSP_CONN_BROKEN, rtsp_tls_reason(conn->tls));
	return -1;
}

static ssize_t
write_plain(struct rtsp_conn *conn, const uint8_t *data, size_t len)
{
	ssize_t n = send(conn->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		return 0;
	end_by_errno(conn, errno);
	return -1;
}

static void
flush(struct rtsp_conn *conn)
{
	while (conn->out_start < conn->out_end) {
		const uint8_t *data = conn->out + conn->out_start;
		size_t len = conn->out_end - conn->out_start;
		ssize_t n =
		    conn->tls != NULL ? write_tls(conn, data, len) : write_plain(conn, data, len);

		if (n < 0)
			return;
		if (n == 0)
			break;
		conn->out_start += (size_t)n;
	}
	if (conn->out_start == conn->out_end)
		conn->out_start = conn->out_end = 0;
	want_write(conn, (conn->out_end > 0 && !conn->tls_write_wants_read) ||
			     conn->tls_read_wants_write);
}

static int
queue(struct rtsp_conn *conn, const void *data, size_t len)
{
	if (len > RTSP_CONN_OUT_MAX - (conn->out_end - conn->out_start))
		return -ENOBUFS;
	if (conn->out == NULL)
		conn->out = xmalloc(RTSP_CONN_OUT_MAX);
	if (len > RTSP_CONN_OUT_MAX - conn->out_end) {
		memmove(conn->out, conn->out + conn->out_start, conn->out_end - conn->out_start);
		conn->out_end -= conn->out_start;
		conn->out_start = 0;
	}
	memcpy(conn->out + conn->out_end, data, len);
	conn->out_end += len;
	return 0;
}

int
rtsp_conn_send(struct rtsp_conn *conn, const void *data, size_t len)
{
	bool was_empty = conn->out_start == conn->out_end;
	int rc;

	if (!conn->is_ready || is_over(conn))
		return -ENOTCONN;
	rc = queue(conn, data, len);
	/* Out in the loop's next turn: an error on the way is news, and these come from the loop.
	 */
	if (rc == 0 && was_empty)
		event_active(conn->writable, EV_WRITE, 0);
	return rc;
}

/* In */

/* Bytes read, 0: nothing for now, -1: the connection has ended. */
static ssize_t
read_tls(struct rtsp_conn *conn, uint8_t *data, size_t room)
{
	size_t n = 0;
	enum rtsp_tls_io io = rtsp_tls_read(conn->tls, data, room, &n);

	conn->tls_read_wants_write = io == RTSP_TLS_WANT_WRITE;
	switch (io) {
	case RTSP_TLS_OK:
		return (ssize_t)n;
	case RTSP_TLS_WANT_WRITE:
		want_write(conn, true);
		return 0;
	case RTSP_TLS_WANT_READ:
		return 0;
	case RTSP_TLS_END:
		end(conn, RTSP_CONN_CLOSED, "the camera closed the connection");
		return -1;
	case RTSP_TLS_ERROR:
		break;
	}
	end(conn, RTSP_CONN_BROKEN, rtsp_tls_reason(conn->tls));
	return -1;
}

static ssize_t
read_plain(struct rtsp_conn *conn, uint8_t *data, size_t room)
{
	ssize_t n = recv(conn->fd, data, room, MSG_DONTWAIT);

	if (n > 0)
		return n;
	if (n == 0)
		end(conn, RTSP_CONN_CLOSED, "the camera closed the connection");
	else if (errno == EAGAIN || errno == EINTR)
		return 0;
	else
		end_by_errno(conn, errno);
	return -1;
}

static size_t
make_room(struct rtsp_conn *conn)
{
	if (conn->in_start == conn->in_end)
		conn->in_start = conn->in_end = 0;
	if (RTSP_CONN_IN_MAX - conn->in_end < ROOM_MIN && conn->in_start > 0) {
		memmove(conn->in, conn->in + conn->in_start, conn->in_end - conn->in_start);
		conn->in_end -= conn->in_start;
		conn->in_start = 0;
	}
	return RTSP_CONN_IN_MAX - conn->in_end;
}

static void
show(struct rtsp_conn *conn)
{
	size_t len = conn->in_end - conn->in_start, done;

	done = conn->ops->on_bytes(conn->arg, conn->in + conn->in_start, len,
				   clock_now_ns(conn->clock), clock_realtime_ns(conn->clock));
	if (!conn->is_freed)
		conn->in_start += done <= len ? done : len;
}

/* True: there may be more. */
static bool
read_once(struct rtsp_conn *conn)
{
	size_t room = make_room(conn);
	uint8_t *data = conn->in + conn->in_end;
	ssize_t n;

	if (room == 0) {
		end(conn, RTSP_CONN_BROKEN, "the camera sends more than can be understood");
		return false;
	}
	n = conn->tls != NULL ? read_tls(conn, data, room) : read_plain(conn, data, room);
	if (n <= 0)
		return false;
	conn->in_end += (size_t)n;
	show(conn);
	return !is_over(conn) && !conn->is_held && (conn->tls != NULL || (size_t)n == room);
}

static void
read_all(struct rtsp_conn *conn)
{
	if (conn->is_held)
		return;
	if (conn->has_unshown) {
		conn->has_unshown = false;
		show(conn);
		if (is_over(conn) || conn->is_held)
			return;
	}
	for (int i = 0; i < READS_PER_WAKEUP; i++)
		if (!read_once(conn))
			return;
	if (conn->tls != NULL && rtsp_tls_has_pending(conn->tls))
		event_active(conn->readable, EV_READ, 0);
}

void
rtsp_conn_hold(struct rtsp_conn *conn, bool is_held)
{
	if (conn->is_held == is_held || is_over(conn))
		return;
	conn->is_held = is_held;
	if (is_held) {
		event_del(conn->readable);
		return;
	}
	conn->has_unshown = conn->in_end > conn->in_start;
	event_add(conn->readable, NULL);
	/* what waits in our buffers does not wake anybody up */
	event_active(conn->readable, EV_READ, 0);
}

/* The beginning */

static void
become_ready(struct rtsp_conn *conn)
{
	conn->is_ready = true;
	want_write(conn, false);
	conn->ops->on_ready(conn->arg);
}

static void
shake_hands(struct rtsp_conn *conn)
{
	switch (rtsp_tls_handshake(conn->tls)) {
	case RTSP_TLS_OK:
		become_ready(conn);
		/* a camera may speak first, and OpenSSL may have read it already */
		if (!is_over(conn))
			event_active(conn->readable, EV_READ, 0);
		return;
	case RTSP_TLS_WANT_READ:
		want_write(conn, false);
		return;
	case RTSP_TLS_WANT_WRITE:
		want_write(conn, true);
		return;
	default:
		end(conn, RTSP_CONN_TLS, rtsp_tls_reason(conn->tls));
	}
}

/* False: it has ended. */
static bool
check_connected(struct rtsp_conn *conn)
{
	socklen_t len = sizeof(int);
	int error = 0;
	char reason[128];

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0) {
		snprintf(reason, sizeof(reason), "cannot connect: %s", strerror(error));
		end(conn, RTSP_CONN_UNREACHABLE, reason);
		return false;
	}
	conn->is_connected = true;
	event_add(conn->readable, NULL);
	return true;
}

static void
begin(struct rtsp_conn *conn)
{
	if (!conn->is_connected && !check_connected(conn))
		return;
	if (conn->tls != NULL)
		shake_hands(conn);
	else
		become_ready(conn);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct rtsp_conn *conn = arg;

	(void)fd;
	conn->calls++;
	if (!conn->is_ready) {
		begin(conn);
	} else {
		/* TLS may have to read in order to write, and the other way round */
		if (what & EV_READ || conn->tls_read_wants_write)
			read_all(conn);
		if (!is_over(conn) && (what & EV_WRITE || conn->tls_write_wants_read))
			flush(conn);
	}
	leave_call(conn);
}

struct rtsp_conn *
rtsp_conn_new(struct event_base *base, struct clock *clock, int fd,
	      const struct rtsp_tls_config *tls, const struct rtsp_conn_ops *ops, void *arg)
{
	struct rtsp_conn *conn = xcalloc(1, sizeof(*conn));

	*conn = (struct rtsp_conn){ .fd = fd, .clock = clock, .ops = ops, .arg = arg };
	/* TLS reads until the socket has no more: a blocking one would stop the loop */
	(void)evutil_make_socket_nonblocking(fd);
	conn->in = xmalloc(RTSP_CONN_IN_MAX);
	conn->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_event, conn);
	conn->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_event, conn);
	if (conn->readable == NULL || conn->writable == NULL || event_add(conn->writable, NULL) < 0)
		xalloc_die();
	if (tls->mode != RTSP_TLS_NONE) {
		conn->tls = rtsp_tls_new(fd, tls);
		if (conn->tls == NULL)
			xalloc_die();
	}
	return conn;
}

void
rtsp_conn_free(struct rtsp_conn **conn)
{
	struct rtsp_conn *old = *conn;

	*conn = NULL;
	if (old == NULL || old->is_freed)
		return;
	old->is_freed = true;
	event_free(old->readable);
	event_free(old->writable);
	rtsp_tls_free(&old->tls);
	close(old->fd);
	if (old->calls == 0)
		free_now(old);
}

int
rtsp_conn_fd(const struct rtsp_conn *conn)
{
	return conn->fd;
}
