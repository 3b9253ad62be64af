/*
 * RTCP of viewers: what is written is read again, what the drafts show is read as they say, and
 * what is cut or lies about its lengths is not believed.
 */
#include "config.h"

#include "rtc/rtcp.h"
#include "tests/media_data.h"

#include "media/rtcp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

/* What was told, as text, one event after the other. */
struct told {
	char text[16384];
	size_t len;
	struct rtc_rtcp_report report;
	struct rtc_rtcp_twcc twcc;
	int32_t deltas[RTC_RTCP_TWCC_MAX];
	unsigned nacks, twccs;
	uint64_t remb;
};

__attribute__((format(printf, 2, 3))) static void
tell(struct told *told, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	told->len +=
	    (size_t)vsnprintf(told->text + told->len, sizeof(told->text) - told->len, format, args);
	va_end(args);
	ck_assert_uint_lt(told->len, sizeof(told->text));
}

static void
on_report(const struct rtc_rtcp_report *report, void *arg)
{
	struct told *told = arg;

	told->report = *report;
	tell(told, "report %u;", report->ssrc);
}

static void
on_nack(uint32_t ssrc, uint16_t seq, void *arg)
{
	struct told *told = arg;

	if (told->nacks++ < 100)
		tell(told, "nack %u %u;", ssrc, seq);
}

static void
on_pli(uint32_t ssrc, void *arg)
{
	tell(arg, "pli %u;", ssrc);
}

static void
on_fir(uint32_t ssrc, uint8_t seq, void *arg)
{
	tell(arg, "fir %u %u;", ssrc, seq);
}

static void
on_remb(uint64_t bits_per_s, void *arg)
{
	struct told *told = arg;

	told->remb = bits_per_s;
	tell(told, "remb;");
}

static void
on_twcc(const struct rtc_rtcp_twcc *twcc, void *arg)
{
	struct told *told = arg;

	ck_assert_uint_le(twcc->count, RTC_RTCP_TWCC_MAX);
	told->twcc = *twcc;
	memcpy(told->deltas, twcc->delta_us, twcc->count * sizeof(*twcc->delta_us));
	told->twccs++;
	tell(told, "twcc;");
}

static void
on_rrtr(uint32_t sender, uint64_t ntp, void *arg)
{
	tell(arg, "rrtr %u %llx;", sender, (unsigned long long)ntp);
}

static void
on_sr(uint32_t sender, uint64_t ntp, uint32_t timestamp, void *arg)
{
	tell(arg, "sr %u %llx %u;", sender, (unsigned long long)ntp, timestamp);
}

static void
on_dlrr(uint32_t ssrc, uint32_t last_rr, uint32_t delay, void *arg)
{
	tell(arg, "dlrr %u %u %u;", ssrc, last_rr, delay);
}

static void
on_bye(uint32_t ssrc, void *arg)
{
	tell(arg, "bye %u;", ssrc);
}

static const struct rtc_rtcp_ops ops = {
	.on_report = on_report,
	.on_nack = on_nack,
	.on_pli = on_pli,
	.on_fir = on_fir,
	.on_remb = on_remb,
	.on_twcc = on_twcc,
	.on_rrtr = on_rrtr,
	.on_sr = on_sr,
	.on_dlrr = on_dlrr,
	.on_bye = on_bye,
};

static struct told *
read_bytes(const uint8_t *bytes, size_t len, int expected)
{
	struct told *told = calloc(1, sizeof(*told));
	uint8_t *copy = data_copy(bytes, len);

	ck_assert_int_eq(rtc_rtcp_read(copy, len, &ops, told), expected);
	free(copy);
	return told;
}

static void
expect_told(const uint8_t *bytes, size_t len, const char *text)
{
	struct told *told = read_bytes(bytes, len, 0);

	ck_assert_str_eq(told->text, text);
	free(told);
}

/* Everything that can be written, one behind the other. */
static size_t
write_all(uint8_t *bytes, size_t cap)
{
	static const uint16_t lost[] = { 65534, 65535, 0, 14, 15, 100 };
	static const int32_t deltas[] = { 0, 250, RTC_RTCP_TWCC_LOST, 63750, 64000, -250, 5000, 0 };
	struct rtc_rtcp_twcc twcc = { .feedback = 9,
				      .base_seq = 65533,
				      .count = 8,
				      .reference_us = 64000 * 77,
				      .delta_us = deltas };
	struct rtc_rtcp_sender sender = { 1, 2, UINT64_C(0x0102030405060708), 3, 4 };
	struct rtc_rtcp_report report = { 1, 64, -5, 0x10203, 99, 5, 6 };
	struct rtc_rtcp_out out = { bytes, cap, 0 };

	ck_assert_int_eq(rtc_rtcp_write_sr(&out, &sender), 0);
	ck_assert_int_eq(rtc_rtcp_write_sdes(&out, 1, "door"), 0);
	ck_assert_int_eq(rtc_rtcp_write_dlrr(&out, 1, 2, 3, 4), 0);
	ck_assert_int_eq(rtc_rtcp_write_rr(&out, 7, &report), 0);
	ck_assert_int_eq(rtc_rtcp_write_rr(&out, 7, NULL), 0);
	ck_assert_int_eq(rtc_rtcp_write_nack(&out, 7, 1, lost, 6), 0);
	ck_assert_int_eq(rtc_rtcp_write_pli(&out, 7, 1), 0);
	ck_assert_int_eq(rtc_rtcp_write_fir(&out, 7, 1, 200), 0);
	ck_assert_int_eq(rtc_rtcp_write_remb(&out, 7, 1, 3000000), 0);
	ck_assert_int_eq(rtc_rtcp_write_rrtr(&out, 7, 0xabcdef0123456789), 0);
	ck_assert_int_eq(rtc_rtcp_write_twcc(&out, 7, 1, &twcc), 0);
	ck_assert_int_eq(rtc_rtcp_write_bye(&out, 7), 0);
	return out.len;
}

START_TEST(written_is_read)
{
	uint8_t bytes[1024];
	size_t len = write_all(bytes, sizeof(bytes));
	struct told *told = read_bytes(bytes, len, 0);

	ck_assert_uint_eq(len % 4, 0);
	ck_assert_str_eq(told->text,
			 "sr 1 102030405060708 2;dlrr 2 3 4;report 1;nack 1 65534;nack 1 65535;"
			 "nack 1 0;nack 1 14;nack 1 15;nack 1 100;pli 1;fir 1 200;remb;"
			 "rrtr 7 abcdef0123456789;twcc;bye 7;");
	ck_assert_uint_eq(told->report.fraction_lost, 64);
	ck_assert_int_eq(told->report.lost, -5);
	ck_assert_uint_eq(told->report.highest_seq, 0x10203);
	ck_assert_uint_eq(told->report.jitter, 99);
	ck_assert_uint_eq(told->report.last_sr, 5);
	ck_assert_uint_eq(told->report.delay_since_sr, 6);
	ck_assert_uint_eq(told->remb, 3000000);
	ck_assert_uint_eq(told->twcc.base_seq, 65533);
	ck_assert_uint_eq(told->twcc.count, 8);
	ck_assert_uint_eq(told->twcc.feedback, 9);
	ck_assert_int_eq(told->twcc.reference_us, 64000 * 77);
	ck_assert_int_eq(told->deltas[1], 250);
	ck_assert_int_eq(told->deltas[2], RTC_RTCP_TWCC_LOST);
	ck_assert_int_eq(told->deltas[3], 63750);
	ck_assert_int_eq(told->deltas[4], 64000);
	ck_assert_int_eq(told->deltas[5], -250);
	free(told);
}
END_TEST

/* Our own reader of cameras' RTCP reads it as well. */
START_TEST(sender_report_for_others)
{
	uint8_t bytes[64];
	struct rtc_rtcp_sender sender = { 1, 2, UINT64_C(0x0102030405060708), 3, 4 };
	struct rtc_rtcp_out out = { bytes, sizeof(bytes), 0 };
	struct rtcp_seen seen;

	ck_assert_int_eq(rtc_rtcp_write_sr(&out, &sender), 0);
	ck_assert_int_eq(rtc_rtcp_write_sdes(&out, 1, "a"), 0);
	ck_assert_int_eq(rtcp_parse(bytes, out.len, &seen), 0);
	ck_assert(seen.has_sr);
	ck_assert_uint_eq(seen.sr.ntp, sender.ntp);
	ck_assert_uint_eq(seen.sr.packets, 3);
	ck_assert_uint_eq(seen.sr.octets, 4);
}
END_TEST

/* Cut at each byte: what came whole is told, the rest is a fault; and no byte behind is read. */
START_TEST(cut_anywhere)
{
	uint8_t bytes[1024];
	size_t len = write_all(bytes, sizeof(bytes)), whole = 0;

	for (size_t i = 1; i < len; i++) {
		struct told *told;

		while (whole + 4 <= len &&
		       whole + 4 + 4 * ((size_t)bytes[whole + 2] << 8 | bytes[whole + 3]) <= i)
			whole += 4 + 4 * ((size_t)bytes[whole + 2] << 8 | bytes[whole + 3]);
		told = read_bytes(bytes, i, i == whole ? 0 : -EPROTO);
		free(told);
	}
}
END_TEST

/* Room that is missing: nothing is written, nothing is said to be. */
START_TEST(writers_need_room)
{
	for (size_t cap = 0; cap < 52; cap++) {
		uint8_t *bytes = malloc(cap > 0 ? cap : 1);
		struct rtc_rtcp_out out = { bytes, cap, 0 };
		struct rtc_rtcp_sender sender = { 1, 2, 3, 4, 5 };
		int sr = rtc_rtcp_write_sr(&out, &sender), sdes;
		size_t room;

		ck_assert_int_eq(sr, cap < 28 ? -EMSGSIZE : 0);
		ck_assert_uint_eq(out.len, cap < 28 ? 0 : 28);
		room = cap - out.len;
		sdes = rtc_rtcp_write_sdes(&out, 1, "four");
		ck_assert_int_eq(sdes, room < 16 ? -EMSGSIZE : 0);
		ck_assert_uint_eq(cap - out.len, room < 16 ? room : room - 16);
		free(bytes);
	}
}
END_TEST

/* draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1.3 and 3.1.4. */
START_TEST(twcc_chunks_of_the_draft)
{
	/* A run of 221 lost; then seven with two bits, of which two came; vectors of one bit. */
	static const uint8_t bytes[] = {
		0x8f, 205,  0,    8,  0, 0,   0, 7, 0, 0,
		0,    1,    0,    10, 0, 242,             /* base 10, 221 + 7 + 14 packets */
		0xff, 0xff, 0xff, 3,                      /* reference -1, feedback 3 */
		0x00, 0xdd,                               /* run, not received, 221 */
		0xcd, 0x50,                               /* 00 11 01 01 01 00 00: 11 is reserved */
		0xa0, 0x00,                               /* 1 0000 ... wait for what follows */
		4,    8,    12,   1,  0, 0,   0, 0, 0, 0, /* deltas, padding */
	};
	struct told *told = read_bytes(bytes, sizeof(bytes), 0);

	ck_assert_uint_eq(told->twccs, 1);
	ck_assert_uint_eq(told->twcc.base_seq, 10);
	ck_assert_int_eq(told->twcc.reference_us, -64000);
	ck_assert_int_eq(told->deltas[220], RTC_RTCP_TWCC_LOST);
	ck_assert_int_eq(told->deltas[221], RTC_RTCP_TWCC_LOST);
	ck_assert_int_eq(told->deltas[222], RTC_RTCP_TWCC_LOST);
	ck_assert_int_eq(told->deltas[223], 1000);
	ck_assert_int_eq(told->deltas[224], 2000);
	ck_assert_int_eq(told->deltas[225], 3000);
	ck_assert_int_eq(told->deltas[226], RTC_RTCP_TWCC_LOST);
	ck_assert_int_eq(told->deltas[228], 250);
	ck_assert_int_eq(told->deltas[229], RTC_RTCP_TWCC_LOST);
	free(told);
}
END_TEST

/* One after the other in a compound, each of a run of packets that were lost: a few are heeded. */
START_TEST(twccs_without_end)
{
	static const uint8_t one[] = { 0x8f, 205, 0,    5, 0, 0, 0, 7, 0,    0,    0, 1,
				       0,    10,  0x04, 0, 0, 0, 0, 3, 0x04, 0x00, 0, 0 };
	uint8_t all[10 * sizeof(one)];
	struct told *told;

	for (size_t i = 0; i < 10; i++)
		memcpy(all + i * sizeof(one), one, sizeof(one));
	told = read_bytes(all, sizeof(all), 0);
	ck_assert_uint_eq(told->twccs, RTC_RTCP_TWCCS_MAX);
	ck_assert_uint_eq(told->twcc.count, RTC_RTCP_TWCC_MAX);
	free(told);
}
END_TEST

/* Feedback that lies: about more packets than it has bytes for, none, too many, for ever. */
START_TEST(twcc_that_lies)
{
	static const struct {
		unsigned count, chunk;
	} lies[] = {
		{ 0, 0x2001 },     { 10, 0x200a }, /* ten small deltas and no byte */
		{ 65535, 0x3fff }, { RTC_RTCP_TWCC_MAX + 1, 0x1fff },
		{ 100, 0x0000 }, /* a run of none */
		{ 100, 0x0001 },
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint8_t bytes[24] = { 0x8f, 205, 0, 5 };
		struct told *told;

		bytes[14] = (uint8_t)(lies[i].count >> 8);
		bytes[15] = (uint8_t)lies[i].count;
		bytes[20] = (uint8_t)(lies[i].chunk >> 8);
		bytes[21] = (uint8_t)lies[i].chunk;
		told = read_bytes(bytes, sizeof(bytes), 0);
		ck_assert_uint_eq(told->twccs, 0);
		free(told);
	}
}
END_TEST

START_TEST(nacks_are_bounded)
{
	size_t len = 12 + 4 * 1000;
	uint8_t *bytes = calloc(1, len);
	struct told *told;

	bytes[0] = 0x81;
	bytes[1] = 205;
	bytes[2] = (uint8_t)((len / 4 - 1) >> 8);
	bytes[3] = (uint8_t)(len / 4 - 1);
	memset(bytes + 12, 0xff, len - 12);
	told = read_bytes(bytes, len, 0);
	ck_assert_uint_eq(told->nacks, RTC_RTCP_NACKS_MAX);
	free(told);
	free(bytes);
}
END_TEST

START_TEST(remb_is_read_and_bounded)
{
	uint8_t bytes[24] = { 0x8f, 206, 0,   5,   0,   0,   0, 1,    0,    0,
			      0,    0,   'R', 'E', 'M', 'B', 1, 0xff, 0xff, 0xff };
	struct told *told = read_bytes(bytes, sizeof(bytes), 0);

	ck_assert_uint_eq(told->remb, UINT64_MAX >> 1);
	free(told);
	bytes[17] = 5 << 2 | 1; /* exponent 5, mantissa 0x1ffff */
	told = read_bytes(bytes, sizeof(bytes), 0);
	ck_assert_uint_eq(told->remb, UINT64_C(0x1ffff) << 5);
	free(told);
	bytes[12] = 'X';
	expect_told(bytes, sizeof(bytes), "");
}
END_TEST

START_TEST(unknown_is_passed_over)
{
	static const uint8_t bytes[] = {
		0x81, 204, 0, 2, 0, 0, 0, 1, 'n', 'a', 'm', 'e', /* APP */
		0x9f, 205, 0, 2, 0, 0, 0, 1, 0,   0,   0,   9,   /* a format of feedback */
		0x81, 206, 0, 2, 0, 0, 0, 1, 0,   0,   0,   9,   /* PLI */
	};
	struct rtc_rtcp_ops none = { .on_pli = NULL };

	expect_told(bytes, sizeof(bytes), "pli 9;");
	ck_assert_int_eq(rtc_rtcp_read(bytes, sizeof(bytes), &none, NULL), 0);
}
END_TEST

START_TEST(padding)
{
	uint8_t bytes[] = { 0xa1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 4 };

	expect_told(bytes, sizeof(bytes), "pli 9;");
	bytes[15] = 0;
	free(read_bytes(bytes, sizeof(bytes), -EPROTO));
	bytes[15] = 13;
	free(read_bytes(bytes, sizeof(bytes), -EPROTO));
	bytes[15] = 12;
	expect_told(bytes, sizeof(bytes), "");
}
END_TEST

START_TEST(who_is_rtcp)
{
	uint8_t bytes[8] = { 0x80, 200 };

	ck_assert(rtc_rtcp_is(bytes, 8));
	ck_assert(!rtc_rtcp_is(bytes, 7));
	bytes[1] = 0xe0;
	ck_assert(!rtc_rtcp_is(bytes, 8));
	bytes[1] = 96;
	ck_assert(!rtc_rtcp_is(bytes, 8));
	bytes[1] = 200;
	bytes[0] = 0x40;
	ck_assert(!rtc_rtcp_is(bytes, 8));
}
END_TEST

START_TEST(times)
{
	uint64_t ntp = rtc_rtcp_ntp(INT64_C(1795392000) * NS_PER_S + NS_PER_S / 2);
	struct rtc_rtcp_report report = { .last_sr = rtc_rtcp_ntp_middle(ntp),
					  .delay_since_sr = 65536 / 2 };

	ck_assert_uint_eq(ntp & UINT32_MAX, 0x80000000u);
	ck_assert_int_eq(rtcp_ntp_to_realtime_ns(ntp, INT64_C(1795392000) * NS_PER_S),
			 INT64_C(1795392000) * NS_PER_S + NS_PER_S / 2);
	/* 0.75 s later, of which it had it for half a second. */
	ck_assert_int_eq(rtc_rtcp_round_trip_us(&report, ntp + (UINT64_C(3) << 30)), 250000);
	ck_assert_int_eq(rtc_rtcp_round_trip_us(&report, ntp + (UINT64_C(1) << 31)), 0);
	ck_assert_int_eq(rtc_rtcp_round_trip_us(&report, ntp), -1);
	ck_assert_int_eq(rtc_rtcp_round_trip_us(&report, ntp + (UINT64_C(100) << 32)), -1);
	report.last_sr = 0;
	ck_assert_int_eq(rtc_rtcp_round_trip_us(&report, ntp), -1);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, written_is_read);
	tcase_add_test(tcase, sender_report_for_others);
	tcase_add_test(tcase, cut_anywhere);
	tcase_add_test(tcase, writers_need_room);
	tcase_add_test(tcase, twcc_chunks_of_the_draft);
	tcase_add_test(tcase, twccs_without_end);
	tcase_add_test(tcase, twcc_that_lies);
	tcase_add_test(tcase, nacks_are_bounded);
	tcase_add_test(tcase, remb_is_read_and_bounded);
	tcase_add_test(tcase, unknown_is_passed_over);
	tcase_add_test(tcase, padding);
	tcase_add_test(tcase, who_is_rtcp);
	tcase_add_test(tcase, times);
}

int
main(void)
{
	return data_run("rtc_rtcp", add_tests);
}
