/*
 * RTCP written: what we tell a viewer, and what a viewer would tell us.
 */
#include "config.h"

#include "rtc/rtcp.h"
#include "rtc/rtcp_int.h"

#include "media/bytes.h"

#include <errno.h>
#include <string.h>

#define NTP_UNIX_S       INT64_C(2208988800) /* 1900 to 1970 */
#define NS_PER_S         INT64_C(1000000000)
#define SDES_CNAME       1u
#define ROUND_TRIP_MAX   INT64_C(60000000)
#define ROUND_TRIP_SLACK INT64_C(2000) /* us that clocks and their resolution may be off */
#define REMB_MANTISSA    0x3ffffu

uint64_t
rtc_rtcp_ntp(int64_t realtime_ns)
{
	int64_t s = realtime_ns / NS_PER_S, ns = realtime_ns % NS_PER_S;

	if (ns < 0) {
		s--;
		ns += NS_PER_S;
	}
	return (uint64_t)(s + NTP_UNIX_S) << 32 | ((uint64_t)ns << 32) / (uint64_t)NS_PER_S;
}

uint32_t
rtc_rtcp_ntp_middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

int64_t
rtc_rtcp_round_trip_us(const struct rtc_rtcp_report *report, uint64_t now_ntp)
{
	int32_t took;
	int64_t us;

	if (report->last_sr == 0)
		return -1;
	took = (int32_t)(rtc_rtcp_ntp_middle(now_ntp) - report->last_sr - report->delay_since_sr);
	us = (int64_t)took * 1000000 / 65536;
	if (us < -ROUND_TRIP_SLACK || us > ROUND_TRIP_MAX)
		return -1;
	return us > 0 ? us : 0;
}

/* A packet is begun with room for all of it, or not at all. */
static int
begin(struct rtc_rtcp_out *out, unsigned count, unsigned type, size_t body,
      struct byte_writer *writer)
{
	if (out->cap - out->len < 4 + body)
		return -EMSGSIZE;
	byte_writer_init_fixed(writer, out->data + out->len, 4 + body);
	byte_writer_u8(writer, (uint8_t)(0x80u | count));
	byte_writer_u8(writer, (uint8_t)type);
	byte_writer_u16(writer, (uint16_t)(body / 4));
	return 0;
}

static int
end(struct rtc_rtcp_out *out, const struct byte_writer *writer)
{
	if (writer->err < 0)
		return writer->err;
	out->len += writer->len;
	return 0;
}

int
rtc_rtcp_write_sr(struct rtc_rtcp_out *out, const struct rtc_rtcp_sender *sender)
{
	struct byte_writer writer;
	int err = begin(out, 0, RTCP_SR, 24, &writer);

	if (err < 0)
		return err;
	byte_writer_u32(&writer, sender->ssrc);
	byte_writer_u64(&writer, sender->ntp);
	byte_writer_u32(&writer, sender->timestamp);
	byte_writer_u32(&writer, sender->packets);
	byte_writer_u32(&writer, sender->octets);
	return end(out, &writer);
}

int
rtc_rtcp_write_sdes(struct rtc_rtcp_out *out, uint32_t ssrc, const char *cname)
{
	size_t len = strlen(cname), body = (4 + 2 + len + 4) & ~(size_t)3; /* at least one zero */
	struct byte_writer writer;
	int err = len > 255 ? -EMSGSIZE : begin(out, 1, RTCP_SDES, body, &writer);

	if (err < 0)
		return err;
	byte_writer_u32(&writer, ssrc);
	byte_writer_u8(&writer, SDES_CNAME);
	byte_writer_u8(&writer, (uint8_t)len);
	byte_writer_bytes(&writer, cname, len);
	byte_writer_zeros(&writer, body - 6 - len);
	return end(out, &writer);
}

static void
xr_block(struct byte_writer *writer, unsigned type, unsigned words)
{
	byte_writer_u8(writer, (uint8_t)type);
	byte_writer_u8(writer, 0);
	byte_writer_u16(writer, (uint16_t)words);
}

int
rtc_rtcp_write_dlrr(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t about, uint32_t last_rr,
		    uint32_t delay)
{
	struct byte_writer writer;
	int err = begin(out, 0, RTCP_XR, 20, &writer);

	if (err < 0)
		return err;
	byte_writer_u32(&writer, ssrc);
	xr_block(&writer, XR_DLRR, 3);
	byte_writer_u32(&writer, about);
	byte_writer_u32(&writer, last_rr);
	byte_writer_u32(&writer, delay);
	return end(out, &writer);
}

int
rtc_rtcp_write_rrtr(struct rtc_rtcp_out *out, uint32_t ssrc, uint64_t ntp)
{
	struct byte_writer writer;
	int err = begin(out, 0, RTCP_XR, 16, &writer);

	if (err < 0)
		return err;
	byte_writer_u32(&writer, ssrc);
	xr_block(&writer, XR_RRTR, 2);
	byte_writer_u64(&writer, ntp);
	return end(out, &writer);
}

int
rtc_rtcp_write_bye(struct rtc_rtcp_out *out, uint32_t ssrc)
{
	struct byte_writer writer;
	int err = begin(out, 1, RTCP_BYE, 4, &writer);

	if (err < 0)
		return err;
	byte_writer_u32(&writer, ssrc);
	return end(out, &writer);
}

int
rtc_rtcp_write_rr(struct rtc_rtcp_out *out, uint32_t ssrc, const struct rtc_rtcp_report *report)
{
	struct byte_writer writer;
	int err =
	    begin(out, report != NULL, RTCP_RR, report != NULL ? 4 + REPORT_BYTES : 4, &writer);

	if (err < 0)
		return err;
	byte_writer_u32(&writer, ssrc);
	if (report != NULL) {
		byte_writer_u32(&writer, report->ssrc);
		byte_writer_u8(&writer, report->fraction_lost);
		byte_writer_u24(&writer, (uint32_t)report->lost & 0xffffffu);
		byte_writer_u32(&writer, report->highest_seq);
		byte_writer_u32(&writer, report->jitter);
		byte_writer_u32(&writer, report->last_sr);
		byte_writer_u32(&writer, report->delay_since_sr);
	}
	return end(out, &writer);
}

static int
begin_feedback(struct rtc_rtcp_out *out, unsigned type, unsigned format, size_t body,
	       const uint32_t ssrcs[2], struct byte_writer *writer)
{
	int err = begin(out, format, type, 8 + body, writer);

	if (err < 0)
		return err;
	byte_writer_u32(writer, ssrcs[0]);
	byte_writer_u32(writer, ssrcs[1]);
	return 0;
}

/* How many of the ascending numbers from seqs[0] on fit into one entry, and its mask. */
static size_t
nack_entry(const uint16_t *seqs, size_t n, uint16_t *mask)
{
	size_t taken = 1;

	*mask = 0;
	for (; taken < n; taken++) {
		unsigned ahead = (uint16_t)(seqs[taken] - seqs[0]);

		if (ahead < 1 || ahead > 16)
			break;
		*mask |= (uint16_t)(1u << (ahead - 1));
	}
	return taken;
}

int
rtc_rtcp_write_nack(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media, const uint16_t *seqs,
		    size_t n)
{
	size_t entries = 0;
	struct byte_writer writer;
	uint16_t mask;
	int err;

	for (size_t i = 0; i < n; i += nack_entry(seqs + i, n - i, &mask))
		entries++;
	err = begin_feedback(out, RTCP_RTPFB, RTPFB_NACK, entries * 4,
			     (const uint32_t[]){ ssrc, media }, &writer);
	if (err < 0)
		return err;
	for (size_t i = 0; i < n;) {
		size_t taken = nack_entry(seqs + i, n - i, &mask);

		byte_writer_u16(&writer, seqs[i]);
		byte_writer_u16(&writer, mask);
		i += taken;
	}
	return end(out, &writer);
}

int
rtc_rtcp_write_pli(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media)
{
	struct byte_writer writer;
	int err =
	    begin_feedback(out, RTCP_PSFB, PSFB_PLI, 0, (const uint32_t[]){ ssrc, media }, &writer);

	return err < 0 ? err : end(out, &writer);
}

int
rtc_rtcp_write_fir(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media, uint8_t seq)
{
	struct byte_writer writer;
	int err =
	    begin_feedback(out, RTCP_PSFB, PSFB_FIR, 8, (const uint32_t[]){ ssrc, 0 }, &writer);

	if (err < 0)
		return err;
	byte_writer_u32(&writer, media);
	byte_writer_u32(&writer, (uint32_t)seq << 24);
	return end(out, &writer);
}

int
rtc_rtcp_write_remb(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media, uint64_t bits_per_s)
{
	unsigned exponent = 0;
	struct byte_writer writer;
	int err =
	    begin_feedback(out, RTCP_PSFB, PSFB_AFB, 12, (const uint32_t[]){ ssrc, 0 }, &writer);

	if (err < 0)
		return err;
	while (bits_per_s >> exponent > REMB_MANTISSA)
		exponent++;
	byte_writer_u32(&writer, REMB_NAME);
	byte_writer_u32(&writer, 1u << 24 | exponent << 18 | (uint32_t)(bits_per_s >> exponent));
	byte_writer_u32(&writer, media);
	return end(out, &writer);
}

/* How a packet's arrival is told: 0 not, 1 in one byte, 2 in two. */
static unsigned
delta_size(int32_t delta_us)
{
	if (delta_us == RTC_RTCP_TWCC_LOST)
		return 0;
	return delta_us >= 0 && delta_us / TWCC_UNIT_US <= UINT8_MAX ? 1 : 2;
}

/* Chunks of seven, two bits for each: simple, and never longer than a run would need at worst. */
static void
write_twcc_chunks(struct byte_writer *writer, const struct rtc_rtcp_twcc *twcc)
{
	for (unsigned i = 0; i < twcc->count; i += 7) {
		unsigned chunk = 0xc000u;

		for (unsigned j = 0; j < 7 && i + j < twcc->count; j++)
			chunk |= delta_size(twcc->delta_us[i + j]) << (12 - 2 * j);
		byte_writer_u16(writer, (uint16_t)chunk);
	}
}

int
rtc_rtcp_write_twcc(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media,
		    const struct rtc_rtcp_twcc *twcc)
{
	size_t bytes = 8 + ((size_t)twcc->count + 6) / 7 * 2, body;
	struct byte_writer writer;
	int err;

	for (unsigned i = 0; i < twcc->count; i++)
		bytes += delta_size(twcc->delta_us[i]);
	body = (bytes + 3) & ~(size_t)3;
	err = begin_feedback(out, RTCP_RTPFB, RTPFB_TWCC, body, (const uint32_t[]){ ssrc, media },
			     &writer);
	if (err < 0)
		return err;
	byte_writer_u16(&writer, twcc->base_seq);
	byte_writer_u16(&writer, twcc->count);
	byte_writer_u24(&writer, (uint32_t)(twcc->reference_us / TWCC_TIME_UNIT) & 0xffffffu);
	byte_writer_u8(&writer, twcc->feedback);
	write_twcc_chunks(&writer, twcc);
	for (unsigned i = 0; i < twcc->count; i++) {
		unsigned size = delta_size(twcc->delta_us[i]);

		if (size == 1)
			byte_writer_u8(&writer, (uint8_t)(twcc->delta_us[i] / TWCC_UNIT_US));
		else if (size == 2)
			byte_writer_u16(&writer, (uint16_t)(twcc->delta_us[i] / TWCC_UNIT_US));
	}
	byte_writer_zeros(&writer, body - bytes);
	return end(out, &writer);
}
