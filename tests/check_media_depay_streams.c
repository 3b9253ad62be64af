/*
 * Real streams through a packetiser of our own and back, with every habit of markers and with loss.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/nal.h"
#include "media/rtp_depay.h"
#include "tests/media_data.h"

#include <stdlib.h>
#include <string.h>

#define UNITS_MAX 256
#define TICKS     3600u

enum marks { MARKS_RIGHT, MARKS_NEVER, MARKS_ALL };

struct unit {
	uint8_t *data;
	size_t len;
	unsigned lost; /* packets */
	bool is_out, is_whole;
};

struct stream {
	enum nal_codec codec;
	struct unit units[UNITS_MAX];
	size_t n;
	/* the packetiser */
	enum marks marks;
	size_t mtu;
	unsigned loss_percent, lost;
	uint32_t random;
	uint32_t timestamp;
	size_t current;
	size_t first_cut; /* the first unit with slices in fragments, counted from 1 */
	struct rtp_depay *depay;
	/* what comes out */
	struct byte_writer writer;
	size_t n_out, next;
};

static uint32_t
random_below(struct stream *stream, uint32_t limit)
{
	stream->random = stream->random * 1664525u + 1013904223u;
	return (stream->random >> 8) % limit;
}

/* All units with start codes of 4 bytes, behind those that are there. */
static void
load_units(struct stream *stream, const char *name)
{
	static const uint8_t start_code[4] = { 0, 0, 0, 1 };
	size_t len, pos = 0, part_len;
	uint8_t *bytes = data_load(name, &len);
	const uint8_t *part;
	struct nal_iter iter;
	struct nal_unit nal;

	stream->codec = name[strlen(name) - 1] == '4' ? NAL_H264 : NAL_H265;
	while (stream->n < UNITS_MAX &&
	       data_next_unit(stream->codec, bytes, len, &pos, &part, &part_len)) {
		struct unit *unit = &stream->units[stream->n++];

		unit->data = malloc(2 * part_len);
		ck_assert_ptr_nonnull(unit->data);
		nal_iter_annexb(&iter, part, part_len);
		while (nal_iter_next(&iter, &nal)) {
			memcpy(unit->data + unit->len, start_code, 4);
			memcpy(unit->data + unit->len + 4, nal.data, nal.len);
			unit->len += 4 + nal.len;
		}
	}
	ck_assert_uint_gt(stream->n, 2);
	free(bytes);
}

static void
send_packet(struct stream *stream, const uint8_t *payload, size_t len, bool is_last)
{
	struct rtp_packet packet = { .timestamp = stream->timestamp, .len = len };
	uint8_t *copy = data_copy(payload, len);

	packet.payload = copy;
	packet.marker = stream->marks == MARKS_ALL || (stream->marks == MARKS_RIGHT && is_last);
	if (random_below(stream, 100) < stream->loss_percent && stream->current + 1 < stream->n) {
		stream->lost++;
		stream->units[stream->current].lost++;
	} else {
		rtp_depay_push(stream->depay, &packet, stream->lost, (int64_t)stream->current);
		stream->lost = 0;
	}
	free(copy);
}

/* RFC 6184 5.8, RFC 7798 4.4.3 */
static void
send_fragments(struct stream *stream, const struct nal_unit *nal, bool is_last)
{
	size_t header = stream->codec == NAL_H264 ? 1 : 2, at = header, n;
	unsigned type = nal_type(stream->codec, nal);
	uint8_t payload[2048];
	bool is_end;

	if (stream->first_cut == 0 && (stream->codec == NAL_H264 ? type < 6 : type < 32))
		stream->first_cut = stream->current + 1;
	while (at < nal->len) {
		n = nal->len - at < stream->mtu ? nal->len - at : stream->mtu;
		is_end = at + n == nal->len;
		if (stream->codec == NAL_H264) {
			payload[0] = (uint8_t)((nal->data[0] & 0xe0) | 28);
			payload[1] = nal->data[0] & 0x1f;
		} else {
			payload[0] = (uint8_t)((nal->data[0] & 0x81) | 49 << 1);
			payload[1] = nal->data[1];
			payload[2] = nal->data[0] >> 1 & 0x3f;
		}
		payload[header] |= (uint8_t)((at == header) << 7 | is_end << 6);
		memcpy(payload + header + 1, nal->data + at, n);
		at += n;
		send_packet(stream, payload, header + 1 + n, is_last && is_end);
	}
}

/* As many units as there are from the first on that are small, in one packet (RFC 6184 5.7.1, RFC
 * 7798 4.4.2); returns how many. */
static size_t
send_aggregate(struct stream *stream, const struct nal_unit *nals, size_t n_nals)
{
	uint8_t payload[2048] = { 24 | 0x60 };
	size_t len = 1, n = 0;

	if (stream->codec == NAL_H265) {
		payload[0] = 48 << 1;
		payload[1] = 1;
		len = 2;
	}
	while (n < n_nals && len + 2 + nals[n].len <= stream->mtu) {
		payload[len++] = (uint8_t)(nals[n].len >> 8);
		payload[len++] = (uint8_t)nals[n].len;
		memcpy(payload + len, nals[n].data, nals[n].len);
		len += nals[n++].len;
	}
	if (n < 2)
		return 0;
	send_packet(stream, payload, len, n == n_nals);
	return n;
}

static void
send_unit(struct stream *stream, const struct unit *unit)
{
	struct nal_unit nals[64];
	struct nal_iter iter;
	size_t n = 0, i = 0;

	nal_iter_annexb(&iter, unit->data, unit->len);
	while (n < 64 && nal_iter_next(&iter, &nals[n]))
		n++;
	if (random_below(stream, 2) == 0)
		i = send_aggregate(stream, nals, n);
	for (; i < n; i++) {
		if (nals[i].len > stream->mtu)
			send_fragments(stream, &nals[i], i + 1 == n);
		else
			send_packet(stream, nals[i].data, nals[i].len, i + 1 == n);
	}
}

static struct byte_writer *
on_begin(void *arg)
{
	struct stream *stream = arg;

	byte_writer_reset(&stream->writer);
	return &stream->writer;
}

/* What a unit says of itself is true. */
static void
on_end(void *arg, const struct rtp_unit *unit)
{
	struct stream *stream = arg;
	size_t i = unit->timestamp / TICKS, len = stream->writer.len, first = stream->first_cut;
	struct unit *want;

	ck_assert_uint_lt(i, stream->n);
	want = &stream->units[i];
	if (stream->marks == MARKS_ALL && i + 1 == stream->next && stream->next == first) {
		ck_assert(unit->is_damaged); /* the rest of it */
		return;
	}
	ck_assert_uint_ge(i, stream->next);
	ck_assert_int_eq(unit->arrived_ns, (int64_t)i);
	ck_assert(!unit->ended_by_timestamp || stream->marks != MARKS_RIGHT || want->lost > 0);
	if (i > stream->next)
		ck_assert(unit->is_after_loss);
	if (!unit->is_damaged && (stream->marks != MARKS_ALL || i + 1 != first)) {
		/* Behind a gap nobody can know of what stood before the picture. */
		ck_assert_uint_le(len, want->len);
		ck_assert(unit->is_after_loss || len == want->len);
		ck_assert_mem_eq(stream->writer.data, want->data + want->len - len, len);
		want->is_whole = true;
	} else {
		ck_assert_uint_lt(len, want->len + 1);
	}
	want->is_out = true;
	stream->next = i + 1;
	stream->n_out++;
}

static void
run_stream(struct stream *stream)
{
	struct rtp_format format = {
		.codec = stream->codec == NAL_H264 ? RTP_CODEC_H264 : RTP_CODEC_H265,
		.clock_rate = 90000,
	};
	struct rtp_depay_ops ops = { .begin = on_begin, .end = on_end };
	size_t i;

	byte_writer_init(&stream->writer, 8u << 20);
	stream->depay = rtp_depay_new(&format, &ops, stream);
	ck_assert_ptr_nonnull(stream->depay);
	for (i = 0; i < stream->n; i++) {
		stream->current = i;
		stream->timestamp = (uint32_t)i * TICKS;
		send_unit(stream, &stream->units[i]);
	}
	rtp_depay_flush(stream->depay);
	ck_assert_uint_eq(rtp_depay_stats(stream->depay)->units,
			  stream->n_out + rtp_depay_stats(stream->depay)->damaged *
					      (stream->marks == MARKS_ALL));
	ck_assert_uint_eq(rtp_depay_stats(stream->depay)->ignored, 0);
	ck_assert_uint_eq(rtp_depay_stats(stream->depay)->too_large, 0);
}

static void
free_stream(struct stream *stream)
{
	size_t i;

	for (i = 0; i < stream->n; i++)
		free(stream->units[i].data);
	rtp_depay_free(&stream->depay);
	byte_writer_free(&stream->writer);
	free(stream);
}

static const char *const names[] = {
	"baseline_360p.h264",        "high_1080p_b.h264",  "high_intra_refresh.h264",
	"main_interlaced_576i.h264", "main_360p.h265",     "main_1080p_b.h265",
	"main_temporal_layers.h265", "main_open_gop.h265",
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static struct stream *
make_stream(const char *name, enum marks marks, uint32_t seed)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	ck_assert_ptr_nonnull(stream);
	stream->marks = marks;
	stream->random = seed;
	while (stream->n < 30)
		load_units(stream, name);
	stream->mtu = 100 + random_below(stream, marks == MARKS_ALL ? 200 : 1300);
	return stream;
}

START_TEST(streams_come_out_as_they_went_in)
{
	struct stream *stream = make_stream(names[_i], MARKS_RIGHT, 7);

	run_stream(stream);
	ck_assert_uint_eq(stream->n_out, stream->n);
	ck_assert_int_eq(rtp_depay_stats(stream->depay)->au_end, RTP_AU_END_MARKER);
	ck_assert_uint_eq(rtp_depay_stats(stream->depay)->damaged, 0);
	free_stream(stream);
}
END_TEST

START_TEST(streams_without_markers_too)
{
	struct stream *stream = make_stream(names[_i], MARKS_NEVER, 11);

	run_stream(stream);
	ck_assert_uint_eq(stream->n_out, stream->n);
	ck_assert_int_eq(rtp_depay_stats(stream->depay)->au_end, RTP_AU_END_NEVER);
	ck_assert_uint_eq(rtp_depay_stats(stream->depay)->damaged, 0);
	free_stream(stream);
}
END_TEST

/* Only the first unit with slices in several packets may be cut, at a marker that nobody knew to be
 * none. */
START_TEST(streams_with_markers_everywhere_too)
{
	struct stream *stream = make_stream(names[_i], MARKS_ALL, 13);
	const struct rtp_depay_stats *stats;

	run_stream(stream);
	stats = rtp_depay_stats(stream->depay);
	ck_assert_int_eq(stats->au_end,
			 stream->first_cut > 0 ? RTP_AU_END_EACH_SLICE : RTP_AU_END_MARKER);
	ck_assert_uint_eq(stream->n_out, stream->n);
	ck_assert_uint_le(stats->damaged, 1);
	free_stream(stream);
}
END_TEST

START_TEST(a_loss_is_told_where_it_is)
{
	uint32_t seed;
	size_t i;

	for (seed = 1; seed <= 25; seed++) {
		struct stream *stream = make_stream(names[_i], MARKS_RIGHT, seed);

		stream->loss_percent = seed % 12 + 1;
		run_stream(stream);
		for (i = 0; i < stream->n; i++)
			if (stream->units[i].lost == 0)
				ck_assert_msg(stream->units[i].is_whole, "seed %u: unit %zu", seed,
					      i);
		free_stream(stream);
	}
}
END_TEST

START_TEST(a_loss_is_told_without_markers)
{
	uint32_t seed;

	for (seed = 1; seed <= 25; seed++) {
		struct stream *stream = make_stream(names[_i], MARKS_NEVER, seed);

		stream->loss_percent = seed % 12 + 1;
		run_stream(stream);
		ck_assert_uint_gt(stream->n_out, 0);
		free_stream(stream);
	}
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, streams_come_out_as_they_went_in, 0, N_NAMES);
	tcase_add_loop_test(tcase, streams_without_markers_too, 0, N_NAMES);
	tcase_add_loop_test(tcase, streams_with_markers_everywhere_too, 0, N_NAMES);
	tcase_add_loop_test(tcase, a_loss_is_told_where_it_is, 0, N_NAMES);
	tcase_add_loop_test(tcase, a_loss_is_told_without_markers, 0, N_NAMES);
}

int
main(void)
{
	return data_run("media depay streams", add);
}
