/*
 * An RTSP session that plays: keep-alive, reports, silence, good-byes, bursts, redirects, what the
 * camera asks, and the end.
 */
#include "config.h"

#include "tests/check_rtsp_rig.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULTS ((struct wrk_input_config){ .user = NULL })

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

/* The network stood still, and the camera has no ear for PAUSE or PLAY: it goes on, and so do we.
 */
START_ASYNC_TEST(test_silence_that_ends_by_itself)
{
	rig_start(loop, DEFAULTS);
	camera_open(sdp_video);
	camera_send_picture(0);
	loop_run_for_ms(loop, 3000);
	camera_expect("PAUSE");
	for (int i = 0; i < 20; i++) {
		loop_run_for_ms(loop, 1000);
		camera_send_picture(0);
	}
	ck_assert_str_eq(rtsp_state_name(rig_state()), "playing");
	ck_assert_uint_eq(rig->pictures, 21);
	ck_assert_uint_eq(rig->failures, 0);
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
	static const struct {
		const char *location, *words;
	} rows[] = {
		{ "", "and does not say where" },
		{ "Location: http://192.0.2.8/" CRLF, "but not to an rtsp:// address" },
	};

	rig_start(loop, DEFAULTS);
	camera_open_until("DESCRIBE", sdp_video);
	camera_expect("DESCRIBE");
	camera_reply("301 Moved", rows[_i].location, "");
	expect_end(WRK_CLASS_PROTOCOL, rows[_i].words);
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
	Suite *suite = suite_create("rtsp_play");
	TCase *tcase = tcase_create("session");

	tcase_add_test(tcase, test_keep_alive);
	tcase_add_test(tcase, test_keep_alive_is_refused);
	tcase_add_test(tcase, test_receiver_reports);
	tcase_add_test(tcase, test_silence_and_help);
	tcase_add_loop_test(tcase, test_silence_without_help, 0, 2);
	tcase_add_test(tcase, test_silence_of_a_camera_without_pause);
	tcase_add_test(tcase, test_silence_that_ends_by_itself);
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
