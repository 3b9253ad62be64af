/*
 * Who may bring an offer, and how it is answered; and what comes to our port from those who may
 * not.
 */
#include "config.h"

#include "rtc/own.h"
#include "rtc/session.h"
#include "rtc/table.h"
#include "tests/check_rtc_rig.h"

#include <string.h>

static struct rtc_rig *
start(struct loop *loop, json_t *config, json_t *keys)
{
	struct rtc_rig *rig = rtc_rig_start(loop, config, keys);
	struct feed feed = feed_new(EPOCH);

	rtc_rig_stream(rig, 1, "door");
	hub_start(stream_find(rig->front, "door")->hub);
	rtc_rig_push_gop(rig, &feed, 3);
	return rig;
}

static int
code_of(struct rtc_rig *rig)
{
	return (int)msg_int(rtc_rig_answer(rig), "code", 0);
}

START_ASYNC_TEST(test_answer)
{
	struct rtc_rig *rig = start(loop, json_pack("{s:[s]}", "addresses", "203.0.113.9"), NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	const json_t *answer;
	const char *sdp;

	/* Sound may still come: not for long. */
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, true), NULL);
	peer_assert_no_msg(rig->sup);
	loop_run_for_ms(loop, 400);
	answer = rtc_rig_answer(rig);
	ck_assert_int_eq(msg_int(answer, "request", 0), 1);
	ck_assert_int_eq(msg_int(answer, "code", 0), 201);
	sdp = msg_str(answer, "sdp");
	ck_assert_ptr_nonnull(strstr(sdp, "a=ice-lite"));
	ck_assert_ptr_nonnull(strstr(sdp, " 203.0.113.9 "));
	ck_assert_ptr_nonnull(strstr(sdp, " 127.0.0.1 "));
	ck_assert_ptr_nonnull(strstr(sdp, "tcptype passive"));
	/* There is no sound. */
	ck_assert_ptr_nonnull(strstr(sdp, "m=audio 0 "));
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* The stream is not known well enough yet: the answer waits for its first picture. */
START_ASYNC_TEST(test_answer_waits_for_a_picture)
{
	struct rtc_rig *rig = rtc_rig_start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	struct feed feed = feed_new(EPOCH);

	rtc_rig_stream(rig, 1, "door");
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	peer_assert_no_msg(rig->sup);
	ck_assert(stream_find(rig->front, "door")->wanted);
	rtc_rig_push_gop(rig, &feed, 1);
	ck_assert_int_eq(code_of(rig), 201);
	async_complete(loop);
}
END_ASYNC_TEST

/* A copy with sound that does not come costs the sound, and not the pictures. */
START_ASYNC_TEST(test_copy_does_not_come)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	const json_t *answer;

	rtc_rig_stream(rig, 2, "door.opus");
	viewer->has_opus = true;
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, true), NULL);
	loop_run_for_ms(loop, 1400);
	peer_assert_no_msg(rig->sup);
	ck_assert(stream_find(rig->front, "door.opus")->wanted);
	loop_run_for_ms(loop, 500);
	answer = rtc_rig_answer(rig);
	ck_assert_int_eq(msg_int(answer, "code", 0), 201);
	ck_assert_ptr_nonnull(strstr(msg_str(answer, "sdp"), "m=audio 0 "));
	async_complete(loop);
}
END_ASYNC_TEST

/* Whether there is sound is seen behind the first picture, however late that is; a copy that is
 * made for its sound (1) has more time for it. */
START_ASYNC_TEST(test_sound_comes_behind_the_first_picture)
{
	struct rtc_rig *rig = _i == 1 ? start(loop, NULL, NULL) : rtc_rig_start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	struct feed feed = feed_new(EPOCH);

	feed.stream_id = 1 + (uint32_t)_i;
	rtc_rig_stream(rig, 1 + _i, _i == 1 ? "door.opus" : "door");
	viewer->has_opus = true;
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, true), NULL);
	loop_run_for_ms(loop, 1000);
	rtc_rig_push_gop(rig, &feed, 1);
	loop_run_for_ms(loop, _i == 1 ? 1400 : 200);
	peer_assert_no_msg(rig->sup);
	rtc_rig_push(rig, feed_sound_config(&feed));
	rtc_rig_push(rig, feed_sound(&feed));
	rtc_rig_push(rig, feed_delta(&feed));
	ck_assert_ptr_nonnull(strstr(msg_str(rtc_rig_answer(rig), "sdp"), "PCMA/8000"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_picture)
{
	struct rtc_rig *rig = rtc_rig_start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);

	rtc_rig_stream(rig, 1, "door");
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	loop_run_for_ms(loop, RTC_OFFER_WAIT_MS - 100);
	peer_assert_no_msg(rig->sup);
	loop_run_for_ms(loop, 200);
	ck_assert_int_eq(code_of(rig), 503);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* The stream goes away while he waits. */
START_ASYNC_TEST(test_stream_goes)
{
	struct rtc_rig *rig = rtc_rig_start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);

	rtc_rig_stream(rig, 1, "door");
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	peer_send_msg(rig->sup, json_pack("{s:s, s:i}", "type", "stream-gone", "id", 1), -1);
	ck_assert_int_eq(code_of(rig), 503);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_refusals)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	struct feed feed = feed_new(EPOCH + 1);

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), json_pack("{s:i}", "id", 9));
	ck_assert_int_eq(code_of(rig), 404);
	rtc_rig_ask(rig, "v=0\r\n", NULL);
	ck_assert_int_eq(code_of(rig), 400);
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), json_pack("{s:s}", "way", "magic"));
	ck_assert_int_eq(code_of(rig), 403);
	rtc_rig_stream(rig, 2, "yard");
	hub_start(stream_find(rig->front, "yard")->hub);
	feed.stream_id = 2;
	rtc_rig_push(rig, feed_jpeg(&feed));
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), json_pack("{s:i}", "id", 2));
	ck_assert_int_eq(code_of(rig), 422);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_limits)
{
	struct rtc_rig *rig =
	    start(loop, json_pack("{s:i, s:i}", "max_sessions", 3, "max_per_address", 2), NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	struct feed feed = feed_new(EPOCH + 1);

	for (int i = 0; i < 3; i++) {
		rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
		ck_assert_int_eq(code_of(rig), i < 2 ? 201 : 429);
	}
	for (int i = 0; i < 2; i++) {
		rtc_rig_ask(rig, rtc_viewer_offer(viewer, false),
			    json_pack("{s:s}", "address", "192.0.2.1"));
		ck_assert_int_eq(code_of(rig), i < 1 ? 201 : 503);
	}
	/* Nobody came: their places are free again. */
	loop_run_for_ms(loop, RTC_SETUP_MS + 200);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	rtc_rig_push_gop(rig, &feed, 1);
	ck_assert_int_eq(code_of(rig), 201);
	async_complete(loop);
}
END_ASYNC_TEST

static json_t *
keys_of(const char *user)
{
	return json_pack("{s:s, s:b, s:s, s:[], s:[s]}", "type", "access-keys", "required", 1,
			 "current",
			 "0000000000000000000000000000000000000000000000000000000000000001",
			 "revoked", "users", user);
}

/* Who may see other cameras only; and who may not see this one any more: before his keys, after. */
START_ASYNC_TEST(test_rights)
{
	struct rtc_rig *rig = start(loop, NULL, keys_of("eve viewer *"));
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	const json_t *answer;
	json_t *eve = json_pack("{s:s, s:s, s:s, s:[s]}", "way", "session", "user", "eve", "role",
				"viewer", "cameras", "*");
	json_t *link = json_pack("{s:s, s:s, s:s, s:[s]}", "way", "link", "user", "", "role",
				 "viewer", "cameras", "yard");

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	ck_assert_int_eq(code_of(rig), 403); /* way open, but there are users */
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), link);
	ck_assert_int_eq(code_of(rig), 403);
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), eve);
	answer = rtc_rig_answer(rig);
	ck_assert_int_eq(msg_int(answer, "code", 0), 201);
	rtc_viewer_take(viewer, msg_str(answer, "sdp"), false);
	if (_i == 1)
		rtc_viewer_connect(viewer);
	peer_send_msg(rig->sup, keys_of("eve viewer yard"), -1);
	peer_run(rig->sup, 0);
	loop_settle(loop);
	if (_i == 0)
		rtc_viewer_connect(viewer);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_token_ends)
{
	struct rtc_rig *rig = start(loop, NULL, keys_of("eve viewer *"));
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;
	json_t *fields =
	    json_pack("{s:s, s:s, s:s, s:[s], s:s, s:I, s:i}", "way", "link", "user", "", "role",
		      "viewer", "cameras", "door", "token", "AAAAAAAAAAAAAAAAAAAAAA", "expires_s",
		      (json_int_t)now_s + 5, "viewers", 1);

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), json_incref(fields));
	ck_assert_int_eq(code_of(rig), 201);
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), fields);
	ck_assert_int_eq(code_of(rig), 429); /* one at once */
	loop_run_for_ms(loop, 7000);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* The port */

static struct rtc_viewer *
offered(struct rtc_rig *rig, bool is_forged, bool over_tcp)
{
	struct rtc_viewer *viewer = rtc_viewer_new(rig->loop);

	viewer->is_forged = is_forged;
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	rtc_viewer_take(viewer, msg_str(rtc_rig_answer(rig), "sdp"), over_tcp);
	return viewer;
}

static int
patch(struct rtc_rig *rig, const char *fragment)
{
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i, s:i, s:s, s:s}", "type", "rtc-patch", "request", 77,
				"id", 1, "session", rtc_rig_session(rig), "sdp", fragment),
		      -1);
	return code_of(rig);
}

/* Candidates are taken note of; ICE is not made anew. */
START_ASYNC_TEST(test_patch)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	ck_assert_int_eq(code_of(rig), 201);
	ck_assert_int_eq(patch(rig, "a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n"), 204);
	ck_assert_int_eq(patch(rig, "a=ice-ufrag:view\r\na=ice-pwd:x\r\n"), 204);
	ck_assert_int_eq(patch(rig, "a=ice-ufrag:views\r\na=ice-pwd:x\r\n"), 422);
	ck_assert_int_eq(patch(rig, "a=ice-pwd:x\r\na=ice-ufrag:vie"), 422);
	async_complete(loop);
}
END_ASYNC_TEST

static bool
is_candidate(const struct rtc *rtc, const char *local, const char *client, const char *wanted)
{
	struct rtc_sdp_candidate list[RTC_SDP_CANDIDATES_MAX];
	size_t n = rtc_own_candidates(rtc, local, client, list);

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].address, wanted) == 0)
			return true;
	return false;
}

static struct rtc_udp *
open_to_all(struct loop *loop, int family)
{
	static const struct rtc_udp_ops ops = { .on_datagram = NULL };
	struct sockaddr_in6 any = { .sin6_family = (sa_family_t)family };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct rtc_udp *udp;

	if (fd < 0 || bind(fd, (struct sockaddr *)&any,
			   family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(any)) < 0)
		return NULL;
	ck_assert_int_eq(rtc_udp_new(loop_base(loop), fd, &ops, NULL, &udp), 0);
	return udp;
}

/* Only what can work is offered. */
START_ASYNC_TEST(test_candidates)
{
	struct rtc rtc = { .n_udp = 1, .n_own = 1, .own = { "192.0.2.5" } };

	rtc.udp[0] = open_to_all(loop, AF_INET);
	ck_assert_ptr_nonnull(rtc.udp[0]);
	ck_assert(is_candidate(&rtc, "192.0.2.5", "192.0.2.9", "192.0.2.5"));
	ck_assert(is_candidate(&rtc, "127.0.0.1", "127.0.0.1", "127.0.0.1"));
	/* By way of a proxy on this machine. */
	ck_assert(!is_candidate(&rtc, "127.0.0.1", "192.0.2.9", "127.0.0.1"));
	ck_assert(is_candidate(&rtc, "127.0.0.1", "192.0.2.9", "192.0.2.5"));
	rtc_udp_free(&rtc.udp[0]);
	rtc.udp[0] = open_to_all(loop, AF_INET6);
	if (rtc.udp[0] != NULL) {
		ck_assert(!is_candidate(&rtc, "192.0.2.5", "192.0.2.9", "192.0.2.5"));
		ck_assert(is_candidate(&rtc, "2001:db8::5", "2001:db8::9", "2001:db8::5"));
	}
	rtc_udp_free(&rtc.udp[0]);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_own_addresses)
{
	struct rtc_rig *rig =
	    rtc_rig_start(loop, json_pack("{s:[s, s]}", "own", "192.0.2.5", "x"), NULL);

	ck_assert_uint_eq(rig->rtc->n_own, 1);
	ck_assert_str_eq(rig->rtc->own[0], "192.0.2.5");
	async_complete(loop);
}
END_ASYNC_TEST

/* A link for one: who is there is left alone; who is silent makes room for himself. */
START_ASYNC_TEST(test_link_is_used_anew)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = rtc_viewer_new(loop), *again = rtc_viewer_new(loop);
	json_t *link =
	    json_pack("{s:s, s:s, s:I, s:i}", "way", "open", "token", "AAAAAAAAAAAAAAAAAAAAAA",
		      "expires_s", (json_int_t)4000000000, "viewers", 1);

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), json_deep_copy(link));
	rtc_viewer_take(viewer, msg_str(rtc_rig_answer(rig), "sdp"), false);
	rtc_viewer_connect(viewer);
	rtc_rig_ask(rig, rtc_viewer_offer(again, false), json_deep_copy(link));
	ck_assert_int_eq(code_of(rig), 429);
	loop_run_for_ms(loop, 2500);
	rtc_rig_ask(rig, rtc_viewer_offer(again, false), json_deep_copy(link));
	ck_assert_int_eq(code_of(rig), 201);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, 1);
	/* What was answered and never used likewise. */
	rtc_rig_ask(rig, rtc_viewer_offer(again, false), json_deep_copy(link));
	ck_assert_int_eq(code_of(rig), 429);
	loop_run_for_ms(loop, 2500);
	rtc_rig_ask(rig, rtc_viewer_offer(again, false), link);
	ck_assert_int_eq(code_of(rig), 201);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* What does not know the password learns nothing, not even that there is somebody. */
START_ASYNC_TEST(test_strangers_hear_nothing)
{
	static const uint8_t client_hello[] = "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\1\1";
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = offered(rig, false, false);

	rtc_viewer_check(viewer, true, true);
	rtc_viewer_send(viewer, client_hello, 14);
	rtc_viewer_send(viewer, "\x80\xc8\0\0aaaaaaaaaaaaaaaa", 20);
	rtc_viewer_send(viewer, "GET / HTTP/1.1\r\n\r\n", 18);
	rtc_viewer_send(viewer, "", 1);
	rtc_viewer_hello(viewer);
	loop_run_for_ms(loop, 1000);
	ck_assert_uint_eq(viewer->datagrams, 0);
	ck_assert_uint_eq(rig->rtc->stats.bad_checks, 1);
	ck_assert_int_eq(LIST_FIRST(&rig->rtc->sessions)->state, RTC_ANSWERED);
	async_complete(loop);
}
END_ASYNC_TEST

/* Somebody between us who answers for the browser has another certificate. */
START_ASYNC_TEST(test_other_certificate)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = offered(rig, true, false);

	rtc_viewer_check(viewer, true, false);
	loop_run_for_ms(loop, 10);
	rtc_viewer_hello(viewer);
	loop_run_until_log(loop, "the certificate is not the one of the offer", 0);
	loop_settle(loop);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	ck_assert_uint_eq(viewer->n, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* TCP: who does not say whose he is, or makes no sense, is gone. */
START_ASYNC_TEST(test_tcp_strangers)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct peer *peers[RTC_TCP_UNKNOWN_PER_PEER + 1];

	for (unsigned i = 0; i < RTC_TCP_UNKNOWN_PER_PEER; i++) {
		peers[i] = peer_connect_tcp(loop, "stranger", rig->port);
		peer_send(peers[i], "\0", 1);
		peer_run(peers[i], 0);
	}
	loop_settle(loop);
	ck_assert_uint_eq(rtc_tcp_port_unknown(rig->rtc->tcp[0]), RTC_TCP_UNKNOWN_PER_PEER);
	peers[RTC_TCP_UNKNOWN_PER_PEER] = peer_connect_tcp(loop, "one too many", rig->port);
	peer_expect_close(peers[RTC_TCP_UNKNOWN_PER_PEER]);
	peer_run(peers[RTC_TCP_UNKNOWN_PER_PEER], 0);
	/* Longer than any datagram. */
	peer_send(peers[0], "\xff", 1);
	peer_run(peers[0], 0);
	loop_settle(loop);
	peer_send(peers[1], "\x20", 1);
	peer_drain_until_close(peers[1]);
	loop_run_for_ms(loop, RTC_TCP_UNKNOWN_MS + 100);
	peer_run(peers[1], 0);
	ck_assert_uint_eq(rtc_tcp_port_unknown(rig->rtc->tcp[0]), 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Drained: nobody new, and those who are there are told to come again. */
START_ASYNC_TEST(test_drain)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = offered(rig, false, false);

	rtc_viewer_connect(viewer);
	peer_send_msg(rig->sup, json_pack("{s:s, s:i}", "type", "drain", "deadline_ms", 60000), -1);
	peer_run(rig->sup, 0);
	loop_run_until(loop, &viewer->is_goodbye, 0);
	ck_assert_uint_eq(rig->rtc->n_sessions, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Told to leave, as "camctl restart rtc" has it: the same, and then the process ends. */
START_ASYNC_TEST(test_stop)
{
	struct rtc_rig *rig = start(loop, NULL, NULL);
	struct rtc_viewer *viewer = offered(rig, false, _i == 1);

	rtc_viewer_connect(viewer);
	ck_assert(!viewer->is_goodbye);
	peer_send_msg(rig->sup, json_pack("{s:s}", "type", "stop"), -1);
	loop_run_until(loop, &rig->front->stopped, 0);
	ck_assert(!viewer->is_goodbye);
	front_free(&rig->front);
	loop_run_until(loop, &viewer->is_goodbye, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtc_offer");
	TCase *tcase = tcase_create("offers");

	tcase_add_test(tcase, test_answer);
	tcase_add_test(tcase, test_answer_waits_for_a_picture);
	tcase_add_test(tcase, test_no_picture);
	tcase_add_test(tcase, test_copy_does_not_come);
	tcase_add_loop_test(tcase, test_sound_comes_behind_the_first_picture, 0, 2);
	tcase_add_test(tcase, test_stream_goes);
	tcase_add_test(tcase, test_refusals);
	tcase_add_test(tcase, test_limits);
	tcase_add_loop_test(tcase, test_rights, 0, 2);
	tcase_add_test(tcase, test_token_ends);
	tcase_add_test(tcase, test_patch);
	tcase_add_test(tcase, test_candidates);
	tcase_add_test(tcase, test_own_addresses);
	tcase_add_test(tcase, test_link_is_used_anew);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("port");
	tcase_add_test(tcase, test_strangers_hear_nothing);
	tcase_add_test(tcase, test_other_certificate);
	tcase_add_test(tcase, test_tcp_strangers);
	tcase_add_test(tcase, test_drain);
	tcase_add_loop_test(tcase, test_stop, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
