/*
 * The connection to the supervisor: one JSON object in one datagram (docs/protocol.md,
 * "Analysers"). What a later version says in addition is passed over.
 */
#include "config.h"

#include "lib/hub.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_PER_TURN 256

static void
send_msg(struct camhub *hub, json_t *msg)
{
	char *text = json_dumps(msg, JSON_COMPACT);

	json_decref(msg);
	if (text == NULL)
		xalloc_die();
	/* It is small and the supervisor reads: what does not fit ends the connection, and the next
	 * one says it again. */
	if (hub->tap >= 0 && send(hub->tap, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EINTR)
		tap_close(hub, true);
	free(text);
}

static json_t *
new_msg(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

void
tap_hello(struct camhub *hub)
{
	json_t *msg = new_msg("tap-hello");

	json_object_set_new(msg, "name", json_string(hub->name));
	json_object_set_new(msg, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(msg, "streams", json_array());
	if (hub->has_told_results)
		json_object_set_new(msg, "results",
				    json_string(strrchr(hub->results_path, '/') + 1));
	send_msg(hub, msg);
}

void
tap_want(struct camhub *hub, uint32_t id, bool on)
{
	json_t *msg = new_msg("tap-want");

	json_object_set_new(msg, "id", json_integer(id));
	json_object_set_new(msg, "on", json_boolean(on));
	send_msg(hub, msg);
}

void
tap_replay(struct camhub *hub, uint32_t id)
{
	json_t *msg = new_msg("tap-replay");

	json_object_set_new(msg, "id", json_integer(id));
	send_msg(hub, msg);
}

int
tap_connect(struct camhub *hub)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int rc, fd;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/tap.sock", hub->dir) >=
	    (int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		rc = -errno;
	else
		rc = poller_add(hub->poller, fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	hub->tap = fd;
	hub->connected_ns = hub_now_ns();
	hub->refused[0] = '\0';
	tap_hello(hub);
	return hub->tap >= 0 ? 0 : -ECONNRESET;
}

static bool
was_steady(const struct camhub *hub)
{
	return hub->is_synced && hub_now_ns() - hub->connected_ns >= HUB_STEADY_MS * 1000000LL;
}

/* When to try again. Who is sent away at once must not come as often as who only lost camhub. */
static int64_t
next_try_ns(struct camhub *hub)
{
	int64_t wait_ms = was_steady(hub) ? HUB_CONNECT_MS : hub->wait_ms;

	hub->wait_ms = wait_ms * 2 < HUB_CONNECT_MAX_MS ? wait_ms * 2 : HUB_CONNECT_MAX_MS;
	return hub_now_ns() + wait_ms * 1000000LL;
}

void
tap_close(struct camhub *hub, bool again)
{
	struct camhub_sub *sub;

	if (hub->tap >= 0) {
		poller_remove(hub->poller, hub->tap);
		close(hub->tap);
	}
	hub->tap = -1;
	hub->connect_ns = again ? next_try_ns(hub) : INT64_MAX;
	hub->subscriber = 0;
	hub->is_synced = false;
	hub->has_told_results = false;
	for (sub = TAILQ_FIRST(&hub->subs); sub != NULL; sub = TAILQ_NEXT(sub, entry))
		sub_forget_connection(sub);
}

/* What is said, and by whom it is heard. */

static void
review_all(struct camhub *hub)
{
	struct camhub_sub *sub;

	for (sub = TAILQ_FIRST(&hub->subs); sub != NULL; sub = TAILQ_NEXT(sub, entry))
		sub_review(sub);
}

static void
on_welcome(struct camhub *hub, const json_t *msg)
{
	json_int_t subscriber = json_integer_value(json_object_get(msg, "subscriber"));

	if (subscriber < 1 || subscriber > UINT32_MAX)
		return;
	hub->subscriber = (uint32_t)subscriber;
	/* Another camhub may be there now: its numbers are not those of the last one. */
	streams_clear(hub);
	(void)results_tell(hub);
}

static void
on_gone(struct camhub *hub, const json_t *msg)
{
	streams_drop(hub, (uint32_t)json_integer_value(json_object_get(msg, "id")));
}

static void
on_synced(struct camhub *hub, const json_t *msg)
{
	(void)msg;
	hub->is_synced = true;
}

static void
on_refused(struct camhub *hub, const json_t *msg)
{
	const char *text = json_string_value(json_object_get(msg, "text"));

	snprintf(hub->refused, sizeof(hub->refused), "%s", text != NULL ? text : "refused");
	hub->refusals = was_steady(hub) ? 1 : hub->refusals + 1;
	hub->is_refused = hub->refusals >= HUB_REFUSALS;
}

static void
on_stream(struct camhub *hub, const json_t *msg)
{
	streams_set(hub, json_deep_copy(msg));
}

static const struct {
	const char *type;
	void (*handle)(struct camhub *hub, const json_t *msg);
} messages[] = {
	{ "tap-welcome", on_welcome }, { "tap-stream", on_stream },   { "tap-gone", on_gone },
	{ "tap-synced", on_synced },   { "tap-refused", on_refused },
};

static void
handle(struct camhub *hub, const char *text, size_t len)
{
	json_t *msg = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(msg, "type"));

	for (size_t i = 0; type != NULL && i < sizeof(messages) / sizeof(messages[0]); i++)
		if (strcmp(type, messages[i].type) == 0)
			messages[i].handle(hub, msg);
	json_decref(msg);
}

void
tap_read(struct camhub *hub)
{
	char *text;
	bool is_news = false;

	if (hub->tap < 0)
		return;
	text = xmalloc(HUB_MESSAGE_MAX);
	for (int i = 0; i < READ_PER_TURN && hub->tap >= 0; i++) {
		ssize_t n = recv(hub->tap, text, HUB_MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			tap_close(hub, true);
			break;
		}
		is_news = true;
		if (n <= HUB_MESSAGE_MAX)
			handle(hub, text, (size_t)n);
	}
	free(text);
	if (is_news)
		review_all(hub);
}
