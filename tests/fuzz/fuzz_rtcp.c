/*
 * A camera's RTCP: the input is cut into compounds by a byte of length before each, and what they
 * say goes where it goes in a session: into a clock and into an account, whose report must read
 * well again. First bytes: the clock rate.
 */
#include "config.h"

#include "media/rtcp.h"
#include "media/rtp_clock.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define S         INT64_C(1000000000)
#define START     (INT64_C(1795392000) * S)
#define OUR_SSRC  0x01020304u
#define FIRST     5u
#define ROUND_MAX 1000u

struct session {
	struct rtp_clock clock;
	struct rtcp_account account;
	uint32_t rate;
	uint32_t timestamp;
	uint16_t seq;
	int64_t now_ns;
};

static void
check_report(struct session *session)
{
	uint8_t out[RTCP_RR_BYTES_MAX];
	struct rtcp_seen seen;
	size_t len = rtcp_write_rr(&session->account, OUR_SSRC, session->seq, "camhub",
				   session->now_ns, out);

	FUZZ_CHECK(len % 4 == 0 && len >= 24 && len <= sizeof(out));
	FUZZ_CHECK(rtcp_parse(out, len, &seen) == 0);
	FUZZ_CHECK(!seen.has_sr && !seen.has_bye);
}

static void
check_clock(const struct session *session)
{
	int64_t captured_ns = 0;
	bool is_synced = false;

	FUZZ_CHECK(session->clock.slope_ppb >= -S / 20 && session->clock.slope_ppb <= S / 20);
	if (!rtp_clock_captured(&session->clock, session->timestamp, &captured_ns, &is_synced))
		return;
	FUZZ_CHECK(captured_ns > 0);
	FUZZ_CHECK(!session->clock.is_bad);
}

/* A packet, then a compound. */
static void
act(struct session *session, const uint8_t *data, size_t len)
{
	struct rtcp_seen seen;

	if (len > 0) {
		session->timestamp += (uint32_t)data[0] << (data[len - 1] & 31);
		session->seq = (uint16_t)(session->seq + data[len - 1]);
		session->now_ns += (int64_t)data[len / 2] * S / 16;
	}
	(void)rtp_clock_stream_ns(&session->clock, session->timestamp);
	rtcp_account_on_packet(&session->account, 7, session->seq, session->timestamp,
			       session->rate, session->now_ns);
	(void)rtcp_parse(data, len, &seen);
	if (seen.has_sr) {
		rtp_clock_on_report(&session->clock, seen.sr.ntp, seen.sr.rtp_timestamp,
				    session->now_ns);
		rtcp_account_on_sr(&session->account, &seen.sr, session->now_ns);
	}
	check_clock(session);
	check_report(session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session session = { .now_ns = START };
	struct rtcp_seen seen;

	(void)rtcp_parse(data, size, &seen);
	if (size < FIRST)
		return 0;
	session.rate =
	    (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
	rtp_clock_init(&session.clock, session.rate);
	check_report(&session);
	for (size_t at = 4, n = 0; at < size && n < ROUND_MAX; n++) {
		size_t len = data[at] < size - at - 1 ? data[at] : size - at - 1;

		act(&session, data + at + 1, len);
		at += 1 + len;
	}
	return 0;
}
