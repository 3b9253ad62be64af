/*
 * What depacketisers share: the verdict on markers; limits of units and memory.
 */
#include "config.h"

#include "media/rtp_au_end.h"
#include "media/rtp_depay.h"
#include "tests/depay_rig.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the verdict on markers --- */

static void
watch_units(struct rtp_au_watch *watch, unsigned n, unsigned markers, bool is_last_marked,
	    unsigned slices)
{
	while (n-- > 0)
		rtp_au_watch_unit(watch, markers, is_last_marked, slices);
}

START_TEST(a_camera_that_marks)
{
	struct rtp_au_watch watch = { 0 };

	watch_units(&watch, 1, 1, true, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_MARKER);
	watch_units(&watch, 7, 0, false, 1);
	watch_units(&watch, 1, 1, true, 1);
	watch_units(&watch, 7, 0, false, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_MARKER);
	watch_units(&watch, 1, 0, false, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_NEVER);
}
END_TEST

START_TEST(a_camera_that_never_marks)
{
	struct rtp_au_watch watch = { 0 };

	watch_units(&watch, 1, 0, false, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_UNKNOWN);
	watch_units(&watch, 1, 0, false, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_NEVER);
	watch_units(&watch, 7, 1, true, 1);
	watch_units(&watch, 1, 0, false, 1);
	watch_units(&watch, 7, 1, true, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_NEVER);
	watch_units(&watch, 1, 1, true, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_MARKER);
}
END_TEST

START_TEST(a_camera_that_marks_slices)
{
	struct rtp_au_watch watch = { 0 };

	watch_units(&watch, 3, 1, true, 1);
	rtp_au_watch_went_on(&watch);
	ck_assert_int_eq(watch.how, RTP_AU_END_EACH_SLICE);
	watch_units(&watch, 49, 1, true, 2);
	watch_units(&watch, 1, 2, true, 2); /* and again on each */
	watch_units(&watch, 49, 1, true, 2);
	watch_units(&watch, 1, 1, false, 2); /* in the middle */
	watch_units(&watch, 49, 1, true, 2);
	watch_units(&watch, 1, 0, false, 2); /* not at all */
	watch_units(&watch, 49, 1, true, 2);
	ck_assert_int_eq(watch.how, RTP_AU_END_EACH_SLICE);
	watch_units(&watch, 1, 1, true, 2);
	ck_assert_int_eq(watch.how, RTP_AU_END_MARKER);
}
END_TEST

START_TEST(trust_is_dearer_the_second_time)
{
	struct rtp_au_watch watch = { 0 };
	unsigned i;

	rtp_au_watch_went_on(&watch);
	watch_units(&watch, 499, 1, true, 1); /* of one slice: says little */
	rtp_au_watch_went_on(&watch);         /* distrusted already: no dearer */
	watch_units(&watch, 499, 1, true, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_EACH_SLICE);
	watch_units(&watch, 1, 1, true, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_MARKER);
	rtp_au_watch_went_on(&watch);
	watch_units(&watch, 1999, 1, true, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_EACH_SLICE);
	watch_units(&watch, 1, 1, true, 1);
	ck_assert_int_eq(watch.how, RTP_AU_END_MARKER);
	for (i = 0; i < 40; i++) {
		watch.how = RTP_AU_END_MARKER;
		rtp_au_watch_went_on(&watch);
		ck_assert_uint_ge(watch.needed, 2000);
	}
}
END_TEST

static enum rtp_au_end
au_end_of(const struct depay_rig *rig)
{
	return rtp_depay_stats(rig->depay)->au_end;
}

static void
rig_init(struct depay_rig *rig)
{
	struct rtp_format format = { .codec = RTP_CODEC_H264, .clock_rate = 90000 };

	depay_rig_init(rig, &format, false);
}

START_TEST(what_the_camera_does_is_told)
{
	struct depay_rig rig;

	rig_init(&rig);
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_UNKNOWN);
	depay_rig_play(&rig, "0 6742; 0M 6588");
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_MARKER);
	depay_rig_play(&rig, "0M 6540");
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_EACH_SLICE);
	depay_rig_free(&rig);
	rig_init(&rig);
	depay_rig_play(&rig, "0 6588; 1 419a; 2 419a");
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_NEVER);
	depay_rig_play(&rig, "2 0605; 2 4140; 3 419a");
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_NEVER);
	depay_rig_free(&rig);
}
END_TEST

/* A loss is no evidence: the packet with the marker may be what was lost. */
START_TEST(losses_are_not_held_against_the_camera)
{
	struct depay_rig rig;
	unsigned i;

	rig_init(&rig);
	depay_rig_play(&rig, "0M 6588");
	for (i = 1; i < 50; i++) {
		char packets[64];

		(void)snprintf(packets, sizeof(packets), "-1 %u 419a", i);
		depay_rig_play(&rig, packets);
	}
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_MARKER);
	depay_rig_free(&rig);
}
END_TEST

START_TEST(a_camera_that_was_put_right_is_quick_again)
{
	struct depay_rig rig;
	char packets[64];
	unsigned i;

	rig_init(&rig);
	depay_rig_play(&rig, "0M 6588; 0M 6540; 1M 419a; 1M 4140");
	for (i = 2; i < 52; i++) {
		(void)snprintf(packets, sizeof(packets), "%u 419a; %uM 4140", i, i);
		depay_rig_play(&rig, packets);
	}
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_EACH_SLICE);
	(void)depay_rig_units(&rig);
	depay_rig_play(&rig, "60 419a"); /* late by one for the last time */
	ck_assert_int_eq(au_end_of(&rig), RTP_AU_END_MARKER);
	ck_assert_str_eq(depay_rig_units(&rig), "51t:|419a|4140;");
	depay_rig_play(&rig, "60M 4140");
	ck_assert_str_eq(depay_rig_units(&rig), "60:|419a|4140;");
	depay_rig_free(&rig);
}
END_TEST

START_TEST(a_unit_arrived_with_its_last_packet)
{
	struct depay_rig rig;

	rig_init(&rig);
	rig.arrived_ns = 100;
	depay_rig_play(&rig, "0 6588; 0 6540; 0M 6520");
	ck_assert_int_eq(rig.last_ended_ns, 102);
	depay_rig_play(&rig, "1 419a; 1 4140; 2 419a");
	ck_assert_int_eq(rig.last_ended_ns, 104);
	depay_rig_free(&rig);
}
END_TEST

/* --- limits --- */

static void
push_fragments(struct depay_rig *rig, uint32_t timestamp, unsigned n, bool is_marked)
{
	uint8_t payload[1002] = { 0x7c };
	unsigned i;

	for (i = 0; i < n; i++) {
		payload[1] = (uint8_t)(1 | (i == 0) << 7 | (i + 1 == n) << 6);
		payload[2] = i == 0 ? 0x9a : 0x55;
		depay_rig_push(rig, timestamp, is_marked && i + 1 == n, 0, payload,
			       sizeof(payload));
	}
}

START_TEST(a_unit_beyond_the_limit_is_dropped_whole)
{
	struct depay_rig rig;
	const struct rtp_depay_stats *stats;

	rig_init(&rig);
	stats = rtp_depay_stats(rig.depay);
	depay_rig_play(&rig, "0M 6588");
	push_fragments(&rig, 1, 4, true); /* 4005 of 4096 bytes */
	push_fragments(&rig, 2, 5, false);
	depay_rig_play(&rig, "2 4140; 2 0605; 2M 4120; 3M 419a; 4M 419a");
	ck_assert_ptr_nonnull(strstr(rig.out, "1:|619a"));
	ck_assert_ptr_null(strstr(rig.out, ";2"));
	ck_assert_ptr_nonnull(strstr(rig.out, ";3+:|419a;4:|419a;"));
	ck_assert_uint_eq(stats->too_large, 1);
	ck_assert_uint_eq(stats->units, 4);
	ck_assert_uint_eq(rig.begins, 4); /* the writer was used again */
	push_fragments(&rig, 5, 5, false);
	(void)depay_rig_units(&rig);
	depay_rig_play(&rig, "6M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "6+:|419a;");
	ck_assert_uint_eq(stats->too_large, 2);
	depay_rig_free(&rig);
}
END_TEST

START_TEST(a_single_unit_beyond_the_limit)
{
	uint8_t *large = calloc(1, 5000);
	struct depay_rig rig;

	ck_assert_ptr_nonnull(large);
	rig_init(&rig);
	large[0] = 0x06;
	memset(large + 1, 0x55, 4999);
	depay_rig_push(&rig, 0, false, 0, large, 5000);
	depay_rig_play(&rig, "0 6742; 1M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "1+:|419a;");
	large[0] = 0x41;
	large[1] = 0x9a;
	depay_rig_push(&rig, 2, true, 0, large, 5000);
	depay_rig_play(&rig, "3M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "3+:|419a;");
	ck_assert_uint_eq(rtp_depay_stats(rig.depay)->too_large, 2);
	depay_rig_free(&rig);
	free(large);
}
END_TEST

/* Where not even the start code has room, nothing may be written behind it. */
START_TEST(the_limit_is_met_in_a_start_code)
{
	struct rtp_format format = { .codec = RTP_CODEC_H264, .clock_rate = 90000 };
	struct depay_rig rig;

	depay_rig_init(&rig, &format, true);
	rig.writer.limit = 9;
	rig.set_result = -1;
	depay_rig_play(&rig, "0M 419a; 1 419a; 1M 6742; 2M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "0:|419a;2+:|419a;");
	depay_rig_play(&rig, "3 419a; 3 7c8742; 3M 7c4701; 4M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "4+:|419a;");
	depay_rig_play(&rig, "5 419a; 5 7c8140; -1 5 7c0101; 5M 7c4101; 6M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "6+:|419a;");
	ck_assert_uint_eq(rtp_depay_stats(rig.depay)->too_large, 3);
	depay_rig_free(&rig);
}
END_TEST

START_TEST(without_memory_a_unit_is_passed_over)
{
	struct depay_rig rig;

	rig_init(&rig);
	depay_rig_play(&rig, "0M 6588");
	rig.refuse = 1;
	depay_rig_play(&rig, "1 419a; 1 7c8140; 1 7c0102; 1M 7c4103; 2M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "0:|6588;2+:|419a;");
	ck_assert_uint_eq(rig.refuse, 0);
	rig.refuse = 1;
	depay_rig_play(&rig, "3 7c819a; 3 7c0102; 4M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "4+:|419a;");
	rig.fail = -ENOMEM;
	depay_rig_play(&rig, "5 419a; 5M 4140; 6M 419a");
	ck_assert_str_eq(depay_rig_units(&rig), "6+:|419a;");
	ck_assert_uint_eq(rtp_depay_stats(rig.depay)->too_large, 0);
	depay_rig_free(&rig);
}
END_TEST

START_TEST(without_memory_sound_is_passed_over)
{
	struct rtp_format format = { .codec = RTP_CODEC_PCMU, .clock_rate = 8000, .channels = 1 };
	struct depay_rig rig;

	depay_rig_init(&rig, &format, false);
	rig.refuse = 1;
	depay_rig_play(&rig, "0 aa; 1 bb; 2 cc");
	ck_assert_str_eq(depay_rig_units(&rig), "1+:bb;2:cc;");
	depay_rig_free(&rig);
}
END_TEST

/* What waits for a picture is bounded, whatever the camera calls a parameter set. */
START_TEST(parameter_sets_without_a_picture_do_not_pile_up)
{
	uint8_t set[1000] = { 0x67 };
	struct depay_rig rig;
	uint32_t i;

	rig_init(&rig);
	rig.writer.limit = 1u << 20;
	memset(set + 1, 0x42, sizeof(set) - 1);
	for (i = 0; i < 500; i++)
		depay_rig_push(&rig, i, true, 0, set, sizeof(set));
	depay_rig_play(&rig, "1000M 6588");
	ck_assert_uint_eq(rtp_depay_stats(rig.depay)->units, 1);
	ck_assert_uint_lt(rig.writer.len, RTP_CONFIG_MAX + 2 * sizeof(set));
	ck_assert_uint_gt(rig.writer.len, sizeof(set));
	depay_rig_free(&rig);
}
END_TEST

/* --- the dispatcher --- */

START_TEST(a_codec_that_is_not_for_here)
{
	static const struct rtp_depay_ops ops; /* not called */
	struct rtp_format format = { .codec = RTP_CODEC_NONE, .clock_rate = 90000 };
	struct rtp_depay *depay = NULL;

	ck_assert_ptr_null(rtp_depay_new(&format, &ops, NULL));
	format.codec = (enum rtp_codec)1000;
	ck_assert_ptr_null(rtp_depay_new(&format, &ops, NULL));
	rtp_depay_free(&depay);
}
END_TEST

START_TEST(the_description_may_go)
{
	uint8_t *config = data_copy((const uint8_t *)"\0\0\1\x67", 4);
	struct rtp_format format = {
		.codec = RTP_CODEC_H264, .clock_rate = 90000, .config = config, .config_len = 4
	};
	struct depay_rig rig;

	depay_rig_init(&rig, &format, false);
	free(config);
	depay_rig_play(&rig, "0M 6588");
	ck_assert_str_eq(depay_rig_units(&rig), "0:|6588;");
	depay_rig_free(&rig);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, a_camera_that_marks);
	tcase_add_test(tcase, a_camera_that_never_marks);
	tcase_add_test(tcase, a_camera_that_marks_slices);
	tcase_add_test(tcase, trust_is_dearer_the_second_time);
	tcase_add_test(tcase, what_the_camera_does_is_told);
	tcase_add_test(tcase, losses_are_not_held_against_the_camera);
	tcase_add_test(tcase, a_camera_that_was_put_right_is_quick_again);
	tcase_add_test(tcase, a_unit_arrived_with_its_last_packet);
	tcase_add_test(tcase, a_unit_beyond_the_limit_is_dropped_whole);
	tcase_add_test(tcase, a_single_unit_beyond_the_limit);
	tcase_add_test(tcase, the_limit_is_met_in_a_start_code);
	tcase_add_test(tcase, without_memory_a_unit_is_passed_over);
	tcase_add_test(tcase, without_memory_sound_is_passed_over);
	tcase_add_test(tcase, parameter_sets_without_a_picture_do_not_pile_up);
	tcase_add_test(tcase, a_codec_that_is_not_for_here);
	tcase_add_test(tcase, the_description_may_go);
}

int
main(void)
{
	return data_run("media depay", add);
}
