/*
 * /api/frame.jpeg: a picture of now. An MJPEG camera's newest frame is answered from the ring; for
 * the others the ring's GOP goes to a transcoder by way of the supervisor, and all who ask
 * meanwhile share its answer. Nothing is decoded here.
 */
#ifndef CAMHUB_HTTP_SNAPSHOT_H
#define CAMHUB_HTTP_SNAPSHOT_H

#include "http/front.h"

struct stream;

/* What comes of it. jpeg is borrowed; NULL: status is 503 or 504 and error says why. Called once,
 * perhaps before snapshot_ask() returns. */
typedef void snapshot_cb(void *arg, int status, const char *error, const void *jpeg, size_t len);

struct snapshot_ask;

struct snapshots *snapshots_new(struct front *front);
void snapshots_free(struct snapshots **snapshots); /* NULL-safe; nobody is called any more */

/* Returns a handle while the answer is outstanding, else NULL (cb was called). */
struct snapshot_ask *snapshot_ask(struct stream *stream, snapshot_cb *cb, void *arg);
/* Nobody waits for it any more; cb is not called. */
void snapshot_cancel(struct snapshot_ask **ask);

void snapshot_on_frames(struct stream *stream);
void snapshot_stream_gone(struct stream *stream);
/* A `snapshot-done`; takes fd (-1: none). */
void snapshot_done(struct front *front, const json_t *msg, int fd);

#endif
