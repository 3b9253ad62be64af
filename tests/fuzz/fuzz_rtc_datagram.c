/*
 * Datagrams of somebody whose checks were right, one behind the other with two bytes of length
 * before each: what they are taken for, and a DTLS server that gets those that are records. Its
 * clock moves a little between them, so that its timers run.
 */
#include "config.h"

#include "rtc/demux.h"
#include "rtc/dtls.h"
#include "shared/clock.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define DATAGRAM_MAX  2048u
#define DATAGRAMS_MAX 16
#define SENT_MAX      (64u << 10) /* of one who sends so little */
#define STEP_MS       30

static size_t sent;
static unsigned ends;

static void
on_send(void *arg, const uint8_t *data, size_t len)
{
	(void)arg;
	FUZZ_CHECK(len > 0 && len <= 1200);
	FUZZ_CHECK(rtc_demux(data, len) == RTC_KIND_DTLS);
	FUZZ_CHECK(rtc_demux_check_dtls(data, len) == 0);
	sent += len;
}

static void
on_up(void *arg, struct rtc_srtp *in, struct rtc_srtp *out, size_t overhead)
{
	(void)arg;
	(void)overhead;
	rtc_srtp_free(&in);
	rtc_srtp_free(&out);
}

static void
on_end(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	ends++;
}

static void
on_farewell(void *arg)
{
	(void)arg;
}

static enum rtc_kind
look(const uint8_t *data, size_t len)
{
	enum rtc_kind kind = rtc_demux(data, len);

	FUZZ_CHECK(kind == RTC_KIND_NONE || len >= 8);
	FUZZ_CHECK(kind != RTC_KIND_RTCP || (data[0] >> 6 == 2 && data[1] >= 192));
	FUZZ_CHECK(kind != RTC_KIND_RTP || data[0] >> 6 == 2);
	return kind;
}

static void
feed(struct rtc_dtls *dtls, struct clock *clock, const uint8_t *data, size_t size)
{
	for (int n = 0; n < DATAGRAMS_MAX && size >= 2; n++) {
		uint8_t copy[DATAGRAM_MAX];
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		len = len > size ? size : len;
		len = len > sizeof(copy) ? sizeof(copy) : len;
		memcpy(copy, data, len);
		if (look(copy, len) == RTC_KIND_DTLS && rtc_demux_check_dtls(copy, len) == 0)
			rtc_dtls_input(dtls, copy, len);
		clock_advance_ms(clock, STEP_MS);
		data += len;
		size -= len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rtc_dtls_ops ops = {
		.send = on_send, .on_up = on_up, .on_end = on_end, .on_farewell = on_farewell
	};
	static const struct rtc_dtls_fingerprint peer = { .hash = "sha-256", .len = 32 };
	static struct rtc_dtls_context *context;
	struct clock *clock = clock_new_fake(1000000);
	struct rtc_dtls *dtls;

	if (context == NULL)
		context = rtc_dtls_context_new();
	sent = ends = 0;
	dtls = rtc_dtls_new(context, clock, &peer, &ops, NULL);
	feed(dtls, clock, data, size);
	rtc_dtls_close(dtls);
	rtc_dtls_free(&dtls);
	FUZZ_CHECK(ends <= 1);
	FUZZ_CHECK(sent <= SENT_MAX);
	FUZZ_CHECK(clock_timers_set(clock) == 0);
	clock_free(&clock);
	return 0;
}
