/*
 * Connect, ask, collect, with a deadline on the supervisor's silence: a stopped supervisor still
 * has a socket that takes connections.
 */
#include "config.h"

#include "ctl/request.h"

#include "ctl/text.h"
#include "shared/chan.h"
#include "shared/clock.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TOTAL_MS     20000
#define MAX_MESSAGES 4096

struct asker {
	struct clock *clock;
	int64_t total_deadline_ns;
	int64_t deadline_ns;
	int silence_ms;
	char *err;
};

static int fail(struct asker *asker, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail(struct asker *asker, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(asker->err, CTL_ERROR_MAX, fmt, ap);
	va_end(ap);
	return code;
}

static int
no_answer(struct asker *asker)
{
	return fail(asker, CTL_NO_ANSWER,
		    "the supervisor runs but gives no answer in %d s (stopped, or overloaded)",
		    asker->silence_ms / 1000);
}

/* CTL_OK when fd has one of events, CTL_NO_ANSWER after the deadline. */
static int
wait_for(struct asker *asker, int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left_ns = asker->deadline_ns - clock_now_ns(asker->clock);
		int n;

		if (left_ns <= 0)
			return no_answer(asker);
		n = poll(&pfd, 1, (int)(left_ns / NS_PER_MS) + 1);
		if (n > 0)
			return CTL_OK;
		if (n < 0 && errno != EINTR)
			return fail(asker, CTL_DOWN, "poll: %s", strerror(errno));
	}
}

static void
set_deadline(struct asker *asker)
{
	asker->deadline_ns = clock_now_ns(asker->clock) + asker->silence_ms * NS_PER_MS;
	if (asker->deadline_ns > asker->total_deadline_ns)
		asker->deadline_ns = asker->total_deadline_ns;
}

static int
connect_error(struct asker *asker, const char *path, int error)
{
	if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR)
		return fail(asker, CTL_NOT_RUNNING, "camhub is not running (nobody listens at %s)",
			    path);
	if (error == EACCES || error == EPERM)
		return fail(asker, CTL_DOWN,
			    "no permission for %s: be root or a member of the group camhub", path);
	return fail(asker, CTL_DOWN, "cannot connect: %s", strerror(error));
}

static int
dial(struct asker *asker, const char *runtime_dir, int *fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int new_fd, rc = CTL_OK;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/ctl.sock", runtime_dir) >=
	    (int)sizeof(addr.sun_path))
		return fail(asker, CTL_USAGE, "the runtime directory's name is too long: %s",
			    runtime_dir);
	new_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (new_fd < 0)
		return fail(asker, CTL_DOWN, "socket: %s", strerror(errno));
	while (connect(new_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int error = errno;

		/* The queue of connections is full, and nothing tells when it is not. */
		if (error == EAGAIN || error == EINTR) {
			if (clock_now_ns(asker->clock) < asker->deadline_ns) {
				poll(NULL, 0, 20);
				continue;
			}
			rc = no_answer(asker);
		} else {
			rc = connect_error(asker, addr.sun_path, error);
		}
		close(new_fd);
		return rc;
	}
	*fd = new_fd;
	return CTL_OK;
}

static int
send_request(struct asker *asker, int fd, const json_t *msg)
{
	int rc;

	while ((rc = chan_send(fd, msg, -1)) == -EAGAIN)
		if ((rc = wait_for(asker, fd, POLLOUT)) != CTL_OK)
			return rc;
	return rc == 0 ? CTL_OK : fail(asker, CTL_DOWN, "the supervisor closed the connection");
}

/* Takes msg. */
static void
keep(struct ctl_reply *reply, enum msg_type type, json_t *msg)
{
	json_object_del(msg, "type");
	switch (type) {
	case MSG_CTL_CAMERA:
		json_array_append(reply->cameras, msg);
		break;
	case MSG_CTL_PROCESS:
		json_array_append(reply->processes, msg);
		break;
	case MSG_CTL_ANALYSER:
		json_array_append(reply->analysers, msg);
		break;
	case MSG_CTL_VIEWER:
		json_array_append(reply->viewers, msg);
		break;
	case MSG_CTL_SUPERVISOR:
		json_decref(reply->supervisor);
		reply->supervisor = json_incref(msg);
		break;
	default:
		reply->code = (int)msg_int(msg, "code", 1);
		reply->text = xstrdup(msg_str(msg, "text"));
		break;
	}
	json_decref(msg);
}

static int
collect(struct asker *asker, int fd, struct ctl_reply *reply)
{
	for (int n = 0; n < MAX_MESSAGES && reply->text == NULL; n++) {
		char reason[MSG_ERROR_MAX], shown[2 * MSG_ERROR_MAX];
		enum msg_type type;
		json_t *msg;
		int passed_fd, rc;

		while ((rc = chan_recv(fd, MSG_TO_CTL, &msg, &type, &passed_fd, reason)) == -EAGAIN)
			if ((rc = wait_for(asker, fd, POLLIN)) != CTL_OK)
				return rc;
		if (rc == -EPROTO)
			return fail(asker, CTL_DOWN,
				    "the answer cannot be understood (%s): is the supervisor of "
				    "another version? restart it",
				    text_escape(reason, shown, sizeof(shown)));
		if (rc < 0)
			return fail(asker, CTL_DOWN, "the supervisor closed the connection");
		if (passed_fd >= 0)
			close(passed_fd);
		keep(reply, type, msg);
		set_deadline(asker);
	}
	return reply->text != NULL ? CTL_OK : fail(asker, CTL_DOWN, "the answer does not end");
}

int
ctl_request(const char *runtime_dir, json_t *msg, struct ctl_reply *reply, char *err)
{
	return ctl_request_within(runtime_dir, msg, REQUEST_SILENCE_MS, reply, err);
}

int
ctl_request_within(const char *runtime_dir, json_t *msg, int silence_ms, struct ctl_reply *reply,
		   char *err)
{
	struct asker asker = { .clock = clock_new(), .silence_ms = silence_ms, .err = err };
	struct ctl_reply answer = { .cameras = json_array(),
				    .processes = json_array(),
				    .viewers = json_array(),
				    .analysers = json_array() };
	int fd = -1, rc;

	asker.total_deadline_ns = clock_now_ns(asker.clock) + TOTAL_MS * NS_PER_MS;
	set_deadline(&asker);
	rc = dial(&asker, runtime_dir, &fd);
	if (rc == CTL_OK)
		rc = send_request(&asker, fd, msg);
	if (rc == CTL_OK)
		rc = collect(&asker, fd, &answer);
	if (rc == CTL_OK)
		*reply = answer;
	else
		ctl_reply_clear(&answer);
	if (fd >= 0)
		close(fd);
	json_decref(msg);
	clock_free(&asker.clock);
	return rc;
}

void
ctl_reply_clear(struct ctl_reply *reply)
{
	json_decref(reply->supervisor);
	json_decref(reply->cameras);
	json_decref(reply->processes);
	json_decref(reply->viewers);
	json_decref(reply->analysers);
	free(reply->text);
	*reply = (struct ctl_reply){ 0 };
}
