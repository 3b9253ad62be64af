/*
 * A camera that sends us elsewhere: to where, how often, and who may be given its password there.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_REDIRECT_H
#define CAMHUB_SUPERVISOR_SUP_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define SUP_REDIRECTS_MAX 3 /* in a row, without pictures in between */

struct sup_stream;

/* Part of a stream. Zero-initialise. */
struct sup_redirect {
	char *url;          /* in force instead of the configured one; NULL: none */
	unsigned in_row;    /* how often since pictures came, or since the configured URL */
	bool is_due;        /* the worker that was told of it leaves; its successor goes there */
	bool has_failed;    /* it led nowhere: the next try waits as after any failure */
	bool is_same_host;  /* as the configured one: user and password go along */
	bool may_loop_back; /* the camera is on this machine itself */
};

/*
 * The worker was told that the source is at location. Checks it: rtsp may lead to rtsp or rtsps,
 * rtsps to rtsps only; no user in it; at most SUP_REDIRECTS_MAX in a row. 0: it is in force for the
 * next lookup, connect and worker. -EINVAL: the trouble is noted, nothing else changed.
 */
int sup_redirect_follow(struct sup_stream *stream, const char *location);

/* Back to the configured URL. Returns whether another was in force. */
bool sup_redirect_forget(struct sup_stream *stream);

/* Where the next worker goes. */
const char *sup_redirect_url(const struct sup_stream *stream);
bool sup_redirect_is_active(const struct sup_stream *stream);
/* Whether the next worker may be given user and password: not for another host. */
bool sup_redirect_keeps_password(const struct sup_stream *stream);
/* What a reason ends with while it is in force, else "": the configured URL alone would mislead. */
const char *sup_redirect_words(const struct sup_stream *stream);
/* false: a camera elsewhere sends us to this machine itself. */
bool sup_redirect_may_reach(const struct sup_stream *stream, const struct sockaddr *address);

void sup_redirect_clear(struct sup_redirect *redirect); /* for the end */

#endif
