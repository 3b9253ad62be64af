/*
 * Accepting, deadlines, and taking a socket away from evhttp.
 *
 * evhttp's own timeouts are idle timeouts: a byte every few seconds keeps a connection for ever. So
 * each connection is known here from accept on. From its first byte on evhttp tells when it closes
 * it (its connection object is the argument of the bufferevent's callbacks). Until then a reference
 * to the bufferevent is held; whether evhttp has freed it shows in its callbacks, which libevent
 * resets. Longer it must not be held: after a parse error evhttp closes the descriptor while the
 * bufferevent still listens to it.
 */
#include "config.h"

#include "http/listen.h"

#include "http/route.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_BYTES_MAX 8192
#define INPUT_BYTES_MAX   (2 * HEADERS_BYTES_MAX) /* read ahead, of one connection */
#define BODY_BYTES_MAX    4096
#define DEADLINE_MS       5000 /* until front-config says it */
#define IDLE_MS           60000
#define REPLY_MS          60000 /* for a slow reader of a plain answer */
#define BACKSTOP_S        90
#define CONNECTIONS_SOFT  512  /* answered 503 beyond */
#define CONNECTIONS_HARD  1024 /* not accepted beyond */
#define PAUSE_MS          200
#define EARLY_BYTES_MAX   65536
#define SWEEP_PER_ACCEPT  4

enum conn_state { CONN_HEAD, CONN_HANDLING, CONN_IDLE };

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct listeners *listeners;
	struct bufferevent *bev;
	struct evhttp_connection *evcon; /* from its first byte on */
	enum conn_state state;
	bool refused;
	void (*abort_cb)(void *arg);
	void *abort_arg;
	struct clock_timer timer;
};

/* Taken connections whose evhttp half is still to be freed. */
struct husk {
	LIST_ENTRY(husk) entry;
	struct evhttp_connection *evcon;
};

struct listeners {
	LIST_ENTRY(listeners) entry;
	struct front *front;
	struct evhttp *http;
	TAILQ_HEAD(conn_list, conn) conns;
	LIST_HEAD(husk_list, husk) husks;
	struct clock_timer bury, resume;
	unsigned n_conns, n_sockets;
	int reserve_fd; /* given up for a moment when descriptors run out */
	int dummy_fd;   /* stands in for a socket that was taken */
	bool paused;
};

/* An accept error names only evhttp. */
static LIST_HEAD(listeners_list, listeners) all_listeners = LIST_HEAD_INITIALIZER(all_listeners);

static void conn_free(struct conn *conn);
static void on_evhttp_close(struct evhttp_connection *evcon, void *arg);

static bool
is_gone(const struct conn *conn)
{
	bufferevent_data_cb read_cb;

	if (conn->evcon != NULL)
		return false;
	bufferevent_getcb(conn->bev, &read_cb, NULL, NULL, NULL);
	return read_cb == NULL;
}

static void
arm(struct conn *conn, enum conn_state state)
{
	int64_t deadline_ms = conn->listeners->front->config.request_deadline_ms;

	conn->state = state;
	if (state == CONN_HEAD)
		clock_timer_set_ms(&conn->timer, deadline_ms > 0 ? deadline_ms : DEADLINE_MS);
	else
		clock_timer_set_ms(&conn->timer, state == CONN_IDLE ? IDLE_MS : REPLY_MS);
}

/* Too late. evhttp learns it as the end of the connection. */
static void
on_deadline(struct clock_timer *timer, void *arg)
{
	struct conn *conn = arg;

	if (is_gone(conn)) {
		conn_free(conn);
		return;
	}
	shutdown(bufferevent_getfd(conn->bev), SHUT_RDWR);
	clock_timer_set_ms(timer, PAUSE_MS);
}

static void
on_input(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *conn = arg;

	(void)buffer;
	if (info->n_added > 0 && conn->state == CONN_IDLE)
		arm(conn, CONN_HEAD);
	if (info->n_added > 0 && conn->evcon == NULL) {
		void *evcon;

		bufferevent_getcb(conn->bev, NULL, NULL, NULL, &evcon);
		conn->evcon = evcon;
		evhttp_connection_set_closecb(conn->evcon, on_evhttp_close, conn);
		bufferevent_decref(conn->bev);
	}
}

static void
conn_free(struct conn *conn)
{
	struct listeners *listeners = conn->listeners;

	TAILQ_REMOVE(&listeners->conns, conn, entry);
	listeners->n_conns--;
	clock_timer_cancel(&conn->timer);
	evbuffer_remove_cb(bufferevent_get_input(conn->bev), on_input, conn);
	if (conn->evcon != NULL)
		evhttp_connection_set_closecb(conn->evcon, NULL, NULL);
	else
		bufferevent_decref(conn->bev);
	free(conn);
}

static void
on_evhttp_close(struct evhttp_connection *evcon, void *arg)
{
	struct conn *conn = arg;
	void (*cb)(void *) = conn->abort_cb;
	void *cb_arg = conn->abort_arg;

	(void)evcon;
	conn_free(conn);
	if (cb != NULL)
		cb(cb_arg);
}

/* Those that evhttp closed before any request are found here, or at their deadline. */
static void
sweep(struct listeners *listeners, unsigned n)
{
	struct conn *conn = TAILQ_FIRST(&listeners->conns), *next;

	for (; conn != NULL && n > 0; conn = next, n--) {
		next = TAILQ_NEXT(conn, entry);
		if (is_gone(conn)) {
			conn_free(conn);
			continue;
		}
		TAILQ_REMOVE(&listeners->conns, conn, entry);
		TAILQ_INSERT_TAIL(&listeners->conns, conn, entry);
	}
}

/* Accepting less */

static void
set_accepting(struct evhttp_bound_socket *socket, void *arg)
{
	struct evconnlistener *listener = evhttp_bound_socket_get_listener(socket);

	if (*(bool *)arg)
		evconnlistener_enable(listener);
	else
		evconnlistener_disable(listener);
}

static void
pause_accepting(struct listeners *listeners)
{
	bool accept = false;

	if (!listeners->paused)
		evhttp_foreach_bound_socket(listeners->http, set_accepting, &accept);
	listeners->paused = true;
	clock_timer_set_ms(&listeners->resume, PAUSE_MS);
}

static void
on_resume(struct clock_timer *timer, void *arg)
{
	struct listeners *listeners = arg;
	bool accept = true;

	sweep(listeners, listeners->n_conns);
	if (listeners->n_conns >= CONNECTIONS_HARD) {
		clock_timer_set_ms(timer, PAUSE_MS);
		return;
	}
	listeners->paused = false;
	evhttp_foreach_bound_socket(listeners->http, set_accepting, &accept);
}

static int
open_reserve(void)
{
	return eventfd(0, EFD_CLOEXEC); /* a front that is locked in opens no file */
}

/* Without a free descriptor the connection would stay in the queue and wake us for ever. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	int err = EVUTIL_SOCKET_ERROR(), fd;
	struct listeners *listeners;

	for (listeners = LIST_FIRST(&all_listeners); listeners != NULL;
	     listeners = LIST_NEXT(listeners, entry))
		if (listeners->http == arg)
			break;
	if (listeners == NULL)
		return;
	log_warn("http: accept: %s, waiting %d ms", strerror(err), PAUSE_MS);
	if (err == EMFILE || err == ENFILE) {
		close(listeners->reserve_fd);
		fd = accept4(evconnlistener_get_fd(listener), NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		listeners->reserve_fd = open_reserve();
	}
	pause_accepting(listeners);
}

/* evhttp asks for a bufferevent: somebody has connected. */
static struct bufferevent *
on_accept(struct event_base *base, void *arg)
{
	struct listeners *listeners = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
	struct conn *conn;

	if (bev == NULL)
		xalloc_die();
	/* evhttp reads on while it answers: who sends requests and reads no answers stops here. */
	bufferevent_setwatermark(bev, EV_READ, 0, INPUT_BYTES_MAX);
	sweep(listeners, SWEEP_PER_ACCEPT);
	bufferevent_incref(bev);
	conn = xcalloc(1, sizeof(*conn));
	conn->listeners = listeners;
	conn->bev = bev;
	conn->refused = listeners->n_conns >= CONNECTIONS_SOFT;
	clock_timer_init(&conn->timer, listeners->front->clock, on_deadline, conn);
	evbuffer_add_cb(bufferevent_get_input(bev), on_input, conn);
	TAILQ_INSERT_TAIL(&listeners->conns, conn, entry);
	listeners->n_conns++;
	arm(conn, CONN_HEAD);
	if (listeners->n_conns >= CONNECTIONS_HARD)
		pause_accepting(listeners);
	return bev;
}

static struct conn *
find_conn(const struct listeners *listeners, struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct conn *conn;

	if (evcon == NULL)
		return NULL;
	for (conn = TAILQ_FIRST(&listeners->conns); conn != NULL; conn = TAILQ_NEXT(conn, entry))
		if (conn->bev == evhttp_connection_get_bufferevent(evcon))
			return conn;
	return NULL;
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct listeners *listeners = arg;
	struct conn *conn = find_conn(listeners, req);

	if (conn != NULL)
		arm(conn, CONN_HANDLING);
	route_request(listeners->front, req);
}

bool
listeners_is_refused(const struct listeners *listeners, struct evhttp_request *req)
{
	const struct conn *conn = find_conn(listeners, req);

	return conn != NULL && conn->refused;
}

static void
on_reply_sent(struct evhttp_request *req, void *arg)
{
	struct conn *conn = find_conn(arg, req);

	if (conn != NULL)
		arm(conn, CONN_IDLE);
}

void
listeners_on_reply(struct listeners *listeners, struct evhttp_request *req)
{
	evhttp_request_set_on_complete_cb(req, on_reply_sent, listeners);
}

void
listeners_on_abort(struct listeners *listeners, struct evhttp_request *req, void (*cb)(void *arg),
		   void *arg)
{
	struct conn *conn = find_conn(listeners, req);

	if (conn == NULL)
		return;
	conn->abort_cb = cb;
	conn->abort_arg = arg;
}

/* Taking */

static void
on_bury(struct clock_timer *timer, void *arg)
{
	struct listeners *listeners = arg;
	struct husk *husk;

	(void)timer;
	while ((husk = LIST_FIRST(&listeners->husks)) != NULL) {
		LIST_REMOVE(husk, entry);
		evhttp_connection_free(husk->evcon);
		free(husk);
	}
}

static void
take_early(struct evbuffer *input, struct taken *taken)
{
	taken->early_len = evbuffer_get_length(input);
	taken->early = NULL;
	if (taken->early_len > EARLY_BYTES_MAX)
		taken->early_len = EARLY_BYTES_MAX;
	if (taken->early_len == 0)
		return;
	taken->early = xmalloc(taken->early_len);
	evbuffer_remove(input, taken->early, taken->early_len);
}

int
listeners_take(struct listeners *listeners, struct evhttp_request *req, struct taken *taken)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	struct conn *conn = find_conn(listeners, req);
	int fd = bufferevent_getfd(bev), copy;
	struct husk *husk;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	/* evhttp shuts its descriptor down when it frees the connection, and that would reach our
	 * copy: under its number lies something else then. Events must be off before. */
	bufferevent_disable(bev, EV_READ | EV_WRITE);
	if (dup3(listeners->dummy_fd, fd, O_CLOEXEC) < 0) {
		int err = errno;

		close(copy);
		return -err;
	}
	take_early(bufferevent_get_input(bev), taken);
	if (conn != NULL)
		conn_free(conn);
	/* Its callback may be running. */
	husk = xcalloc(1, sizeof(*husk));
	husk->evcon = evcon;
	LIST_INSERT_HEAD(&listeners->husks, husk, entry);
	clock_timer_set_ms(&listeners->bury, 0);
	taken->fd = copy;
	return 0;
}

/* Life */

struct listeners *
listeners_new(struct front *front)
{
	struct listeners *listeners = xcalloc(1, sizeof(*listeners));

	listeners->front = front;
	TAILQ_INIT(&listeners->conns);
	LIST_INIT(&listeners->husks);
	clock_timer_init(&listeners->bury, front->clock, on_bury, listeners);
	clock_timer_init(&listeners->resume, front->clock, on_resume, listeners);
	listeners->reserve_fd = open_reserve();
	listeners->dummy_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	listeners->http = evhttp_new(front->base);
	if (listeners->http == NULL || listeners->dummy_fd < 0)
		xalloc_die();
	evhttp_set_max_headers_size(listeners->http, HEADERS_BYTES_MAX);
	evhttp_set_max_body_size(listeners->http, BODY_BYTES_MAX);
	evhttp_set_timeout(listeners->http, BACKSTOP_S);
	/* All of them reach the route table, which answers 405 in our own words. */
	evhttp_set_allowed_methods(
	    listeners->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
				 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_bevcb(listeners->http, on_accept, listeners);
	evhttp_set_gencb(listeners->http, on_request, listeners);
	LIST_INSERT_HEAD(&all_listeners, listeners, entry);
	return listeners;
}

void
listeners_free(struct listeners **listeners)
{
	struct listeners *old = *listeners;
	struct conn *conn;

	if (old == NULL)
		return;
	*listeners = NULL;
	clock_timer_cancel(&old->bury);
	clock_timer_cancel(&old->resume);
	on_bury(NULL, old);
	evhttp_free(old->http);
	while ((conn = TAILQ_FIRST(&old->conns)) != NULL)
		conn_free(conn);
	LIST_REMOVE(old, entry);
	close(old->reserve_fd);
	close(old->dummy_fd);
	free(old);
}

int
listeners_add(struct listeners *listeners, int fd, const char *address)
{
	struct evconnlistener *listener;

	evutil_make_socket_nonblocking(fd);
	listener = evconnlistener_new(
	    listeners->front->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
	if (listener == NULL) {
		close(fd);
		return -ENOMEM;
	}
	if (evhttp_bind_listener(listeners->http, listener) == NULL) {
		evconnlistener_free(listener);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(listener, on_accept_error);
	if (!listeners->paused)
		evconnlistener_enable(listener);
	listeners->n_sockets++;
	log_info("http: serving %s", address);
	return 0;
}

unsigned
listeners_count(const struct listeners *listeners)
{
	return listeners->n_sockets;
}

unsigned
listeners_connections(const struct listeners *listeners)
{
	return listeners->n_conns;
}
