/*
 * What a viewer tells us: a compound taken apart, each piece told to who listens for it. Counts
 * inside a packet are believed as far as its bytes go.
 */
#include "config.h"

#include "rtc/rtcp.h"
#include "rtc/rtcp_int.h"

#include "media/bytes.h"

#include <errno.h>

#define HEADER_BYTES 4u

struct reading {
	const struct rtc_rtcp_ops *ops;
	void *arg;
	unsigned nacks; /* told of this compound */
	unsigned twccs;
};

struct packet {
	unsigned count, type; /* count: or the format of feedback */
	const uint8_t *body;  /* behind the 4 bytes of header, padding left out */
	size_t len;
};

bool
rtc_rtcp_is(const uint8_t *data, size_t len)
{
	return len >= 8 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

static void
read_reports(const struct reading *reading, struct byte_reader *body, unsigned count)
{
	for (unsigned i = 0; i < count && body->len - body->pos >= REPORT_BYTES; i++) {
		struct rtc_rtcp_report report = { .ssrc = byte_reader_u32(body) };
		uint32_t lost = byte_reader_u32(body);

		report.fraction_lost = (uint8_t)(lost >> 24);
		lost &= 0xffffff;
		report.lost = (lost & 0x800000) != 0 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
		report.highest_seq = byte_reader_u32(body);
		report.jitter = byte_reader_u32(body);
		report.last_sr = byte_reader_u32(body);
		report.delay_since_sr = byte_reader_u32(body);
		if (reading->ops->on_report != NULL)
			reading->ops->on_report(&report, reading->arg);
	}
}

static void
read_sr(struct reading *reading, struct byte_reader *body, unsigned count)
{
	uint32_t sender = byte_reader_u32(body), high = byte_reader_u32(body);
	uint32_t low = byte_reader_u32(body), timestamp = byte_reader_u32(body);

	(void)byte_reader_bytes(body, 8);
	if (body->err < 0)
		return;
	if (reading->ops->on_sr != NULL)
		reading->ops->on_sr(sender, (uint64_t)high << 32 | low, timestamp, reading->arg);
	read_reports(reading, body, count);
}

static void
read_rr(struct reading *reading, struct byte_reader *body, unsigned count)
{
	(void)byte_reader_u32(body);
	read_reports(reading, body, count);
}

static void
read_bye(struct reading *reading, struct byte_reader *body, unsigned count)
{
	for (unsigned i = 0; i < count && body->len - body->pos >= 4; i++) {
		uint32_t ssrc = byte_reader_u32(body);

		if (reading->ops->on_bye != NULL)
			reading->ops->on_bye(ssrc, reading->arg);
	}
}

/* RFC 4585 6.2.1: a number, and 16 bits for those behind it. */
static void
read_nack(struct reading *reading, struct byte_reader *body, uint32_t ssrc)
{
	if (reading->ops->on_nack == NULL)
		return;
	while (body->len - body->pos >= 4) {
		uint16_t seq = byte_reader_u16(body);
		unsigned mask = (unsigned)byte_reader_u16(body) << 1 | 1u;

		for (; mask != 0; mask >>= 1, seq++) {
			if ((mask & 1u) == 0)
				continue;
			if (reading->nacks++ == RTC_RTCP_NACKS_MAX)
				return;
			reading->ops->on_nack(ssrc, seq, reading->arg);
		}
	}
}

/* What the chunks say of each packet: 0 lost, 1 and 2 bytes of delta (draft-holmer 3.1.1 to 3.1.4).
 */
static int
read_twcc_chunks(struct byte_reader *body, unsigned count, uint8_t *sizes)
{
	unsigned n = 0;

	while (n < count) {
		unsigned chunk = byte_reader_u16(body), many, bits;

		if (body->err < 0)
			return -EPROTO;
		if ((chunk & 0x8000u) == 0) { /* a run */
			many = chunk & 0x1fffu;
			for (unsigned i = 0; i < many && n < count; i++)
				sizes[n++] = (uint8_t)(chunk >> 13 & 3u);
			continue;
		}
		bits = (chunk & 0x4000u) != 0 ? 2 : 1;
		for (unsigned i = 0, at = 14; i < 14 / bits && n < count; i++) {
			at -= bits;
			sizes[n++] = (uint8_t)(chunk >> at & (bits == 2 ? 3u : 1u));
		}
	}
	return 0;
}

static int
read_twcc_deltas(struct byte_reader *body, unsigned count, const uint8_t *sizes, int32_t *deltas)
{
	for (unsigned i = 0; i < count; i++) {
		if (sizes[i] == 1)
			deltas[i] = byte_reader_u8(body) * TWCC_UNIT_US;
		else if (sizes[i] == 2)
			deltas[i] = (int16_t)byte_reader_u16(body) * TWCC_UNIT_US;
		else
			deltas[i] = RTC_RTCP_TWCC_LOST;
	}
	return body->err;
}

static void
read_twcc(struct reading *reading, struct byte_reader *body, uint32_t ssrc)
{
	struct rtc_rtcp_twcc twcc = { .base_seq = byte_reader_u16(body) };
	uint8_t sizes[RTC_RTCP_TWCC_MAX];
	int32_t deltas[RTC_RTCP_TWCC_MAX];
	uint32_t reference;

	(void)ssrc;
	twcc.count = byte_reader_u16(body);
	reference = byte_reader_u32(body);
	twcc.feedback = (uint8_t)reference;
	/* 24 bits, signed */
	twcc.reference_us = ((int64_t)(int32_t)(reference & 0xffffff00u) >> 8) * TWCC_TIME_UNIT;
	if (reading->twccs++ >= RTC_RTCP_TWCCS_MAX || body->err < 0 || twcc.count == 0 ||
	    twcc.count > RTC_RTCP_TWCC_MAX || reading->ops->on_twcc == NULL ||
	    read_twcc_chunks(body, twcc.count, sizes) < 0 ||
	    read_twcc_deltas(body, twcc.count, sizes, deltas) < 0)
		return;
	twcc.delta_us = deltas;
	reading->ops->on_twcc(&twcc, reading->arg);
}

static void
read_pli(struct reading *reading, struct byte_reader *body, uint32_t ssrc)
{
	(void)body;
	if (reading->ops->on_pli != NULL)
		reading->ops->on_pli(ssrc, reading->arg);
}

/* RFC 5104 4.3.1: whom it is for stands in the entries. */
static void
read_fir(struct reading *reading, struct byte_reader *body, uint32_t ssrc)
{
	(void)ssrc;
	while (body->len - body->pos >= 8) {
		uint32_t target = byte_reader_u32(body), rest = byte_reader_u32(body);

		if (reading->ops->on_fir != NULL)
			reading->ops->on_fir(target, (uint8_t)(rest >> 24), reading->arg);
	}
}

/* draft-alvestrand-rmcat-remb 2.2: 6 bits of exponent, 18 of mantissa. */
static void
read_remb(struct reading *reading, struct byte_reader *body, uint32_t ssrc)
{
	uint32_t name = byte_reader_u32(body), value = byte_reader_u32(body);
	unsigned exponent = value >> 18 & 0x3fu;
	uint64_t mantissa = value & 0x3ffffu;

	(void)ssrc;
	if (body->err < 0 || name != REMB_NAME || reading->ops->on_remb == NULL)
		return;
	reading->ops->on_remb(exponent > 45 ? UINT64_MAX >> 1 : mantissa << exponent, reading->arg);
}

static const struct {
	unsigned type, format;
	void (*read)(struct reading *reading, struct byte_reader *body, uint32_t ssrc);
} feedbacks[] = {
	{ RTCP_RTPFB, RTPFB_NACK, read_nack }, { RTCP_RTPFB, RTPFB_TWCC, read_twcc },
	{ RTCP_PSFB, PSFB_PLI, read_pli },     { RTCP_PSFB, PSFB_FIR, read_fir },
	{ RTCP_PSFB, PSFB_AFB, read_remb },
};

static void
read_feedback(struct reading *reading, struct byte_reader *body, const struct packet *packet)
{
	uint32_t ssrc;

	(void)byte_reader_u32(body); /* who says it */
	ssrc = byte_reader_u32(body);
	if (body->err < 0)
		return;
	for (size_t i = 0; i < sizeof(feedbacks) / sizeof(feedbacks[0]); i++) {
		if (feedbacks[i].type == packet->type && feedbacks[i].format == packet->count)
			feedbacks[i].read(reading, body, ssrc);
	}
}

/* RFC 3611 4.5: sub-blocks of SSRC, last RR, delay. */
static void
read_dlrr(const struct reading *reading, struct byte_reader *block)
{
	while (block->len - block->pos >= 12) {
		uint32_t ssrc = byte_reader_u32(block), last = byte_reader_u32(block);
		uint32_t delay = byte_reader_u32(block);

		if (reading->ops->on_dlrr != NULL)
			reading->ops->on_dlrr(ssrc, last, delay, reading->arg);
	}
}

static void
read_xr(struct reading *reading, struct byte_reader *body, unsigned count)
{
	uint32_t sender = byte_reader_u32(body);

	(void)count;
	while (body->len - body->pos >= 4) {
		uint32_t head = byte_reader_u32(body);
		size_t len = (head & 0xffffu) * 4;
		const uint8_t *data = byte_reader_bytes(body, len);
		struct byte_reader block;

		if (data == NULL)
			return;
		byte_reader_init(&block, data, len);
		if (head >> 24 == XR_DLRR)
			read_dlrr(reading, &block);
		if (head >> 24 == XR_RRTR && len == 8 && reading->ops->on_rrtr != NULL) {
			uint64_t high = byte_reader_u32(&block);

			reading->ops->on_rrtr(sender, high << 32 | byte_reader_u32(&block),
					      reading->arg);
		}
	}
}

static const struct {
	unsigned type;
	void (*read)(struct reading *reading, struct byte_reader *body, unsigned count);
} kinds[] = {
	{ RTCP_SR, read_sr },
	{ RTCP_RR, read_rr },
	{ RTCP_BYE, read_bye },
	{ RTCP_XR, read_xr },
};

static void
read_packet(struct reading *reading, const struct packet *packet)
{
	struct byte_reader body;

	byte_reader_init(&body, packet->body, packet->len);
	if (packet->type == RTCP_RTPFB || packet->type == RTCP_PSFB) {
		read_feedback(reading, &body, packet);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type == packet->type)
			kinds[i].read(reading, &body, packet->count);
	}
}

/* RFC 3550 6.4.1: the length is in words, less one; the last byte of padding is its length. */
static int
take_packet(struct byte_reader *reader, struct packet *packet)
{
	unsigned first = byte_reader_u8(reader);
	size_t padding = 0;

	packet->type = byte_reader_u8(reader);
	packet->len = (size_t)byte_reader_u16(reader) * 4;
	packet->body = byte_reader_bytes(reader, packet->len);
	packet->count = first & 0x1fu;
	if (reader->err < 0 || first >> 6 != 2)
		return -EPROTO;
	if ((first & 0x20u) != 0 && packet->len > 0)
		padding = packet->body[packet->len - 1];
	if (padding > packet->len || ((first & 0x20u) != 0 && padding == 0))
		return -EPROTO;
	packet->len -= padding;
	return 0;
}

int
rtc_rtcp_read(const uint8_t *data, size_t len, const struct rtc_rtcp_ops *ops, void *arg)
{
	struct reading reading = { .ops = ops, .arg = arg };
	struct byte_reader reader;

	byte_reader_init(&reader, data, len);
	do {
		struct packet packet;
		int err = take_packet(&reader, &packet);

		if (err < 0)
			return err;
		read_packet(&reading, &packet);
	} while (reader.len - reader.pos > 0);
	return 0;
}
