/*
 * What the supervisor makes of children that their sandbox kills.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define ONE "cameras:\n  - name: door\n    url: rtsp://192.0.2.10/live\n"

static json_t *
violation(long long call)
{
	json_t *msg = msg_new(MSG_VIOLATION);

	msg_set_int(msg, "call", call);
	return msg;
}

START_ASYNC_TEST(test_a_violation_is_named_and_counted)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");
	const json_t *camera;

	fake_up(worker);
	fake_wait_ms(fake, 5000);
	fake_say(worker, violation(SYS_openat), -1);
	fake_die(worker, "SIGSYS");
	fake_wait_ms(fake, 1000);
	expect_log("its sandbox forbids openat");
	camera = fake_camera(fake, "door");
	ck_assert_int_eq(msg_int(camera, "violations", -1), 1);
	ck_assert_ptr_nonnull(strstr(msg_str(camera, "last_error"), "openat"));
	/* It is started again as after any crash. */
	ck_assert_uint_eq(fake_count(fake, FAKE_ANY_WORKER, "door"), 2);
	async_complete(loop);
}
END_ASYNC_TEST

/* The kernel kills some at once; all is counted, nothing twice. */
START_ASYNC_TEST(test_a_death_by_sigsys_counts_without_a_word)
{
	struct fake *fake = fake_run(loop, ONE);
	const json_t *camera;

	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 5000);
	fake_die(fake_worker(fake, "door"), "SIGSYS");
	fake_wait_ms(fake, 1000);
	expect_log("its sandbox forbids a system call");
	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 5000);
	fake_die(fake_worker(fake, "door"), "SIGSEGV");
	fake_wait_ms(fake, 1000);
	camera = fake_camera(fake, "door");
	ck_assert_int_eq(msg_int(camera, "violations", -1), 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* A process that survived its own report is a hijacked one. */
START_ASYNC_TEST(test_who_only_reports_a_violation_is_killed)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door"), *front = fake_synced_front(fake);

	fake_up(worker);
	fake_wait_ms(fake, 5000);
	fake_say(worker, violation(9223372036854775807LL), -1);
	fake_wait_ms(fake, 0);
	ck_assert(worker->killed);
	ck_assert(!front->killed);
	expect_log("forbids call 9223372036854775807");
	fake_say(front, violation(SYS_execve), -1);
	fake_wait_ms(fake, 0);
	ck_assert(front->killed);
	expect_log("forbids execve");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_status_shows_what_they_are_locked_into)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");
	json_t *msg = msg_new(MSG_READY);

	ck_assert_ptr_null(json_object_get(fake_camera(fake, "door"), "sandbox"));
	msg_set_str(msg, "version", "1");
	msg_set_str(msg, "sandbox", "seccomp landlock-abi2");
	fake_say(worker, msg, -1);
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "sandbox"), "seccomp landlock-abi2");
	/* It is what the last beat said. */
	msg = msg_new(MSG_BEAT);
	msg_set_str(msg, "sandbox", "no-seccomp no-landlock");
	fake_say(worker, msg, -1);
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "sandbox"), "no-seccomp no-landlock");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup-sandbox");
	TCase *tcase = tcase_create("sandbox");

	tcase_add_test(tcase, test_a_violation_is_named_and_counted);
	tcase_add_test(tcase, test_a_death_by_sigsys_counts_without_a_word);
	tcase_add_test(tcase, test_who_only_reports_a_violation_is_killed);
	tcase_add_test(tcase, test_status_shows_what_they_are_locked_into);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
