/*
 * AAC made Opus: what was heard before is heard after, at the times where it belongs.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "transcode/tc_opus.h"

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HZ         440
#define BLOCK      (TC_OPUS_RATE / 10)
#define FRAME_NS   (TC_OPUS_FRAME_MS * INT64_C(1000000))
#define FRAMES_MAX 400
#define START_NS   INT64_C(5000000000)

/* A tone as a camera would send it. */
struct tone {
	AVCodecContext *encoder;
	AVFrame *frame;
	AVPacket *packet;
	int64_t samples;
};

/* What came out. */
struct heard {
	AVCodecContext *decoder;
	unsigned configs, frames;
	int64_t pts_ns[FRAMES_MAX];
	unsigned samples;
	double energy, of_tone; /* of all, and of what is at HZ, block by block */
	double block_energy, in_phase, quadrature;
};

static struct tone
tone_new(int rate, int channels)
{
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
	struct tone tone = { .encoder = avcodec_alloc_context3(codec),
			     .frame = av_frame_alloc(),
			     .packet = av_packet_alloc() };

	tone.encoder->sample_rate = rate;
	tone.encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
	tone.encoder->bit_rate = INT64_C(64000) * channels;
	tone.encoder->thread_count = 1;
	tone.encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	av_channel_layout_default(&tone.encoder->ch_layout, channels);
	ck_assert_int_eq(avcodec_open2(tone.encoder, codec, NULL), 0);
	tone.frame->format = AV_SAMPLE_FMT_FLTP;
	tone.frame->nb_samples = tone.encoder->frame_size;
	tone.frame->sample_rate = rate;
	av_channel_layout_default(&tone.frame->ch_layout, channels);
	ck_assert_int_eq(av_frame_get_buffer(tone.frame, 0), 0);
	return tone;
}

static void
tone_free(struct tone *tone)
{
	avcodec_free_context(&tone->encoder);
	av_frame_free(&tone->frame);
	av_packet_free(&tone->packet);
}

static void
tone_next(struct tone *tone)
{
	int rate = tone->encoder->sample_rate;

	do {
		ck_assert_int_eq(av_frame_make_writable(tone->frame), 0);
		for (int i = 0; i < tone->frame->nb_samples; i++) {
			double at = (double)(tone->samples + i) * 2 * M_PI * HZ / rate;

			for (int c = 0; c < tone->encoder->ch_layout.nb_channels; c++)
				((float *)tone->frame->extended_data[c])[i] = (float)sin(at) / 2;
		}
		tone->samples += tone->frame->nb_samples;
		ck_assert_int_eq(avcodec_send_frame(tone->encoder, tone->frame), 0);
	} while (avcodec_receive_packet(tone->encoder, tone->packet) < 0);
}

static void
on_config(void *arg, const uint8_t *data, size_t len)
{
	struct heard *heard = arg;

	heard->configs++;
	ck_assert_uint_eq(heard->frames, 0);
	ck_assert_uint_ge(len, 19);
	ck_assert_mem_eq(data, "OpusHead", 8);
}

/* Of a pure tone of HZ both energies are the same. */
static void
end_block(struct heard *heard)
{
	heard->energy += heard->block_energy;
	heard->of_tone +=
	    2.0 / BLOCK *
	    (heard->in_phase * heard->in_phase + heard->quadrature * heard->quadrature);
	heard->block_energy = heard->in_phase = heard->quadrature = 0;
}

static void
listen_to(struct heard *heard, const AVFrame *frame)
{
	const float *samples = (const float *)frame->extended_data[0];

	ck_assert_int_eq(frame->format, AV_SAMPLE_FMT_FLTP);
	for (int i = 0; i < frame->nb_samples; i++) {
		double at = (double)heard->samples * 2 * M_PI * HZ / TC_OPUS_RATE;

		heard->in_phase += (double)samples[i] * cos(at);
		heard->quadrature += (double)samples[i] * sin(at);
		heard->block_energy += (double)samples[i] * (double)samples[i];
		if (++heard->samples % BLOCK == 0)
			end_block(heard);
	}
}

static void
on_frame(void *arg, const uint8_t *data, size_t len, int64_t pts_ns)
{
	struct heard *heard = arg;
	AVPacket *packet = av_packet_alloc();
	AVFrame *frame = av_frame_alloc();

	ck_assert_uint_eq(heard->configs, 1);
	ck_assert_uint_lt(heard->frames, FRAMES_MAX);
	heard->pts_ns[heard->frames++] = pts_ns;
	ck_assert_int_eq(av_new_packet(packet, (int)len), 0);
	memcpy(packet->data, data, len);
	ck_assert_int_eq(avcodec_send_packet(heard->decoder, packet), 0);
	while (avcodec_receive_frame(heard->decoder, frame) == 0)
		listen_to(heard, frame);
	av_packet_free(&packet);
	av_frame_free(&frame);
}

static const struct tc_opus_ops ops = { .config = on_config, .frame = on_frame };

static struct heard
heard_new(void)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_OPUS);
	struct heard heard = { .decoder = avcodec_alloc_context3(codec) };

	heard.decoder->sample_rate = TC_OPUS_RATE;
	heard.decoder->thread_count = 1;
	av_channel_layout_default(&heard.decoder->ch_layout, 1);
	ck_assert_int_eq(avcodec_open2(heard.decoder, codec, NULL), 0);
	return heard;
}

static struct tc_opus *
opus_of(const struct tone *tone, struct heard *heard)
{
	struct tc_opus *opus = NULL;

	ck_assert_int_eq(tc_opus_new(tone->encoder->extradata,
				     (size_t)tone->encoder->extradata_size, &ops, heard, &opus),
			 0);
	return opus;
}

static const struct {
	int rate, channels;
} cameras[] = { { 48000, 1 }, { 44100, 1 }, { 16000, 1 }, { 8000, 1 }, { 48000, 2 }, { 48000, 6 } };

START_TEST(test_a_tone_stays_a_tone)
{
	struct tone tone = tone_new(cameras[_i].rate, cameras[_i].channels);
	struct heard heard = heard_new();
	struct tc_opus *opus = opus_of(&tone, &heard);
	int64_t pts_ns = START_NS;

	while (pts_ns < START_NS + INT64_C(2000000000)) {
		tone_next(&tone);
		ck_assert_int_eq(
		    tc_opus_push(opus, tone.packet->data, (size_t)tone.packet->size, pts_ns), 0);
		av_packet_unref(tone.packet);
		pts_ns += (int64_t)tone.frame->nb_samples * 1000000000 / cameras[_i].rate;
	}
	/* All of it but what one frame still holds, one after the other. */
	ck_assert_uint_ge(heard.frames, 95);
	ck_assert_uint_le(heard.frames, 110);
	ck_assert_int_lt(llabs(heard.pts_ns[0] - START_NS), 5000000);
	for (unsigned i = 1; i < heard.frames; i++)
		ck_assert_int_lt(llabs(heard.pts_ns[i] - heard.pts_ns[i - 1] - FRAME_NS), 3000000);
	ck_assert_double_gt(heard.of_tone / heard.energy, 0.95);
	ck_assert_double_gt(sqrt(heard.energy / heard.samples), 0.15);
	tc_opus_free(&opus);
	avcodec_free_context(&heard.decoder);
	tone_free(&tone);
}
END_TEST

START_TEST(test_time_that_jumps)
{
	struct tone tone = tone_new(48000, 1);
	struct heard heard = heard_new();
	struct tc_opus *opus = opus_of(&tone, &heard);
	int64_t pts_ns = START_NS, step = INT64_C(1024) * 1000000000 / 48000;
	unsigned before;

	for (int i = 0; i < 100; i++, pts_ns += step) {
		/* Times that are uneven by less than a frame change nothing. */
		int64_t jitter = i % 3 == 0 ? 9000000 : i % 3 == 1 ? -9000000 : 0;

		tone_next(&tone);
		ck_assert_int_eq(tc_opus_push(opus, tone.packet->data, (size_t)tone.packet->size,
					      pts_ns + jitter),
				 0);
		av_packet_unref(tone.packet);
	}
	for (unsigned i = 1; i < heard.frames; i++)
		ck_assert_int_lt(llabs(heard.pts_ns[i] - heard.pts_ns[i - 1] - FRAME_NS), 3000000);
	before = heard.frames;
	pts_ns += INT64_C(3000000000);
	for (int i = 0; i < 10; i++, pts_ns += step) {
		tone_next(&tone);
		tc_opus_push(opus, tone.packet->data, (size_t)tone.packet->size, pts_ns);
		av_packet_unref(tone.packet);
	}
	ck_assert_uint_gt(heard.frames, before);
	ck_assert_int_gt(heard.pts_ns[before] - heard.pts_ns[before - 1], INT64_C(2900000000));
	ck_assert_int_lt(heard.pts_ns[before] - heard.pts_ns[before - 1], INT64_C(3200000000));
	/* Times that cannot be. */
	tone_next(&tone);
	ck_assert_int_eq(
	    tc_opus_push(opus, tone.packet->data, (size_t)tone.packet->size, INT64_MIN), 0);
	ck_assert_int_eq(
	    tc_opus_push(opus, tone.packet->data, (size_t)tone.packet->size, INT64_MAX / 2), 0);
	tc_opus_free(&opus);
	avcodec_free_context(&heard.decoder);
	tone_free(&tone);
}
END_TEST

START_TEST(test_what_is_damaged_ends_nothing)
{
	struct tone tone = tone_new(48000, 1);
	struct heard heard = heard_new();
	struct tc_opus *opus = opus_of(&tone, &heard);
	uint8_t noise[700];
	int64_t pts_ns = START_NS;

	srand(7);
	for (int i = 0; i < 200; i++, pts_ns += INT64_C(1024) * 1000000000 / 48000) {
		tone_next(&tone);
		for (size_t j = 0; j < sizeof(noise); j++)
			noise[j] = (uint8_t)rand();
		ck_assert_int_eq(
		    i % 4 == 0
			? tc_opus_push(opus, noise, (size_t)(rand() % 700), pts_ns)
			: tc_opus_push(opus, tone.packet->data, (size_t)tone.packet->size, pts_ns),
		    0);
		av_packet_unref(tone.packet);
	}
	ck_assert_uint_gt(heard.frames, 100);
	tc_opus_free(&opus);
	avcodec_free_context(&heard.decoder);
	tone_free(&tone);
}
END_TEST

START_TEST(test_no_configuration)
{
	static const uint8_t nonsense[] = { 0xff, 0xff, 0xff };
	struct heard heard = { .frames = 0 };
	struct tc_opus *opus = NULL;

	ck_assert_int_lt(tc_opus_new(nonsense, sizeof(nonsense), &ops, &heard, &opus), 0);
	ck_assert_ptr_null(opus);
	tc_opus_free(&opus);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("transcode_opus");
	TCase *tcase = tcase_create("opus");

	tcase_add_loop_test(tcase, test_a_tone_stays_a_tone, 0,
			    sizeof(cameras) / sizeof(cameras[0]));
	tcase_add_test(tcase, test_time_that_jumps);
	tcase_add_test(tcase, test_what_is_damaged_ends_nothing);
	tcase_add_test(tcase, test_no_configuration);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
