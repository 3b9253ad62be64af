/*
 * WebRTC through the http front: who may offer and end a session, pages of other sites, and offers
 * over a websocket.
 */
#include "config.h"

#include "tests/check_http_login_rig.h"
#include "tests/check_http_whep_rig.h"

#include "http/rtc_ask.h"
#include "shared/xalloc.h"

#include <string.h>

#define THEIRS "Origin: https://shop.example\r\n"

/* Who may */

static struct rig *
start_with_users(struct loop *loop, json_t *config)
{
	struct rig *rig = whep_start(loop, config);

	harness_defer(login_forget_keys, NULL);
	login_send_keys(rig, json_pack("{s:[s, s, s]}", "users", "ann viewer door",
				       "bob viewer yard", "root operator *"));
	return rig;
}

static char *
bearer(struct rig *rig, const char *user)
{
	char *token = login_make_token(rig, TOKEN_BEARER, user, NULL, 60, 0);
	char *line = xasprintf("Authorization: Bearer %s\r\n", token);

	free(token);
	return line;
}

static char *
cookie(struct rig *rig, const char *user, const char *origin)
{
	char *token = login_make_token(rig, TOKEN_SESSION, user, NULL, 60, 0);
	char *line = xasprintf("Cookie: " GATE_COOKIE "=%s\r\n%s", token, origin);

	free(token);
	return line;
}

/* 0: it goes through to the supervisor. */
static void
assert_offer(struct rig *rig, const char *path, char *lines, int status)
{
	struct peer *browser = rig_connect(rig);

	whep_offer(browser, path, lines);
	if (status == 0)
		whep_expect(rig, MSG_RTC_OFFER, NULL);
	else
		whep_head(browser, status);
	if (status != 0)
		peer_assert_no_msg(rig->sup);
	free(lines);
}

START_ASYNC_TEST(test_who_may_offer, .hold_time = true)
{
	static const char *const paths[] = { "/door/whep", "/api/webrtc?src=door" };
	struct rig *rig = start_with_users(loop, NULL);

	for (size_t i = 0; i < 2; i++) {
		assert_offer(rig, paths[i], xstrdup(""), 401);
		assert_offer(rig, paths[i], bearer(rig, "ann"), 0);
		assert_offer(rig, paths[i], bearer(rig, "bob"), 403);
		assert_offer(rig, paths[i], bearer(rig, "root"), 0);
		assert_offer(rig, paths[i], cookie(rig, "ann", OURS), 0);
		/* A foreign page has its reader's cookies sent. */
		assert_offer(rig, paths[i], cookie(rig, "ann", THEIRS), 401);
		assert_offer(rig, paths[i], cookie(rig, "ann", ""), 401);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_who_may_end_a_session, .hold_time = true)
{
	struct rig *rig = start_with_users(loop, NULL);
	char *ann = bearer(rig, "ann"), *bob = bearer(rig, "bob");
	struct peer *browser = rig_connect(rig);

	whep_ask(browser, "DELETE", "/door/whep/" SESSION, "", "");
	rig_body(browser, whep_head(browser, 401), NULL);
	whep_ask(browser, "DELETE", "/door/whep/" SESSION, bob, "");
	rig_body(browser, whep_head(browser, 403), NULL);
	peer_assert_no_msg(rig->sup);
	whep_ask(browser, "DELETE", "/door/whep/" SESSION, ann, "");
	whep_expect(rig, MSG_RTC_CLOSE, NULL);
	free(ann);
	free(bob);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_link_and_its_session, .hold_time = true)
{
	struct rig *rig = start_with_users(loop, NULL);
	char *token = login_make_token(rig, TOKEN_LINK, "", "door", 60, 0);
	char *path = xasprintf("/door/whep?token=%s", token);
	char *session = xasprintf("/door/whep/" SESSION "?token=%s", token);
	struct peer *browser = rig_connect(rig);
	const char *head;
	long long n;

	whep_offer(browser, path, "");
	n = whep_expect(rig, MSG_RTC_OFFER,
			json_pack("{s:s, s:s, s:s, s:[s], s:s}", "way", "link", "role", "viewer",
				  "user", "", "cameras", "door", "token", LINK_ID));
	ck_assert_int_eq(msg_int(peer_last_msg(rig->sup), "expires_s", 0),
			 front_now_ms(rig->front) / 1000 + 60);
	whep_answer(rig, n, 201, ANSWER, SESSION, NULL);
	head = whep_head(browser, 201);
	/* What it was opened with ends it. */
	ck_assert_str_eq(rig_header(head, "Location"), session);
	rig_body(browser, head, NULL);
	whep_ask(browser, "DELETE", session, "", "");
	whep_expect(rig, MSG_RTC_CLOSE, NULL);
	/* The link's cookie is good below its camera's address. */
	free(path);
	path = xasprintf("Cookie: " GATE_LINK_COOKIE "=%s\r\n" OURS, token);
	assert_offer(rig, "/door/whep", xstrdup(path), 0);
	assert_offer(rig, "/yard.sub/whep", xstrdup(path), 401);
	free(path);
	free(session);
	free(token);
	async_complete(loop);
}
END_ASYNC_TEST

/* Other sites */

#define SITE                                                                                       \
	json_pack("{s:[s], s:b, s:[s, s], s:s, s:s}", "embed_origins", "https://shop.example",     \
		  "webrtc", 1, "ice_servers", "stun:192.0.2.1:3478",                               \
		  "turn:turn.example:3478?transport=udp", "ice_user", "us\"er", "ice_password",    \
		  "pass")

START_ASYNC_TEST(test_preflights_learn_nothing, .hold_time = true)
{
	struct rig *rig = start_with_users(loop, SITE);
	struct peer *browser = rig_connect(rig);
	const char *head;

	whep_ask(browser, "OPTIONS", "/door/whep", THEIRS "Access-Control-Request-Method: POST\r\n",
		 "");
	head = whep_head(browser, 204);
	ck_assert_str_eq(rig_header(head, "Access-Control-Allow-Origin"), "https://shop.example");
	ck_assert_str_eq(rig_header(head, "Access-Control-Allow-Methods"), "POST, OPTIONS");
	ck_assert_ptr_nonnull(rig_header(head, "Access-Control-Allow-Headers"));
	ck_assert_ptr_null(rig_header(head, "Link"));
	whep_ask(browser, "OPTIONS", "/door/whep/" SESSION,
		 THEIRS "Access-Control-Request-Method: DELETE\r\n", "");
	head = whep_head(browser, 204);
	ck_assert_str_eq(rig_header(head, "Access-Control-Allow-Methods"),
			 "PATCH, DELETE, OPTIONS");
	/* The same for a camera that there is not, and for a site that is not named. */
	whep_ask(browser, "OPTIONS", "/nothing/whep",
		 "Origin: https://other.example\r\nAccess-Control-Request-Method: POST\r\n", "");
	head = whep_head(browser, 204);
	ck_assert_ptr_null(rig_header(head, "Access-Control-Allow-Origin"));
	ck_assert_ptr_null(rig_header(head, "Access-Control-Allow-Methods"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_ice_servers_for_those_who_may_watch, .hold_time = true)
{
	struct rig *rig = start_with_users(loop, SITE);
	struct peer *browser = rig_connect(rig);
	char *ann = bearer(rig, "ann"), *lines = xasprintf("%s" THEIRS, ann);
	const char *head, *body;

	whep_ask(browser, "OPTIONS", "/door/whep", "", "");
	head = whep_head(browser, 401);
	ck_assert_ptr_null(rig_header(head, "Link"));
	rig_body(browser, head, NULL);
	whep_ask(browser, "OPTIONS", "/door/whep", ann, "");
	head = whep_head(browser, 204);
	ck_assert_str_eq(rig_header(head, "Accept-Post"), "application/sdp");
	ck_assert_str_eq(rig_header(head, "Link"), "<stun:192.0.2.1:3478>; rel=\"ice-server\"");
	ck_assert_ptr_nonnull(
	    strstr(head, "Link: <turn:turn.example:3478?transport=udp>; rel=\"ice-server\"; "
			 "username=\"us\\\"er\"; credential=\"pass\"; "
			 "credential-type=\"password\"\r\n"));
	whep_offer(browser, "/door/whep", lines);
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 201, ANSWER, SESSION, NULL);
	head = whep_head(browser, 201);
	ck_assert_str_eq(rig_header(head, "Access-Control-Allow-Origin"), "https://shop.example");
	ck_assert_ptr_nonnull(
	    strstr(rig_header(head, "Access-Control-Expose-Headers"), "Location"));
	ck_assert_ptr_nonnull(rig_header(head, "Link"));
	rig_body(browser, head, NULL);
	whep_ask(browser, "GET", "/api", ann, "");
	body = rig_body(browser, whep_head(browser, 200), NULL);
	ck_assert_ptr_nonnull(strstr(body, "\"webrtc\":true"));
	ck_assert_ptr_nonnull(strstr(body, "{\"urls\":\"stun:192.0.2.1:3478\"}"));
	ck_assert_ptr_nonnull(strstr(body, "\"username\":\"us\\\"er\",\"credential\":\"pass\""));
	free(lines);
	free(ann);
	async_complete(loop);
}
END_ASYNC_TEST

/* /api/ws */

static void
ws_offer(struct peer *browser)
{
	rig_ws_send(browser, "{\"value\": \"v=0\\r\\n\", \"type\": \"webrtc/offer\"}");
}

START_ASYNC_TEST(test_offers_over_a_websocket, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	long long n;

	ws_offer(browser);
	n = whep_expect(rig, MSG_RTC_OFFER,
			json_pack("{s:i, s:s, s:s, s:s, s:s}", "id", 1, "sdp", "v=0\r\n", "address",
				  "127.0.0.1", "local", "127.0.0.1", "way", "open"));
	/* Theirs are not needed, and no reason to complain. */
	rig_ws_send(browser, "{\"type\": \"webrtc/candidate\", \"value\": \"candidate:1\"}");
	ws_offer(browser);
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "error")),
			 "webrtc/offer: one after the other");
	whep_answer(rig, n, 201, ANSWER, SESSION, NULL);
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "webrtc/answer")), ANSWER);

	rig_ws_send(browser, "{\"type\": \"webrtc\", \"value\": {\"type\": \"offer\", \"sdp\": "
			     "\"v=0\\r\\n\", \"ice_servers\": []}}");
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 201, ANSWER, SESSION, NULL);
	ck_assert_str_eq(
	    json_string_value(json_object_get(rig_ws_expect(browser, "webrtc"), "sdp")), ANSWER);

	ws_offer(browser);
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 422, NULL, NULL, "B frames");
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "error")),
			 "webrtc/offer: B frames");
	rig_ws_send(browser, "{\"type\": \"webrtc/offer\", \"value\": \"\"}");
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "error")),
			 "webrtc/offer: the offer is no session description");
	rig_ws_send(browser, "{\"type\": \"webrtc/nonsense\"}");
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "error")),
			 "webrtc/nonsense: not supported");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pages_are_told_when_it_is_away, .hold_time = true)
{
	struct rig *rig = whep_start(
	    loop, json_pack("{s:b, s:[s]}", "webrtc", 1, "ice_servers", "stun:192.0.2.1:3478"));
	struct peer *page = rig_websocket_at(rig, "/ws");
	const json_t *said = rig_ws_expect_json(page, "webrtc");

	ck_assert(json_is_true(json_object_get(said, "ready")));
	ck_assert_uint_eq(json_array_size(json_object_get(said, "servers")), 1);
	for (int ready = 0; ready <= 1; ready++) {
		peer_send_msg(rig->sup,
			      json_pack("{s:s, s:b}", "type", "rtc-state", "ready", ready), -1);
		peer_run(rig->sup, 0);
		said = rig_ws_expect_json(page, "webrtc");
		ck_assert_int_eq(json_is_true(json_object_get(said, "ready")), ready);
		ck_assert_uint_eq(json_array_size(json_object_get(said, "servers")), ready);
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* go2rtc's player closes it as soon as WebRTC plays. */
START_ASYNC_TEST(test_a_session_outlives_its_websocket, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door"), *early = rig_websocket(rig, "door");
	long long n;

	ws_offer(browser);
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 201, ANSWER, SESSION, NULL);
	rig_ws_expect(browser, "webrtc/answer");
	peer_close(browser);
	peer_run(browser, 0);
	loop_settle(loop);
	peer_assert_no_msg(rig->sup);
	/* But nobody has this one's answer. */
	ws_offer(early);
	n = whep_expect(rig, MSG_RTC_OFFER, NULL);
	peer_close(early);
	peer_run(early, 0);
	loop_settle(loop);
	whep_answer(rig, n, 201, ANSWER, SESSION, NULL);
	whep_expect(rig, MSG_RTC_CLOSE, json_pack("{s:s}", "session", SESSION));
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_whep_access");
	TCase *access = tcase_create("access");

	tcase_add_test(access, test_who_may_offer);
	tcase_add_test(access, test_who_may_end_a_session);
	tcase_add_test(access, test_a_link_and_its_session);
	tcase_add_test(access, test_preflights_learn_nothing);
	tcase_add_test(access, test_ice_servers_for_those_who_may_watch);
	tcase_add_test(access, test_offers_over_a_websocket);
	tcase_add_test(access, test_pages_are_told_when_it_is_away);
	tcase_add_test(access, test_a_session_outlives_its_websocket);
	suite_add_tcase(suite, access);
	return suite;
}

HARNESS_MAIN(make_suite)
