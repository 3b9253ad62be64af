/*
 * Links over TLS: what is queued goes out in records of 16 KiB, each encrypted from a copy of what
 * lies at the head of the queue. A record that the socket did not take whole is offered again with
 * the same bytes first, as OpenSSL wants it: what is queued is never taken back.
 */
#include "config.h"

#include "http/link_tls.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD_BYTES   16384
#define READS_PER_TURN 16 /* then others get their turn */

struct conn {
	int fd;
	SSL *ssl;
	struct event *read_ev, *write_ev;
	bool read_wants_write; /* an answer of the protocol itself is to be sent first */
};

enum outcome { DONE, WANT_READ, WANT_WRITE, GONE };

static enum outcome
outcome_of(const struct conn *conn, int rc)
{
	if (rc > 0)
		return DONE;
	switch (SSL_get_error(conn->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return WANT_WRITE;
	default:
		return GONE;
	}
}

/* Reading */

static enum outcome
read_some(struct link *link)
{
	struct conn *conn = link->conn;
	enum outcome outcome;
	uint8_t buf[4096];
	size_t n = 0;

	ERR_clear_error();
	outcome = outcome_of(conn, SSL_read_ex(conn->ssl, buf, sizeof(buf), &n));
	if (outcome == DONE)
		link_on_input(link, buf, n);
	return outcome;
}

static void
read_all(struct link *link)
{
	struct conn *conn = link->conn;
	enum outcome outcome = DONE;

	for (int i = 0; i < READS_PER_TURN && outcome == DONE && !link->dying; i++)
		outcome = read_some(link);
	if (link->dying)
		return;
	conn->read_wants_write = outcome == WANT_WRITE;
	if (outcome == WANT_WRITE)
		event_add(conn->write_ev, NULL);
	else if (outcome == DONE) /* the socket may not show what the session has */
		event_active(conn->read_ev, EV_READ, 0);
	else if (outcome == GONE)
		link_close(link);
	link_pump(link);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_all(arg);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	struct conn *conn = link->conn;

	(void)fd;
	(void)what;
	if (conn->read_wants_write)
		read_all(link);
	if (!link->dying && link->blocked)
		link_on_writable(link);
}

/* The way */

static int
tls_write(struct link *link, uint64_t *written)
{
	struct conn *conn = link->conn;
	uint8_t record[RECORD_BYTES];

	while (!outq_is_empty(&link->out)) {
		size_t len = outq_peek(&link->out, record, sizeof(record)), n = 0;
		enum outcome outcome;

		ERR_clear_error();
		outcome = outcome_of(conn, SSL_write_ex(conn->ssl, record, len, &n));
		if (outcome == GONE || outcome == WANT_READ)
			return -EPIPE;
		if (outcome == WANT_WRITE)
			return -EAGAIN;
		*written += n;
		outq_consume(&link->out, n);
	}
	return 0;
}

static void
tls_await_writable(struct link *link)
{
	struct conn *conn = link->conn;

	event_add(conn->write_ev, NULL);
}

static void
tls_stop(struct link *link)
{
	struct conn *conn = link->conn;

	event_del(conn->read_ev);
	event_del(conn->write_ev);
}

static void
tls_close(struct link *link)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct conn *conn = link->conn;

	ERR_clear_error();
	/* Best effort: it says that nothing was cut off, and then only when nothing was. */
	if (!link->is_stuck && outq_is_empty(&link->out))
		(void)SSL_shutdown(conn->ssl);
	ERR_clear_error();
	if (link->is_stuck)
		(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	event_free(conn->read_ev);
	event_free(conn->write_ev);
	SSL_free(conn->ssl);
	close(conn->fd);
	free(conn);
	link->conn = NULL;
}

void
link_tls(struct link *link, struct front *front, int fd, SSL *ssl, const struct link_ops *ops,
	 void *arg)
{
	static const struct link_way way = {
		.write = tls_write,
		.await_writable = tls_await_writable,
		.stop = tls_stop,
		.close = tls_close,
	};
	struct conn *conn = xcalloc(1, sizeof(*conn));

	link_init(link, front, &way, conn, ops, arg);
	link_tune(fd);
	conn->fd = fd;
	conn->ssl = ssl;
	/* Bufferevents may have set up the session otherwise. */
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			      SSL_MODE_RELEASE_BUFFERS);
	conn->read_ev = event_new(front->base, fd, EV_READ | EV_PERSIST, on_readable, link);
	conn->write_ev = event_new(front->base, fd, EV_WRITE, on_writable, link);
	if (conn->read_ev == NULL || conn->write_ev == NULL)
		xalloc_die();
	event_add(conn->read_ev, NULL);
	/* What the session read ahead shows in no socket. */
	event_active(conn->read_ev, EV_READ, 0);
}
