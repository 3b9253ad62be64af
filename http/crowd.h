/*
 * How many connections each address has, viewers included, so that one machine cannot take the
 * place of all others. An IPv6 address counts with all of its /64, which one machine can use up.
 */
#ifndef CAMHUB_HTTP_CROWD_H
#define CAMHUB_HTTP_CROWD_H

#include <stdbool.h>
#include <sys/socket.h>

struct crowd;
struct crowd_place;

/* max: connections that an address may have at once; 0: no limit. */
struct crowd *crowd_new(unsigned max);
void crowd_set_max(struct crowd *crowd, unsigned max);
/* Those that still count keep what they need; it goes with the last of them. */
void crowd_free(struct crowd **crowd);

enum crowd_verdict {
	CROWD_FINE,
	CROWD_TOO_MANY,     /* tell it so */
	CROWD_FAR_TOO_MANY, /* as many again were told: not even that */
};

/*
 * One more connection from addr. It counts whatever the verdict, until crowd_leave(). 127.0.0.1,
 * ::1 and unix sockets always are fine: programs of this machine, among them the reverse proxy
 * through which many may come.
 */
enum crowd_verdict crowd_enter(struct crowd *crowd, const struct sockaddr *addr,
			       struct crowd_place **place);
void crowd_leave(struct crowd_place **place); /* NULL-safe */
/* Addresses that have connections. */
unsigned crowd_count(const struct crowd *crowd);

#endif
