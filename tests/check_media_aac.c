/*
 * AAC configurations and ADTS.
 */
#include "config.h"

#include "media/aac.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	uint8_t bytes[8];
	size_t len;
	int err;
	struct aac_config want;
	const char *codec;
} configs[] = {
	{ { 0x12, 0x10 }, 2, 0, { 2, 2, 44100, 44100, 2, 1024 }, "mp4a.40.2" },
	{ { 0x14, 0x08 }, 2, 0, { 2, 2, 16000, 16000, 1, 1024 }, "mp4a.40.2" },
	{ { 0x15, 0x8c }, 2, 0, { 2, 2, 8000, 8000, 1, 960 }, "mp4a.40.2" },
	{ { 0x12, 0x00 }, 2, 0, { 2, 2, 44100, 44100, 0, 1024 }, "mp4a.40.2" },
	{ { 0x11, 0xb8 }, 2, 0, { 2, 2, 48000, 48000, 8, 1024 }, "mp4a.40.2" },
	/* explicit rate 11000: 00010 1111 (24 bits) 0001 0.. */
	{ { 0x17, 0x80, 0x15, 0x7c, 0x08 }, 5, 0, { 2, 2, 11000, 11000, 1, 1024 }, "mp4a.40.2" },
	/* SBR: 00101 0110 0001 0011 00010 0.. */
	{ { 0x2b, 0x09, 0x88, 0x00 }, 4, 0, { 5, 2, 24000, 48000, 1, 1024 }, "mp4a.40.5" },
	/* PS: 11101 0110 0001 0011 00010 0.. */
	{ { 0xeb, 0x09, 0x88, 0x00 }, 4, 0, { 29, 2, 24000, 48000, 1, 1024 }, "mp4a.40.29" },
	/* ELD: 11111 000111 0011 0001 1.. */
	{ { 0xf8, 0xe6, 0x30 }, 3, 0, { 39, 39, 48000, 48000, 1, 480 }, "mp4a.40.39" },
	{ { 0x12 }, 1, -EPROTO },
	{ { 0 }, 0, -EPROTO },
	{ { 0x02, 0x10 }, 2, -EPROTO },             /* object type 0 */
	{ { 0x16, 0x90 }, 2, -EPROTO },             /* rate index 13 */
	{ { 0x12, 0x40 }, 2, -EPROTO },             /* channel configuration 8 */
	{ { 0x17, 0x80, 0, 0, 0x08 }, 5, -EPROTO }, /* rate 0 */
	{ { 0x17, 0xff, 0xff, 0xff, 0x88 }, 5, -EPROTO },
	{ { 0x2b, 0x09, 0x40, 0x00 }, 4, -EPROTO }, /* SBR inside SBR */
	{ { 0xf9, 0x46, 0x30 }, 3, -EPROTO },       /* object type 42 */
};

START_TEST(configurations)
{
	uint8_t *copy = data_copy(configs[_i].bytes, configs[_i].len);
	struct aac_config config;
	char codec[AAC_CODEC_STRING_BYTES];

	memset(&config, 0x77, sizeof(config));
	ck_assert_int_eq(aac_parse_config(copy, configs[_i].len, &config), configs[_i].err);
	if (configs[_i].err == 0) {
		aac_codec_string(&config, codec);
		ck_assert_str_eq(codec, configs[_i].codec);
		ck_assert_uint_eq(config.object_type, configs[_i].want.object_type);
		ck_assert_uint_eq(config.core_type, configs[_i].want.core_type);
		ck_assert_uint_eq(config.sample_rate, configs[_i].want.sample_rate);
		ck_assert_uint_eq(config.output_rate, configs[_i].want.output_rate);
		ck_assert_uint_eq(config.channels, configs[_i].want.channels);
		ck_assert_uint_eq(config.frame_samples, configs[_i].want.frame_samples);
	} else {
		ck_assert_uint_eq(config.object_type, 0x77);
	}
	free(copy);
}
END_TEST

START_TEST(endless_configurations_are_refused)
{
	uint8_t bytes[AAC_CONFIG_BYTES_MAX + 1] = { 0x12, 0x10 };
	struct aac_config config;

	ck_assert_int_eq(aac_parse_config(bytes, AAC_CONFIG_BYTES_MAX, &config), 0);
	ck_assert_int_eq(aac_parse_config(bytes, AAC_CONFIG_BYTES_MAX + 1, &config), -EPROTO);
}
END_TEST

static const struct {
	const char *name;
	uint32_t rate, channels, frames;
} streams[] = { { "mono_16k.adts", 16000, 1, 6 }, { "stereo_44k.adts", 44100, 2, 6 } };

START_TEST(streams_of_adts)
{
	size_t len, pos = 0, raw_len, frame_len, frames = 0;
	uint8_t *stream = data_load(streams[_i].name, &len);
	const uint8_t *raw;
	struct aac_adts adts;
	struct aac_config config;
	uint8_t asc[2];

	ck_assert_int_eq(aac_parse_adts(stream, len, &adts), 0);
	ck_assert_uint_eq(adts.sample_rate, streams[_i].rate);
	ck_assert_uint_eq(adts.channel_config, streams[_i].channels);
	aac_config_from_adts(&adts, asc);
	ck_assert_int_eq(aac_parse_config(asc, 2, &config), 0);
	ck_assert_uint_eq(config.object_type, 2);
	ck_assert_uint_eq(config.sample_rate, streams[_i].rate);
	ck_assert_uint_eq(config.channels, streams[_i].channels);
	while (pos < len) {
		ck_assert_int_eq(
		    aac_strip_adts(stream + pos, len - pos, &raw, &raw_len, &frame_len), 0);
		ck_assert_ptr_eq(raw, stream + pos + 7);
		ck_assert_uint_eq(raw_len + 7, frame_len);
		pos += frame_len;
		frames++;
	}
	ck_assert_uint_eq(pos, len);
	ck_assert_uint_eq(frames, streams[_i].frames);
	free(stream);
}
END_TEST

START_TEST(adts_cut_at_every_byte_asks_for_more)
{
	size_t len, cut;
	uint8_t *stream = data_load(streams[_i].name, &len);
	struct aac_adts first, adts;

	ck_assert_int_eq(aac_parse_adts(stream, len, &first), 0);
	for (cut = 0; cut < first.frame_len; cut++) {
		uint8_t *copy = data_copy(stream, cut);

		ck_assert_msg(aac_parse_adts(copy, cut, &adts) == -EAGAIN, "cut at %zu", cut);
		free(copy);
	}
	ck_assert_int_eq(aac_parse_adts(stream, first.frame_len, &adts), 0);
	free(stream);
}
END_TEST

static const struct {
	uint8_t bytes[12];
	size_t len;
	int parse, strip;
} made[] = {
	{ { 0xff, 0xf1, 0x50, 0x80, 0x01, 0x1f, 0xfc, 9 }, 8, 0, 0 },
	{ { 0xff, 0xf0, 0x50, 0x80, 0x01, 0x5f, 0xfc, 9, 9, 9 }, 10, 0, 0 }, /* with CRC */
	{ { 0xff, 0xf0, 0x50, 0x80, 0x01, 0x1f, 0xfc, 9 },
	  8,
	  -EPROTO,
	  -EPROTO },                                                        /* shorter than it */
	{ { 0xff, 0xf9, 0x50, 0x80, 0x00, 0xff, 0xfc }, 7, 0, -EPROTO },    /* empty */
	{ { 0xff, 0xf1, 0x50, 0x80, 0x01, 0x1f, 0xfd, 9 }, 8, 0, -EPROTO }, /* two blocks */
	{ { 0xff, 0xf1, 0x74, 0x80, 0x01, 0x1f, 0xfc, 9 },
	  8,
	  -EPROTO,
	  -EPROTO }, /* rate index 13 */
	{ { 0xff, 0xf1, 0x50, 0x80, 0x00, 0x1f, 0xfc, 9 }, 8, -EPROTO, -EPROTO }, /* length 0 */
	{ { 0xff, 0xf3, 0x50, 0x80, 0x01, 0x1f, 0xfc, 9 }, 8, -EPROTO, -EPROTO }, /* layer */
	{ { 0xff, 0xe1 }, 2, -EPROTO, -EPROTO },
	{ { 0x47 }, 1, -EPROTO, -EPROTO },
};

START_TEST(adts_by_hand)
{
	uint8_t *copy = data_copy(made[_i].bytes, made[_i].len);
	const uint8_t *raw = NULL;
	struct aac_adts adts;
	size_t raw_len = 0, frame_len = 0;

	ck_assert_int_eq(aac_parse_adts(copy, made[_i].len, &adts), made[_i].parse);
	ck_assert_int_eq(aac_strip_adts(copy, made[_i].len, &raw, &raw_len, &frame_len),
			 made[_i].strip);
	if (made[_i].strip == 0) {
		ck_assert_uint_eq(raw_len, 1);
		ck_assert_uint_eq(raw[0], 9);
	}
	free(copy);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, configurations, 0, sizeof(configs) / sizeof(configs[0]));
	tcase_add_test(tcase, endless_configurations_are_refused);
	tcase_add_loop_test(tcase, streams_of_adts, 0, 2);
	tcase_add_loop_test(tcase, adts_cut_at_every_byte_asks_for_more, 0, 2);
	tcase_add_loop_test(tcase, adts_by_hand, 0, sizeof(made) / sizeof(made[0]));
}

int
main(void)
{
	return data_run("media aac", add);
}
