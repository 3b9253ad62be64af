/*
 * Timers: order, cancelling and re-arming inside callbacks, fake time, and the libevent side.
 */
#include "config.h"

#include "shared/clock.h"
#include "shared/clock_ev.h"
#include "tests/harness/harness.h"

#include <event2/event.h>
#include <stdint.h>
#include <string.h>

#define TIMERS 500

static struct clock *the_clock;
static char fired[64];
static int64_t fired_at_ms[64];
static size_t n_fired;

static int64_t
now_ms(void)
{
	return clock_now_ns(the_clock) / NS_PER_MS;
}

/* arg is the timer's name, one letter. */
static void
note(struct clock_timer *timer, void *arg)
{
	(void)timer;
	ck_assert_uint_lt(n_fired + 1, sizeof(fired));
	fired_at_ms[n_fired] = now_ms();
	fired[n_fired++] = *(const char *)arg;
}

static void
free_clock(void *arg)
{
	(void)arg;
	clock_free(&the_clock);
}

static void
make_clock(void)
{
	memset(fired, 0, sizeof(fired));
	n_fired = 0;
	the_clock = clock_new_fake(0);
	harness_defer(free_clock, NULL);
}

static void
set(struct clock_timer *timer, const char *name, int64_t delay_ms)
{
	clock_timer_init(timer, the_clock, note, (void *)(uintptr_t)name);
	clock_timer_set_ms(timer, delay_ms);
}

START_TEST(test_fire_in_order_of_deadlines_each_at_its_instant)
{
	struct clock_timer a, b, c, d;

	make_clock();
	set(&c, "c", 30);
	set(&a, "a", 10);
	set(&b, "b", 20);
	set(&d, "d", 40);
	ck_assert_uint_eq(clock_timers_set(the_clock), 4);
	ck_assert_int_eq(clock_next_ns(the_clock), 10 * NS_PER_MS);
	clock_advance_ms(the_clock, 35);
	ck_assert_str_eq(fired, "abc");
	ck_assert_int_eq(fired_at_ms[0], 10);
	ck_assert_int_eq(fired_at_ms[1], 20);
	ck_assert_int_eq(fired_at_ms[2], 30);
	ck_assert_int_eq(now_ms(), 35);
	ck_assert_int_eq(clock_next_ns(the_clock), 5 * NS_PER_MS);
	clock_timer_cancel(&d);
	ck_assert_int_eq(clock_next_ns(the_clock), -1);
}
END_TEST

START_TEST(test_equal_deadlines_fire_in_the_order_they_were_set)
{
	static const char names[] = "abcdefghijklmnopqrstuvwxyz";
	struct clock_timer timers[26];

	make_clock();
	for (int i = 0; i < 26; i++)
		set(&timers[i], &names[i], 5);
	clock_timer_set_ms(&timers[0], 5); /* set again: now the last */
	clock_advance_ms(the_clock, 5);
	ck_assert_str_eq(fired, "bcdefghijklmnopqrstuvwxyza");
}
END_TEST

START_TEST(test_a_timer_fires_once_and_may_be_set_again)
{
	struct clock_timer a;

	make_clock();
	set(&a, "a", 1);
	ck_assert(clock_timer_is_set(&a));
	clock_advance_ms(the_clock, 100);
	ck_assert(!clock_timer_is_set(&a));
	clock_timer_cancel(&a);
	clock_timer_cancel(NULL);
	clock_timer_set_ms(&a, 50);
	clock_timer_set_ms(&a, 20); /* moves it */
	clock_advance_ms(the_clock, 100);
	ck_assert_str_eq(fired, "aa");
	ck_assert_int_eq(fired_at_ms[1], 120);
}
END_TEST

START_TEST(test_zero_and_negative_mean_the_next_turn)
{
	struct clock_timer a, b;

	make_clock();
	set(&a, "a", 0);
	set(&b, "b", -1000);
	ck_assert_str_eq(fired, "");
	ck_assert_int_eq(clock_next_ns(the_clock), 0);
	ck_assert_int_eq(clock_run_due(the_clock), 2);
	ck_assert_str_eq(fired, "ab");
	ck_assert_int_eq(clock_run_due(the_clock), 0);
}
END_TEST

static struct clock_timer other;

static void
cancel_other(struct clock_timer *timer, void *arg)
{
	note(timer, arg);
	clock_timer_cancel(&other);
}

START_TEST(test_cancel_inside_a_callback)
{
	struct clock_timer a;

	make_clock();
	clock_timer_init(&a, the_clock, cancel_other, (void *)(uintptr_t) "a");
	clock_timer_set_ms(&a, 10);
	set(&other, "b", 10); /* due in the same turn */
	clock_advance_ms(the_clock, 10);
	ck_assert_str_eq(fired, "a");
	ck_assert_uint_eq(clock_timers_set(the_clock), 0);
}
END_TEST

static void
rearm_at_once(struct clock_timer *timer, void *arg)
{
	note(timer, arg);
	clock_timer_set_ms(timer, 0);
}

START_TEST(test_what_is_set_inside_a_callback_waits_for_the_next_turn)
{
	struct clock_timer a;

	make_clock();
	clock_timer_init(&a, the_clock, rearm_at_once, (void *)(uintptr_t) "a");
	clock_timer_set_ms(&a, 0);
	for (int turn = 1; turn <= 3; turn++) {
		ck_assert_int_eq(clock_run_due(the_clock), 1);
		ck_assert_uint_eq(n_fired, turn);
	}
	clock_timer_cancel(&a);
}
END_TEST

static void
rearm_later(struct clock_timer *timer, void *arg)
{
	note(timer, arg);
	if (n_fired < 4)
		clock_timer_set_ms(timer, 10);
}

START_TEST(test_advance_fires_what_is_set_on_the_way)
{
	struct clock_timer a;

	make_clock();
	clock_timer_init(&a, the_clock, rearm_later, (void *)(uintptr_t) "a");
	clock_timer_set_ms(&a, 10);
	clock_advance_ms(the_clock, 1000);
	ck_assert_str_eq(fired, "aaaa");
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(fired_at_ms[i], 10 * (i + 1));
	ck_assert_int_eq(now_ms(), 1000);
}
END_TEST

struct heavy {
	struct clock_timer timer;
	int64_t due_ms;
	bool cancelled, fired;
};
static int64_t last_fired_ms;

static void
on_heavy(struct clock_timer *timer, void *arg)
{
	struct heavy *heavy = arg;

	(void)timer;
	ck_assert(!heavy->cancelled && !heavy->fired);
	ck_assert_int_eq(now_ms(), heavy->due_ms);
	ck_assert_int_ge(now_ms(), last_fired_ms);
	last_fired_ms = now_ms();
	heavy->fired = true;
}

START_TEST(test_many_timers_set_moved_and_cancelled)
{
	static struct heavy heavies[TIMERS];
	uint32_t random = 1;

	make_clock();
	last_fired_ms = 0;
	for (int round = 0; round < 4; round++)
		for (int i = 0; i < TIMERS; i++) {
			struct heavy *heavy = &heavies[i];

			random = random * 1103515245 + 12345;
			if (round == 0)
				clock_timer_init(&heavy->timer, the_clock, on_heavy, heavy);
			heavy->cancelled = random >> 16 & 1;
			heavy->due_ms = (random >> 17) % 1000;
			if (heavy->cancelled)
				clock_timer_cancel(&heavy->timer);
			else
				clock_timer_set_ms(&heavy->timer, heavy->due_ms);
		}
	clock_advance_ms(the_clock, 1000);
	for (int i = 0; i < TIMERS; i++)
		ck_assert(heavies[i].fired != heavies[i].cancelled);
	ck_assert_uint_eq(clock_timers_set(the_clock), 0);
}
END_TEST

START_TEST(test_realtime_of_a_fake_clock)
{
	int64_t before;

	make_clock();
	before = clock_realtime_ns(the_clock);
	ck_assert_int_eq(before, 1767225600LL * NS_PER_S);
	clock_advance_ms(the_clock, 1500);
	ck_assert_int_eq(clock_realtime_ns(the_clock), before + 1500 * NS_PER_MS);
}
END_TEST

START_TEST(test_free_detaches_what_is_still_set)
{
	struct clock *clock = clock_new_fake(0);
	struct clock_timer a;

	clock_timer_init(&a, clock, note, (void *)(uintptr_t) "a");
	clock_timer_set_ms(&a, 1);
	clock_free(&clock);
	ck_assert_ptr_null(clock);
	ck_assert(!clock_timer_is_set(&a));
	clock_timer_cancel(&a);
	clock_free(&clock);
}
END_TEST

static void
count_wakeup(void *arg)
{
	++*(int *)arg;
}

START_TEST(test_wakeup_when_the_earliest_deadline_changes)
{
	struct clock_timer a, b;
	int wakeups = 0;

	make_clock();
	clock_set_wakeup(the_clock, count_wakeup, &wakeups);
	set(&a, "a", 100);
	ck_assert_int_eq(wakeups, 1);
	set(&b, "b", 200);
	ck_assert_int_eq(wakeups, 1);
	clock_timer_set_ms(&b, 50);
	ck_assert_int_eq(wakeups, 2);
	clock_timer_cancel(&a);
	clock_timer_cancel(&b);
	clock_set_wakeup(the_clock, NULL, NULL);
}
END_TEST

START_TEST(test_timers_can_be_listed)
{
	struct clock_timer a;

	make_clock();
	ck_assert_ptr_null(clock_timer_at(the_clock, 0));
	set(&a, "a", 1);
	ck_assert_ptr_eq(clock_timer_at(the_clock, 0), &a);
	ck_assert_ptr_null(clock_timer_at(the_clock, 1));
	clock_timer_cancel(&a);
}
END_TEST

/* libevent's side */

START_ASYNC_TEST(test_libevent_runs_the_timers, .real_clock = true)
{
	static struct clock_timer timers[3];

	the_clock = loop_clock(loop);
	memset(fired, 0, sizeof(fired));
	n_fired = 0;
	set(&timers[2], "c", 30);
	set(&timers[1], "b", 20);
	set(&timers[0], "a", 0);
	while (n_fired < 3)
		loop_run_for_ms(loop, 1);
	ck_assert_str_eq(fired, "abc");
	async_complete(loop);
}
END_ASYNC_TEST

static bool rang;
static int64_t rang_ns;

static void
on_ring(struct clock_timer *timer, void *arg)
{
	(void)arg;
	rang_ns = clock_now_ns(timer->clock) - timer->deadline_ns;
	rang = true;
}

START_ASYNC_TEST(test_never_before_the_deadline, .real_clock = true)
{
	static struct clock_timer timer;

	clock_timer_init(&timer, loop_clock(loop), on_ring, NULL);
	for (int i = 0; i < 20; i++) {
		rang = false;
		clock_timer_set_ms(&timer, i % 4);
		loop_run_until(loop, &rang, 0);
		ck_assert_int_ge(rang_ns, 0);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_clock_ev_waits_for_nothing_when_nothing_is_set)
{
	struct clock *clock = clock_new();
	struct clock_ev *clock_ev = clock_ev_new(loop_base(loop), clock);
	struct clock_timer timer;

	ck_assert_int_eq(event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED), 0);
	clock_timer_init(&timer, clock, on_ring, NULL);
	clock_timer_set_ms(&timer, 100000);
	ck_assert_int_eq(event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED), 1);
	clock_timer_cancel(&timer);
	clock_ev_free(&clock_ev);
	clock_ev_free(&clock_ev);
	ck_assert_int_eq(event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED), 0);
	clock_free(&clock);
	async_complete(loop);
}
END_ASYNC_TEST

/* The process stood still for an hour: what was a second away still is. */
START_TEST(test_a_gap_does_not_count)
{
	struct clock_timer early, late, fresh, next;

	make_clock();
	set(&early, "a", 100);
	set(&late, "b", 5000);
	set(&next, "d", 3600000 + 5000);
	clock_jump_ms(the_clock, 3600000);
	/* Something else wakes us first. */
	set(&fresh, "c", 1000);
	ck_assert_int_eq(clock_forgive_gap(the_clock), 3599900 * NS_PER_MS);
	ck_assert_int_eq(clock_run_due(the_clock), 1);
	ck_assert_str_eq(fired, "a");
	ck_assert_int_eq(clock_forgive_gap(the_clock), 0);
	clock_advance_ms(the_clock, 999);
	ck_assert_str_eq(fired, "a");
	clock_advance_ms(the_clock, 1);
	ck_assert_str_eq(fired, "ac");
	clock_advance_ms(the_clock, 3899);
	ck_assert_str_eq(fired, "ac");
	clock_advance_ms(the_clock, 1);
	ck_assert_str_eq(fired, "acb");
	clock_advance_ms(the_clock, 3600000);
	ck_assert_str_eq(fired, "acbd");
}
END_TEST

START_TEST(test_a_busy_moment_is_no_gap)
{
	struct clock_timer early, late;

	make_clock();
	ck_assert_int_eq(clock_forgive_gap(the_clock), 0);
	set(&early, "a", 100);
	set(&late, "b", 1500);
	ck_assert_int_eq(clock_forgive_gap(the_clock), 0);
	clock_jump_ms(the_clock, 2100);
	ck_assert_int_eq(clock_forgive_gap(the_clock), 0);
	ck_assert_int_eq(clock_run_due(the_clock), 2);
	ck_assert_str_eq(fired, "ab");
}
END_TEST

START_TEST(test_the_order_survives_a_gap)
{
	static struct clock_timer timers[26];
	static const char names[] = "abcdefghijklmnopqrstuvwxyz";

	make_clock();
	for (size_t i = 0; i < 26; i++)
		set(&timers[(i * 7) % 26], &names[(i * 7) % 26], (int64_t)((i * 7) % 26) * 100);
	clock_jump_ms(the_clock, 3000);
	for (size_t i = 0; i < 26; i += 2)
		clock_timer_set_ms(&timers[i], (int64_t)i * 100 + 50);
	/* "b", at 100 ms, is the earliest of those that wait. */
	ck_assert_int_eq(clock_forgive_gap(the_clock), 2900 * NS_PER_MS);
	clock_run_due(the_clock);
	clock_advance_ms(the_clock, 5000);
	ck_assert_uint_eq(n_fired, 26);
	for (size_t i = 1; i < 26; i++)
		ck_assert_int_le(fired_at_ms[i - 1], fired_at_ms[i]);
	ck_assert_str_eq(fired, "badcfehgjilknmporqtsvuxwzy");
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-clock");
	TCase *tcase = tcase_create("clock");

	tcase_add_test(tcase, test_fire_in_order_of_deadlines_each_at_its_instant);
	tcase_add_test(tcase, test_equal_deadlines_fire_in_the_order_they_were_set);
	tcase_add_test(tcase, test_a_timer_fires_once_and_may_be_set_again);
	tcase_add_test(tcase, test_zero_and_negative_mean_the_next_turn);
	tcase_add_test(tcase, test_cancel_inside_a_callback);
	tcase_add_test(tcase, test_what_is_set_inside_a_callback_waits_for_the_next_turn);
	tcase_add_test(tcase, test_advance_fires_what_is_set_on_the_way);
	tcase_add_test(tcase, test_many_timers_set_moved_and_cancelled);
	tcase_add_test(tcase, test_realtime_of_a_fake_clock);
	tcase_add_test(tcase, test_free_detaches_what_is_still_set);
	tcase_add_test(tcase, test_wakeup_when_the_earliest_deadline_changes);
	tcase_add_test(tcase, test_timers_can_be_listed);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("clock_ev");
	tcase_add_test(tcase, test_libevent_runs_the_timers);
	tcase_add_test(tcase, test_never_before_the_deadline);
	tcase_add_test(tcase, test_clock_ev_waits_for_nothing_when_nothing_is_set);
	tcase_add_test(tcase, test_a_gap_does_not_count);
	tcase_add_test(tcase, test_a_busy_moment_is_no_gap);
	tcase_add_test(tcase, test_the_order_survives_a_gap);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
