/*
 * WebRTC through the http front: what an offer becomes, what the answers become, and that nobody
 * waits for ever.
 */
#include "config.h"

#include "tests/check_http_whep_rig.h"

#include "http/rtc_ask.h"
#include "shared/xalloc.h"

#include <string.h>

START_ASYNC_TEST(test_whep, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	const char *head;
	long long n;

	whep_offer(browser, "/door/whep", "");
	n = whep_expect(rig, MSG_RTC_OFFER,
			json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "id", 1, "sdp", SDP,
				  "address", "127.0.0.1", "local", "127.0.0.1", "way", "open",
				  "user", "", "role", "operator", "cameras"));
	whep_answer(rig, n, 201, ANSWER, SESSION, NULL);
	head = whep_head(browser, 201);
	ck_assert_str_eq(rig_header(head, "Content-Type"), "application/sdp");
	ck_assert_str_eq(rig_header(head, "Location"), "/door/whep/" SESSION);
	ck_assert_ptr_nonnull(rig_header(head, "ETag"));
	ck_assert_str_eq(rig_header(head, "Accept-Patch"), "application/trickle-ice-sdpfrag");
	ck_assert_str_eq(rig_body(browser, head, NULL), ANSWER);

	whep_ask(browser, "PATCH", "/door/whep/" SESSION,
		 "Content-Type: application/trickle-ice-sdpfrag\r\n", "a=end-of-candidates\r\n");
	n = whep_expect(rig, MSG_RTC_PATCH,
			json_pack("{s:i, s:s, s:s}", "id", 1, "session", SESSION, "sdp",
				  "a=end-of-candidates\r\n"));
	whep_answer(rig, n, 204, NULL, NULL, NULL);
	ck_assert_ptr_null(rig_header(whep_head(browser, 204), "Content-Length"));

	whep_ask(browser, "DELETE", "/door/whep/" SESSION, "", "");
	n = whep_expect(rig, MSG_RTC_CLOSE, json_pack("{s:i, s:s}", "id", 1, "session", SESSION));
	whep_answer(rig, n, 200, NULL, NULL, NULL);
	rig_body(browser, whep_head(browser, 200), NULL);
	whep_ask(browser, "DELETE", "/door/whep/" SESSION, "", "");
	n = whep_expect(rig, MSG_RTC_CLOSE, NULL);
	whep_answer(rig, n, 404, NULL, NULL, "no such session");
	rig_body(browser, whep_head(browser, 404), NULL);
	async_complete(loop);
}
END_ASYNC_TEST

/* Each on a connection of its own; none reaches the supervisor. */
START_ASYNC_TEST(test_what_is_no_offer, .hold_time = true)
{
	static const struct {
		const char *method, *path, *lines, *body;
		int status;
	} cases[] = {
		{ "POST", "/door/whep", "Content-Type: text/plain\r\n", SDP, 415 },
		{ "POST", "/door/whep", "", SDP, 415 },
		{ "POST", "/door/whep", "Content-Type: application/sdpx\r\n", SDP, 415 },
		{ "POST", "/door/whep", "Content-Type: application/sdp\r\n", "", 400 },
		{ "POST", "/door/whep", "Content-Type: application/sdp\r\n", "v=0\x01", 400 },
		{ "POST", "/door/whep", "Content-Type: application/sdp\r\n", "v=\xff\xfe", 400 },
		{ "POST", "/nothing/whep", "Content-Type: application/sdp\r\n", SDP, 404 },
		{ "GET", "/door/whep", "", "", 405 },
		{ "HEAD", "/door/whep", "", "", 405 },
		{ "PUT", "/door/whep", "", "", 405 },
		{ "DELETE", "/door/whep", "", "", 405 },
		{ "PATCH", "/door/whep", "", "", 405 },
		{ "POST", "/door/whep/" SESSION, "Content-Type: application/sdp\r\n", SDP, 400 },
		{ "GET", "/door/whep/" SESSION, "", "", 405 },
		{ "DELETE", "/door/whep/short", "", "", 404 },
		{ "DELETE", "/door/whep/", "", "", 404 },
		{ "DELETE", "/door/whep/" SESSION "/x", "", "", 404 },
		{ "DELETE", "/nothing/whep/" SESSION, "", "", 404 },
		{ "PATCH", "/door/whep/" SESSION, "Content-Type: application/sdp\r\n", SDP, 415 },
		{ "GET", "/door/whepx", "", "", 404 },
		{ "POST", "/api/webrtc?src=door", "Content-Type: application/json\r\n", "{}", 400 },
		{ "POST", "/api/webrtc?src=door", "Content-Type: application/json\r\n",
		  "{\"sdp\": 1}", 400 },
		{ "POST", "/api/webrtc?src=nothing", "", SDP, 404 },
		{ "POST", "/api/webrtc", "", SDP, 400 },
		{ "GET", "/api/webrtc?src=door", "", "", 405 },
		{ "POST", "/NAME/whep?src=door", "Content-Type: application/sdp\r\n", SDP, 400 },
	};
	struct rig *rig = whep_start(loop, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *browser = rig_connect(rig);

		whep_ask(browser, cases[i].method, cases[i].path, cases[i].lines, cases[i].body);
		whep_head(browser, cases[i].status);
	}
	peer_assert_no_msg(rig->sup);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_as_long_as_a_message_takes, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	char *long_sdp = xcalloc(1, MSG_SDP_MAX + 2);

	memset(long_sdp, 'a', MSG_SDP_MAX + 1);
	whep_ask(browser, "POST", "/door/whep", "Content-Type: application/sdp\r\n", long_sdp);
	rig_body(browser, whep_head(browser, 413), NULL);
	/* Each of these two is longer in JSON. */
	memset(long_sdp, '"', MSG_SDP_MAX);
	long_sdp[MSG_SDP_MAX] = '\0';
	whep_ask(browser, "POST", "/door/whep", "Content-Type: application/sdp\r\n", long_sdp);
	whep_expect(rig, MSG_RTC_OFFER, json_pack("{s:s}", "sdp", long_sdp));
	/* What is no offer is not that long. */
	long_sdp[5000] = '\0';
	browser = rig_connect(rig);
	whep_ask(browser, "POST", "/api/ticket?src=door",
		 "Content-Type: application/x-www-form-urlencoded\r\n", long_sdp);
	whep_head(browser, 413);
	free(long_sdp);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_go2rtc_in_three_manners, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	const char *head;

	whep_ask(browser, "POST", "/api/webrtc?src=yard.sub&audio=0&smooth=1",
		 "Content-Type: application/json; charset=utf-8\r\n",
		 "{\"type\": \"offer\", \"sdp\": \"v=0\\r\\n\"}");
	whep_answer(rig,
		    whep_expect(rig, MSG_RTC_OFFER,
				json_pack("{s:i, s:s, s:b, s:b}", "id", 2, "sdp", "v=0\r\n",
					  "audio", 0, "smooth", 1)),
		    201, ANSWER, SESSION, NULL);
	head = whep_head(browser, 200);
	ck_assert_str_eq(rig_header(head, "Content-Type"), "application/json");
	ck_assert_str_eq(rig_body(browser, head, NULL),
			 "{\"type\":\"answer\",\"sdp\":\"v=0\\r\\na=ice-lite\\r\\n\"}");

	whep_offer(browser, "/api/webrtc?src=door", "");
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 201, ANSWER, SESSION, NULL);
	head = whep_head(browser, 201);
	ck_assert_str_eq(rig_header(head, "Location"), "/door/whep/" SESSION);
	rig_body(browser, head, NULL);

	whep_ask(browser, "POST", "/api/webrtc?src=door", "", SDP);
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 201, ANSWER, SESSION, NULL);
	ck_assert_str_eq(rig_body(browser, whep_head(browser, 200), NULL), ANSWER);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_refusals_are_told, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	const char *head, *text;

	whep_offer(browser, "/door/whep", "");
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 422, NULL, NULL,
		    "the stream has B frames");
	ck_assert_str_eq(rig_body(browser, whep_head(browser, 422), NULL),
			 "{\"error\":\"the stream has B frames\"}");
	whep_offer(browser, "/door/whep", "");
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 503, NULL, NULL,
		    "WebRTC is starting");
	head = whep_head(browser, 503);
	ck_assert_str_eq(rig_header(head, "Retry-After"), "2");
	rig_body(browser, head, NULL);
	/* Half an answer is none. */
	whep_offer(browser, "/door/whep", "");
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 201, ANSWER, NULL, NULL);
	rig_body(browser, whep_head(browser, 503), NULL);
	whep_offer(browser, "/door/whep", "");
	whep_answer(rig, whep_expect(rig, MSG_RTC_OFFER, NULL), 201, ANSWER, "a\r\nX: y", NULL);
	rig_body(browser, whep_head(browser, 503), NULL);
	/* And counted; the first half of an answer was one. */
	whep_ask(browser, "GET", "/metrics", "", "");
	text = rig_body(browser, whep_head(browser, 200), NULL);
	ck_assert_ptr_nonnull(strstr(text, "\ncamhub_webrtc_offers_total 4\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ncamhub_webrtc_taken_total 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ncamhub_webrtc_refused_total 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ncamhub_webrtc_waiting 0\n"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nobody_waits_for_ever, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	const char *head;
	long long n;

	whep_offer(browser, "/door/whep", "");
	n = whep_expect(rig, MSG_RTC_OFFER, NULL);
	loop_run_for_ms(loop, LIMIT);
	head = whep_head(browser, 503);
	ck_assert_str_eq(rig_header(head, "Retry-After"), "2");
	rig_body(browser, head, NULL);
	whep_answer(rig, n, 201, ANSWER, SESSION, NULL);
	/* Nothing stands before the next answer. */
	whep_ask(browser, "DELETE", "/door/whep/short", "", "");
	whep_head(browser, 404);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_session_for_somebody_who_left_is_closed, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	long long n;

	whep_offer(browser, "/door/whep", "");
	n = whep_expect(rig, MSG_RTC_OFFER, NULL);
	peer_close(browser);
	peer_run(browser, 0);
	loop_settle(loop);
	whep_answer(rig, n, 201, ANSWER, SESSION, NULL);
	n = whep_expect(rig, MSG_RTC_CLOSE, json_pack("{s:i, s:s}", "id", 1, "session", SESSION));
	whep_answer(rig, n, 200, NULL, NULL, NULL);
	peer_assert_no_msg(rig->sup);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_offers_are_bounded, .hold_time = true)
{
	struct rig *rig = whep_start(loop, NULL);
	struct peer *browsers[RTC_ASKS_OF_ONE + 1];
	long long first;

	for (unsigned i = 0; i <= RTC_ASKS_OF_ONE; i++) {
		browsers[i] = rig_connect(rig);
		whep_offer(browsers[i], "/door/whep", "");
	}
	rig_body(browsers[RTC_ASKS_OF_ONE], whep_head(browsers[RTC_ASKS_OF_ONE], 429), NULL);
	first = whep_expect(rig, MSG_RTC_OFFER, NULL);
	for (unsigned i = 1; i < RTC_ASKS_OF_ONE; i++)
		whep_expect(rig, MSG_RTC_OFFER, NULL);
	whep_answer(rig, first, 422, NULL, NULL, "no");
	whep_head(browsers[0], 422);
	whep_offer(browsers[RTC_ASKS_OF_ONE], "/door/whep", "");
	whep_expect(rig, MSG_RTC_OFFER, NULL);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_whep");
	TCase *whep = tcase_create("whep");

	tcase_add_test(whep, test_whep);
	tcase_add_test(whep, test_what_is_no_offer);
	tcase_add_test(whep, test_as_long_as_a_message_takes);
	tcase_add_test(whep, test_go2rtc_in_three_manners);
	tcase_add_test(whep, test_refusals_are_told);
	tcase_add_test(whep, test_nobody_waits_for_ever);
	tcase_add_test(whep, test_a_session_for_somebody_who_left_is_closed);
	tcase_add_test(whep, test_offers_are_bounded);
	suite_add_tcase(suite, whep);
	return suite;
}

HARNESS_MAIN(make_suite)
