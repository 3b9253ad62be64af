/*
 * The rig.
 */
#include "config.h"

#include "tests/check_sup_access_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
rig_state_file(const struct fake *fake, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", fake->options.state_dir, name);
	return path;
}

void
rig_write_state(const struct fake *fake, const char *name, const char *text, mode_t mode)
{
	int fd;

	(void)mkdir(fake->options.state_dir, 0700);
	fd = open(rig_state_file(fake, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

const char *
rig_read_state(const struct fake *fake, const char *name)
{
	static char text[65536];
	int fd = open(rig_state_file(fake, name), O_RDONLY | O_CLOEXEC);
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

const json_t *
rig_ask(struct fake *fake, json_t *msg)
{
	struct peer *ctl = fake_ctl(fake);

	peer_send_msg(ctl, msg, -1);
	return peer_get_msg(ctl, MSG_CTL_DONE, 0);
}

void
rig_assert_answer(const json_t *done, long long code, const char *part)
{
	ck_assert_msg(msg_int(done, "code", -1) == code && strstr(msg_str(done, "text"), part),
		      "expected %lld and \"%s\", got %lld and \"%s\"", code, part,
		      msg_int(done, "code", -1), msg_str(done, "text"));
}

struct fake_child *
rig_auth(struct fake *fake)
{
	return fake_get(fake, "camhub-auth", "auth");
}

void
rig_check_password(struct fake_child *front, int id, const char *user, const char *password)
{
	json_t *msg = msg_new(MSG_AUTH_CHECK);

	msg_set_int(msg, "id", id);
	msg_set_str(msg, "user", user);
	msg_set_str(msg, "password", password);
	fake_say(front, msg, -1);
}

void
rig_answer_job(struct fake_child *auth, long long id, bool ok, const char *hash)
{
	json_t *msg = msg_new(MSG_AUTH_DONE);

	msg_set_int(msg, "id", id);
	msg_set_bool(msg, "ok", ok);
	msg_set_str(msg, "hash", hash);
	fake_say(auth, msg, -1);
}

const json_t *
rig_access(struct fake *fake, struct token_keys *keys)
{
	const json_t *msg = peer_get_msg(fake_front(fake)->peer, MSG_ACCESS_KEYS, 0);

	ck_assert_int_eq(token_keys_from_msg(msg, keys), 0);
	return msg;
}
