/*
 * libavcodec's AAC decoder, libswresample, libopus.
 */
#include "config.h"

#include "transcode/tc_opus.h"

#include "shared/xalloc.h"

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS_MAX  2
#define FRAME_SAMPLES (TC_OPUS_RATE / 1000 * TC_OPUS_FRAME_MS)
#define CHANNEL_BPS   32000
#define NS_PER_SECOND INT64_C(1000000000)
#define HOLD_SAMPLES  (TC_OPUS_RATE / 2) /* more than any packet has */

struct tc_opus {
	const struct tc_opus_ops *ops;
	void *arg;
	AVCodecContext *decoder, *encoder;
	SwrContext *swr;
	int rate, channels; /* that swr takes; 0: none yet */
	AVFrame *decoded, *frame;
	AVPacket *packet;
	int16_t *held; /* HOLD_SAMPLES of each channel, interleaved */
	size_t n_held; /* of each channel */
	int64_t held_pts_ns;
};

static int
open_decoder(struct tc_opus *opus, const uint8_t *config, size_t len)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_AAC);

	if (codec == NULL)
		return AVERROR_DECODER_NOT_FOUND;
	opus->decoder = avcodec_alloc_context3(codec);
	if (opus->decoder == NULL)
		return AVERROR(ENOMEM);
	opus->decoder->extradata = av_mallocz(len + AV_INPUT_BUFFER_PADDING_SIZE);
	if (opus->decoder->extradata == NULL)
		return AVERROR(ENOMEM);
	memcpy(opus->decoder->extradata, config, len);
	opus->decoder->extradata_size = (int)len;
	opus->decoder->thread_count = 1;
	return avcodec_open2(opus->decoder, codec, NULL);
}

int
tc_opus_new(const uint8_t *config, size_t len, const struct tc_opus_ops *ops, void *arg,
	    struct tc_opus **opus)
{
	struct tc_opus *new_opus = xcalloc(1, sizeof(*new_opus));
	int rc;

	new_opus->ops = ops;
	new_opus->arg = arg;
	new_opus->decoded = av_frame_alloc();
	new_opus->packet = av_packet_alloc();
	if (new_opus->decoded == NULL || new_opus->packet == NULL)
		xalloc_die();
	rc = open_decoder(new_opus, config, len);
	if (rc < 0) {
		tc_opus_free(&new_opus);
		return rc;
	}
	*opus = new_opus;
	return 0;
}

void
tc_opus_free(struct tc_opus **opus)
{
	struct tc_opus *old = *opus;

	if (old == NULL)
		return;
	*opus = NULL;
	avcodec_free_context(&old->decoder);
	avcodec_free_context(&old->encoder);
	swr_free(&old->swr);
	av_frame_free(&old->decoded);
	av_frame_free(&old->frame);
	av_packet_free(&old->packet);
	free(old->held);
	free(old);
}

static int
make_frame(struct tc_opus *opus)
{
	opus->frame = av_frame_alloc();
	if (opus->frame == NULL)
		return AVERROR(ENOMEM);
	opus->frame->format = AV_SAMPLE_FMT_S16;
	opus->frame->nb_samples = FRAME_SAMPLES;
	opus->frame->sample_rate = TC_OPUS_RATE;
	av_channel_layout_default(&opus->frame->ch_layout, opus->encoder->ch_layout.nb_channels);
	return av_frame_get_buffer(opus->frame, 0);
}

static int
open_encoder(struct tc_opus *opus, int channels)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libopus");
	AVCodecContext *ctx;
	int rc;

	if (codec == NULL)
		return AVERROR_ENCODER_NOT_FOUND;
	ctx = opus->encoder = avcodec_alloc_context3(codec);
	if (ctx == NULL)
		return AVERROR(ENOMEM);
	ctx->sample_rate = TC_OPUS_RATE;
	ctx->sample_fmt = AV_SAMPLE_FMT_S16;
	ctx->bit_rate = (int64_t)CHANNEL_BPS * channels;
	ctx->thread_count = 1;
	av_channel_layout_default(&ctx->ch_layout, channels);
	av_opt_set(ctx->priv_data, "application", "lowdelay", 0);
	av_opt_set_double(ctx->priv_data, "frame_duration", TC_OPUS_FRAME_MS, 0);
	rc = avcodec_open2(ctx, codec, NULL);
	if (rc == 0 && ctx->frame_size != FRAME_SAMPLES)
		rc = AVERROR_BUG;
	if (rc == 0)
		rc = make_frame(opus);
	if (rc < 0)
		return rc;
	opus->held = xcalloc((size_t)HOLD_SAMPLES * (size_t)channels, sizeof(int16_t));
	opus->ops->config(opus->arg, ctx->extradata, (size_t)ctx->extradata_size);
	return 0;
}

/* What the decoder gives may change in the middle (a camera's settings, or SBR that is found out).
 */
static int
fit_resampler(struct tc_opus *opus)
{
	AVFrame *decoded = opus->decoded;
	int channels = decoded->ch_layout.nb_channels, rc;

	if (opus->swr != NULL && opus->rate == decoded->sample_rate && opus->channels == channels)
		return 0;
	swr_free(&opus->swr);
	rc = swr_alloc_set_opts2(&opus->swr, &opus->encoder->ch_layout, AV_SAMPLE_FMT_S16,
				 TC_OPUS_RATE, &decoded->ch_layout, decoded->format,
				 decoded->sample_rate, 0, NULL);
	if (rc == 0)
		rc = swr_init(opus->swr);
	opus->rate = decoded->sample_rate;
	opus->channels = channels;
	return rc;
}

/* Encoding */

static int
encode(struct tc_opus *opus)
{
	size_t bytes =
	    (size_t)FRAME_SAMPLES * (size_t)opus->encoder->ch_layout.nb_channels * sizeof(int16_t);
	int rc = av_frame_make_writable(opus->frame);

	if (rc < 0)
		return rc;
	memcpy(opus->frame->data[0], opus->held, bytes);
	opus->n_held -= FRAME_SAMPLES;
	memmove(opus->held, (uint8_t *)opus->held + bytes,
		opus->n_held * (size_t)opus->encoder->ch_layout.nb_channels * sizeof(int16_t));
	opus->frame->pts = AV_NOPTS_VALUE;
	rc = avcodec_send_frame(opus->encoder, opus->frame);
	while (rc == 0 && (rc = avcodec_receive_packet(opus->encoder, opus->packet)) == 0) {
		opus->ops->frame(opus->arg, opus->packet->data, (size_t)opus->packet->size,
				 opus->held_pts_ns);
		av_packet_unref(opus->packet);
	}
	opus->held_pts_ns += TC_OPUS_FRAME_MS * INT64_C(1000000);
	return rc == AVERROR(EAGAIN) ? 0 : rc;
}

/* Where the next sample belongs. The stream's clock is taken over when the count has left it. */
static void
tie(struct tc_opus *opus, int64_t pts_ns)
{
	int64_t held_ns = (int64_t)opus->n_held * NS_PER_SECOND / TC_OPUS_RATE, off;

	if (!__builtin_sub_overflow(pts_ns, opus->held_pts_ns + held_ns, &off) &&
	    off < TC_OPUS_SLACK_NS && off > -TC_OPUS_SLACK_NS) {
		/* A little at a time: clocks differ, and so do the times of packets. */
		opus->held_pts_ns += off / 16;
		return;
	}
	opus->n_held = 0;
	opus->held_pts_ns = pts_ns;
}

static int
resample(struct tc_opus *opus, int64_t pts_ns)
{
	size_t channels = (size_t)opus->encoder->ch_layout.nb_channels;
	uint8_t *to;
	int n, rc = 0;

	tie(opus, pts_ns);
	to = (uint8_t *)(opus->held + opus->n_held * channels);
	n = swr_convert(opus->swr, &to, (int)(HOLD_SAMPLES - opus->n_held),
			(const uint8_t **)opus->decoded->extended_data, opus->decoded->nb_samples);
	if (n < 0)
		return n;
	opus->n_held += (size_t)n;
	while (rc == 0 && opus->n_held >= FRAME_SAMPLES)
		rc = encode(opus);
	return rc;
}

static int
take_decoded(struct tc_opus *opus, int64_t pts_ns)
{
	int channels = opus->decoded->ch_layout.nb_channels, rc = 0;

	if (channels < 1 || opus->decoded->nb_samples < 1)
		return 0;
	if (opus->encoder == NULL)
		rc = open_encoder(opus, channels < CHANNELS_MAX ? channels : CHANNELS_MAX);
	if (rc == 0)
		rc = fit_resampler(opus);
	return rc < 0 ? rc : resample(opus, pts_ns);
}

int
tc_opus_push(struct tc_opus *opus, const uint8_t *data, size_t len, int64_t pts_ns)
{
	int rc = av_new_packet(opus->packet, (int)len);

	if (rc < 0)
		return rc;
	memcpy(opus->packet->data, data, len);
	/* What a camera sends may be damaged: that is no reason to end. */
	rc = avcodec_send_packet(opus->decoder, opus->packet);
	av_packet_unref(opus->packet);
	if (rc < 0)
		return 0;
	while (avcodec_receive_frame(opus->decoder, opus->decoded) == 0) {
		rc = take_decoded(opus, pts_ns);
		av_frame_unref(opus->decoded);
		if (rc < 0)
			return rc;
	}
	return 0;
}
