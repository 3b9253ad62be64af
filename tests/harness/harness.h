/*
 * The test harness: check with asynchronous tests (docs/testing.md has a whole example).
 *
 * A test program includes this header instead of <check.h> and ends with HARNESS_MAIN(suite).
 * Every test of every test case made with tcase_create() then runs inside the harness:
 *
 *  - before it: the log is captured, the open fds are noted, a watchdog (300 s) is armed;
 *  - after it, whatever happened: deferred functions run, patched variables are restored, peers,
 *    programs and the loop are released, the temporary directory is removed;
 *  - a test that passed so far fails when it left events, timers, fds or children behind, when a
 *    peer's script or a mock's script was not played to its end, when a forbidden word was
 *    logged. The message names what was left. A test that failed shows the captured log.
 *
 * Works in check's fork mode and with CK_FORK=no. All failures go through ck_abort_msg(), so all
 * functions here may be called from tests and from callbacks in the loop, and none returns an
 * error. Nothing here is for production code.
 */
#ifndef CAMHUB_TESTS_HARNESS_HARNESS_H
#define CAMHUB_TESTS_HARNESS_HARNESS_H

#include "tests/harness/loop.h"
#include "tests/harness/mock.h"
#include "tests/harness/peer.h"
#include "tests/harness/program.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

typedef void harness_body_fn(struct loop *loop, int _i);
typedef void harness_plain_fn(int _i);

/*
 * START_TEST(name) { ... } END_TEST: a synchronous test, as in check, with the guards above.
 * _i is the index in a tcase_add_loop_test().
 */
#undef START_TEST
#define START_TEST(name_)                                                                          \
	static void name_##_body(int _i);                                                          \
	static void name_##_fn(int _i)                                                             \
	{                                                                                          \
		harness_run_plain(name_##_body, _i);                                               \
	}                                                                                          \
	static const TTest name_##_ttest = { #name_, name_##_fn, __FILE__, __LINE__ };             \
	static const TTest *const name_ = &name_##_ttest;                                          \
	static void name_##_body(int _i CK_ATTRIBUTE_UNUSED)

/*
 * START_ASYNC_TEST(name [, options]) { ... } END_ASYNC_TEST: the body gets `struct loop *loop`,
 * fresh for this test, starts something and returns; the harness then runs the loop until
 * async_complete(loop) was called, and fails the test when that does not come within the deadline
 * or cannot come any more (nothing is pending). A body may also drive the loop itself with
 * loop_run_until() and call async_complete(loop) as its last statement. Options are designated
 * initialisers of struct loop_options:
 *
 *	START_ASYNC_TEST(test_answer_over_poll, .method = "poll", .real_clock = true)
 */
#define START_ASYNC_TEST(name_, ...)                                                               \
	static void name_##_body(struct loop *loop, int _i);                                       \
	static void name_##_fn(int _i)                                                             \
	{                                                                                          \
		harness_run_async(name_##_body, _i, &(const struct loop_options){ __VA_ARGS__ });  \
	}                                                                                          \
	static const TTest name_##_ttest = { #name_, name_##_fn, __FILE__, __LINE__ };             \
	static const TTest *const name_ = &name_##_ttest;                                          \
	static void name_##_body(struct loop *loop CK_ATTRIBUTE_UNUSED, int _i CK_ATTRIBUTE_UNUSED)
#define END_ASYNC_TEST

/*
 * START_ISOLATED_TEST(name [, options]) { ... } END_ISOLATED_TEST: the same in a process of its
 * own that was exec'd, for what starts threads and keeps fds (nng). Its output is shown when it
 * fails. It leaves by _exit(); fds left behind are not counted there (threads own some).
 */
#define START_ISOLATED_TEST(name_, ...)                                                            \
	static void name_##_body(struct loop *loop, int _i);                                       \
	static void name_##_fn(int _i)                                                             \
	{                                                                                          \
		harness_run_isolated(#name_, name_##_body, _i,                                     \
				     &(const struct loop_options){ __VA_ARGS__ });                 \
	}                                                                                          \
	static const TTest name_##_ttest = { #name_, name_##_fn, __FILE__, __LINE__ };             \
	static const TTest *const name_ = &name_##_ttest;                                          \
	static void name_##_body(struct loop *loop CK_ATTRIBUTE_UNUSED, int _i CK_ATTRIBUTE_UNUSED)
#define END_ISOLATED_TEST

/*
 * int main() of a test program. Exit status: 0 all passed, 77 some were skipped and none failed
 * (each printed "SKIP: name: reason"), 1 some failed, 2 usage.
 * Arguments: names of tests to run (default all), --list, --no-fork.
 * The tests run in a child process; the first process waits for it, then ends every process and
 * removes every temporary file that it may have left, even if it was killed.
 */
#define HARNESS_MAIN(make_suite)                                                                   \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return harness_main(argc, argv, make_suite);                                       \
	}
int harness_main(int argc, char **argv, Suite *(*make_suite)(void));

/* Test cases of a harness program come from here and carry the fixture. */
TCase *harness_tcase_create(const char *name);
void harness_add_test(TCase *tcase, const TTest *test, int signo, int exit_value, int start,
		      int end);
#define tcase_create harness_tcase_create
#undef _tcase_add_test
#define _tcase_add_test harness_add_test

/* check leaves a failed test by _exit() when it forks: this comes before. */
void harness_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
#define _ck_assert_failed harness_assert_failed

void harness_run_plain(harness_plain_fn *body, int i);
void harness_run_async(harness_body_fn *body, int i, const struct loop_options *options);
void harness_run_isolated(const char *name, harness_body_fn *body, int i,
			  const struct loop_options *options);

/*
 * Leave the running test without a verdict: HARNESS_SKIP("no chromium here"); the body returns.
 * Prints "SKIP: test: reason"; the program then exits with 77 unless a test failed.
 */
#define HARNESS_SKIP(...)                                                                          \
	do {                                                                                       \
		harness_note_skip(__VA_ARGS__);                                                    \
		return;                                                                            \
	} while (0)
void harness_note_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Run fn(arg) after the test, whatever happened; last registered, first run; before leaks are
 * counted. For objects that a completion callback cannot free itself. */
void harness_defer(void (*fn)(void *arg), void *arg);

/*
 * Replace a variable (a function pointer, a limit, a path) until the end of this test:
 *	PATCH(resolve_fn, fake_resolve);
 */
#define PATCH(variable, value)                                                                     \
	do {                                                                                       \
		__typeof__(variable) patch_value_ = (value);                                       \
		harness_patch(&(variable), &patch_value_, sizeof(patch_value_));                   \
	} while (0)
void harness_patch(void *variable, const void *value, size_t size);
/* The same for the environment; value NULL removes the variable. */
void harness_setenv(const char *name, const char *value);

/* An empty directory (0700) of this test's own, removed with all in it afterwards. */
const char *harness_tmpdir(void);
/* "tmpdir/name", valid until the end of the test. */
const char *harness_tmpfile(const char *name);

/* The watchdog's limit for this test, in real seconds from now (default 300). */
void harness_watchdog_s(unsigned seconds);
/* How many descriptors a process has open, with one for looking if it is this one (pid 0); 0: there
 * is no such process. */
unsigned harness_count_fds(pid_t pid);
/* This test may leave fds behind (say why: it is printed with --list-exceptions of a failing run).
 */
void harness_ignore_fds(const char *why);

/* "offset  hex  text" lines, differing bytes marked; free() the result. For messages of one's own.
 */
char *harness_hex_diff(const void *expected, size_t expected_len, const void *got, size_t got_len);

/*
 * The log. All log lines of the test's process are captured (see shared/log.h), at level debug.
 */
void expect_log(const char *part);    /* fails unless a line so far contains part */
void expect_no_log(const char *part); /* fails if a line so far contains part */
size_t log_count(const char *part);   /* lines so far that contain part; "" counts all */
void log_forget(void);                /* start afresh */
/* Fails the test, at its end, if word was logged or printed by a program of this test, as it is,
 * %-encoded or in base64. Tells nothing to log_add_secret(). */
void log_forbid(const char *word);

#endif
