/*
 * The end of tokens: what is told of it, and when; a list that is full, clocks that are set, new
 * passwords, disks that are full.
 */
#include "config.h"

#include "tests/check_sup_access_rig.h"

#include "supervisor/sup_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY "0101010101010101010101010101010101010101010101010101010101010101"

/* A front tells the end of a session of user ("": of another token). */
static void
log_out(struct fake_child *front, unsigned n, const char *user, int64_t expires_s)
{
	unsigned char bytes[16] = { (unsigned char)(n >> 8), (unsigned char)n };
	char id[TOKEN_ID_CHARS + 1];
	json_t *msg = msg_new(MSG_ACCESS_REVOKE);

	token_id_from(bytes, id);
	msg_set_str(msg, "id", id);
	msg_set_int(msg, "expires_s", expires_s);
	if (user[0] != '\0')
		msg_set_str(msg, "user", user);
	fake_say(front, msg, -1);
}

static bool
is_ended(const struct token_keys *keys, unsigned n)
{
	unsigned char bytes[16] = { (unsigned char)(n >> 8), (unsigned char)n };
	char id[TOKEN_ID_CHARS + 1];

	token_id_from(bytes, id);
	return token_keys_is_revoked(keys, id);
}

/* Of the user's logins those that hold, as a front was told. */
static long long
generation_in(const json_t *msg, const char *user)
{
	const json_t *item;
	size_t i, len = strlen(user);

	json_array_foreach (json_object_get(msg, "generations"), i, item)
		if (strncmp(json_string_value(item), user, len) == 0 &&
		    json_string_value(item)[len] == ' ')
			return atoll(json_string_value(item) + len + 1);
	return 1;
}

/* A list that is full makes nothing hold again: who filled it loses all his sessions. */
START_ASYNC_TEST(test_a_full_list_forgets_nobody)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake);
	struct token_keys keys = { 0 };
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;
	static const char by_ctl[] = "zzECAwQFBgcICQoLDA0ODw";
	const json_t *msg;
	long long first;

	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", by_ctl)), 0,
			  "");
	(void)rig_access(fake, &keys);
	log_out(front, 1000, "bob", now_s + 1000);
	log_out(front, 1001, "", now_s + 1000);
	for (unsigned i = 0; i < 600; i++)
		log_out(front, i, "ann", now_s + 1000);
	fake_wait_ms(fake, 2000);
	(void)rig_access(fake, &keys);
	msg = rig_access(fake, &keys);
	first = generation_in(msg, "ann");
	ck_assert_int_gt(first, 1);
	ck_assert_int_eq(generation_in(msg, "bob"), 1);
	ck_assert(token_keys_is_revoked(&keys, by_ctl));
	ck_assert(is_ended(&keys, 1000) && is_ended(&keys, 1001));
	/* What came since stands in the list, or behind the generation: never neither. */
	ck_assert(is_ended(&keys, 599) && keys.n_revoked < TOKEN_REVOKED_MAX);
	/* And so once more. */
	for (unsigned i = 0; i < 600; i++)
		log_out(front, 2000 + i, "ann", now_s + 1000);
	fake_wait_ms(fake, 2000);
	(void)rig_access(fake, &keys);
	msg = rig_access(fake, &keys);
	ck_assert_int_gt(generation_in(msg, "ann"), first);
	ck_assert(is_ended(&keys, 1000) && is_ended(&keys, 1001));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* Tokens that are no sessions have no generation: nothing makes room for them. */
START_ASYNC_TEST(test_a_list_full_of_links_stays)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake);
	struct token_keys keys = { 0 };
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;

	/* A user that is not ours is nobody's session. */
	for (unsigned i = 0; i < TOKEN_REVOKED_MAX; i++)
		log_out(front, i, i % 2 == 0 ? "" : "zoe", now_s + 1000);
	log_out(front, 5000, "", now_s + 1000);
	expect_log("the list is full");
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id",
						  "zzECAwQFBgcICQoLDA0ODw")),
			  1, "the list is full");
	fake_wait_ms(fake, 2000);
	(void)rig_access(fake, &keys);
	(void)rig_access(fake, &keys);
	ck_assert_uint_eq(keys.n_revoked, TOKEN_REVOKED_MAX);
	ck_assert(is_ended(&keys, 0) && is_ended(&keys, TOKEN_REVOKED_MAX - 1));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* What is said of one token twice lasts as long as the longer word; what camctl says is not a
 * session's, whatever a front said. */
START_ASYNC_TEST(test_a_token_that_ends_twice)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake);
	struct token_keys keys = { 0 };
	static const char id[] = "AAcAAAAAAAAAAAAAAAAAAA"; /* of 7 */
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;

	log_out(front, 7, "ann", now_s + 1);
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", id)), 0,
			  "");
	clock_jump_ms(loop_clock(loop), 2LL * 86400 * 1000);
	for (unsigned i = 1000; i < 1600; i++)
		log_out(front, i, "ann", now_s + 9 * 86400);
	fake_wait_ms(fake, 2000);
	do
		(void)rig_access(fake, &keys);
	while (!is_ended(&keys, 1599));
	ck_assert(is_ended(&keys, 7));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* Told at once; however many there are, a few messages and one file a second. */
START_ASYNC_TEST(test_a_flood_of_logouts)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake);
	struct token_keys keys = { 0 };
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;

	log_out(front, 0, "ann", now_s + 1000);
	(void)rig_access(fake, &keys);
	ck_assert(is_ended(&keys, 0));
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "revoked"), "token AAAA"));
	rig_write_state(fake, "revoked", "", 0600);
	for (unsigned i = 1; i < 100; i++)
		log_out(front, i, "ann", now_s + 1000);
	/* Not each one: nobody wrote, nobody told. */
	peer_assert_no_msg(front->peer);
	ck_assert_str_eq(rig_read_state(fake, "revoked"), "");
	fake_wait_ms(fake, 200);
	(void)rig_access(fake, &keys);
	ck_assert_uint_eq(keys.n_revoked, 100);
	ck_assert_str_eq(rig_read_state(fake, "revoked"), "");
	fake_wait_ms(fake, 800);
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "revoked"), "token "));
	peer_assert_no_msg(front->peer);
	/* What is not written yet is at the end. */
	rig_write_state(fake, "revoked", "", 0600);
	log_out(front, 200, "ann", now_s + 1000);
	ck_assert_str_eq(rig_read_state(fake, "revoked"), "");
	sup_free(&fake->sup);
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "revoked"), "token "));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

static void
fill(struct fake_child *front, unsigned first, unsigned n, int64_t expires_s)
{
	for (unsigned i = 0; i < n; i++)
		log_out(front, first + i, "", expires_s);
}

/* A clock that is set forward, and back, brings no token back; time that passes makes room. */
START_ASYNC_TEST(test_a_clock_that_is_set_forgets_nothing)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake);
	struct token_keys keys = { 0 };
	const int64_t month_ms = 31LL * 86400 * 1000;
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;

	fill(front, 0, TOKEN_REVOKED_MAX, now_s + 1000);
	clock_set_wall_ms(loop_clock(loop), month_ms);
	log_out(front, 3000, "", now_s + 2 * month_ms / 1000);
	clock_set_wall_ms(loop_clock(loop), -month_ms);
	fake_wait_ms(fake, 2000);
	(void)rig_access(fake, &keys);
	(void)rig_access(fake, &keys);
	ck_assert(is_ended(&keys, 0) && is_ended(&keys, TOKEN_REVOKED_MAX - 1));
	/* Expired, but not for long: nobody knows how right the clock is. */
	clock_jump_ms(loop_clock(loop), 2000 * 1000);
	log_out(front, 3001, "", now_s + 9000);
	fake_wait_ms(fake, 2000);
	clock_jump_ms(loop_clock(loop), 86400LL * 1000);
	log_out(front, 3002, "", now_s + 4 * 86400);
	fake_wait_ms(fake, 2000);
	(void)rig_access(fake, &keys);
	ck_assert_uint_eq(keys.n_revoked, 1);
	ck_assert(is_ended(&keys, 3002));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* A start with a clock that is wrong forgets nothing either. */
START_ASYNC_TEST(test_a_start_forgets_nothing)
{
	struct fake *fake = fake_new(loop);
	struct token_keys keys = { 0 };
	const json_t *msg;

	rig_write_state(fake, "keys", "current " KEY "\n", 0600);
	rig_write_state(
	    fake, "revoked",
	    "token zzECAwQFBgcICQoLDA0ODw 5\ntoken AAAAAwQFBgcICQoLDA0ODw 99999999999 ann\n"
	    "generation bob 1700000000001\ngeneration gone 7\n",
	    0600);
	fake_config(fake, USERS);
	fake_start(fake);
	msg = rig_access(fake, &keys);
	ck_assert_uint_eq(keys.n_revoked, 2);
	ck_assert(token_keys_is_revoked(&keys, "zzECAwQFBgcICQoLDA0ODw"));
	ck_assert_int_eq(generation_in(msg, "bob"), 1700000000001);
	ck_assert_int_eq(generation_in(msg, "ann"), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(msg, "generations")), 1);
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

static void
set_password(struct fake *fake, const char *user)
{
	struct peer *ctl = fake_ctl(fake);
	struct fake_child *auth = rig_auth(fake);
	json_t *msg = json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", user, "password", "x");
	long long id;

	peer_send_msg(ctl, msg, -1);
	id = msg_int(peer_get_msg(auth->peer, MSG_AUTH_JOB, 0), "id", 0);
	rig_answer_job(auth, id, true, HASH);
	rig_assert_answer(peer_get_msg(ctl, MSG_CTL_DONE, 0), 0, "the password is set");
}

/* His sessions end with the old password, and with none at all; nobody else's. */
START_ASYNC_TEST(test_a_new_password_ends_sessions)
{
	struct fake *fake = fake_run(loop, USERS);
	struct token_keys keys = { 0 };
	const json_t *msg;
	long long first;

	fake_ready(rig_auth(fake));
	(void)fake_synced_front(fake);
	set_password(fake, "ann");
	msg = rig_access(fake, &keys);
	first = generation_in(msg, "ann");
	ck_assert_int_gt(first, 1);
	ck_assert_int_eq(generation_in(msg, "bob"), 1);
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "revoked"), "generation ann "));
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "passwd", "user", "ann")),
			  0, "gone");
	ck_assert_int_gt(generation_in(rig_access(fake, &keys), "ann"), first);
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* The old one was being looked at when the new one was set: it opens nothing. */
START_ASYNC_TEST(test_an_old_password_on_its_way)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake), *auth = rig_auth(fake);
	struct token_keys keys = { 0 };
	const json_t *msg;
	long long id;

	fake_ready(auth);
	set_password(fake, "ann");
	(void)rig_access(fake, &keys);
	rig_check_password(front, 7, "ann", "old");
	id = msg_int(peer_get_msg(auth->peer, MSG_AUTH_JOB, 0), "id", 0);
	set_password(fake, "ann");
	(void)rig_access(fake, &keys);
	rig_answer_job(auth, id, true, NULL);
	msg = peer_get_msg(front->peer, MSG_AUTH_RESULT, 0);
	ck_assert(!msg_bool(msg, "ok", true) && msg_bool(msg, "busy", false));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

static const json_t *
trouble_of(struct fake *fake)
{
	struct peer *ctl = fake_ctl(fake);

	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	return json_object_get(peer_get_msg(ctl, MSG_CTL_SUPERVISOR, 0), "trouble");
}

/* What cannot be written is in force, is told, and is written as soon as it can be. */
START_ASYNC_TEST(test_a_full_disk_is_tried_again)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake);
	struct token_keys keys = { 0 };
	char aside[600];
	int64_t now_s = clock_realtime_ns(loop_clock(loop)) / NS_PER_S;

	ck_assert_uint_eq(json_array_size(trouble_of(fake)), 0);
	snprintf(aside, sizeof(aside), "%s.aside", fake->options.state_dir);
	ck_assert_int_eq(rename(fake->options.state_dir, aside), 0);
	close(open(fake->options.state_dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	log_out(front, 1, "ann", now_s + 1000);
	(void)rig_access(fake, &keys);
	ck_assert(is_ended(&keys, 1));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(trouble_of(fake), 0)),
				     fake->options.state_dir));
	rig_assert_answer(rig_ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "rotate")),
			  1, "only until camhub ends");
	fake_wait_ms(fake, 5000);
	ck_assert_uint_eq(log_count("tried again until it works"), 1);
	ck_assert_int_eq(unlink(fake->options.state_dir), 0);
	ck_assert_int_eq(rename(aside, fake->options.state_dir), 0);
	fake_wait_ms(fake, 1500);
	ck_assert_uint_eq(json_array_size(trouble_of(fake)), 0);
	expect_log("what could not be written is written now");
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "revoked"), "token AAEA"));
	ck_assert_ptr_nonnull(strstr(rig_read_state(fake, "keys"), "previous "));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* As much as there can be fits into one message. */
START_ASYNC_TEST(test_the_largest_message)
{
	struct fake *fake = fake_new(loop);
	struct token_keys keys = { 0 };
	const json_t *msg;
	char *config = NULL, *ends = NULL;
	size_t config_len, ends_len;
	FILE *users = open_memstream(&config, &config_len);
	FILE *list = open_memstream(&ends, &ends_len);

	fprintf(users, "access:\n  users:\n");
	for (int i = 0; i < CONF_MAX_USERS; i++) {
		fprintf(users, "    - {name: u%063d, role: operator, cameras: [", i);
		for (int k = 0; k < TOKEN_CAMERAS_MAX; k++)
			fprintf(users, "%sc%031d", k > 0 ? ", " : "", k);
		fprintf(users, "]}\n");
		fprintf(list, "generation u%063d %lld\n", i, TOKEN_GENERATION_MAX - i);
	}
	fprintf(users, DOOR);
	for (int i = 0; i < TOKEN_REVOKED_MAX; i++)
		fprintf(list, "token %021dA 99999999999 u%063d\n", i, 1);
	ck_assert(fclose(users) == 0 && fclose(list) == 0);
	rig_write_state(fake, "keys", "current " KEY "\nprevious " KEY "\n", 0600);
	rig_write_state(fake, "revoked", ends, 0600);
	fake_config(fake, config);
	fake_start(fake);
	msg = rig_access(fake, &keys);
	ck_assert_uint_eq(keys.n_revoked, TOKEN_REVOKED_MAX);
	ck_assert_uint_eq(json_array_size(json_object_get(msg, "users")), CONF_MAX_USERS);
	ck_assert_uint_eq(json_array_size(json_object_get(msg, "generations")), CONF_MAX_USERS);
	token_keys_clear(&keys);
	free(config);
	free(ends);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
ends_suite(void)
{
	Suite *suite = suite_create("sup_ends");
	TCase *tcase = tcase_create("ends");

	tcase_add_test(tcase, test_a_full_list_forgets_nobody);
	tcase_add_test(tcase, test_a_list_full_of_links_stays);
	tcase_add_test(tcase, test_a_token_that_ends_twice);
	tcase_add_test(tcase, test_a_flood_of_logouts);
	tcase_add_test(tcase, test_a_clock_that_is_set_forgets_nothing);
	tcase_add_test(tcase, test_a_start_forgets_nothing);
	tcase_add_test(tcase, test_a_new_password_ends_sessions);
	tcase_add_test(tcase, test_an_old_password_on_its_way);
	tcase_add_test(tcase, test_a_full_disk_is_tried_again);
	tcase_add_test(tcase, test_the_largest_message);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(ends_suite)
