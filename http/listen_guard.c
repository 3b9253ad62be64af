/*
 * What a connection has to pass before evhttp reads any of it: the number of those of its address,
 * and a strict reading of its requests. evhttp sees a head when it is whole; of a bad one it sees
 * nothing, but a harmless request in its place, so that the answer goes the way of all answers.
 */
#include "config.h"

#include "http/listen_int.h"

#include "http/gate.h"
#include "shared/network.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define INPUT_BYTES_MAX (HEAD_BYTES_MAX + HEAD_BODY_MAX) /* read ahead, of one connection */
#define PIECES_MAX      8

static const char harmless[] = "GET / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n";

/* A proxy that says for whom it comes: these are counted, with their requests. */
static bool
speaks_for_others(const struct conn *conn, const struct sockaddr *addr)
{
	const struct gate *gate = conn->listeners->front->gate;
	char *const *net = gate_proxy_from(gate);
	struct network network;

	for (; net != NULL && *net != NULL && gate_proxy_header(gate) != NULL; net++)
		if (network_parse(*net, &network) == 0 && network_has(&network, addr))
			return true;
	return false;
}

static void
count_address(struct conn *conn, int fd)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);

	/* It may be gone already. */
	if (getpeername(fd, (struct sockaddr *)&addr, &len) < 0)
		return;
	if (speaks_for_others(conn, (struct sockaddr *)&addr))
		return;
	switch (crowd_enter(conn->listeners->crowd, (struct sockaddr *)&addr, &conn->place)) {
	case CROWD_FINE:
		break;
	case CROWD_TOO_MANY:
		conn->refusal = 429;
		break;
	case CROWD_FAR_TOO_MANY:
		conn->refusal = 429;
		shutdown(fd, SHUT_RDWR);
		break;
	}
}

bool
listeners_count_as(struct listeners *listeners, struct evhttp_request *req, const char *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct conn *conn = conn_find(listeners, req);
	const struct sockaddr *addr = (struct sockaddr *)&v6;

	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		addr = (struct sockaddr *)&v4;
	else if (inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return true;
	if (conn == NULL)
		return true;
	crowd_leave(&conn->place);
	conn->is_forwarded = true;
	return crowd_enter(listeners->crowd, addr, &conn->place) == CROWD_FINE;
}

bool
conn_adopt(struct conn *conn, void (*on_close)(struct evhttp_connection *evcon, void *arg))
{
	bufferevent_data_cb read_cb;
	void *evcon;

	conn->listeners->newest = NULL;
	/* libevent resets the callbacks of what evhttp has freed. */
	bufferevent_getcb(conn->bev, &read_cb, NULL, NULL, &evcon);
	if (read_cb == NULL) {
		conn_free(conn);
		return false;
	}
	conn->evcon = evcon;
	evhttp_connection_set_closecb(conn->evcon, on_close, conn);
	/* Held any longer, it would listen to a descriptor that evhttp closes. */
	bufferevent_decref(conn->bev);
	count_address(conn, bufferevent_getfd(conn->bev));
	return true;
}

/* Input */

static int
feed_guard(struct conn *conn, struct evbuffer *input, size_t n_added)
{
	struct evbuffer_iovec pieces[PIECES_MAX];
	struct evbuffer_ptr at;
	int n, fault = 0;

	if (evbuffer_ptr_set(input, &at, evbuffer_get_length(input) - n_added, EVBUFFER_PTR_SET) <
	    0)
		return 400;
	n = evbuffer_peek(input, (ev_ssize_t)n_added, &at, pieces, PIECES_MAX);
	if (n < 0 || n > PIECES_MAX)
		return 400;
	for (int i = 0; i < n && fault == 0; i++)
		fault = head_guard_feed(&conn->guard, pieces[i].iov_base, pieces[i].iov_len);
	return fault;
}

static void
replace_input(struct conn *conn, struct evbuffer *input)
{
	conn->is_replacing = true;
	evbuffer_drain(input, evbuffer_get_length(input));
	if (!conn->is_over)
		evbuffer_add(input, harmless, sizeof(harmless) - 1);
	conn->is_over = true;
	conn->is_replacing = false;
}

/* evhttp is called when there is a head for it. */
static void
hold_back(struct conn *conn, struct evbuffer *input)
{
	size_t open = head_guard_open_bytes(&conn->guard);
	bool has_none = !conn->is_over && open > 0 && open >= evbuffer_get_length(input);

	bufferevent_setwatermark(conn->bev, EV_READ, has_none ? INPUT_BYTES_MAX : 0,
				 INPUT_BYTES_MAX);
}

void
conn_check_input(struct conn *conn, struct evbuffer *input, size_t n_added)
{
	int fault;

	if (conn->is_replacing || n_added == 0)
		return;
	fault = conn->is_over ? conn->refusal : feed_guard(conn, input, n_added);
	if (conn->is_over || fault != 0)
		replace_input(conn, input);
	if (fault != 0)
		conn->refusal = fault;
	hold_back(conn, input);
}
