/*
 * The listeners of the front and the connections that came in through them: evhttp parses the
 * requests, this file keeps the time. Every connection has an absolute deadline for its request's
 * head (counted from accept, then from the first byte of each further request), and an end of its
 * own when idle.
 */
#ifndef CAMHUB_HTTP_LISTEN_H
#define CAMHUB_HTTP_LISTEN_H

#include "http/front.h"
#include "http/link.h"

struct evhttp_request;
struct listeners;
struct tls;

/* What a connection is when it was taken away from evhttp. */
struct taken {
	struct link_end end; /* the caller's */
	void *early; /* malloc'd: what followed the request, at most 64 KiB; NULL when empty */
	size_t early_len;
};

struct listeners *listeners_new(struct front *front);
void listeners_free(struct listeners **listeners); /* NULL-safe; closes all */
/* Serve what comes in at fd (listening, owned from here on). 0 or negative errno. */
int listeners_add(struct listeners *listeners, int fd, const char *address);
/* Accept nobody any more, not even what is added from now on; connections stay. */
void listeners_close(struct listeners *listeners);
unsigned listeners_count(const struct listeners *listeners);
unsigned listeners_connections(const struct listeners *listeners);

/* From now on connections begin with this identity (owned); those that are there stay. */
void listeners_set_tls(struct listeners *listeners, struct tls *tls);
const struct tls *listeners_tls(const struct listeners *listeners); /* NULL: none */
/* Connections that one address may have, viewers included; 0: any number. */
void listeners_set_max_per_address(struct listeners *listeners, unsigned max);

/* 0, or the status with which all requests of this one's connection are refused: 503 and 429, there
 * are too many; others: it is malformed. The connection ends with the answer. */
int listeners_refusal(const struct listeners *listeners, struct evhttp_request *req);
/* It came through a proxy for this address, which it counts for from now on; once it is answered
 * for nobody. false: there are too many of that address. */
bool listeners_count_as(struct listeners *listeners, struct evhttp_request *req,
			const char *address);
/* The answer goes out now: the connection is idle after it. */
void listeners_on_reply(struct listeners *listeners, struct evhttp_request *req);
/* Call cb(arg) when the connection ends before the answer; cb NULL: no more. */
void listeners_on_abort(struct listeners *listeners, struct evhttp_request *req,
			void (*cb)(void *arg), void *arg);
/*
 * Take the connection away from evhttp, from within the request's callback or later. The request
 * and all that belongs to it are gone soon after: do not touch them again. 0 or negative errno
 * (then evhttp still has it).
 */
int listeners_take(struct listeners *listeners, struct evhttp_request *req, struct taken *taken);

#endif
