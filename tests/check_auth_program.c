/*
 * The real camhub-auth on its channel: makes a hash, knows it again, answers all that it is asked,
 * goes on beating meanwhile, and leaves when it is told.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

static struct program *
start(struct loop *loop)
{
	static const char *const argv[] = { "camhub-auth", "auth", NULL };
	const struct program_options options = { .path = AUTH_PROGRAM,
						 .argv = argv,
						 .receive = MSG_FROM_AUTH };
	struct program *program = program_start(loop, &options);
	struct peer *peer = program_peer(program);

	peer_get_msg(peer, MSG_READY, 0);
	return program;
}

static void
ask(struct peer *peer, int id, const char *password, const char *hash, bool make)
{
	json_t *msg = msg_new(MSG_AUTH_JOB);

	msg_set_int(msg, "id", id);
	msg_set_str(msg, "password", password);
	msg_set_str(msg, "hash", hash);
	if (make)
		msg_set_bool(msg, "make", true);
	peer_send_msg(peer, msg, -1);
}

static void
leave(struct program *program)
{
	struct peer *peer = program_peer(program);

	peer_ignore_msg(peer, MSG_BEAT);
	peer_send_msg(peer, msg_new(MSG_STOP), -1);
	peer_expect_close(peer);
	peer_run(peer, 0);
	ck_assert_int_eq(program_wait(program, 0), 0);
}

START_ASYNC_TEST(test_makes_and_knows, .real_clock = true)
{
	static const char *const secrets[] = { "horse", "staple", "$y$" };
	struct program *program = start(loop);
	struct peer *peer = program_peer(program);
	const json_t *done;
	char hash[300];

	peer_ignore_msg(peer, MSG_BEAT);
	ask(peer, 1, "correct horse", NULL, true);
	done = peer_get_msg(peer, MSG_AUTH_DONE, 0);
	ck_assert(msg_bool(done, "ok", false));
	snprintf(hash, sizeof(hash), "%s", msg_str(done, "hash"));
	ck_assert_int_eq(strncmp(hash, "$y$", 3), 0);
	ask(peer, 2, "correct horse", hash, false);
	done = peer_get_msg(peer, MSG_AUTH_DONE, 0);
	ck_assert_int_eq(msg_int(done, "id", 0), 2);
	ck_assert(msg_bool(done, "ok", false));
	ask(peer, 3, "battery staple", hash, false);
	ck_assert(!msg_bool(peer_get_msg(peer, MSG_AUTH_DONE, 0), "ok", true));
	ask(peer, 4, "correct horse", NULL, false);
	ck_assert(!msg_bool(peer_get_msg(peer, MSG_AUTH_DONE, 0), "ok", true));
	/* It may say that the machine stood still, but nothing of what it was told. */
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		ck_assert_ptr_null(strstr(program_output(program), secrets[i]));
	leave(program);
	async_complete(loop);
}
END_ASYNC_TEST

/* More than it takes: some are told that it is busy, all are answered, and it lives. */
START_ASYNC_TEST(test_more_than_it_takes, .real_clock = true)
{
	struct program *program = start(loop);
	struct peer *peer = program_peer(program);
	bool seen[100] = { false };
	int busy = 0;

	peer_ignore_msg(peer, MSG_BEAT);
	for (int i = 0; i < 100; i++)
		ask(peer, i + 1, "x", "$y$not-a-hash", false);
	/* The first 34 or more are refused at once, and then it is told to go. */
	for (int i = 0; i < 34; i++) {
		const json_t *done = peer_get_msg(peer, MSG_AUTH_DONE, 0);
		long long id = msg_int(done, "id", 0);

		ck_assert(id >= 1 && id <= 100 && !seen[id - 1]);
		seen[id - 1] = true;
		ck_assert(!msg_bool(done, "ok", true));
		busy += msg_bool(done, "busy", false);
	}
	ck_assert_int_gt(busy, 0);
	peer_send_msg(peer, msg_new(MSG_STOP), -1);
	peer_drain_until_close(peer);
	peer_run(peer, 0);
	ck_assert_int_eq(program_wait(program, 0), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_by_hand_and_nonsense, .real_clock = true)
{
	static const char *const argv[] = { "camhub-auth", NULL };
	const struct program_options options = { .path = AUTH_PROGRAM, .argv = argv };
	struct program *alone = program_start(loop, &options), *program = start(loop);
	struct peer *peer = program_peer(program);

	ck_assert_int_eq(program_wait(alone, 0), 78);
	peer_ignore_msg(peer, MSG_BEAT);
	peer_send_datagram(peer, "{\"type\":\"nonsense\"}", 19);
	peer_expect_close(peer);
	peer_run(peer, 0);
	ck_assert_int_eq(program_wait(program, 0), 75);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
auth_program_suite(void)
{
	Suite *suite = suite_create("auth_program");
	TCase *tcase = tcase_create("auth_program");

	tcase_add_test(tcase, test_makes_and_knows);
	tcase_add_test(tcase, test_more_than_it_takes);
	tcase_add_test(tcase, test_by_hand_and_nonsense);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(auth_program_suite)
