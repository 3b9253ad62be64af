/*
 * Packets with loss, markers and times for depacketisers whose units need no look inside.
 *
 * A packet is a byte (bit 0 marker, bits 1-2 step of the timestamp, bits 3-4 packets lost, bit 5:
 * the end of the stream instead), a length of 8 bits, the payload.
 */
#ifndef CAMHUB_TESTS_FUZZ_FUZZ_UNITS_H
#define CAMHUB_TESTS_FUZZ_FUZZ_UNITS_H

#include "media/bytes.h"
#include "media/rtp_depay.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

struct fuzz_units {
	struct byte_writer writer;
	bool is_lent;
	unsigned n, begins;
	uint64_t damaged;
	int64_t now_ns;
	void (*check)(const uint8_t *bytes, size_t len, const struct rtp_unit *unit);
};

static struct byte_writer *
fuzz_on_begin(void *arg)
{
	struct fuzz_units *units = arg;

	FUZZ_CHECK(!units->is_lent);
	if (++units->begins % 7 == 0)
		return NULL;
	units->is_lent = true;
	byte_writer_reset(&units->writer);
	return &units->writer;
}

static void
fuzz_on_end(void *arg, const struct rtp_unit *unit)
{
	struct fuzz_units *units = arg;

	FUZZ_CHECK(units->is_lent);
	FUZZ_CHECK(units->writer.err == 0 && units->writer.len > 0);
	FUZZ_CHECK(unit->arrived_ns <= units->now_ns);
	if (units->check != NULL)
		units->check(units->writer.data, units->writer.len, unit);
	units->is_lent = false;
	units->n++;
	units->damaged += unit->is_damaged;
}

static void
fuzz_push_all(struct fuzz_units *units, struct rtp_depay *depay, const uint8_t *data, size_t size)
{
	static const uint32_t lost[4] = { 0, 0, 1, UINT32_MAX };
	struct rtp_packet packet = { 0 };
	struct byte_reader reader;

	byte_reader_init(&reader, data, size);
	while (reader.len - reader.pos >= 2) {
		uint8_t what = byte_reader_u8(&reader), *copy;
		size_t len = byte_reader_u8(&reader), left = reader.len - reader.pos;

		if (what & 0x20) {
			rtp_depay_flush(depay);
			continue;
		}
		packet.len = len < left ? len : left;
		copy = malloc(packet.len > 0 ? packet.len : 1);
		FUZZ_CHECK(copy != NULL);
		if (packet.len > 0)
			memcpy(copy, byte_reader_bytes(&reader, packet.len), packet.len);
		packet.payload = copy;
		packet.marker = what & 1;
		packet.timestamp += what >> 1 & 3;
		rtp_depay_push(depay, &packet, lost[what >> 3 & 3], units->now_ns++);
		free(copy);
	}
}

static void
fuzz_units(const struct rtp_format *format, size_t limit,
	   void (*check)(const uint8_t *bytes, size_t len, const struct rtp_unit *unit),
	   const uint8_t *data, size_t size)
{
	static const struct rtp_depay_ops ops = { .begin = fuzz_on_begin, .end = fuzz_on_end };
	struct fuzz_units units = { .check = check };
	struct rtp_depay *depay = rtp_depay_new(format, &ops, &units);

	FUZZ_CHECK(depay != NULL);
	byte_writer_init(&units.writer, limit);
	fuzz_push_all(&units, depay, data, size);
	rtp_depay_flush(depay);
	FUZZ_CHECK(rtp_depay_stats(depay)->units == units.n);
	FUZZ_CHECK(rtp_depay_stats(depay)->damaged == units.damaged);
	rtp_depay_free(&depay);
	byte_writer_free(&units.writer);
}

#endif
