/*
 * Senders that begin anew: numbers that jump, sources that change.
 */
#include "config.h"

#include "tests/rtp_reorder_rig.h"

#include <stdio.h>
#include <string.h>

/* A camera that restarts its numbers: no packet is lost, and nothing but those two waits. */
START_TEST(a_jump_counts_when_it_lasts)
{
	static const uint16_t jumps[] = { 9000 - 101, 9000 + 3002, 1, 65535, 40000 };
	char expected[64];
	uint16_t to = jumps[_i / 2];

	rig_setup(_i % 2 == 0 ? 0 : WAIT);
	rig_push_all(2, 8999, 9000);
	rig_push(to, 1);
	rig_expect("8999 9000");
	RIG_STAT(received, 2);
	rig_push((uint16_t)(to + 1), 2);
	(void)snprintf(expected, sizeof(expected), "*:%u %u", to, (uint16_t)(to + 1));
	rig_expect(expected);
	RIG_STAT(resets, 1);
	RIG_STAT(received, 4);
	RIG_STAT(lost, 0);
	RIG_STAT(strays, 0);
	RIG_STAT(cycles, to == 65535 ? 1 : 0);
	RIG_STAT(highest_seq, (uint16_t)(to + 1));
	rig_push((uint16_t)(to + 2), 3);
	(void)snprintf(expected, sizeof(expected), "%u", (uint16_t)(to + 2));
	rig_expect(expected);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(a_jump_to_lower_numbers_does_not_stall)
{
	unsigned n = 0;

	rig_setup(0);
	rig_push_all(2, 30000, 30001);
	rig_history[0] = '\0';
	for (uint16_t seq = 0; seq < 1000; seq++, n++)
		rig_push(seq, seq);
	RIG_STAT(received, 2 + n);
	ck_assert_int_eq(strncmp(rig_history, "*:0 1 2 3 ", 10), 0);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(a_stray_packet_changes_nothing)
{
	rig_setup(WAIT);
	rig_push_all(6, 10, 20000, 11, 40000, 12, 13);
	rig_expect("10 11 12 13");
	rig_push(20000, 0);
	rig_push(40000, 0);
	rig_push(14, 0);
	rig_expect("14");
	RIG_STAT(resets, 0);
	RIG_STAT(strays, 3);
	RIG_STAT(received, 5);
	RIG_STAT(highest_seq, 14);
	/* The same packet twice is no second witness. */
	rig_push(40000, 0);
	rig_push(40000, 0);
	rig_expect("");
	RIG_STAT(strays, 5);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* What waits belongs to the old numbers, and goes before the new ones. */
START_TEST(a_reset_delivers_what_waits)
{
	rig_setup(WAIT);
	rig_push_all(3, 10, 12, 14);
	rig_push_all(2, 30001, 30002);
	rig_expect("10 +1:12 +1:14 *:30001 30002");
	RIG_STAT(lost, 2);
	ck_assert_int_eq(rtp_reorder_due_ns(rig_reorder), INT64_MAX);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(a_reset_in_disorder)
{
	rig_setup(WAIT);
	rig_push_all(4, 10, 30002, 30001, 30003);
	rig_expect("10 *:30001 30002 30003");
	RIG_STAT(received, 4);
	rtp_reorder_free(&rig_reorder);
	/* With loss in the middle of it. */
	rig_setup(0);
	rig_push_all(4, 10, 30001, 30017, 30018);
	rig_expect("10 *:30001 +15:30017 30018");
	rtp_reorder_free(&rig_reorder);
	/* Too far from each other. */
	rig_setup(0);
	rig_push_all(4, 10, 30001, 30018, 30019);
	rig_expect("10 *:30018 30019");
	RIG_STAT(strays, 1);
	rtp_reorder_free(&rig_reorder);
	/* The probation's packet has to be copied into more memory, and into less. */
	rig_setup(0);
	rig_push(10, 0);
	rig_push_sized(SSRC, 20000, 0, 100);
	rig_push_sized(SSRC, 30000, 0, 5000);
	rig_push_sized(SSRC, 40000, 0, 1000);
	rig_push_sized(SSRC, 40001, 0, 60000);
	rig_expect("10 *:40000 40001");
	RIG_STAT(strays, 2);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(another_source_takes_over)
{
	rig_setup(_i == 0 ? 0 : WAIT);
	rig_push_all(2, 10, 11);
	rig_push_sized(SSRC + 1, 5000, 0, PACKET);
	rig_expect("10 11");
	RIG_STAT(ssrc, SSRC);
	rig_push_sized(SSRC + 1, 5001, 0, PACKET);
	rig_expect("*:5000 5001");
	RIG_STAT(ssrc, SSRC + 1);
	RIG_STAT(resets, 1);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

START_TEST(wraps_are_counted_from_the_reset)
{
	rig_setup(0);
	rig_push_all(2, 65535, 0);
	RIG_STAT(cycles, 1);
	rig_push_all(2, 30000, 30001);
	RIG_STAT(cycles, 0);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* Two packets of two sources are no two witnesses. */
START_TEST(witnesses_are_of_one_source)
{
	rig_setup(0);
	rig_push(10, 0);
	rig_push_sized(SSRC + 1, 5000, 0, PACKET);
	rig_push_sized(SSRC + 2, 5001, 0, PACKET);
	rig_expect("10");
	RIG_STAT(strays, 1);
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* Uniview: another SSRC for each GOP. Cheap cameras: 0 and something in turns. */
START_TEST(an_ssrc_that_changes_in_the_numbers_is_nothing_new)
{
	rig_setup(0);
	for (uint16_t i = 0; i < 6; i++)
		rig_push_sized(i % 2 == 0 ? 0 : 2, (uint16_t)(100 + i), 0, PACKET);
	rig_expect("100 101 102 103 104 105");
	rig_push_sized(7, 206, 0, PACKET);
	rig_expect("+100:206");
	RIG_STAT(resets, 0);
	/* Too far to go on. */
	rig_push_sized(8, 308, 0, PACKET);
	rig_expect("");
	rig_push_sized(8, 309, 0, PACKET);
	rig_expect("*:308 309");
	rtp_reorder_free(&rig_reorder);
}
END_TEST

/* An old session that is still sent to in between the packets of the new one. */
START_TEST(a_source_that_was_left_waits_for_silence)
{
	rig_setup(0);
	rig_push_sized(1, 10, 0, PACKET);
	rig_push_sized(2, 5000, 1 * MS, PACKET);
	rig_push_sized(2, 5001, 2 * MS, PACKET);
	rig_expect("10 *:5000 5001");
	for (uint16_t i = 0; i < 20; i++) {
		rig_push_sized(1, (uint16_t)(11 + 2 * i), (3 + i) * MS, PACKET);
		rig_push_sized(1, (uint16_t)(12 + 2 * i), (3 + i) * MS, PACKET);
		rig_push_sized(2, (uint16_t)(5002 + i), (3 + i) * MS, PACKET);
	}
	ck_assert_ptr_null(strchr(rig_history, '*'));
	RIG_STAT(received, 23);
	RIG_STAT(resets, 1);
	RIG_STAT(strays, 39);
	rig_history[0] = '\0';
	rig_push_sized(1, 51, (22 + 199) * MS, PACKET);
	rig_push_sized(1, 52, (22 + 199) * MS, PACKET);
	rig_expect("");
	rig_push_sized(1, 53, (22 + 200) * MS, PACKET);
	rig_expect("*:52 53");
	rtp_reorder_free(&rig_reorder);
}
END_TEST

static void
add(TCase *tcase)
{
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
}

int
main(void)
{
	return data_run("media rtp_reset", add);
}
