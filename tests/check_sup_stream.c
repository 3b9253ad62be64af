/*
 * Streams and their workers: a supervisor among fake children, under a fake clock.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "shared/chan.h"
#include "shared/conf.h"
#include "supervisor/sup_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ONE  "cameras:\n  - name: door\n    url: rtsp://192.0.2.10/live\n"
#define MINE FAKE_ANY_WORKER

START_ASYNC_TEST(test_a_worker_is_told_everything_and_goes_up)
{
	struct fake *fake = fake_new(loop);
	struct fake_child *worker;
	const json_t *config, *camera;
	char path[256];

	fake_config(fake, ONE "    credentials: c1\n    transport: udp\n"
			      "    vui: keep\n    reorder: 70ms\n    stall_timeout: 4s\n");
	fake_credentials(fake, "c1:admin:s3cr3t-word\n");
	log_forbid("s3cr3t-word");
	fake_start(fake);
	worker = fake_worker(fake, "door");
	ck_assert_uint_eq(worker->argc, 2);
	ck_assert_str_eq(fake->last_connect, "192.0.2.10:554");
	config = peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0);
	ck_assert_str_eq(msg_str(config, "url"), "rtsp://192.0.2.10/live");
	ck_assert_str_eq(msg_str(config, "user"), "admin");
	ck_assert_str_eq(msg_str(config, "password"), "s3cr3t-word");
	ck_assert_str_eq(msg_str(config, "transport"), "udp");
	ck_assert_str_eq(msg_str(config, "tls"), "verify");
	ck_assert(msg_bool(config, "keep_vui", false));
	ck_assert_int_eq(msg_int(config, "reorder_ms", -1), 70);
	ck_assert_int_eq(msg_int(config, "stall_ms", -1), 4000);
	snprintf(path, sizeof(path), "%s/bus/door-%lld.sock", fake->options.runtime_dir,
		 msg_int(config, "epoch", 0));
	ck_assert_str_eq(msg_str(config, "bus"), path);
	fake_assert_state(fake, "door", "connecting");
	fake_up(worker);
	camera = fake_camera(fake, "door");
	ck_assert_str_eq(msg_str(camera, "state"), "up");
	ck_assert_int_eq(msg_int(camera, "pid", 0), worker->pid);
	ck_assert_str_eq(msg_str(camera, "url"), "rtsp://192.0.2.10/live");
	fake_wait_ms(fake, 60000);
	ck_assert(!worker->ended);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_worker_that_is_never_ready_is_killed)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_wait_ms(fake, 9999);
	ck_assert(!worker->killed);
	fake_wait_ms(fake, 1);
	ck_assert(worker->killed);
	fake_assert_state(fake, "door", "down");
	expect_log("cam=door: down: killed: not ready after 10 s");
	fake_wait_ms(fake, 200);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_beats_before_ready_prove_nothing)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	worker->beats = true;
	clock_timer_set_ms(&worker->beat, 500);
	fake_wait_ms(fake, 10000);
	ck_assert(worker->killed);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_hung_worker_is_killed_and_replaced_at_once)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door"), *next;
	long long epoch;
	char bus[256];
	int fd;

	epoch = msg_int(peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0), "epoch", 0);
	snprintf(bus, sizeof(bus), "%s", msg_str(peer_last_msg(worker->peer), "bus"));
	fd = open(bus, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	fake_up(worker);
	fake_wait_ms(fake, 10000);
	worker->beats = false;
	fake_wait_ms(fake, 2499);
	ck_assert(!worker->killed);
	fake_wait_ms(fake, 1);
	ck_assert(worker->killed);
	ck_assert_int_eq(access(bus, F_OK), -1);
	next = fake_worker(fake, "door");
	ck_assert_ptr_ne(next, worker);
	ck_assert_int_gt(msg_int(peer_get_msg(next->peer, MSG_WORKER_CONFIG, 0), "epoch", 0),
			 epoch);
	ck_assert_str_ne(msg_str(peer_last_msg(next->peer), "bus"), bus);
	expect_log("killed: hung, no sign of life for 2.5 s");
	fake_assert_state(fake, "door", "connecting");
	async_complete(loop);
}
END_ASYNC_TEST

/* In stolen time it could not beat. */
START_ASYNC_TEST(test_stolen_time_is_given_back)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_up(worker);
	fake_wait_ms(fake, 10000);
	worker->beats = false;
	fake->stolen_ms += 1500;
	fake_wait_ms(fake, 2500);
	ck_assert(!worker->killed);
	worker->beats = true;
	fake_wait_ms(fake, 5000);
	ck_assert(!worker->killed);
	worker->beats = false;
	fake->stolen_ms += 1500;
	fake_wait_ms(fake, 3999);
	ck_assert(!worker->killed);
	fake_wait_ms(fake, 1);
	ck_assert(worker->killed);
	async_complete(loop);
}
END_ASYNC_TEST

/* Four times its deadline, and no more. */
START_ASYNC_TEST(test_a_hung_worker_does_not_live_on_stolen_time)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");
	int waited_ms = 0;

	fake_up(worker);
	fake_wait_ms(fake, 10000);
	worker->beats = false;
	for (; !worker->killed && waited_ms < 60000; waited_ms += 100) {
		fake->stolen_ms += 90;
		fake_wait_ms(fake, 100);
	}
	ck_assert_int_eq(waited_ms, 5 * 2500);
	async_complete(loop);
}
END_ASYNC_TEST

/* The supervisor was stopped for three seconds, the worker was not. */
START_ASYNC_TEST(test_a_worker_that_beat_while_we_slept_is_spared)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");
	json_t *beat = msg_new(MSG_BEAT);

	fake_up(worker);
	worker->beats = false;
	ck_assert_int_eq(chan_send(peer_fd(worker->peer), beat, -1), 0);
	json_decref(beat);
	clock_advance_ms(loop_clock(loop), 3000);
	clock_run_due(loop_clock(loop));
	fake_wait_ms(fake, 2400);
	ck_assert(!worker->killed);
	fake_wait_ms(fake, 200);
	ck_assert(worker->killed);
	async_complete(loop);
}
END_ASYNC_TEST

/* Its end is not ours to be had while a debugger holds it, and nothing says when it is. */
START_ASYNC_TEST(test_a_worker_that_is_traced_when_it_dies)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	worker->traced = true;
	fake_crash(worker);
	fake_wait_ms(fake, 5000);
	ck_assert(!worker->reaped);
	ck_assert_ptr_null(fake_find(fake, MINE, "door"));
	worker->traced = false;
	fake_wait_ms(fake, 1000);
	ck_assert(worker->reaped);
	ck_assert_ptr_ne(fake_worker(fake, "door"), worker);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_crash_loop_slows_down_and_never_gives_up)
{
	static const int64_t waits[] = { 200, 400, 800, 1600, 3200, 6400, 12800, 24000, 24000 };
	struct fake *fake = fake_run(loop, ONE);

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct fake_child *worker = fake_worker(fake, "door");

		fake_crash(worker);
		ck_assert_ptr_null(fake_find(fake, MINE, "door"));
		fake_wait_ms(fake, waits[i] - 1);
		ck_assert_ptr_null(fake_find(fake, MINE, "door"));
		fake_wait_ms(fake, 1);
		ck_assert_ptr_nonnull(fake_find(fake, MINE, "door"));
	}
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "restarts", 0), 9);
	/* Told once, though it happened nine times. */
	ck_assert_uint_eq(log_count("cam=door: down"), 1);
	expect_log(": killed by SIGSEGV");
	/* Pictures for two seconds make up for it. */
	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 2000);
	fake_crash(fake_worker(fake, "door"));
	ck_assert_ptr_nonnull(fake_find(fake, MINE, "door"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_an_unasked_exit_0_is_a_crash)
{
	struct fake *fake = fake_run(loop, ONE);

	fake_ready(fake_worker(fake, "door"));
	fake_exit(fake_worker(fake, "door"), 0);
	ck_assert_ptr_null(fake_find(fake, MINE, "door"));
	fake_assert_state(fake, "door", "down");
	fake_wait_ms(fake, 200);
	ck_assert_ptr_nonnull(fake_find(fake, MINE, "door"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_wrong_configuration_is_not_retried)
{
	struct fake *fake = fake_run(loop, ONE);
	struct peer *ctl;
	json_t *msg;

	fake_ready(fake_front(fake));
	fake_exit(fake_worker(fake, "door"), 78);
	fake_wait_ms(fake, 24 * 3600 * 1000LL);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 1);
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "retry_in_ms", 0), -1);
	ctl = fake_ctl(fake);
	msg = msg_new(MSG_CTL_RESTART);
	msg_set_str(msg, "what", "door");
	peer_send_msg(ctl, msg, -1);
	ck_assert_int_eq(msg_int(peer_get_msg(ctl, MSG_CTL_DONE, 0), "code", -1), 0);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_at_most_four_start_at_once)
{
	struct fake *fake = fake_new(loop);
	char config[1024] = "cameras:\n", line[100];

	for (int i = 0; i < 7; i++) {
		snprintf(line, sizeof(line), "  - {name: c%d, url: \"rtsp://192.0.2.%d/\"}\n", i,
			 i);
		strcat(config, line);
	}
	fake_config(fake, config);
	fake_start(fake);
	ck_assert_uint_eq(fake_count(fake, MINE, NULL), 4);
	fake_ready(fake_worker(fake, "c1"));
	ck_assert_uint_eq(fake_count(fake, MINE, NULL), 5);
	fake_crash(fake_worker(fake, "c2"));
	ck_assert_uint_eq(fake_count(fake, MINE, NULL), 6);
	/* Those that never get ready give their places back too. */
	fake_wait_ms(fake, 10000);
	ck_assert_uint_ge(fake_count(fake, MINE, "c6"), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_failing_spawn_is_tried_again)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, ONE);
	fake->spawn_error = -ENOENT;
	fake_start(fake);
	fake_assert_state(fake, "door", "down");
	expect_log("cam=door: down: cannot start camhub-worker");
	expect_log("front=http: cannot start camhub-http");
	fake_wait_ms(fake, 60000);
	fake->spawn_error = 0;
	fake_wait_ms(fake, 30000);
	ck_assert_uint_gt(fake_count(fake, MINE, "door"), 0);
	ck_assert_uint_gt(fake_count(fake, "camhub-http", "http"), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_garbage_costs_the_child_its_life_and_nobody_else_anything)
{
	static const char *const garbage[] = { "rubbish", "{}", "[1]", "{\"type\":\"want\"}",
					       "{\"type\":\"input\",\"state\":\"up\"}" };
	struct fake *fake = fake_run(loop, ONE "  - {name: gate, url: \"rtsp://192.0.2.11/\"}\n");
	struct fake_child *gate = fake_worker(fake, "gate");

	fake_up(gate);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		struct fake_child *worker = fake_worker(fake, "door");

		fake_up(worker);
		fake_wait_ms(fake, 3000);
		fake_say_bytes(worker, garbage[i], strlen(garbage[i]));
		ck_assert_msg(worker->killed, "survived %s", garbage[i]);
		ck_assert_ptr_ne(fake_worker(fake, "door"), worker);
	}
	ck_assert(!gate->ended);
	expect_log("killed: it broke the protocol");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_worker_that_changes_its_state_without_end_is_killed)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	for (int i = 0; i < 25; i++) {
		fake_input(worker, "up", "none", NULL);
		fake_input(worker, "stalled", "timeout", "no data");
	}
	ck_assert(!worker->killed);
	fake_wait_ms(fake, 1000);
	for (int i = 0; i < 50; i++)
		fake_input(worker, i % 2 ? "stalled" : "up", "none", NULL);
	ck_assert(!worker->killed);
	fake_input(worker, "up", "none", NULL);
	ck_assert(worker->killed);
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "last_error"),
			 "killed: it changes its state without end");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_child_that_closed_its_channel_must_leave)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_up(worker);
	peer_close(worker->peer);
	fake_wait_ms(fake, 999);
	ck_assert(!worker->killed);
	fake_wait_ms(fake, 1);
	ck_assert(worker->killed);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_child_that_does_not_read_is_killed)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_up(worker);
	for (int i = 0; i < 10000 && !worker->killed; i++) {
		sup_set_log_level(fake->sup, LOG_LEVEL_DEBUG);
		loop_settle(loop);
	}
	ck_assert(worker->killed);
	expect_log("killed: it does not read what it is sent");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_last_words_count_though_the_process_is_over_first)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");
	json_t *msg = msg_new(MSG_INPUT);

	fake_ready(worker);
	msg_set_str(msg, "state", "ended");
	msg_set_str(msg, "class", "auth");
	peer_send_msg(worker->peer, msg, -1);
	peer_close(worker->peer);
	/* All in one turn: the words, the end of the channel, the end of the process. */
	worker->ended = true;
	worker->exit_code = 75;
	clock_timer_cancel(&worker->beat);
	close(worker->alive_fd);
	loop_settle(loop);
	fake_assert_state(fake, "door", "refused");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_end_is_noticed_though_a_grandchild_keeps_the_channel)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	worker->ended = true;
	worker->exit_code = -1;
	clock_timer_cancel(&worker->beat);
	close(worker->alive_fd);
	fake_wait_ms(fake, 300);
	ck_assert(worker->reaped);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 1);
	fake_wait_ms(fake, 200);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_worker_that_neither_connects_nor_gives_up_is_killed)
{
	struct fake *fake = fake_run(loop, ONE "    open_timeout: 7s\n");
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	fake_input(worker, "connecting", "none", NULL);
	fake_wait_ms(fake, 11999);
	ck_assert(!worker->killed);
	fake_wait_ms(fake, 1);
	ck_assert(worker->killed);
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "class"), "timeout");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_worker_that_ended_must_leave)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	fake_input(worker, "ended", "auth", "401");
	fake_wait_ms(fake, 3000);
	ck_assert(worker->killed);
	/* What it said still counts. */
	fake_assert_state(fake, "door", "refused");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_asks_waits_and_kills)
{
	struct fake *fake = fake_run(loop, ONE "  - {name: gate, url: \"rtsp://192.0.2.11/\"}\n");
	struct fake_child *door = fake_worker(fake, "door"), *gate = fake_worker(fake, "gate");
	struct fake_child *front = fake_front(fake);

	fake_up(door);
	fake_up(gate);
	fake_ready(front);
	sup_stop(fake->sup);
	peer_get_msg(door->peer, MSG_STOP, 0);
	peer_get_msg(gate->peer, MSG_STOP, 0);
	peer_get_msg(front->peer, MSG_STOP, 0);
	fake_exit(door, 0);
	fake_exit(front, 0);
	fake_wait_ms(fake, 2999);
	ck_assert(!gate->killed && !fake->stopped);
	fake_wait_ms(fake, 1);
	ck_assert(gate->killed);
	ck_assert(fake->stopped);
	ck_assert_int_eq(access(fake->options.runtime_dir, F_OK), -1);
	ck_assert_ptr_nonnull(strstr(fake->notified, "STOPPING=1"));
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake->n_children, 3);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_with_obedient_children_does_not_wait)
{
	struct fake *fake = fake_run(loop, ONE);

	fake_up(fake_worker(fake, "door"));
	sup_stop(fake->sup);
	fake_exit(fake_worker(fake, "door"), 0);
	fake_exit(fake_front(fake), 0);
	ck_assert(fake->stopped);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_twice_does_not_wait)
{
	struct fake *fake = fake_run(loop, ONE);

	fake_up(fake_worker(fake, "door"));
	sup_stop(fake->sup);
	sup_stop(fake->sup);
	loop_settle(loop);
	ck_assert(fake->stopped);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_while_waiting_starts_nothing_more)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, ONE "  - {name: gate, url: \"rtsp://cam.example/\"}\n");
	fake->network = FAKE_SILENT;
	fake_start(fake);
	fake_crash(fake_front(fake));
	sup_stop(fake->sup);
	loop_settle(loop);
	ck_assert(fake->stopped);
	ck_assert_uint_eq(fake_living(fake), 0);
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake->n_children, 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_gives_up_on_the_unkillable)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_up(worker);
	worker->unkillable = true;
	sup_stop(fake->sup);
	fake_exit(fake_front(fake), 0);
	fake_wait_ms(fake, 8000);
	ck_assert(worker->killed);
	ck_assert(fake->stopped);
	expect_log("not even SIGKILL");
	async_complete(loop);
}
END_ASYNC_TEST

static void
add_worker_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_a_worker_is_told_everything_and_goes_up);
	tcase_add_test(tcase, test_a_worker_that_is_never_ready_is_killed);
	tcase_add_test(tcase, test_beats_before_ready_prove_nothing);
	tcase_add_test(tcase, test_a_hung_worker_is_killed_and_replaced_at_once);
	tcase_add_test(tcase, test_stolen_time_is_given_back);
	tcase_add_test(tcase, test_a_hung_worker_does_not_live_on_stolen_time);
	tcase_add_test(tcase, test_a_worker_that_beat_while_we_slept_is_spared);
	tcase_add_test(tcase, test_a_worker_that_is_traced_when_it_dies);
	tcase_add_test(tcase, test_a_crash_loop_slows_down_and_never_gives_up);
	tcase_add_test(tcase, test_an_unasked_exit_0_is_a_crash);
	tcase_add_test(tcase, test_at_most_four_start_at_once);
	tcase_add_test(tcase, test_a_failing_spawn_is_tried_again);
	tcase_add_test(tcase, test_garbage_costs_the_child_its_life_and_nobody_else_anything);
	tcase_add_test(tcase, test_a_worker_that_changes_its_state_without_end_is_killed);
	tcase_add_test(tcase, test_a_child_that_closed_its_channel_must_leave);
	tcase_add_test(tcase, test_a_child_that_does_not_read_is_killed);
	tcase_add_test(tcase, test_last_words_count_though_the_process_is_over_first);
	tcase_add_test(tcase, test_the_end_is_noticed_though_a_grandchild_keeps_the_channel);
	tcase_add_test(tcase, test_a_worker_that_neither_connects_nor_gives_up_is_killed);
	tcase_add_test(tcase, test_a_worker_that_ended_must_leave);
	tcase_add_test(tcase, test_a_wrong_configuration_is_not_retried);
}

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_stream");
	TCase *worker = tcase_create("worker"), *stop = tcase_create("stop");

	add_worker_tests(worker);
	suite_add_tcase(suite, worker);
	tcase_add_test(stop, test_stop_asks_waits_and_kills);
	tcase_add_test(stop, test_stop_with_obedient_children_does_not_wait);
	tcase_add_test(stop, test_stop_twice_does_not_wait);
	tcase_add_test(stop, test_stop_while_waiting_starts_nothing_more);
	tcase_add_test(stop, test_stop_gives_up_on_the_unkillable);
	suite_add_tcase(suite, stop);
	return suite;
}

HARNESS_MAIN(make_suite)
