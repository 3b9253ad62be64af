/*
 * RTP packets taken apart, and the names of what is in them.
 */
#include "config.h"

#include "media/rtp.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Marker, type 96, number 0x1234; two sources, an extension of one word, 5 bytes, 3 of padding. */
static const uint8_t whole[] = { 0xb2, 0xe0, 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef, 0xfe,
				 0xdc, 0xba, 0x98, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
				 0x00, 0x02, 0xbe, 0xde, 0x00, 0x01, 0x10, 0xaa, 0x00,
				 0x00, 0x41, 0x42, 0x43, 0x44, 0x45, 0x00, 0x00, 0x03 };
#define WHOLE_HEADER 28u

START_TEST(fields_are_read)
{
	struct rtp_packet packet;

	ck_assert_int_eq(rtp_parse(whole, sizeof(whole), &packet), 0);
	ck_assert(packet.marker);
	ck_assert_uint_eq(packet.payload_type, 96);
	ck_assert_uint_eq(packet.seq, 0x1234);
	ck_assert_uint_eq(packet.timestamp, 0x89abcdef);
	ck_assert_uint_eq(packet.ssrc, 0xfedcba98);
	ck_assert_ptr_eq(packet.payload, whole + WHOLE_HEADER);
	ck_assert_uint_eq(packet.len, 5);
}
END_TEST

/* In memory of just the length. Returns what rtp_parse() does; *at and *len of the payload. */
static int
parse_copy(const uint8_t *bytes, size_t size, size_t *at, size_t *len)
{
	uint8_t *copy = data_copy(bytes, size);
	struct rtp_packet packet;
	int err;

	memset(&packet, 0x5a, sizeof(packet));
	err = rtp_parse(copy, size, &packet);
	if (err == 0) {
		*at = (size_t)(packet.payload - copy);
		*len = packet.len;
		ck_assert_uint_le(*at + *len, size);
	} else {
		ck_assert_int_eq(err, -EPROTO);
		for (size_t i = 0; i < sizeof(packet); i++)
			ck_assert_uint_eq(((uint8_t *)&packet)[i], 0x5a);
	}
	free(copy);
	return err;
}

START_TEST(cut_at_every_byte)
{
	/* What is left from 28 on, when the last byte left counts the padding. */
	static const int lens[] = { 0, -1, -1, -1, -1, -1, 6, 7, 5 };

	for (size_t size = 0; size < WHOLE_HEADER; size++)
		ck_assert_int_eq(parse_copy(whole, size, NULL, NULL), -EPROTO);
	for (size_t size = WHOLE_HEADER; size <= sizeof(whole); size++) {
		int expected = lens[size - WHOLE_HEADER];
		size_t at = 0, len = 0;
		int err = parse_copy(whole, size, &at, &len);

		ck_assert_int_eq(err, expected < 0 ? -EPROTO : 0);
		if (err == 0) {
			ck_assert_uint_eq(at, WHOLE_HEADER);
			ck_assert_int_eq((int)len, expected);
		}
	}
}
END_TEST

START_TEST(sources_are_left_out)
{
	uint8_t bytes[12 + 60 + 2] = { 0x80, 96 };

	for (unsigned count = 0; count < 16; count++) {
		size_t at = 0, len = 0, header = 12 + 4 * count;

		bytes[0] = (uint8_t)(0x80 | count);
		ck_assert_int_eq(parse_copy(bytes, header + 2, &at, &len), 0);
		ck_assert_uint_eq(at, header);
		ck_assert_uint_eq(len, 2);
		ck_assert_int_eq(parse_copy(bytes, header, &at, &len), 0);
		ck_assert_uint_eq(len, 0);
		ck_assert_int_eq(parse_copy(bytes, header - 1, &at, &len), -EPROTO);
	}
}
END_TEST

START_TEST(an_extension_is_bounded)
{
	static const struct {
		unsigned words;
		int err;
		size_t len;
	} rows[] = { { 0, 0, 8 },
		     { 1, 0, 4 },
		     { 2, 0, 0 },
		     { 3, -EPROTO, 0 },
		     { 0x4000, -EPROTO, 0 },
		     { 0xffff, -EPROTO, 0 } };
	uint8_t bytes[12 + 4 + 8] = { 0x90, 96 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t at = 0, len = 0;

		bytes[14] = (uint8_t)(rows[i].words >> 8);
		bytes[15] = (uint8_t)rows[i].words;
		ck_assert_int_eq(parse_copy(bytes, sizeof(bytes), &at, &len), rows[i].err);
		if (rows[i].err == 0) {
			ck_assert_uint_eq(len, rows[i].len);
			ck_assert_uint_eq(at, 16 + 4 * rows[i].words);
		}
	}
	for (size_t size = 12; size < 16; size++)
		ck_assert_int_eq(parse_copy(bytes, size, NULL, NULL), -EPROTO);
}
END_TEST

START_TEST(padding_is_bounded)
{
	uint8_t bytes[12 + 4] = { 0xa0, 96 };

	for (unsigned padding = 0; padding < 256; padding++) {
		size_t at = 0, len = 0;

		bytes[15] = (uint8_t)padding;
		ck_assert_int_eq(parse_copy(bytes, sizeof(bytes), &at, &len),
				 padding <= 4 ? 0 : -EPROTO);
		if (padding <= 4)
			ck_assert_uint_eq(len, 4 - padding);
	}
}
END_TEST

/* Devices set the bit and add nothing. */
START_TEST(padding_without_bytes_is_let_through)
{
	static const uint8_t bytes[] = { 0xa0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9 };
	size_t at = 0, len = 1;

	ck_assert_int_eq(parse_copy(bytes, sizeof(bytes), &at, &len), 0);
	ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(only_version_2_and_types_of_rtp)
{
	uint8_t bytes[13] = { 0 };
	size_t at, len;

	for (unsigned version = 0; version < 4; version++) {
		bytes[0] = (uint8_t)(version << 6);
		ck_assert_int_eq(parse_copy(bytes, sizeof(bytes), &at, &len),
				 version == 2 ? 0 : -EPROTO);
	}
	bytes[0] = 0x80;
	for (unsigned second = 0; second < 256; second++) {
		unsigned type = second & 0x7f;
		struct rtp_packet packet;

		bytes[1] = (uint8_t)second;
		ck_assert_int_eq(rtp_parse(bytes, sizeof(bytes), &packet),
				 type >= 72 && type <= 76 ? -EPROTO : 0);
		if (type >= 72 && type <= 76)
			continue;
		ck_assert_uint_eq(packet.payload_type, type);
		ck_assert_int_eq(packet.marker, second >= 128);
	}
}
END_TEST

START_TEST(numbers_wrap)
{
	ck_assert_int_eq(rtp_seq_diff(5, 5), 0);
	ck_assert_int_eq(rtp_seq_diff(6, 5), 1);
	ck_assert_int_eq(rtp_seq_diff(0, 65535), 1);
	ck_assert_int_eq(rtp_seq_diff(65535, 0), -1);
	ck_assert_int_eq(rtp_seq_diff(100, 65436), 200);
	ck_assert_int_eq(rtp_seq_diff(32767, 0), 32767);
	ck_assert_int_eq(rtp_seq_diff(32768, 0), -32768);
}
END_TEST

START_TEST(codecs_have_names)
{
	static const char *const names[] = { "none", "h264", "h265", "jpeg", "aac",
					     "pcmu", "pcma", "g726", "l16",  "opus" };

	for (unsigned codec = 0; codec < sizeof(names) / sizeof(names[0]); codec++) {
		ck_assert_str_eq(rtp_codec_name((enum rtp_codec)codec), names[codec]);
		ck_assert_int_eq(rtp_codec_is_video((enum rtp_codec)codec),
				 codec >= 1 && codec <= 3);
	}
	ck_assert_str_eq(rtp_codec_name((enum rtp_codec)99), "none");
	ck_assert(!rtp_codec_is_video((enum rtp_codec)99));
}
END_TEST

START_TEST(a_format_is_cleared)
{
	struct rtp_format format = { .codec = RTP_CODEC_AAC, .clock_rate = 48000 };

	format.config = data_copy((const uint8_t *)"\x11\x90", 2);
	format.config_len = 2;
	rtp_format_clear(&format);
	ck_assert_int_eq(format.codec, RTP_CODEC_NONE);
	ck_assert_ptr_null(format.config);
	ck_assert_uint_eq(format.config_len, 0);
	rtp_format_clear(&format);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, fields_are_read);
	tcase_add_test(tcase, cut_at_every_byte);
	tcase_add_test(tcase, sources_are_left_out);
	tcase_add_test(tcase, an_extension_is_bounded);
	tcase_add_test(tcase, padding_is_bounded);
	tcase_add_test(tcase, padding_without_bytes_is_let_through);
	tcase_add_test(tcase, only_version_2_and_types_of_rtp);
	tcase_add_test(tcase, numbers_wrap);
	tcase_add_test(tcase, codecs_have_names);
	tcase_add_test(tcase, a_format_is_cleared);
}

int
main(void)
{
	return data_run("media rtp", add);
}
