/*
 * A worker's life: configuration, sources that fail or fall silent, the end, and probes.
 */
#include "config.h"

#include "tests/check_worker_rig.h"

#include "shared/child_ev.h"

#include <errno.h>

/* Start and end */

START_ASYNC_TEST(test_start)
{
	rig_new(loop);
	configure(config());
	ck_assert_str_eq(rig->path, "/run/x/bus/door-77.sock");
	ck_assert_uint_eq(rig->mode, 0660);
	ck_assert_int_eq(rig->starts, 1);
	ck_assert_str_eq(rig->user, "admin");
	ck_assert_str_eq(rig->password, "hunter22");
	log_forbid("hunter22");
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
	ck_assert_uint_gt(peer_msg_count(rig->supervisor, MSG_READY), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_beats_while_the_input_is_silent)
{
	rig_new(loop);
	configure(config());
	loop_run_for_ms(loop, 3000);
	send_stop();
	peer_drain_until_close(rig->supervisor);
	wrk_free(&rig->wrk);
	peer_run(rig->supervisor, 0);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_BEAT), 5);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_WORKER_STATUS), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_leaves_with_0)
{
	rig_new(loop);
	go_up();
	demand(true);
	send_stop();
	ck_assert_int_eq(rig->stops, 1);
	ck_assert(rig->has_exited && rig->is_unlinked);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_int_eq(rig->sent[rig->n_sent - 1].frame.kind, FRAME_KIND_END);
	ck_assert_int_eq(rig->sent[rig->n_sent - 1].frame.seq, 3);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_supervisor_gone)
{
	rig_new(loop);
	go_up();
	peer_close(rig->supervisor);
	loop_settle(loop);
	ck_assert(rig->has_exited && rig->is_unlinked);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_before_config)
{
	rig_new(loop);
	send_stop();
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_int_eq(rig->starts, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bus_path_too_long)
{
	rig_new(loop);
	rig->open_rc = -ENAMETOOLONG;
	peer_send_msg(rig->supervisor, config(), -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	ck_assert_int_eq(rig->starts, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bus_path_in_use)
{
	rig_new(loop);
	rig->open_rc = -EADDRINUSE;
	peer_send_msg(rig->supervisor, config(), -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_url_of_nobody)
{
	rig_new(loop);
	rig->start_rc = -EINVAL;
	configure(config());
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "unsupported");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wrong_transport)
{
	json_t *msg = config();

	rig_new(loop);
	msg_set_str(msg, "transport", "smoke");
	peer_send_msg(rig->supervisor, msg, -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	async_complete(loop);
}
END_ASYNC_TEST

/* Sources that fail */

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

/* Probing */

static void
configure_probe(void)
{
	json_t *msg = config();

	msg_set_bool(msg, "probe", true);
	msg_set_str(msg, "bus", "");
	configure(msg);
	ck_assert(!rig->is_listening);
	wrk_input_opened(rig->wrk);
}

START_ASYNC_TEST(test_probe)
{
	rig_new(loop);
	configure_probe();
	deliver_frames(0, 3, 10);
	expect_input("up");
	loop_run_for_ms(loop, WRK_PROBE_MS + 10);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_uint_eq(rig->n_sent, 0);
	peer_drain_until_close(rig->supervisor);
	wrk_free(&rig->wrk);
	peer_run(rig->supervisor, 0);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_WORKER_STATUS), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_of_a_short_file)
{
	rig_new(loop);
	configure_probe();
	deliver_frames(0, 3, 10);
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	expect_input("up");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert(rig->has_exited);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_fails)
{
	rig_new(loop);
	configure_probe();
	wrk_input_failed(rig->wrk, WRK_CLASS_NOT_FOUND, "no such path");
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "not-found");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_without_key_frame)
{
	rig_new(loop);
	configure_probe();
	for (int i = 1; i < 100 && !rig->has_exited; i++) {
		deliver_frames(i, i + 1, 1000);
		loop_run_for_ms(loop, 100);
	}
	expect_input("connecting");
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "timeout");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_lib");
	TCase *tc = tcase_create("life"), *probe = tcase_create("probing");

	tcase_add_test(tc, test_start);
	tcase_add_test(tc, test_beats_while_the_input_is_silent);
	tcase_add_test(tc, test_stop_leaves_with_0);
	tcase_add_test(tc, test_supervisor_gone);
	tcase_add_test(tc, test_stop_before_config);
	tcase_add_test(tc, test_bus_path_too_long);
	tcase_add_test(tc, test_bus_path_in_use);
	tcase_add_test(tc, test_url_of_nobody);
	tcase_add_test(tc, test_wrong_transport);
	tcase_add_test(tc, test_source_fails);
	tcase_add_test(tc, test_no_answer);
	tcase_add_test(tc, test_silence_is_told_then_ends);
	tcase_add_test(tc, test_long_patience_still_tells_after_5_s);
	tcase_add_test(tc, test_stall_and_back);
	tcase_add_test(tc, test_audio_alone_is_silence);
	tcase_add_test(tc, test_no_key_frame_is_not_up);
	tcase_add_test(tc, test_input_that_does_not_close);
	tcase_add_test(tc, test_stop_while_ending_leaves_with_0);
	suite_add_tcase(s, tc);
	tcase_add_test(probe, test_probe);
	tcase_add_test(probe, test_probe_of_a_short_file);
	tcase_add_test(probe, test_probe_fails);
	tcase_add_test(probe, test_probe_without_key_frame);
	suite_add_tcase(s, probe);
	return s;
}

HARNESS_MAIN(suite)
