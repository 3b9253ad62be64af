/*
 * Accepting, and deadlines.
 *
 * evhttp's own timeouts are idle timeouts: a byte every few seconds keeps a connection for ever. So
 * each connection is known here from accept on. When evhttp asks for a bufferevent it does not say
 * for whom; when it has it, it tells when it closes it. In between (until the next one is accepted,
 * its first byte, or the loop's next turn) a reference to the bufferevent is held; whether evhttp
 * has freed it shows in its callbacks, which libevent resets.
 */
#include "config.h"

#include "http/listen_int.h"

#include "http/route.h"
#include "http/tls.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS      4000 /* until front-config says it */
#define IDLE_MS          60000
#define REPLY_MS         60000 /* for a slow reader of a plain answer */
#define LAST_MS          2000  /* for the peer to close, after an answer that is the last */
#define BACKSTOP_S       90
#define CONNECTIONS_SOFT 512  /* answered 503 beyond */
#define CONNECTIONS_HARD 1024 /* not accepted beyond */
#define PAUSE_MS         200

/* An accept error names only evhttp. */
static LIST_HEAD(listeners_list, listeners) all_listeners = LIST_HEAD_INITIALIZER(all_listeners);

static void on_evhttp_close(struct evhttp_connection *evcon, void *arg);

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

	shutdown(bufferevent_getfd(conn->bev), SHUT_RDWR);
	clock_timer_set_ms(timer, PAUSE_MS);
}

static void
on_input(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *conn = arg;

	if (info->n_added > 0 && conn->evcon == NULL && !conn_adopt(conn, on_evhttp_close))
		return;
	if (info->n_added > 0 && conn->state == CONN_IDLE)
		arm(conn, CONN_HEAD);
	conn_check_input(conn, buffer, info->n_added);
}

/* Nothing was cut off, as far as that can still be said. */
static void
say_end(SSL *ssl)
{
	if (SSL_is_init_finished(ssl))
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

void
conn_free(struct conn *conn)
{
	struct listeners *listeners = conn->listeners;

	TAILQ_REMOVE(&listeners->conns, conn, entry);
	listeners->n_conns--;
	if (listeners->newest == conn)
		listeners->newest = NULL;
	clock_timer_cancel(&conn->timer);
	evbuffer_remove_cb(bufferevent_get_input(conn->bev), on_input, conn);
	if (conn->evcon != NULL)
		evhttp_connection_set_closecb(conn->evcon, NULL, NULL);
	else
		bufferevent_decref(conn->bev);
	/* The bufferevent goes later, and does not own it. */
	if (conn->ssl != NULL)
		listeners_bury(listeners, NULL, conn->ssl);
	crowd_leave(&conn->place);
	free(conn);
}

static void
on_evhttp_close(struct evhttp_connection *evcon, void *arg)
{
	struct conn *conn = arg;
	void (*cb)(void *) = conn->abort_cb;
	void *cb_arg = conn->abort_arg;

	(void)evcon;
	if (conn->ssl != NULL)
		say_end(conn->ssl);
	conn_free(conn);
	if (cb != NULL)
		cb(cb_arg);
}

static void
adopt_newest(struct listeners *listeners)
{
	if (listeners->newest != NULL)
		conn_adopt(listeners->newest, on_evhttp_close);
}

static void
on_adopt(struct clock_timer *timer, void *arg)
{
	(void)timer;
	adopt_newest(arg);
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

static struct bufferevent *
make_bufferevent(struct listeners *listeners, struct event_base *base, SSL **ssl)
{
	*ssl = NULL;
	if (listeners->tls == NULL)
		return bufferevent_socket_new(base, -1, 0);
	*ssl = tls_accept(listeners->tls);
	if (*ssl == NULL)
		xalloc_die();
	return bufferevent_openssl_socket_new(base, -1, *ssl, BUFFEREVENT_SSL_ACCEPTING, 0);
}

/* evhttp asks for a bufferevent: somebody has connected. */
static struct bufferevent *
on_accept(struct event_base *base, void *arg)
{
	struct listeners *listeners = arg;
	struct conn *conn = xcalloc(1, sizeof(*conn));

	adopt_newest(listeners);
	conn->listeners = listeners;
	conn->bev = make_bufferevent(listeners, base, &conn->ssl);
	if (conn->bev == NULL)
		xalloc_die();
	/* evhttp reads on while it answers: who sends requests and reads no answers stops here. */
	bufferevent_setwatermark(conn->bev, EV_READ, 0, HEAD_BYTES_MAX + HEAD_BODY_MAX);
	bufferevent_incref(conn->bev);
	if (listeners->n_conns >= CONNECTIONS_SOFT)
		conn->refusal = 503;
	clock_timer_init(&conn->timer, listeners->front->clock, on_deadline, conn);
	evbuffer_add_cb(bufferevent_get_input(conn->bev), on_input, conn);
	TAILQ_INSERT_TAIL(&listeners->conns, conn, entry);
	listeners->n_conns++;
	listeners->newest = conn;
	clock_timer_set_ms(&listeners->adopt, 0);
	arm(conn, CONN_HEAD);
	if (listeners->n_conns >= CONNECTIONS_HARD)
		pause_accepting(listeners);
	return conn->bev;
}

struct conn *
conn_find(const struct listeners *listeners, struct evhttp_request *req)
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
	struct conn *conn = conn_find(listeners, req);

	if (conn != NULL)
		arm(conn, CONN_HANDLING);
	route_request(listeners->front, req);
}

int
listeners_refusal(const struct listeners *listeners, struct evhttp_request *req)
{
	const struct conn *conn = conn_find(listeners, req);

	return conn != NULL ? conn->refusal : 0;
}

static void
on_reply_sent(struct evhttp_request *req, void *arg)
{
	struct conn *conn = conn_find(arg, req);

	if (conn == NULL)
		return;
	arm(conn, CONN_IDLE);
	if (conn->is_forwarded)
		crowd_leave(&conn->place);
	if (!head_guard_is_over(&conn->guard))
		return;
	/* It asked for another protocol and was refused. What it says from now on is anybody's
	 * guess. */
	conn->is_over = true;
	conn->refusal = 400;
	shutdown(bufferevent_getfd(conn->bev), SHUT_WR);
	clock_timer_set_ms(&conn->timer, LAST_MS);
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
	struct conn *conn = conn_find(listeners, req);

	if (conn == NULL)
		return;
	conn->abort_cb = cb;
	conn->abort_arg = arg;
}

static void
on_bury(struct clock_timer *timer, void *arg)
{
	(void)timer;
	listeners_bury_now(arg);
}

void
listeners_set_tls(struct listeners *listeners, struct tls *tls)
{
	tls_free(&listeners->tls);
	listeners->tls = tls;
}

const struct tls *
listeners_tls(const struct listeners *listeners)
{
	return listeners->tls;
}

void
listeners_set_max_per_address(struct listeners *listeners, unsigned max)
{
	crowd_set_max(listeners->crowd, max);
}

/* Life */

struct listeners *
listeners_new(struct front *front)
{
	struct listeners *listeners = xcalloc(1, sizeof(*listeners));

	listeners->front = front;
	TAILQ_INIT(&listeners->conns);
	LIST_INIT(&listeners->husks);
	listeners->crowd = crowd_new(0);
	clock_timer_init(&listeners->adopt, front->clock, on_adopt, listeners);
	clock_timer_init(&listeners->bury, front->clock, on_bury, listeners);
	clock_timer_init(&listeners->resume, front->clock, on_resume, listeners);
	listeners->reserve_fd = open_reserve();
	listeners->dummy_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	listeners->http = evhttp_new(front->base);
	if (listeners->http == NULL || listeners->dummy_fd < 0)
		xalloc_die();
	evhttp_set_max_headers_size(listeners->http, HEAD_BYTES_MAX);
	evhttp_set_max_body_size(listeners->http, HEAD_BODY_MAX);
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
	clock_timer_cancel(&old->adopt);
	clock_timer_cancel(&old->resume);
	adopt_newest(old);
	listeners_bury_now(old);
	evhttp_free(old->http);
	while ((conn = TAILQ_FIRST(&old->conns)) != NULL)
		conn_free(conn);
	listeners_bury_now(old);
	clock_timer_cancel(&old->bury);
	tls_free(&old->tls);
	crowd_free(&old->crowd);
	LIST_REMOVE(old, entry);
	close(old->reserve_fd);
	close(old->dummy_fd);
	free(old);
}

int
listeners_add(struct listeners *listeners, int fd, const char *address)
{
	struct evconnlistener *listener;

	if (listeners->closed) {
		close(fd);
		return 0;
	}
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

static void
note_socket(struct evhttp_bound_socket *socket, void *arg)
{
	*(struct evhttp_bound_socket **)arg = socket;
}

void
listeners_close(struct listeners *listeners)
{
	listeners->closed = true;
	clock_timer_cancel(&listeners->resume);
	/* One at a time: evhttp walks its list while it calls. */
	for (;;) {
		struct evhttp_bound_socket *socket = NULL;

		evhttp_foreach_bound_socket(listeners->http, note_socket, &socket);
		if (socket == NULL)
			break;
		evhttp_del_accept_socket(listeners->http, socket);
	}
	listeners->n_sockets = 0;
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
