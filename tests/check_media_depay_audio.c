/*
 * AAC out of RTP packets (RFC 3640), and the limits of all sound.
 */
#include "config.h"

#include "media/aac.h"
#include "tests/media_data.h"
#include "tests/rtp_units.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT (1u << 20)
#define TICKS 1024

static uint8_t asc_16k_mono[] = { 0x14, 0x08 };
static uint8_t samples[4096]; /* anything; the first bit is 0 */

static void
fill_samples(void)
{
	size_t i;

	for (i = 0; i < sizeof(samples); i++)
		samples[i] = (uint8_t)(i * 7 % 127);
}

static struct rtp_format
hbr(void)
{
	return (struct rtp_format){ .codec = RTP_CODEC_AAC,
				    .payload_type = 97,
				    .clock_rate = 16000,
				    .channels = 1,
				    .config = asc_16k_mono,
				    .config_len = sizeof(asc_16k_mono),
				    .size_length = 13,
				    .index_length = 3,
				    .index_delta_length = 3 };
}

static struct units *
new_hbr(void)
{
	struct rtp_format format = hbr();

	fill_samples();
	return units_new(&format, LIMIT);
}

/* "bits" as AU-headers-length, then n headers of 16 bits (13 size, 3 index), then data. */
static size_t
put_hbr(uint8_t *out, unsigned bits, const unsigned *sizes, const unsigned *indices, size_t n,
	const uint8_t *data, size_t len)
{
	size_t at = 2, i;

	out[0] = (uint8_t)(bits >> 8);
	out[1] = (uint8_t)bits;
	for (i = 0; i < n; i++) {
		unsigned header = sizes[i] << 3 | (indices != NULL ? indices[i] : 0);

		out[at++] = (uint8_t)(header >> 8);
		out[at++] = (uint8_t)header;
	}
	memcpy(out + at, data, len);
	return at + len;
}

static void
push_hbr(struct units *units, uint32_t timestamp, bool marker, unsigned bits, unsigned size,
	 const uint8_t *data, size_t len)
{
	uint8_t payload[5000];
	size_t n = put_hbr(payload, bits, &size, NULL, 1, data, len);

	units_push(units, timestamp, marker, payload, n);
}

START_TEST(one_unit_in_a_packet)
{
	struct units *units = new_hbr();

	push_hbr(units, 5000, true, 16, 200, samples, 200);
	push_hbr(units, 6024, true, 16, 1, samples, 1);
	units_expect(units, 0, samples, 200);
	units_expect(units, 1, samples, 1);
	ck_assert_uint_eq(units->list[0].unit.timestamp, 5000);
	ck_assert_uint_eq(units->list[0].unit.duration, TICKS);
	ck_assert_int_eq(units->list[1].unit.arrived_ns, 1001);
	ck_assert(!units->list[0].unit.is_damaged && !units->list[0].unit.is_after_loss);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 0);
	units_free(units);
}
END_TEST

START_TEST(several_units_in_a_packet)
{
	static const unsigned sizes[] = { 10, 20, 5 };
	struct units *units = new_hbr();
	uint8_t payload[100];
	size_t n;

	units->lost = 1;
	n = put_hbr(payload, 48, sizes, NULL, 3, samples, 35);
	units_push(units, 0xffffff00, true, payload, n);
	ck_assert_uint_eq(units->n, 3);
	units_expect(units, 0, samples, 10);
	units_expect(units, 1, samples + 10, 20);
	units_expect(units, 2, samples + 30, 5);
	ck_assert_uint_eq(units->list[1].unit.timestamp, 0xffffff00 + TICKS);
	ck_assert_uint_eq(units->list[2].unit.timestamp, 0xffffff00 + 2 * TICKS);
	ck_assert(units->list[0].unit.is_after_loss);
	ck_assert(!units->list[1].unit.is_after_loss && !units->list[2].unit.is_after_loss);
	units_free(units);
}
END_TEST

/* AU-Index-delta leaves out places: 3.2.3.2 of RFC 3640. */
START_TEST(interleaved_units_have_their_own_time)
{
	static const unsigned sizes[] = { 10, 10, 10 }, indices[] = { 7, 1, 2 };
	struct units *units = new_hbr();
	uint8_t payload[100];
	size_t n = put_hbr(payload, 48, sizes, indices, 3, samples, 30);

	units_push(units, 0, true, payload, n);
	ck_assert_uint_eq(units->n, 3);
	ck_assert_uint_eq(units->list[0].unit.timestamp, 0);
	ck_assert_uint_eq(units->list[1].unit.timestamp, 2 * TICKS);
	ck_assert_uint_eq(units->list[2].unit.timestamp, 5 * TICKS);
	units_free(units);
}
END_TEST

/* 6 bits of size and 2 of index. */
START_TEST(lbr)
{
	static const uint8_t payload[] = { 0, 16, 3 << 2, 2 << 2, 1, 2, 3, 4, 5 };
	struct rtp_format format = hbr();
	struct units *units;

	format.size_length = 6;
	format.index_length = format.index_delta_length = 2;
	units = units_new(&format, LIMIT);
	units_push(units, 0, true, payload, sizeof(payload));
	units_expect(units, 0, payload + 4, 3);
	units_expect(units, 1, payload + 7, 2);
	ck_assert_uint_eq(units->list[1].unit.timestamp, TICKS);
	units_free(units);
}
END_TEST

/* Only sizes, 13 bits each, so that the second one begins inside of a byte. */
START_TEST(headers_that_are_no_whole_bytes)
{
	/* 0000000000011 0000000000010 000000 */
	static const uint8_t payload[] = { 0, 26, 0x00, 0x18, 0x00, 0x80, 1, 2, 3, 4, 5 };
	struct rtp_format format = hbr();
	struct units *units;

	format.index_length = format.index_delta_length = 0;
	units = units_new(&format, LIMIT);
	units_push(units, 0, true, payload, sizeof(payload));
	units_expect(units, 0, payload + 6, 3);
	units_expect(units, 1, payload + 9, 2);
	units_free(units);
}
END_TEST

START_TEST(units_of_one_size)
{
	struct rtp_format format = hbr();
	struct units *units;

	fill_samples();
	format.size_length = format.index_length = format.index_delta_length = 0;
	format.constant_size = 10;
	units = units_new(&format, LIMIT);
	units_push(units, 0, true, samples, 20);
	units_expect(units, 0, samples, 10);
	units_expect(units, 1, samples + 10, 10);
	ck_assert_uint_eq(units->list[1].unit.timestamp, TICKS);
	units_push(units, 9, true, samples, 15); /* and a half */
	ck_assert_uint_eq(units->n, 3);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 1);
	units_push(units, 9, true, samples, 0);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 2);
	units_free(units);
	format.constant_size = 0; /* nothing is told: the packet */
	units = units_new(&format, LIMIT);
	units_push(units, 0, true, samples, 20);
	units_expect(units, 0, samples, 20);
	units_free(units);
}
END_TEST

START_TEST(one_size_behind_index_headers)
{
	static const uint8_t payload[] = { 0, 16, 0, 0, 1, 2, 3, 4, 5, 6 };
	struct rtp_format format = hbr();
	struct units *units;

	format.size_length = 0;
	format.index_length = format.index_delta_length = 8;
	format.constant_size = 3;
	units = units_new(&format, LIMIT);
	units_push(units, 0, true, payload, sizeof(payload));
	units_expect(units, 0, payload + 4, 3);
	units_expect(units, 1, payload + 7, 3);
	units_free(units);
}
END_TEST

/* What AU-headers-length says, and what is meant: one or two units. */
static const struct {
	unsigned bits;
	size_t n;
} lengths[] = { { 16, 1 },   { 2, 1 },  { 0, 1 },  { 13, 1 },
		{ 1600, 1 }, { 17, 1 }, { 32, 2 }, { 4, 2 } };

START_TEST(wrong_lengths_of_headers)
{
	static const unsigned sizes[] = { 10, 20 };
	struct units *units = new_hbr();
	uint8_t payload[100];
	size_t len = put_hbr(payload, lengths[_i].bits, sizes, NULL, lengths[_i].n, samples,
			     lengths[_i].n == 1 ? 10 : 30);

	units_push(units, 0, true, payload, len);
	ck_assert_uint_eq(units->n, lengths[_i].n);
	units_expect(units, 0, samples, 10);
	if (lengths[_i].n > 1)
		units_expect(units, 1, samples + 10, 20);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 0);
	units_free(units);
}
END_TEST

/* A description without indexlength, and headers that have it all the same. */
START_TEST(headers_longer_than_described)
{
	struct rtp_format format = hbr();
	struct units *units;

	fill_samples();
	format.index_length = format.index_delta_length = 0;
	units = units_new(&format, LIMIT);
	push_hbr(units, 0, true, 16, 10, samples, 10);
	units_expect(units, 0, samples, 10);
	units_free(units);
}
END_TEST

START_TEST(wrong_sizes)
{
	struct units *units = new_hbr();

	push_hbr(units, 0, true, 16, 0, samples, 10); /* 0: the rest */
	units_expect(units, 0, samples, 10);
	push_hbr(units, 1024, true, 16, 17, samples, 10); /* too much, but the marker says whole */
	units_expect(units, 1, samples, 10);
	push_hbr(units, 2048, true, 16, 4, samples, 10); /* less: something behind it */
	units_expect(units, 2, samples, 4);
	push_hbr(units, 3072, true, 16, 0, samples, 0); /* nothing at all */
	ck_assert_uint_eq(units->n, 3);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 1);
	units_free(units);
}
END_TEST

START_TEST(several_units_and_one_is_cut)
{
	static const unsigned sizes[] = { 10, 20, 5 };
	struct units *units = new_hbr();
	uint8_t payload[100];
	size_t n = put_hbr(payload, 48, sizes, NULL, 3, samples, 25);

	units_push(units, 0, true, payload, n);
	ck_assert_uint_eq(units->n, 1);
	units_expect(units, 0, samples, 10);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 1);
	push_hbr(units, 3072, true, 16, 10, samples, 10);
	ck_assert(units->list[1].unit.is_after_loss);
	units_free(units);
}
END_TEST

START_TEST(a_unit_in_pieces)
{
	struct units *units = new_hbr();

	push_hbr(units, 0, false, 16, 3000, samples, 1400);
	push_hbr(units, 0, false, 16, 3000, samples + 1400, 1400);
	ck_assert_uint_eq(units->n, 0);
	push_hbr(units, 0, true, 16, 3000, samples + 2800, 200);
	units_expect(units, 0, samples, 3000);
	ck_assert_uint_eq(units->list[0].unit.duration, TICKS);
	ck_assert_int_eq(units->list[0].unit.arrived_ns, 1002);
	push_hbr(units, TICKS, true, 16, 10, samples, 10);
	ck_assert(!units->list[1].unit.is_after_loss);
	units_free(units);
}
END_TEST

/* Without marker: the size says that it is whole. */
START_TEST(pieces_without_marker)
{
	struct units *units = new_hbr();

	push_hbr(units, 0, false, 16, 3000, samples, 1500);
	push_hbr(units, 0, false, 16, 3000, samples + 1500, 1500);
	units_expect(units, 0, samples, 3000);
	units_free(units);
}
END_TEST

/* How the pieces go wrong: the unit is not told, the next one is, after a loss. */
enum fault {
	FAULT_LOST,
	FAULT_TIME,
	FAULT_SIZE,
	FAULT_OTHER_SIZE,
	FAULT_MARKER,
	FAULT_TOO_MUCH,
	FAULT_ADTS,
	FAULTS
};

START_TEST(pieces_that_do_not_fit)
{
	static const uint8_t adts[] = { 0xff, 0xf1, 0x60, 0x40, 0x01, 0x1f, 0xfc, 9 };
	static const unsigned two[] = { 4, 4 };
	struct units *units = new_hbr();
	uint8_t payload[100];
	size_t n = put_hbr(payload, 32, two, NULL, 2, samples, 8), before = 0;

	push_hbr(units, 0, false, 16, 3000, samples, 1400);
	switch ((enum fault)_i) {
	case FAULT_LOST:
		units->lost = 2;
		push_hbr(units, 0, true, 16, 3000, samples, 1600);
		break;
	case FAULT_TIME:
		push_hbr(units, TICKS, false, 16, 3000, samples, 1400);
		push_hbr(units, TICKS, true, 16, 3000, samples + 1400, 1600);
		before = 1;
		break;
	case FAULT_SIZE:
		units_push(units, 0, true, payload, n);
		before = 2;
		break;
	case FAULT_OTHER_SIZE:
		push_hbr(units, 0, true, 16, 100, samples, 100);
		before = 1;
		break;
	case FAULT_MARKER:
		push_hbr(units, 0, true, 16, 3000, samples + 1400, 1400);
		break;
	case FAULT_TOO_MUCH:
		push_hbr(units, 0, true, 16, 3000, samples + 1400, 1700);
		break;
	case FAULT_ADTS:
		units_push(units, 0, true, adts, sizeof(adts));
		before = 1;
		break;
	default:
		break;
	}
	ck_assert_uint_eq(units->n, before);
	push_hbr(units, 5000, true, 16, 10, samples, 10);
	ck_assert_uint_eq(units->n, before + 1);
	units_expect(units, before, samples, 10);
	ck_assert(units->list[0].unit.is_after_loss);
	units_free(units);
}
END_TEST

START_TEST(pieces_at_the_end_of_the_stream)
{
	struct units *units = new_hbr();

	push_hbr(units, 0, false, 16, 3000, samples, 1400);
	rtp_depay_flush(units->depay);
	push_hbr(units, 0, true, 16, 10, samples, 10);
	ck_assert_uint_eq(units->n, 1);
	units_expect(units, 0, samples, 10);
	units_free(units);
}
END_TEST

/* ADTS where raw_data_blocks belong: inside of the units, or instead of all headers. */
START_TEST(adts_inside)
{
	size_t len, pos = 0, frame_len, raw_len, i = 0;
	uint8_t *stream = data_load("mono_16k.adts", &len);
	struct units *units = new_hbr();
	const uint8_t *raw;

	while (pos < len) {
		ck_assert_int_eq(
		    aac_strip_adts(stream + pos, len - pos, &raw, &raw_len, &frame_len), 0);
		push_hbr(units, (uint32_t)i, true, 16, (unsigned)frame_len, stream + pos,
			 frame_len);
		units_expect(units, i++, stream + pos + 7, frame_len - 7);
		pos += frame_len;
	}
	units_push(units, 7, true, stream, len);
	ck_assert_uint_eq(units->n, 2 * i);
	units_expect(units, i, units->list[0].bytes, units->list[0].len);
	ck_assert_uint_eq(units->list[i + 1].unit.timestamp, 7 + TICKS);
	units_free(units);
	free(stream);
}
END_TEST

/* 44.1 kHz inside of 48000 ticks, SBR at half the clock, 960 samples, no configuration. */
static const struct {
	uint8_t config[4];
	size_t len;
	uint32_t clock_rate, duration;
} durations[] = {
	{ { 0x12, 0x10 }, 2, 44100, 1024 },
	{ { 0x12, 0x10 }, 2, 88200, 2048 },
	{ { 0x2b, 0x09, 0x88, 0x00 }, 4, 48000, 2048 },
	{ { 0x15, 0x8c }, 2, 8000, 960 },
	{ { 0 }, 0, 8000, 1024 },
};

START_TEST(durations_from_the_configuration)
{
	struct rtp_format format = hbr();
	uint8_t config[4];
	struct units *units;

	fill_samples();
	memcpy(config, durations[_i].config, sizeof(config));
	format.config = config;
	format.config_len = durations[_i].len;
	format.clock_rate = durations[_i].clock_rate;
	units = units_new(&format, LIMIT);
	push_hbr(units, 0, true, 16, 10, samples, 10);
	ck_assert_uint_eq(units->list[0].unit.duration, durations[_i].duration);
	units_free(units);
}
END_TEST

START_TEST(aac_cut_at_every_byte)
{
	static const unsigned sizes[] = { 10, 20, 5 };
	uint8_t payload[100];
	size_t len, cut;

	fill_samples();
	len = put_hbr(payload, 48, sizes, NULL, 3, samples, 35);
	for (cut = 0; cut <= len; cut++) {
		struct units *units = new_hbr();

		units_push(units, 0, true, payload, cut);
		ck_assert_uint_le(units->n, 3);
		ck_assert(cut < len || units->n == 3);
		ck_assert(cut >= 4 || units->n == 0);
		units_free(units);
	}
}
END_TEST

START_TEST(limits_and_no_memory)
{
	struct rtp_format format = { .codec = RTP_CODEC_PCMU, .clock_rate = 8000, .channels = 1 };
	struct units *units = units_new(&format, 100);

	fill_samples();
	units_push(units, 0, true, samples, 101);
	ck_assert_uint_eq(units->n, 0);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->too_large, 1);
	units_push(units, 0, true, samples, 100);
	ck_assert(units->n == 1 && units->list[0].unit.is_after_loss);
	units->has_no_memory = true;
	units_push(units, 0, true, samples, 10);
	ck_assert_uint_eq(units->n, 1);
	units_free(units);

	units = new_hbr();
	units->has_no_memory = true;
	push_hbr(units, 0, true, 16, 10, samples, 10);
	push_hbr(units, 0, false, 16, 3000, samples, 1400);
	ck_assert_uint_eq(units->n, 0);
	units->has_no_memory = false;
	units->limit = 2000;
	push_hbr(units, 9, false, 16, 3000, samples, 1500);
	push_hbr(units, 9, true, 16, 3000, samples, 1500);
	ck_assert_uint_eq(units->n, 0);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->too_large, 1);
	units_free(units);
}
END_TEST

#define N_OF(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, one_unit_in_a_packet);
	tcase_add_test(tcase, several_units_in_a_packet);
	tcase_add_test(tcase, interleaved_units_have_their_own_time);
	tcase_add_test(tcase, lbr);
	tcase_add_test(tcase, headers_that_are_no_whole_bytes);
	tcase_add_test(tcase, units_of_one_size);
	tcase_add_test(tcase, one_size_behind_index_headers);
	tcase_add_loop_test(tcase, wrong_lengths_of_headers, 0, N_OF(lengths));
	tcase_add_test(tcase, headers_longer_than_described);
	tcase_add_test(tcase, wrong_sizes);
	tcase_add_test(tcase, several_units_and_one_is_cut);
	tcase_add_test(tcase, a_unit_in_pieces);
	tcase_add_test(tcase, pieces_without_marker);
	tcase_add_loop_test(tcase, pieces_that_do_not_fit, 0, FAULTS);
	tcase_add_test(tcase, pieces_at_the_end_of_the_stream);
	tcase_add_test(tcase, adts_inside);
	tcase_add_loop_test(tcase, durations_from_the_configuration, 0, N_OF(durations));
	tcase_add_test(tcase, aac_cut_at_every_byte);
	tcase_add_test(tcase, limits_and_no_memory);
}

int
main(void)
{
	return data_run("media depay audio", add);
}
