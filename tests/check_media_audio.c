/*
 * Sound for files: configurations, G.711, FLAC frames and silence, against bytes put together by
 * hand (their checksums by another program). What decoders make of it: check_media_audio_ffmpeg.
 */
#include "config.h"

#include "media/audio.h"

#include "media/bytes.h"
#include "media/g711.h"
#include "media/opus.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum audio_codec codec;
	const char *config;
	size_t len;
	int err;
	struct audio_format want;
} configs[] = {
	{ AUDIO_AAC, "\x14\x08", 2, 0, { AUDIO_AAC, 16000, 16000, 1, 1024, true, "mp4a.40.2" } },
	{ AUDIO_AAC, "\x12\x10", 2, 0, { AUDIO_AAC, 44100, 44100, 2, 1024, true, "mp4a.40.2" } },
	/* SBR: the core's rate counts the ticks */
	{ AUDIO_AAC,
	  "\x2b\x09\x88\x00",
	  4,
	  0,
	  { AUDIO_AAC, 24000, 48000, 1, 1024, true, "mp4a.40.5" } },
	/* ELD: no silence is known */
	{ AUDIO_AAC,
	  "\xf8\xe6\x30",
	  3,
	  0,
	  { AUDIO_AAC, 48000, 48000, 1, 480, false, "mp4a.40.39" } },
	/* eight channels, and channels that only a program_config_element tells */
	{ AUDIO_AAC, "\x11\xb8", 2, 0, { AUDIO_AAC, 48000, 48000, 8, 1024, false, "mp4a.40.2" } },
	{ AUDIO_AAC, "\x12\x00", 2, 0, { AUDIO_AAC, 44100, 44100, 2, 1024, false, "mp4a.40.2" } },
	{ AUDIO_AAC, "\x12", 1, -EPROTO, { 0 } },
	{ AUDIO_AAC, "", 0, -EPROTO, { 0 } },
	{ AUDIO_OPUS,
	  "OpusHead\1\2\0\0\x80\xbb\0\0\0\0\0",
	  19,
	  0,
	  { AUDIO_OPUS, 48000, 48000, 2, 0, true, "opus" } },
	{ AUDIO_OPUS,
	  "OpusHead\1\3\x38\1\x80\xbb\0\0\0\0\1\2\1\0\1\2",
	  24,
	  0,
	  { AUDIO_OPUS, 48000, 48000, 3, 0, false, "opus" } },
	{ AUDIO_OPUS, "OpusHead\1\3\0\0\x80\xbb\0\0\0\0\0", 19, -EPROTO, { 0 } },
	{ AUDIO_OPUS, "OpusHead\1\0\0\0\x80\xbb\0\0\0\0\0", 19, -EPROTO, { 0 } },
	{ AUDIO_OPUS, "OpusHead\1\2\0\0\x80\xbb\0\0\0\0", 18, -EPROTO, { 0 } },
	{ AUDIO_OPUS, "OpusTags\1\2\0\0\x80\xbb\0\0\0\0\0", 19, -EPROTO, { 0 } },
	{ AUDIO_OPUS, "", 0, -EPROTO, { 0 } },
	{ AUDIO_PCMA,
	  "\0\0\x1f\x40\1\x08\0\0",
	  8,
	  0,
	  { AUDIO_PCMA, 8000, 8000, 1, 0, true, "flac" } },
	{ AUDIO_L16,
	  "\0\0\xac\x44\2\x10\0\0",
	  8,
	  0,
	  { AUDIO_L16, 44100, 44100, 2, 0, true, "flac" } },
	{ AUDIO_L16, "\0\0\xac\x44\x09\x10\0\0", 8, -EPROTO, { 0 } },
	{ AUDIO_L16, "\0\0\xac\x44\0\x10\0\0", 8, -EPROTO, { 0 } },
	{ AUDIO_L16, "\0\0\0\0\1\x10\0\0", 8, -EPROTO, { 0 } },
	{ AUDIO_L16, "\0\3\0\0\1\x10\0\0", 8, -EPROTO, { 0 } },
	{ AUDIO_PCMU, "\0\0\x1f\x40\1\x08\0", 7, -EPROTO, { 0 } },
	{ AUDIO_G726, "\0\0\x1f\x40\1\4\0\0", 8, -ENOTSUP, { 0 } },
};

START_TEST(configurations)
{
	uint8_t *copy = data_copy((const uint8_t *)configs[_i].config, configs[_i].len);
	const struct audio_format *want = &configs[_i].want;
	struct audio_format format;

	memset(&format, 0x77, sizeof(format));
	ck_assert_int_eq(audio_parse_config(configs[_i].codec, copy, configs[_i].len, &format),
			 configs[_i].err);
	free(copy);
	if (configs[_i].err != 0) {
		ck_assert_uint_eq(format.rate, 0x77777777);
		return;
	}
	ck_assert_int_eq(format.codec, want->codec);
	ck_assert_uint_eq(format.rate, want->rate);
	ck_assert_uint_eq(format.output_rate, want->output_rate);
	ck_assert_uint_eq(format.channels, want->channels);
	ck_assert_uint_eq(format.frame_ticks, want->frame_ticks);
	ck_assert_int_eq(format.has_silence, want->has_silence);
	ck_assert_str_eq(format.codec_string, want->codec_string);
}
END_TEST

START_TEST(what_a_worker_writes_is_read)
{
	struct audio_format format;
	uint8_t pcm[AUDIO_PCM_CONFIG_BYTES], head[OPUS_HEAD_BYTES];

	audio_write_pcm_config(44100, 2, 16, pcm);
	ck_assert_mem_eq(pcm, "\0\0\xac\x44\2\x10\0\0", 8);
	opus_write_head(1, head);
	ck_assert_int_eq(audio_parse_config(AUDIO_OPUS, head, sizeof(head), &format), 0);
	ck_assert_uint_eq(format.channels, 1);
}
END_TEST

/* The ends and the middle of both laws: ITU-T G.711 tables 1a to 2b, on the scale of 16 bits. */
START_TEST(g711)
{
	static const struct {
		uint8_t code;
		int16_t alaw, mulaw;
	} codes[] = {
		{ 0xd5, 8, 716 },        { 0x55, -8, -716 },      { 0xaa, 32256, 5372 },
		{ 0x2a, -32256, -5372 }, { 0xff, 848, 0 },        { 0x7f, -848, 0 },
		{ 0x80, 5504, 32124 },   { 0x00, -5504, -32124 }, { 0xd4, 24, 748 },
	};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		ck_assert_int_eq(g711_alaw(codes[i].code), codes[i].alaw);
		ck_assert_int_eq(g711_mulaw(codes[i].code), codes[i].mulaw);
	}
}
END_TEST

static void
assert_bytes(struct byte_writer *out, const char *want, size_t len)
{
	ck_assert_int_eq(out->err, 0);
	ck_assert_uint_eq(out->len, len);
	ck_assert_mem_eq(out->data, want, len);
	byte_writer_reset(out);
}

START_TEST(flac_frames_are_known_to_the_byte)
{
	static const char alaw[] =
	    "\xff\xf9\x64\x08\xfe\xbf\xbf\xbf\xbf\xbf\xbf\x0f\x62\x03\x20\x01\xff\xf8\x00\x7f\xfe"
	    "\x00\x1f\xff\x80\x07\xff\xe0\x01\xff\xf8\x00\x7f\xfe\x00\x1f\xff\x80\x07\xff\xe0\x2d"
	    "\x08";
	static const char l16[] =
	    "\xff\xf9\x60\x18\x01\x0f\x43\x02\x00\x01\x01\x01\x02\x01\x03\x01\x04\x01\x05\x01\x06"
	    "\x01\x07\x01\x08\x01\x09\x01\x0a\x01\x0b\x01\x0c\x01\x0d\x01\x0e\x01\x0f\x01\x03\x00"
	    "\x03\xff\xfe\x9c\x4d";
	struct audio_format mono = { AUDIO_PCMA, 8000, 8000, 1, 0, true, "flac" };
	struct audio_format odd = { AUDIO_L16, 11025, 11025, 2, 0, true, "flac" };
	uint8_t codes[16], samples[64];
	struct byte_writer out;
	unsigned i;

	byte_writer_init(&out, 1000);
	for (i = 0; i < 16; i++) {
		codes[i] = i % 2 == 0 ? 0xd5 : 0x55;
		memcpy(samples + 4 * i, "\0\1\x80\0", 4);
		samples[4 * i] = (uint8_t)i;
	}
	ck_assert_int_eq(audio_write_sample(&mono, UINT64_MAX, codes, 16, &out), 0);
	assert_bytes(&out, alaw, sizeof(alaw) - 1);
	ck_assert_int_eq(audio_write_sample(&odd, 1, samples, 64, &out), 0);
	assert_bytes(&out, l16, sizeof(l16) - 1);
	byte_writer_free(&out);
}
END_TEST

START_TEST(silence_is_known_to_the_byte)
{
	struct audio_format format = { AUDIO_PCMU, 8000, 8000, 1, 0, true, "flac" };
	struct flac_format stereo = { 44100, 2 };
	struct byte_writer out;

	byte_writer_init(&out, 1000);
	ck_assert_int_eq(audio_write_silence(&format, 0, 16, &out), 0);
	assert_bytes(&out, "\xff\xf9\x64\x08\x00\x0f\xac\x00\x00\x00\x20\xf4", 12);
	ck_assert_int_eq(flac_write_frame(&stereo, NULL, 300, 0x80, &out), 0);
	assert_bytes(&out, "\xff\xf9\x79\x18\xc2\x80\x01\x2b\x84\0\0\0\0\0\0\x01\xd0", 17);
	format = (struct audio_format){ AUDIO_AAC, 8000, 8000, 1, 1024, true, "mp4a.40.2" };
	ck_assert_int_eq(audio_write_silence(&format, 0, 1024, &out), 0);
	assert_bytes(&out, "\0\0\0\7", 4);
	format.channels = 2;
	ck_assert_int_eq(audio_write_silence(&format, 0, 1024, &out), 0);
	assert_bytes(&out, "\x20\0\0\0\0\0\x0e", 7);
	format = (struct audio_format){ AUDIO_OPUS, 48000, 48000, 1, 0, true, "opus" };
	ck_assert_int_eq(audio_write_silence(&format, 0, 960, &out), 0);
	assert_bytes(&out, "\xf8\xff\xfe", 3);
	byte_writer_free(&out);
}
END_TEST

START_TEST(silence_comes_in_pieces)
{
	struct audio_format format = { AUDIO_PCMA, 8000, 8000, 1, 0, true, "flac" };
	struct byte_writer out;

	byte_writer_init(&out, 1000);
	ck_assert_uint_eq(audio_silence_ticks(&format, 15), 0);
	ck_assert_uint_eq(audio_silence_ticks(&format, 16), 16);
	ck_assert_uint_eq(audio_silence_ticks(&format, 800), 800);
	ck_assert_uint_eq(audio_silence_ticks(&format, UINT64_MAX), 800);
	format.rate = 50;
	ck_assert_uint_eq(audio_silence_ticks(&format, 1000), 16);
	format = (struct audio_format){ AUDIO_AAC, 8000, 8000, 1, 1024, true, "" };
	ck_assert_uint_eq(audio_silence_ticks(&format, 1023), 0);
	ck_assert_uint_eq(audio_silence_ticks(&format, 5000), 1024);
	ck_assert_int_eq(audio_write_silence(&format, 0, 1023, &out), -EINVAL);
	format.has_silence = false;
	ck_assert_uint_eq(audio_silence_ticks(&format, 5000), 0);
	ck_assert_int_eq(audio_write_silence(&format, 0, 1024, &out), -EINVAL);
	ck_assert_int_eq(audio_write_silence(&format, 0, 0, &out), -EINVAL);
	ck_assert_uint_eq(out.len, 0);
	byte_writer_free(&out);
}
END_TEST

START_TEST(frames_are_bounded)
{
	struct audio_format format = { AUDIO_L16, 48000, 48000, 2, 0, true, "flac" };
	uint8_t *frame = calloc(1, 4 * 65536);
	struct byte_writer out;

	byte_writer_init(&out, 1 << 20);
	ck_assert_uint_eq(audio_frame_ticks(&format, frame, 63), 0);
	ck_assert_uint_eq(audio_frame_ticks(&format, frame, 64), 16);
	ck_assert_uint_eq(audio_frame_ticks(&format, frame, 67), 16);
	ck_assert_uint_eq(audio_frame_ticks(&format, frame, 4 * 65535), 65535);
	ck_assert_uint_eq(audio_frame_ticks(&format, frame, 4 * 65536), 0);
	ck_assert_int_eq(audio_write_sample(&format, 0, frame, 63, &out), -EINVAL);
	ck_assert_uint_eq(out.len, 0);
	memset(frame, 1, 4 * 65535);
	ck_assert_int_eq(audio_write_sample(&format, 0, frame, 4 * 65535, &out), 0);
	ck_assert_uint_gt(out.len, 4 * 65535);
	ck_assert_int_eq(flac_write_frame(&(struct flac_format){ 48000, 1 }, NULL, 65536, 0, &out),
			 -EINVAL);
	ck_assert_int_eq(flac_write_frame(&(struct flac_format){ 48000, 1 }, NULL, 15, 0, &out),
			 -EINVAL);
	ck_assert_int_eq(flac_write_frame(&(struct flac_format){ 48000, 9 }, NULL, 16, 0, &out),
			 -EINVAL);
	ck_assert_int_eq(flac_write_frame(&(struct flac_format){ 655351, 1 }, NULL, 16, 0, &out),
			 -EINVAL);
	byte_writer_free(&out);
	byte_writer_init(&out, 100);
	ck_assert_int_eq(audio_write_sample(&format, 0, frame, 4000, &out), -EMSGSIZE);
	byte_writer_free(&out);
	free(frame);
}
END_TEST

START_TEST(opus_and_aac_pass_as_they_are)
{
	struct audio_format opus = { AUDIO_OPUS, 48000, 48000, 2, 0, true, "opus" };
	struct audio_format aac = { AUDIO_AAC, 16000, 16000, 1, 1024, true, "mp4a.40.2" };
	struct byte_writer out;

	byte_writer_init(&out, 1000);
	ck_assert_uint_eq(audio_frame_ticks(&opus, (const uint8_t *)"\xfc\xff\xfe", 3), 960);
	ck_assert_uint_eq(audio_frame_ticks(&opus, (const uint8_t *)"\x0b\x02", 2), 1920);
	ck_assert_uint_eq(audio_frame_ticks(&opus, (const uint8_t *)"\x0b\x3f", 2), 0);
	ck_assert_uint_eq(audio_frame_ticks(&opus, NULL, 0), 0);
	ck_assert_uint_eq(audio_frame_ticks(&aac, NULL, 0), 0);
	ck_assert_int_eq(audio_write_sample(&aac, 5, (const uint8_t *)"abc", 3, &out), 0);
	assert_bytes(&out, "abc", 3);
	ck_assert_int_eq(audio_write_sample(&aac, 5, NULL, 0, &out), -EINVAL);
	byte_writer_free(&out);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, configurations, 0, sizeof(configs) / sizeof(configs[0]));
	tcase_add_test(tcase, what_a_worker_writes_is_read);
	tcase_add_test(tcase, g711);
	tcase_add_test(tcase, flac_frames_are_known_to_the_byte);
	tcase_add_test(tcase, silence_is_known_to_the_byte);
	tcase_add_test(tcase, silence_comes_in_pieces);
	tcase_add_test(tcase, frames_are_bounded);
	tcase_add_test(tcase, opus_and_aac_pass_as_they_are);
}

int
main(void)
{
	return data_run("media audio", add);
}
