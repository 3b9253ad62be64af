/*
 * See the header.
 */
#include "config.h"

#include "tests/check_http_results_rig.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
close_fd(void *arg)
{
	int *fd = arg;

	if (*fd >= 0)
		close(*fd);
	free(fd);
}

static void
close_later(int fd)
{
	int *kept = xmalloc(sizeof(*kept));

	*kept = fd;
	harness_defer(close_fd, kept);
}

struct analyst
analyst_new_of(struct rig *rig, int id, const char *name, json_t *streams, uid_t uid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct analyst analyst = { .rig = rig, .id = id, .fd = -1 };

	analyst.path = harness_tmpfile(name);
	analyst.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	close_later(analyst.listener);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", analyst.path);
	ck_assert_int_eq(bind(analyst.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(analyst.listener, 8), 0);
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i, s:s, s:o, s:s, s:I}", "type", "analyser", "id", id,
				"name", name, "streams", streams, "endpoint", analyst.path, "uid",
				(json_int_t)uid),
		      -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
	return analyst;
}

json_t *
door(void)
{
	return json_pack("[s]", "door");
}

struct analyst
analyst_new(struct rig *rig, int id, const char *name, json_t *streams)
{
	return analyst_new_of(rig, id, name, streams, geteuid());
}

static bool
is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

bool
analyst_is_dialled(const struct analyst *analyst)
{
	loop_settle(analyst->rig->loop);
	return is_readable(analyst->listener);
}

/* The socket takes some at a time; the front reads when it does, or has closed it. */
void
analyst_send(struct analyst *analyst, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = send(analyst->fd, at, len, MSG_NOSIGNAL);

		loop_settle(analyst->rig->loop);
		if (n < 0 && errno != EAGAIN)
			return;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

void
analyst_accept_with(struct analyst *analyst, const void *first, size_t len)
{
	uint8_t got[8];

	ck_assert(analyst_is_dialled(analyst));
	analyst->fd = accept4(analyst->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ge(analyst->fd, 0);
	close_later(analyst->fd);
	ck_assert_int_eq(recv(analyst->fd, got, sizeof(got), 0), sizeof(got));
	ck_assert_mem_eq(got, "\0SP\0\0\x21\0\0", 8);
	analyst_send(analyst, first, len);
}

void
analyst_accept(struct analyst *analyst)
{
	static const uint8_t hello[8] = { 0, 'S', 'P', 0, 0, 32, 0, 0 };

	analyst_accept_with(analyst, hello, sizeof(hello));
}

bool
analyst_is_heard(struct analyst *analyst)
{
	uint8_t byte;

	loop_settle(analyst->rig->loop);
	return recv(analyst->fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void
analyst_say_bytes(struct analyst *analyst, const void *bytes, size_t len)
{
	uint8_t *message = xmalloc(9 + len);

	message[0] = 1;
	for (unsigned i = 0; i < 8; i++)
		message[1 + i] = (uint8_t)((uint64_t)len >> (8 * (7 - i)));
	memcpy(message + 9, bytes, len);
	analyst_send(analyst, message, 9 + len);
	free(message);
}

void
analyst_say(struct analyst *analyst, const char *text)
{
	analyst_say_bytes(analyst, text, strlen(text));
}

void
analyst_label(struct analyst *analyst, uint64_t seq, const char *label)
{
	char *text = xasprintf("{\"stream\":\"door\",\"epoch\":%u,\"seq\":%llu,"
			       "\"objects\":[{\"box\":[0.1,0.2,0.3,0.4],\"label\":\"%s\"}]}",
			       EPOCH, (unsigned long long)seq, label);

	analyst_say(analyst, text);
	free(text);
}

const struct analyser *
analyst_counted(const struct analyst *analyst)
{
	const struct analyser *one;

	for (one = LIST_FIRST(&analyst->rig->front->results->analysers); one != NULL;
	     one = LIST_NEXT(one, entry))
		if ((int)one->id == analyst->id)
			return one;
	ck_abort_msg("the front knows no analyser %d", analyst->id);
	return NULL;
}

struct peer *
page_with_overlay(struct rig *rig, struct feed *feed)
{
	struct peer *page = open_wall(rig);

	rig_ws_send(page, "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"unit\"],"
			  "\"codecs\":\"avc1.640029\",\"overlay\":true}");
	expect_state(page, 1, "up");
	expect_want(rig, 1, true);
	rig_push_gop(rig, feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	return page;
}

const json_t *
expect_label(struct peer *page, const char *label)
{
	const json_t *msg = rig_ws_expect_json(page, "result");
	const json_t *objects = json_object_get(msg, "objects");

	ck_assert_int_eq(msg_int(msg, "id", 0), 1);
	ck_assert_str_eq(msg_str(json_array_get(objects, 0), "label"), label);
	return msg;
}
