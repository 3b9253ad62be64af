/*
 * By which names this server may be called, and from which pages: against DNS rebinding (a page's
 * own name suddenly leads to a camera server in the viewer's network) and against pages of others
 * that open WebSockets. Pure.
 */
#ifndef CAMHUB_HTTP_NAMES_H
#define CAMHUB_HTTP_NAMES_H

#include <stdbool.h>

/* Whether this authority (a Host header, an address with its port) can only lead to the machine
 * itself: localhost, a name below it, 127.0.0.0/8, ::1. */
bool names_is_loopback(const char *authority);

/*
 * Whether a request with this Host header (RFC 9110 section 7.2; NULL: none) may be meant for us:
 * an address, a name that nobody can register (of one label, or below localhost, local, lan,
 * home.arpa, internal, test, example and such: RFC 6761, 6762, 8375), or one of names (ends with
 * NULL; NULL: none). Ports do not count. Without a Host it is no browser, and fine. is_local: only
 * this machine reaches us, and whoever does may see everything. Then it is names that lead nowhere
 * else, and those that are listed: in the viewer's own network anybody can have the others.
 */
bool names_host_is_allowed(const char *host, char *const *names, bool is_local);

enum names_origin {
	NAMES_NO_ORIGIN,      /* no page sent it */
	NAMES_OWN_ORIGIN,     /* a page of ours */
	NAMES_LISTED_ORIGIN,  /* a page of another site that may embed us */
	NAMES_FOREIGN_ORIGIN, /* anybody's */
};

/* What is known of this server. */
struct names_origins {
	const char *host;   /* the Host header; NULL: none */
	bool is_https;      /* the viewer's side of it: then ours is https:// alone, else http:// */
	char *const *own;   /* origins under which a proxy shows us; end with NULL, NULL: none */
	char *const *embed; /* origins that may embed us; the same */
};

/* origin: an Origin header's value (RFC 6454 section 7), NULL: none. "null" is foreign. */
enum names_origin names_origin_of(const char *origin, const struct names_origins *known);

#endif
