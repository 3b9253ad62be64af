/*
 * When a viewer of the rtc front is there, and when he is gone: consent, closing, goodbyes, another
 * address.
 */
#include "config.h"

#include "rtc/session.h"
#include "tests/check_rtc_rig.h"

#define GOP 10

/* Without checks he is gone; with them he stays. */
START_ASYNC_TEST(test_consent)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);

	for (int i = 0; i < 10; i++) {
		loop_run_for_ms(loop, 2500);
		rtc_viewer_check(viewer, false, false);
		loop_settle(loop);
	}
	ck_assert_uint_eq(rig->rtc->n_sessions, 1);
	loop_run_for_ms(loop, RTC_CONSENT_MS - 1000);
	/* Not his: made without his password. */
	rtc_viewer_check(viewer, false, true);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, 1);
	loop_run_for_ms(loop, 2000);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	peer_assert_no_msg(rig->sup);
	ck_assert_uint_eq(peer_msg_count(rig->sup, MSG_WATCHER_GONE), 1);
	async_complete(loop);
}
END_ASYNC_TEST

static bool
is_goodbye(void *arg)
{
	const struct rtc_viewer *viewer = arg;

	return viewer->is_goodbye;
}

START_ASYNC_TEST(test_close)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, _i == 1);
	json_t *close = json_pack("{s:s, s:i, s:i, s:s}", "type", "rtc-close", "request", 90, "id",
				  1, "session", rtc_rig_session(rig));
	json_t *other = json_deep_copy(close);

	/* By another stream's address it is not there. */
	json_object_set_new(other, "id", json_integer(2));
	peer_send_msg(rig->sup, other, -1);
	ck_assert_int_eq(msg_int(rtc_rig_answer(rig), "code", 0), 404);
	peer_send_msg(rig->sup, json_deep_copy(close), -1);
	ck_assert_int_eq(msg_int(rtc_rig_answer(rig), "code", 0), 200);
	peer_send_msg(rig->sup, close, -1);
	ck_assert_int_eq(msg_int(rtc_rig_answer(rig), "code", 0), 404);
	loop_run_until_true(loop, is_goodbye, viewer, "a goodbye", 0);
	loop_run_for_ms(loop, 100);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* His goodbye, before and after he sent anything encrypted; a forged one does nothing to him who is
 * there. */
START_ASYNC_TEST(test_goodbye)
{
	static const uint8_t forged[] = "\x15\xfe\xfd\0\1\0\0\0\0\0\x09\0\x1a"
					"abcdefghijklmnopqrstuvwxyz";
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);

	if (_i > 0)
		rtc_viewer_nack(viewer, 0);
	loop_settle(loop);
	for (int i = 0; i < 10; i++) {
		rtc_viewer_send(viewer, forged, sizeof(forged) - 1);
		loop_run_for_ms(loop, 5000);
		rtc_viewer_check(viewer, false, false);
		loop_settle(loop);
	}
	ck_assert_uint_eq(rig->rtc->n_sessions, 1);
	rtc_viewer_goodbye(viewer);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, _i == 0 ? 0 : 1);
	loop_run_for_ms(loop, RTC_FAREWELL_MS + 200);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_kick)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);

	rtc_viewer_nack(viewer, 0); /* our goodbye was written before */
	loop_settle(loop);
	peer_send_msg(rig->sup, json_pack("{s:s, s:i}", "type", "kick", "id", 1), -1);
	peer_run(rig->sup, 0);
	loop_run_until_true(loop, is_goodbye, viewer, "a goodbye", 0);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* He is somewhere else now: nominated, pictures go there. */
START_ASYNC_TEST(test_address_changes)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);

	rtc_viewer_move(viewer);
	rtc_rig_push(rig, feed_delta(&feed));
	loop_settle(loop);
	ck_assert_uint_eq(rtc_viewer_pictures(viewer), 1);
	rtc_viewer_check(viewer, true, true);
	loop_settle(loop);
	rtc_rig_push(rig, feed_delta(&feed));
	loop_settle(loop);
	ck_assert_uint_eq(rtc_viewer_pictures(viewer), 1);
	viewer->checks_answered = 0;
	rtc_viewer_check(viewer, true, false);
	loop_run_for_ms(loop, 10);
	ck_assert_uint_eq(viewer->checks_answered, 1);
	rtc_rig_push(rig, feed_delta(&feed));
	rtc_viewer_await_pictures(viewer, 2);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtc_presence");
	TCase *tcase = tcase_create("presence");

	tcase_add_test(tcase, test_consent);
	tcase_add_loop_test(tcase, test_close, 0, 2);
	tcase_add_loop_test(tcase, test_goodbye, 0, 2);
	tcase_add_test(tcase, test_kick);
	tcase_add_test(tcase, test_address_changes);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
