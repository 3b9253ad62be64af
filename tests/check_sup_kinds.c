/*
 * Fronts of both kinds, and analysers: each is told what is for it, and nothing else.
 */
#include "config.h"

#include "tests/check_sup_rtc_rig.h"
#include "tests/check_sup_tap_rig.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_int.h"

#include <unistd.h>

#define RESULTS "analyser-people-12.sock"

/* Up to this message; what is not for it its end of the channel refuses, which fails the test. */
static void
read_up_to(struct fake_child *child, enum msg_type type)
{
	peer_await_msg(child->peer, type, NULL);
	peer_run(child->peer, 0);
	ck_assert(!child->killed && !child->ended);
}

static struct peer *
publish(struct fake *fake)
{
	struct peer *peer = tap_greeted(fake, "people", "do*", NULL);

	peer_send_msg(peer, tap_hello("people", "do*", RESULTS), -1);
	loop_settle(fake->loop);
	return peer;
}

START_ASYNC_TEST(test_results_are_for_pages)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = fake_synced_front(fake);
	int results = tap_listen_for_results(fake, RESULTS);
	struct peer *peer = publish(fake);

	peer_await_msg(front->peer, MSG_ANALYSER, json_pack("{s:s}", "name", "people"));
	peer_run(front->peer, 0);
	peer_assert_no_msg(rtc->peer);
	/* Neither is the next one told, nor of its end. */
	fake_crash(rtc);
	fake_wait_ms(fake, 300);
	rtc = synced_rtc(fake);
	peer_close(peer);
	peer_await_msg(front->peer, MSG_ANALYSER_GONE, NULL);
	peer_run(front->peer, 0);
	peer_assert_no_msg(rtc->peer);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", "rtc"), 2);
	close(results);
	async_complete(loop);
}
END_ASYNC_TEST

static void
configure_two(struct fake *fake, const char *more)
{
	char *text =
	    xasprintf("rtc: {port: %u}\n" DOOR "  - {name: gate, url: \"rtsp://192.0.2.11/\"}\n%s",
		      (unsigned)sup_settings(fake->sup)->rtc_port, more);

	fake_config(fake, text);
	free(text);
	reload(fake);
}

static void
ask(struct peer *ctl, json_t *msg)
{
	peer_send_msg(ctl, msg, -1);
	peer_await_msg(ctl, MSG_CTL_DONE, NULL);
	peer_run(ctl, 0);
}

static void
look(struct fake_child *front, int id)
{
	fake_say(front,
		 json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i}", "type", "watcher", "id", id,
			   "camera", "door", "user", "ann", "way", "session", "address",
			   "192.0.2.7", "transport", "x", "since_ms", 1),
		 -1);
}

/* All that is said to fronts by itself, once. */
START_ASYNC_TEST(test_each_change_is_for_whoever_hears_it)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = synced_http(fake, "http");
	struct peer *ctl = fake_ctl(fake), *peer;
	struct fake_child *gate;
	int results = tap_listen_for_results(fake, RESULTS);

	peer = publish(fake);
	configure_two(fake, "");
	peer_send_msg(peer,
		      json_pack("{s:s, s:i, s:b}", "type", "tap-want", "id",
				(int)fake_id_of(fake, "gate"), "on", 1),
		      -1);
	fake_up(fake_worker(fake, "door"));
	gate = fake_worker(fake, "gate");
	look(rtc, 1);
	look(front, 1);
	ask(ctl, json_pack("{s:s, s:s}", "type", "set-log-level", "level", "debug"));
	ask(ctl, json_pack("{s:s, s:s}", "type", "kick", "what", "ann"));
	configure_two(fake, "limits: {viewer_lag: 3MiB}\n");
	configure_rtc(fake, (uint16_t)sup_settings(fake->sup)->rtc_port,
		      ", addresses: [203.0.113.9]");
	reload(fake);
	fake_exit(gate, 0);
	read_up_to(rtc, MSG_STREAM_GONE);
	read_up_to(front, MSG_STREAM_GONE);
	ck_assert_uint_ge(peer_msg_count(rtc->peer, MSG_LOG_LEVEL), 1);
	ck_assert_uint_eq(peer_msg_count(rtc->peer, MSG_KICK), 1);
	ck_assert_uint_ge(peer_msg_count(front->peer, MSG_ANALYSER), 2);
	log_set_level(LOG_LEVEL_INFO);
	close(results);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_kinds");
	TCase *tcase = tcase_create("kinds");

	tcase_add_test(tcase, test_results_are_for_pages);
	tcase_add_test(tcase, test_each_change_is_for_whoever_hears_it);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
