/*
 * The RTSP client against a scripted camera: each state with each kind of answer, and what cameras
 * do between answers.
 */
#include "config.h"

#include "tests/check_rtsp_rig.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Passwords */

START_ASYNC_TEST(test_password)
{
	rig_start(loop, (struct wrk_input_config){ .user = "admin", .password = "hunter22" });
	log_forbid("hunter22");
	log_forbid("YWRtaW46aHVudGVyMjI=");
	camera_open_until("DESCRIBE", sdp_video);
	ck_assert_ptr_null(strstr(camera_expect("DESCRIBE"), "Authorization"));
	camera_reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"cam\"" CRLF, "");
	ck_assert_ptr_nonnull(
	    strstr(camera_expect("DESCRIBE"), "Authorization: Basic YWRtaW46aHVudGVyMjI=" CRLF));
	camera_reply("200 OK", "", sdp_video);
	ck_assert_ptr_nonnull(strstr(camera_expect("SETUP"), "Authorization: Basic "));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_password_is_wrong)
{
	rig_start(loop, (struct wrk_input_config){ .user = "admin", .password = "hunter22" });
	camera_open_until("DESCRIBE", sdp_video);
	for (int i = 0; i < 2; i++) {
		camera_expect("DESCRIBE");
		camera_reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"cam\"" CRLF, "");
	}
	expect_end(WRK_CLASS_AUTH, "refuses the user or the password");
	async_complete(loop);
}
END_ASYNC_TEST

/* A nonce that is stale for ever is a password that is refused. */
START_ASYNC_TEST(test_password_attempts_are_bounded)
{
	int attempts = 0;

	rig_start(loop, (struct wrk_input_config){ .user = "admin", .password = "hunter22" });
	camera_open_until("DESCRIBE", sdp_video);
	while (rig->failures == 0) {
		char *challenge =
		    xasprintf("WWW-Authenticate: Digest realm=\"cam\", nonce=\"n%d\", "
			      "stale=true" CRLF,
			      attempts);

		ck_assert_int_lt(attempts++, 5);
		camera_expect("DESCRIBE");
		camera_reply("401 Unauthorized", challenge, "");
		free(challenge);
	}
	ck_assert_int_eq(attempts, 3);
	expect_end(WRK_CLASS_AUTH, "refuses the user or the password");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_password_is_missing)
{
	rig_start(loop, DEFAULTS);
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"cam\"" CRLF, "");
	expect_end(WRK_CLASS_AUTH, "none is configured");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_login_is_unknown)
{
	rig_start(loop, (struct wrk_input_config){ .user = "admin", .password = "hunter22" });
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized", "WWW-Authenticate: Negotiate" CRLF, "");
	expect_end(WRK_CLASS_AUTH, "a kind of login that is not supported");
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

/* Life */

static void
pass_a_minute_half(struct loop *loop)
{
	for (int i = 0; i < 15; i++) {
		loop_run_for_ms(loop, 2000);
		if (i < 14)
			camera_send_picture(0);
	}
}

static size_t
take_reports(void)
{
	uint8_t *all = xmalloc(65536);
	ssize_t n = recv(peer_fd(rig->camera), all, 65536, MSG_DONTWAIT | MSG_PEEK);
	size_t len = 0, reports = 0;

	while (n > 0 && len + 4 < (size_t)n && all[len] == '$') {
		len += 4 + (size_t)(all[len + 2] << 8 | all[len + 3]);
		reports++;
	}
	if (len > 0)
		ck_assert_int_eq(recv(peer_fd(rig->camera), all, len, MSG_DONTWAIT), (ssize_t)len);
	free(all);
	return reports;
}

START_ASYNC_TEST(test_keep_alive)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	for (int round = 0; round < 3; round++) {
		pass_a_minute_half(loop);
		ck_assert_uint_ge(take_reports(), 5);
		ck_assert_ptr_nonnull(strstr(camera_expect("GET_PARAMETER"), "Session: 4711" CRLF));
		/* unanswered, too: pictures tell that it lives */
		if (round == 0)
			camera_reply("200 OK", "", "");
		camera_send_picture(0);
	}
	ck_assert_uint_eq(rig->failures, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_keep_alive_is_refused)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	pass_a_minute_half(loop);
	ck_assert_uint_ge(take_reports(), 5);
	camera_expect("GET_PARAMETER");
	camera_reply("551 Option not supported", "", "");
	ck_assert_str_eq(rtsp_state_name(rig_state()), "playing");
	camera_send_picture(0);
	pass_a_minute_half(loop);
	ck_assert_uint_ge(take_reports(), 5);
	camera_expect("OPTIONS");
	camera_reply("454 Session Not Found", "", "");
	ck_assert_str_eq(rtsp_state_name(rig_state()), "playing");
	ck_assert_uint_eq(rig->failures, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_receiver_reports)
{
	size_t len;
	const uint8_t *report;

	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	for (int i = 0; i < 5; i++) {
		camera_send_picture(0);
		loop_run_for_ms(loop, 1000);
	}
	peer_expect_bytes(rig->camera, 4 + 32);
	peer_run(rig->camera, 0);
	report = (const uint8_t *)peer_last(rig->camera, &len);
	ck_assert_uint_eq(report[0], '$');
	ck_assert_uint_eq(report[1], 1);
	ck_assert_uint_eq(report[4], 0x81);
	ck_assert_uint_eq(report[5], 201);
	ck_assert_mem_eq(report + 12, "\xca\xfe\xba\xbe", 4); /* the camera's */
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_silence_and_help)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	camera_send_picture(0);
	loop_run_for_ms(loop, 2999);
	ck_assert_str_eq(rtsp_state_name(rig_state()), "playing");
	loop_run_for_ms(loop, 1);
	camera_expect("PAUSE");
	camera_reply("200 OK", "", "");
	ck_assert_ptr_null(strstr(camera_expect("PLAY"), "Range:"));
	camera_reply("200 OK", "", "");
	camera_send_picture(0);
	ck_assert_uint_eq(rig->pictures, 2);
	ck_assert_uint_eq(rig->opened, 1);
	/* another silence is helped once more */
	loop_run_for_ms(loop, 3001);
	take_reports();
	camera_expect("PAUSE");
	ck_assert_uint_eq(rig->failures, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_silence_without_help)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_both);
	camera_send_picture(0);
	for (int i = 0; i < 3; i++) {
		loop_run_for_ms(loop, 1000);
		camera_send_sound(2); /* alone, it is no life */
	}
	camera_expect("PAUSE");
	camera_reply(_i == 0 ? "200 OK" : "455 Method Not Valid in This State", "", "");
	camera_expect("PLAY");
	camera_reply("200 OK", "", "");
	for (int i = 0; i < 3; i++) {
		loop_run_for_ms(loop, 1000);
		camera_send_sound(2);
	}
	expect_end(WRK_CLASS_TIMEOUT, "no packet of video for 6.0 s (only sound comes)");
	take_reports();
	camera_expect("TEARDOWN");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_silence_of_a_camera_without_pause)
{
	rig_start(loop, DEFAULTS);
	camera_expect("OPTIONS");
	camera_reply("200 OK", "Public: DESCRIBE" CRLF, "");
	camera_expect("DESCRIBE");
	camera_reply("200 OK", "", sdp_video);
	camera_expect("SETUP");
	camera_reply("200 OK", SESSION_HEADER, "");
	camera_expect("PLAY");
	camera_reply("200 OK", "", "");
	loop_run_for_ms(loop, 3000);
	camera_expect("PLAY");
	loop_run_for_ms(loop, 3000);
	expect_end(WRK_CLASS_TIMEOUT,
		   "no packet of video for 6.0 s, and the camera does not answer PLAY");
	async_complete(loop);
}
END_ASYNC_TEST

/* It plays, and says nothing. */
START_ASYNC_TEST(test_play_without_an_answer)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("PLAY", sdp_video);
	camera_expect("PLAY");
	camera_send_picture(0);
	loop_run_for_ms(loop, 5000);
	ck_assert_uint_eq(rig->opened, 1);
	ck_assert_uint_eq(rig->failures, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static void
camera_say_bye(uint8_t channel)
{
	const uint8_t bye[] = { '$',  channel, 0,    16,  0x80, 201, 0,    1,    0xca, 0xfe,
				0xba, 0xbe,    0x81, 203, 0,    1,   0xca, 0xfe, 0xba, 0xbe };

	peer_send(rig->camera, bye, sizeof(bye));
	peer_run(rig->camera, 0);
	loop_settle(rig->loop);
}

START_ASYNC_TEST(test_bye)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_both);
	camera_send_picture(0);
	camera_say_bye(3); /* of the sound */
	loop_run_for_ms(loop, 1000);
	camera_send_picture(0);
	camera_say_bye(1);
	loop_run_for_ms(loop, 100);
	camera_send_picture(0); /* another source goes on */
	loop_run_for_ms(loop, 1000);
	ck_assert_uint_eq(rig->failures, 0);
	camera_say_bye(1);
	loop_run_for_ms(loop, 500);
	expect_end(WRK_CLASS_EOF, "ended the stream");
	async_complete(loop);
}
END_ASYNC_TEST

/* All that a network had held back comes at once: it is taken as fast as the bus bears it, and all
 * of it. */
START_ASYNC_TEST(test_burst)
{
	uint8_t packet[64], *out = xmalloc(500 * sizeof(packet));
	size_t len = 0;

	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	for (uint16_t seq = 0; seq < 500; seq++) {
		size_t n = rtp_write(packet, 96, true, seq, 3600u * seq, "\x65\x88\x80\x11", 4);

		memcpy(out + len, (uint8_t[]){ '$', 0, 0, (uint8_t)n }, 4);
		memcpy(out + len + 4, packet, n);
		len += 4 + n;
	}
	peer_send(rig->camera, out, len);
	peer_run(rig->camera, 0);
	free(out);
	loop_settle(loop);
	ck_assert_uint_ge(rig->pictures, 20);
	ck_assert_uint_le(rig->pictures, 40);
	loop_run_for_ms(loop, 20);
	ck_assert_uint_le(rig->pictures, 110);
	loop_run_for_ms(loop, 200);
	ck_assert_uint_eq(rig->pictures, 500);
	camera_send_picture(0);
	stop_now();
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_in_a_burst)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	for (int i = 0; i < 40; i++)
		camera_send_picture(0);
	ck_assert_uint_lt(rig->pictures, 40);
	stop_now();
	async_complete(loop);
}
END_ASYNC_TEST

/* Redirects */

START_ASYNC_TEST(test_redirect)
{
	rig_start(loop, DEFAULTS);
	camera_open_until("DESCRIBE", sdp_video);
	camera_expect("DESCRIBE");
	camera_reply("302 Moved", "Location: rtsp://192.0.2.8:8554/other" CRLF, "");
	loop_run_for_ms(loop, 1);
	ck_assert_uint_eq(rig->redirects, 1);
	ck_assert_str_eq(rig->location, "rtsp://192.0.2.8:8554/other");
	ck_assert_uint_eq(rig->failures, 0);
	ck_assert_uint_eq(rig->closed, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_redirect_to_nowhere)
{
	static const char *const locations[] = { "", "Location: http://192.0.2.8/" CRLF };

	rig_start(loop, DEFAULTS);
	camera_open_until("DESCRIBE", sdp_video);
	camera_expect("DESCRIBE");
	camera_reply("301 Moved", locations[_i], "");
	expect_end(WRK_CLASS_PROTOCOL, "the camera sends us");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_redirect_by_request)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	camera_say("REDIRECT * RTSP/1.0" CRLF "CSeq: 9" CRLF
		   "Location: rtsp://192.0.2.8/other" CRLF CRLF);
	peer_expect_until(rig->camera, CRLF CRLF, "RTSP/1.0 200");
	camera_expect("TEARDOWN");
	ck_assert_str_eq(rig->location, "rtsp://192.0.2.8/other");
	camera_reply("200 OK", "", "");
	loop_run_for_ms(loop, 1);
	ck_assert_uint_eq(rig->closed, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* Requests of the camera */

START_ASYNC_TEST(test_camera_asks)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	camera_say("OPTIONS * RTSP/1.0" CRLF "CSeq: 7" CRLF CRLF);
	peer_expect_until(rig->camera, CRLF CRLF, "CSeq: 7" CRLF);
	peer_run(rig->camera, 0);
	ck_assert_ptr_nonnull(strstr(peer_last(rig->camera, NULL), "RTSP/1.0 200 OK" CRLF));
	camera_say("DANCE * RTSP/1.0" CRLF "CSeq: 8" CRLF CRLF);
	peer_expect_until(rig->camera, CRLF CRLF, "RTSP/1.0 501");
	peer_run(rig->camera, 0);
	ck_assert_uint_eq(rig->failures, 0);
	camera_say("TEARDOWN * RTSP/1.0" CRLF "CSeq: 9" CRLF CRLF);
	peer_expect_until(rig->camera, CRLF CRLF, "RTSP/1.0 200");
	peer_run(rig->camera, 0);
	expect_end(WRK_CLASS_EOF, "ended the session");
	async_complete(loop);
}
END_ASYNC_TEST

/* A camera that asks for ever and never reads is let go when 64 KiB wait for it. */
START_ASYNC_TEST(test_camera_asks_and_does_not_read)
{
	static const char ask[] = "OPTIONS * RTSP/1.0" CRLF "CSeq: 7" CRLF CRLF;

	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	for (int i = 0; i < 100000 && rig->failures == 0; i++)
		camera_say(ask);
	expect_end(WRK_CLASS_PROTOCOL, "does not read the answers");
	async_complete(loop);
}
END_ASYNC_TEST

/* The end */

START_ASYNC_TEST(test_stop_in_each_state)
{
	static const char *const until[] = { "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "" };

	rig_start(loop, DEFAULTS);
	if (_i > 0)
		camera_open_until(until[_i - 1], sdp_video);
	rtsp_input_ops.stop(rig->input);
	ck_assert_uint_eq(rig->closed, 0); /* never from within */
	loop_run_for_ms(loop, _i > 3 ? RTSP_TEARDOWN_MS : 1);
	ck_assert_uint_eq(rig->closed, 1);
	ck_assert_uint_eq(rig->failures, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_teardown)
{
	rig_start(loop, (struct wrk_input_config){ .user = "admin", .password = "hunter22" });
	camera_open(sdp_video);
	rtsp_input_ops.stop(rig->input);
	camera_send_picture(0); /* too late */
	camera_expect("TEARDOWN");
	camera_reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"cam\"" CRLF, "");
	camera_expect("TEARDOWN");
	loop_run_for_ms(loop, 299);
	ck_assert_uint_eq(rig->closed, 0);
	if (_i == 0)
		camera_reply("200 OK", "", "");
	else if (_i == 1)
		peer_close(rig->camera);
	loop_run_for_ms(loop, 1);
	ck_assert_uint_eq(rig->closed, 1);
	ck_assert_uint_eq(rig->pictures, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_start_refuses)
{
	static const struct {
		const char *url, *tls;
		bool has_fd;
		int rc;
	} rows[] = {
		{ CAMERA_URL, "verify", false, -ENOTCONN },
		{ "http://192.0.2.7/", "verify", true, -EINVAL },
		{ "nonsense", "verify", true, -EINVAL },
		{ "rtsps://192.0.2.7/", "sha256:12", true, -EINVAL },
		{ "rtsps://192.0.2.7/", "maybe", true, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = rows[i].has_fd ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
		struct wrk wrk = { .loop = loop };
		struct wrk_input_config config = {
			.url = rows[i].url, .tls = rows[i].tls, .transport = "auto", .fd = fd
		};
		void *input = NULL;

		ck_assert_int_eq(rtsp_input_ops.start(NULL, &wrk, &config, &input), rows[i].rc);
		ck_assert_ptr_null(input);
		ck_assert(fd < 0 || fcntl(fd, F_GETFD) < 0); /* taken, and closed */
	}
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
	tcase_add_test(tcase, test_password);
	tcase_add_test(tcase, test_password_is_wrong);
	tcase_add_test(tcase, test_password_attempts_are_bounded);
	tcase_add_test(tcase, test_password_is_missing);
	tcase_add_test(tcase, test_login_is_unknown);
	tcase_add_loop_test(tcase, test_descriptions_that_do_not_help, 0, 5);
	tcase_add_loop_test(tcase, test_sound_is_refused, 0, 2);
	tcase_add_test(tcase, test_session_that_cannot_be_named);
	tcase_add_test(tcase, test_channels_as_the_camera_chose);
	tcase_add_test(tcase, test_same_channels_for_both_tracks);
	tcase_add_test(tcase, test_transport_that_nobody_asked_for);
	tcase_add_test(tcase, test_no_tcp);
	tcase_add_test(tcase, test_keep_alive);
	tcase_add_test(tcase, test_keep_alive_is_refused);
	tcase_add_test(tcase, test_receiver_reports);
	tcase_add_test(tcase, test_silence_and_help);
	tcase_add_loop_test(tcase, test_silence_without_help, 0, 2);
	tcase_add_test(tcase, test_silence_of_a_camera_without_pause);
	tcase_add_test(tcase, test_play_without_an_answer);
	tcase_add_test(tcase, test_bye);
	tcase_add_test(tcase, test_burst);
	tcase_add_test(tcase, test_stop_in_a_burst);
	tcase_add_test(tcase, test_redirect);
	tcase_add_loop_test(tcase, test_redirect_to_nowhere, 0, 2);
	tcase_add_test(tcase, test_redirect_by_request);
	tcase_add_test(tcase, test_camera_asks);
	tcase_add_test(tcase, test_camera_asks_and_does_not_read);
	tcase_add_loop_test(tcase, test_stop_in_each_state, 0, 6);
	tcase_add_loop_test(tcase, test_teardown, 0, 3);
	tcase_add_test(tcase, test_start_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
