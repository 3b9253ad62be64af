/*
 * The harness tests itself: what it promises. What it must notice is in check_harness_red.c.
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "tests/harness/harness.h"

#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The code under test: a computation that takes a while and calls back, and its caller. */

typedef void compute_cb(int error, int result, void *arg);
typedef void compute_fn(struct clock *clock, int input, compute_cb *cb, void *arg);

struct computation {
	struct clock_timer timer;
	compute_cb *cb;
	void *arg;
	int input;
};

static void
on_computed(struct clock_timer *timer, void *arg)
{
	struct computation *computation = arg;
	compute_cb *cb = computation->cb;
	void *cb_arg = computation->arg;
	int result = 2 * computation->input;

	(void)timer;
	free(computation);
	cb(0, result, cb_arg);
}

static void
compute_one_second(struct clock *clock, int input, compute_cb *cb, void *arg)
{
	struct computation *computation = calloc(1, sizeof(*computation));

	*computation = (struct computation){ .cb = cb, .arg = arg, .input = input };
	clock_timer_init(&computation->timer, clock, on_computed, computation);
	clock_timer_set_ms(&computation->timer, 1000);
}

/* The dependency, as production code has it: patched below. */
static compute_fn *compute = compute_one_second;

struct caller {
	int error, sum, left;
	bool done;
};

static void
on_part(int error, int result, void *arg)
{
	struct caller *caller = arg;

	if (error < 0)
		caller->error = error;
	caller->sum += result;
	caller->done = --caller->left == 0;
}

/* Asks for two computations at once and adds up. */
static void
caller_start(struct caller *caller, struct clock *clock)
{
	*caller = (struct caller){ .left = 2 };
	compute(clock, 3, on_part, caller);
	compute(clock, 4, on_part, caller);
}

static int64_t
real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Loop, clock, completion */

START_ASYNC_TEST(test_two_computations_run_concurrently)
{
	struct caller caller;

	caller_start(&caller, loop_clock(loop));
	loop_run_until(loop, &caller.done, 0);
	ck_assert_int_eq(caller.sum, 2 * (3 + 4));
	/* In one second together, not in two. */
	ck_assert_int_eq(loop_elapsed_ms(loop), 1000);
	async_complete(loop);
}
END_ASYNC_TEST

static void
complete_from_timer(struct clock_timer *timer, void *arg)
{
	(void)timer;
	async_complete(arg);
}

START_ASYNC_TEST(test_completion_after_the_body)
{
	static struct clock_timer timers[3];

	/* Runs after the body, in the loop: only the harness can wait for it. */
	async_expect(loop, 3);
	for (int i = 0; i < 3; i++) {
		clock_timer_init(&timers[i], loop_clock(loop), complete_from_timer, loop);
		clock_timer_set_ms(&timers[i], 1000 * i);
	}
}
END_ASYNC_TEST

START_ASYNC_TEST(test_fake_time_is_not_real)
{
	int64_t before = real_ms();

	loop_run_for_ms(loop, 3600 * 1000);
	ck_assert_int_eq(loop_elapsed_ms(loop), 3600 * 1000);
	ck_assert_int_lt(real_ms() - before, 600 * 1000);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_time_stands_still_while_something_is_ready)
{
	static struct clock_timer timer;
	int fds[2];
	struct peer *peer;

	/* A deadline of 10 ms does not strike while the answer is under way. */
	loop_pair(loop, SOCK_STREAM, fds);
	peer = peer_new(loop, fds[0], "echo");
	clock_timer_init(&timer, loop_clock(loop), complete_from_timer, loop);
	clock_timer_set_ms(&timer, 10);
	for (int i = 0; i < 100; i++) {
		peer_send(peer, "x", 1);
		peer_expect(peer, "y", 1);
	}
	for (int i = 0; i < 100; i++) {
		char byte = 0;

		while (read(fds[1], &byte, 1) != 1)
			loop_settle(loop);
		ck_assert_int_eq(write(fds[1], "y", 1), 1);
	}
	peer_run(peer, 0);
	ck_assert_int_eq(loop_elapsed_ms(loop), 0);
	close(fds[1]);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_held_time_moves_only_when_told, .hold_time = true)
{
	static struct clock_timer timer;

	clock_timer_init(&timer, loop_clock(loop), complete_from_timer, loop);
	clock_timer_set_ms(&timer, 1000);
	loop_settle(loop);
	loop_run_for_ms(loop, 999);
	ck_assert(clock_timer_is_set(&timer));
	loop_run_for_ms(loop, 1);
	ck_assert(!clock_timer_is_set(&timer));
	ck_assert_int_eq(loop_elapsed_ms(loop), 1000);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_real_clock, .real_clock = true)
{
	static struct clock_timer timer;

	clock_timer_init(&timer, loop_clock(loop), complete_from_timer, loop);
	clock_timer_set_ms(&timer, 20);
	loop_run_for_ms(loop, 20);
	ck_assert_int_ge(loop_elapsed_ms(loop), 20);
}
END_ASYNC_TEST

static struct event_base *
make_select_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	event_config_avoid_method(config, "epoll");
	event_config_avoid_method(config, "poll");
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static struct clock *
make_late_clock(void)
{
	return clock_new_fake(5000 * NS_PER_S);
}

START_ASYNC_TEST(test_custom_loop, .make_base = make_select_base, .make_clock = make_late_clock)
{
	struct caller caller;

	ck_assert_str_eq(event_base_get_method(loop_base(loop)), "select");
	ck_assert_int_eq(clock_now_ns(loop_clock(loop)), 5000 * NS_PER_S);
	caller_start(&caller, loop_clock(loop));
	loop_run_until(loop, &caller.done, 0);
	ck_assert_int_eq(loop_elapsed_ms(loop), 1000);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_backend_by_name, .method = "poll")
{
	ck_assert_str_eq(event_base_get_method(loop_base(loop)), "poll");
	async_complete(loop);
}
END_ASYNC_TEST

/* Mocks and patches */

static struct mock *compute_mock;

static void
finish_compute(const struct mock_call *call, int error, void *result)
{
	((compute_cb *)(uintptr_t)call->cb)(error, result != NULL ? *(int *)result : 0,
					    call->cb_arg);
}

static void
fake_compute(struct clock *clock, int input, compute_cb *cb, void *arg)
{
	(void)clock;
	mock_call(compute_mock, finish_compute, (mock_cb *)(uintptr_t)cb, arg, "%d", input);
}

START_ASYNC_TEST(test_patched_computation_is_instant)
{
	int ten = 10;
	struct caller caller;

	compute_mock = mock_new(loop, "compute");
	mock_complete_always(compute_mock, 0, 0, &ten);
	PATCH(compute, fake_compute);
	caller_start(&caller, loop_clock(loop));
	ck_assert_msg(!caller.done, "a mock must not complete within the call");
	loop_run_until(loop, &caller.done, 0);
	ck_assert_int_eq(caller.sum, 20);
	ck_assert_int_eq(loop_elapsed_ms(loop), 0);
	mock_assert_calls(compute_mock, 2);
	mock_assert_args(compute_mock, 0, "3");
	mock_assert_args(compute_mock, 1, "4");
	async_complete(loop);
}
END_ASYNC_TEST

/* Runs behind the one above: with CK_FORK=no in the same process. */
START_TEST(test_patch_is_restored)
{
	ck_assert(compute == compute_one_second);
}
END_TEST

START_ASYNC_TEST(test_mock_plays_its_script)
{
	int one = 1;
	struct caller caller;

	compute_mock = mock_new(loop, "compute");
	mock_complete_next(compute_mock, 700, 0, &one);
	mock_complete_next(compute_mock, 200, -5, NULL);
	PATCH(compute, fake_compute);
	caller_start(&caller, loop_clock(loop));
	loop_run_for_ms(loop, 200);
	ck_assert_int_eq(caller.error, -5);
	ck_assert(!caller.done);
	loop_run_until(loop, &caller.done, 0);
	ck_assert_int_eq(loop_elapsed_ms(loop), 700);
	ck_assert_int_eq(caller.sum, 1);
	ck_assert(mock_call_at(compute_mock, 0)->completed);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_mock_never_completes_and_is_cancelled)
{
	struct caller caller;

	compute_mock = mock_new(loop, "compute");
	mock_never_complete_next(compute_mock);
	mock_complete_next(compute_mock, 50, 0, NULL);
	PATCH(compute, fake_compute);
	caller_start(&caller, loop_clock(loop));
	ck_assert(mock_cancel(compute_mock, &caller)); /* the newest first */
	loop_run_for_ms(loop, 60000);
	ck_assert_int_eq(caller.left, 2);
	ck_assert(mock_call_at(compute_mock, 1)->cancelled);
	ck_assert(mock_cancel(compute_mock, &caller));
	ck_assert(!mock_cancel(compute_mock, &caller));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_order_over_all_mocks)
{
	struct mock *open_mock = mock_new(loop, "open"), *read_mock = mock_new(loop, "read");

	mock_call(open_mock, NULL, NULL, NULL, "a");
	mock_call(read_mock, NULL, NULL, NULL, "b");
	mock_call(open_mock, NULL, NULL, NULL, "c");
	mock_assert_order(loop, "open,read,open");
	async_complete(loop);
}
END_ASYNC_TEST

START_TEST(test_environment_is_patched)
{
	harness_setenv("HARNESS_A", "1");
	harness_setenv("HARNESS_A", NULL);
	ck_assert_ptr_null(getenv("HARNESS_A"));
	harness_setenv("HARNESS_A", "2");
	ck_assert_str_eq(getenv("HARNESS_A"), "2");
}
END_TEST

/* Log and files */

START_TEST(test_log_is_captured)
{
	log_forbid("hunter2!");
	log_add_secret("hunter2!");
	log_debug("cam=door: even this, but never hunter2! or hunter2%%21");
	expect_log("cam=door: even this");
	expect_no_log("cam=yard");
	ck_assert_uint_eq(log_count("door"), 1);
	log_forget();
	ck_assert_uint_eq(log_count(""), 0);
}
END_TEST

START_TEST(test_temporary_files)
{
	FILE *file = fopen(harness_tmpfile("a"), "we");

	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_str_ne(harness_tmpfile("a"), harness_tmpfile("b"));
}
END_TEST

START_TEST(test_hex_diff)
{
	char *diff = harness_hex_diff("abcdefgh", 8, "abcdXfgh", 8);

	ck_assert_ptr_nonnull(strstr(diff, "first difference at 0x4"));
	ck_assert_ptr_nonnull(strstr(diff, "*65"));
	ck_assert_ptr_nonnull(strstr(diff, "*58"));
	free(diff);
}
END_TEST

static int deferred_runs;

static void
on_deferred(void *arg)
{
	ck_assert_int_eq(deferred_runs++, *(int *)arg);
}

START_TEST(test_deferred_functions_run_in_reverse)
{
	static int first = 0, second = 1;

	harness_defer(on_deferred, &second);
	harness_defer(on_deferred, &first);
}
END_TEST

/* Programs */

HARNESS_CHILD(greeter)
{
	struct pollfd pfd = { .fd = 3, .events = POLLIN };
	json_t *msg = msg_new(MSG_READY);
	char bytes[16];

	msg_set_str(msg, "version", argv[1]);
	if (chan_send(3, msg, -1) < 0)
		return 1;
	printf("hello from %s\n", argv[0]);
	fflush(stdout);
	/* Until the other side closes. */
	while (poll(&pfd, 1, -1) == 1 && read(3, bytes, sizeof(bytes)) > 0)
		;
	return 7;
}

START_ASYNC_TEST(test_program_with_a_channel)
{
	struct program *program = program_start_self(loop, MSG_FROM_WORKER, "greeter", "0.9", NULL);
	struct peer *peer = program_peer(program);

	ck_assert_str_eq(msg_str(peer_get_msg(peer, MSG_READY, 0), "version"), "0.9");
	program_wait_output(program, "hello from greeter", 0);
	ck_assert(!program_has_ended(program));
	shutdown(peer_fd(peer), SHUT_RDWR);
	ck_assert_int_eq(program_wait(program, 0), 7);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_program_is_signalled)
{
	const char *const argv[] = { "sleep", "1000", NULL };
	const struct program_options options = { .path = "sleep", .argv = argv };
	struct program *program = program_start(loop, &options);

	program_signal(program, SIGTERM);
	ck_assert_int_eq(program_wait(program, 0), -SIGTERM);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_programs_run_to_their_end)
{
	const char *const good[] = { "sh", "-c", "echo out; echo err >&2; exit 3", NULL };
	const char *const absent[] = { "/nonexistent", NULL };
	const char *output;

	ck_assert_int_eq(program_run(loop, good, &output), 3);
	ck_assert_str_eq(output, "out\nerr\n");
	ck_assert_int_eq(program_run(loop, absent, &output), 127);
	async_complete(loop);
}
END_ASYNC_TEST

START_ISOLATED_TEST(test_isolated_runs_in_a_process_of_its_own)
{
	char comm[64] = "";
	FILE *file = fopen("/proc/self/cmdline", "re");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(fread(comm, 1, sizeof(comm) - 1, file), 0);
	fclose(file);
	ck_assert_str_eq(comm + strlen(comm) + 1, "--isolated");
	ck_assert_int_ge(_i, 1);
	async_complete(loop);
}
END_ISOLATED_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("harness");
	TCase *tcase = tcase_create("loop");

	tcase_add_test(tcase, test_two_computations_run_concurrently);
	tcase_add_test(tcase, test_completion_after_the_body);
	tcase_add_test(tcase, test_fake_time_is_not_real);
	tcase_add_test(tcase, test_time_stands_still_while_something_is_ready);
	tcase_add_test(tcase, test_held_time_moves_only_when_told);
	tcase_add_test(tcase, test_real_clock);
	tcase_add_test(tcase, test_custom_loop);
	tcase_add_test(tcase, test_backend_by_name);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("mocks");
	tcase_add_test(tcase, test_patched_computation_is_instant);
	tcase_add_test(tcase, test_patch_is_restored);
	tcase_add_test(tcase, test_mock_plays_its_script);
	tcase_add_test(tcase, test_mock_never_completes_and_is_cancelled);
	tcase_add_test(tcase, test_order_over_all_mocks);
	tcase_add_test(tcase, test_environment_is_patched);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("guards");
	tcase_add_test(tcase, test_log_is_captured);
	tcase_add_test(tcase, test_temporary_files);
	tcase_add_test(tcase, test_hex_diff);
	tcase_add_test(tcase, test_deferred_functions_run_in_reverse);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("programs");
	tcase_add_test(tcase, test_program_with_a_channel);
	tcase_add_test(tcase, test_program_is_signalled);
	tcase_add_test(tcase, test_programs_run_to_their_end);
	tcase_add_loop_test(tcase, test_isolated_runs_in_a_process_of_its_own, 1, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
