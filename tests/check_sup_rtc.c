/*
 * The rtc front and the relay: what it is handed, that offers are answered whatever it does, and
 * its sockets.
 */
#include "config.h"

#include "tests/check_sup_rtc_rig.h"

#include "shared/xalloc.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_rtc.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static ino_t
inode_of(int fd)
{
	struct stat stat;

	ck_assert_int_eq(fstat(fd, &stat), 0);
	close(fd);
	return stat.st_ino;
}

START_ASYNC_TEST(test_what_it_is_handed)
{
	struct fake *fake = start_rtc(loop, ", addresses: [203.0.113.5], max_per_address: 7");
	struct fake_child *rtc = fake_get(fake, "camhub-rtc", "rtc");
	uint16_t udp, tcp;
	int fd;

	peer_expect_msg(rtc->peer, MSG_FRONT_CONFIG, NULL);
	/* Who may see what is known before anybody can come. */
	peer_expect_msg(rtc->peer, MSG_ACCESS_KEYS, NULL);
	peer_expect_msg(rtc->peer, MSG_RTC_CONFIG,
			json_pack("{s:[s], s:i, s:i}", "addresses", "203.0.113.5", "port",
				  (int)sup_settings(fake->sup)->rtc_port, "max_per_address", 7));
	peer_expect_msg(rtc->peer, MSG_RTC_LISTENER, json_pack("{s:s}", "kind", "udp"));
	peer_run(rtc->peer, 0);
	fd = peer_take_fd(rtc->peer);
	assert_bound(fd, SOCK_DGRAM, &udp);
	close(fd);
	peer_expect_msg(rtc->peer, MSG_RTC_LISTENER, json_pack("{s:s}", "kind", "tcp"));
	peer_run(rtc->peer, 0);
	fd = peer_take_fd(rtc->peer);
	assert_bound(fd, SOCK_STREAM, &tcp);
	close(fd);
	ck_assert_uint_eq(udp, tcp);
	ck_assert_int_eq(udp, sup_settings(fake->sup)->rtc_port);
	peer_expect_msg(rtc->peer, MSG_STREAM, json_pack("{s:s}", "name", "door"));
	peer_expect_msg(rtc->peer, MSG_STREAMS_SYNCED, NULL);
	peer_run(rtc->peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_relay_keeps_fronts_apart)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc, *one, *two;
	long long first, second;

	rtc = synced_rtc(fake);
	peer_ignore_msg(rtc->peer, MSG_RTC_CONFIG);
	one = synced_http(fake, "http");
	configure_rtc(fake, (uint16_t)sup_settings(fake->sup)->rtc_port, "}\nhttp: {fronts: 2");
	reload(fake);
	two = synced_http(fake, "http.2");
	offer(one, 7);
	offer(two, 7);
	first = expect_offer(rtc);
	second = expect_offer(rtc);
	ck_assert_int_ne(first, second);
	answer(rtc, second, 422, NULL);
	expect_answer(two, 7, 422);
	peer_assert_no_msg(one->peer);
	answer(rtc, first, 201, SESSION);
	peer_expect_msg(one->peer, MSG_RTC_ANSWER,
			json_pack("{s:i, s:i, s:s, s:s}", "request", 7, "code", 201, "sdp",
				  "v=0 answer", "session", SESSION));
	peer_run(one->peer, 0);
	/* Answered is answered; and what nobody has asked is nothing. */
	answer(rtc, first, 201, SESSION);
	answer(rtc, 4711, 201, SESSION);
	peer_assert_no_msg(one->peer);
	peer_assert_no_msg(two->peer);
	peer_assert_no_msg(rtc->peer);
	/* The other two kinds of questions go the same way. */
	fake_say(one,
		 json_pack("{s:s, s:i, s:i, s:s, s:s}", "type", "rtc-patch", "request", 8, "id", 1,
			   "session", SESSION, "sdp", "x"),
		 -1);
	answer(rtc, msg_int(peer_get_msg(rtc->peer, MSG_RTC_PATCH, 0), "request", 0), 204, NULL);
	expect_answer(one, 8, 204);
	fake_say(one,
		 json_pack("{s:s, s:i, s:i, s:s}", "type", "rtc-close", "request", 9, "id", 1,
			   "session", SESSION),
		 -1);
	answer(rtc, msg_int(peer_get_msg(rtc->peer, MSG_RTC_CLOSE, 0), "request", 0), 404, NULL);
	expect_answer(one, 9, 404);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_before_it_is_ready)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *front = synced_http(fake, "http");

	offer(front, 1);
	ck_assert_str_eq(expect_answer(front, 1, 503), "WebRTC is starting");
	async_complete(loop);
}
END_ASYNC_TEST

/* A front that begins when there is no rtc front does not promise it to pages. */
START_ASYNC_TEST(test_a_new_front_is_told)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *front = fake_get(fake, "camhub-http", "http");

	peer_await_msg(front->peer, MSG_RTC_STATE, json_pack("{s:b}", "ready", 0));
	peer_await_msg(front->peer, MSG_STREAMS_SYNCED, NULL);
	peer_run(front->peer, 0);
	fake_ready(front);
	synced_rtc(fake);
	peer_await_msg(front->peer, MSG_RTC_STATE, json_pack("{s:b}", "ready", 1));
	peer_run(front->peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_it_dies_and_its_sockets_do_not)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = fake_get(fake, "camhub-rtc", "rtc");
	struct fake_child *front = synced_http(fake, "http");
	ino_t udp = inode_of(take_socket(rtc, "udp")), tcp = inode_of(take_socket(rtc, "tcp"));

	rtc = synced_rtc(fake);
	offer(front, 1);
	expect_offer(rtc);
	fake_crash(rtc);
	ck_assert_str_eq(expect_answer(front, 1, 503), "WebRTC is starting");
	offer(front, 2);
	expect_answer(front, 2, 503);
	fake_wait_ms(fake, 300);
	rtc = fake_get(fake, "camhub-rtc", "rtc");
	ck_assert_uint_eq(inode_of(take_socket(rtc, "udp")), udp);
	ck_assert_uint_eq(inode_of(take_socket(rtc, "tcp")), tcp);
	rtc = synced_rtc(fake);
	offer(front, 3);
	answer(rtc, expect_offer(rtc), 201, SESSION);
	expect_answer(front, 3, 201);
	async_complete(loop);
}
END_ASYNC_TEST

/* So that pages need not wait for it. */
START_ASYNC_TEST(test_its_death_is_told)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *front = fake_synced_front(fake), *rtc = synced_rtc(fake);

	peer_ignore_msg(front->peer, MSG_STREAM);
	peer_expect_msg(front->peer, MSG_RTC_STATE, json_pack("{s:b}", "ready", 1));
	peer_run(front->peer, 0);
	fake_crash(rtc);
	peer_expect_msg(front->peer, MSG_RTC_STATE, json_pack("{s:b}", "ready", 0));
	peer_run(front->peer, 0);
	fake_wait_ms(fake, 300);
	/* One that never served has nothing to lose. */
	fake_crash(fake_get(fake, "camhub-rtc", "rtc"));
	fake_wait_ms(fake, 2000);
	peer_assert_no_msg(front->peer);
	synced_rtc(fake);
	peer_expect_msg(front->peer, MSG_RTC_STATE, json_pack("{s:b}", "ready", 1));
	peer_run(front->peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_slow_one_and_its_late_answer)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = synced_http(fake, "http");
	long long n;

	offer(front, 1);
	n = expect_offer(rtc);
	fake_wait_ms(fake, SUP_RTC_ANSWER_MS - 100);
	peer_assert_no_msg(front->peer);
	fake_wait_ms(fake, 200);
	ck_assert_str_eq(expect_answer(front, 1, 503), "WebRTC does not answer now");
	answer(rtc, n, 201, SESSION);
	peer_assert_no_msg(front->peer);
	/* Nobody will use it. */
	peer_expect_msg(rtc->peer, MSG_RTC_CLOSE,
			json_pack("{s:i, s:s}", "id", 1, "session", SESSION));
	peer_run(rtc->peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_whoever_asked_is_dead)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = synced_http(fake, "http");
	long long n;

	offer(front, 1);
	n = expect_offer(rtc);
	fake_crash(front);
	fake_wait_ms(fake, 300);
	front = synced_http(fake, "http");
	answer(rtc, n, 201, SESSION);
	peer_assert_no_msg(front->peer);
	peer_get_msg(rtc->peer, MSG_RTC_CLOSE, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_questions_are_bounded)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = synced_http(fake, "http");
	long long first = 0;

	for (int i = 1; i <= SUP_RTC_ASKS_OF_ONE; i++) {
		offer(front, i);
		if (i == 1)
			first = expect_offer(rtc);
		else
			expect_offer(rtc);
	}
	offer(front, 1000);
	ck_assert_str_eq(expect_answer(front, 1000, 503), "too many offers at once");
	peer_assert_no_msg(rtc->peer);
	answer(rtc, first, 422, NULL);
	expect_answer(front, 1, 422);
	offer(front, 1001);
	expect_offer(rtc);
	/* What was not answered in time counts on, so that a slow one is not given more and more.
	 */
	fake_wait_ms(fake, SUP_RTC_ANSWER_MS + 100);
	for (int i = 0; i < SUP_RTC_ASKS_OF_ONE; i++)
		peer_get_msg(front->peer, MSG_RTC_ANSWER, 0);
	for (int i = 0; i < SUP_RTC_ASKS_MAX - SUP_RTC_ASKS_OF_ONE; i++) {
		offer(front, 2000 + i);
		expect_offer(rtc);
	}
	offer(front, 3000);
	expect_answer(front, 3000, 503);
	peer_assert_no_msg(rtc->peer);
	fake_wait_ms(fake, SUP_RTC_LATE_MS + 100);
	for (int i = 0; i < SUP_RTC_ASKS_MAX - SUP_RTC_ASKS_OF_ONE; i++)
		peer_get_msg(front->peer, MSG_RTC_ANSWER, 0);
	offer(front, 4000);
	expect_offer(rtc);
	async_complete(loop);
}
END_ASYNC_TEST

/* A front like others */

START_ASYNC_TEST(test_what_it_shows_is_wanted_and_listed)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *worker = fake_worker(fake, "door");
	struct peer *ctl = fake_ctl(fake);
	char *id;

	fake_up(worker);
	peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0);
	fake_say(rtc, json_pack("{s:s, s:i, s:b}", "type", "want", "id", 1, "on", 1), -1);
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	fake_say(rtc, json_pack("{s:s, s:i}", "type", "want-replay", "id", 1), -1);
	peer_get_msg(worker->peer, MSG_REPLAY, 0);
	fake_say(rtc,
		 json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i}", "type", "watcher", "id", 3,
			   "camera", "door", "user", "ann", "way", "session", "address",
			   "192.0.2.7", "transport", "webrtc", "since_ms", 1),
		 -1);
	peer_send_msg(ctl, json_pack("{s:s}", "type", "viewers"), -1);
	peer_expect_msg(ctl, MSG_CTL_VIEWER,
			json_pack("{s:s, s:s}", "transport", "webrtc", "user", "ann"));
	peer_run(ctl, 0);
	id = xstrdup(msg_str(peer_last_msg(ctl), "id"));
	peer_get_msg(ctl, MSG_CTL_DONE, 0);
	peer_send_msg(ctl, json_pack("{s:s, s:s}", "type", "kick", "what", id), -1);
	ck_assert_int_eq(msg_int(peer_get_msg(ctl, MSG_CTL_DONE, 0), "code", -1), 0);
	ck_assert_int_eq(msg_int(peer_get_msg(rtc->peer, MSG_KICK, 0), "id", 0), 3);
	free(id);
	peer_send_msg(ctl, json_pack("{s:s}", "type", "status"), -1);
	peer_await_msg(ctl, MSG_CTL_PROCESS, json_pack("{s:s, s:s}", "name", "rtc", "state", "up"));
	peer_run(ctl, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Which front has the page of a session, the supervisor does not know. */
START_ASYNC_TEST(test_a_thin_way_is_told)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = synced_http(fake, "http");

	fake_say(
	    rtc,
	    json_pack("{s:s, s:s, s:s}", "type", "rtc-link", "session", SESSION, "link", "thin"),
	    -1);
	peer_expect_msg(front->peer, MSG_RTC_LINK,
			json_pack("{s:s, s:s}", "session", SESSION, "link", "thin"));
	peer_run(front->peer, 0);
	peer_assert_no_msg(rtc->peer);
	async_complete(loop);
}
END_ASYNC_TEST

/* Each speaks for itself alone: what is another's word ends it. */
START_ASYNC_TEST(test_words_of_others)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = synced_http(fake, "http");

	answer(front, 1, 201, SESSION);
	ck_assert(front->killed);
	fake_say(rtc,
		 json_pack("{s:s, s:i, s:s, s:s}", "type", "auth-check", "id", 1, "user", "ann",
			   "password", "x"),
		 -1);
	ck_assert(rtc->killed);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_rtc");
	TCase *tcase = tcase_create("rtc");

	tcase_add_test(tcase, test_what_it_is_handed);
	tcase_add_test(tcase, test_the_relay_keeps_fronts_apart);
	tcase_add_test(tcase, test_before_it_is_ready);
	tcase_add_test(tcase, test_a_new_front_is_told);
	tcase_add_test(tcase, test_it_dies_and_its_sockets_do_not);
	tcase_add_test(tcase, test_its_death_is_told);
	tcase_add_test(tcase, test_a_slow_one_and_its_late_answer);
	tcase_add_test(tcase, test_whoever_asked_is_dead);
	tcase_add_test(tcase, test_questions_are_bounded);
	tcase_add_test(tcase, test_what_it_shows_is_wanted_and_listed);
	tcase_add_test(tcase, test_a_thin_way_is_told);
	tcase_add_test(tcase, test_words_of_others);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
