/*
 * What an event is sent as: the supervisor's order, the HTTP request that it becomes, and what the
 * answer means. Text only; nobody is connected to.
 */
#ifndef CAMHUB_EVENT_POST_H
#define CAMHUB_EVENT_POST_H

#include <stdbool.h>
#include <stddef.h>

#define POST_ORDER_MAX  8192 /* bytes: an URL, a line break, the body */
#define POST_STATUS_MAX 512  /* bytes until the end of the answer's first line */

/* Where to, and what. Contents are owned: post_clear(). */
struct post {
	bool is_tls;
	char *host; /* IPv6 without brackets */
	unsigned port;
	char *head; /* of the HTTP/1.1 request (RFC 9112), the empty line included */
	char *body; /* JSON */
};

/* Read an order. 0 and *post, or -EINVAL: it is none. */
int post_read_order(const char *order, size_t len, struct post *post);
void post_clear(struct post *post);

/* The status code in the first line of an answer (RFC 9112, section 4), 0: that is no HTTP. */
int post_read_status(const char *bytes, size_t len);

#endif
