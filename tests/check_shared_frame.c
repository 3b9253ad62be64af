/*
 * The bus header: round trip, every truncation, every bound.
 */
#include "config.h"

#include "shared/frame.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <string.h>

#define PAYLOAD "payload of a frame"

static const struct frame full = {
	.stream_id = 0xfedcba98,
	.kind = FRAME_KIND_VIDEO,
	.track = FRAME_TRACK_AUDIO,
	.flags = 0xa55a,
	.codec = FRAME_CODEC_H265,
	.epoch = 0x8877665544332211,
	.seq = 0x1122334455667788,
	.gop_id = 0xdeadbeef,
	.gop_index = 0xcafebabe,
	.pts_ns = -2,
	.dts_ns = INT64_MIN,
	.duration_us = 40000,
	.config_version = 7,
	.arrived_realtime_ns = INT64_MAX,
	.arrived_monotonic_ns = 0x0102030405060708,
	.width = 1920,
	.height = 65535,
	.payload_len = sizeof(PAYLOAD),
	.captured_realtime_ns = 0x1112131415161718,
	.for_subscriber = 0x21222324,
};

/* A whole message in exactly as many bytes of memory as it has: reading beyond is seen. */
static uint8_t *
make_message(const struct frame *frame, size_t header_len, size_t *len)
{
	uint8_t header[FRAME_HEADER_BYTES], *buf;

	frame_encode(frame, header);
	header[12] = (uint8_t)header_len;
	header[13] = (uint8_t)(header_len >> 8);
	*len = header_len + frame->payload_len;
	buf = calloc(1, *len);
	memcpy(buf, header, FRAME_HEADER_BYTES);
	memcpy(buf + header_len, PAYLOAD, frame->payload_len);
	return buf;
}

static void
assert_refused(const uint8_t *buf, size_t len)
{
	struct frame frame, before;
	const uint8_t *payload = (const uint8_t *)"untouched", *payload_before = payload;

	memset(&frame, 0x5a, sizeof(frame));
	memset(&before, 0x5a, sizeof(before));
	ck_assert_int_eq(frame_decode(buf, len, &frame, &payload), -EPROTO);
	ck_assert_mem_eq(&frame, &before, sizeof(frame));
	ck_assert_ptr_eq(payload, payload_before);
}

START_TEST(test_round_trip)
{
	const uint8_t *payload;
	struct frame frame;
	uint8_t again[FRAME_HEADER_BYTES], *buf;
	size_t len;

	buf = make_message(&full, FRAME_HEADER_BYTES, &len);
	ck_assert_int_eq(frame_decode(buf, len, &frame, &payload), 0);
	ck_assert_ptr_eq(payload, buf + FRAME_HEADER_BYTES);
	ck_assert_str_eq((const char *)payload, PAYLOAD);
	ck_assert_uint_eq(frame.stream_id, full.stream_id);
	ck_assert_uint_eq(frame.epoch, full.epoch);
	ck_assert_uint_eq(frame.seq, full.seq);
	ck_assert_int_eq(frame.pts_ns, full.pts_ns);
	ck_assert_int_eq(frame.dts_ns, full.dts_ns);
	ck_assert_int_eq(frame.captured_realtime_ns, full.captured_realtime_ns);
	ck_assert_uint_eq(frame.for_subscriber, full.for_subscriber);
	/* All fields: the same bytes come out. */
	frame_encode(&frame, again);
	ck_assert_mem_eq(again, buf, FRAME_HEADER_BYTES);
	free(buf);
}
END_TEST

/* Where each field is, as docs/protocol.md says: other people read it in other languages. */
START_TEST(test_layout)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t len;
	} fields[] = {
		{ 0, "CFB1", 4 },
		{ 4, "\x98\xba\xdc\xfe", 4 },
		{ 8, "\x01\x01\x5a\xa5", 4 },
		{ 12, "\x70\x00\x03\x00", 4 },
		{ 16, "\x11\x22\x33\x44\x55\x66\x77\x88", 8 },
		{ 24, "\x88\x77\x66\x55\x44\x33\x22\x11", 8 },
		{ 32, "\xef\xbe\xad\xde\xbe\xba\xfe\xca", 8 },
		{ 40, "\xfe\xff\xff\xff\xff\xff\xff\xff", 8 },
		{ 48, "\0\0\0\0\0\0\0\x80", 8 },
		{ 56, "\x40\x9c\0\0\x07\0\0\0", 8 },
		{ 64, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8 },
		{ 72, "\x08\x07\x06\x05\x04\x03\x02\x01", 8 },
		{ 80, "\x80\x07\xff\xff\x13\0\0\0", 8 },
		{ 88, "\0\0\0\0\0\0\0\0", 8 },
		{ 96, "\x18\x17\x16\x15\x14\x13\x12\x11", 8 },
		{ 104, "\x24\x23\x22\x21\0\0\0\0", 8 },
	};
	uint8_t header[FRAME_HEADER_BYTES];
	size_t covered = 0;

	frame_encode(&full, header);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		ck_assert_uint_eq(fields[i].at, covered);
		ck_assert_mem_eq(header + fields[i].at, fields[i].bytes, fields[i].len);
		covered += fields[i].len;
	}
	ck_assert_uint_eq(covered, FRAME_HEADER_BYTES);
}
END_TEST

START_TEST(test_cut_at_every_byte)
{
	size_t len;
	uint8_t *buf = make_message(&full, FRAME_HEADER_BYTES, &len);

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut > 0 ? cut : 1);

		memcpy(part, buf, cut);
		assert_refused(part, cut);
		free(part);
	}
	free(buf);
}
END_TEST

START_TEST(test_a_byte_too_many)
{
	size_t len;
	uint8_t *buf = make_message(&full, FRAME_HEADER_BYTES, &len);

	buf = realloc(buf, len + 1);
	buf[len] = 0;
	assert_refused(buf, len + 1);
	free(buf);
}
END_TEST

START_TEST(test_longer_header_is_skipped)
{
	const uint8_t *payload;
	struct frame frame;
	size_t len;
	uint8_t *buf = make_message(&full, FRAME_HEADER_BYTES + 40, &len);

	ck_assert_int_eq(frame_decode(buf, len, &frame, &payload), 0);
	ck_assert_str_eq((const char *)payload, PAYLOAD);
	ck_assert_uint_eq(frame.payload_len, sizeof(PAYLOAD));
	free(buf);
}
END_TEST

/* One field of a valid message replaced by a value: refused or not. */
static const struct bound {
	size_t at, bytes;
	uint32_t value;
	bool ok;
} bounds[] = {
	{ 0, 4, FRAME_MAGIC, true },
	{ 0, 4, FRAME_MAGIC + 0x01000000, false }, /* another version */
	{ 0, 4, FRAME_MAGIC ^ 1, false },
	{ 8, 1, 0, false }, /* kind */
	{ 8, 1, FRAME_KIND_VIDEO, true },
	{ 8, 1, FRAME_KIND_END, true },
	{ 8, 1, FRAME_KIND_END + 1, false },
	{ 8, 1, 255, false },
	{ 9, 1, FRAME_TRACK_VIDEO, true }, /* track */
	{ 9, 1, FRAME_TRACK_AUDIO + 1, false },
	{ 9, 1, 255, false },
	{ 10, 2, 0xffff, true }, /* flags: unknown ones are for later versions */
	{ 12, 2, 0, false },     /* header length */
	{ 12, 2, FRAME_HEADER_BYTES - 1, false },
	{ 12, 2, FRAME_HEADER_BYTES + 1, false }, /* then the lengths do not agree */
	{ 12, 2, 0xffff, false },
	{ 14, 2, FRAME_CODEC_NONE, true }, /* codec */
	{ 14, 2, FRAME_CODEC_FLAC, true },
	{ 14, 2, FRAME_CODEC_FLAC + 1, false },
	{ 14, 2, 2, false }, /* a number that means nothing */
	{ 14, 2, 0xffff, false },
	{ 84, 4, 0, false }, /* payload length */
	{ 84, 4, sizeof(PAYLOAD) - 1, false },
	{ 84, 4, sizeof(PAYLOAD), true },
	{ 84, 4, sizeof(PAYLOAD) + 1, false },
	{ 84, 4, 0xffffffff, false },
};

START_TEST(test_bounds)
{
	const struct bound *bound = &bounds[_i];
	const uint8_t *payload;
	struct frame frame;
	size_t len;
	uint8_t *buf = make_message(&full, FRAME_HEADER_BYTES, &len);

	for (size_t i = 0; i < bound->bytes; i++)
		buf[bound->at + i] = (uint8_t)(bound->value >> (8 * i));
	if (bound->ok)
		ck_assert_int_eq(frame_decode(buf, len, &frame, &payload), 0);
	else
		assert_refused(buf, len);
	free(buf);
}
END_TEST

/* Lengths that agree do not help a header that is too short to hold all fields. */
START_TEST(test_short_header_with_lengths_that_agree)
{
	size_t len;
	uint8_t *buf = make_message(&full, FRAME_HEADER_BYTES, &len);

	for (uint8_t hlen = 0; hlen < FRAME_HEADER_BYTES; hlen++) {
		buf[12] = hlen;
		buf[84] = (uint8_t)(len - hlen);
		assert_refused(buf, len);
	}
	free(buf);
}
END_TEST

START_TEST(test_largest_payload)
{
	size_t len = FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX;
	struct frame frame = full;
	const uint8_t *payload;
	uint8_t *buf = calloc(1, len + 1);

	frame.payload_len = FRAME_PAYLOAD_MAX;
	frame_encode(&frame, buf);
	ck_assert_int_eq(frame_decode(buf, len, &frame, &payload), 0);
	frame.payload_len = FRAME_PAYLOAD_MAX + 1;
	frame_encode(&frame, buf);
	assert_refused(buf, len + 1);
	free(buf);
}
END_TEST

START_TEST(test_codec_names)
{
	ck_assert_str_eq(frame_codec_name(FRAME_CODEC_NONE), "none");
	ck_assert_str_eq(frame_codec_name(FRAME_CODEC_H264), "h264");
	ck_assert_str_eq(frame_codec_name(FRAME_CODEC_MJPEG), "mjpeg");
	ck_assert_str_eq(frame_codec_name(FRAME_CODEC_FLAC), "flac");
	ck_assert_str_eq(frame_codec_name(2), "unknown");
	ck_assert_str_eq(frame_codec_name(999), "unknown");
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-frame");
	TCase *tcase = tcase_create("frame");

	tcase_add_test(tcase, test_round_trip);
	tcase_add_test(tcase, test_layout);
	tcase_add_test(tcase, test_cut_at_every_byte);
	tcase_add_test(tcase, test_a_byte_too_many);
	tcase_add_test(tcase, test_longer_header_is_skipped);
	tcase_add_loop_test(tcase, test_bounds, 0, sizeof(bounds) / sizeof(bounds[0]));
	tcase_add_test(tcase, test_short_header_with_lengths_that_agree);
	tcase_add_test(tcase, test_largest_payload);
	tcase_add_test(tcase, test_codec_names);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
