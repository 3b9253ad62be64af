/*
 * Sources that fail, are elsewhere, or fall silent: what the supervisor is told, and when.
 */
#include "config.h"

#include "tests/check_worker_rig.h"

#include "shared/child_ev.h"

#include <string.h>

START_ASYNC_TEST(test_source_is_elsewhere)
{
	const json_t *msg;

	rig_new(loop);
	configure(config());
	wrk_input_redirected(rig->wrk, "rtsp://192.0.2.7/other");
	msg = expect_input("ended");
	ck_assert_str_eq(msg_str(msg, "class"), "redirect");
	ck_assert_str_eq(msg_str(msg, "location"), "rtsp://192.0.2.7/other");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_source_is_too_far_elsewhere)
{
	char url[4200] = "rtsp://192.0.2.7/";
	const json_t *msg;

	memset(url + strlen(url), 'x', sizeof(url) - strlen(url) - 1);
	url[sizeof(url) - 1] = '\0';
	rig_new(loop);
	configure(config());
	wrk_input_redirected(rig->wrk, url);
	msg = expect_input("ended");
	ck_assert_str_eq(msg_str(msg, "class"), "protocol");
	ck_assert_ptr_null(json_object_get(msg, "location"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_source_hangs_up_behind_its_question)
{
	json_t *msg = config();
	const json_t *said;

	rig_new(loop);
	msg_set_str(msg, "challenge", "Basic realm=\"1\"");
	configure(msg);
	ck_assert_str_eq(rig->challenge, "Basic realm=\"1\"");
	wrk_input_challenged(rig->wrk, "Basic realm=\"2\"", "it hung up");
	said = expect_input("ended");
	ck_assert_str_eq(msg_str(said, "class"), "challenge");
	ck_assert_str_eq(msg_str(said, "reason"), "it hung up");
	ck_assert_str_eq(msg_str(said, "challenge"), "Basic realm=\"2\"");
	ck_assert_ptr_null(json_object_get(said, "location"));
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_source_fails)
{
	const json_t *msg;

	rig_new(loop);
	configure(config());
	wrk_input_failed(rig->wrk, WRK_CLASS_AUTH, "wrong password");
	msg = expect_input("ended");
	ck_assert_str_eq(msg_str(msg, "class"), "auth");
	ck_assert_str_eq(msg_str(msg, "reason"), "wrong password");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_answer)
{
	rig_new(loop);
	configure(config());
	loop_run_for_ms(loop, 3990);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_CONNECTING);
	loop_run_for_ms(loop, 20);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_ENDED);
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "timeout");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_silence_is_told_then_ends)
{
	rig_new(loop);
	go_up();
	loop_run_for_ms(loop, 2990);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_UP);
	loop_run_for_ms(loop, 20);
	expect_input("stalled");
	ck_assert(!rig->has_exited);
	loop_run_for_ms(loop, 3000);
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "timeout");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_long_patience_still_tells_after_5_s)
{
	json_t *msg = config();

	rig_new(loop);
	msg_set_int(msg, "stall_ms", 60000);
	configure(msg);
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
	loop_run_for_ms(loop, WRK_STALLED_AFTER_MAX_MS + 10);
	expect_input("stalled");
	loop_run_for_ms(loop, 59000);
	ck_assert(!rig->has_exited);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_an_input_may_be_told_earlier)
{
	json_t *msg = config();

	rig_new(loop);
	rig->input.stalled_after_max_ms = 3000;
	msg_set_int(msg, "stall_ms", 60000);
	configure(msg);
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
	loop_run_for_ms(loop, 2990);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_UP);
	loop_run_for_ms(loop, 20);
	expect_input("stalled");
	loop_run_for_ms(loop, 59000);
	ck_assert(!rig->has_exited);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stall_and_back)
{
	rig_new(loop);
	go_up();
	loop_run_for_ms(loop, 3010);
	expect_input("stalled");
	deliver_frames(1, 2, 10);
	expect_input("up");
	loop_run_for_ms(loop, 2900);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_UP);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_audio_alone_is_silence)
{
	rig_new(loop);
	go_up();
	for (int i = 0; i < 4; i++) {
		loop_run_for_ms(loop, 1000);
		deliver(make_unit(FRAME_KIND_AUDIO, FRAME_CODEC_PCMA, BYTES("aaaa"), i));
	}
	expect_input("stalled");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_key_frame_is_not_up)
{
	rig_new(loop);
	configure(config());
	wrk_input_opened(rig->wrk);
	demand(true);
	for (int i = 1; i < 9; i++) {
		deliver_frames(i, i + 1, 10);
		loop_run_for_ms(loop, 1000);
	}
	ck_assert_str_eq(msg_str(expect_input("connecting"), "reason"), "waiting for a key frame");
	ck_assert_uint_eq(count_sent(), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_input_that_does_not_close)
{
	rig_new(loop);
	go_up();
	rig->closes_at_once = false;
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	expect_input("ended");
	loop_run_for_ms(loop, WRK_FAILED_GRACE_MS - 10);
	ck_assert(!rig->has_exited);
	loop_run_for_ms(loop, 20);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	expect_log("did not close in time");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_while_ending_leaves_with_0)
{
	rig_new(loop);
	go_up();
	rig->closes_at_once = false;
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	send_stop();
	ck_assert(!rig->has_exited);
	wrk_input_closed(rig->wrk);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("worker_source");
	TCase *tcase = tcase_create("source");

	tcase_add_test(tcase, test_source_is_elsewhere);
	tcase_add_test(tcase, test_source_is_too_far_elsewhere);
	tcase_add_test(tcase, test_source_hangs_up_behind_its_question);
	tcase_add_test(tcase, test_source_fails);
	tcase_add_test(tcase, test_no_answer);
	tcase_add_test(tcase, test_silence_is_told_then_ends);
	tcase_add_test(tcase, test_long_patience_still_tells_after_5_s);
	tcase_add_test(tcase, test_an_input_may_be_told_earlier);
	tcase_add_test(tcase, test_stall_and_back);
	tcase_add_test(tcase, test_audio_alone_is_silence);
	tcase_add_test(tcase, test_no_key_frame_is_not_up);
	tcase_add_test(tcase, test_input_that_does_not_close);
	tcase_add_test(tcase, test_stop_while_ending_leaves_with_0);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
