/*
 * The supervisor and who gets in: passwords, keys and tokens in its state directory, what fronts
 * are told of them, camhub-auth and its deaths.
 */
#include "config.h"

#include "tests/check_sup_access_rig.h"

#include "supervisor/sup_auth.h"
#include "supervisor/sup_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "0101010101010101010101010101010101010101010101010101010101010101"

START_ASYNC_TEST(test_without_users_nothing_is_touched)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct token_keys keys = { 0 };
	static const unsigned char zeros[TOKEN_KEY_BYTES];
	const json_t *msg = rig_access(fake, &keys);

	ck_assert(!msg_bool(msg, "required", true));
	ck_assert_uint_eq(json_array_size(json_object_get(msg, "users")), 0);
	ck_assert(memcmp(keys.current, zeros, sizeof(zeros)) != 0);
	ck_assert_int_eq(access(fake->options.state_dir, F_OK), -1);
	ck_assert_uint_eq(fake_count(fake, "camhub-auth", NULL), 0);
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind",
						  "link", "camera", "door", "seconds", 60)),
			  1, "no users");
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "all")), 1,
			  "no users");
	ck_assert_int_eq(access(fake->options.state_dir, F_OK), -1);
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_front_is_told_who_may_what)
{
	struct fake *fake = fake_run(
	    loop, "access:\n  proxy: {from: [\"::1\"], header: X-Real-IP, user_header: X-User}\n"
		  "  users:\n    - {name: ann, cameras: [door, \"yard*\"]}\n"
		  "    - {name: bob, role: operator}\n" DOOR);
	struct token_keys keys = { 0 };
	const json_t *msg = rig_access(fake, &keys), *users = json_object_get(msg, "users");

	ck_assert(msg_bool(msg, "required", false));
	ck_assert_uint_eq(json_array_size(users), 2);
	ck_assert_str_eq(json_string_value(json_array_get(users, 0)), "ann viewer door yard*");
	ck_assert_str_eq(json_string_value(json_array_get(users, 1)), "bob operator *");
	ck_assert_str_eq(msg_str(msg, "proxy_header"), "X-Real-IP");
	ck_assert_str_eq(msg_str(msg, "proxy_user_header"), "X-User");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(msg, "proxy_from"), 0)),
			 "::1");
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* The keys outlive the supervisor, and nobody else can read them. */
START_ASYNC_TEST(test_keys_are_kept)
{
	struct fake *fake = fake_run(loop, USERS), *next;
	struct token_keys keys = { 0 }, again = { 0 };
	struct stat st;

	rig_access(fake, &keys);
	ck_assert_ptr_eq(strstr(rig_read_state(fake, "keys"), "current "),
			 rig_read_state(fake, "keys"));
	ck_assert_int_eq(stat(fake->options.state_dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	sup_free(&fake->sup);
	next = fake_run(loop, USERS);
	rig_access(next, &again);
	ck_assert_mem_eq(keys.current, again.current, TOKEN_KEY_BYTES);
	token_keys_clear(&keys);
	token_keys_clear(&again);
	async_complete(loop);
}
END_ASYNC_TEST

/* Files that others could have read or written, or that make no sense, hold no longer. */
START_ASYNC_TEST(test_keys_that_others_saw_are_replaced)
{
	static const struct {
		const char *name, *text;
		mode_t mode;
	} rows[] = {
		{ "keys", "current " HEX "\n", 0644 },
		{ "keys", "current " HEX "\n", 0660 },
		{ "keys", "current " HEX "ff\n", 0600 },
		{ "keys", HEX "\n", 0600 },
		{ "keys", "", 0600 },
		{ "revoked", "x\n", 0600 },
		{ "revoked", "AAECAwQFBgcICQoLDA0ODw 99999999999\n", 0600 },
		{ "revoked", "", 0666 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = fake_new(loop);
		struct token_keys keys = { 0 };

		rig_write_state(fake, "keys", "current " HEX "\n", 0600);
		unlink(rig_state_file(fake, "revoked"));
		rig_write_state(fake, rows[i].name, rows[i].text, rows[i].mode);
		fake_config(fake, USERS);
		fake_start(fake);
		rig_access(fake, &keys);
		ck_assert_msg(keys.current[0] != 1 || keys.current[1] != 1, "row %zu", i);
		ck_assert_ptr_null(strstr(rig_read_state(fake, "keys"), HEX));
		token_keys_clear(&keys);
		sup_free(&fake->sup);
	}
	expect_log("all sessions and links end");
	async_complete(loop);
}
END_ASYNC_TEST

/* A disk that cannot be written to stops nobody. */
START_ASYNC_TEST(test_without_a_state_directory_it_goes_on)
{
	struct fake *fake = fake_new(loop);
	struct token_keys keys = { 0 };

	fake->options.state_dir = "/proc/self/no-such/state";
	fake_config(fake, USERS);
	fake_start(fake);
	ck_assert(msg_bool(rig_access(fake, &keys), "required", false));
	fake_up(fake_worker(fake, "door"));
	fake_assert_state(fake, "door", "up");
	expect_log("sessions and links end when camhub does");
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_password_is_looked_at_elsewhere)
{
	struct fake *fake = fake_new(loop);
	struct fake_child *front, *auth;
	const json_t *job, *result;

	rig_write_state(fake, "passwd", "ann:" HASH "\nzoe:$y$zoe\n", 0600);
	fake_config(fake, USERS);
	fake_start(fake);
	auth = rig_auth(fake);
	fake_ready(auth);
	front = fake_synced_front(fake);
	log_forbid("tr0ub4dor");
	rig_check_password(front, 7, "ann", "tr0ub4dor");
	job = peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
	ck_assert_str_eq(msg_str(job, "hash"), HASH);
	ck_assert_str_eq(msg_str(job, "password"), "tr0ub4dor");
	ck_assert(!msg_bool(job, "make", false));
	rig_answer_job(auth, msg_int(job, "id", 0), true, NULL);
	result = peer_get_msg(front->peer, MSG_AUTH_RESULT, 0);
	ck_assert_int_eq(msg_int(result, "id", 0), 7);
	ck_assert(msg_bool(result, "ok", false));
	/* Who has no password, is not configured, or does not exist costs the same. */
	for (int i = 0; i < 3; i++) {
		rig_check_password(front, 8 + i, i == 0 ? "bob" : i == 1 ? "zoe" : "nobody", "x");
		job = peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
		ck_assert_ptr_null(json_object_get(job, "hash"));
		rig_answer_job(auth, msg_int(job, "id", 0), false, NULL);
		result = peer_get_msg(front->peer, MSG_AUTH_RESULT, 0);
		ck_assert_int_eq(msg_int(result, "id", 0), 8 + i);
		ck_assert(!msg_bool(result, "ok", true));
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* However many ask, each is answered; and there is room for camctl. */
START_ASYNC_TEST(test_the_queue_is_bounded)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake), *auth = rig_auth(fake);
	const json_t *result;

	fake_ready(auth);
	for (int i = 1; i <= 65; i++)
		rig_check_password(front, i, "ann", "x");
	result = peer_get_msg(front->peer, MSG_AUTH_RESULT, 0);
	ck_assert_int_eq(msg_int(result, "id", 0), 65);
	ck_assert(msg_bool(result, "busy", false));
	ck_assert(!msg_bool(result, "ok", true));
	peer_assert_no_msg(front->peer);
	peer_send_msg(fake_ctl(fake),
		      json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", "ann", "password",
				"correct horse"),
		      -1);
	for (int i = 1; i <= 64; i++)
		peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
	ck_assert(msg_bool(peer_get_msg(auth->peer, MSG_AUTH_JOB, 0), "make", false));
	/* Its death answers all of them. */
	fake_crash(auth);
	for (int i = 1; i <= 64; i++) {
		result = peer_get_msg(front->peer, MSG_AUTH_RESULT, 0);
		ck_assert_int_eq(msg_int(result, "id", 0), i);
		ck_assert(msg_bool(result, "busy", false));
	}
	/* While it is away nobody waits. */
	rig_check_password(front, 99, "ann", "x");
	result = peer_get_msg(front->peer, MSG_AUTH_RESULT, 0);
	ck_assert_int_eq(msg_int(result, "id", 0), 99);
	ck_assert(msg_bool(result, "busy", false));
	fake_wait_ms(fake, 3000);
	ck_assert_uint_ge(fake_count(fake, "camhub-auth", NULL), 2);
	expect_log("nobody can log in meanwhile");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_auth_that_hangs_is_killed_and_comes_back)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *auth = rig_auth(fake);

	fake_ready(auth);
	auth->beats = false;
	fake_wait_ms(fake, 4000);
	ck_assert(auth->killed);
	ck_assert_ptr_ne(rig_auth(fake), auth);
	async_complete(loop);
}
END_ASYNC_TEST

/* It runs while there are users. */
START_ASYNC_TEST(test_auth_comes_and_goes_with_the_users)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct fake_child *front = fake_synced_front(fake), *auth;
	char *text = NULL;

	fake_ready(front);
	fake_config(fake, USERS);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "access.users changed"));
	free(text);
	auth = rig_auth(fake);
	fake_ready(auth);
	ck_assert(msg_bool(peer_get_msg(front->peer, MSG_ACCESS_KEYS, 0), "required", false));
	/* The front is the same, and told. */
	ck_assert_uint_eq(fake_count(fake, "camhub-http", NULL), 1);
	fake_config(fake, DOOR);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	ck_assert(!msg_bool(peer_get_msg(front->peer, MSG_ACCESS_KEYS, 0), "required", true));
	peer_get_msg(auth->peer, MSG_STOP, 0);
	fake_exit(auth, 0);
	fake_wait_ms(fake, 5000);
	ck_assert_uint_eq(fake_count(fake, "camhub-auth", NULL), 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* Set, used, kept, set anew, deleted. */
START_ASYNC_TEST(test_passwd)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *auth = rig_auth(fake), *front = fake_synced_front(fake);
	struct peer *ctl = fake_ctl(fake);
	const json_t *job;

	log_forbid("correct horse");
	fake_ready(auth);
	peer_send_msg(ctl,
		      json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", "ann", "password",
				"correct horse"),
		      -1);
	job = peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
	ck_assert(msg_bool(job, "make", false));
	ck_assert_str_eq(msg_str(job, "password"), "correct horse");
	/* Longer than a client may be idle. */
	fake_wait_ms(fake, 6000);
	rig_answer_job(auth, msg_int(job, "id", 0), true, HASH);
	rig_assert_answer(peer_get_msg(ctl, MSG_CTL_DONE, 0), 0, "the password is set");
	ck_assert_str_eq(rig_read_state(fake, "passwd"), "ann:" HASH "\n");
	/* Fronts forget the passwords that they remember. */
	peer_get_msg(front->peer, MSG_ACCESS_KEYS, 0);
	rig_check_password(front, 1, "ann", "x");
	ck_assert_str_eq(msg_str(peer_get_msg(auth->peer, MSG_AUTH_JOB, 0), "hash"), HASH);
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "passwd", "user", "ann")),
			  0, "gone");
	peer_get_msg(front->peer, MSG_ACCESS_KEYS, 0);
	ck_assert_str_eq(rig_read_state(fake, "passwd"), "");
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "passwd", "user", "ann")),
			  1, "no password");
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s, s:s}", "type", "passwd", "user",
						  "zoe", "password", "x")),
			  1, "no such user");
	async_complete(loop);
}
END_ASYNC_TEST

/* Who asked is gone when the hash comes, or the process is. */
START_ASYNC_TEST(test_passwd_that_nobody_waits_for)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *auth = rig_auth(fake);
	struct peer *ctl = fake_ctl(fake);
	const json_t *job;

	fake_ready(auth);
	peer_send_msg(ctl,
		      json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", "ann", "password",
				"correct horse"),
		      -1);
	job = peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
	peer_close(ctl);
	peer_run(ctl, 0);
	loop_settle(loop);
	rig_answer_job(auth, msg_int(job, "id", 0), true, HASH);
	ck_assert_str_eq(rig_read_state(fake, "passwd"), "");
	ctl = fake_ctl(fake);
	peer_send_msg(ctl,
		      json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", "ann", "password",
				"correct horse"),
		      -1);
	peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
	fake_crash(auth);
	rig_assert_answer(peer_get_msg(ctl, MSG_CTL_DONE, 0), 1, "try again");
	async_complete(loop);
}
END_ASYNC_TEST

static const json_t *
make_link(struct fake *fake, const char *camera)
{
	return rig_ask(fake, json_pack("{s:s, s:s, s:s, s:i, s:i}", "type", "token", "kind", "link",
				       "camera", camera, "seconds", 60, "viewers", 3));
}

/* What camctl gets holds with what the front has. */
START_ASYNC_TEST(test_links)
{
	struct fake *fake = fake_run(loop, USERS);
	struct token_keys keys = { 0 };
	struct token_claims claims;
	const json_t *done;
	const char *text;
	char id[64];
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;
	size_t len;

	rig_access(fake, &keys);
	done = make_link(fake, "door");
	rig_assert_answer(done, 0, "v1.");
	text = msg_str(done, "text");
	len = strcspn(text, "\n");
	ck_assert_int_eq(token_verify(&keys, text, len, now_s, &claims), 0);
	ck_assert_int_eq(claims.kind, TOKEN_LINK);
	ck_assert_int_eq(claims.role, TOKEN_VIEWER);
	ck_assert_str_eq(claims.user, "");
	ck_assert_str_eq(claims.cameras[0], "door");
	ck_assert_uint_eq(claims.n_cameras, 1);
	ck_assert_int_eq(claims.viewers, 3);
	ck_assert_int_eq(claims.expires_s, now_s + 60);
	ck_assert_str_eq(text + len + 1, claims.id);
	snprintf(id, sizeof(id), "%s", claims.id);
	rig_assert_answer(make_link(fake, "nowhere"), 1, "no such camera");
	rig_assert_answer(make_link(fake, "*"), 1, "no such camera");
	/* Its end is told the front, and kept. */
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", id)), 0,
			  "");
	rig_access(fake, &keys);
	ck_assert(token_keys_is_revoked(&keys, id));
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "revoked"), id));
	rig_assert_answer(
	    rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "nonsense")), 1,
	    "neither");
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bearer_tokens)
{
	struct fake *fake = fake_run(loop, USERS);
	struct token_keys keys = { 0 };
	struct token_claims claims;
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;
	const char *text;

	rig_access(fake, &keys);
	text = msg_str(rig_ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind",
					       "bearer", "user", "bob", "seconds", 60)),
		       "text");
	ck_assert_int_eq(token_verify(&keys, text, strcspn(text, "\n"), now_s, &claims), 0);
	ck_assert_int_eq(claims.kind, TOKEN_BEARER);
	ck_assert_int_eq(claims.role, TOKEN_OPERATOR);
	ck_assert_str_eq(claims.user, "bob");
	ck_assert_int_eq(claims.generation, 1);
	ck_assert_uint_eq(claims.n_cameras, 0);
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind",
						  "bearer", "user", "zoe", "seconds", 60)),
			  1, "no such user");
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind",
						  "session", "user", "bob", "seconds", 60)),
			  1, "not a kind");
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_all_tokens_end)
{
	struct fake *fake = fake_run(loop, USERS);
	struct token_keys before = { 0 }, rotated = { 0 }, after = { 0 };

	rig_access(fake, &before);
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "rotate")),
			  0, "");
	rig_access(fake, &rotated);
	ck_assert(rotated.has_previous);
	ck_assert_mem_eq(rotated.previous, before.current, TOKEN_KEY_BYTES);
	ck_assert(memcmp(rotated.current, before.current, TOKEN_KEY_BYTES) != 0);
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "keys"), "\nprevious "));
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "all")), 0,
			  "");
	rig_access(fake, &after);
	ck_assert(!after.has_previous);
	ck_assert(memcmp(rotated.current, after.current, TOKEN_KEY_BYTES) != 0);
	ck_assert_ptr_null(strstr(rig_read_state(fake, "keys"), "previous"));
	token_keys_clear(&before);
	token_keys_clear(&rotated);
	token_keys_clear(&after);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_status_shows_it)
{
	struct fake *fake = fake_run(loop, USERS);
	struct peer *ctl = fake_ctl(fake);

	fake_ready(rig_auth(fake));
	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	peer_await_msg(ctl, MSG_CTL_PROCESS,
		       json_pack("{s:s, s:s, s:i}", "name", "auth", "state", "up", "restarts", 0));
	peer_run(ctl, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
access_suite(void)
{
	Suite *suite = suite_create("sup_access");
	TCase *tcase = tcase_create("access");

	tcase_add_test(tcase, test_without_users_nothing_is_touched);
	tcase_add_test(tcase, test_a_front_is_told_who_may_what);
	tcase_add_test(tcase, test_keys_are_kept);
	tcase_add_test(tcase, test_keys_that_others_saw_are_replaced);
	tcase_add_test(tcase, test_without_a_state_directory_it_goes_on);
	tcase_add_test(tcase, test_a_password_is_looked_at_elsewhere);
	tcase_add_test(tcase, test_the_queue_is_bounded);
	tcase_add_test(tcase, test_auth_that_hangs_is_killed_and_comes_back);
	tcase_add_test(tcase, test_auth_comes_and_goes_with_the_users);
	tcase_add_test(tcase, test_passwd);
	tcase_add_test(tcase, test_passwd_that_nobody_waits_for);
	tcase_add_test(tcase, test_links);
	tcase_add_test(tcase, test_bearer_tokens);
	tcase_add_test(tcase, test_all_tokens_end);
	tcase_add_test(tcase, test_status_shows_it);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(access_suite)
