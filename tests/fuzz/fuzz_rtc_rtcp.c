/*
 * A viewer's RTCP, and what becomes of it: into an estimate of its link, written again as we would
 * write it, and through SRTCP: as it is it must never be authentic, protected it must come back.
 */
#include "config.h"

#include "rtc/estimate.h"
#include "rtc/rtcp.h"
#include "rtc/srtp.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define COMPOUND_MAX 1500u
#define MS           INT64_C(1000000)

struct session {
	struct rtc_estimate *estimate;
	int64_t now_ns;
	unsigned nacks;
};

static void
on_report(const struct rtc_rtcp_report *report, void *arg)
{
	struct session *session = arg;
	int64_t round_trip_us = rtc_rtcp_round_trip_us(report, rtc_rtcp_ntp(session->now_ns));

	FUZZ_CHECK(round_trip_us >= -1);
	FUZZ_CHECK(report->lost >= -0x800000 && report->lost <= 0x7fffff);
	rtc_estimate_on_report(session->estimate, report, round_trip_us, session->now_ns);
}

static void
on_nack(uint32_t ssrc, uint16_t seq, void *arg)
{
	struct session *session = arg;

	(void)ssrc;
	(void)seq;
	FUZZ_CHECK(++session->nacks <= RTC_RTCP_NACKS_MAX);
}

static void
on_remb(uint64_t bits_per_s, void *arg)
{
	struct session *session = arg;

	rtc_estimate_on_remb(session->estimate, bits_per_s, session->now_ns);
}

static void
on_again(const struct rtc_rtcp_twcc *twcc, void *arg)
{
	const struct rtc_rtcp_twcc *was = arg;

	FUZZ_CHECK(twcc->base_seq == was->base_seq && twcc->count == was->count);
	FUZZ_CHECK(twcc->reference_us == was->reference_us);
	FUZZ_CHECK(memcmp(twcc->delta_us, was->delta_us, twcc->count * sizeof(*twcc->delta_us)) ==
		   0);
}

static void
on_twcc(const struct rtc_rtcp_twcc *twcc, void *arg)
{
	static const struct rtc_rtcp_ops again = { .on_twcc = on_again };
	struct session *session = arg;
	uint8_t bytes[4096];
	struct rtc_rtcp_out out = { bytes, sizeof(bytes), 0 };

	FUZZ_CHECK(twcc->count >= 1 && twcc->count <= RTC_RTCP_TWCC_MAX);
	rtc_estimate_on_twcc(session->estimate, twcc, session->now_ns);
	FUZZ_CHECK(rtc_rtcp_write_twcc(&out, 1, 2, twcc) == 0);
	FUZZ_CHECK(rtc_rtcp_read(bytes, out.len, &again, (void *)(uintptr_t)twcc) == 0);
}

static const struct rtc_rtcp_ops ops = {
	.on_report = on_report, .on_nack = on_nack, .on_remb = on_remb, .on_twcc = on_twcc
};

static void
check_estimate(struct session *session)
{
	struct rtc_estimate_state state;

	for (int i = 0; i < 8; i++) {
		FUZZ_CHECK(rtc_estimate_advice(session->estimate, session->now_ns) <=
			   RTC_ADVICE_KEYS_ONLY);
		(void)rtc_estimate_is_full(session->estimate, session->now_ns);
		rtc_estimate_look(session->estimate, session->now_ns, &state);
		FUZZ_CHECK(state.lost_percent <= 100);
		session->now_ns += 700 * MS;
	}
}

static void
check_srtcp(const uint8_t *data, size_t size, enum rtc_srtp_profile profile)
{
	static const uint8_t exported[RTC_SRTP_EXPORT_BYTES_MAX] = { 1, 2, 3 };
	struct rtc_srtp *to = NULL, *from = NULL;
	uint8_t bytes[COMPOUND_MAX + RTC_SRTP_TAIL_BYTES];
	size_t len = size;

	FUZZ_CHECK(rtc_srtp_new(profile, exported, true, &to) == 0);
	FUZZ_CHECK(rtc_srtp_new(profile, exported, true, &from) == 0);
	memcpy(bytes, data, size);
	FUZZ_CHECK(rtc_srtcp_unprotect(from, bytes, &len) < 0);
	len = size;
	memcpy(bytes, data, size);
	FUZZ_CHECK(rtc_srtp_unprotect(from, bytes, &len) < 0);
	len = size;
	memcpy(bytes, data, size);
	if (rtc_srtcp_protect(to, bytes, sizeof(bytes), &len) == 0) {
		FUZZ_CHECK(len > size && len <= size + RTC_SRTP_TAIL_BYTES);
		FUZZ_CHECK(rtc_srtcp_unprotect(from, bytes, &len) == 0);
		FUZZ_CHECK(len == size && memcmp(bytes, data, size) == 0);
	}
	rtc_srtp_free(&to);
	rtc_srtp_free(&from);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session session = { .now_ns = 1000 * MS };

	if (size > COMPOUND_MAX)
		size = COMPOUND_MAX;
	session.estimate = rtc_estimate_new(session.now_ns);
	for (unsigned i = 0; i < 200; i++, session.now_ns += MS)
		rtc_estimate_on_sent(session.estimate, (uint16_t)(65400 + i), 1200, session.now_ns);
	(void)rtc_rtcp_is(data, size);
	(void)rtc_rtcp_read(data, size, &ops, &session);
	check_estimate(&session);
	rtc_estimate_free(&session.estimate);
	check_srtcp(data, size, RTC_SRTP_AEAD_AES_128_GCM);
	check_srtcp(data, size, RTC_SRTP_AES128_CM_SHA1_80);
	return 0;
}
