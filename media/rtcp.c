/*
 * RTCP in and out: what a camera's sender reports say, and the receiver reports it gets. All counts
 * are kept modulo 2^32 as RFC 3550 does, so that a stream may go on for years.
 */
#include "config.h"

#include "media/rtcp.h"

#include "media/bytes.h"
#include "media/rtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RTCP_SR = 200, RTCP_RR = 201, RTCP_SDES = 202, RTCP_BYE = 203 };

#define RTP_VERSION     2
#define SENDER_WORDS    6u /* of a sender report without blocks: SSRC and sender info */
#define NS_PER_S        INT64_C(1000000000)
#define NTP_TO_UNIX_S   INT64_C(2208988800)
#define ERA_S           (INT64_C(1) << 32)
#define SDES_CNAME      1
#define CNAME_MAX       85u /* what RTCP_RR_BYTES_MAX leaves */
#define LOST_MAX        0x7fffff
#define SEQ_DROPOUT_MAX 3000 /* RFC 3550 A.1 */
#define SEQ_MISORDER    100

static void
read_sender(struct byte_reader *body, struct rtcp_seen *seen)
{
	struct rtcp_sender_report *sr = &seen->sr;

	seen->has_sr = true;
	sr->ssrc = byte_reader_u32(body);
	sr->ntp = (uint64_t)byte_reader_u32(body) << 32;
	sr->ntp |= byte_reader_u32(body);
	sr->rtp_timestamp = byte_reader_u32(body);
	sr->packets = byte_reader_u32(body);
	sr->octets = byte_reader_u32(body);
}

/* One packet of the compound; what is not for us is passed over. */
static int
read_packet(struct byte_reader *reader, struct rtcp_seen *seen)
{
	unsigned first = byte_reader_u8(reader), type = byte_reader_u8(reader);
	size_t words = byte_reader_u16(reader);
	const uint8_t *bytes = byte_reader_bytes(reader, words * 4);
	struct byte_reader body;

	if (bytes == NULL || first >> 6 != RTP_VERSION)
		return -EPROTO;
	byte_reader_init(&body, bytes, words * 4);
	if (type == RTCP_SR && words < SENDER_WORDS)
		return -EPROTO;
	if (type == RTCP_SR)
		read_sender(&body, seen);
	if (type == RTCP_BYE && (first & 0x1f) > 0) {
		if (words == 0)
			return -EPROTO;
		seen->has_bye = true;
		seen->bye_ssrc = byte_reader_u32(&body);
	}
	return 0;
}

int
rtcp_parse(const uint8_t *data, size_t len, struct rtcp_seen *seen)
{
	struct byte_reader reader;
	int err;

	*seen = (struct rtcp_seen){ .has_sr = false };
	byte_reader_init(&reader, data, len);
	do
		err = read_packet(&reader, seen);
	while (err == 0 && reader.pos < len);
	return err;
}

int64_t
rtcp_ntp_to_realtime_ns(uint64_t ntp, int64_t near_realtime_ns)
{
	int64_t near_s = near_realtime_ns / NS_PER_S;
	int64_t unix_s = (int64_t)(ntp >> 32) - NTP_TO_UNIX_S;
	int64_t fraction_ns = (int64_t)(((ntp & UINT32_MAX) * (uint64_t)NS_PER_S) >> 32);

	while (near_s - unix_s > ERA_S / 2)
		unix_s += ERA_S;
	/* Later eras only as far as 64 bits of nanoseconds go. */
	if (unix_s >= INT64_MAX / NS_PER_S)
		unix_s -= ERA_S;
	return unix_s * NS_PER_S + fraction_ns;
}

/* The caller's clock in ticks of the source, modulo 2^32. */
static uint32_t
ticks_of(int64_t ns, uint32_t clock_rate)
{
	uint64_t s = (uint64_t)(ns / NS_PER_S), rest = (uint64_t)(ns % NS_PER_S);

	return (uint32_t)(s * clock_rate + rest * clock_rate / (uint64_t)NS_PER_S);
}

static void
account_begin(struct rtcp_account *account, uint16_t seq, int32_t transit)
{
	account->has_packet = true;
	account->base_seq = seq;
	account->highest_seq = seq;
	account->received = 0;
	account->expected_prior = 0;
	account->received_prior = 0;
	account->jitter_q4 = 0;
	account->transit = transit;
}

/* RFC 3550 A.8 */
static void
account_jitter(struct rtcp_account *account, int32_t transit)
{
	int64_t change =
	    llabs((long long)(int32_t)((uint32_t)transit - (uint32_t)account->transit));

	account->transit = transit;
	account->jitter_q4 += change - ((account->jitter_q4 + 8) >> 4);
}

void
rtcp_account_on_packet(struct rtcp_account *account, uint32_t ssrc, uint16_t seq,
		       uint32_t rtp_timestamp, uint32_t clock_rate, int64_t arrived_ns)
{
	int32_t transit = (int32_t)(ticks_of(arrived_ns, clock_rate) - rtp_timestamp);
	int ahead = rtp_seq_diff(seq, account->highest_seq);

	account->ssrc = ssrc;
	if (!account->has_packet || ahead > SEQ_DROPOUT_MAX || ahead < -SEQ_MISORDER)
		account_begin(account, seq, transit);
	else
		account_jitter(account, transit);
	if (rtp_seq_diff(seq, account->highest_seq) > 0)
		account->highest_seq = seq;
	account->received++;
}

void
rtcp_account_on_sr(struct rtcp_account *account, const struct rtcp_sender_report *sr,
		   int64_t arrived_ns)
{
	account->last_sr = (uint32_t)(sr->ntp >> 16);
	account->last_sr_ns = arrived_ns;
}

static unsigned
fraction_lost(struct rtcp_account *account, uint32_t expected)
{
	int32_t expected_interval = (int32_t)(expected - (uint32_t)account->expected_prior);
	int32_t received_interval = (int32_t)(account->received - account->received_prior);
	int64_t lost = (int64_t)expected_interval - received_interval;

	account->expected_prior = expected;
	account->received_prior = account->received;
	if (lost <= 0)
		return 0;
	return lost >= expected_interval ? 255 : (unsigned)((lost << 8) / expected_interval);
}

/* RFC 3550 6.4.1: in units of 1/65536 s, 0 without a sender report. */
static uint32_t
delay_since_sr(const struct rtcp_account *account, int64_t now_ns)
{
	int64_t delay_ns = now_ns - account->last_sr_ns;

	if (account->last_sr == 0 || delay_ns <= 0)
		return 0;
	if (delay_ns / NS_PER_S > UINT16_MAX)
		return UINT32_MAX;
	return (uint32_t)(delay_ns / NS_PER_S * 65536 + delay_ns % NS_PER_S * 65536 / NS_PER_S);
}

static void
write_block(struct byte_writer *out, struct rtcp_account *account, uint32_t highest_extended,
	    int64_t now_ns)
{
	uint32_t expected = highest_extended - account->base_seq + 1;
	int32_t lost = (int32_t)(expected - (uint32_t)account->received);

	if (lost > LOST_MAX)
		lost = LOST_MAX;
	if (lost < -LOST_MAX - 1)
		lost = -LOST_MAX - 1;
	byte_writer_u32(out, account->ssrc);
	byte_writer_u8(out, (uint8_t)fraction_lost(account, expected));
	byte_writer_u24(out, (uint32_t)lost & 0xffffff);
	byte_writer_u32(out, highest_extended);
	byte_writer_u32(out, (uint32_t)(account->jitter_q4 >> 4));
	byte_writer_u32(out, account->last_sr);
	byte_writer_u32(out, delay_since_sr(account, now_ns));
}

static void
write_cname(struct byte_writer *out, uint32_t our_ssrc, const char *cname)
{
	size_t len = cname != NULL ? strnlen(cname, CNAME_MAX) : 0;
	size_t padding = 4 - (2 + len) % 4; /* at least one zero ends the items */

	byte_writer_u8(out, RTP_VERSION << 6 | 1);
	byte_writer_u8(out, RTCP_SDES);
	byte_writer_u16(out, (uint16_t)(1 + (2 + len + padding) / 4));
	byte_writer_u32(out, our_ssrc);
	byte_writer_u8(out, SDES_CNAME);
	byte_writer_u8(out, (uint8_t)len);
	byte_writer_bytes(out, cname != NULL ? cname : "", len);
	byte_writer_zeros(out, padding);
}

size_t
rtcp_write_rr(struct rtcp_account *account, uint32_t our_ssrc, uint32_t highest_extended,
	      const char *cname, int64_t now_ns, uint8_t out[RTCP_RR_BYTES_MAX])
{
	struct byte_writer writer;

	byte_writer_init_fixed(&writer, out, RTCP_RR_BYTES_MAX);
	byte_writer_u8(&writer, RTP_VERSION << 6 | (account->has_packet ? 1 : 0));
	byte_writer_u8(&writer, RTCP_RR);
	byte_writer_u16(&writer, account->has_packet ? 7 : 1);
	byte_writer_u32(&writer, our_ssrc);
	if (account->has_packet)
		write_block(&writer, account, highest_extended, now_ns);
	write_cname(&writer, our_ssrc, cname);
	return writer.len;
}
