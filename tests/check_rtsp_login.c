/*
 * Passwords: when the camera is told them, how often, and on which connection.
 */
#include "config.h"

#include "tests/check_rtsp_rig.h"

#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>

#define NOISE 200000
#define LOGIN ((struct wrk_input_config){ .user = "admin", .password = "hunter22" })
#define ANSWER(response)                                                                           \
	"Authorization: Digest username=\"admin\", realm=\"cam\", nonce=\"n1\", "                  \
	"uri=\"" CAMERA_URL "\", response=\"" response "\"" CRLF
#define N1       "Digest realm=\"cam\", nonce=\"n1\""
#define ASKS_N1  "WWW-Authenticate: " N1 CRLF
#define HANGS_UP "the camera closes the connection after asking for a password"

START_ASYNC_TEST(test_password)
{
	rig_start(loop, LOGIN);
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
	rig_start(loop, LOGIN);
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

	rig_start(loop, LOGIN);
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
	rig_start(loop, ((struct wrk_input_config){ .user = NULL }));
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"cam\"" CRLF, "");
	expect_end(WRK_CLASS_AUTH, "none is configured");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_login_is_unknown)
{
	rig_start(loop, LOGIN);
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized", "WWW-Authenticate: Negotiate" CRLF, "");
	expect_end(WRK_CLASS_AUTH, "a kind of login that is not supported");
	async_complete(loop);
}
END_ASYNC_TEST

/* Cameras that close the connection on which they asked */

static void
camera_hang_up(void)
{
	peer_close(rig->camera);
	peer_run(rig->camera, 0);
	loop_settle(rig->loop);
}

static void
expect_challenge(const char *challenge)
{
	loop_settle(rig->loop);
	ck_assert_uint_eq(rig->failures, 0);
	ck_assert_uint_eq(rig->challenges, 1);
	ck_assert_str_eq(rig->challenge, challenge);
	ck_assert_str_eq(rig->reason, HANGS_UP);
	loop_run_for_ms(rig->loop, RTSP_TEARDOWN_MS + 1);
	ck_assert_uint_eq(rig->closed, 1);
}

static const char *const asking[] = { "OPTIONS", "DESCRIBE", "SETUP", "PLAY" };

START_ASYNC_TEST(test_camera_hangs_up_behind_its_question)
{
	rig_start(loop, LOGIN);
	camera_open_until(asking[_i], sdp_video);
	camera_expect(asking[_i]);
	camera_reply("401 Unauthorized",
		     "WWW-Authenticate: Basic realm=\"cam\"" CRLF
		     "WWW-Authenticate: Digest realm=\"cam\", nonce=\"n1\", qop=\"auth\"" CRLF
		     "Connection: close" CRLF,
		     "");
	ck_assert_uint_eq(rig->challenges, 0);
	camera_hang_up();
	expect_challenge("Digest realm=\"cam\", nonce=\"n1\", qop=\"auth\"");
	async_complete(loop);
}
END_ASYNC_TEST

/* The answer finds nobody. */
START_ASYNC_TEST(test_camera_hangs_up_with_its_question)
{
	char *text;

	if (_i == 0)
		rig_start(loop, LOGIN);
	else
		rig_start_tcp(loop, LOGIN);
	camera_expect("OPTIONS");
	text = xasprintf("RTSP/1.0 401 Unauthorized" CRLF "CSeq: %u" CRLF ASKS_N1 CRLF, rig->cseq);
	peer_send_text(rig->camera, text);
	if (_i == 0)
		peer_close(rig->camera);
	else
		peer_reset(rig->camera);
	peer_run(rig->camera, 0);
	free(text);
	expect_challenge(N1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_next_connection_answers_at_once)
{
	struct wrk_input_config config = LOGIN;

	config.challenge = N1;
	rig_start(loop, config);
	ck_assert_ptr_nonnull(
	    strstr(camera_expect("OPTIONS"), ANSWER("7a8973289c6ebe4af7d0f56b2f6aa73b")));
	camera_reply("200 OK", PUBLIC_HEADER, "");
	ck_assert_ptr_nonnull(
	    strstr(camera_expect("DESCRIBE"), ANSWER("f945e3c4cacd3f2827d87aef78dd7227")));
	camera_reply("200 OK", "", sdp_video);
	camera_expect("SETUP");
	async_complete(loop);
}
END_ASYNC_TEST

/* It may mean the password: no third connection is asked for. */
START_ASYNC_TEST(test_next_connection_is_closed_too)
{
	struct wrk_input_config config = LOGIN;

	config.challenge = N1;
	rig_start(loop, config);
	if (_i == 2) {
		camera_expect("OPTIONS");
		camera_reply("200 OK", PUBLIC_HEADER, "");
	}
	camera_expect(_i == 2 ? "DESCRIBE" : "OPTIONS");
	if (_i == 1)
		camera_reply("401 Unauthorized",
			     "WWW-Authenticate: Digest realm=\"cam\", nonce=\"n2\"" CRLF, "");
	camera_hang_up();
	expect_end(WRK_CLASS_AUTH, HANGS_UP);
	ck_assert_uint_eq(rig->challenges, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_next_connection_has_the_wrong_password)
{
	struct wrk_input_config config = LOGIN;

	config.challenge = N1;
	rig_start(loop, config);
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized", ASKS_N1, "");
	expect_end(WRK_CLASS_AUTH, "refuses the user or the password");
	async_complete(loop);
}
END_ASYNC_TEST

/* Its nonces are those of a connection. */
START_ASYNC_TEST(test_next_connection_has_another_nonce)
{
	struct wrk_input_config config = LOGIN;

	config.challenge = "Digest realm=\"cam\", nonce=\"n0\"";
	rig_start(loop, config);
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized", ASKS_N1, "");
	ck_assert_ptr_nonnull(
	    strstr(camera_expect("OPTIONS"), ANSWER("7a8973289c6ebe4af7d0f56b2f6aa73b")));
	camera_reply("200 OK", PUBLIC_HEADER, "");
	camera_expect("DESCRIBE");
	async_complete(loop);
}
END_ASYNC_TEST

/* Losing a session is no question of passwords. */
START_ASYNC_TEST(test_next_connection_plays_and_is_lost)
{
	struct wrk_input_config config = LOGIN;

	config.challenge = N1;
	rig_start(loop, config);
	camera_open(sdp_video);
	loop_run_for_ms(loop, 3001);
	camera_expect("PAUSE");
	camera_hang_up();
	expect_end(WRK_CLASS_EOF, "instead of answering PAUSE");
	async_complete(loop);
}
END_ASYNC_TEST

/* Nor is a camera that never asked. */
START_ASYNC_TEST(test_camera_hangs_up_without_a_question)
{
	rig_start(loop, LOGIN);
	camera_expect("OPTIONS");
	camera_hang_up();
	expect_end(WRK_CLASS_EOF, "instead of answering OPTIONS");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_camera_asks_and_talks_nonsense)
{
	char *noise = xcalloc(1, NOISE);

	rig_start(loop, LOGIN);
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized", ASKS_N1, "");
	camera_expect("OPTIONS");
	memset(noise, 'x', NOISE - 1);
	camera_say(noise);
	free(noise);
	expect_end(WRK_CLASS_PROTOCOL, "is no RTSP");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_question_that_cannot_be_passed_on)
{
	rig_start(loop, LOGIN);
	camera_expect("OPTIONS");
	camera_reply("401 Unauthorized",
		     "WWW-Authenticate: Digest realm=\"J\xc3\xa4ger\", nonce=\"n1\"" CRLF, "");
	camera_hang_up();
	expect_end(WRK_CLASS_AUTH, HANGS_UP);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_login");
	TCase *tcase = tcase_create("login");

	tcase_add_test(tcase, test_password);
	tcase_add_test(tcase, test_password_is_wrong);
	tcase_add_test(tcase, test_password_attempts_are_bounded);
	tcase_add_test(tcase, test_password_is_missing);
	tcase_add_test(tcase, test_login_is_unknown);
	tcase_add_loop_test(tcase, test_camera_hangs_up_behind_its_question, 0, 4);
	tcase_add_loop_test(tcase, test_camera_hangs_up_with_its_question, 0, 2);
	tcase_add_test(tcase, test_next_connection_answers_at_once);
	tcase_add_loop_test(tcase, test_next_connection_is_closed_too, 0, 3);
	tcase_add_test(tcase, test_next_connection_has_the_wrong_password);
	tcase_add_test(tcase, test_next_connection_has_another_nonce);
	tcase_add_test(tcase, test_next_connection_plays_and_is_lost);
	tcase_add_test(tcase, test_camera_hangs_up_without_a_question);
	tcase_add_test(tcase, test_camera_asks_and_talks_nonsense);
	tcase_add_test(tcase, test_question_that_cannot_be_passed_on);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
