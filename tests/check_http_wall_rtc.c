/*
 * /ws: offers of WebRTC for a subscription, their answers, and that neither costs the subscription.
 */
#include "config.h"

#include "http/rtc_ask.h"
#include "tests/check_http_wall_rig.h"

#include <string.h>

#define SDP     "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"
#define ANSWER  "v=0\r\na=ice-lite\r\n"
#define SESSION "AAAAAAAAAAAAAAAAAAAAAA"
#define OFFER(id, n)                                                                               \
	"{\"type\":\"webrtc/offer\",\"id\":" #id ",\"offer\":" #n                                  \
	",\"sdp\":\"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\n\"}"

static json_t *
with_webrtc(void)
{
	return json_pack("{s:b, s:[s, s], s:s, s:s}", "webrtc", 1, "ice_servers",
			 "stun:192.0.2.1:3478", "turn:192.0.2.1:3478", "ice_user", "relay",
			 "ice_password", "secret");
}

/* A page that watches door. */
static struct peer *
watch_door(struct rig *rig)
{
	struct peer *page = open_wall(rig);

	rig_ws_expect_json(page, "webrtc");
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	expect_want(rig, 1, true);
	return page;
}

static long long
expect_offer(struct rig *rig, int stream)
{
	peer_expect_msg(rig->sup, MSG_RTC_OFFER,
			json_pack("{s:i, s:s, s:s, s:s, s:s}", "id", stream, "sdp", SDP, "address",
				  "127.0.0.1", "local", "127.0.0.1", "way", "open"));
	peer_run(rig->sup, 0);
	return msg_int(peer_last_msg(rig->sup), "request", 0);
}

static void
answer(struct rig *rig, long long request, int code)
{
	json_t *msg = json_pack("{s:s, s:I, s:i}", "type", "rtc-answer", "request",
				(json_int_t)request, "code", code);

	msg_set_str(msg, "sdp", code == 201 ? ANSWER : NULL);
	msg_set_str(msg, "session", code == 201 ? SESSION : NULL);
	msg_set_str(msg, "error", code == 201 ? NULL : "B frames");
	peer_send_msg(rig->sup, msg, -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

static const json_t *
expect_about(struct peer *page, const char *type, int offer)
{
	const json_t *msg = rig_ws_expect_json(page, type);

	ck_assert_int_eq(msg_int(msg, "id", 0), 1);
	ck_assert_int_eq(msg_int(msg, "offer", 0), offer);
	return msg;
}

START_ASYNC_TEST(test_page_is_told_of_webrtc, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	const json_t *msg = rig_ws_expect_json(open_wall(rig), "webrtc"), *list, *one;

	ck_assert(json_is_true(json_object_get(msg, "ready")));
	list = json_object_get(msg, "servers");
	ck_assert_uint_eq(json_array_size(list), 2);
	one = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(one, "urls"), 0)),
			 "stun:192.0.2.1:3478");
	ck_assert_ptr_null(json_object_get(one, "credential"));
	one = json_array_get(list, 1);
	ck_assert_str_eq(msg_str(one, "username"), "relay");
	ck_assert_str_eq(msg_str(one, "credential"), "secret");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_page_is_not_told_where_there_is_none, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_ws_send(page, OFFER(1, 1));
	ck_assert_int_eq(msg_int(expect_about(page, "webrtc/error", 1), "code", 0), 404);
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_offer_and_answer, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	struct peer *page = watch_door(rig);
	const json_t *msg;

	rig_ws_send(page, OFFER(1, 7));
	answer(rig, expect_offer(rig, 1), 201);
	msg = expect_about(page, "webrtc/answer", 7);
	ck_assert_str_eq(msg_str(msg, "sdp"), ANSWER);
	ck_assert_ptr_null(json_object_get(msg, "session")); /* nobody else's to end */
	rig_ws_send(page, OFFER(1, 8));
	answer(rig, expect_offer(rig, 1), 422);
	msg = expect_about(page, "webrtc/error", 8);
	ck_assert_int_eq(msg_int(msg, "code", 0), 422);
	ck_assert_str_eq(msg_str(msg, "text"), "B frames");
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

static void
say_link(struct rig *rig, const char *session, const char *link)
{
	peer_send_msg(
	    rig->sup,
	    json_pack("{s:s, s:s, s:s}", "type", "rtc-link", "session", session, "link", link), -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

/* What its way carries is told to the page whose session it is, under the number of its offer. */
START_ASYNC_TEST(test_thin_way, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	struct peer *page = watch_door(rig);

	say_link(rig, SESSION, "thin");
	rig_ws_send(page, OFFER(1, 7));
	answer(rig, expect_offer(rig, 1), 201);
	expect_about(page, "webrtc/answer", 7);
	say_link(rig, "AAAAAAAAAAAAAAAAAAAAAB", "thin");
	expect_nothing(page);
	say_link(rig, SESSION, "thin");
	ck_assert_str_eq(msg_str(expect_about(page, "webrtc/link", 7), "link"), "thin");
	/* It still leads while its successor is being made. */
	rig_ws_send(page, OFFER(1, 8));
	expect_offer(rig, 1);
	say_link(rig, SESSION, "ok");
	ck_assert_str_eq(msg_str(expect_about(page, "webrtc/link", 7), "link"), "ok");
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* An answer that nobody waits for any more is of a session that is closed. */
START_ASYNC_TEST(test_another_offer_counts, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	struct peer *page = watch_door(rig);
	long long first, second;

	rig_ws_send(page, OFFER(1, 1));
	first = expect_offer(rig, 1);
	rig_ws_send(page, OFFER(1, 2));
	second = expect_offer(rig, 1);
	answer(rig, first, 201);
	peer_expect_msg(rig->sup, MSG_RTC_CLOSE,
			json_pack("{s:i, s:s}", "id", 1, "session", SESSION));
	peer_run(rig->sup, 0);
	expect_nothing(page);
	answer(rig, second, 201);
	expect_about(page, "webrtc/answer", 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_subscription_ends_before_the_answer, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	struct peer *page = watch_door(rig);
	long long request;

	rig_ws_send(page, OFFER(1, 1));
	request = expect_offer(rig, 1);
	unsubscribe(page, 1);
	expect_want(rig, 1, false);
	answer(rig, request, 201);
	peer_expect_msg(rig->sup, MSG_RTC_CLOSE, json_pack("{s:s}", "session", SESSION));
	peer_run(rig->sup, 0);
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* One page that offers and offers: few of it reach the supervisor, and others still do. */
START_ASYNC_TEST(test_offers_without_end, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	struct peer *page = watch_door(rig);
	unsigned refused = 0, asked;

	peer_ignore_msg(rig->sup, MSG_RTC_OFFER);
	for (int i = 0; i < 3 * RTC_ASKS_OF_ONE; i++)
		rig_ws_send(page, OFFER(1, 1));
	peer_assert_no_msg(rig->sup);
	asked = peer_msg_count(rig->sup, MSG_RTC_OFFER);
	ck_assert_uint_eq(asked, RTC_ASKS_OF_ONE);
	ck_assert_uint_eq(rtc_asks_stats(rig->front->rtc_asks).waiting, RTC_ASKS_OF_ONE);
	for (; refused < 2 * RTC_ASKS_OF_ONE; refused++)
		ck_assert_int_eq(msg_int(expect_about(page, "webrtc/error", 1), "code", 0), 429);
	/* Answered ones make room, at a pace. */
	for (unsigned i = 1; i <= RTC_ASKS_OF_ONE; i++)
		answer(rig, i, 503);
	for (int i = 0; i < RTC_ASKS_OF_ONE; i++)
		rig_ws_send(page, OFFER(1, 2));
	peer_assert_no_msg(rig->sup);
	for (unsigned i = RTC_ASKS_OF_ONE + 1; i <= 2 * RTC_ASKS_OF_ONE; i++)
		answer(rig, i, 503);
	rig_ws_send(page, OFFER(1, 2));
	peer_assert_no_msg(rig->sup);
	asked = peer_msg_count(rig->sup, MSG_RTC_OFFER);
	ck_assert_uint_eq(asked, RTC_ASK_BURST);
	loop_run_for_ms(loop, 4 * RTC_ASK_EACH_MS);
	for (int i = 0; i < RTC_ASKS_OF_ONE; i++)
		rig_ws_send(page, OFFER(1, 3));
	peer_assert_no_msg(rig->sup);
	ck_assert_uint_eq(peer_msg_count(rig->sup, MSG_RTC_OFFER), RTC_ASK_BURST + 4);
	async_complete(loop);
}
END_ASYNC_TEST

static void
note_code(void *arg, const struct rtc_answer *answer)
{
	*(int *)arg = answer->code;
}

/* Of all addresses together. */
START_ASYNC_TEST(test_all_offers_are_bounded, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	const struct gate_identity who = { .way = GATE_WAY_OPEN };
	char address[32];
	int code = 0;

	for (unsigned i = 0; i <= RTC_ASKS_MAX; i++) {
		const struct rtc_offer asked = { .stream = stream_find(rig->front, "door"),
						 .sdp = SDP,
						 .who = &who,
						 .address = address,
						 .local = "" };

		ck_assert_int_eq(code, 0);
		snprintf(address, sizeof(address), "192.0.2.%u", i);
		(void)rtc_ask_offer(rig->front, &asked, note_code, &code);
	}
	ck_assert_int_eq(code, 503);
	for (unsigned i = 0; i < RTC_ASKS_MAX; i++)
		peer_expect_msg(rig->sup, MSG_RTC_OFFER, NULL);
	peer_run(rig->sup, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* An answer that comes when nobody waits any more is of a session that is closed. */
START_ASYNC_TEST(test_answer_after_the_limit, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	struct peer *page = watch_door(rig);
	long long request;

	rig_ws_send(page, OFFER(1, 1));
	request = expect_offer(rig, 1);
	loop_run_for_ms(loop, RTC_ASK_LIMIT_MS + 10);
	ck_assert_int_eq(msg_int(expect_about(page, "webrtc/error", 1), "code", 0), 503);
	answer(rig, request, 201);
	peer_expect_msg(rig->sup, MSG_RTC_CLOSE, json_pack("{s:s}", "session", SESSION));
	peer_run(rig->sup, 0);
	ck_assert_uint_eq(rtc_asks_stats(rig->front->rtc_asks).waiting, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* Of the stream that is shown, or is to be shown next. */
START_ASYNC_TEST(test_offer_is_for_the_stream_that_was_chosen, .hold_time = true)
{
	struct rig *rig = wall_start(loop, with_webrtc());
	struct feed feed = feed_of(1);
	struct peer *page;

	rig_stream(rig, 2, "door.sub", "up", "");
	page = watch_door(rig);
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	rig_ws_send(page, "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"quality\":\"sub\","
			  "\"forms\":[\"unit\"],\"codecs\":\"avc1.640029\"}");
	loop_settle(loop);
	expect_want(rig, 2, true);
	rig_ws_send(page, OFFER(1, 1));
	expect_offer(rig, 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_offers_in_vain, .hold_time = true)
{
	static const char *const cases[] = {
		"{\"type\":\"webrtc/offer\",\"sdp\":\"x\"}",
		"{\"type\":\"webrtc/offer\",\"id\":1}",
		"{\"type\":\"webrtc/offer\",\"id\":1,\"sdp\":7}",
		"{\"type\":\"webrtc/offer\",\"id\":1,\"sdp\":\"x\",\"offer\":-1}",
		"{\"type\":\"webrtc/offer\",\"id\":1,\"sdp\":\"x\",\"offer\":\"1\"}",
		"{\"type\":\"webrtc/offer\",\"id\":1,\"sdp\":\"x\",\"offer\":1000000001}",
	};
	struct rig *rig = wall_start(loop, with_webrtc());
	struct peer *page = watch_door(rig);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_ws_send(page, cases[i]);
		expect_error(page, 0, "request");
	}
	rig_ws_send(page, OFFER(2, 1)); /* of none that is there */
	rig_ws_send(page, "{\"type\":\"webrtc/offer\",\"id\":1,\"offer\":3,\"sdp\":\"\"}");
	ck_assert_int_eq(msg_int(expect_about(page, "webrtc/error", 3), "code", 0), 400);
	rig_ws_send(page, "{\"type\":\"webrtc/offer\",\"id\":1,\"offer\":4,\"sdp\":\"a\\u0001\"}");
	ck_assert_int_eq(msg_int(expect_about(page, "webrtc/error", 4), "code", 0), 400);
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("wall_rtc");
	TCase *offers = tcase_create("offers");

	tcase_add_test(offers, test_page_is_told_of_webrtc);
	tcase_add_test(offers, test_page_is_not_told_where_there_is_none);
	tcase_add_test(offers, test_offer_and_answer);
	tcase_add_test(offers, test_thin_way);
	tcase_add_test(offers, test_another_offer_counts);
	tcase_add_test(offers, test_subscription_ends_before_the_answer);
	tcase_add_test(offers, test_offer_is_for_the_stream_that_was_chosen);
	tcase_add_test(offers, test_offers_in_vain);
	tcase_add_test(offers, test_offers_without_end);
	tcase_add_test(offers, test_all_offers_are_bounded);
	tcase_add_test(offers, test_answer_after_the_limit);
	suite_add_tcase(suite, offers);
	return suite;
}

HARNESS_MAIN(make_suite)
