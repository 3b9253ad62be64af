/*
 * Stands in for a worker that camctl probe has started: what it does stands in the path of the URL.
 */
#include "config.h"

#include "shared/chan.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHAN_FD 3

static bool
is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

static bool
is_rtsp(const json_t *config)
{
	return strncmp(msg_str(config, "url"), "rtsp", 4) == 0;
}

static json_t *
receive_config(void)
{
	struct pollfd pfd = { .fd = CHAN_FD, .events = POLLIN };
	char err[MSG_ERROR_MAX];
	enum msg_type type;
	json_t *msg;
	int fd;

	if (poll(&pfd, 1, 30000) != 1 ||
	    chan_recv(CHAN_FD, MSG_TO_WORKER, &msg, &type, &fd, err) < 0 ||
	    type != MSG_WORKER_CONFIG || is_connected(fd) != is_rtsp(msg))
		_exit(100);
	return msg;
}

static void
say(json_t *msg)
{
	chan_send(CHAN_FD, msg, -1);
	json_decref(msg);
}

static void
say_redirect(void)
{
	json_t *msg = msg_new(MSG_INPUT);

	msg_set_str(msg, "state", "ended");
	msg_set_str(msg, "class", "redirect");
	msg_set_str(msg, "reason", "it is elsewhere");
	msg_set_str(msg, "location", "rtsp://192.0.2.99/it's\033[2J");
	say(msg);
	_exit(75);
}

static void
say_challenge(const char *challenge)
{
	json_t *msg = msg_new(MSG_INPUT);

	msg_set_str(msg, "state", "ended");
	msg_set_str(msg, "class", "challenge");
	msg_set_str(msg, "reason", "it hung up");
	msg_set_str(msg, "challenge", challenge);
	say(msg);
	_exit(75);
}

static void
say_input(const char *state, const char *class, const char *reason)
{
	json_t *msg = msg_new(MSG_INPUT);

	msg_set_str(msg, "state", state);
	msg_set_str(msg, "class", class);
	msg_set_str(msg, "reason", reason);
	say(msg);
}

static void
say_status(void)
{
	static const char *const numbers[] = { "bytes",       "corrupt",         "published",
					       "subscribers", "gop_cache_bytes", "b_frames" };
	json_t *msg = msg_new(MSG_WORKER_STATUS);

	msg_set_str(msg, "codec", "h264");
	msg_set_str(msg, "codec_string", "avc1.64001F");
	msg_set_str(msg, "profile", "High\033[31m");
	msg_set_str(msg, "audio", "aac");
	msg_set_int(msg, "width", 1920);
	msg_set_int(msg, "height", 1080);
	msg_set_real(msg, "fps", 15);
	msg_set_int(msg, "bitrate_bps", 4000000);
	msg_set_int(msg, "gop_frames", 150);
	msg_set_int(msg, "frames", 30);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		msg_set_int(msg, numbers[i], 0);
	msg_set_bool(msg, "gop_cached", true);
	msg_set_int(msg, "last_frame_ms", 0);
	msg_set_int(msg, "config_version", 1);
	say(msg);
}

static void
be_up(void)
{
	say_input("connecting", "none", "");
	say_input("up", "none", "");
	say_status();
	_exit(0);
}

/* what: the last part of the URL's path. */
static void
act(const char *what, const json_t *config)
{
	if (strcmp(what, "up") == 0)
		be_up();
	if (strcmp(what, "certificate") == 0) {
		say_input("ended", "protocol", "TLS: the certificate is not trusted: self-signed");
		_exit(75);
	}
	if (strcmp(what, "auth") == 0) {
		bool right = strcmp(msg_str(config, "user"), "admin") == 0 &&
			     strcmp(msg_str(config, "password"), "ge:heim") == 0;

		if (right)
			be_up();
		say_input("ended", "auth", "401 Unauthorized");
		_exit(75);
	}
	if (strcmp(what, "gone") == 0) {
		say_input("ended", "unreachable", "connection refused\033[2J");
		_exit(75);
	}
	if (strcmp(what, "moved") == 0)
		say_redirect();
	if (strcmp(what, "pinned") == 0 && strcmp(msg_str(config, "tls"), "insecure") == 0)
		be_up();
	if (strcmp(what, "asks-once") == 0 || strcmp(what, "asks-always") == 0) {
		bool is_second = strcmp(msg_str(config, "challenge"), "Basic realm=\"1\"") == 0;

		if (is_second && strcmp(what, "asks-once") == 0)
			be_up();
		say_challenge(is_second ? "Basic realm=\"2\"" : "Basic realm=\"1\"");
	}
	if (strcmp(what, "crash") == 0)
		raise(SIGKILL);
	if (strcmp(what, "rubbish") == 0)
		(void)!write(CHAN_FD, "rubbish", 7);
	/* "stubborn" and whatever else: neither an answer nor an end, not even by SIGTERM. */
	signal(SIGTERM, SIG_IGN);
	for (;;)
		pause();
}

int
main(void)
{
	json_t *config = receive_config();
	const char *what = strrchr(msg_str(config, "url"), '/');

	if (!msg_bool(config, "probe", false) || msg_str(config, "bus")[0] != '\0')
		_exit(101);
	act(what != NULL ? what + 1 : "", config);
}
