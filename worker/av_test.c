/*
 * Frame n is due at start + n / fps, without drift; one that cannot be kept up with is left out.
 * The H.264 is what CCTV browsers like best: no B-frames, one slice a frame, parameter sets out of
 * band.
 */
#include "config.h"

#include "worker/av_test.h"

#include "shared/clock.h"
#include "shared/xalloc.h"
#include "worker/av_draw.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <string.h>

#define BIT_RATE        2000000 /* of 1280x720 at 25 fps; others in proportion */
#define BIT_RATE_MIN    200000
#define LATE_FRAMES_MAX 5
#define JPEG_QUALITY    4 /* 2 (best) to 31 */

struct av_test {
	struct av_reader *reader;
	int width, height, fps, gop;
	enum frame_codec codec;
	AVCodecContext *ctx;
	AVFrame *frame;
	AVPacket *packet;
	struct draw *draw;
	int64_t start_ns;
	uint64_t n; /* of the next frame */
};

static int
number_param(const struct url *url, const char *name, int absent)
{
	char *value = url_param(url, name);
	int number = value != NULL ? atoi(value) : absent;

	free(value);
	return number;
}

/* The URL's parser has checked the ranges. */
static void
read_params(struct av_test *test, const struct url *url)
{
	char *size = url_param(url, "size"), *codec = url_param(url, "codec");

	if (size == NULL || sscanf(size, "%dx%d", &test->width, &test->height) != 2) {
		test->width = 1280;
		test->height = 720;
	}
	test->fps = number_param(url, "fps", 25);
	test->gop = number_param(url, "gop", 50);
	test->codec =
	    codec != NULL && strcmp(codec, "mjpeg") == 0 ? FRAME_CODEC_MJPEG : FRAME_CODEC_H264;
	free(size);
	free(codec);
}

static void
set_h264(struct av_test *test, AVDictionary **options)
{
	int64_t pixels = (int64_t)test->width * test->height;
	int64_t bit_rate = BIT_RATE * pixels / (1280 * 720) * test->fps / 25;

	test->ctx->pix_fmt = AV_PIX_FMT_YUV420P;
	test->ctx->bit_rate = bit_rate > BIT_RATE_MIN ? bit_rate : BIT_RATE_MIN;
	test->ctx->gop_size = test->gop;
	test->ctx->keyint_min = test->gop;
	test->ctx->max_b_frames = 0;
	test->ctx->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	av_dict_set(options, "preset", "ultrafast", 0);
	av_dict_set(options, "tune", "zerolatency", 0);
	av_dict_set(options, "x264-params", "scenecut=0:open-gop=0:sliced-threads=0", 0);
}

static void
set_mjpeg(struct av_test *test)
{
	test->ctx->pix_fmt = AV_PIX_FMT_YUVJ420P;
	test->ctx->color_range = AVCOL_RANGE_JPEG;
	test->ctx->flags |= AV_CODEC_FLAG_QSCALE;
	test->ctx->global_quality = JPEG_QUALITY * FF_QP2LAMBDA;
}

static int
open_encoder(struct av_test *test)
{
	bool is_h264 = test->codec == FRAME_CODEC_H264;
	const AVCodec *codec = is_h264 ? avcodec_find_encoder_by_name("libx264")
				       : avcodec_find_encoder(AV_CODEC_ID_MJPEG);
	AVDictionary *options = NULL;
	int rc;

	test->ctx = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
	if (test->ctx == NULL)
		return AVERROR_ENCODER_NOT_FOUND;
	test->ctx->width = test->width;
	test->ctx->height = test->height;
	test->ctx->time_base = (AVRational){ 1, test->fps };
	test->ctx->framerate = (AVRational){ test->fps, 1 };
	test->ctx->sample_aspect_ratio = (AVRational){ 1, 1 };
	test->ctx->thread_count = 1;
	if (is_h264)
		set_h264(test, &options);
	else
		set_mjpeg(test);
	rc = avcodec_open2(test->ctx, codec, &options);
	av_dict_free(&options);
	return rc;
}

static struct draw_picture
picture_of(const AVFrame *frame)
{
	return (struct draw_picture){
		.plane = { frame->data[0], frame->data[1], frame->data[2] },
		.stride = { frame->linesize[0], frame->linesize[1], frame->linesize[2] },
	};
}

static int
alloc_frame(struct av_test *test)
{
	struct draw_picture picture;
	int rc;

	test->frame = av_frame_alloc();
	test->packet = av_packet_alloc();
	if (test->frame == NULL || test->packet == NULL)
		return AVERROR(ENOMEM);
	test->frame->format = test->ctx->pix_fmt;
	test->frame->color_range = test->ctx->color_range;
	test->frame->width = test->width;
	test->frame->height = test->height;
	rc = av_frame_get_buffer(test->frame, 0);
	if (rc < 0)
		return rc;
	picture = picture_of(test->frame);
	draw_background(test->draw, &picture);
	return 0;
}

static void
release_buffer(void *owner)
{
	AVBufferRef *buffer = owner;

	av_buffer_unref(&buffer);
}

static int
push_config(struct av_test *test)
{
	size_t len = (size_t)test->ctx->extradata_size;
	struct wrk_unit unit = {
		.kind = FRAME_KIND_CONFIG,
		.codec = test->codec,
		.len = len,
	};
	uint8_t *copy;

	if (test->codec != FRAME_CODEC_H264 || len == 0)
		return 0;
	copy = xmalloc(len);
	memcpy(copy, test->ctx->extradata, len);
	unit.data = copy;
	return av_reader_push(test->reader, &unit, free, copy);
}

static void
test_close(void *source)
{
	struct av_test *test = source;

	draw_free(&test->draw);
	av_packet_free(&test->packet);
	av_frame_free(&test->frame);
	avcodec_free_context(&test->ctx);
	free(test);
}

static int
test_open(struct av_reader *reader, void **source)
{
	struct av_test *test = xcalloc(1, sizeof(*test));
	int rc;

	test->reader = reader;
	read_params(test, &reader->url);
	test->draw = draw_new(test->width, test->height, reader->stream);
	rc = open_encoder(test);
	if (rc == 0)
		rc = alloc_frame(test);
	if (rc < 0) {
		test_close(test);
		return av_reader_fail(reader, WRK_CLASS_INTERNAL,
				      "no encoder for the test picture: %s", av_err2str(rc));
	}
	(void)push_config(test);
	test->start_ns = av_now_ns();
	*source = test;
	return 0;
}

static int64_t
time_of(const struct av_test *test, uint64_t n)
{
	return (int64_t)(n * (uint64_t)NS_PER_S / (uint64_t)test->fps);
}

/* The number of the frame to make now: the next one, or where time is when that was long ago. */
static uint64_t
choose_number(const struct av_test *test)
{
	uint64_t due =
	    (uint64_t)(av_now_ns() - test->start_ns) * (uint64_t)test->fps / (uint64_t)NS_PER_S;

	return due > test->n + LATE_FRAMES_MAX ? due : test->n;
}

static int
push_packet(struct av_test *test, int64_t captured_ns)
{
	AVPacket *packet = test->packet;
	AVBufferRef *buffer = packet->buf;
	struct wrk_unit unit = {
		.kind = test->codec == FRAME_CODEC_H264 ? FRAME_KIND_VIDEO : FRAME_KIND_JPEG,
		.codec = test->codec,
		.data = packet->data,
		.len = (size_t)packet->size,
		.pts_ns = time_of(test, (uint64_t)packet->pts),
		.dts_ns = time_of(test, (uint64_t)packet->pts),
		.duration_us = (uint32_t)(1000000 / test->fps),
		.captured_realtime_ns = captured_ns,
	};

	packet->buf = NULL;
	av_packet_unref(packet);
	return av_reader_push(test->reader, &unit, release_buffer, buffer);
}

static int
encode(struct av_test *test, int64_t captured_ns)
{
	int rc = avcodec_send_frame(test->ctx, test->frame);

	while (rc >= 0) {
		rc = avcodec_receive_packet(test->ctx, test->packet);
		if (rc == AVERROR(EAGAIN))
			return 0;
		if (rc >= 0)
			rc = push_packet(test, captured_ns);
	}
	return rc;
}

static int
test_read(void *source)
{
	struct av_test *test = source;
	struct draw_picture picture;
	int64_t captured_ns;
	int rc;

	if (!av_queue_wait_until(test->reader->queue, test->start_ns + time_of(test, test->n)))
		return 0;
	test->n = choose_number(test);
	rc = av_frame_make_writable(test->frame);
	if (rc == 0) {
		captured_ns = av_realtime_ns();
		picture = picture_of(test->frame);
		draw_frame(test->draw, &picture, test->n, captured_ns);
		test->frame->pts = (int64_t)test->n++;
		test->frame->quality = test->ctx->global_quality;
		rc = encode(test, captured_ns);
	}
	if (rc < 0 && !av_reader_is_stopped(test->reader))
		return av_reader_fail(test->reader, WRK_CLASS_INTERNAL,
				      "cannot encode the test picture: %s", av_err2str(rc));
	return 0;
}

const struct av_source_ops av_test_ops = {
	.open = test_open,
	.read = test_read,
	.close = test_close,
};
