/*
 * Connections that carry datagrams.
 */
#include "config.h"

#include "rtc/tcp.h"

#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LENGTH_BYTES   2
#define DATAGRAM_MAX   2048
#define CONNECTION_MAX 4096 /* of one port */
#define INPUT_BYTES    (16u << 10)

LIST_HEAD(rtc_tcp_list, rtc_tcp);

struct rtc_tcp_port {
	struct event_base *base;
	struct clock *clock;
	struct evconnlistener *listener;
	union rtc_address address;
	const struct rtc_tcp_ops *ops;
	void *arg;
	struct rtc_tcp_list unknown, owned; /* the newest first */
	unsigned n, n_unknown;
	struct clock_timer resume; /* accepting */
	int reserve_fd;            /* given up when there is no other descriptor */
};

struct rtc_tcp {
	LIST_ENTRY(rtc_tcp) entry;
	struct rtc_tcp_port *port;
	struct bufferevent *bev;
	union rtc_address peer;
	void *owner;
	bool is_reading, is_over; /* over: to be freed behind the callback */
	bool is_full;
	struct clock_timer wait;
};

/* What waits goes now, as far as there is room: a goodbye, when no other loop will come. */
static void
send_the_rest(struct rtc_tcp *tcp)
{
	struct evbuffer *output = bufferevent_get_output(tcp->bev);

	evbuffer_unfreeze(output, 1); /* the bufferevent keeps its front for itself */
	if (evbuffer_get_length(output) > 0)
		(void)evbuffer_write(output, bufferevent_getfd(tcp->bev));
}

static void
free_connection(struct rtc_tcp *tcp)
{
	struct rtc_tcp_port *port = tcp->port;

	LIST_REMOVE(tcp, entry);
	port->n--;
	port->n_unknown -= tcp->owner == NULL;
	clock_timer_cancel(&tcp->wait);
	send_the_rest(tcp);
	bufferevent_free(tcp->bev);
	free(tcp);
}

/* It has ended; whose it was is told. */
static void
end(struct rtc_tcp *tcp)
{
	if (tcp->owner != NULL)
		tcp->port->ops->on_gone(tcp->port->arg, tcp, tcp->owner);
	free_connection(tcp);
}

/* In */

/* The next whole datagram. false: none, or the connection makes no sense (is_over). */
static bool
next_datagram(struct rtc_tcp *tcp, uint8_t *data, size_t *len)
{
	struct evbuffer *input = bufferevent_get_input(tcp->bev);
	uint8_t head[LENGTH_BYTES];

	if (evbuffer_copyout(input, head, sizeof(head)) < LENGTH_BYTES)
		return false;
	*len = (size_t)head[0] << 8 | head[1];
	if (*len > DATAGRAM_MAX) {
		tcp->is_over = true;
		return false;
	}
	if (evbuffer_get_length(input) < LENGTH_BYTES + *len)
		return false;
	evbuffer_drain(input, LENGTH_BYTES);
	evbuffer_remove(input, data, *len);
	return true;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct rtc_tcp *tcp = arg;
	uint8_t data[DATAGRAM_MAX];
	size_t len;

	(void)bev;
	tcp->is_reading = true;
	while (!tcp->is_over && next_datagram(tcp, data, &len))
		if (len > 0)
			tcp->port->ops->on_datagram(tcp->port->arg, tcp, data, len);
	tcp->is_reading = false;
	if (tcp->is_over)
		end(tcp);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct rtc_tcp *tcp = arg;

	(void)bev;
	if (!tcp->is_full || tcp->owner == NULL)
		return;
	tcp->is_full = false;
	tcp->port->ops->on_room(tcp->port->arg, tcp, tcp->owner);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		end(arg);
}

static void
on_wait(struct clock_timer *timer, void *arg)
{
	struct rtc_tcp *tcp = arg;

	(void)timer;
	if (tcp->owner == NULL)
		free_connection(tcp);
}

/* Accepting */

static bool
has_room(const struct rtc_tcp_port *port, const union rtc_address *peer)
{
	const struct rtc_tcp *tcp;
	unsigned n = 0;

	if (port->n >= CONNECTION_MAX || port->n_unknown >= RTC_TCP_UNKNOWN_MAX)
		return false;
	for (tcp = LIST_FIRST(&port->unknown); tcp != NULL; tcp = LIST_NEXT(tcp, entry))
		n += rtc_address_is_same_host(&tcp->peer, peer);
	return n < RTC_TCP_UNKNOWN_PER_PEER;
}

static int
open_reserve(void)
{
	return eventfd(0, EFD_CLOEXEC); /* a front that is locked in opens no file */
}

static void
on_resume(struct clock_timer *timer, void *arg)
{
	struct rtc_tcp_port *port = arg;

	(void)timer;
	if (port->reserve_fd < 0)
		port->reserve_fd = open_reserve();
	evconnlistener_enable(port->listener);
}

/* Without a free descriptor the connection would stay in the queue and wake us for ever. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct rtc_tcp_port *port = arg;
	int err = EVUTIL_SOCKET_ERROR(), fd;

	log_warn("rtc: accept: %s, waiting %d ms", strerror(err), RTC_TCP_PAUSE_MS);
	if ((err == EMFILE || err == ENFILE) && port->reserve_fd >= 0) {
		close(port->reserve_fd);
		fd = accept4(evconnlistener_get_fd(listener), NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		port->reserve_fd = open_reserve();
	}
	evconnlistener_disable(listener);
	clock_timer_set_ms(&port->resume, RTC_TCP_PAUSE_MS);
}

static void
set_options(int fd)
{
	int on = 1, unsent = RTC_TCP_UNSENT_BYTES;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
	  void *arg)
{
	struct rtc_tcp_port *port = arg;
	union rtc_address peer;
	struct rtc_tcp *tcp;

	(void)listener;
	if (!rtc_address_from(sa, (size_t)len, &peer) || !has_room(port, &peer)) {
		close(fd);
		return;
	}
	set_options(fd);
	tcp = xcalloc(1, sizeof(*tcp));
	tcp->port = port;
	tcp->peer = peer;
	tcp->bev = bufferevent_socket_new(port->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (tcp->bev == NULL)
		xalloc_die();
	clock_timer_init(&tcp->wait, port->clock, on_wait, tcp);
	clock_timer_set_ms(&tcp->wait, RTC_TCP_UNKNOWN_MS);
	LIST_INSERT_HEAD(&port->unknown, tcp, entry);
	port->n++;
	port->n_unknown++;
	bufferevent_setcb(tcp->bev, on_read, on_write, on_event, tcp);
	bufferevent_setwatermark(tcp->bev, EV_READ, 0, INPUT_BYTES);
	bufferevent_enable(tcp->bev, EV_READ | EV_WRITE);
}

int
rtc_tcp_port_new(struct event_base *base, struct clock *clock, int fd,
		 const struct rtc_tcp_ops *ops, void *arg, struct rtc_tcp_port **port)
{
	union rtc_address address;
	struct rtc_tcp_port *made;
	int rc;

	rc = rtc_address_of(fd, &address);
	if (rc < 0)
		return rc;
	if (evutil_make_socket_nonblocking(fd) < 0)
		return -EINVAL;
	made = xcalloc(1, sizeof(*made));
	*made = (struct rtc_tcp_port){
		.base = base, .clock = clock, .address = address, .ops = ops, .arg = arg
	};
	LIST_INIT(&made->unknown);
	LIST_INIT(&made->owned);
	clock_timer_init(&made->resume, clock, on_resume, made);
	made->reserve_fd = open_reserve();
	made->listener = evconnlistener_new(base, on_accept, made,
					    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (made->listener == NULL)
		xalloc_die();
	evconnlistener_set_error_cb(made->listener, on_accept_error);
	*port = made;
	return 0;
}

void
rtc_tcp_port_free(struct rtc_tcp_port **port)
{
	struct rtc_tcp_port *old = *port;

	if (old == NULL)
		return;
	*port = NULL;
	while (!LIST_EMPTY(&old->unknown))
		end(LIST_FIRST(&old->unknown));
	while (!LIST_EMPTY(&old->owned))
		end(LIST_FIRST(&old->owned));
	clock_timer_cancel(&old->resume);
	evconnlistener_free(old->listener);
	if (old->reserve_fd >= 0)
		close(old->reserve_fd);
	free(old);
}

const union rtc_address *
rtc_tcp_port_address(const struct rtc_tcp_port *port)
{
	return &port->address;
}

unsigned
rtc_tcp_port_unknown(const struct rtc_tcp_port *port)
{
	return port->n_unknown;
}

unsigned
rtc_tcp_port_owned(const struct rtc_tcp_port *port)
{
	return port->n - port->n_unknown;
}

/* Owners */

void
rtc_tcp_port_forget(struct rtc_tcp_port *port, const void *owner)
{
	struct rtc_tcp *tcp, *next;

	for (tcp = LIST_FIRST(&port->owned); tcp != NULL; tcp = next) {
		next = LIST_NEXT(tcp, entry);
		if (tcp->owner == owner)
			free_connection(tcp);
	}
}

/* One more of this owner's is there. */
static void
bound_owned(struct rtc_tcp_port *port, const void *owner, const struct rtc_tcp *newest,
	    const struct rtc_tcp *keep)
{
	struct rtc_tcp *tcp, *oldest = NULL;
	unsigned n = 0;

	for (tcp = LIST_FIRST(&port->owned); tcp != NULL; tcp = LIST_NEXT(tcp, entry)) {
		if (tcp->owner != owner)
			continue;
		n++;
		if (tcp != keep && tcp != newest)
			oldest = tcp;
	}
	if (n > RTC_TCP_OWNED_MAX && oldest != NULL)
		end(oldest);
}

void
rtc_tcp_set_owner(struct rtc_tcp *tcp, void *owner, const struct rtc_tcp *keep)
{
	if (tcp->owner == owner)
		return;
	if (tcp->owner == NULL)
		tcp->port->n_unknown--;
	else
		tcp->port->ops->on_gone(tcp->port->arg, tcp, tcp->owner);
	clock_timer_cancel(&tcp->wait);
	tcp->owner = owner;
	LIST_REMOVE(tcp, entry);
	LIST_INSERT_HEAD(&tcp->port->owned, tcp, entry);
	bound_owned(tcp->port, owner, tcp, keep);
}

void *
rtc_tcp_owner(const struct rtc_tcp *tcp)
{
	return tcp->owner;
}

const union rtc_address *
rtc_tcp_peer(const struct rtc_tcp *tcp)
{
	return &tcp->peer;
}

/* Out */

size_t
rtc_tcp_send(struct rtc_tcp *tcp, const uint8_t *data, size_t len, size_t segment)
{
	struct evbuffer *output = bufferevent_get_output(tcp->bev);

	if (evbuffer_get_length(output) >= RTC_TCP_QUEUE_BYTES) {
		tcp->is_full = true;
		return 0;
	}
	for (size_t at = 0; at < len; at += segment) {
		size_t size = len - at < segment ? len - at : segment;
		const uint8_t head[LENGTH_BYTES] = { (uint8_t)(size >> 8), (uint8_t)size };

		evbuffer_add(output, head, sizeof(head));
		evbuffer_add(output, data + at, size);
	}
	return len;
}
