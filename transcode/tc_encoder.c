/*
 * libx264 with the settings for live pictures; swscale in front of it where size or format are not
 * for it.
 */
#include "config.h"

#include "transcode/tc_encoder.h"

#include "shared/xalloc.h"
#include "transcode/tc_size.h"

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#define TIME_BASE    1000000 /* microseconds */
#define STEP_MIN_US  1000
#define STEP_MAX_US  2000000
#define FPS_HINT     25
#define GOP_MAX      600         /* pictures; who calls asks for key frames by time */
#define SMALL_PIXELS (640 * 480) /* one thread will do */
#define THREADS      2           /* each a slice of its own: no delay */
#define VBV_MS       500         /* a key frame takes so long of the highest rate, at most */
#define CRF          "23"
#define PRESET       "superfast"
#define PARAMS       "scenecut=0"

struct tc_encoder {
	AVCodecContext *ctx; /* NULL: before the first picture */
	struct SwsContext *sws;
	AVFrame *picture; /* as the encoder gets it */
	/* What the encoder was opened for. */
	int source_width, source_height, source_format;
	enum AVColorRange range;
	enum AVColorSpace space;
	int64_t pts_us, last_pts_ns;
};

struct tc_encoder *
tc_encoder_new(void)
{
	return xcalloc(1, sizeof(struct tc_encoder));
}

static void
close_encoder(struct tc_encoder *encoder)
{
	sws_freeContext(encoder->sws);
	encoder->sws = NULL;
	av_frame_free(&encoder->picture);
	avcodec_free_context(&encoder->ctx);
}

void
tc_encoder_free(struct tc_encoder **encoder)
{
	if (*encoder == NULL)
		return;
	close_encoder(*encoder);
	free(*encoder);
	*encoder = NULL;
}

static bool
is_open_for(const struct tc_encoder *encoder, const AVFrame *frame)
{
	return encoder->ctx != NULL && encoder->source_width == frame->width &&
	       encoder->source_height == frame->height && encoder->source_format == frame->format &&
	       encoder->range == frame->color_range && encoder->space == frame->colorspace;
}

static int
set_options(AVCodecContext *ctx)
{
	static const char *const options[][2] = {
		{ "preset", PRESET }, { "tune", "zerolatency" }, { "profile", "baseline" },
		{ "crf", CRF },       { "forced-idr", "1" },     { "x264-params", PARAMS },
	};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < sizeof(options) / sizeof(options[0]); i++)
		rc = av_opt_set(ctx->priv_data, options[i][0], options[i][1], 0);
	return rc;
}

static void
describe(AVCodecContext *ctx, const AVFrame *frame, int width, int height)
{
	int64_t rate = tc_size_bitrate(width, height);

	ctx->width = width;
	ctx->height = height;
	ctx->pix_fmt =
	    frame->format == AV_PIX_FMT_YUVJ420P ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
	ctx->color_range = frame->color_range;
	ctx->colorspace = frame->colorspace;
	ctx->color_primaries = frame->color_primaries;
	ctx->color_trc = frame->color_trc;
	ctx->sample_aspect_ratio = frame->sample_aspect_ratio;
	ctx->time_base = (AVRational){ 1, TIME_BASE };
	ctx->framerate = (AVRational){ FPS_HINT, 1 };
	ctx->gop_size = GOP_MAX;
	ctx->max_b_frames = 0;
	ctx->thread_count = width * height <= SMALL_PIXELS ? 1 : THREADS;
	ctx->rc_max_rate = rate;
	ctx->rc_buffer_size = (int)(rate * VBV_MS / 1000);
}

static int
make_scaler(struct tc_encoder *encoder, const AVFrame *frame)
{
	const AVCodecContext *ctx = encoder->ctx;

	if (frame->width == ctx->width && frame->height == ctx->height &&
	    frame->format == (int)ctx->pix_fmt)
		return 0;
	encoder->sws = sws_getContext(frame->width, frame->height, frame->format, ctx->width,
				      ctx->height, ctx->pix_fmt, SWS_BILINEAR, NULL, NULL, NULL);
	if (encoder->sws == NULL)
		return AVERROR(EINVAL);
	encoder->picture->format = ctx->pix_fmt;
	encoder->picture->width = ctx->width;
	encoder->picture->height = ctx->height;
	return av_frame_get_buffer(encoder->picture, 0);
}

static int
open_encoder(struct tc_encoder *encoder, const AVFrame *frame)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
	int width, height, rc;

	close_encoder(encoder);
	if (codec == NULL)
		return AVERROR_ENCODER_NOT_FOUND;
	rc = tc_size_fit(frame->width, frame->height, &width, &height);
	if (rc < 0)
		return rc;
	encoder->ctx = avcodec_alloc_context3(codec);
	encoder->picture = av_frame_alloc();
	if (encoder->ctx == NULL || encoder->picture == NULL)
		return AVERROR(ENOMEM);
	describe(encoder->ctx, frame, width, height);
	rc = set_options(encoder->ctx);
	if (rc >= 0)
		rc = avcodec_open2(encoder->ctx, codec, NULL);
	if (rc >= 0)
		rc = make_scaler(encoder, frame);
	encoder->source_width = frame->width;
	encoder->source_height = frame->height;
	encoder->source_format = frame->format;
	encoder->range = frame->color_range;
	encoder->space = frame->colorspace;
	return rc;
}

static int
prepare(struct tc_encoder *encoder, const AVFrame *frame)
{
	int rc;

	if (encoder->sws == NULL) {
		av_frame_unref(encoder->picture);
		return av_frame_ref(encoder->picture, frame);
	}
	rc = av_frame_make_writable(encoder->picture);
	if (rc < 0)
		return rc;
	rc = sws_scale(encoder->sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
		       frame->height, encoder->picture->data, encoder->picture->linesize);
	return rc < 0 ? rc : 0;
}

/* The source's times jump at will, an encoder's must not. */
static int64_t
next_pts_us(struct tc_encoder *encoder, int64_t pts_ns)
{
	int64_t step_ns, step_us = STEP_MIN_US;

	if (!__builtin_sub_overflow(pts_ns, encoder->last_pts_ns, &step_ns))
		step_us = step_ns / 1000;
	if (step_us < STEP_MIN_US)
		step_us = STEP_MIN_US;
	if (step_us > STEP_MAX_US)
		step_us = STEP_MAX_US;
	encoder->last_pts_ns = pts_ns;
	encoder->pts_us += step_us;
	return encoder->pts_us;
}

static int
encode(struct tc_encoder *encoder, AVPacket *packet)
{
	int rc = avcodec_send_frame(encoder->ctx, encoder->picture);

	if (rc >= 0)
		rc = avcodec_receive_packet(encoder->ctx, packet);
	return rc;
}

int
tc_encoder_push(struct tc_encoder *encoder, const AVFrame *frame, const struct tc_stamp *stamp,
		bool wants_key, AVPacket **packet)
{
	AVPacket *new_packet = NULL;
	int rc = 0;

	if (!is_open_for(encoder, frame))
		rc = open_encoder(encoder, frame);
	if (rc < 0) {
		close_encoder(encoder);
		return rc;
	}
	rc = prepare(encoder, frame);
	encoder->picture->pts = next_pts_us(encoder, stamp->pts_ns);
	encoder->picture->pict_type = wants_key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	new_packet = av_packet_alloc();
	if (rc >= 0)
		rc = new_packet != NULL ? encode(encoder, new_packet) : AVERROR(ENOMEM);
	if (rc < 0) {
		av_packet_free(&new_packet);
		return rc;
	}
	*packet = new_packet;
	return 0;
}
