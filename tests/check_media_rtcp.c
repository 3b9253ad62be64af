/*
 * RTCP: packets written out by hand, figures worked out by hand after RFC 3550 A.3 and A.8.
 */
#include "config.h"

#include "media/rtcp.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000000)

/* A sender report, a description and a goodbye of two. */
static const uint8_t compound[] = {
	0x80, 0xc8, 0x00, 0x06, 0x11, 0x22, 0x33, 0x44, 0xe8, 0xf0, 0x12, 0x34, 0x80, 0x00,
	0x00, 0x00, 0x00, 0x01, 0x5f, 0x90, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x03, 0xe8, /* 28 */
	0x81, 0xca, 0x00, 0x03, 0x11, 0x22, 0x33, 0x44, 0x01, 0x03, 'c',  'a',  'm',  0x00,
	0x00, 0x00,                                                             /* 44 */
	0x82, 0xcb, 0x00, 0x02, 0x55, 0x66, 0x77, 0x88, 0x01, 0x02, 0x03, 0x04, /* 56 */
};

/* In memory of just the length. */
static int
parse_copy(const uint8_t *bytes, size_t len, struct rtcp_seen *seen)
{
	uint8_t *copy = data_copy(bytes, len);
	int err = rtcp_parse(copy, len, seen);

	free(copy);
	return err;
}

START_TEST(a_compound_is_read)
{
	struct rtcp_seen seen;

	ck_assert_int_eq(parse_copy(compound, sizeof(compound), &seen), 0);
	ck_assert(seen.has_sr);
	ck_assert_uint_eq(seen.sr.ssrc, 0x11223344);
	ck_assert_uint_eq(seen.sr.ntp, 0xe8f0123480000000u);
	ck_assert_uint_eq(seen.sr.rtp_timestamp, 90000);
	ck_assert_uint_eq(seen.sr.packets, 10);
	ck_assert_uint_eq(seen.sr.octets, 1000);
	ck_assert(seen.has_bye);
	ck_assert_uint_eq(seen.bye_ssrc, 0x55667788);
}
END_TEST

START_TEST(cut_at_every_byte)
{
	for (size_t len = 0; len <= sizeof(compound); len++) {
		struct rtcp_seen seen;
		int err = parse_copy(compound, len, &seen);

		ck_assert_int_eq(err, len == 28 || len == 44 || len == 56 ? 0 : -EPROTO);
		ck_assert_int_eq(seen.has_sr, len >= 28);
		ck_assert_int_eq(seen.has_bye, len == 56);
	}
}
END_TEST

START_TEST(lengths_at_their_limits)
{
	static const struct {
		uint8_t type, count;
		unsigned words;
		size_t len;
		int err;
		bool has_sr, has_bye;
	} rows[] = {
		{ 200, 0, 5, 24, -EPROTO, false, false }, /* no room for what a sender says */
		{ 200, 0, 6, 28, 0, true, false },
		{ 200, 0, 7, 28, -EPROTO, false, false },
		{ 200, 0, 7, 32, 0, true, false },
		{ 200, 1, 12, 52, 0, true, false },
		{ 200, 31, 6, 28, 0, true,
		  false }, /* blocks that are not there: not ours to read */
		{ 200, 0, 0xffff, 64, -EPROTO, false, false },
		{ 200, 0, 0, 4, -EPROTO, false, false },
		{ 201, 0, 1, 8, 0, false, false },
		{ 201, 31, 187, 752, 0, false, false },
		{ 202, 1, 0, 4, 0, false, false },
		{ 203, 0, 0, 4, 0, false, false },
		{ 203, 1, 0, 4, -EPROTO, false, false },
		{ 203, 1, 1, 8, 0, false, true },
		{ 203, 31, 1, 8, 0, false, true },
		{ 204, 0, 2, 12, 0, false, false },
		{ 206, 1, 2, 12, 0, false, false },
		{ 0, 0, 0, 4, 0, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[1024] = { (uint8_t)(0x80 | rows[i].count), rows[i].type,
					(uint8_t)(rows[i].words >> 8), (uint8_t)rows[i].words };
		struct rtcp_seen seen;

		ck_assert_int_eq(parse_copy(bytes, rows[i].len, &seen), rows[i].err);
		ck_assert_int_eq(seen.has_sr, rows[i].has_sr);
		ck_assert_int_eq(seen.has_bye, rows[i].has_bye);
	}
}
END_TEST

START_TEST(only_version_2)
{
	uint8_t bytes[28] = { 0, 200, 0, 6 };
	struct rtcp_seen seen;

	for (unsigned version = 0; version < 4; version++) {
		bytes[0] = (uint8_t)(version << 6 | 0x20); /* padding is nobody's business */
		ck_assert_int_eq(parse_copy(bytes, 28, &seen), version == 2 ? 0 : -EPROTO);
		ck_assert_int_eq(seen.has_sr, version == 2);
	}
}
END_TEST

START_TEST(the_last_sender_report_counts)
{
	uint8_t bytes[2 * 28];
	struct rtcp_seen seen;

	memcpy(bytes, compound, 28);
	memcpy(bytes + 28, compound, 28);
	bytes[28 + 7] = 0x99;
	ck_assert_int_eq(parse_copy(bytes, sizeof(bytes), &seen), 0);
	ck_assert_uint_eq(seen.sr.ssrc, 0x11223399);
}
END_TEST

START_TEST(eras_of_ntp)
{
	static const int64_t now = 1795392000 * S; /* 2026-11-23 */
	static const struct {
		uint64_t ntp;
		int64_t near, expected;
	} rows[] = {
		{ (1795392000ull + 2208988800) << 32, 1795392000 * S, 1795392000 * S },
		{ ((1795392000ull + 2208988800) << 32) | 0x80000000, 0, 1795392000 * S + S / 2 },
		{ ((1795392000ull + 2208988800) << 32) | 0x40000000, 1795392000 * S,
		  1795392000 * S + S / 4 },
		{ 2208988800ull << 32, 1795392000 * S, 0 }, /* 1970 */
		{ UINT64_MAX, 1795392000 * S, 2085978495 * S + 999999999 },
		{ UINT64_MAX, 2240524800 * S, 2085978495 * S + 999999999 }, /* seen from 2041 */
		{ 0, 2085978495 * S, 2085978496 * S },                      /* 2036-02-07 */
		{ 100ull << 32, 2240524800 * S, 2085978596 * S },
		{ 100ull << 32, 1795392000 * S, 2085978596 * S },
		{ (1795392000ull + 2208988800) << 32, 6090359296 * S, 6090359296 * S },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(rtcp_ntp_to_realtime_ns(rows[i].ntp, rows[i].near),
				 rows[i].expected);
	/* Nothing runs over at the end of the scale. */
	for (uint64_t s = 0; s <= UINT32_MAX; s += UINT32_MAX / 5)
		ck_assert_int_gt(rtcp_ntp_to_realtime_ns(s << 32, INT64_MAX), now);
}
END_TEST

/* The first report after 10 numbers, of which 8 came. */
static void
lose_two_of_ten(struct rtcp_account *account)
{
	for (uint16_t seq = 100; seq < 110; seq++)
		if (seq != 103 && seq != 104)
			rtcp_account_on_packet(account, 0xaabbccdd, seq, 0, 90000, 0);
}

START_TEST(a_receiver_report_byte_for_byte)
{
	static const uint8_t expected[] = {
		0x81, 0xc9, 0x00, 0x07, 0x01, 0x02, 0x03, 0x04, 0xaa, 0xbb, 0xcc,
		0xdd, 0x33, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x6d, 0x00, 0x00,
		0x00, 0x00, 0x12, 0x34, 0x80, 0x00, 0x00, 0x01, 0x80, 0x00, /* 2 of 10, 1.5 s */
		0x81, 0xca, 0x00, 0x03, 0x01, 0x02, 0x03, 0x04, 0x01, 0x03, 'h',
		'u',  'b',  0x00, 0x00, 0x00,
	};
	struct rtcp_account account = { 0 };
	uint8_t out[RTCP_RR_BYTES_MAX];
	struct rtcp_seen seen;

	lose_two_of_ten(&account);
	ck_assert_int_eq(rtcp_parse(compound, sizeof(compound), &seen), 0);
	rtcp_account_on_sr(&account, &seen.sr, 7 * S);
	ck_assert_uint_eq(rtcp_write_rr(&account, 0x01020304, 109, "hub", 8 * S + S / 2, out),
			  sizeof(expected));
	ck_assert_mem_eq(out, expected, sizeof(expected));
}
END_TEST

static uint32_t
word_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* The word of fraction and count. */
static uint32_t
loss(struct rtcp_account *account, uint32_t highest)
{
	uint8_t out[RTCP_RR_BYTES_MAX];

	ck_assert_uint_ge(rtcp_write_rr(account, 1, highest, "x", 0, out), 32);
	ck_assert_uint_eq(word_at(out + 16), highest);
	return word_at(out + 12);
}

START_TEST(loss_from_report_to_report)
{
	struct rtcp_account account = { 0 };

	lose_two_of_ten(&account);
	ck_assert_uint_eq(loss(&account, 109), 0x33000002);
	/* Nothing since. */
	ck_assert_uint_eq(loss(&account, 109), 0x00000002);
	/* One that was late, and all ten: more than expected is no loss. */
	for (uint16_t seq = 110; seq < 120; seq++)
		rtcp_account_on_packet(&account, 1, seq, 0, 90000, 0);
	rtcp_account_on_packet(&account, 1, 103, 0, 90000, 0);
	ck_assert_uint_eq(loss(&account, 119), 0x00000001);
	/* 1 of 8: 32 of 256. */
	for (uint16_t seq = 120; seq < 128; seq++)
		if (seq != 122)
			rtcp_account_on_packet(&account, 1, seq, 0, 90000, 0);
	ck_assert_uint_eq(loss(&account, 127), 0x20000002);
	/* 99 of 100: 253.4. */
	rtcp_account_on_packet(&account, 1, 227, 0, 90000, 0);
	ck_assert_uint_eq(loss(&account, 227), 0xfd000065);
}
END_TEST

START_TEST(duplicates_make_loss_negative)
{
	struct rtcp_account account = { 0 };

	for (unsigned i = 0; i < 3; i++)
		rtcp_account_on_packet(&account, 1, 7, 0, 90000, 0);
	ck_assert_uint_eq(loss(&account, 7), 0x00fffffe);
}
END_TEST

START_TEST(loss_stays_in_24_bits)
{
	struct rtcp_account account = { 0 };

	rtcp_account_on_packet(&account, 1, 0, 0, 90000, 0);
	ck_assert_uint_eq(loss(&account, 0x7fffff), 0xff7fffff);
	ck_assert_uint_eq(loss(&account, 0x800000), 0xff7fffff);
	ck_assert_uint_eq(loss(&account, 0x1000000), 0xff7fffff);
	account.received = 0x800001;
	ck_assert_uint_eq(loss(&account, 0) & 0xffffff, 0x800000);
	account.received = 0x900000;
	ck_assert_uint_eq(loss(&account, 0) & 0xffffff, 0x800000);
}
END_TEST

START_TEST(numbers_wrap)
{
	struct rtcp_account account = { 0 };

	for (unsigned i = 0; i < 12; i++)
		rtcp_account_on_packet(&account, 1, (uint16_t)(65530 + i), 0, 90000, 0);
	ck_assert_uint_eq(loss(&account, 1u << 16 | 5), 0);
	/* After 2^32 packets the count begins at 0 again: nothing was lost, then one of two. */
	account.received = (UINT64_C(1) << 32) + 6;
	ck_assert_uint_eq(loss(&account, 65535), 0);
	account.received++;
	ck_assert_uint_eq(loss(&account, 65537), 0x80000001);
}
END_TEST

START_TEST(a_jump_begins_anew)
{
	static const uint16_t jumps[] = { 110 + 3001, 109 - 101, 60000 };

	for (size_t i = 0; i < 3; i++) {
		struct rtcp_account account = { 0 };

		lose_two_of_ten(&account);
		ck_assert_uint_eq(loss(&account, 109), 0x33000002);
		rtcp_account_on_packet(&account, 2, jumps[i], 0, 90000, 0);
		ck_assert_uint_eq(loss(&account, jumps[i]), 0);
		ck_assert_uint_eq(account.ssrc, 2);
	}
	/* Neither does what is near, nor another SSRC in the same numbers. */
	for (size_t i = 0; i < 2; i++) {
		struct rtcp_account account = { 0 };

		lose_two_of_ten(&account);
		rtcp_account_on_packet(&account, 3, i == 0 ? 3109 : 9, 0, 90000, 0);
		ck_assert_uint_eq(account.base_seq, 100);
		ck_assert_uint_eq(account.received, 9);
	}
}
END_TEST

/* 8 kHz, a packet of 160 ticks each 20 ms; arrivals 0, 20, 45, 60 ms. */
START_TEST(jitter_by_hand)
{
	static const struct {
		int64_t ms;
		uint32_t timestamp, jitter;
		int64_t q4;
	} rows[] = {
		{ 0, 0xffffff60, 0, 0 },                     /* the timestamps wrap */
		{ 20, 0, 0, 0 },         { 45, 160, 2, 40 }, /* d 40: 0 + 40 - 0 */
		{ 60, 320, 4, 77 },                          /* d 40: 40 + 40 - 3 = 77 */
		{ 80, 480, 4, 72 },                          /* d 0: 77 - 5 = 72 */
		{ 100, 480, 14, 227 },                       /* d 160: 72 + 160 - 5 = 227 */
	};
	struct rtcp_account account = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t out[RTCP_RR_BYTES_MAX];

		rtcp_account_on_packet(&account, 1, (uint16_t)i, rows[i].timestamp, 8000,
				       1000000 * S + rows[i].ms * 1000000);
		ck_assert_uint_ge(rtcp_write_rr(&account, 1, (uint32_t)i, "x", 0, out), 32);
		ck_assert_uint_eq(word_at(out + 20), rows[i].jitter);
		ck_assert_int_eq(account.jitter_q4, rows[i].q4);
	}
}
END_TEST

START_TEST(delays_since_the_sender_report)
{
	static const struct {
		uint64_t ntp;
		int64_t ns;
		uint32_t lsr, dlsr;
	} rows[] = {
		{ 0, 5 * S, 0, 0 },
		{ 0xaaaa123456789999u, 0, 0x12345678, 0 },
		{ 0xaaaa123456789999u, 15259, 0x12345678, 1 },
		{ 0xaaaa123456789999u, 5 * S + S / 4, 0x12345678, 0x00054000 },
		{ 0xaaaa123456789999u, 65535 * S + S / 2, 0x12345678, 0xffff8000 },
		{ 0xaaaa123456789999u, 65536 * S, 0x12345678, 0xffffffff },
		{ 0xaaaa123456789999u, -S, 0x12345678, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtcp_sender_report sr = { .ntp = rows[i].ntp };
		struct rtcp_account account = { 0 };
		uint8_t out[RTCP_RR_BYTES_MAX];

		rtcp_account_on_packet(&account, 1, 1, 0, 90000, 0);
		rtcp_account_on_sr(&account, &sr, 3 * S);
		ck_assert_uint_ge(rtcp_write_rr(&account, 1, 1, "x", 3 * S + rows[i].ns, out), 32);
		ck_assert_uint_eq(word_at(out + 24), rows[i].lsr);
		ck_assert_uint_eq(word_at(out + 28), rows[i].dlsr);
	}
}
END_TEST

START_TEST(before_the_first_packet_there_is_no_block)
{
	static const uint8_t expected[] = { 0x80, 0xc9, 0x00, 0x01, 0xde, 0xad, 0xbe,
					    0xef, 0x81, 0xca, 0x00, 0x02, 0xde, 0xad,
					    0xbe, 0xef, 0x01, 0x00, 0x00, 0x00 };
	struct rtcp_account account = { 0 };
	uint8_t out[RTCP_RR_BYTES_MAX];

	ck_assert_uint_eq(rtcp_write_rr(&account, 0xdeadbeef, 0, NULL, 0, out), sizeof(expected));
	ck_assert_mem_eq(out, expected, sizeof(expected));
	ck_assert_uint_eq(rtcp_write_rr(&account, 0xdeadbeef, 0, "", 0, out), sizeof(expected));
	ck_assert_mem_eq(out, expected, sizeof(expected));
}
END_TEST

START_TEST(names_of_any_length_fit)
{
	struct rtcp_account account = { 0 };
	char cname[300] = "";

	rtcp_account_on_packet(&account, 1, 1, 0, 90000, 0);
	for (size_t len = 0; len < sizeof(cname) - 1; len++) {
		uint8_t out[RTCP_RR_BYTES_MAX];
		size_t n = rtcp_write_rr(&account, 1, 1, cname, 0, out);
		size_t kept = len < 85 ? len : 85;
		struct rtcp_seen seen;

		ck_assert_uint_eq(n, 32 + 8 + (2 + kept) / 4 * 4 + 4);
		ck_assert_uint_eq(out[32 + 9], kept);
		ck_assert_mem_eq(out + 32 + 10, cname, kept);
		ck_assert_uint_eq(out[n - 1], 0);
		ck_assert_int_eq(parse_copy(out, n, &seen), 0);
		cname[len] = 'c';
	}
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, a_compound_is_read);
	tcase_add_test(tcase, cut_at_every_byte);
	tcase_add_test(tcase, lengths_at_their_limits);
	tcase_add_test(tcase, only_version_2);
	tcase_add_test(tcase, the_last_sender_report_counts);
	tcase_add_test(tcase, eras_of_ntp);
	tcase_add_test(tcase, a_receiver_report_byte_for_byte);
	tcase_add_test(tcase, loss_from_report_to_report);
	tcase_add_test(tcase, duplicates_make_loss_negative);
	tcase_add_test(tcase, loss_stays_in_24_bits);
	tcase_add_test(tcase, numbers_wrap);
	tcase_add_test(tcase, a_jump_begins_anew);
	tcase_add_test(tcase, jitter_by_hand);
	tcase_add_test(tcase, delays_since_the_sender_report);
	tcase_add_test(tcase, before_the_first_packet_there_is_no_block);
	tcase_add_test(tcase, names_of_any_length_fit);
}

int
main(void)
{
	return data_run("media rtcp", add);
}
