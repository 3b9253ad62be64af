/*
 * Copies of a stream, for browsers that cannot play what the camera sends: one that comes as H.265
 * with its pictures as H.264 (`door.h264` of `door`), and one whose sound is AAC with its sound as
 * Opus (`door.opus`, for WebRTC). A copy is a stream like any other, on demand, whose worker is a
 * transcoder that reads its source's bus. It is announced while the source has that codec and
 * starts when the source is up and, to make H.264, a place is free (`limits: transcoders:`); one
 * incarnation of the source is served by one of the copy.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_COPY_H
#define CAMHUB_SUPERVISOR_SUP_COPY_H

#include "shared/msg.h"

#include <stdbool.h>
#include <stdint.h>

#define SUP_COPY_PROGRAM "camhub-transcode"
#define SUP_COPY_OPEN_MS 30000 /* the source's next key frame is there by then */

struct sup;
struct sup_stream;

enum sup_copy_kind { SUP_COPY_H264, SUP_COPY_OPUS, SUP_COPY_KINDS };

/* "h264", "opus": the program's second argument, and the end of the copy's name. */
const char *sup_copy_job(enum sup_copy_kind kind);

/* The source has told its codec, or has another configuration: its copies come, stay or go. */
void sup_copy_review(struct sup_stream *source);
/* The source leaves the configuration: its copies do, too. */
void sup_copy_remove(struct sup_stream *source);

/* Something happened to a stream that may be a source, or a copy: the others follow. */
void sup_copy_follow(struct sup_stream *stream);
/* Those that wait for a place: it may be their turn. */
void sup_copy_places(struct sup *sup);

/* Of a copy: may its transcoder start now? */
bool sup_copy_may_start(const struct sup_stream *copy);
/* What people are told of a copy that waits to start, and why ("" or words). */
const char *sup_copy_told_state(const struct sup_stream *copy);
const char *sup_copy_told_reason(const struct sup_stream *copy);

/* What its transcoder is told, for a stream whose epoch and bus path are set; the source must be
 * ready. */
json_t *sup_copy_config(struct sup_stream *copy);

#endif
