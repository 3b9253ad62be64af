/*
 * Packets put in order: every delivery is written down as text and compared as a whole.
 */
#include "config.h"

#include "media/rtp_reorder.h"
#include "tests/media_data.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS      INT64_C(1000000)
#define WAIT    (60 * MS)
#define SSRC    0xcafe0001u
#define HISTORY 65536u
#define PACKET  (12u + 4u)

/* The allocations of the code under test, by the linker's --wrap. */
static bool is_inside;
static unsigned allocated;
static unsigned allocations_left = UINT_MAX;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static bool
may_allocate(void)
{
	if (!is_inside)
		return true;
	allocated++;
	if (allocations_left == 0)
		return false;
	if (allocations_left != UINT_MAX)
		allocations_left--;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

/* "7 8 +2:11" : 7, 8, then 11 with 2 lost before it; "*:5" after a reset. */
static char history[HISTORY];
static struct rtp_reorder *reorder;
static int64_t last_arrived_ns;
static uint8_t delivered_fill;
static size_t delivered_len;
static const uint8_t *delivered;

static void
on_packet(void *arg, const struct rtp_packet *packet, uint32_t lost, int64_t arrived_ns)
{
	size_t len = strlen(history);
	char before[16] = "";

	bool was_inside = is_inside;

	is_inside = false;
	ck_assert_ptr_eq(arg, history);
	if (lost == RTP_LOST_UNKNOWN)
		(void)snprintf(before, sizeof(before), "*:");
	else if (lost > 0)
		(void)snprintf(before, sizeof(before), "+%u:", (unsigned)lost);
	(void)snprintf(history + len, HISTORY - len, "%s%s%u", len > 0 ? " " : "", before,
		       packet->seq);
	/* The payload says again who it is, at its beginning and its end. */
	ck_assert_uint_ge(packet->len, 4);
	ck_assert_uint_eq((unsigned)packet->payload[0] << 8 | packet->payload[1], packet->seq);
	ck_assert_uint_eq(packet->payload[packet->len - 1], packet->seq & 0xff);
	delivered_fill = packet->payload[2];
	delivered_len = packet->len;
	delivered = packet->payload;
	last_arrived_ns = arrived_ns;
	is_inside = was_inside;
}

static void
setup(int64_t wait_ns)
{
	history[0] = '\0';
	reorder = rtp_reorder_new(wait_ns, on_packet, history);
	ck_assert_ptr_nonnull(reorder);
}

static void
push_sized(uint32_t ssrc, uint16_t seq, int64_t arrived_ns, size_t len)
{
	uint8_t *bytes = calloc(1, len);
	int err;

	bytes[0] = 0x80;
	bytes[1] = 96;
	bytes[2] = (uint8_t)(seq >> 8);
	bytes[3] = (uint8_t)seq;
	for (unsigned i = 0; i < 4; i++)
		bytes[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	memset(bytes + 12, 0x77, len - 12);
	bytes[12] = bytes[2];
	bytes[13] = bytes[3];
	bytes[len - 1] = (uint8_t)seq;
	is_inside = true;
	err = rtp_reorder_push(reorder, bytes, len, arrived_ns);
	is_inside = false;
	ck_assert_int_eq(err, 0);
	/* What was borrowed may change at once. */
	memset(bytes, 0xee, len);
	free(bytes);
}

static void
push(uint16_t seq, int64_t arrived_ms)
{
	push_sized(SSRC, seq, arrived_ms * MS, PACKET);
}

static void
push_all(size_t n, ...)
{
	va_list args;

	va_start(args, n);
	for (size_t i = 0; i < n; i++)
		push((uint16_t)va_arg(args, int), 0);
	va_end(args);
}

static void
expect(const char *expected)
{
	ck_assert_str_eq(history, expected);
	history[0] = '\0';
}

#define EXPECT_STAT(field, value) ck_assert_uint_eq(rtp_reorder_stats(reorder)->field, value)

START_TEST(in_order_passes_through)
{
	setup(_i == 0 ? 0 : WAIT);
	push(10, 1);
	expect("10");
	ck_assert_int_eq(last_arrived_ns, MS);
	ck_assert_uint_eq(delivered_fill, 0x77);
	push(11, 2);
	expect("11");
	ck_assert_int_eq(last_arrived_ns, 2 * MS);
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), INT64_MAX);
	EXPECT_STAT(received, 2);
	EXPECT_STAT(lost, 0);
	EXPECT_STAT(highest_seq, 11);
	EXPECT_STAT(ssrc, SSRC);
	rtp_reorder_flush(reorder);
	expect("");
	rtp_reorder_free(&reorder);
	ck_assert_ptr_null(reorder);
	rtp_reorder_free(&reorder);
}
END_TEST

/* Over TCP: nothing waits, what is older is passed over. */
START_TEST(without_a_wait_holes_are_told_at_once)
{
	setup(0);
	push_all(6, 10, 12, 11, 12, 15, 16);
	expect("10 +1:12 +2:15 16");
	EXPECT_STAT(received, 4);
	EXPECT_STAT(lost, 3);
	EXPECT_STAT(late, 1);
	EXPECT_STAT(duplicates, 1);
	EXPECT_STAT(reordered, 0);
	push_all(2, 16 + 3000, 16 + 3001 + 3000);
	expect("+2999:3016 +3000:6017");
	EXPECT_STAT(lost, 6002);
	EXPECT_STAT(resets, 0);
	rtp_reorder_free(&reorder);
}
END_TEST

/* The bytes given are those handed on. */
START_TEST(without_a_wait_nothing_is_copied)
{
	static const uint8_t bytes[] = { 0x80, 96, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 7, 1, 7 };

	setup(0);
	ck_assert_int_eq(rtp_reorder_push(reorder, bytes, sizeof(bytes), 0), 0);
	expect("7");
	ck_assert_ptr_eq(delivered, bytes + 12);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(disorder_is_put_right)
{
	setup(WAIT);
	push_all(5, 10, 13, 11, 14, 12);
	expect("10 11 12 13 14");
	EXPECT_STAT(received, 5);
	EXPECT_STAT(reordered, 2);
	EXPECT_STAT(lost, 0);
	EXPECT_STAT(late, 0);
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), INT64_MAX);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(duplicates_are_passed_over)
{
	setup(WAIT);
	push_all(8, 10, 10, 12, 12, 11, 11, 12, 10);
	expect("10 11 12");
	EXPECT_STAT(received, 3);
	EXPECT_STAT(duplicates, 5);
	EXPECT_STAT(late, 0);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(a_hole_is_given_up_in_time)
{
	setup(WAIT);
	push(10, 0);
	push(12, 5);
	push(13, 8);
	expect("10");
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), 65 * MS);
	rtp_reorder_tick(reorder, 65 * MS - 1);
	expect("");
	rtp_reorder_tick(reorder, 65 * MS);
	expect("+1:12 13");
	ck_assert_int_eq(last_arrived_ns, 8 * MS);
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), INT64_MAX);
	push(11, 66);
	expect("");
	EXPECT_STAT(lost, 1);
	EXPECT_STAT(late, 1);
	rtp_reorder_free(&reorder);
}
END_TEST

/* Each hole has its own time. */
START_TEST(the_second_hole_waits_for_itself)
{
	setup(WAIT);
	push(10, 0);
	push(12, 5);
	push(15, 30);
	push(14, 40);
	rtp_reorder_tick(reorder, 65 * MS);
	expect("10 +1:12");
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), 90 * MS);
	rtp_reorder_tick(reorder, 90 * MS);
	expect("+1:14 15");
	EXPECT_STAT(lost, 2);
	rtp_reorder_free(&reorder);
}
END_TEST

/* The one that lies behind in the numbers may have come first. */
START_TEST(due_is_of_the_first_to_come)
{
	setup(WAIT);
	push(10, 0);
	push(15, 5);
	push(12, 20);
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), 65 * MS);
	push(11, 30);
	expect("10 11 12");
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), 65 * MS);
	rtp_reorder_tick(reorder, 70 * MS);
	expect("+2:15");
	/* Also when the clock says so. */
	push(20, 100);
	push(18, 90);
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), 150 * MS);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(a_packet_ends_the_wait_of_others)
{
	setup(WAIT);
	push(10, 0);
	push(12, 5);
	push(14, 100);
	expect("10 +1:12");
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), 160 * MS);
	/* What was missing comes when its time is over, but before it was given up. */
	push(13, 200);
	expect("13 14");
	EXPECT_STAT(lost, 1);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(time_without_end_is_no_overflow)
{
	setup(INT64_MAX);
	push(10, 0);
	push(12, 1);
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), INT64_MAX);
	rtp_reorder_flush(reorder);
	expect("10 +1:12");
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(flush_gives_up_all_holes)
{
	setup(WAIT);
	push_all(4, 10, 12, 14, 15);
	rtp_reorder_flush(reorder);
	expect("10 +1:12 +1:14 15");
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), INT64_MAX);
	EXPECT_STAT(lost, 2);
	push_all(2, 13, 16);
	expect("16");
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(numbers_wrap_around)
{
	setup(WAIT);
	push_all(6, 65534, 0, 65535, 2, 1, 3);
	expect("65534 65535 0 1 2 3");
	EXPECT_STAT(cycles, 1);
	EXPECT_STAT(highest_seq, 3);
	EXPECT_STAT(reordered, 2);
	rtp_reorder_free(&reorder);
	setup(0);
	push_all(4, 65535, 1, 65535, 0);
	expect("65535 +1:1");
	EXPECT_STAT(cycles, 1);
	EXPECT_STAT(duplicates, 1);
	EXPECT_STAT(late, 1);
	for (unsigned i = 2; i < 2 * 65536 + 10; i++)
		push((uint16_t)i, 0);
	EXPECT_STAT(cycles, 3);
	EXPECT_STAT(lost, 1);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(the_window_is_bounded_in_numbers)
{
	setup(WAIT);
	push_all(4, 10, 12, 13, 15);
	push(11 + 511, 1);
	expect("10");
	/* One further: the first hole is given up, the second waits on. */
	push(11 + 512, 1);
	expect("+1:12 13");
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), 60 * MS);
	push(14, 2);
	expect("14 15");
	/* Far further: nothing before it is waited for, but the window's 511. */
	push(11 + 512 + 1000, 3);
	expect("+506:522 523");
	EXPECT_STAT(lost, 1 + 506 + 1523 - 511 - 524);
	rtp_reorder_tick(reorder, 63 * MS);
	expect("+999:1523");
	EXPECT_STAT(lost, 1 + 506 + 999);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(a_full_window_is_delivered_whole)
{
	setup(WAIT);
	push(9, 0);
	for (uint16_t seq = 521; seq > 10; seq--)
		push(seq, 0);
	expect("9");
	push(10, 0);
	EXPECT_STAT(received, 513);
	EXPECT_STAT(reordered, 511);
	ck_assert_ptr_nonnull(strstr(history, "10 11 12 13"));
	ck_assert_ptr_null(strchr(history, '+'));
	rtp_reorder_free(&reorder);
}
END_TEST

/* 16 packets of 64 KiB fill the window; those with the lowest numbers then go first. */
START_TEST(the_window_is_bounded_in_bytes)
{
	setup(WAIT);
	push(10, 0);
	for (uint16_t i = 0; i < 16; i++)
		push_sized(SSRC, (uint16_t)(20 + 2 * i), 0, 65535);
	expect("10");
	push_sized(SSRC, 17, 0, 65535);
	expect("+6:17");
	ck_assert_uint_eq(delivered_len, 65535 - 12);
	EXPECT_STAT(lost, 6);
	push_sized(SSRC, 53, 0, 65535);
	expect("+2:20");
	rtp_reorder_flush(reorder);
	expect("+1:22 +1:24 +1:26 +1:28 +1:30 +1:32 +1:34 +1:36 +1:38 +1:40 +1:42 +1:44 +1:46 "
	       "+1:48 +1:50 +2:53");
	/* Small ones, then large ones in the memory of the small ones, and back. */
	for (uint16_t i = 0; i < 300; i++)
		push((uint16_t)(60 + i), 0);
	for (uint16_t i = 0; i < 17; i++)
		push_sized(SSRC, (uint16_t)(400 + i), 0, 65535);
	rtp_reorder_flush(reorder);
	ck_assert_ptr_nonnull(strstr(history, "413 414 415 416"));
	EXPECT_STAT(received, 1 + 16 + 1 + 1 + 300 + 17);
	rtp_reorder_free(&reorder);
}
END_TEST

/* A camera that restarts its numbers: no packet is lost, and nothing but those two waits. */
START_TEST(a_jump_counts_when_it_lasts)
{
	static const uint16_t jumps[] = { 9000 - 101, 9000 + 3002, 1, 65535, 40000 };
	char expected[64];
	uint16_t to = jumps[_i / 2];

	setup(_i % 2 == 0 ? 0 : WAIT);
	push_all(2, 8999, 9000);
	push(to, 1);
	expect("8999 9000");
	EXPECT_STAT(received, 2);
	push((uint16_t)(to + 1), 2);
	(void)snprintf(expected, sizeof(expected), "*:%u %u", to, (uint16_t)(to + 1));
	expect(expected);
	EXPECT_STAT(resets, 1);
	EXPECT_STAT(received, 4);
	EXPECT_STAT(lost, 0);
	EXPECT_STAT(strays, 0);
	EXPECT_STAT(cycles, to == 65535 ? 1 : 0);
	EXPECT_STAT(highest_seq, (uint16_t)(to + 1));
	push((uint16_t)(to + 2), 3);
	(void)snprintf(expected, sizeof(expected), "%u", (uint16_t)(to + 2));
	expect(expected);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(a_jump_to_lower_numbers_does_not_stall)
{
	unsigned n = 0;

	setup(0);
	push_all(2, 30000, 30001);
	history[0] = '\0';
	for (uint16_t seq = 0; seq < 1000; seq++, n++)
		push(seq, seq);
	EXPECT_STAT(received, 2 + n);
	ck_assert_int_eq(strncmp(history, "*:0 1 2 3 ", 10), 0);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(a_stray_packet_changes_nothing)
{
	setup(WAIT);
	push_all(6, 10, 20000, 11, 40000, 12, 13);
	expect("10 11 12 13");
	push(20000, 0);
	push(40000, 0);
	push(14, 0);
	expect("14");
	EXPECT_STAT(resets, 0);
	EXPECT_STAT(strays, 3);
	EXPECT_STAT(received, 5);
	EXPECT_STAT(highest_seq, 14);
	/* The same packet twice is no second witness. */
	push(40000, 0);
	push(40000, 0);
	expect("");
	EXPECT_STAT(strays, 5);
	rtp_reorder_free(&reorder);
}
END_TEST

/* What waits belongs to the old numbers, and goes before the new ones. */
START_TEST(a_reset_delivers_what_waits)
{
	setup(WAIT);
	push_all(3, 10, 12, 14);
	push_all(2, 30001, 30002);
	expect("10 +1:12 +1:14 *:30001 30002");
	EXPECT_STAT(lost, 2);
	ck_assert_int_eq(rtp_reorder_due_ns(reorder), INT64_MAX);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(a_reset_in_disorder)
{
	setup(WAIT);
	push_all(4, 10, 30002, 30001, 30003);
	expect("10 *:30001 30002 30003");
	EXPECT_STAT(received, 4);
	rtp_reorder_free(&reorder);
	/* With loss in the middle of it. */
	setup(0);
	push_all(4, 10, 30001, 30017, 30018);
	expect("10 *:30001 +15:30017 30018");
	rtp_reorder_free(&reorder);
	/* Too far from each other. */
	setup(0);
	push_all(4, 10, 30001, 30018, 30019);
	expect("10 *:30018 30019");
	EXPECT_STAT(strays, 1);
	rtp_reorder_free(&reorder);
	/* The probation's packet has to be copied into more memory, and into less. */
	setup(0);
	push(10, 0);
	push_sized(SSRC, 20000, 0, 100);
	push_sized(SSRC, 30000, 0, 5000);
	push_sized(SSRC, 40000, 0, 1000);
	push_sized(SSRC, 40001, 0, 60000);
	expect("10 *:40000 40001");
	EXPECT_STAT(strays, 2);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(another_source_takes_over)
{
	setup(_i == 0 ? 0 : WAIT);
	push_all(2, 10, 11);
	push_sized(SSRC + 1, 5000, 0, PACKET);
	expect("10 11");
	EXPECT_STAT(ssrc, SSRC);
	push_sized(SSRC + 1, 5001, 0, PACKET);
	expect("*:5000 5001");
	EXPECT_STAT(ssrc, SSRC + 1);
	EXPECT_STAT(resets, 1);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(wraps_are_counted_from_the_reset)
{
	setup(0);
	push_all(2, 65535, 0);
	EXPECT_STAT(cycles, 1);
	push_all(2, 30000, 30001);
	EXPECT_STAT(cycles, 0);
	rtp_reorder_free(&reorder);
}
END_TEST

/* Two packets of two sources are no two witnesses. */
START_TEST(witnesses_are_of_one_source)
{
	setup(0);
	push(10, 0);
	push_sized(SSRC + 1, 5000, 0, PACKET);
	push_sized(SSRC + 2, 5001, 0, PACKET);
	expect("10");
	EXPECT_STAT(strays, 1);
	rtp_reorder_free(&reorder);
}
END_TEST

/* Uniview: another SSRC for each GOP. Cheap cameras: 0 and something in turns. */
START_TEST(an_ssrc_that_changes_in_the_numbers_is_nothing_new)
{
	setup(0);
	for (uint16_t i = 0; i < 6; i++)
		push_sized(i % 2 == 0 ? 0 : 2, (uint16_t)(100 + i), 0, PACKET);
	expect("100 101 102 103 104 105");
	push_sized(7, 206, 0, PACKET);
	expect("+100:206");
	EXPECT_STAT(resets, 0);
	/* Too far to go on. */
	push_sized(8, 308, 0, PACKET);
	expect("");
	push_sized(8, 309, 0, PACKET);
	expect("*:308 309");
	rtp_reorder_free(&reorder);
}
END_TEST

/* An old session that is still sent to in between the packets of the new one. */
START_TEST(a_source_that_was_left_waits_for_silence)
{
	setup(0);
	push_sized(1, 10, 0, PACKET);
	push_sized(2, 5000, 1 * MS, PACKET);
	push_sized(2, 5001, 2 * MS, PACKET);
	expect("10 *:5000 5001");
	for (uint16_t i = 0; i < 20; i++) {
		push_sized(1, (uint16_t)(11 + 2 * i), (3 + i) * MS, PACKET);
		push_sized(1, (uint16_t)(12 + 2 * i), (3 + i) * MS, PACKET);
		push_sized(2, (uint16_t)(5002 + i), (3 + i) * MS, PACKET);
	}
	ck_assert_ptr_null(strchr(history, '*'));
	EXPECT_STAT(received, 23);
	EXPECT_STAT(resets, 1);
	EXPECT_STAT(strays, 39);
	history[0] = '\0';
	push_sized(1, 51, (22 + 199) * MS, PACKET);
	push_sized(1, 52, (22 + 199) * MS, PACKET);
	expect("");
	push_sized(1, 53, (22 + 200) * MS, PACKET);
	expect("*:52 53");
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(what_is_no_packet_is_refused)
{
	static const uint8_t bytes[] = { 0x40, 96, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 7, 1, 7 };

	setup(WAIT);
	push(10, 0);
	ck_assert_int_eq(rtp_reorder_push(reorder, bytes, sizeof(bytes), 0), -EPROTO);
	ck_assert_int_eq(rtp_reorder_push(reorder, bytes, 0, 0), -EPROTO);
	EXPECT_STAT(received, 1);
	push(11, 0);
	expect("10 11");
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(memory_is_used_again)
{
	setup(WAIT);
	push(0, 0);
	for (uint16_t seq = 1; seq < 40; seq++)
		push((uint16_t)(seq + 1), seq);
	rtp_reorder_flush(reorder);
	allocated = 0;
	for (unsigned seq = 100; seq < 5000; seq += 10) {
		push((uint16_t)seq, seq);
		push((uint16_t)(seq + 2), seq);
		push((uint16_t)(seq + 1), seq);
	}
	EXPECT_STAT(reordered, 490);
	ck_assert_uint_eq(allocated, 0);
	rtp_reorder_free(&reorder);
}
END_TEST

START_TEST(without_memory_nothing_waits)
{
	for (unsigned n = 0; n < 2; n++) {
		allocations_left = n;
		is_inside = true;
		reorder = rtp_reorder_new(WAIT, on_packet, history);
		is_inside = false;
		ck_assert_ptr_null(reorder);
	}
	allocations_left = UINT_MAX;
	setup(WAIT);
	allocations_left = 0;
	push_all(3, 10, 12, 13);
	expect("10 +1:12 13");
	push_all(2, 30001, 30002);
	expect("");
	EXPECT_STAT(resets, 0);
	allocations_left = UINT_MAX;
	push_all(2, 30003, 30004);
	expect("*:30003 30004");
	rtp_reorder_free(&reorder);
}
END_TEST

/* Freed with packets in the window, on probation and idle memory: for the leak checker. */
START_TEST(free_takes_what_waits)
{
	setup(WAIT);
	push_all(5, 10, 12, 14, 11, 30000);
	rtp_reorder_free(&reorder);
	ck_assert_ptr_null(reorder);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, in_order_passes_through, 0, 2);
	tcase_add_test(tcase, without_a_wait_holes_are_told_at_once);
	tcase_add_test(tcase, without_a_wait_nothing_is_copied);
	tcase_add_test(tcase, disorder_is_put_right);
	tcase_add_test(tcase, duplicates_are_passed_over);
	tcase_add_test(tcase, a_hole_is_given_up_in_time);
	tcase_add_test(tcase, the_second_hole_waits_for_itself);
	tcase_add_test(tcase, due_is_of_the_first_to_come);
	tcase_add_test(tcase, a_packet_ends_the_wait_of_others);
	tcase_add_test(tcase, time_without_end_is_no_overflow);
	tcase_add_test(tcase, flush_gives_up_all_holes);
	tcase_add_test(tcase, numbers_wrap_around);
	tcase_add_test(tcase, the_window_is_bounded_in_numbers);
	tcase_add_test(tcase, a_full_window_is_delivered_whole);
	tcase_add_test(tcase, the_window_is_bounded_in_bytes);
	tcase_add_loop_test(tcase, a_jump_counts_when_it_lasts, 0, 10);
	tcase_add_test(tcase, a_jump_to_lower_numbers_does_not_stall);
	tcase_add_test(tcase, a_stray_packet_changes_nothing);
	tcase_add_test(tcase, a_reset_delivers_what_waits);
	tcase_add_test(tcase, a_reset_in_disorder);
	tcase_add_loop_test(tcase, another_source_takes_over, 0, 2);
	tcase_add_test(tcase, wraps_are_counted_from_the_reset);
	tcase_add_test(tcase, witnesses_are_of_one_source);
	tcase_add_test(tcase, an_ssrc_that_changes_in_the_numbers_is_nothing_new);
	tcase_add_test(tcase, a_source_that_was_left_waits_for_silence);
	tcase_add_test(tcase, what_is_no_packet_is_refused);
	tcase_add_test(tcase, memory_is_used_again);
	tcase_add_test(tcase, without_memory_nothing_waits);
	tcase_add_test(tcase, free_takes_what_waits);
}

int
main(void)
{
	return data_run("media rtp_reorder", add);
}
