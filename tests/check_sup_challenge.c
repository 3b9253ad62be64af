/*
 * Cameras that ask for a password and close the connection: who is to answer, when, how often.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include <stdlib.h>
#include <string.h>

#define MINE     FAKE_ANY_WORKER
#define QUESTION "Digest realm=\"cam\", nonce=\"n1\""
#define HANGS_UP "the camera closes the connection after asking for a password"

static const char config[] = "restart: {auth: 60s}\n"
			     "cameras:\n"
			     "  - name: door\n"
			     "    url: rtsp://192.0.2.10/live\n"
			     "    credentials: c1\n";

/* challenge NULL: none, which is against the rules. */
static void
say_challenge(struct fake_child *worker, const char *challenge)
{
	json_t *msg = msg_new(MSG_INPUT);

	msg_set_str(msg, "state", "ended");
	msg_set_str(msg, "class", "challenge");
	msg_set_str(msg, "reason", "it hung up");
	msg_set_str(msg, "challenge", challenge);
	fake_say(worker, msg, -1);
}

static void
ready_and_hung_up_on(struct fake *fake)
{
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	say_challenge(worker, QUESTION);
	fake_exit(worker, 75);
}

/* What the running worker was given to answer; NULL: nothing. */
static const char *
handed(struct fake *fake)
{
	const json_t *msg = peer_get_msg(fake_worker(fake, "door")->peer, MSG_WORKER_CONFIG, 0);

	return json_string_value(json_object_get(msg, "challenge"));
}

static void
assert_refused(struct fake *fake)
{
	const json_t *camera = fake_camera(fake, "door");

	ck_assert_ptr_null(fake_find(fake, MINE, "door"));
	ck_assert_str_eq(msg_str(camera, "state"), "refused");
	ck_assert_str_eq(msg_str(camera, "class"), "auth");
	ck_assert_str_eq(msg_str(camera, "reason"), HANGS_UP);
}

START_ASYNC_TEST(test_the_next_worker_answers_at_once)
{
	struct fake *fake = fake_run_with_login(loop, config);
	unsigned connects = fake->connects;

	ck_assert_ptr_null(handed(fake));
	ready_and_hung_up_on(fake);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	ck_assert_uint_eq(fake->connects, connects + 1);
	ck_assert_str_eq(handed(fake), QUESTION);
	/* In order: nobody is told of trouble. */
	fake_assert_state(fake, "door", "connecting");
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "last_error"), "");
	fake_up(fake_worker(fake, "door"));
	fake_assert_state(fake, "door", "up");
	ck_assert_uint_eq(log_count("cam=door: down"), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_once_in_a_row)
{
	struct fake *fake = fake_run_with_login(loop, config);

	for (size_t n = 0; n < 5; n++) {
		ready_and_hung_up_on(fake);
		ready_and_hung_up_on(fake);
		assert_refused(fake);
		ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2 * (n + 1));
		/* As with any refused password. */
		fake_wait_ms(fake, 59000);
		ck_assert_ptr_null(fake_find(fake, MINE, "door"));
		fake_wait_ms(fake, 1500);
		ck_assert_ptr_null(handed(fake));
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_refused_password_waits_all_the_same)
{
	struct fake *fake = fake_run_with_login(loop, config);

	ready_and_hung_up_on(fake);
	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "wrong password");
	fake_assert_state(fake, "door", "refused");
	fake_wait_ms(fake, 59000);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	fake_wait_ms(fake, 1500);
	ck_assert_ptr_null(handed(fake));
	async_complete(loop);
}
END_ASYNC_TEST

/* Each session begins so with such a camera. */
START_ASYNC_TEST(test_again_after_pictures)
{
	struct fake *fake = fake_run_with_login(loop, config);

	for (int i = 0; i < 3; i++) {
		ready_and_hung_up_on(fake);
		ck_assert_str_eq(handed(fake), QUESTION);
		fake_up(fake_worker(fake, "door"));
		fake_wait_ms(fake, 5000);
		fake_fail(fake_worker(fake, "door"), "eof", "connection lost");
		ck_assert_ptr_null(handed(fake));
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* Its nonce may be old by then. */
START_ASYNC_TEST(test_forgotten_when_the_camera_is_not_reached)
{
	struct fake *fake = fake_run_with_login(loop, config);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	fake->network = FAKE_REFUSES;
	say_challenge(worker, QUESTION);
	fake_exit(worker, 75);
	fake_assert_state(fake, "door", "down");
	fake->network = FAKE_ANSWERS;
	fake_wait_ms(fake, 1500);
	ck_assert_ptr_null(handed(fake));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_forgotten_on_restart)
{
	struct fake *fake = fake_run_with_login(loop, config);
	struct fake_child *worker = fake_worker(fake, "door");
	char *text = NULL;

	fake_ready(worker);
	say_challenge(worker, QUESTION);
	fake_config(fake, "cameras:\n  - {name: door, url: \"rtsp://192.0.2.12/live\"}\n");
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	fake_exit(worker, 75);
	ck_assert_str_eq(fake->last_connect, "192.0.2.12:554");
	ck_assert_ptr_null(handed(fake));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_forgotten_on_a_crash)
{
	struct fake *fake = fake_run_with_login(loop, config);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	say_challenge(worker, QUESTION);
	fake_crash(worker);
	fake_wait_ms(fake, 3000);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	ck_assert_ptr_null(handed(fake));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_one_that_does_not_leave_is_killed)
{
	struct fake *fake = fake_run_with_login(loop, config);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	say_challenge(worker, QUESTION);
	fake_assert_state(fake, "door", "connecting");
	fake_wait_ms(fake, 3000);
	ck_assert(worker->killed);
	ck_assert_str_eq(handed(fake), QUESTION);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_question_without_its_text)
{
	struct fake *fake = fake_run_with_login(loop, config);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_ready(worker);
	say_challenge(worker, NULL);
	fake_exit(worker, 75);
	assert_refused(fake);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_challenge");
	TCase *tcase = tcase_create("challenge");

	tcase_add_test(tcase, test_the_next_worker_answers_at_once);
	tcase_add_test(tcase, test_once_in_a_row);
	tcase_add_test(tcase, test_a_refused_password_waits_all_the_same);
	tcase_add_test(tcase, test_again_after_pictures);
	tcase_add_test(tcase, test_forgotten_when_the_camera_is_not_reached);
	tcase_add_test(tcase, test_forgotten_on_restart);
	tcase_add_test(tcase, test_forgotten_on_a_crash);
	tcase_add_test(tcase, test_one_that_does_not_leave_is_killed);
	tcase_add_test(tcase, test_a_question_without_its_text);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
