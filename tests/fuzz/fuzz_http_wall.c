/*
 * A wall's connection through any sequence of what its client says, what cameras send, what the
 * supervisor tells, and of how much the client reads. The input is a script of pairs of bytes: what
 * happens, and to whom. Nothing may be left when the connection ends.
 */
#include "config.h"

#include "http/front.h"
#include "http/stream.h"
#include "http/wall.h"
#include "shared/chan.h"
#include "shared/log.h"
#include "tests/check_http_frames.h"
#include "tests/fuzz/fuzz.h"

#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAMS 4

static const char *const names[STREAMS] = { "door", "door.sub", "door.h264", "yard" };

static struct event_base *base;
static struct clock *fake_clock;
static struct front *front;
static int supervisor, browser;
static struct wall *wall;
static struct feed feeds[STREAMS];

static void
quiet(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	(void)arg;
}

static void
drain(int fd)
{
	static char buf[1 << 16];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	clock_run_due(fake_clock);
	drain(supervisor);
}

static void
tell(json_t *msg)
{
	FUZZ_CHECK(msg != NULL && chan_send(supervisor, msg, -1) == 0);
	json_decref(msg);
	turn();
}

static void
announce(unsigned k, const char *state)
{
	tell(json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:i, s:s}", "type", "stream",
		       "id", k + 1, "name", names[k], "camera", "door", "title", "", "order", 1,
		       "on_demand", 0, "state", state, "since_ms", 1, "epoch", 0, "bus", ""));
}

static void
start(void)
{
	int fds[2];

	log_set_sink(quiet, NULL);
	base = event_base_new();
	fake_clock = clock_new_fake(0);
	FUZZ_CHECK(chan_pair(fds) == 0);
	supervisor = fds[1];
	front = front_new(base, fake_clock, fds[0]);
	tell(json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "type", "front-config",
		       "subscriber", SUBSCRIBER, "web_dir", "/nonexistent", "log_level", "err",
		       "max_viewers", 6, "viewer_lag_bytes", 1 << 16, "ring_bytes", 1 << 20,
		       "request_deadline_ms", 1000, "live_target_ms", 60, "snapshot_timeout_ms",
		       2000));
	tell(json_pack("{s:s, s:b, s:s, s:[], s:[]}", "type", "access-keys", "required", 0,
		       "current",
		       "0000000000000000000000000000000000000000000000000000000000000000",
		       "revoked", "users"));
}

/* What happens. Returns how many more bytes of the script it took. */

static void
say(const char *text, size_t len)
{
	if (LIST_EMPTY(&front->walls) || link_is_ending(&wall->link))
		return;
	wall_on_text(wall, text, len);
	link_pump(&wall->link);
}

static size_t
subscribe(unsigned who, const uint8_t *more, size_t len)
{
	static const char *const qualities[] = { "main", "sub", "auto", "auto" };
	static const char *const forms[] = { "\"unit\"", "\"fmp4\"", "\"jpeg\"",
					     "\"unit\",\"jpeg\"" };
	static const char *const codecs[] = { "", "avc1", "hvc1", "avc1,hvc1" };
	uint8_t bits = len > 0 ? more[0] : 0;
	char text[256];
	int n = snprintf(text, sizeof(text),
			 "{\"type\":\"subscribe\",\"id\":%u,\"src\":\"%s\",\"quality\":\"%s\","
			 "\"pixels\":%d,\"forms\":[%s],\"codecs\":\"%s,flac\",\"audio\":%s}",
			 who / STREAMS % 4 + 1, names[who % STREAMS], qualities[bits & 3],
			 bits & 64 ? 100 : 2000, forms[bits >> 2 & 3], codecs[bits >> 4 & 3],
			 bits & 128 ? "true" : "false");

	say(text, (size_t)n);
	return 1;
}

static size_t
raw_text(unsigned who, const uint8_t *more, size_t len)
{
	size_t n = who < len ? who : len;

	say((const char *)more, n);
	return n;
}

static size_t
pause_or_leave(unsigned who, const uint8_t *more, size_t len)
{
	char text[64];
	int n;

	(void)more;
	(void)len;
	if (who & 64)
		n = snprintf(text, sizeof(text), "{\"type\":\"unsubscribe\",\"id\":%u}",
			     who % 4 + 1);
	else if (who & 32)
		n = snprintf(text, sizeof(text), "{\"type\":\"pause\",\"on\":%s}",
			     who & 16 ? "true" : "false");
	else
		n = snprintf(text, sizeof(text), "{\"type\":\"pause\",\"id\":%u,\"on\":%s}",
			     who % 4 + 1, who & 16 ? "true" : "false");
	say(text, (size_t)n);
	return 0;
}

static void
push(struct bus_msg *msg)
{
	struct stream *stream = stream_find_id(front, msg->frame.stream_id);

	if (stream != NULL)
		stream_push(stream, msg);
	bus_msg_unref(&msg);
}

static size_t
camera(unsigned who, const uint8_t *more, size_t len)
{
	struct feed *feed = &feeds[who % STREAMS];

	(void)more;
	(void)len;
	feed->padding = who & 128 ? 30000 : 0;
	feed->flags = who & 64 ? FRAME_CORRUPT : 0;
	switch (who / STREAMS % 8) {
	case 0:
		push(feed_config(feed, who & 32));
		push(feed_key(feed));
		break;
	case 1:
		push(feed_key(feed));
		break;
	case 2:
		push(feed_jpeg(feed));
		break;
	case 3:
		push(feed_status(feed, who & 32 ? "{\"codec\":\"h265\"}" : "{\"codec\":\"h264\"}",
				 0));
		break;
	case 4:
		feed->epoch++;
		break;
	case 5:
		push(feed_sound_config(feed));
		break;
	case 6:
		push(feed_sound(feed));
		break;
	default:
		push(feed_delta(feed));
		break;
	}
	return 0;
}

static size_t
tell_stream(unsigned who, const uint8_t *more, size_t len)
{
	(void)more;
	(void)len;
	if (who & 32)
		tell(json_pack("{s:s, s:i}", "type", "stream-gone", "id", who % STREAMS + 1));
	else
		announce(who % STREAMS, who & 16 ? "up" : "down");
	return 0;
}

static size_t
pass_time(unsigned who, const uint8_t *more, size_t len)
{
	(void)more;
	(void)len;
	if (who & 1)
		drain(browser);
	/* The supervisor reads what it is told once a second. */
	for (unsigned i = 0; who & 2 && i < who / 64 + 1; i++) {
		clock_advance_ms(fake_clock, 400);
		turn();
	}
	turn();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static size_t (*const happens[])(unsigned, const uint8_t *, size_t) = {
		subscribe, raw_text, pause_or_leave, camera, camera, camera, tell_stream, pass_time,
	};
	int fds[2];

	if (front == NULL)
		start();
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	browser = fds[1];
	for (unsigned k = 0; k < STREAMS; k++) {
		announce(k, "up");
		feeds[k] = feed_new(EPOCH);
		feeds[k].stream_id = k + 1;
	}
	wall = wall_new(front, &(struct wall_call){ .end.fd = fds[0], .ws_accept = "x" });
	for (size_t at = 0; at + 2 <= size;) {
		unsigned what = data[at] % 8, who = data[at + 1];

		at += 2;
		at += happens[what](who, data + at, size - at);
	}
	drain(browser);
	close(browser);
	for (int i = 0; i < 10; i++)
		turn();
	FUZZ_CHECK(LIST_EMPTY(&front->walls) && front->n_walls == 0 && front->n_viewers == 0);
	for (unsigned k = 0; k < STREAMS; k++) {
		struct stream *stream = stream_find_id(front, k + 1);

		FUZZ_CHECK(stream == NULL || (stream->n_viewers == 0 && !stream->wanted));
		stream_free(&stream);
	}
	return 0;
}
