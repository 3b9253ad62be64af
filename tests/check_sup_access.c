/*
 * The supervisor and who gets in: passwords, keys and tokens in its state directory, what fronts
 * are told of them, camhub-auth and its deaths.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "shared/token.h"
#include "supervisor/sup_auth.h"
#include "supervisor/sup_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOOR "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"
#define USERS                                                                                      \
	"access:\n  users:\n    - {name: ann, cameras: [door, \"yard*\"]}\n"                       \
	"    - {name: bob, role: operator}\n" DOOR
#define HASH "$y$j9T$abc$def"

static const char *
state_file(const struct fake *fake, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", fake->options.state_dir, name);
	return path;
}

static void
write_state(const struct fake *fake, const char *name, const char *text, mode_t mode)
{
	int fd;

	(void)mkdir(fake->options.state_dir, 0700);
	fd = open(state_file(fake, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* "" when there is none. It must be of mode 0600. */
static const char *
read_state(const struct fake *fake, const char *name)
{
	static char text[65536];
	int fd = open(state_file(fake, name), O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	struct stat st;

	text[0] = '\0';
	if (fd < 0)
		return text;
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	n = read(fd, text, sizeof(text) - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static const json_t *
ask(struct fake *fake, json_t *msg)
{
	struct peer *ctl = fake_ctl(fake);

	peer_send_msg(ctl, msg, -1);
	return peer_get_msg(ctl, MSG_CTL_DONE, 0);
}

static void
assert_answer(const json_t *done, long long code, const char *part)
{
	ck_assert_msg(msg_int(done, "code", -1) == code && strstr(msg_str(done, "text"), part),
		      "expected %lld and \"%s\", got %lld and \"%s\"", code, part,
		      msg_int(done, "code", -1), msg_str(done, "text"));
}

static struct fake_child *
auth_of(struct fake *fake)
{
	return fake_get(fake, "camhub-auth", "auth");
}

static void
check_password(struct fake_child *front, int id, const char *user, const char *password)
{
	json_t *msg = msg_new(MSG_AUTH_CHECK);

	msg_set_int(msg, "id", id);
	msg_set_str(msg, "user", user);
	msg_set_str(msg, "password", password);
	fake_say(front, msg, -1);
}

static void
answer_job(struct fake_child *auth, long long id, bool ok, const char *hash)
{
	json_t *msg = msg_new(MSG_AUTH_DONE);

	msg_set_int(msg, "id", id);
	msg_set_bool(msg, "ok", ok);
	msg_set_str(msg, "hash", hash);
	fake_say(auth, msg, -1);
}

/* A front that has read all that it was handed; what it was told of access. */
static const json_t *
access_of(struct fake *fake, struct token_keys *keys)
{
	const json_t *msg = peer_get_msg(fake_front(fake)->peer, MSG_ACCESS_KEYS, 0);

	ck_assert_int_eq(token_keys_from_msg(msg, keys), 0);
	return msg;
}

START_ASYNC_TEST(test_without_users_nothing_is_touched)
{
	struct fake *fake = fake_run(loop, DOOR);
	struct token_keys keys = { 0 };
	static const unsigned char zeros[TOKEN_KEY_BYTES];
	const json_t *msg = access_of(fake, &keys);

	ck_assert(!msg_bool(msg, "required", true));
	ck_assert_uint_eq(json_array_size(json_object_get(msg, "users")), 0);
	ck_assert(memcmp(keys.current, zeros, sizeof(zeros)) != 0);
	ck_assert_int_eq(access(fake->options.state_dir, F_OK), -1);
	ck_assert_uint_eq(fake_count(fake, "camhub-auth", NULL), 0);
	assert_answer(ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind", "link",
					  "camera", "door", "seconds", 60)),
		      1, "no users");
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "all")), 1,
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
	const json_t *msg = access_of(fake, &keys), *users = json_object_get(msg, "users");

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

	access_of(fake, &keys);
	ck_assert_ptr_eq(strstr(read_state(fake, "keys"), "current "), read_state(fake, "keys"));
	ck_assert_int_eq(stat(fake->options.state_dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	sup_free(&fake->sup);
	next = fake_run(loop, USERS);
	access_of(next, &again);
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
		{ "keys", "current %s\n", 0644 },
		{ "keys", "current %s\n", 0660 },
		{ "keys", "current %sff\n", 0600 },
		{ "keys", "%s\n", 0600 },
		{ "keys", "", 0600 },
		{ "revoked", "x\n", 0600 },
		{ "revoked", "AAECAwQFBgcICQoLDA0ODw 99999999999\n", 0600 },
		{ "revoked", "", 0666 },
	};
	static const char hex[] =
	    "0101010101010101010101010101010101010101010101010101010101010101";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = fake_new(loop);
		struct token_keys keys = { 0 };
		char text[256];

		snprintf(text, sizeof(text), "current %s\n", hex);
		write_state(fake, "keys", text, 0600);
		unlink(state_file(fake, "revoked"));
		snprintf(text, sizeof(text), rows[i].text, hex);
		write_state(fake, rows[i].name, text, rows[i].mode);
		fake_config(fake, USERS);
		fake_start(fake);
		access_of(fake, &keys);
		ck_assert_msg(keys.current[0] != 1 || keys.current[1] != 1, "row %zu", i);
		ck_assert_ptr_null(strstr(read_state(fake, "keys"), hex));
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
	ck_assert(msg_bool(access_of(fake, &keys), "required", false));
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

	write_state(fake, "passwd", "ann:" HASH "\nzoe:$y$zoe\n", 0600);
	fake_config(fake, USERS);
	fake_start(fake);
	auth = auth_of(fake);
	fake_ready(auth);
	front = fake_synced_front(fake);
	log_forbid("tr0ub4dor");
	check_password(front, 7, "ann", "tr0ub4dor");
	job = peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
	ck_assert_str_eq(msg_str(job, "hash"), HASH);
	ck_assert_str_eq(msg_str(job, "password"), "tr0ub4dor");
	ck_assert(!msg_bool(job, "make", false));
	answer_job(auth, msg_int(job, "id", 0), true, NULL);
	result = peer_get_msg(front->peer, MSG_AUTH_RESULT, 0);
	ck_assert_int_eq(msg_int(result, "id", 0), 7);
	ck_assert(msg_bool(result, "ok", false));
	/* Who has no password, is not configured, or does not exist costs the same. */
	for (int i = 0; i < 3; i++) {
		check_password(front, 8 + i, i == 0 ? "bob" : i == 1 ? "zoe" : "nobody", "x");
		job = peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
		ck_assert_ptr_null(json_object_get(job, "hash"));
		answer_job(auth, msg_int(job, "id", 0), false, NULL);
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
	struct fake_child *front = fake_synced_front(fake), *auth = auth_of(fake);
	const json_t *result;

	fake_ready(auth);
	for (int i = 1; i <= 65; i++)
		check_password(front, i, "ann", "x");
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
	check_password(front, 99, "ann", "x");
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
	struct fake_child *auth = auth_of(fake);

	fake_ready(auth);
	auth->beats = false;
	fake_wait_ms(fake, 4000);
	ck_assert(auth->killed);
	ck_assert_ptr_ne(auth_of(fake), auth);
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
	auth = auth_of(fake);
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
	struct fake_child *auth = auth_of(fake), *front = fake_synced_front(fake);
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
	answer_job(auth, msg_int(job, "id", 0), true, HASH);
	assert_answer(peer_get_msg(ctl, MSG_CTL_DONE, 0), 0, "the password is set");
	ck_assert_str_eq(read_state(fake, "passwd"), "ann:" HASH "\n");
	/* Fronts forget the passwords that they remember. */
	peer_get_msg(front->peer, MSG_ACCESS_KEYS, 0);
	check_password(front, 1, "ann", "x");
	ck_assert_str_eq(msg_str(peer_get_msg(auth->peer, MSG_AUTH_JOB, 0), "hash"), HASH);
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "passwd", "user", "ann")), 0,
		      "gone");
	peer_get_msg(front->peer, MSG_ACCESS_KEYS, 0);
	ck_assert_str_eq(read_state(fake, "passwd"), "");
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "passwd", "user", "ann")), 1,
		      "no password");
	assert_answer(ask(fake, json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", "zoe",
					  "password", "x")),
		      1, "no such user");
	async_complete(loop);
}
END_ASYNC_TEST

/* Who asked is gone when the hash comes, or the process is. */
START_ASYNC_TEST(test_passwd_that_nobody_waits_for)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *auth = auth_of(fake);
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
	answer_job(auth, msg_int(job, "id", 0), true, HASH);
	ck_assert_str_eq(read_state(fake, "passwd"), "");
	ctl = fake_ctl(fake);
	peer_send_msg(ctl,
		      json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", "ann", "password",
				"correct horse"),
		      -1);
	peer_get_msg(auth->peer, MSG_AUTH_JOB, 0);
	fake_crash(auth);
	assert_answer(peer_get_msg(ctl, MSG_CTL_DONE, 0), 1, "try again");
	async_complete(loop);
}
END_ASYNC_TEST

static const json_t *
make_link(struct fake *fake, const char *camera)
{
	return ask(fake, json_pack("{s:s, s:s, s:s, s:i, s:i}", "type", "token", "kind", "link",
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

	access_of(fake, &keys);
	done = make_link(fake, "door");
	assert_answer(done, 0, "v1.");
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
	assert_answer(make_link(fake, "nowhere"), 1, "no such camera");
	assert_answer(make_link(fake, "*"), 1, "no such camera");
	/* Its end is told the front, and kept. */
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", id)), 0, "");
	access_of(fake, &keys);
	ck_assert(token_keys_is_revoked(&keys, id));
	ck_assert_ptr_nonnull(strstr(read_state(fake, "revoked"), id));
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "nonsense")), 1,
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

	access_of(fake, &keys);
	text = msg_str(ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind",
					   "bearer", "user", "bob", "seconds", 60)),
		       "text");
	ck_assert_int_eq(token_verify(&keys, text, strcspn(text, "\n"), now_s, &claims), 0);
	ck_assert_int_eq(claims.kind, TOKEN_BEARER);
	ck_assert_int_eq(claims.role, TOKEN_OPERATOR);
	ck_assert_str_eq(claims.user, "bob");
	ck_assert_uint_eq(claims.n_cameras, 0);
	assert_answer(ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind", "bearer",
					  "user", "zoe", "seconds", 60)),
		      1, "no such user");
	assert_answer(ask(fake, json_pack("{s:s, s:s, s:s, s:i}", "type", "token", "kind",
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

	access_of(fake, &before);
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "rotate")), 0, "");
	access_of(fake, &rotated);
	ck_assert(rotated.has_previous);
	ck_assert_mem_eq(rotated.previous, before.current, TOKEN_KEY_BYTES);
	ck_assert(memcmp(rotated.current, before.current, TOKEN_KEY_BYTES) != 0);
	ck_assert_ptr_nonnull(strstr(read_state(fake, "keys"), "\nprevious "));
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "all")), 0, "");
	access_of(fake, &after);
	ck_assert(!after.has_previous);
	ck_assert(memcmp(rotated.current, after.current, TOKEN_KEY_BYTES) != 0);
	ck_assert_ptr_null(strstr(read_state(fake, "keys"), "previous"));
	token_keys_clear(&before);
	token_keys_clear(&rotated);
	token_keys_clear(&after);
	async_complete(loop);
}
END_ASYNC_TEST

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

	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", by_ctl)), 0, "");
	(void)access_of(fake, &keys);
	log_out(front, 1000, "bob", now_s + 1000);
	log_out(front, 1001, "", now_s + 1000);
	for (unsigned i = 0; i < 600; i++)
		log_out(front, i, "ann", now_s + 1000);
	fake_wait_ms(fake, 2000);
	(void)access_of(fake, &keys);
	msg = access_of(fake, &keys);
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
	(void)access_of(fake, &keys);
	msg = access_of(fake, &keys);
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
	assert_answer(
	    ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "zzECAwQFBgcICQoLDA0ODw")), 1,
	    "the list is full");
	fake_wait_ms(fake, 2000);
	(void)access_of(fake, &keys);
	(void)access_of(fake, &keys);
	ck_assert_uint_eq(keys.n_revoked, TOKEN_REVOKED_MAX);
	ck_assert(is_ended(&keys, 0) && is_ended(&keys, TOKEN_REVOKED_MAX - 1));
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
	(void)access_of(fake, &keys);
	ck_assert(is_ended(&keys, 0));
	ck_assert_ptr_nonnull(strstr(read_state(fake, "revoked"), "token AAAA"));
	write_state(fake, "revoked", "", 0600);
	for (unsigned i = 1; i < 100; i++)
		log_out(front, i, "ann", now_s + 1000);
	/* Not each one: nobody wrote, nobody told. */
	peer_assert_no_msg(front->peer);
	ck_assert_str_eq(read_state(fake, "revoked"), "");
	fake_wait_ms(fake, 200);
	(void)access_of(fake, &keys);
	ck_assert_uint_eq(keys.n_revoked, 100);
	ck_assert_str_eq(read_state(fake, "revoked"), "");
	fake_wait_ms(fake, 800);
	ck_assert_ptr_nonnull(strstr(read_state(fake, "revoked"), "token "));
	peer_assert_no_msg(front->peer);
	/* What is not written yet is at the end. */
	write_state(fake, "revoked", "", 0600);
	log_out(front, 200, "ann", now_s + 1000);
	ck_assert_str_eq(read_state(fake, "revoked"), "");
	sup_free(&fake->sup);
	ck_assert_ptr_nonnull(strstr(read_state(fake, "revoked"), "token "));
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
	(void)access_of(fake, &keys);
	(void)access_of(fake, &keys);
	ck_assert(is_ended(&keys, 0) && is_ended(&keys, TOKEN_REVOKED_MAX - 1));
	/* Expired, but not for long: nobody knows how right the clock is. */
	clock_jump_ms(loop_clock(loop), 2000 * 1000);
	log_out(front, 3001, "", now_s + 9000);
	fake_wait_ms(fake, 2000);
	clock_jump_ms(loop_clock(loop), 86400LL * 1000);
	log_out(front, 3002, "", now_s + 4 * 86400);
	fake_wait_ms(fake, 2000);
	(void)access_of(fake, &keys);
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

	write_state(fake, "keys",
		    "current 0101010101010101010101010101010101010101010101010101010101010101\n",
		    0600);
	write_state(fake, "revoked",
		    "token zzECAwQFBgcICQoLDA0ODw 5\ntoken AAAAAwQFBgcICQoLDA0ODw 99999999999 ann\n"
		    "generation bob 1700000000001\ngeneration gone 7\n",
		    0600);
	fake_config(fake, USERS);
	fake_start(fake);
	msg = access_of(fake, &keys);
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
	struct fake_child *auth = auth_of(fake);
	json_t *msg = json_pack("{s:s, s:s, s:s}", "type", "passwd", "user", user, "password", "x");
	long long id;

	peer_send_msg(ctl, msg, -1);
	id = msg_int(peer_get_msg(auth->peer, MSG_AUTH_JOB, 0), "id", 0);
	answer_job(auth, id, true, HASH);
	assert_answer(peer_get_msg(ctl, MSG_CTL_DONE, 0), 0, "the password is set");
}

/* His sessions end with the old password, and with none at all; nobody else's. */
START_ASYNC_TEST(test_a_new_password_ends_sessions)
{
	struct fake *fake = fake_run(loop, USERS);
	struct token_keys keys = { 0 };
	const json_t *msg;
	long long first;

	fake_ready(auth_of(fake));
	(void)fake_synced_front(fake);
	set_password(fake, "ann");
	msg = access_of(fake, &keys);
	first = generation_in(msg, "ann");
	ck_assert_int_gt(first, 1);
	ck_assert_int_eq(generation_in(msg, "bob"), 1);
	ck_assert_ptr_nonnull(strstr(read_state(fake, "revoked"), "generation ann "));
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "passwd", "user", "ann")), 0,
		      "gone");
	ck_assert_int_gt(generation_in(access_of(fake, &keys), "ann"), first);
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

/* The old one was being looked at when the new one was set: it opens nothing. */
START_ASYNC_TEST(test_an_old_password_on_its_way)
{
	struct fake *fake = fake_run(loop, USERS);
	struct fake_child *front = fake_synced_front(fake), *auth = auth_of(fake);
	struct token_keys keys = { 0 };
	const json_t *msg;
	long long id;

	fake_ready(auth);
	set_password(fake, "ann");
	(void)access_of(fake, &keys);
	check_password(front, 7, "ann", "old");
	id = msg_int(peer_get_msg(auth->peer, MSG_AUTH_JOB, 0), "id", 0);
	set_password(fake, "ann");
	(void)access_of(fake, &keys);
	answer_job(auth, id, true, NULL);
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
	(void)access_of(fake, &keys);
	ck_assert(is_ended(&keys, 1));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(trouble_of(fake), 0)),
				     fake->options.state_dir));
	assert_answer(ask(fake, json_pack("{s:s, s:s}", "type", "revoke", "id", "rotate")), 1,
		      "only until camhub ends");
	fake_wait_ms(fake, 5000);
	ck_assert_uint_eq(log_count("tried again until it works"), 1);
	ck_assert_int_eq(unlink(fake->options.state_dir), 0);
	ck_assert_int_eq(rename(aside, fake->options.state_dir), 0);
	fake_wait_ms(fake, 1500);
	ck_assert_uint_eq(json_array_size(trouble_of(fake)), 0);
	expect_log("what could not be written is written now");
	ck_assert_ptr_nonnull(strstr(read_state(fake, "revoked"), "token AAEA"));
	ck_assert_ptr_nonnull(strstr(read_state(fake, "keys"), "previous "));
	token_keys_clear(&keys);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_status_shows_it)
{
	struct fake *fake = fake_run(loop, USERS);
	struct peer *ctl = fake_ctl(fake);

	fake_ready(auth_of(fake));
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
	tcase_add_test(tcase, test_a_full_list_forgets_nobody);
	tcase_add_test(tcase, test_a_list_full_of_links_stays);
	tcase_add_test(tcase, test_a_flood_of_logouts);
	tcase_add_test(tcase, test_a_clock_that_is_set_forgets_nothing);
	tcase_add_test(tcase, test_a_start_forgets_nothing);
	tcase_add_test(tcase, test_a_new_password_ends_sessions);
	tcase_add_test(tcase, test_an_old_password_on_its_way);
	tcase_add_test(tcase, test_a_full_disk_is_tried_again);
	tcase_add_test(tcase, test_status_shows_it);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(access_suite)
