/*
 * Access units into RTP payloads: what is sent is taken apart again by our own depacketiser, and
 * held against what went in; then each rule of the formats by itself.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/codec.h"
#include "media/rtp_pack.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *file;
	enum nal_codec codec;
} streams[] = {
	{ "baseline_360p.h264", NAL_H264 },
	{ "main_temporal_layers.h265", NAL_H265 },
};
static const size_t sizes[] = { RTP_PACK_PAYLOAD_MIN, 200, RTP_PACK_PAYLOAD_BYTES, 65000 };

/* Payloads back into NAL units (RFC 6184 5.6 to 5.8, RFC 7798 4.4), behind start codes of four. */
struct back {
	struct byte_writer out;
	bool in_fragments;
};

static void
back_single(struct back *back, const uint8_t *data, size_t len)
{
	byte_writer_u32(&back->out, 1);
	byte_writer_bytes(&back->out, data, len);
}

static void
back_together(struct back *back, const uint8_t *data, size_t len, size_t header)
{
	unsigned units = 0;

	for (size_t at = header; at < len; units++) {
		size_t size = (size_t)data[at] << 8 | data[at + 1];

		ck_assert_uint_le(at + 2 + size, len);
		ck_assert_uint_gt(size, 0);
		back_single(back, data + at + 2, size);
		at += 2 + size;
	}
	ck_assert_uint_ge(units, 2);
}

static void
back_fragment(struct back *back, enum nal_codec codec, const uint8_t *data, size_t len)
{
	size_t header = codec == NAL_H264 ? 2 : 3;
	unsigned flags = data[header - 1];

	ck_assert_uint_gt(len, header);
	ck_assert_int_eq((flags & 0x80) == 0, back->in_fragments);
	ck_assert_uint_ne(flags & 0xc0, 0xc0); /* both would be no fragment */
	if ((flags & 0x80) != 0) {
		byte_writer_u32(&back->out, 1);
		if (codec == NAL_H264) {
			byte_writer_u8(&back->out, (uint8_t)((data[0] & 0xe0) | (flags & 0x1f)));
		} else {
			byte_writer_u8(&back->out,
				       (uint8_t)((data[0] & 0x81) | (flags & 0x3f) << 1));
			byte_writer_u8(&back->out, data[1]);
		}
	}
	byte_writer_bytes(&back->out, data + header, len - header);
	back->in_fragments = (flags & 0x40) == 0;
}

static void
back_payload(struct back *back, enum nal_codec codec, const uint8_t *data, size_t len)
{
	unsigned type = codec == NAL_H264 ? data[0] & 0x1f : data[0] >> 1 & 0x3f;

	if (type == (codec == NAL_H264 ? 28 : 49)) {
		back_fragment(back, codec, data, len);
		return;
	}
	ck_assert(!back->in_fragments);
	if (type == (codec == NAL_H264 ? 24 : 48))
		back_together(back, data, len, codec == NAL_H264 ? 1 : 2);
	else
		back_single(back, data, len);
}

/* The bounds that every payload keeps. */
static void
check_shape(const struct rtp_packed *packed, size_t max_payload)
{
	size_t at = 0;

	ck_assert_uint_gt(packed->count, 0);
	for (size_t i = 0; i < packed->count; i++) {
		ck_assert_uint_eq(packed->payloads[i].offset, at);
		ck_assert_uint_gt(packed->payloads[i].len, 0);
		ck_assert_uint_le(packed->payloads[i].len, max_payload);
		ck_assert_int_eq(packed->payloads[i].marker, i + 1 == packed->count);
		at += packed->payloads[i].len;
	}
	ck_assert_uint_eq(at, packed->len);
}

static struct byte_writer
take_back(enum nal_codec codec, const struct rtp_packed *packed)
{
	struct back back = { .in_fragments = false };

	byte_writer_init(&back.out, 64u << 20);
	for (size_t i = 0; i < packed->count; i++)
		back_payload(&back, codec, packed->data + packed->payloads[i].offset,
			     packed->payloads[i].len);
	ck_assert(!back.in_fragments);
	ck_assert_int_eq(back.out.err, 0);
	return back.out;
}

/* The unit without what is not sent, behind start codes of four. */
static struct byte_writer
expected_of(enum nal_codec codec, const uint8_t *annexb, size_t len)
{
	unsigned aud = codec == NAL_H264 ? 9 : 35, filler = codec == NAL_H264 ? 12 : 38;
	struct byte_writer out;
	struct nal_iter iter;
	struct nal_unit nal;

	byte_writer_init(&out, 64u << 20);
	nal_iter_annexb(&iter, annexb, len);
	while (nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(codec, &nal);

		if (type < aud || type > filler)
			nal_write_annexb(&out, &nal);
	}
	return out;
}

START_TEST(streams_come_back)
{
	enum nal_codec codec = streams[_i / 4].codec;
	size_t max_payload = sizes[_i % 4], len, pos = 0, unit_len, units = 0;
	uint8_t *file = data_load(streams[_i / 4].file, &len);
	struct rtp_packed packed = { 0 };
	const uint8_t *unit;

	while (data_next_unit(codec, file, len, &pos, &unit, &unit_len)) {
		struct byte_writer back, expected = expected_of(codec, unit, unit_len);

		ck_assert_int_eq(rtp_pack_video(codec, unit, unit_len, units == 0, NULL, 0,
						max_payload, &packed),
				 0);
		check_shape(&packed, max_payload);
		back = take_back(codec, &packed);
		ck_assert_uint_eq(back.len, expected.len);
		ck_assert_mem_eq(back.data, expected.data, back.len);
		byte_writer_free(&back);
		byte_writer_free(&expected);
		units++;
	}
	ck_assert_uint_gt(units, 5);
	rtp_packed_clear(&packed);
	free(file);
}
END_TEST

/* Each NAL unit here: its header, then len - 1 bytes of 0xaa. */
static size_t
put_nal(uint8_t *out, const char *header, size_t header_len, size_t len)
{
	memcpy(out, "\0\0\0\1", 4);
	memcpy(out + 4, header, header_len);
	memset(out + 4 + header_len, 0xaa, len - header_len);
	return 4 + len;
}

START_TEST(fragments_are_of_one_size)
{
	uint8_t unit[8192];
	size_t len = put_nal(unit, "\x65", 1, 1 + 3 * 1186 + 5);
	struct rtp_packed packed = { 0 };

	ck_assert_int_eq(
	    rtp_pack_video(NAL_H264, unit, len, false, NULL, 0, RTP_PACK_PAYLOAD_BYTES, &packed),
	    0);
	ck_assert_uint_eq(packed.count, 4);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(packed.payloads[i].len, 1188);
	ck_assert_uint_eq(packed.payloads[3].len, 7);
	ck_assert_uint_eq(packed.data[0], 0x60 | 28);
	ck_assert_uint_eq(packed.data[1], 0x80 | 5);
	ck_assert_uint_eq(packed.data[1189], 5);
	ck_assert_uint_eq(packed.data[3 * 1188 + 1], 0x40 | 5);
	rtp_packed_clear(&packed);
}
END_TEST

/* Exactly full, and one more. */
START_TEST(a_unit_may_fill_a_payload)
{
	uint8_t unit[256];
	struct rtp_packed packed = { 0 };

	ck_assert_int_eq(rtp_pack_video(NAL_H264, unit, put_nal(unit, "\x41", 1, 100), false, NULL,
					0, 100, &packed),
			 0);
	ck_assert_uint_eq(packed.count, 1);
	ck_assert_uint_eq(packed.payloads[0].len, 100);
	ck_assert_uint_eq(packed.data[0], 0x41);
	ck_assert_int_eq(rtp_pack_video(NAL_H264, unit, put_nal(unit, "\x41", 1, 101), false, NULL,
					0, 100, &packed),
			 0);
	ck_assert_uint_eq(packed.count, 2);
	rtp_packed_clear(&packed);
}
END_TEST

#define SPS        "\0\0\0\1\x67\x42\x00\x0a\xf8\x41\xa2"
#define PPS        "\0\0\0\1\x68\xce\x38\x80"
#define AUD        "\0\0\0\1\x09\xf0"
#define SEI        "\0\0\0\1\x06\x05\x01\x00\x80"
#define IDR        "\0\0\0\1\x65\x88\x84\x00\x33"
#define P          "\0\0\0\1\x41\x9a\x02\x05"
#define EOS        "\0\0\0\1\x0a"
#define UNIT(text) (const uint8_t *)(text), sizeof(text) - 1

static void
expect_back(const struct rtp_packed *packed, const uint8_t *expected, size_t len)
{
	struct byte_writer back = take_back(NAL_H264, packed);

	ck_assert_uint_eq(back.len, len);
	ck_assert_mem_eq(back.data, expected, len);
	byte_writer_free(&back);
}

START_TEST(parameter_sets_go_before_a_key_frame)
{
	struct rtp_packed packed = { 0 };

	/* Those of the configuration, when it has none. */
	ck_assert_int_eq(
	    rtp_pack_video(NAL_H264, UNIT(AUD SEI IDR), true, UNIT(SPS PPS), 1188, &packed), 0);
	expect_back(&packed, UNIT(SPS PPS SEI IDR));
	/* One packet: STAP-A with the highest priority of what is in it. */
	ck_assert_uint_eq(packed.count, 1);
	ck_assert_uint_eq(packed.data[0], 0x60 | 24);
	/* Its own, when it has. */
	ck_assert_int_eq(
	    rtp_pack_video(NAL_H264, UNIT(AUD SPS PPS IDR), true, UNIT(PPS SPS), 1188, &packed), 0);
	expect_back(&packed, UNIT(SPS PPS IDR));
	/* Half of them are not enough. */
	ck_assert_int_eq(
	    rtp_pack_video(NAL_H264, UNIT(PPS IDR), true, UNIT(SPS PPS), 1188, &packed), 0);
	expect_back(&packed, UNIT(SPS PPS PPS IDR));
	/* Not before others. */
	ck_assert_int_eq(
	    rtp_pack_video(NAL_H264, UNIT(AUD P EOS), false, UNIT(SPS PPS), 1188, &packed), 0);
	expect_back(&packed, UNIT(P));
	rtp_packed_clear(&packed);
}
END_TEST

START_TEST(nothing_to_send)
{
	struct rtp_packed packed = { 0 };

	ck_assert_int_eq(rtp_pack_video(NAL_H264, UNIT(AUD EOS), false, NULL, 0, 1188, &packed),
			 -ENODATA);
	ck_assert_int_eq(
	    rtp_pack_video(NAL_H264, UNIT("\0\0\0\1\x65"), false, NULL, 0, 1188, &packed),
	    -ENODATA);
	ck_assert_int_eq(rtp_pack_video(NAL_H265, NULL, 0, true, NULL, 0, 1188, &packed), -ENODATA);
	ck_assert_int_eq(
	    rtp_pack_video(NAL_H264, UNIT(P), false, NULL, 0, RTP_PACK_PAYLOAD_MIN - 1, &packed),
	    -EMSGSIZE);
	ck_assert_uint_eq(packed.count, 0);
	rtp_packed_clear(&packed);
}
END_TEST

START_TEST(too_many_payloads)
{
	size_t len = 4 + (size_t)RTP_PACK_PAYLOADS_MAX * 62 + 2;
	uint8_t *unit = malloc(len);
	struct rtp_packed packed = { 0 };

	put_nal(unit, "\x65", 1, len - 4);
	ck_assert_int_eq(rtp_pack_video(NAL_H264, unit, len, false, NULL, 0, 64, &packed),
			 -EMSGSIZE);
	ck_assert_uint_eq(packed.count, 0);
	ck_assert_int_eq(rtp_pack_video(NAL_H264, unit, len - 1, false, NULL, 0, 64, &packed), 0);
	ck_assert_uint_eq(packed.count, RTP_PACK_PAYLOADS_MAX);
	rtp_packed_clear(&packed);
	free(unit);
}
END_TEST

START_TEST(h265_headers)
{
	uint8_t unit[4096];
	struct rtp_packed packed = { 0 };
	size_t len;

	/* Two slices of sub-layers 3 and 1 (nuh_temporal_id_plus1): the lowest is told. */
	len = put_nal(unit, "\x02\x04", 2, 20);
	len += put_nal(unit + len, "\x02\x02", 2, 30);
	ck_assert_int_eq(rtp_pack_video(NAL_H265, unit, len, false, NULL, 0, 1188, &packed), 0);
	ck_assert_uint_eq(packed.count, 1);
	ck_assert_uint_eq(packed.data[0], 48 << 1);
	ck_assert_uint_eq(packed.data[1], 2);
	len = put_nal(unit, "\x26\x01", 2, 2000);
	ck_assert_int_eq(rtp_pack_video(NAL_H265, unit, len, false, NULL, 0, 1188, &packed), 0);
	ck_assert_uint_eq(packed.count, 2);
	ck_assert_uint_eq(packed.data[0], 49 << 1);
	ck_assert_uint_eq(packed.data[1], 1);
	ck_assert_uint_eq(packed.data[2], 0x80 | 19);
	ck_assert_uint_eq(packed.data[1188 + 2], 0x40 | 19);
	rtp_packed_clear(&packed);
}
END_TEST

START_TEST(sound)
{
	uint8_t frame[400];
	struct rtp_packed packed = { 0 };

	memset(frame, 7, sizeof(frame));
	ck_assert_int_eq(rtp_pack_audio(RTP_CODEC_PCMU, frame, 400, 1188, &packed), 0);
	ck_assert_uint_eq(packed.count, 3);
	ck_assert_uint_eq(packed.payloads[1].offset, 160);
	ck_assert_uint_eq(packed.payloads[2].len, 80);
	ck_assert(!packed.payloads[2].marker);
	ck_assert_int_eq(rtp_pack_audio(RTP_CODEC_OPUS, frame, 400, 1188, &packed), 0);
	ck_assert_uint_eq(packed.count, 1);
	ck_assert_int_eq(rtp_pack_audio(RTP_CODEC_OPUS, frame, 400, 399, &packed), -EMSGSIZE);
	ck_assert_int_eq(rtp_pack_audio(RTP_CODEC_PCMA, frame, 0, 1188, &packed), -ENODATA);
	ck_assert_int_eq(rtp_pack_audio(RTP_CODEC_AAC, frame, 400, 1188, &packed), -ENOTSUP);
	rtp_packed_clear(&packed);
	rtp_packed_clear(NULL);
}
END_TEST

START_TEST(header_and_extensions)
{
	struct rtp_header header = { 96, true, true, 0x1234, 0x89abcdef, 0xfedcba98 };
	struct rtp_extension elements[] = { { 5, 3, { 0, 1, 2 } }, { 4, 2, { 0x12, 0x34 } } };
	uint8_t bytes[RTP_HEADER_BYTES + RTP_EXTENSION_BYTES_MAX + 3];
	struct rtp_packet packet;

	rtp_write_header(&header, bytes);
	ck_assert_uint_eq(rtp_write_extensions(elements, 2, bytes + 12), 12);
	ck_assert_mem_eq(bytes + 12, "\xbe\xde\0\2\x52\0\1\2\x41\x12\x34\0", 12);
	memcpy(bytes + 24, "abc", 3);
	ck_assert_int_eq(rtp_parse(bytes, 27, &packet), 0);
	ck_assert(packet.marker);
	ck_assert_uint_eq(packet.payload_type, 96);
	ck_assert_uint_eq(packet.seq, 0x1234);
	ck_assert_uint_eq(packet.timestamp, 0x89abcdef);
	ck_assert_uint_eq(packet.ssrc, 0xfedcba98);
	ck_assert_uint_eq(packet.len, 3);
	ck_assert_uint_eq(rtp_write_extensions(elements, 0, bytes), 0);
	ck_assert_uint_eq(rtp_write_extensions(elements, 1, bytes), 8);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, streams_come_back, 0, 8);
	tcase_add_test(tcase, fragments_are_of_one_size);
	tcase_add_test(tcase, a_unit_may_fill_a_payload);
	tcase_add_test(tcase, parameter_sets_go_before_a_key_frame);
	tcase_add_test(tcase, nothing_to_send);
	tcase_add_test(tcase, too_many_payloads);
	tcase_add_test(tcase, h265_headers);
	tcase_add_test(tcase, sound);
	tcase_add_test(tcase, header_and_extensions);
}

int
main(void)
{
	return data_run("media_rtp_pack", add_tests);
}
