/*
 * Packets put in order: every delivery is written down as text and compared as a whole.
 */
#include "config.h"

#include "tests/rtp_reorder_rig.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

START_TEST(in_order_passes_through)
{
	rig_setup(_i == 0 ? 0 : WAIT);
	rig_push(10, 1);
	rig_expect("10");
	ck_assert_int_eq(rig_last_arrived_ns, MS);
	ck_assert_uint_eq(rig_delivered_fill, 0x77);
	rig_push(11, 2);
	rig_expect("11");
	ck_assert_int_eq(rig_last_arrived_ns, 2 * MS);
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), INT64_MAX);
	RIG_STAT(received, 2);
	RIG_STAT(lost, 0);
	RIG_STAT(highest_seq, 11);
	RIG_STAT(ssrc, SSRC);
	rig_flush();
	rig_expect("");
	rtp_reorder_free(&rig_reorder);
	ck_assert_ptr_null(rig_reorder);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* Over TCP: nothing waits, what is older is passed over. */
START_TEST(without_a_wait_holes_are_told_at_once)
{
	rig_setup(0);
	rig_push_all(6, 10, 12, 11, 12, 15, 16);
	rig_expect("10 +1:12 +2:15 16");
	RIG_STAT(received, 4);
	RIG_STAT(lost, 3);
	RIG_STAT(late, 1);
	RIG_STAT(duplicates, 1);
	RIG_STAT(reordered, 0);
	rig_push_all(2, 16 + 3000, 16 + 3001 + 3000);
	rig_expect("+2999:3016 +3000:6017");
	RIG_STAT(lost, 6002);
	RIG_STAT(resets, 0);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* The bytes given are those handed on. */
START_TEST(without_a_wait_nothing_is_copied)
{
	static const uint8_t bytes[] = { 0x80, 96, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 7, 1, 7 };

	rig_setup(0);
	ck_assert_int_eq(rtp_reorder_push(rig_reorder, bytes, sizeof(bytes), 0), 0);
	rig_expect("7");
	ck_assert_ptr_eq(rig_delivered, bytes + 12);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(disorder_is_put_right)
{
	rig_setup(WAIT);
	rig_push_all(5, 10, 13, 11, 14, 12);
	rig_expect("10 11 12 13 14");
	RIG_STAT(received, 5);
	RIG_STAT(reordered, 2);
	RIG_STAT(lost, 0);
	RIG_STAT(late, 0);
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), INT64_MAX);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(duplicates_are_passed_over)
{
	rig_setup(WAIT);
	rig_push_all(8, 10, 10, 12, 12, 11, 11, 12, 10);
	rig_expect("10 11 12");
	RIG_STAT(received, 3);
	RIG_STAT(duplicates, 5);
	RIG_STAT(late, 0);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(a_hole_is_given_up_in_time)
{
	rig_setup(WAIT);
	rig_push(10, 0);
	rig_push(12, 5);
	rig_push(13, 8);
	rig_expect("10");
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), 65 * MS);
	rtp_reorder_tick(rig_reorder, 65 * MS - 1);
	rig_expect("");
	rtp_reorder_tick(rig_reorder, 65 * MS);
	rig_expect("+1:12 13");
	ck_assert_int_eq(rig_last_arrived_ns, 8 * MS);
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), INT64_MAX);
	rig_push(11, 66);
	rig_expect("");
	RIG_STAT(lost, 1);
	RIG_STAT(late, 1);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* Each hole has its own time. */
START_TEST(the_second_hole_waits_for_itself)
{
	rig_setup(WAIT);
	rig_push(10, 0);
	rig_push(12, 5);
	rig_push(15, 30);
	rig_push(14, 40);
	rtp_reorder_tick(rig_reorder, 65 * MS);
	rig_expect("10 +1:12");
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), 90 * MS);
	rtp_reorder_tick(rig_reorder, 90 * MS);
	rig_expect("+1:14 15");
	RIG_STAT(lost, 2);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* The one that lies behind in the numbers may have come first. */
START_TEST(due_is_of_the_first_to_come)
{
	rig_setup(WAIT);
	rig_push(10, 0);
	rig_push(15, 5);
	rig_push(12, 20);
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), 65 * MS);
	rig_push(11, 30);
	rig_expect("10 11 12");
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), 65 * MS);
	rtp_reorder_tick(rig_reorder, 70 * MS);
	rig_expect("+2:15");
	/* Also when the clock says so. */
	rig_push(20, 100);
	rig_push(18, 90);
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), 150 * MS);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(a_packet_ends_the_wait_of_others)
{
	rig_setup(WAIT);
	rig_push(10, 0);
	rig_push(12, 5);
	rig_push(14, 100);
	rig_expect("10 +1:12");
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), 160 * MS);
	/* What was missing comes when its time is over, but before it was given up. */
	rig_push(13, 200);
	rig_expect("13 14");
	RIG_STAT(lost, 1);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(time_without_end_is_no_overflow)
{
	rig_setup(INT64_MAX);
	rig_push(10, 0);
	rig_push(12, 1);
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), INT64_MAX);
	rig_flush();
	rig_expect("10 +1:12");
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(flush_gives_up_all_holes)
{
	rig_setup(WAIT);
	rig_push_all(4, 10, 12, 14, 15);
	rig_flush();
	rig_expect("10 +1:12 +1:14 15");
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), INT64_MAX);
	RIG_STAT(lost, 2);
	rig_push_all(2, 13, 16);
	rig_expect("16");
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(numbers_wrap_around)
{
	rig_setup(WAIT);
	rig_push_all(6, 65534, 0, 65535, 2, 1, 3);
	rig_expect("65534 65535 0 1 2 3");
	RIG_STAT(cycles, 1);
	RIG_STAT(highest_seq, 3);
	RIG_STAT(reordered, 2);
	rtp_reorder_free(&rig_reorder);
	rig_setup(0);
	rig_push_all(4, 65535, 1, 65535, 0);
	rig_expect("65535 +1:1");
	RIG_STAT(cycles, 1);
	RIG_STAT(duplicates, 1);
	RIG_STAT(late, 1);
	for (unsigned i = 2; i < 2 * 65536 + 10; i++)
		rig_push((uint16_t)i, 0);
	RIG_STAT(cycles, 3);
	RIG_STAT(lost, 1);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(the_window_is_bounded_in_numbers)
{
	rig_setup(WAIT);
	rig_push_all(4, 10, 12, 13, 15);
	rig_push(11 + 511, 1);
	rig_expect("10");
	/* One further: the first hole is given up, the second waits on. */
	rig_push(11 + 512, 1);
	rig_expect("+1:12 13");
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), 60 * MS);
	rig_push(14, 2);
	rig_expect("14 15");
	/* Far further: nothing before it is waited for, but the window's 511. */
	rig_push(11 + 512 + 1000, 3);
	rig_expect("+506:522 523");
	RIG_STAT(lost, 1 + 506 + 1523 - 511 - 524);
	rtp_reorder_tick(rig_reorder, 63 * MS);
	rig_expect("+999:1523");
	RIG_STAT(lost, 1 + 506 + 999);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(a_full_window_is_delivered_whole)
{
	rig_setup(WAIT);
	rig_push(9, 0);
	for (uint16_t seq = 521; seq > 10; seq--)
		rig_push(seq, 0);
	rig_expect("9");
	rig_push(10, 0);
	RIG_STAT(received, 513);
	RIG_STAT(reordered, 511);
	ck_assert_ptr_nonnull(strstr(rig_history, "10 11 12 13"));
	ck_assert_ptr_null(strchr(rig_history, '+'));
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* 16 packets of 64 KiB fill the window; those with the lowest numbers then go first. */
START_TEST(the_window_is_bounded_in_bytes)
{
	rig_setup(WAIT);
	rig_push(10, 0);
	for (uint16_t i = 0; i < 16; i++)
		rig_push_sized(SSRC, (uint16_t)(20 + 2 * i), 0, 65535);
	rig_expect("10");
	rig_push_sized(SSRC, 17, 0, 65535);
	rig_expect("+6:17");
	ck_assert_uint_eq(rig_delivered_len, 65535 - 12);
	RIG_STAT(lost, 6);
	rig_push_sized(SSRC, 53, 0, 65535);
	rig_expect("+2:20");
	rig_flush();
	rig_expect("+1:22 +1:24 +1:26 +1:28 +1:30 +1:32 +1:34 +1:36 +1:38 +1:40 +1:42 +1:44 +1:46 "
		   "+1:48 +1:50 +2:53");
	/* Small ones, then large ones in the memory of the small ones, and back. */
	for (uint16_t i = 0; i < 300; i++)
		rig_push((uint16_t)(60 + i), 0);
	for (uint16_t i = 0; i < 17; i++)
		rig_push_sized(SSRC, (uint16_t)(400 + i), 0, 65535);
	rig_flush();
	ck_assert_ptr_nonnull(strstr(rig_history, "413 414 415 416"));
	RIG_STAT(received, 1 + 16 + 1 + 1 + 300 + 17);
	ck_assert_uint_gt(rig_peak_bytes, RTP_REORDER_MAX_BYTES / 2);
	ck_assert_uint_le(rig_peak_bytes, RTP_REORDER_MAX_BYTES + 65536);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(what_is_no_packet_is_refused)
{
	static const uint8_t bytes[] = { 0x40, 96, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 7, 1, 7 };

	rig_setup(WAIT);
	rig_push(10, 0);
	ck_assert_int_eq(rtp_reorder_push(rig_reorder, bytes, sizeof(bytes), 0), -EPROTO);
	ck_assert_int_eq(rtp_reorder_push(rig_reorder, bytes, 0, 0), -EPROTO);
	RIG_STAT(received, 1);
	rig_push(11, 0);
	rig_expect("10 11");
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(memory_is_used_again)
{
	rig_setup(WAIT);
	rig_push(0, 0);
	for (uint16_t seq = 1; seq < 40; seq++)
		rig_push((uint16_t)(seq + 1), seq);
	rig_flush();
	rig_allocated = 0;
	for (unsigned seq = 100; seq < 5000; seq += 10) {
		rig_push((uint16_t)seq, seq);
		rig_push((uint16_t)(seq + 2), seq);
		rig_push((uint16_t)(seq + 1), seq);
	}
	RIG_STAT(reordered, 490);
	ck_assert_uint_eq(rig_allocated, 0);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(without_memory_nothing_waits)
{
	for (unsigned n = 0; n < 2; n++) {
		rig_allocations_left = n;
		rig_is_inside = true;
		rig_reorder = rtp_reorder_new(WAIT, rig_on_packet, rig_history);
		rig_is_inside = false;
		ck_assert_ptr_null(rig_reorder);
	}
	rig_allocations_left = UINT_MAX;
	rig_setup(WAIT);
	rig_allocations_left = 0;
	rig_push_all(3, 10, 12, 13);
	rig_expect("10 +1:12 13");
	rig_push_all(2, 30001, 30002);
	rig_expect("");
	RIG_STAT(resets, 0);
	rig_allocations_left = UINT_MAX;
	rig_push_all(2, 30003, 30004);
	rig_expect("*:30003 30004");
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* Freed with packets in the window, on probation and idle memory: for the leak checker. */
START_TEST(free_takes_what_waits)
{
	rig_setup(WAIT);
	rig_push_all(5, 10, 12, 14, 11, 30000);
	rtp_reorder_free(&rig_reorder);
	ck_assert_ptr_null(rig_reorder);
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
