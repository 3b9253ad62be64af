/*
 * Any bytes as what a browser sends to a listener of the front, over a real connection. The front
 * lives through all of them; each connection must end without leaving anything.
 */
#include "config.h"

#include "http/front.h"

#include "http/listen.h"
#include "shared/chan.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 200

static struct event_base *base;
static struct clock *fake_clock;
static struct front *front;
static int supervisor;
static struct sockaddr_in address = { .sin_family = AF_INET };

static void
quiet(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	(void)arg;
}

static void
tell(json_t *msg, int fd)
{
	FUZZ_CHECK(msg != NULL && chan_send(supervisor, msg, fd) == 0);
	json_decref(msg);
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	clock_run_due(fake_clock);
}

static void
start(void)
{
	socklen_t len = sizeof(address);
	int fds[2], fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* As the program does: the other end may be gone. */
	signal(SIGPIPE, SIG_IGN);
	log_set_sink(quiet, NULL);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	FUZZ_CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		   listen(fd, 16) == 0 && getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	base = event_base_new();
	fake_clock = clock_new_fake(0);
	FUZZ_CHECK(chan_pair(fds) == 0);
	supervisor = fds[1];
	front = front_new(base, fake_clock, fds[0]);
	tell(json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "type", "front-config",
		       "subscriber", 7, "web_dir", "/nonexistent", "log_level", "err",
		       "max_viewers", 10, "viewer_lag_bytes", 1 << 20, "ring_bytes", 1 << 20,
		       "request_deadline_ms", 1000, "live_target_ms", 60, "snapshot_timeout_ms",
		       2000),
	     -1);
	tell(json_pack("{s:s, s:b, s:s, s:[], s:[]}", "type", "access-keys", "required", 0,
		       "current",
		       "0000000000000000000000000000000000000000000000000000000000000000",
		       "revoked", "users"),
	     -1);
	tell(json_pack("{s:s, s:s}", "type", "listener", "address", "[::]:0"), fd);
	close(fd);
	tell(json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:i, s:s}", "type", "stream",
		       "id", 1, "name", "door", "camera", "door", "title", "Door", "order", 1,
		       "on_demand", 0, "state", "up", "since_ms", 1, "epoch", 0, "bus", ""),
	     -1);
	tell(json_pack("{s:s}", "type", "streams-synced"), -1);
	turn();
	FUZZ_CHECK(front_is_ready(front));
}

static void
drain(int fd)
{
	char buf[4096];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd, turns = 0;

	if (front == NULL)
		start();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	turn();
	(void)send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (int i = 0; i < 4; i++)
		turn();
	drain(fd);
	close(fd);
	/* Requests that wait, and viewers that cannot know it yet, have their deadlines. */
	while (listeners_connections(front->listeners) + front->n_viewers > 0) {
		FUZZ_CHECK(++turns < TURNS_MAX);
		turn();
		clock_advance_ms(fake_clock, 500);
	}
	drain(supervisor);
	return 0;
}
