/*
 * Packets with loss, markers and times for the depacketisers of H.264 and H.265.
 *
 * First byte: bit 0 decoding order numbers (H.265), bit 1 parameter sets are replaced, bits 2-3 how
 * small the limit of a unit is, bit 4 now and then there is no memory. Then packets: a byte (bit 0
 * marker, bits 1-2 step of the timestamp, bits 3-4 packets lost, 3: unknown; bit 5: the end of the
 * stream instead), a length of 8 bits, the payload.
 */
#ifndef CAMHUB_TESTS_FUZZ_FUZZ_DEPAY_H
#define CAMHUB_TESTS_FUZZ_FUZZ_DEPAY_H

#include "media/bytes.h"
#include "media/nal.h"
#include "media/rtp_depay.h"
#include "media/rtp_reorder.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

struct fuzz_depay {
	enum nal_codec codec;
	struct byte_writer writer;
	bool is_lent, may_fail;
	unsigned begins, units, damaged;
	int64_t now_ns;
};

static struct byte_writer *
fuzz_begin(void *arg)
{
	struct fuzz_depay *fuzz = arg;

	FUZZ_CHECK(!fuzz->is_lent);
	if (fuzz->may_fail && ++fuzz->begins % 5 == 0)
		return NULL;
	fuzz->is_lent = true;
	byte_writer_reset(&fuzz->writer);
	return &fuzz->writer;
}

static void
fuzz_end(void *arg, const struct rtp_unit *unit)
{
	struct fuzz_depay *fuzz = arg;
	struct nal_iter iter;
	struct nal_unit nal;
	bool has_slice = false;

	FUZZ_CHECK(fuzz->is_lent);
	FUZZ_CHECK(fuzz->writer.err == 0 && fuzz->writer.len > 4);
	FUZZ_CHECK(memcmp(fuzz->writer.data, "\0\0\0\1", 4) == 0);
	FUZZ_CHECK(unit->arrived_ns <= fuzz->now_ns);
	nal_iter_annexb(&iter, fuzz->writer.data, fuzz->writer.len);
	while (nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(fuzz->codec, &nal);

		has_slice |= fuzz->codec == NAL_H264 ? type >= 1 && type <= 5 : type < 32;
	}
	FUZZ_CHECK(has_slice);
	fuzz->is_lent = false;
	fuzz->units++;
	fuzz->damaged += unit->is_damaged;
}

static int
fuzz_parameter_set(void *arg, const uint8_t *nal, size_t len, struct byte_writer *out)
{
	(void)arg;
	FUZZ_CHECK(len > 0);
	byte_writer_bytes(out, nal, len);
	byte_writer_u8(out, 0x80);
	return len % 3 == 0 ? -1 : 0;
}

static void
fuzz_packets(struct fuzz_depay *fuzz, struct rtp_depay *depay, const uint8_t *data, size_t size)
{
	static const uint32_t lost[4] = { 0, 0, 1, RTP_LOST_UNKNOWN };
	struct rtp_packet packet = { 0 };
	struct byte_reader reader;
	uint8_t what, *copy;

	byte_reader_init(&reader, data, size);
	while (reader.len - reader.pos >= 2) {
		what = byte_reader_u8(&reader);
		packet.len = byte_reader_u8(&reader);
		if (packet.len > reader.len - reader.pos)
			packet.len = reader.len - reader.pos;
		if (what & 0x20) {
			rtp_depay_flush(depay);
			continue;
		}
		copy = malloc(packet.len > 0 ? packet.len : 1);
		FUZZ_CHECK(copy != NULL);
		if (packet.len > 0)
			memcpy(copy, byte_reader_bytes(&reader, packet.len), packet.len);
		packet.payload = copy;
		packet.marker = what & 1;
		packet.timestamp += what >> 1 & 3;
		packet.seq++;
		rtp_depay_push(depay, &packet, lost[what >> 3 & 3], fuzz->now_ns++);
		free(copy);
	}
}

static void
fuzz_depay(enum nal_codec codec, const uint8_t *data, size_t size)
{
	struct rtp_depay_ops ops = { .begin = fuzz_begin, .end = fuzz_end };
	struct rtp_format format = { .clock_rate = 90000 };
	struct fuzz_depay fuzz = { .codec = codec };
	const struct rtp_depay_stats *stats;
	struct rtp_depay *depay;

	if (size == 0)
		return;
	format.codec = codec == NAL_H264 ? RTP_CODEC_H264 : RTP_CODEC_H265;
	format.has_donl = data[0] & 1;
	if (data[0] & 2)
		ops.parameter_set = fuzz_parameter_set;
	fuzz.may_fail = data[0] & 0x10;
	byte_writer_init(&fuzz.writer, (size_t)64 << (data[0] & 12));
	depay = rtp_depay_new(&format, &ops, &fuzz);
	FUZZ_CHECK(depay != NULL);
	fuzz_packets(&fuzz, depay, data + 1, size - 1);
	rtp_depay_flush(depay);
	stats = rtp_depay_stats(depay);
	FUZZ_CHECK(stats->units == fuzz.units && stats->damaged == fuzz.damaged);
	rtp_depay_free(&depay);
	byte_writer_free(&fuzz.writer);
}

#endif
