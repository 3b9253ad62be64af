/*
 * One decoder, all units in, the newest picture kept, flushed at the end.
 */
#include "config.h"

#include "transcode/tc_decode.h"

#include "transcode/tc_job.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <stdio.h>
#include <string.h>

#define THREADS    2
#define MAX_PIXELS (INT64_C(8192) * 4320)

struct decoder {
	AVCodecContext *ctx;
	AVPacket *packet;
	AVFrame *last, *spare;
	uint16_t codec;        /* enum frame_codec; NONE before the first unit */
	const uint8_t *config; /* parameter sets that the next unit needs, NULL: given already */
	size_t config_len;
	uint64_t shown;
	int rc; /* the last thing that went wrong */
};

static int
open_decoder(struct decoder *decoder, uint16_t codec_id)
{
	const AVCodec *codec = avcodec_find_decoder(
	    codec_id == FRAME_CODEC_H265 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264);

	decoder->codec = codec_id;
	decoder->ctx = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
	decoder->packet = av_packet_alloc();
	decoder->last = av_frame_alloc();
	decoder->spare = av_frame_alloc();
	if (decoder->ctx == NULL || decoder->packet == NULL || decoder->last == NULL ||
	    decoder->spare == NULL)
		return AVERROR(ENOMEM);
	decoder->ctx->thread_count = THREADS;
	decoder->ctx->max_pixels = MAX_PIXELS;
	return avcodec_open2(decoder->ctx, codec, NULL);
}

static void
close_decoder(struct decoder *decoder)
{
	av_frame_free(&decoder->spare);
	av_frame_free(&decoder->last);
	av_packet_free(&decoder->packet);
	avcodec_free_context(&decoder->ctx);
}

static void
take_pictures(struct decoder *decoder)
{
	while (avcodec_receive_frame(decoder->ctx, decoder->spare) >= 0) {
		av_frame_unref(decoder->last);
		av_frame_move_ref(decoder->last, decoder->spare);
		decoder->shown++;
	}
}

static int
decode(struct decoder *decoder, const uint8_t *unit, size_t len)
{
	size_t before = decoder->config != NULL ? decoder->config_len : 0;
	int rc = av_new_packet(decoder->packet, (int)(before + len));

	if (rc < 0)
		return rc;
	if (before > 0)
		memcpy(decoder->packet->data, decoder->config, before);
	memcpy(decoder->packet->data + before, unit, len);
	decoder->config = NULL;
	rc = avcodec_send_packet(decoder->ctx, decoder->packet);
	av_packet_unref(decoder->packet);
	take_pictures(decoder);
	return rc;
}

static bool
is_ours(const struct frame *frame)
{
	return frame->track == FRAME_TRACK_VIDEO &&
	       (frame->kind == FRAME_KIND_VIDEO || frame->kind == FRAME_KIND_CONFIG);
}

/* 0; negative: it makes no sense to go on. */
static int
take_unit(struct decoder *decoder, const struct frame *frame, const uint8_t *payload)
{
	int rc;

	if (frame->codec != FRAME_CODEC_H264 && frame->codec != FRAME_CODEC_H265)
		return AVERROR_DECODER_NOT_FOUND;
	if (decoder->ctx == NULL) {
		rc = open_decoder(decoder, frame->codec);
		if (rc < 0)
			return rc;
	}
	if (frame->codec != decoder->codec)
		return AVERROR_INVALIDDATA;
	if (frame->kind == FRAME_KIND_CONFIG) {
		decoder->config = payload;
		decoder->config_len = frame->payload_len;
		return 0;
	}
	rc = decode(decoder, payload, frame->payload_len);
	if (rc < 0)
		decoder->rc = rc;
	return 0;
}

static int
decode_all(struct decoder *decoder, struct tc_job *job)
{
	const uint8_t *payload;
	struct frame frame;
	int rc;

	while ((rc = tc_job_next(job, &frame, &payload)) > 0) {
		if (!is_ours(&frame))
			continue;
		rc = take_unit(decoder, &frame, payload);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	if (decoder->ctx != NULL && avcodec_send_packet(decoder->ctx, NULL) >= 0)
		take_pictures(decoder);
	return 0;
}

int
tc_decode_last(struct tc_job *job, AVFrame **frame, char *error, size_t error_len)
{
	struct decoder decoder = { .codec = FRAME_CODEC_NONE };
	int rc = decode_all(&decoder, job);

	if (rc < 0) {
		snprintf(error, error_len, "cannot decode: %s", av_err2str(rc));
	} else if (decoder.shown == 0) {
		snprintf(error, error_len, "no picture came out: %s",
			 decoder.rc < 0 ? av_err2str(decoder.rc) : "no units");
		rc = -EIO;
	} else {
		*frame = decoder.last;
		decoder.last = NULL;
	}
	close_decoder(&decoder);
	return rc < 0 ? -EIO : 0;
}
