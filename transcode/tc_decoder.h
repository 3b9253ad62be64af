/*
 * H.265 units in, pictures out, each with the stamp of its unit. No delay but what B-frames need.
 */
#ifndef CAMHUB_TRANSCODE_TC_DECODER_H
#define CAMHUB_TRANSCODE_TC_DECODER_H

#include "transcode/tc_stamp.h"

struct AVFrame;
struct AVPacket;
struct tc_decoder;

typedef void tc_decoder_fn(void *arg, struct AVFrame *frame, const struct tc_stamp *stamp);

/* 0 or a negative AVERROR. fn gets each picture, borrowed, out of tc_decoder_push(). */
int tc_decoder_new(tc_decoder_fn *fn, void *arg, struct tc_decoder **decoder);
void tc_decoder_free(struct tc_decoder **decoder); /* NULL-safe */

/* One access unit in Annex B form; packet stays the caller's. Damage is no failure: a negative
 * AVERROR says that nothing came of this unit. */
int tc_decoder_push(struct tc_decoder *decoder, struct AVPacket *packet,
		    const struct tc_stamp *stamp);
/* What follows does not refer to what was before. */
void tc_decoder_restart(struct tc_decoder *decoder);

#endif
