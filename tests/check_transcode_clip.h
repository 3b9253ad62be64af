/*
 * A short clip of H.265 for the tests of the transcoder: flat pictures, each of another brightness,
 * and what is known of each, as it would come from a bus.
 */
#ifndef CAMHUB_TESTS_CHECK_TRANSCODE_CLIP_H
#define CAMHUB_TESTS_CHECK_TRANSCODE_CLIP_H

#include "shared/frame.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "transcode/tc_live.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <string.h>

#define STEP_NS 40000000 /* between two pictures */
#define UNITS   60
#define GOP     30

#define NEED_X265()                                                                                \
	do {                                                                                       \
		if (avcodec_find_encoder_by_name("libx265") == NULL)                               \
			HARNESS_SKIP("no libx265 in this FFmpeg");                                 \
	} while (0)

/* A clip of flat pictures, each of another brightness */

struct clip {
	AVPacket *units[UNITS];
	uint8_t config[4096];
	size_t config_len;
	int width, height;
};

static inline int
brightness(int i)
{
	return 40 + 2 * i;
}

static inline AVFrame *
new_picture(enum AVPixelFormat format, int width, int height)
{
	AVFrame *frame = av_frame_alloc();

	frame->format = format;
	frame->width = width;
	frame->height = height;
	ck_assert_int_eq(av_frame_get_buffer(frame, 0), 0);
	return frame;
}

static inline void
paint(AVFrame *frame, int level)
{
	bool is_deep = frame->format == AV_PIX_FMT_YUV420P10;

	ck_assert_int_eq(av_frame_make_writable(frame), 0);
	for (int p = 0; p < 3; p++) {
		size_t n = (size_t)frame->linesize[p] * (size_t)(frame->height >> (p > 0));
		int value = p == 0 ? level : 128;

		if (!is_deep)
			memset(frame->data[p], value, n);
		for (size_t i = 0; is_deep && i < n / 2; i++)
			((uint16_t *)frame->data[p])[i] = (uint16_t)(value << 2);
	}
}

static inline AVCodecContext *
open_x265(enum AVPixelFormat format, int width, int height, int bframes)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx265");
	AVCodecContext *ctx = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
	char params[160];

	ck_assert_ptr_nonnull(ctx);
	av_log_set_level(AV_LOG_ERROR);
	ctx->width = width;
	ctx->height = height;
	ctx->pix_fmt = format;
	ctx->time_base = (AVRational){ 1, 25 };
	ctx->gop_size = GOP;
	ctx->thread_count = 1;
	ctx->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	snprintf(params, sizeof(params),
		 "bframes=%d:b-adapt=0:scenecut=0:open-gop=0:min-keyint=%d:log-level=none:pools=1",
		 bframes, GOP);
	av_opt_set(ctx->priv_data, "preset", "ultrafast", 0);
	av_opt_set(ctx->priv_data, "x265-params", params, 0);
	ck_assert_int_eq(avcodec_open2(ctx, codec, NULL), 0);
	return ctx;
}

static inline struct clip *
make_clip(enum AVPixelFormat format, int width, int height, int bframes)
{
	AVCodecContext *ctx = open_x265(format, width, height, bframes);
	AVFrame *frame = new_picture(format, width, height);
	struct clip *clip = xcalloc(1, sizeof(*clip));
	int n = 0;

	clip->width = width;
	clip->height = height;
	clip->config_len = (size_t)ctx->extradata_size;
	ck_assert_uint_le(clip->config_len, sizeof(clip->config));
	memcpy(clip->config, ctx->extradata, clip->config_len);
	for (int i = 0; i <= UNITS; i++) {
		paint(frame, brightness(i));
		frame->pts = i;
		ck_assert_int_eq(avcodec_send_frame(ctx, i < UNITS ? frame : NULL), 0);
		while (n < UNITS) {
			clip->units[n] = av_packet_alloc();
			if (avcodec_receive_packet(ctx, clip->units[n]) < 0)
				break;
			n++;
		}
	}
	ck_assert_int_eq(n, UNITS);
	av_frame_free(&frame);
	avcodec_free_context(&ctx);
	return clip;
}

static inline void
free_clip(struct clip *clip)
{
	for (int i = 0; i < UNITS; i++)
		av_packet_free(&clip->units[i]);
	free(clip);
}

static inline bool
is_key(const struct clip *clip, int i)
{
	return (clip->units[i]->flags & AV_PKT_FLAG_KEY) != 0;
}

/* What is known of unit i: times that differ from each other. */
static inline struct tc_stamp
stamp_of(const struct clip *clip, int i)
{
	int64_t pts_ns = clip->units[i]->pts * STEP_NS;

	return (struct tc_stamp){
		.pts_ns = pts_ns,
		.arrived_realtime_ns = 1000000 + pts_ns,
		.arrived_monotonic_ns = 2000000 + pts_ns,
		.captured_realtime_ns = 3000000 + pts_ns,
		.duration_us = 40000,
		.is_key = is_key(clip, i),
	};
}

/* Messages of a bus */

static inline struct frame
frame_of(const struct clip *clip, int i, uint64_t seq)
{
	struct tc_stamp stamp = stamp_of(clip, i);

	return (struct frame){
		.stream_id = 5,
		.kind = FRAME_KIND_VIDEO,
		.codec = FRAME_CODEC_H265,
		.flags = is_key(clip, i) ? FRAME_KEY : 0,
		.epoch = 9,
		.seq = seq,
		.config_version = 1,
		.pts_ns = stamp.pts_ns,
		.dts_ns = stamp.pts_ns,
		.duration_us = stamp.duration_us,
		.arrived_realtime_ns = stamp.arrived_realtime_ns,
		.arrived_monotonic_ns = stamp.arrived_monotonic_ns,
		.captured_realtime_ns = stamp.captured_realtime_ns,
	};
}

#endif
