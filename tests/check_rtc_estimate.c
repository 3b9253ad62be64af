/*
 * What is advised for which link, with links made here: packets wait in a queue that drains at a
 * rate, some are lost, the viewer tells of them every 100 ms. Time is counted, not waited for.
 */
#include "config.h"

#include "rtc/estimate.h"
#include "tests/media_data.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS    INT64_C(1000000)
#define PACKET_BYTES 1200u
#define TOLD_MAX     512u

/* A link, and the viewer at its end. */
struct way {
	struct rtc_estimate *estimate;
	int64_t now_us;
	unsigned sends_kbps, carries_kbps; /* 0: all that is sent */
	unsigned loss_percent, jitter_ms;
	unsigned other_kbps;   /* what is sent when the advice is not OK */
	bool is_deaf;          /* no feedback comes back */
	unsigned deaf_percent; /* of the feedbacks do not */
	int64_t free_at_us;    /* when the queue is empty */
	int64_t stalled_until_us;
	int64_t behind_us; /* by which its clock was set back, whole units of 64 ms */
	uint16_t seq, told_from;
	int64_t arrivals[65536]; /* -1 lost */
	int64_t next_send_us, next_tell_us;
	uint32_t random;
	enum rtc_advice advice;
	int64_t worst_queue_us;
	unsigned changes, held;
};

static struct way *
way_new(unsigned sends_kbps, unsigned carries_kbps)
{
	struct way *way = calloc(1, sizeof(*way));

	way->now_us = 1000000;
	way->next_send_us = way->next_tell_us = way->now_us;
	way->sends_kbps = sends_kbps;
	way->carries_kbps = carries_kbps;
	way->random = 1;
	way->estimate = rtc_estimate_new(way->now_us * 1000);
	return way;
}

static void
way_free(struct way *way)
{
	rtc_estimate_free(&way->estimate);
	ck_assert_ptr_null(way->estimate);
	free(way);
}

static unsigned
roll(struct way *way, unsigned of)
{
	way->random = way->random * 1103515245u + 12345u;
	return (way->random >> 16) % of;
}

static void
send_packet(struct way *way)
{
	int64_t took_us = 0, at_us = way->now_us;

	rtc_estimate_on_sent(way->estimate, way->seq, PACKET_BYTES, way->now_us * 1000);
	if (way->carries_kbps > 0)
		took_us = (int64_t)PACKET_BYTES * 8 * 1000 / way->carries_kbps;
	if (way->free_at_us > at_us)
		at_us = way->free_at_us;
	way->free_at_us = at_us + took_us;
	if (at_us - way->now_us > way->worst_queue_us)
		way->worst_queue_us = at_us - way->now_us;
	way->arrivals[way->seq] = way->free_at_us + 2000 + 77000000; /* its clock is another */
	if (way->jitter_ms > 0)
		way->arrivals[way->seq] += roll(way, 2 * way->jitter_ms * 1000);
	if (way->arrivals[way->seq] < way->stalled_until_us + 77000000)
		way->arrivals[way->seq] = way->stalled_until_us + 77000000;
	if (roll(way, 100) < way->loss_percent)
		way->arrivals[way->seq] = -1;
	way->seq++;
}

/* What came until now, in the order of its numbers, as browsers tell it. */
static void
tell(struct way *way)
{
	int32_t deltas[TOLD_MAX];
	struct rtc_rtcp_twcc twcc = { .base_seq = way->told_from, .delta_us = deltas };
	int64_t last_us = -1;
	uint16_t end = way->seq;

	/* Behind the last that came nothing is told. */
	while (end != way->told_from &&
	       (way->arrivals[(uint16_t)(end - 1)] < 0 ||
		way->arrivals[(uint16_t)(end - 1)] > way->now_us + 77000000))
		end--;
	for (; way->told_from != end && twcc.count < TOLD_MAX; way->told_from++) {
		int64_t at_us = way->arrivals[way->told_from];

		if (at_us < 0) {
			deltas[twcc.count++] = RTC_RTCP_TWCC_LOST;
			continue;
		}
		if (last_us < 0) {
			last_us = at_us / 64000 * 64000;
			twcc.reference_us = last_us - way->behind_us;
		}
		deltas[twcc.count++] = (int32_t)(at_us - last_us);
		last_us = at_us;
	}
	if (twcc.count > 0 && !way->is_deaf && roll(way, 100) >= way->deaf_percent)
		rtc_estimate_on_twcc(way->estimate, &twcc, way->now_us * 1000);
}

static void
advise(struct way *way)
{
	enum rtc_advice advice = rtc_estimate_advice(way->estimate, way->now_us * 1000);

	way->changes += advice != way->advice;
	way->advice = advice;
}

/* So long; returns after how many ms the advice was `until` (or after all of it). */
static int64_t
run_until(struct way *way, int64_t ms, enum rtc_advice until)
{
	int64_t began_us = way->now_us, end_us = way->now_us + ms * 1000;

	while (way->now_us < end_us) {
		unsigned kbps = way->advice == RTC_ADVICE_OK || way->other_kbps == 0
				    ? way->sends_kbps
				    : way->other_kbps;

		way->now_us =
		    way->next_send_us < way->next_tell_us ? way->next_send_us : way->next_tell_us;
		if (way->now_us == way->next_send_us) {
			if (rtc_estimate_is_full(way->estimate, way->now_us * 1000))
				way->held++;
			else
				send_packet(way);
			way->next_send_us += (int64_t)PACKET_BYTES * 8 * 1000 / kbps;
		} else {
			tell(way);
			advise(way);
			way->next_tell_us += 100000;
			if (way->advice == until)
				break;
		}
	}
	return (way->now_us - began_us) / 1000;
}

static void
run(struct way *way, int64_t ms)
{
	(void)run_until(way, ms, (enum rtc_advice)99);
}

START_TEST(good_link_is_left_alone)
{
	struct way *way = way_new(3000, 0);
	struct rtc_estimate_state state;

	run(way, 30000);
	ck_assert_uint_eq(way->changes, 0);
	ck_assert_uint_eq(way->held, 0);
	rtc_estimate_look(way->estimate, way->now_us * 1000, &state);
	ck_assert_uint_gt(state.rate_bps, 2700000);
	ck_assert_uint_lt(state.rate_bps, 3300000);
	ck_assert_uint_gt(state.sent_bps, 2700000);
	ck_assert_uint_lt(state.sent_bps, 3300000);
	ck_assert_uint_eq(state.lost_percent, 0);
	ck_assert_int_lt(state.queue_us, 1000);
	way_free(way);
}
END_TEST

/* Wi-Fi shakes, and loses: neither is thinness. */
START_TEST(jitter_and_loss_are_left_alone)
{
	struct way *way = way_new(3000, 20000);

	way->jitter_ms = 30;
	way->loss_percent = 25;
	run(way, 60000);
	ck_assert_uint_eq(way->changes, 0);
	ck_assert_uint_eq(way->held, 0);
	way_free(way);
}
END_TEST

START_TEST(thin_link_is_seen_soon)
{
	struct way *way = way_new(3000, 0);

	way->other_kbps = 500;
	run(way, 5000);
	way->carries_kbps = 1000;
	ck_assert_int_lt(run_until(way, 10000, RTC_ADVICE_THIN), 1000);
	/* The smaller stream fits: it stays at that, and the queue never was long. */
	run(way, 5000);
	ck_assert_int_eq(way->advice, RTC_ADVICE_THIN);
	ck_assert_int_lt(way->worst_queue_us, 500000);
	way_free(way);
}
END_TEST

/* The time in feedback has 24 bits of 64 ms: after 12 days it begins anew, and all goes on. */
START_TEST(clock_of_feedback_wraps_around)
{
	struct way *way = way_new(3000, 0);
	struct rtc_estimate_state state;

	run(way, 3000);
	way->behind_us = (INT64_C(1) << 24) * 64000;
	way->sends_kbps = 1000;
	run(way, 3000);
	ck_assert_uint_eq(way->changes, 0);
	rtc_estimate_look(way->estimate, way->now_us * 1000, &state);
	ck_assert_uint_gt(state.rate_bps, 800000);
	ck_assert_uint_lt(state.rate_bps, 1200000);
	way_free(way);
}
END_TEST

/* How long the next one would wait on the way is known well enough to leave out what would be late.
 */
START_TEST(wait_on_a_thin_link)
{
	struct way *way = way_new(3000, 0);
	int64_t wait_us;

	ck_assert_int_eq(rtc_estimate_wait_us(way->estimate, way->now_us * 1000), 0);
	run(way, 3000);
	ck_assert_int_eq(rtc_estimate_wait_us(way->estimate, way->now_us * 1000), 0);
	way->carries_kbps = 1000;
	run(way, 400);
	wait_us = rtc_estimate_wait_us(way->estimate, way->now_us * 1000);
	ck_assert_int_ge(wait_us, way->worst_queue_us / 2);
	ck_assert_int_le(wait_us, way->worst_queue_us * 3 / 2 + 100000);
	ck_assert_int_ge(wait_us, 150000);
	way_free(way);
}
END_TEST

/* So soon after the beginning that nothing was known before. */
START_TEST(thin_from_the_beginning)
{
	struct way *way = way_new(3000, 1000);

	way->other_kbps = 500;
	ck_assert_int_lt(run_until(way, 10000, RTC_ADVICE_THIN), 1000);
	ck_assert_int_lt(way->worst_queue_us, 1500000);
	way->worst_queue_us = 0;
	run(way, 2000);
	way->worst_queue_us = 0;
	run(way, 5000);
	ck_assert_int_lt(way->worst_queue_us, 500000);
	way_free(way);
}
END_TEST

START_TEST(too_thin_for_the_smaller_one)
{
	struct way *way = way_new(3000, 0);

	way->other_kbps = 1000;
	run(way, 3000);
	way->carries_kbps = 200;
	ck_assert_int_lt(run_until(way, 10000, RTC_ADVICE_KEYS_ONLY), 4000);
	way_free(way);
}
END_TEST

/* It comes back when the link is good again; not at once, and later each time it was a mistake. */
START_TEST(back_when_it_is_good)
{
	struct way *way = way_new(3000, 0);
	int64_t first, second;

	way->other_kbps = 500;
	run(way, 3000);
	way->carries_kbps = 1000;
	run_until(way, 5000, RTC_ADVICE_THIN);
	/* Still thin: it tries, and learns. */
	first = run_until(way, 60000, RTC_ADVICE_OK);
	ck_assert_int_ge(first, 8000);
	ck_assert_int_lt(first, 14000);
	ck_assert_int_lt(run_until(way, 5000, RTC_ADVICE_THIN), 1500);
	second = run_until(way, 60000, RTC_ADVICE_OK);
	ck_assert_int_ge(second, 16000);
	ck_assert_int_lt(second, 22000);
	/* Good again: it stays. */
	way->carries_kbps = 0;
	run(way, 60000);
	ck_assert_int_eq(way->advice, RTC_ADVICE_OK);
	way_free(way);
}
END_TEST

/* Half is lost whatever is sent: less of it is tried once, then everything again. */
START_TEST(loss_that_is_not_ours)
{
	struct way *way = way_new(3000, 0);

	way->other_kbps = 500;
	way->loss_percent = 50;
	ck_assert_int_lt(run_until(way, 10000, RTC_ADVICE_THIN), 5000);
	ck_assert_int_lt(run_until(way, 20000, RTC_ADVICE_OK), 7000);
	run(way, 30000);
	ck_assert_int_eq(way->advice, RTC_ADVICE_OK);
	ck_assert_uint_eq(way->changes, 2);
	way_free(way);
}
END_TEST

/* Nothing comes back at all. */
START_TEST(silence_counts)
{
	struct way *way = way_new(3000, 0);
	struct rtc_estimate_state state;

	run(way, 3000);
	way->is_deaf = true;
	ck_assert_int_lt(run_until(way, 10000, RTC_ADVICE_THIN), 2500);
	rtc_estimate_look(way->estimate, way->now_us * 1000, &state);
	ck_assert_int_gt(state.queue_us, 300000);
	ck_assert_uint_gt(way->held, 0);
	way_free(way);
}
END_TEST

/* A radio that looks for other networks: for a second nothing comes, then everything. */
START_TEST(stalls_are_left_alone)
{
	struct way *way = way_new(3000, 20000);

	for (int i = 0; i < 10; i++) {
		run(way, 5000);
		way->stalled_until_us = way->now_us + 1000000;
	}
	run(way, 5000);
	ck_assert_uint_eq(way->changes, 0);
	way_free(way);
}
END_TEST

/* What was on the way then is not waited for: it goes on. */
START_TEST(silence_ends)
{
	struct way *way = way_new(3000, 0);
	unsigned held;

	run(way, 3000);
	way->is_deaf = true;
	run(way, 5000);
	ck_assert_int_ne(way->advice, RTC_ADVICE_OK);
	way->is_deaf = false;
	run(way, 3000);
	held = way->held;
	run(way, 60000);
	ck_assert_int_eq(way->advice, RTC_ADVICE_OK);
	ck_assert_uint_eq(way->held, held);
	way_free(way);
}
END_TEST

/* Feedback is lost as other packets are: what it would have told of is not on the way for ever. */
START_TEST(lost_feedback_is_not_a_queue)
{
	struct way *way = way_new(3000, 0);

	way->loss_percent = way->deaf_percent = 25;
	way->jitter_ms = 10;
	run(way, 60000);
	ck_assert_uint_eq(way->changes, 0);
	ck_assert_uint_eq(way->held, 0);
	way_free(way);
}
END_TEST

/* 200 packets at once; the first feedback tells of ten, so far apart. Whether more may follow. */
static bool
is_full_after_first(int32_t apart_us)
{
	struct rtc_estimate *estimate = rtc_estimate_new(NS_PER_MS);
	struct rtc_rtcp_twcc twcc = { .base_seq = 0, .count = 10, .reference_us = 64000 };
	int32_t deltas[10];
	int64_t now = NS_PER_MS;
	bool is_full;

	for (uint16_t seq = 0; seq < 200; seq++)
		rtc_estimate_on_sent(estimate, seq, PACKET_BYTES, now);
	for (int i = 0; i < 10; i++)
		deltas[i] = i > 0 ? apart_us : 0;
	twcc.delta_us = deltas;
	ck_assert(rtc_estimate_is_blind(estimate));
	now += 100 * NS_PER_MS;
	rtc_estimate_on_twcc(estimate, &twcc, now);
	ck_assert(!rtc_estimate_is_blind(estimate));
	is_full = rtc_estimate_is_full(estimate, now);
	rtc_estimate_free(&estimate);
	return is_full;
}

/* What a viewer was sent when he joined: already its first packets tell how thin the link is. */
START_TEST(first_feedback_counts)
{
	ck_assert(is_full_after_first(10000));
	ck_assert(is_full_after_first(4000));
	ck_assert(!is_full_after_first(250));
}
END_TEST

/* Without transport-wide feedback: a round trip that grows, or REMB. */
START_TEST(reports_alone)
{
	struct rtc_estimate *estimate = rtc_estimate_new(NS_PER_MS);
	struct rtc_rtcp_report report = { .fraction_lost = 0 };
	int64_t now = NS_PER_MS;

	for (int i = 0; i < 10; i++, now += 1000 * NS_PER_MS) {
		rtc_estimate_on_report(estimate, &report, 20000, now);
		ck_assert_int_eq(rtc_estimate_advice(estimate, now), RTC_ADVICE_OK);
	}
	ck_assert(!rtc_estimate_is_full(estimate, now));
	for (int i = 0; i < 2; i++, now += 1000 * NS_PER_MS)
		rtc_estimate_on_report(estimate, &report, 400000, now);
	ck_assert_int_eq(rtc_estimate_advice(estimate, now), RTC_ADVICE_THIN);
	rtc_estimate_free(&estimate);
	rtc_estimate_free(&estimate);
}
END_TEST

START_TEST(remb_alone)
{
	struct rtc_estimate *estimate = rtc_estimate_new(NS_PER_MS);
	int64_t now = NS_PER_MS;
	uint16_t seq = 0;

	for (int i = 0; i < 3000; i++, now += 3 * NS_PER_MS)
		rtc_estimate_on_sent(estimate, seq++, PACKET_BYTES, now);
	rtc_estimate_on_remb(estimate, 4000000, now);
	ck_assert_int_eq(rtc_estimate_advice(estimate, now), RTC_ADVICE_OK);
	rtc_estimate_on_remb(estimate, 1000000, now);
	ck_assert_int_eq(rtc_estimate_advice(estimate, now), RTC_ADVICE_THIN);
	rtc_estimate_free(&estimate);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(rtc_advice_name(RTC_ADVICE_OK), "ok");
	ck_assert_str_eq(rtc_advice_name(RTC_ADVICE_THIN), "thin");
	ck_assert_str_eq(rtc_advice_name(RTC_ADVICE_KEYS_ONLY), "keys-only");
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, good_link_is_left_alone);
	tcase_add_test(tcase, jitter_and_loss_are_left_alone);
	tcase_add_test(tcase, thin_link_is_seen_soon);
	tcase_add_test(tcase, clock_of_feedback_wraps_around);
	tcase_add_test(tcase, wait_on_a_thin_link);
	tcase_add_test(tcase, thin_from_the_beginning);
	tcase_add_test(tcase, too_thin_for_the_smaller_one);
	tcase_add_test(tcase, back_when_it_is_good);
	tcase_add_test(tcase, loss_that_is_not_ours);
	tcase_add_test(tcase, silence_counts);
	tcase_add_test(tcase, stalls_are_left_alone);
	tcase_add_test(tcase, silence_ends);
	tcase_add_test(tcase, lost_feedback_is_not_a_queue);
	tcase_add_test(tcase, first_feedback_counts);
	tcase_add_test(tcase, reports_alone);
	tcase_add_test(tcase, remb_alone);
	tcase_add_test(tcase, names);
}

int
main(void)
{
	return data_run("rtc_estimate", add_tests);
}
