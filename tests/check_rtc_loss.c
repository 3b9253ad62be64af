/*
 * What is sent more than once to a viewer whose way loses packets, and that it stays within bounds.
 */
#include "config.h"

#include "rtc/session.h"
#include "tests/check_rtc_rig.h"

#define TICK_MS  250 /* the state of links is looked at more often than that */
#define OF_A_256 256

/* He reports that so much was lost; what was reported of late is averaged. */
static void
report_loss(struct rtc_rig *rig, struct rtc_viewer *viewer, unsigned percent)
{
	uint8_t data[64];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };
	/* Rounded up: a share of 256. */
	const struct rtc_rtcp_report report = { .ssrc = viewer->video_ssrc,
						.fraction_lost =
						    (uint8_t)(percent * OF_A_256 / 100 + 1) };

	ck_assert_int_eq(rtc_rtcp_write_rr(&out, 1, &report), 0);
	rtc_viewer_send_rtcp(viewer, &out);
	loop_settle(rig->loop);
	loop_run_for_ms(rig->loop, TICK_MS);
	ck_assert_uint_ge(rtc_rig_first(rig)->lost_percent, percent / 2);
}

/* The number that a packet of RTX had at first. */
static uint16_t
original_of(const struct rtc_viewer *viewer, size_t i)
{
	ck_assert_uint_eq(viewer->packets[i].ssrc, viewer->rtx_ssrc);
	return (uint16_t)(viewer->packets[i].bytes[0] << 8 | viewer->packets[i].bytes[1]);
}

/* A picture that came whole; what comes after it is in packets[returned..]. */
static size_t
push_picture(struct rtc_rig *rig, struct rtc_viewer *viewer, struct feed *feed)
{
	rtc_rig_push(rig, feed_delta(feed));
	rtc_viewer_await_pictures(viewer, rtc_viewer_pictures(viewer) + 1);
	return viewer->n;
}

/* How many packets come of asking for that one again. */
static size_t
ask_again(struct rtc_rig *rig, struct rtc_viewer *viewer, uint16_t seq)
{
	size_t n = viewer->n;

	rtc_viewer_nack(viewer, seq);
	loop_settle(rig->loop);
	return viewer->n - n;
}

/* The loss of a picture's last packet would be seen with the next picture: it goes again at once,
 * where packets are lost. */
START_ASYNC_TEST(test_tail)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);
	size_t n;

	feed.padding = 5000;
	n = push_picture(rig, viewer, &feed);
	loop_run_for_ms(loop, 30);
	ck_assert_uint_eq(viewer->n, n);
	report_loss(rig, viewer, 1);
	n = push_picture(rig, viewer, &feed);
	loop_run_for_ms(loop, 30);
	ck_assert_uint_eq(viewer->n, n + 1);
	ck_assert_uint_eq(original_of(viewer, n), viewer->packets[n - 1].seq);
	async_complete(loop);
}
END_ASYNC_TEST

/* What is asked for again is lost as often as anything: where that is much, it goes twice. */
START_ASYNC_TEST(test_twice)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);
	uint16_t missed;
	size_t n;

	missed = viewer->packets[0].seq;
	report_loss(rig, viewer, 2);
	ck_assert_uint_eq(ask_again(rig, viewer, missed), 1);
	report_loss(rig, viewer, 20);
	n = viewer->n;
	ck_assert_uint_eq(ask_again(rig, viewer, missed), 2);
	ck_assert_uint_eq(original_of(viewer, n), missed);
	ck_assert_uint_eq(original_of(viewer, n + 1), missed);
	ck_assert_uint_ne(viewer->packets[n].seq, viewer->packets[n + 1].seq);
	async_complete(loop);
}
END_ASYNC_TEST

/* What nobody asked for uses up nothing of what is asked for: with half of it gone, once is enough.
 */
START_ASYNC_TEST(test_the_asked_for_comes_first)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);
	size_t n;

	report_loss(rig, viewer, 20);
	rtc_rig_first(rig)->video.rtx_budget = RTC_OUT_RTX_BYTES / 2 - 10000;
	feed.padding = 5000;
	n = push_picture(rig, viewer, &feed);
	loop_run_for_ms(loop, 30);
	ck_assert_uint_eq(viewer->n, n);
	ck_assert_uint_eq(ask_again(rig, viewer, viewer->packets[n - 1].seq), 1);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtc_loss");
	TCase *tcase = tcase_create("loss");

	tcase_add_test(tcase, test_tail);
	tcase_add_test(tcase, test_twice);
	tcase_add_test(tcase, test_the_asked_for_comes_first);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
