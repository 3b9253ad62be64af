/*
 * Telling others what happens to cameras (`on_event:`): a change of state that lasts becomes an
 * event, events wait in a bounded queue, camhub-event delivers them one after the other, and what
 * could not be delivered is tried again. Nothing here waits for the receiver.
 *
 * Told are `up`, `stalled`, `down` and `refused`. A camera of which nothing was told yet is taken
 * to be up: after a start (the event `started`) only those that are not are told.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_HOOK_H
#define CAMHUB_SUPERVISOR_SUP_HOOK_H

#include "shared/clock.h"

#define SUP_HOOK_PROGRAM      "camhub-event"
#define SUP_HOOK_QUEUE_MAX    64
#define SUP_HOOK_RETRY_MS     1000  /* doubles with each failure in a row ... */
#define SUP_HOOK_RETRY_MAX_MS 60000 /* ... up to this */
#define SUP_HOOK_KILL_MS      1000  /* behind its own time to deliver */

struct sup;
struct sup_hook;
struct sup_stream;

/* Of one stream. */
struct sup_hook_stream {
	struct clock_timer settle; /* its state must last until then */
	const char *told;          /* state, NULL: none, and up is taken for granted */
};

struct sup_hook *sup_hook_new(struct sup *sup);
void sup_hook_free(struct sup_hook **hook);
/* Serving has begun. */
void sup_hook_started(struct sup_hook *hook);
/* The configuration changed. */
void sup_hook_review(struct sup_hook *hook);

void sup_hook_stream_init(struct sup_stream *stream);
void sup_hook_stream_clear(struct sup_stream *stream);
/* What people are told of it is another state now. */
void sup_hook_stream_changed(struct sup_stream *stream);

#endif
