/*
 * Whoever watches: one pass for each connection that shows pictures, one watch for each camera that
 * it shows. A pass ends its connection when it does not stand any more: expired, revoked, its user
 * gone, sent away by the operator. Each watch is told to the supervisor (camctl viewers) and, where
 * people have names, written to the log at its beginning and end.
 */
#ifndef CAMHUB_HTTP_PASS_H
#define CAMHUB_HTTP_PASS_H

#include "http/access_address.h"
#include "http/front.h"
#include "http/gate.h"

struct watch;
LIST_HEAD(watch_list, watch);

struct pass {
	LIST_ENTRY(pass) in_front;
	struct front *front;
	struct gate_identity who;
	char address[ACCESS_ADDRESS_BYTES];
	struct watch_list watches;
	void (*end)(void *arg); /* the connection ends, from the loop */
	void *arg;
	bool ended;
};

struct watch {
	LIST_ENTRY(watch) in_pass;
	struct pass *pass; /* NULL: nothing is watched */
	long long id;
	char stream[42];
	const char *transport;
	int64_t since_ms;
};

/* Who may watch, and how it ends. end(arg) may be called from any callback but the pass's own. */
void pass_begin(struct pass *pass, struct front *front, const struct gate_identity *who,
		const char *address, void (*end)(void *arg), void *arg);
/* All its watches end too. */
void pass_end(struct pass *pass);
/* Whether it may see this stream now. */
bool pass_may_see(const struct pass *pass, const char *stream);

/* transport: a static text. */
void watch_begin(struct watch *watch, struct pass *pass, const char *stream, const char *transport);
void watch_end(struct watch *watch); /* nothing when it is not watching */

/* A link that only so many may use at once: whether there is room for one more. */
bool pass_has_room(const struct front *front, const struct gate_identity *who);
/* End those that do not stand any more. */
void pass_review(struct front *front);
/* End the one with this watch; the session or link that it came by is over too. */
void pass_kick(struct front *front, long long id);

#endif
