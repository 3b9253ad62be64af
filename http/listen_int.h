/*
 * What the files of listen.h share; nobody else includes this.
 */
#ifndef CAMHUB_HTTP_LISTEN_INT_H
#define CAMHUB_HTTP_LISTEN_INT_H

#include "http/crowd.h"
#include "http/head_guard.h"
#include "http/listen.h"

#include <event2/bufferevent.h>

struct evhttp;
struct evhttp_connection;

enum conn_state { CONN_HEAD, CONN_HANDLING, CONN_IDLE };

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct listeners *listeners;
	struct bufferevent *bev;         /* evhttp's; a reference until evcon is known */
	struct evhttp_connection *evcon; /* NULL until conn_adopt() */
	struct ssl_st *ssl;              /* NULL: no TLS */
	struct crowd_place *place;
	enum conn_state state;
	struct head_guard guard;
	int refusal; /* what all its requests are answered with; 0: none */
	bool is_replacing;
	bool is_forwarded; /* through a trusted proxy: counted for whom it speaks, while it does */
	bool is_over;      /* nothing that comes is looked at any more */
	void (*abort_cb)(void *arg);
	void *abort_arg;
	struct clock_timer timer;
};

/* What is freed from the loop, when nothing of libevent uses it any more. */
struct husk {
	LIST_ENTRY(husk) entry;
	struct evhttp_connection *evcon; /* of a connection that was taken; or NULL */
	struct ssl_st *ssl;
};

struct listeners {
	LIST_ENTRY(listeners) entry;
	struct front *front;
	struct evhttp *http;
	struct tls *tls; /* NULL: none */
	struct crowd *crowd;
	TAILQ_HEAD(conn_list, conn) conns;
	struct conn *newest; /* evhttp has not told its socket yet */
	LIST_HEAD(husk_list, husk) husks;
	struct clock_timer bury, resume, adopt;
	unsigned n_conns, n_sockets;
	int reserve_fd; /* given up for a moment when descriptors run out */
	int dummy_fd;   /* stands in for a socket that was taken */
	bool paused, closed;
};

/* listen.c */
void conn_free(struct conn *conn);
struct conn *conn_find(const struct listeners *listeners, struct evhttp_request *req);

/* listen_take.c: frees evcon (NULL: none) and a reference of ssl from the loop. */
void listeners_bury(struct listeners *listeners, struct evhttp_connection *evcon,
		    struct ssl_st *ssl);
void listeners_bury_now(struct listeners *listeners);

/* listen_guard.c: the newest connection has its socket by now: who is it? false: it is gone, and
 * conn is freed. */
bool conn_adopt(struct conn *conn, void (*on_close)(struct evhttp_connection *evcon, void *arg));
/* So many bytes were added to its input. */
void conn_check_input(struct conn *conn, struct evbuffer *input, size_t n_added);

#endif
