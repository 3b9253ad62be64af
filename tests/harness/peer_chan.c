/*
 * Mock peers that speak control messages (shared/chan.h).
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "tests/harness/internal.h"
#include "tests/harness/peer_internal.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer *
peer_new_chan(struct loop *loop, int fd, enum msg_to receive, const char *name)
{
	struct peer *peer = peer_make(loop, fd, name);

	peer->is_chan = true;
	peer->receive = receive;
	return peer;
}

void
peer_ignore_msg(struct peer *peer, enum msg_type type)
{
	peer->ignore[type] = true;
}

static void
add_msg_step(struct peer *peer, enum step_kind kind, enum msg_type type, json_t *json, int fd)
{
	struct step *step = peer_add_step(peer, kind);

	step->type = type;
	step->json = json;
	step->fd = fd;
}

void
peer_expect_msg(struct peer *peer, enum msg_type type, json_t *fields)
{
	add_msg_step(peer, STEP_EXPECT_MSG, type, fields, -1);
}

void
peer_await_msg(struct peer *peer, enum msg_type type, json_t *fields)
{
	add_msg_step(peer, STEP_AWAIT_MSG, type, fields, -1);
}

void
peer_send_msg(struct peer *peer, json_t *msg, int fd)
{
	add_msg_step(peer, STEP_SEND_MSG, 0, msg, fd);
}

static void
keep_msg(struct peer *peer, json_t *msg, int fd)
{
	json_decref(peer->last_msg);
	if (peer->last_fd >= 0)
		close(peer->last_fd);
	peer->last_msg = msg;
	peer->last_fd = fd;
}

/* Reads one message that is not ignored into last_msg. 0, -EAGAIN, -EPIPE; anything else fails. */
static int
take_msg(struct peer *peer, enum msg_type *type)
{
	char err[MSG_ERROR_MAX] = "";
	json_t *msg;
	int rc, fd;

	for (;;) {
		rc = chan_recv(peer->fd, peer->receive, &msg, type, &fd, err);
		if (rc == -EAGAIN || rc == -EPIPE)
			return rc;
		if (rc < 0)
			peer_fail(peer, "received a message against the schema",
				  rc == -EPROTO ? err : strerror(-rc));
		peer->counts[*type]++;
		if (!peer->ignore[*type]) {
			keep_msg(peer, msg, fd);
			return 0;
		}
		json_decref(msg);
		if (fd >= 0)
			close(fd);
	}
}

static bool
has_fields(const json_t *msg, json_t *fields)
{
	const char *key;
	json_t *value;

	json_object_foreach (fields, key, value) {
		json_t *got = json_object_get(msg, key);

		/* 25 and 25.0 are the same number. */
		if (json_is_number(value) && json_is_number(got)) {
			if (json_number_value(value) != json_number_value(got))
				return false;
		} else if (!json_equal(value, got)) {
			return false;
		}
	}
	return true;
}

static void
fail_compare(struct peer *peer, const struct step *step)
{
	char *wanted = step->json != NULL ? json_dumps(step->json, JSON_INDENT(2) | JSON_SORT_KEYS)
					  : xstrdup("(any)");
	char *got = json_dumps(peer->last_msg, JSON_INDENT(2) | JSON_SORT_KEYS);
	struct textbuf out = { 0 };

	textbuf_add(&out, "expected %s with %s\ngot %s\n", msg_schema(step->type)->name, wanted,
		    got);
	free(wanted);
	free(got);
	peer_fail(peer, "not what was expected", out.text);
}

static bool
play_expect_msg(struct peer *peer, struct step *step)
{
	enum msg_type type = 0;
	bool fits;
	int rc;

	for (;;) {
		rc = take_msg(peer, &type);
		if (rc == -EAGAIN) {
			event_add(peer->read_ev, NULL);
			return false;
		}
		if (rc == -EPIPE)
			peer_fail(peer, "the other side has closed", NULL);
		fits = type == step->type && has_fields(peer->last_msg, step->json);
		if (fits)
			return true;
		if (step->kind == STEP_EXPECT_MSG)
			fail_compare(peer, step);
	}
}

bool
peer_expect_chan_close(struct peer *peer, struct step *step)
{
	enum msg_type type = 0;
	int rc;

	while ((rc = take_msg(peer, &type)) != -EPIPE) {
		if (rc == -EAGAIN) {
			event_add(peer->read_ev, NULL);
			return false;
		}
		if (step->kind == STEP_EXPECT_CLOSE) {
			char *got = json_dumps(peer->last_msg, 0);
			char text[1000];

			snprintf(text, sizeof(text), "%s", got);
			free(got);
			peer_fail(peer, "a message came instead", text);
		}
	}
	return true;
}

static bool
play_send_msg(struct peer *peer, struct step *step)
{
	int rc = chan_send(peer->fd, step->json, step->fd);

	if (rc == -EAGAIN) {
		event_add(peer->write_ev, NULL);
		return false;
	}
	if (rc < 0)
		peer_fail(peer, "the other side does not take it", strerror(-rc));
	if (step->fd >= 0)
		close(step->fd);
	step->fd = -1;
	return true;
}

static bool
play_send_datagram(struct peer *peer, struct step *step)
{
	if (send(peer->fd, step->bytes, step->len, MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN)
		peer_fail(peer, "the other side does not take it", strerror(errno));
	event_add(peer->write_ev, NULL);
	return false;
}

bool
peer_play_chan(struct peer *peer, struct step *step)
{
	if (!peer->is_chan)
		peer_fail(peer, "not a channel", NULL);
	switch (step->kind) {
	case STEP_SEND_MSG:
		return play_send_msg(peer, step);
	case STEP_SEND_DATAGRAM:
		return play_send_datagram(peer, step);
	default:
		return play_expect_msg(peer, step);
	}
}

/* Linear style */

const json_t *
peer_get_msg(struct peer *peer, enum msg_type type, int deadline_ms)
{
	peer_await_msg(peer, type, NULL);
	peer_run(peer, deadline_ms);
	return peer->last_msg;
}

void
peer_assert_no_msg(struct peer *peer)
{
	enum msg_type type = 0;
	int rc;

	loop_settle(peer->loop);
	if (!peer_is_done(peer))
		ck_abort_msg("peer %s: peer_assert_no_msg() while its script runs", peer->name);
	rc = peer->fd < 0 ? -EPIPE : take_msg(peer, &type);
	if (rc == 0) {
		char *got = json_dumps(peer->last_msg, 0);
		char text[1000];

		snprintf(text, sizeof(text), "%s", got);
		free(got);
		ck_abort_msg("peer %s: expected no message, got %s", peer->name, text);
	}
}

const json_t *
peer_last_msg(const struct peer *peer)
{
	return peer->last_msg;
}

int
peer_take_fd(struct peer *peer)
{
	int fd = peer->last_fd;

	peer->last_fd = -1;
	return fd;
}

size_t
peer_msg_count(const struct peer *peer, enum msg_type type)
{
	return peer->counts[type];
}
