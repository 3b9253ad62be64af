/*
 * The harness tests itself: what it must notice makes a test red. The tests that must fail are in
 * harness/bad_suite.c, a program of their own, which is run in both fork modes.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct red {
	const char *test;
	const char *also; /* another test to run behind it */
	const char *message;
	int status;
};

static const struct red reds[] = {
	{ "forgotten_completion", NULL, "async_complete(): never came, and nothing is pending", 1 },
	{ "forgotten_completion_with_a_beat", NULL, "async_complete(): not within 6 hours of fake",
	  1 },
	{ "forgotten_completion_in_real_time", NULL, "async_complete(): not within", 1 },
	{ "completed_twice", NULL, "completed 2 times, expected 1", 1 },
	{ "failure_in_a_callback", NULL, "peer camera, step 1 of 1 (expect 34 bytes)", 1 },
	{ "failure_in_a_callback", NULL, "*32", 1 },
	{ "failure_in_a_callback", NULL, "cam=door: a line before the failure", 1 },
	{ "leaked_event", NULL, "event left in the loop: read persist, callback do_nothing()", 1 },
	{ "leaked_clock_timer", NULL, "due in 700 ms, callback on_forgotten_timer()", 1 },
	{ "leaked_fd", NULL, "(unix seqpacket socket)", 1 },
	{ "leaked_fd_of_a_plain_test", NULL, "(/dev/null)", 1 },
	{ "closed_foreign_fd", NULL, "closed or replaced, though not its own: fd 0", 1 },
	{ "leaked_child", NULL, "child left running: pid", 1 },
	{ "leaked_zombie", NULL, "child not waited for: pid", 1 },
	{ "unmet_expectation", NULL, "peer camera, step 2 of 2 (expect 10 bytes): not played", 1 },
	{ "wrong_message", NULL, "\"on\": false", 1 },
	{ "message_against_the_schema", NULL, "missing field on", 1 },
	{ "unmet_mock", NULL, "mock resolve: 1 scripted calls were never made", 1 },
	{ "wrong_call_count", NULL, "mock resolve: expected 2 calls, got 1", 1 },
	{ "secret_in_the_log", NULL, "the forbidden word 'hunter2!' is in the log", 1 },
	{ "missing_log_line", NULL, "no line of the log contains 'cam=door: down'", 1 },
	{ "exits_with_success", NULL, "the test called exit(0) before its end", 1 },
	{ "hangs", NULL, "harness: the test hangs and is ended: hangs", 1 },
	{ "patch_then_fail", "patch_is_gone", "the patch is gone", 1 },
	{ "crashes", NULL, "", 1 },
	{ "isolated_failure", NULL, "Assertion '1 == 2' failed", 1 },
	{ "skipped", NULL, "SKIP: skipped: no camera here", 77 },
};
#define REDS (sizeof(reds) / sizeof(reds[0]))

static const char *
bad_suite_path(void)
{
	static char path[4200];
	ssize_t n = readlink("/proc/self/exe", path, 4096);
	char *slash;

	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash, sizeof(path) - (size_t)(slash - path), "/harness/bad_suite");
	return path;
}

/* Its exit status; *output until the end of the test. */
static int
run_bad(struct loop *loop, bool fork, const char *test, const char *also, const char **output)
{
	const char *const argv[] = { bad_suite_path(), test,
				     also != NULL ? also
				     : fork       ? NULL
						  : "--no-fork",
				     also != NULL && !fork ? "--no-fork" : NULL, NULL };

	return program_run(loop, argv, output);
}

START_ASYNC_TEST(test_what_must_be_red_is_red)
{
	const struct red *red = &reds[_i / 2];
	const char *output;
	int status = run_bad(loop, _i % 2 == 0, red->test, red->also, &output);

	ck_assert_msg(status == red->status, "%s: status %d, expected %d:\n%.2500s", red->test,
		      status, red->status, output);
	ck_assert_msg(strstr(output, red->message) != NULL, "%s: no '%s' in:\n%.2500s", red->test,
		      red->message, output);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_failed_test_leaves_no_file)
{
	const char *output, *path;
	char dir[64];

	run_bad(loop, _i == 0, "file_then_fail", NULL, &output);
	path = strstr(output, "directory ");
	ck_assert_ptr_nonnull(path);
	ck_assert_int_eq(sscanf(path, "directory %63s", dir), 1);
	ck_assert_int_ne(access(dir, F_OK), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_failed_test_leaves_no_program)
{
	const char *output, *text;
	int pid = 0;

	run_bad(loop, _i == 0, "program_then_fail", NULL, &output);
	text = strstr(output, "pid ");
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(sscanf(text, "pid %d", &pid), 1);
	ck_assert_int_ne(kill(pid, 0), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_unknown_names_are_an_error)
{
	const char *output;

	ck_assert_int_eq(run_bad(loop, true, "no_such_test", NULL, &output), 2);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("harness-red");
	TCase *tcase = tcase_create("red");

	tcase_add_loop_test(tcase, test_what_must_be_red_is_red, 0, 2 * (int)REDS);
	tcase_add_loop_test(tcase, test_a_failed_test_leaves_no_file, 0, 2);
	tcase_add_loop_test(tcase, test_a_failed_test_leaves_no_program, 0, 2);
	tcase_add_test(tcase, test_unknown_names_are_an_error);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
