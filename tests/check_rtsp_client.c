/*
 * The RTSP client against a scripted camera: each state with each kind of answer, and what cameras
 * do between answers.
 */
#include "config.h"

#include "tests/check_rtsp_rig.h"
#include "worker/rtsp_client_int.h"

#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>

#define NOISE    200000
#define DEFAULTS ((struct wrk_input_config){ .user = NULL })

/* A whole session */

START_ASYNC_TEST(test_pictures_and_sound)
{
	const char *text;

	rig_start(loop, DEFAULTS);
	text = camera_expect("OPTIONS");
	ck_assert_ptr_nonnull(strstr(text, "OPTIONS " CAMERA_URL " RTSP/1.0" CRLF));
	camera_reply("200 OK", PUBLIC_HEADER, "");
	text = camera_expect("DESCRIBE");
	ck_assert_ptr_nonnull(strstr(text, "Accept: application/sdp" CRLF));
	camera_reply("200 OK", "Content-Base: " CAMERA_URL "/" CRLF, sdp_both);
	text = camera_expect("SETUP");
	ck_assert_ptr_nonnull(strstr(text, "SETUP " CAMERA_URL "/track1 RTSP/1.0" CRLF));
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP/TCP;unicast;interleaved=0-1"));
	ck_assert_ptr_null(strstr(text, "Session:"));
	camera_reply("200 OK", SESSION_HEADER "Transport: RTP/AVP/TCP;interleaved=0-1" CRLF, "");
	text = camera_expect("SETUP");
	ck_assert_ptr_nonnull(strstr(text, "SETUP " CAMERA_URL "/track2 RTSP/1.0" CRLF));
	ck_assert_ptr_nonnull(strstr(text, "interleaved=2-3"));
	ck_assert_ptr_nonnull(strstr(text, "Session: 4711" CRLF));
	camera_reply("200 OK", SESSION_HEADER "Transport: RTP/AVP/TCP;interleaved=2-3" CRLF, "");
	text = camera_expect("PLAY");
	ck_assert_ptr_nonnull(strstr(text, "Session: 4711" CRLF));
	ck_assert_uint_eq(rig->opened, 0);
	camera_reply("200 OK", SESSION_HEADER, "");
	ck_assert_uint_eq(rig->opened, 1);
	camera_send_picture(0);
	camera_send_sound(2);
	ck_assert_uint_eq(rig->pictures, 1);
	ck_assert_uint_eq(rig->sounds, 1);
	stop_now();
	camera_expect("TEARDOWN");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_report)
{
	struct wrk_input_report report = { .packets = 0 };

	rig_start(loop, DEFAULTS);
	rtsp_input_ops.report(rig->input, &report);
	ck_assert_ptr_null(report.transport);
	camera_open(sdp_video);
	camera_send_picture(0);
	rtsp_input_ops.report(rig->input, &report);
	ck_assert_str_eq(report.transport, "tcp");
	ck_assert_uint_eq(report.packets, 3);
	ck_assert_int_eq(report.clock, WRK_CLOCK_NONE);
	async_complete(loop);
}
END_ASYNC_TEST

/* Everything that a camera says in a session, each byte alone. */
START_ASYNC_TEST(test_one_byte_at_a_time)
{
	static const char rest[] = "RTSP/1.0 200 OK" CRLF "CSeq: 4" CRLF CRLF;
	uint8_t packet[64], out[128];
	size_t n;

	rig_start(loop, DEFAULTS);
	camera_open_until("SETUP", sdp_video);
	camera_expect("SETUP");
	camera_reply("200 OK", SESSION_HEADER "Transport: RTP/AVP/TCP;interleaved=0-1" CRLF, "");
	camera_expect("PLAY");
	n = rtp_write(packet, 96, true, 1, 1, "\x65\x88\x80\x11", 4);
	memcpy(out, rest, sizeof(rest) - 1);
	memcpy(out + sizeof(rest) - 1, (uint8_t[]){ '$', 0, 0, (uint8_t)n }, 4);
	memcpy(out + sizeof(rest) + 3, packet, n);
	peer_send_pieces(rig->camera, out, sizeof(rest) + 3 + n, 1, 0);
	peer_run(rig->camera, 0);
	loop_settle(loop);
	ck_assert_uint_eq(rig->opened, 1);
	ck_assert_uint_eq(rig->pictures, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* Answers: cut, late, never, and of each status */

static const char *const methods[] = { "OPTIONS", "DESCRIBE", "SETUP", "PLAY" };

static char *
good_answer(const char *method)
{
	const char *body = strcmp(method, "DESCRIBE") == 0 ? sdp_video : "";
	const char *headers = "";

	if (strcmp(method, "SETUP") == 0)
		headers = SESSION_HEADER "Transport: RTP/AVP/TCP;interleaved=0-1" CRLF;
	return xasprintf("RTSP/1.0 200 OK" CRLF "CSeq: %u" CRLF "%sContent-Length: %zu" CRLF CRLF
			 "%s",
			 rig->cseq, headers, strlen(body), body);
}

/* Closes after each number of bytes of the answer to one request; returns how many there are. */
static size_t
cut_answer(struct loop *loop, const char *method, size_t cut)
{
	char *answer;
	size_t len;

	rig_start(loop, DEFAULTS);
	camera_open_until(method, sdp_video);
	camera_expect(method);
	answer = good_answer(method);
	len = strlen(answer);
	if (cut > 0)
		peer_send(rig->camera, answer, cut);
	free(answer);
	peer_close(rig->camera);
	peer_run(rig->camera, 0);
	loop_run_for_ms(loop, 1);
	ck_assert_msg(rig->failures == 1 && rig->closed == 1, "%s cut after %zu: %u failures",
		      method, cut, rig->failures);
	ck_assert_int_eq(rig->class, WRK_CLASS_EOF);
	return len;
}

START_ASYNC_TEST(test_answer_cut_at_every_byte)
{
	const char *method = methods[_i];
	size_t len = 1;

	harness_watchdog_s(120);
	for (size_t cut = 0; cut < len; cut++)
		len = cut_answer(loop, method, cut);
	ck_assert_uint_gt(len, 20);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_answer_never_comes)
{
	char words[64];

	snprintf(words, sizeof(words), "does not answer %s within 5.0 s", methods[_i]);
	rig_start(loop, DEFAULTS);
	camera_open_until(methods[_i], sdp_video);
	camera_expect(methods[_i]);
	loop_run_for_ms(loop, 4999);
	ck_assert_uint_eq(rig->failures, 0);
	loop_run_for_ms(loop, 1);
	expect_end(WRK_CLASS_TIMEOUT, words);
	async_complete(loop);
}
END_ASYNC_TEST

/* A byte now and then does not prolong the time that there is. */
START_ASYNC_TEST(test_answer_trickles)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("DESCRIBE", sdp_video);
	camera_expect("DESCRIBE");
	for (int i = 0; i < 5; i++) {
		camera_say(i == 0 ? "RTSP/1.0 200 OK" CRLF "X: " : "x");
		loop_run_for_ms(loop, 1000);
	}
	expect_end(WRK_CLASS_TIMEOUT, "does not answer DESCRIBE");
	async_complete(loop);
}
END_ASYNC_TEST

/* All answers share the time that there is for opening. */
START_ASYNC_TEST(test_answers_come_late)
{
	rig_start(loop, DEFAULTS);
	for (size_t i = 0; i < 4; i++) {
		char *answer;

		camera_expect(methods[i]);
		loop_run_for_ms(loop, _i == 0 ? 1200 : 1300);
		answer = good_answer(methods[i]);
		camera_say(answer);
		free(answer);
	}
	ck_assert_uint_eq(rig->opened, _i == 0);
	ck_assert_uint_eq(rig->failures, _i == 1);
	async_complete(loop);
}
END_ASYNC_TEST

static const struct {
	const char *status;
	enum wrk_class class;
	const char *words;
} statuses[] = {
	{ "400 Bad Request", WRK_CLASS_PROTOCOL, "does not understand" },
	{ "403 Forbidden", WRK_CLASS_AUTH, "forbids this user" },
	{ "404 Not Found", WRK_CLASS_NOT_FOUND, "no stream at this path (404 Not Found to" },
	{ "405 Method Not Allowed", WRK_CLASS_UNSUPPORTED, "does not allow" },
	{ "410 Gone", WRK_CLASS_NOT_FOUND, "no stream at this path any more" },
	{ "453 Not Enough Bandwidth", WRK_CLASS_UNREACHABLE, "serves no more viewers" },
	{ "454 Session Not Found", WRK_CLASS_PROTOCOL, "its own session" },
	{ "455 Method Not Valid in This State", WRK_CLASS_PROTOCOL, "in its state" },
	{ "500 Internal Server Error", WRK_CLASS_PROTOCOL, "an error of its own" },
	{ "503 Service Unavailable", WRK_CLASS_UNREACHABLE, "busy" },
	{ "505 RTSP Version Not Supported", WRK_CLASS_UNSUPPORTED, "another version" },
	{ "599 \xc3\xa9\xff il", WRK_CLASS_PROTOCOL, "(599 ??? il to " },
	{ "418 Teapot", WRK_CLASS_PROTOCOL, "refuses the request (418 Teapot to" },
	{ "300 Many", WRK_CLASS_PROTOCOL, "refuses the request" },
};
#define N_STATUSES ((int)(sizeof(statuses) / sizeof(statuses[0])))

START_ASYNC_TEST(test_status_of_each_request)
{
	for (int i = 1; i < 4; i++) {
		rig_start(loop, DEFAULTS);
		camera_open_until(methods[i], sdp_video);
		camera_expect(methods[i]);
		camera_reply(statuses[_i].status, "", "");
		expect_end(statuses[_i].class, statuses[_i].words);
		if (i == 3)
			camera_expect("TEARDOWN");
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_camera_that_knows_no_options)
{
	rig_start(loop, DEFAULTS);
	camera_expect("OPTIONS");
	camera_reply("501 Not Implemented", "", "");
	camera_expect("DESCRIBE");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_not_rtsp)
{
	uint8_t *noise = xmalloc(NOISE);

	rig_start(loop, DEFAULTS);
	camera_expect("OPTIONS");
	memset(noise, 0xaa, NOISE);
	peer_send(rig->camera, noise, NOISE);
	free(noise);
	peer_drain_until_close(rig->camera);
	peer_run(rig->camera, 0);
	expect_end(WRK_CLASS_PROTOCOL, "is no RTSP");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_reset)
{
	rig_start_tcp(loop, DEFAULTS);
	camera_expect("OPTIONS");
	peer_reset(rig->camera);
	peer_run(rig->camera, 0);
	loop_settle(loop);
	expect_end(WRK_CLASS_UNREACHABLE, "instead of answering OPTIONS");
	async_complete(loop);
}
END_ASYNC_TEST

/* Numbers of answers */

START_ASYNC_TEST(test_cseq)
{
	rig_start(loop, DEFAULTS);
	camera_expect("OPTIONS");
	camera_say("RTSP/1.0 100 Continue" CRLF "CSeq: 1" CRLF CRLF);
	ck_assert_str_eq(rtsp_state_name(rig_state()), "options");
	camera_say("RTSP/1.0 200 OK" CRLF CRLF); /* without: the answer */
	camera_expect("DESCRIBE");
	camera_say("RTSP/1.0 404 Not Found" CRLF "CSeq: 1" CRLF CRLF); /* an old one */
	ck_assert_str_eq(rtsp_state_name(rig_state()), "describe");
	camera_reply("200 OK", "", sdp_video);
	camera_expect("SETUP");
	rig->cseq += 40; /* one that we have not sent yet */
	camera_reply("200 OK", SESSION_HEADER, "");
	camera_expect("PLAY");
	camera_reply("200 OK", "", "");
	camera_reply("404 Not Found", "", ""); /* nobody asked */
	ck_assert_str_eq(rtsp_state_name(rig_state()), "playing");
	ck_assert_uint_eq(rig->failures, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Descriptions */

static const struct {
	const char *sdp;
	enum wrk_class class;
	const char *words;
} descriptions[] = {
	{ "", WRK_CLASS_PROTOCOL, "is empty" },
	{ "<html>", WRK_CLASS_PROTOCOL, "cannot be read" },
	{ "v=0" CRLF "m=audio 0 RTP/AVP 0" CRLF, WRK_CLASS_UNSUPPORTED, "has no video" },
	{ "v=0" CRLF "m=video 0 RTP/AVP 99" CRLF "a=rtpmap:99 VP9/90000" CRLF,
	  WRK_CLASS_UNSUPPORTED, "no picture that can be read" },
	{ "v=0" CRLF "m=video 0 RTP/AVP 96" CRLF "a=rtpmap:96 H264/90000" CRLF
	  "a=control:http://192.0.2.9/x" CRLF,
	  WRK_CLASS_PROTOCOL, "an address that cannot be used" },
};

START_ASYNC_TEST(test_descriptions_that_do_not_help)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("DESCRIBE", "");
	camera_expect("DESCRIBE");
	camera_reply("200 OK", "", descriptions[_i].sdp);
	expect_end(descriptions[_i].class, descriptions[_i].words);
	async_complete(loop);
}
END_ASYNC_TEST

/* Sound that cannot be had costs no picture. */
START_ASYNC_TEST(test_sound_is_refused)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("SETUP", sdp_both);
	camera_expect("SETUP");
	camera_reply("200 OK", SESSION_HEADER, "");
	camera_expect("SETUP");
	camera_reply(_i == 0 ? "461 Unsupported Transport" : "403 Forbidden", "", "");
	camera_expect("PLAY");
	camera_reply("200 OK", "", "");
	camera_send_picture(0);
	camera_send_sound(2);
	ck_assert_uint_eq(rig->pictures, 1);
	ck_assert_uint_eq(rig->sounds, 0);
	stop_now();
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_session_that_cannot_be_named)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("SETUP", sdp_video);
	camera_expect("SETUP");
	camera_reply("200 OK", "Session: \x01\x02" CRLF, "");
	expect_end(WRK_CLASS_PROTOCOL, "name for the session");
	async_complete(loop);
}
END_ASYNC_TEST

/* Channels */

START_ASYNC_TEST(test_channels_as_the_camera_chose)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("SETUP", sdp_both);
	camera_expect("SETUP");
	camera_reply("200 OK", SESSION_HEADER "Transport: RTP/AVP/TCP;interleaved=8-200" CRLF, "");
	camera_expect("SETUP");
	camera_reply("200 OK", SESSION_HEADER "Transport: RTP/AVP/TCP;interleaved=9-10" CRLF, "");
	camera_expect("PLAY");
	camera_send_picture(8); /* before the answer, too */
	camera_reply("200 OK", "", "");
	camera_send_picture(0); /* nobody's */
	camera_send_sound(9);
	ck_assert_uint_eq(rig->pictures, 1);
	ck_assert_uint_eq(rig->sounds, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_same_channels_for_both_tracks)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("SETUP", sdp_both);
	for (int i = 0; i < 2; i++) {
		camera_expect("SETUP");
		camera_reply("200 OK", SESSION_HEADER "Transport: RTP/AVP/TCP;interleaved=0-1" CRLF,
			     "");
	}
	camera_expect("PLAY");
	camera_reply("200 OK", "", "");
	camera_send_picture(0);
	camera_send_sound(2);
	ck_assert_uint_eq(rig->pictures, 1);
	ck_assert_uint_eq(rig->sounds, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_transport_that_nobody_asked_for)
{
	static const char *const chosen[] = {
		"Transport: RTP/AVP;unicast;server_port=5000-5001" CRLF,
		"Transport: RTP/AVP;multicast;destination=232.1.1.1;port=5000-5001" CRLF,
		"Transport: x" CRLF,
	};

	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
		rig_start(loop, DEFAULTS);
		camera_open_until("SETUP", sdp_video);
		camera_expect("SETUP");
		camera_reply("200 OK", chosen[i], "");
		expect_end(WRK_CLASS_PROTOCOL, "another transport than TCP");
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_tcp)
{
	rig_start(loop, (struct wrk_input_config){ .transport = "tcp" });
	camera_open_until("SETUP", sdp_video);
	camera_expect("SETUP");
	camera_reply("461 Unsupported Transport", "", "");
	expect_end(WRK_CLASS_UNSUPPORTED, "set transport: udp");
	async_complete(loop);
}
END_ASYNC_TEST

/* Whatever is configured: a redirect may have led from rtsp to rtsps. */
START_ASYNC_TEST(test_rtsps_has_no_udp)
{
	static const char *const transports[] = { "tcp", "udp", "auto" };
	const struct rtsp_client *client;

	rig_start(loop, (struct wrk_input_config){ .url = "rtsps://192.0.2.7/live",
						   .tls = "insecure",
						   .transport = transports[_i] });
	client = rig->input;
	ck_assert(client->is_tcp);
	ck_assert(!client->may_udp);
	stop_now();
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_client");
	TCase *tcase = tcase_create("session");

	tcase_add_test(tcase, test_pictures_and_sound);
	tcase_add_test(tcase, test_report);
	tcase_add_test(tcase, test_one_byte_at_a_time);
	tcase_add_loop_test(tcase, test_answer_cut_at_every_byte, 0, 4);
	tcase_add_loop_test(tcase, test_answer_never_comes, 0, 4);
	tcase_add_test(tcase, test_answer_trickles);
	tcase_add_loop_test(tcase, test_answers_come_late, 0, 2);
	tcase_add_loop_test(tcase, test_status_of_each_request, 0, N_STATUSES);
	tcase_add_test(tcase, test_camera_that_knows_no_options);
	tcase_add_test(tcase, test_not_rtsp);
	tcase_add_test(tcase, test_reset);
	tcase_add_test(tcase, test_cseq);
	tcase_add_loop_test(tcase, test_descriptions_that_do_not_help, 0, 5);
	tcase_add_loop_test(tcase, test_sound_is_refused, 0, 2);
	tcase_add_test(tcase, test_session_that_cannot_be_named);
	tcase_add_test(tcase, test_channels_as_the_camera_chose);
	tcase_add_test(tcase, test_same_channels_for_both_tracks);
	tcase_add_test(tcase, test_transport_that_nobody_asked_for);
	tcase_add_test(tcase, test_no_tcp);
	tcase_add_loop_test(tcase, test_rtsps_has_no_udp, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
