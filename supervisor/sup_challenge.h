/*
 * A camera that asks for a password and closes the connection on which it asked: the next worker
 * is given the question along with its socket.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_CHALLENGE_H
#define CAMHUB_SUPERVISOR_SUP_CHALLENGE_H

#include <stdbool.h>

struct sup_stream;

/* Part of a stream. Zero-initialise. */
struct sup_challenge {
	char *text;      /* for the next worker, which starts at once; NULL: none */
	bool was_handed; /* the running worker was given one */
};

/*
 * The worker was told this and hung up on. 0: its successor is to answer it. -EPERM: it had been
 * given one itself, or there is none; the trouble is noted, as a refused password.
 */
int sup_challenge_follow(struct sup_stream *stream, const char *text);

/* A worker starts: the text for it, malloc'd; NULL: none. */
char *sup_challenge_take(struct sup_stream *stream);

bool sup_challenge_is_due(const struct sup_stream *stream);

void sup_challenge_clear(struct sup_challenge *challenge); /* forgets it, also for the end */

#endif
