/*
 * See the header.
 */
#include "config.h"

#include "tests/check_rtc_rig.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

static struct rtc_rig rig_storage;
static char last_session[32];

static void
rig_stop(void *arg)
{
	struct rtc_rig *rig = arg;

	front_free(&rig->front);
	loop_settle(rig->loop);
}

static int
make_listener(int type, uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons(*port) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	ck_assert_int_ge(fd, 0);
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

/* The same number for both, which another program may have for TCP. */
static void
send_listeners(struct rtc_rig *rig)
{
	int udp, tcp = -1;

	for (int tries = 0; tcp < 0; tries++) {
		ck_assert_int_lt(tries, 20);
		rig->port = 0;
		udp = make_listener(SOCK_DGRAM, &rig->port);
		tcp = make_listener(SOCK_STREAM, &rig->port);
		if (tcp < 0)
			close(udp);
	}
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:s, s:s}", "type", "rtc-listener", "address", "127.0.0.1",
				"kind", "udp"),
		      udp);
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:s, s:s}", "type", "rtc-listener", "address", "127.0.0.1",
				"kind", "tcp"),
		      tcp);
}

static json_t *
front_config(void)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "type",
			 "front-config", "subscriber", (int)SUBSCRIBER, "web_dir", "/nonexistent",
			 "log_level", "debug", "max_viewers", 100, "viewer_lag_bytes", 1 << 20,
			 "ring_bytes", 16 << 20, "request_deadline_ms", 1000, "live_target_ms", 0,
			 "snapshot_timeout_ms", 1000);
}

static json_t *
no_users(void)
{
	return json_pack(
	    "{s:s, s:b, s:s, s:[], s:[]}", "type", "access-keys", "required", 0, "current",
	    "0000000000000000000000000000000000000000000000000000000000000000", "revoked", "users");
}

static json_t *
rtc_config(const struct rtc_rig *rig)
{
	return json_pack("{s:s, s:[], s:i, s:i, s:i}", "type", "rtc-config", "addresses", "port",
			 (int)rig->port, "max_sessions", 50, "max_per_address", 0);
}

struct rtc_rig *
rtc_rig_start(struct loop *loop, json_t *changes, json_t *keys)
{
	struct rtc_rig *rig = &rig_storage;
	json_t *config;
	int fds[2];

	*rig = (struct rtc_rig){ .loop = loop };
	loop_hold_time(loop, true);
	loop_pair(loop, SOCK_SEQPACKET, fds);
	rig->front = front_new_as(&front_rtc, loop_base(loop), loop_clock(loop), fds[0]);
	rig->rtc = rtc_of(rig->front);
	harness_defer(rig_stop, rig);
	rig->sup = peer_new_chan(loop, fds[1], MSG_FROM_RTC, "supervisor");
	peer_ignore_msg(rig->sup, MSG_BEAT);
	peer_ignore_msg(rig->sup, MSG_FRONT_STREAM);
	peer_ignore_msg(rig->sup, MSG_FRONT_TOTALS);
	peer_ignore_msg(rig->sup, MSG_WATCHER);
	peer_ignore_msg(rig->sup, MSG_WATCHER_GONE);
	peer_ignore_msg(rig->sup, MSG_WANT);
	peer_ignore_msg(rig->sup, MSG_WANT_REPLAY);
	peer_send_msg(rig->sup, front_config(), -1);
	peer_send_msg(rig->sup, keys != NULL ? keys : no_users(), -1);
	send_listeners(rig);
	config = rtc_config(rig);
	if (changes != NULL) {
		json_object_update(config, changes);
		json_decref(changes);
	}
	peer_send_msg(rig->sup, config, -1);
	peer_send_msg(rig->sup, json_pack("{s:s}", "type", "streams-synced"), -1);
	peer_expect_msg(rig->sup, MSG_READY, NULL);
	peer_run(rig->sup, 0);
	loop_settle(loop);
	return rig;
}

void
rtc_rig_stream(struct rtc_rig *rig, int id, const char *name)
{
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:i, s:s}", "type",
				"stream", "id", id, "name", name, "camera", "door", "title", "",
				"order", id, "on_demand", 0, "state", "up", "since_ms", 1, "epoch",
				0, "bus", ""),
		      -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

void
rtc_rig_push(struct rtc_rig *rig, struct bus_msg *msg)
{
	struct stream *stream = stream_find_id(rig->front, msg->frame.stream_id);

	ck_assert_ptr_nonnull(stream);
	stream_push(stream, msg);
	bus_msg_unref(&msg);
}

void
rtc_rig_push_gop(struct rtc_rig *rig, struct feed *feed, unsigned n)
{
	rtc_rig_push(rig, feed_config(feed, true));
	rtc_rig_push(rig, feed_key(feed));
	for (unsigned i = 1; i < n; i++)
		rtc_rig_push(rig, feed_delta(feed));
}

long long
rtc_rig_ask(struct rtc_rig *rig, const char *sdp, json_t *changes)
{
	json_t *offer =
	    json_pack("{s:s, s:I, s:i, s:s, s:s, s:s, s:s, s:s, s:[]}", "type", "rtc-offer",
		      "request", (json_int_t)++rig->requests, "id", 1, "sdp", sdp, "address",
		      "127.0.0.1", "way", "open", "user", "", "role", "operator", "cameras");

	if (changes != NULL) {
		json_object_update(offer, changes);
		json_decref(changes);
	}
	peer_send_msg(rig->sup, offer, -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
	return rig->requests;
}

const json_t *
rtc_rig_answer(struct rtc_rig *rig)
{
	const json_t *msg = peer_get_msg(rig->sup, MSG_RTC_ANSWER, 0);

	if (msg_str(msg, "session")[0] != '\0') {
		strncpy(last_session, msg_str(msg, "session"), sizeof(last_session) - 1);
		ck_assert_uint_eq(strlen(last_session), 22);
	}
	return msg;
}

const char *
rtc_rig_session(struct rtc_rig *rig)
{
	(void)rig;
	return last_session;
}

struct rtc_viewer *
rtc_rig_join(struct rtc_rig *rig, bool over_tcp)
{
	struct rtc_viewer *viewer = rtc_viewer_new(rig->loop);
	const json_t *answer;

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	answer = rtc_rig_answer(rig);
	ck_assert_int_eq(msg_int(answer, "code", 0), 201);
	rtc_viewer_take(viewer, msg_str(answer, "sdp"), over_tcp);
	rtc_viewer_connect(viewer);
	return viewer;
}

struct rtc_viewer *
rtc_rig_watch(struct rtc_rig *rig)
{
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);

	rtc_viewer_await_pictures(viewer, 1);
	return viewer;
}

struct rtc_session *
rtc_rig_first(struct rtc_rig *rig)
{
	return LIST_FIRST(&rig->rtc->sessions);
}

struct rtc_rig *
rtc_rig_door(struct loop *loop, struct feed *feed, unsigned units)
{
	struct rtc_rig *rig = rtc_rig_start(loop, NULL, NULL);

	*feed = feed_new(EPOCH);
	rtc_rig_stream(rig, 1, "door");
	/* Somebody else watches: the hub is full when a viewer comes. */
	hub_start(stream_find(rig->front, "door")->hub);
	rtc_rig_push_gop(rig, feed, units);
	return rig;
}
