/*
 * Fronts that are replaced, fronts that drain, and how many there are.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "shared/xalloc.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_int.h"

#include <stdio.h>
#include <string.h>

#define DOOR "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"

static const json_t *
restart(struct fake *fake, const char *what)
{
	struct peer *ctl = fake_ctl(fake);
	json_t *msg = msg_new(MSG_CTL_RESTART);

	msg_set_str(msg, "what", what);
	peer_send_msg(ctl, msg, -1);
	return peer_get_msg(ctl, MSG_CTL_DONE, 0);
}

static void
assert_restart(struct fake *fake, const char *what)
{
	ck_assert_int_eq(msg_int(restart(fake, what), "code", -1), 0);
	loop_settle(fake->loop);
}

/* The front that was started last, ready. */
static struct fake_child *
next_front(struct fake *fake, const struct fake_child *before)
{
	struct fake_child *front;

	assert_restart(fake, "http");
	front = fake_front(fake);
	ck_assert_ptr_ne(front, before);
	return front;
}

/* How many of these it was sent. */
static size_t
count(struct fake_child *front, enum msg_type type)
{
	peer_ignore_msg(front->peer, MSG_DRAIN);
	peer_ignore_msg(front->peer, MSG_STOP);
	peer_ignore_msg(front->peer, MSG_ACCESS_KEYS);
	peer_ignore_msg(front->peer, MSG_STREAM);
	peer_assert_no_msg(front->peer); /* which reads all there is */
	return peer_msg_count(front->peer, type);
}

static bool
is_draining(struct fake_child *front)
{
	return count(front, MSG_DRAIN) > 0;
}

static bool
is_told_to_stop(struct fake_child *front)
{
	return count(front, MSG_STOP) > 0;
}

/* What it was handed at its start. */
static void
read_all(struct fake_child *front)
{
	peer_get_msg(front->peer, MSG_STREAMS_SYNCED, 0);
	peer_ignore_msg(front->peer, MSG_STREAM);
}

static void
assert_process(struct fake *fake, size_t index, const char *state, long long restarts)
{
	struct peer *ctl = fake_ctl(fake);
	const json_t *process = NULL;

	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	for (size_t i = 0; i <= index; i++)
		process = peer_get_msg(ctl, MSG_CTL_PROCESS, 0);
	ck_assert_str_eq(msg_str(process, "state"), state);
	ck_assert_int_eq(msg_int(process, "restarts", -1), restarts);
}

static struct fake_child *
start(struct fake *fake)
{
	struct fake_child *front = fake_front(fake);

	read_all(front);
	fake_ready(front);
	return front;
}

START_ASYNC_TEST(test_the_new_one_is_there_before_the_old_one_drains)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *old = start(fake), *new;

	new = next_front(fake, old);
	read_all(new);
	ck_assert(!is_draining(old));
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 2);
	assert_process(fake, 0, "up", 0);
	assert_process(fake, 1, "replacing", 1);
	fake_ready(new);
	ck_assert(is_draining(old));
	ck_assert(!is_told_to_stop(old));
	assert_process(fake, 0, "draining", 0);
	assert_process(fake, 1, "up", 1);
	/* It leaves with its last viewer, and nobody comes in its place. */
	fake_wait_ms(fake, 60000);
	fake_exit(old, 0);
	assert_process(fake, 0, "up", 1);
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 2);
	ck_assert(!is_draining(new) && !is_told_to_stop(new));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_new_one_that_fails_leaves_the_old_one_alone)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *old = start(fake), *new;

	new = next_front(fake, old);
	fake_crash(new);
	fake_wait_ms(fake, 80);
	ck_assert_ptr_ne(fake_front(fake), old);
	fake_wait_ms(fake, 9999);
	ck_assert(!is_draining(old));
	/* Never ready: killed, tried again. */
	fake_wait_ms(fake, 5000);
	ck_assert(!is_draining(old) && !is_told_to_stop(old) && !old->ended);
	new = fake_front(fake);
	ck_assert_ptr_ne(new, old);
	fake_ready(new);
	ck_assert(is_draining(old));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_new_one_with_a_wrong_configuration_is_given_up)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *old = start(fake), *new;

	new = next_front(fake, old);
	fake_exit(new, 78);
	fake_wait_ms(fake, 60000);
	ck_assert_ptr_eq(fake_front(fake), old);
	ck_assert(!is_draining(old));
	assert_process(fake, 0, "up", 0);
	/* It can be tried again. */
	new = next_front(fake, old);
	fake_ready(new);
	ck_assert(is_draining(old));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_old_one_dies_while_the_new_one_starts)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *old = start(fake), *new;

	new = next_front(fake, old);
	fake_crash(old);
	fake_wait_ms(fake, 2000);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 2);
	fake_ready(new);
	assert_process(fake, 0, "up", 1);
	fake_wait_ms(fake, 5000);
	/* And it is a front as any other. */
	fake_crash(new);
	loop_settle(loop);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 3);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_asked_twice_is_once)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *old = start(fake);

	next_front(fake, old);
	assert_restart(fake, "http");
	assert_restart(fake, "http");
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 2);
	ck_assert_int_eq(msg_int(restart(fake, "http.2"), "code", -1), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_two_old_ones_stay_at_most)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *fronts[4];

	fronts[0] = start(fake);
	for (int i = 1; i < 4; i++) {
		fronts[i] = next_front(fake, fronts[i - 1]);
		read_all(fronts[i]);
		fake_ready(fronts[i]);
		ck_assert(is_draining(fronts[i - 1]));
	}
	ck_assert(is_told_to_stop(fronts[0]));
	for (int i = 1; i < 4; i++)
		ck_assert(!is_told_to_stop(fronts[i]));
	fake_exit(fronts[0], 0);
	ck_assert_uint_eq(fake_living(fake), 4); /* three fronts and the worker */
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_drain_ends)
{
	struct fake *fake = fake_run(loop, "restart: {drain: 60s}\n" DOOR);
	struct fake_child *old = start(fake), *new;

	new = next_front(fake, old);
	fake_ready(new);
	ck_assert_int_eq(msg_int(peer_get_msg(old->peer, MSG_DRAIN, 0), "deadline_ms", 0), 60000);
	fake_wait_ms(fake, 60000 + SUP_FRONT_OVERDUE_MS - 1);
	ck_assert(!is_told_to_stop(old));
	fake_wait_ms(fake, 1);
	ck_assert(is_told_to_stop(old));
	/* One that does not even do that. */
	fake_wait_ms(fake, 3000);
	ck_assert(old->killed);
	assert_process(fake, 0, "up", 1);
	async_complete(loop);
}
END_ASYNC_TEST

static void
want(struct fake_child *front, uint32_t id, bool on)
{
	json_t *msg = msg_new(MSG_WANT);

	msg_set_int(msg, "id", id);
	msg_set_bool(msg, "on", on);
	fake_say(front, msg, -1);
}

START_ASYNC_TEST(test_viewers_of_the_old_one_count)
{
	struct fake *fake = fake_run(
	    loop, "cameras:\n  - {name: gate, url: \"rtsp://192.0.2.11/\", on_demand: true}\n");
	struct fake_child *old = start(fake), *new, *worker;

	want(old, fake_id_of(fake, "gate"), true);
	worker = fake_worker(fake, "gate");
	fake_up(worker);
	new = next_front(fake, old);
	fake_ready(new);
	ck_assert(is_draining(old));
	fake_wait_ms(fake, 60000);
	fake_assert_state(fake, "gate", "up");
	fake_exit(old, 0);
	fake_wait_ms(fake, 10000);
	peer_get_msg(worker->peer, MSG_STOP, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_everybody_is_stopped)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *old = start(fake), *new;

	new = next_front(fake, old);
	fake_ready(new);
	ck_assert(is_draining(old));
	assert_restart(fake, "http");
	sup_stop(fake->sup);
	loop_settle(loop);
	ck_assert(is_told_to_stop(old));
	for (size_t i = 0; i < fake->n_children; i++)
		if (!fake->children[i]->ended)
			fake_exit(fake->children[i], 0);
	fake_wait_ms(fake, 1);
	ck_assert(fake->stopped);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 3);
	async_complete(loop);
}
END_ASYNC_TEST

static void
reload(struct fake *fake, const char *config)
{
	char *text;

	fake_config(fake, config);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	loop_settle(fake->loop);
}

START_ASYNC_TEST(test_as_many_as_configured)
{
	struct fake *fake = fake_run(loop, "http: {fronts: 2}\n" DOOR);
	struct fake_child *first = start(fake), *second, *third;

	second = fake_get(fake, "camhub-http", "http.2");
	read_all(second);
	fake_ready(second);
	reload(fake, "http: {fronts: 3}\n" DOOR);
	third = fake_get(fake, "camhub-http", "http.3");
	ck_assert(!is_draining(first) && !is_draining(second));
	/* Ready or not, those that are too many go. */
	read_all(third);
	reload(fake, DOOR);
	ck_assert(is_draining(second));
	ck_assert(!is_told_to_stop(second));
	ck_assert(is_told_to_stop(third));
	ck_assert(!is_draining(first) && !is_told_to_stop(first));
	/* Wanted again before it has left: another one. */
	reload(fake, "http: {fronts: 2}\n" DOOR);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http.2"), 2);
	fake_exit(second, 0);
	fake_exit(third, 0);
	fake_wait_ms(fake, 1000);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http.2"), 2);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http.3"), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_one_or_all_are_restarted)
{
	struct fake *fake = fake_run(loop, "http: {fronts: 2}\n" DOOR);
	struct fake_child *first = start(fake), *second = fake_get(fake, "camhub-http", "http.2");

	read_all(second);
	fake_ready(second);
	assert_restart(fake, "http.2");
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 1);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http.2"), 2);
	fake_ready(fake_get(fake, "camhub-http", "http.2"));
	ck_assert(is_draining(second) && !is_draining(first));
	assert_restart(fake, "http");
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 2);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http.2"), 3);
	async_complete(loop);
}
END_ASYNC_TEST

static void
assert_limits(const struct fake_child *child, uint64_t mib, uint64_t files, int score)
{
	uint64_t bytes = child->limits.stack_bytes == 0 ? 0 : mib << 20; /* sanitizers: none */

	ck_assert_uint_eq(child->limits.memory_bytes, bytes);
	ck_assert_uint_eq(child->limits.files, files);
	ck_assert_int_eq(child->limits.oom_score_adj, score);
}

START_ASYNC_TEST(test_each_program_has_its_limits)
{
	struct fake *fake = fake_run(loop, "limits: {worker_memory: 300MiB, front_files: 1000}\n"
					   "cameras:\n"
					   "  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"
					   "  - {name: yard, url: \"test:clock\"}\n"
					   "  - {name: gate, url: \"rtsp://gate.example/\"}\n");

	assert_limits(fake_front(fake), 2048, 1000, 100);
	assert_limits(fake_worker(fake, "door"), 300, 256, 300);
	assert_limits(fake_worker(fake, "yard"), 300, 256, 300);
	assert_limits(fake_get(fake, "camhub-resolve", "gate"), 256, 64, 200);
	/* Those that start from now on. */
	reload(fake, "limits: {worker_memory: 400MiB, worker_oom_score: 7}\n" DOOR);
	assert_limits(fake_worker(fake, "door"), 300, 256, 300);
	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 5000);
	fake_exit(fake_worker(fake, "door"), XALLOC_EXIT);
	assert_limits(fake_worker(fake, "door"), 400, 256, 7);
	expect_log("out of memory");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_turn");
	TCase *turn = tcase_create("turn"), *number = tcase_create("number");

	tcase_add_test(turn, test_the_new_one_is_there_before_the_old_one_drains);
	tcase_add_test(turn, test_a_new_one_that_fails_leaves_the_old_one_alone);
	tcase_add_test(turn, test_a_new_one_with_a_wrong_configuration_is_given_up);
	tcase_add_test(turn, test_the_old_one_dies_while_the_new_one_starts);
	tcase_add_test(turn, test_asked_twice_is_once);
	tcase_add_test(turn, test_two_old_ones_stay_at_most);
	tcase_add_test(turn, test_a_drain_ends);
	tcase_add_test(turn, test_viewers_of_the_old_one_count);
	tcase_add_test(turn, test_everybody_is_stopped);
	suite_add_tcase(suite, turn);
	tcase_add_test(number, test_as_many_as_configured);
	tcase_add_test(number, test_one_or_all_are_restarted);
	tcase_add_test(number, test_each_program_has_its_limits);
	suite_add_tcase(suite, number);
	return suite;
}

HARNESS_MAIN(make_suite)
