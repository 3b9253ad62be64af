/*
 * libavcodec's decoder. Threads share a picture, not pictures: those would come out later by one
 * each.
 */
#include "config.h"

#include "transcode/tc_decoder.h"

#include "shared/xalloc.h"

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>

#define THREADS    2
#define STAMPS     64 /* more than a decoder can hold back */
#define MAX_PIXELS (INT64_C(8192) * 4320)

struct tc_decoder {
	tc_decoder_fn *fn;
	void *arg;
	AVCodecContext *ctx;
	AVFrame *frame;
	struct tc_stamp stamps[STAMPS]; /* by serial number, a ring */
	int64_t serial;                 /* of the next unit; its pts, for the decoder */
};

static int
open_decoder(struct tc_decoder *decoder)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_HEVC);

	decoder->ctx = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
	decoder->frame = av_frame_alloc();
	if (codec == NULL)
		return AVERROR_DECODER_NOT_FOUND;
	if (decoder->ctx == NULL || decoder->frame == NULL)
		return AVERROR(ENOMEM);
	decoder->ctx->thread_count = THREADS;
	decoder->ctx->thread_type = FF_THREAD_SLICE;
	decoder->ctx->flags |= AV_CODEC_FLAG_LOW_DELAY | AV_CODEC_FLAG_OUTPUT_CORRUPT;
	decoder->ctx->max_pixels = MAX_PIXELS;
	return avcodec_open2(decoder->ctx, codec, NULL);
}

int
tc_decoder_new(tc_decoder_fn *fn, void *arg, struct tc_decoder **decoder)
{
	struct tc_decoder *new_decoder = xcalloc(1, sizeof(*new_decoder));
	int rc;

	new_decoder->fn = fn;
	new_decoder->arg = arg;
	rc = open_decoder(new_decoder);
	if (rc < 0) {
		tc_decoder_free(&new_decoder);
		return rc;
	}
	*decoder = new_decoder;
	return 0;
}

void
tc_decoder_free(struct tc_decoder **decoder)
{
	if (*decoder == NULL)
		return;
	av_frame_free(&(*decoder)->frame);
	avcodec_free_context(&(*decoder)->ctx);
	free(*decoder);
	*decoder = NULL;
}

static void
take_pictures(struct tc_decoder *decoder)
{
	while (avcodec_receive_frame(decoder->ctx, decoder->frame) >= 0) {
		int64_t age = decoder->serial - 1 - decoder->frame->pts;

		if (age >= 0 && age < STAMPS)
			decoder->fn(decoder->arg, decoder->frame,
				    &decoder->stamps[decoder->frame->pts % STAMPS]);
		av_frame_unref(decoder->frame);
	}
}

int
tc_decoder_push(struct tc_decoder *decoder, AVPacket *packet, const struct tc_stamp *stamp)
{
	int rc;

	packet->pts = packet->dts = decoder->serial;
	decoder->stamps[decoder->serial % STAMPS] = *stamp;
	decoder->serial++;
	rc = avcodec_send_packet(decoder->ctx, packet);
	take_pictures(decoder);
	return rc;
}

void
tc_decoder_restart(struct tc_decoder *decoder)
{
	avcodec_flush_buffers(decoder->ctx);
}
