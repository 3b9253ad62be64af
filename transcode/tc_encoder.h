/*
 * Pictures in, H.264 units out, one for each at once: no B-frames, no look ahead. What is too large
 * is made smaller.
 */
#ifndef CAMHUB_TRANSCODE_TC_ENCODER_H
#define CAMHUB_TRANSCODE_TC_ENCODER_H

#include "transcode/tc_stamp.h"

struct AVFrame;
struct AVPacket;
struct tc_encoder;

struct tc_encoder *tc_encoder_new(void);
void tc_encoder_free(struct tc_encoder **encoder); /* NULL-safe */

/*
 * The picture's unit in Annex B form, a key frame with its parameter sets inside when wants_key,
 * and whenever the size or the colours have changed. 0 and *packet (av_packet_free()), with
 * AV_PKT_FLAG_KEY where it is one; a negative AVERROR: it cannot be done.
 */
int tc_encoder_push(struct tc_encoder *encoder, const struct AVFrame *frame,
		    const struct tc_stamp *stamp, bool wants_key, struct AVPacket **packet);

#endif
