/*
 * The worker of a probe: told by message, as by the supervisor; ended by us if it does not end.
 */
#include "config.h"

#include "ctl/probe.h"

#include "ctl/probe_connect.h"
#include "shared/chan.h"
#include "shared/clock.h"
#include "shared/spawn.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define OPEN_TIMEOUT_MS 10000
#define STALL_MS        5000
#define END_MS          2000 /* from the end of its channel to the end of the process */

static json_t *
make_config(const struct probe *probe, const char *challenge)
{
	json_t *msg = msg_new(MSG_WORKER_CONFIG);

	msg_set_str(msg, "stream", "probe");
	msg_set_int(msg, "stream_id", 1);
	msg_set_int(msg, "epoch", 1);
	msg_set_str(msg, "url", probe->url);
	msg_set_str(msg, "user", probe->user);
	msg_set_str(msg, "password", probe->password);
	msg_set_str(msg, "transport", probe->transport);
	msg_set_str(msg, "bus", "");
	msg_set_int(msg, "bus_mode", 0600);
	msg_set_int(msg, "gop_cache_bytes", 16 << 20);
	msg_set_int(msg, "open_timeout_ms", OPEN_TIMEOUT_MS);
	msg_set_int(msg, "stall_ms", STALL_MS);
	/* What it has to say comes by message. */
	msg_set_str(msg, "log_level", "err");
	msg_set_bool(msg, "probe", true);
	msg_set_str(msg, "tls", probe->tls);
	msg_set_str(msg, "challenge", challenge);
	return msg;
}

/* Takes msg. */
static void
take(struct probe *probe, enum msg_type type, json_t *msg)
{
	if (type == MSG_INPUT) {
		snprintf(probe->state, sizeof(probe->state), "%s", msg_str(msg, "state"));
		snprintf(probe->class, sizeof(probe->class), "%s", msg_str(msg, "class"));
		snprintf(probe->reason, sizeof(probe->reason), "%s", msg_str(msg, "reason"));
		snprintf(probe->location, sizeof(probe->location), "%s", msg_str(msg, "location"));
		snprintf(probe->challenge, sizeof(probe->challenge), "%s",
			 msg_str(msg, "challenge"));
		probe->was_up |= strcmp(probe->state, "up") == 0;
	} else if (type == MSG_WORKER_STATUS) {
		json_decref(probe->status);
		probe->status = json_incref(msg);
	}
	json_decref(msg);
}

/* True when the channel has ended. */
static bool
take_all(struct probe *probe, int fd)
{
	for (;;) {
		char reason[MSG_ERROR_MAX];
		enum msg_type type;
		json_t *msg;
		int passed_fd, rc;

		rc = chan_recv(fd, MSG_FROM_WORKER, &msg, &type, &passed_fd, reason);
		if (rc == -EAGAIN)
			return false;
		if (rc < 0)
			return true;
		if (passed_fd >= 0)
			close(passed_fd);
		take(probe, type, msg);
	}
}

static bool
wait_readable(struct clock *clock, int fd, int64_t deadline_ns)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left_ns = deadline_ns - clock_now_ns(clock);
		int n;

		if (left_ns <= 0)
			return false;
		n = poll(&pfd, 1, (int)(left_ns / NS_PER_MS) + 1);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static void
collect(struct probe *probe, struct clock *clock, int fd, int64_t deadline_ns)
{
	while (wait_readable(clock, fd, deadline_ns))
		if (take_all(probe, fd))
			return;
	if (!probe->was_up && probe->class[0] == '\0')
		snprintf(probe->class, sizeof(probe->class), "timeout");
	if (!probe->was_up && probe->reason[0] == '\0')
		snprintf(probe->reason, sizeof(probe->reason), "no answer in time");
}

static void
end_worker(struct probe *probe, struct clock *clock, const struct spawn_child *child)
{
	int exit_code;

	if (!wait_readable(clock, child->pidfd, clock_now_ns(clock) + END_MS * NS_PER_MS)) {
		spawn_signal(child->pidfd, SIGKILL);
		wait_readable(clock, child->pidfd, clock_now_ns(clock) + END_MS * NS_PER_MS);
	}
	if (spawn_reap(child->pidfd, &exit_code, probe->worker_end, sizeof(probe->worker_end)) < 0)
		snprintf(probe->worker_end, sizeof(probe->worker_end), "still there");
}

/* The connection for a program that takes one, else *fd is -1. false: nothing answers. */
static bool
connect_source(struct probe *probe, int deadline_ms, int *fd)
{
	const struct url_program *program = url_program_find(probe->parts.scheme->program);
	int timeout_ms = deadline_ms < OPEN_TIMEOUT_MS ? deadline_ms : OPEN_TIMEOUT_MS;

	*fd = -1;
	if (program == NULL || !program->takes_socket)
		return true;
	*fd = probe_connect(&probe->parts, timeout_ms, probe->reason, sizeof(probe->reason));
	if (*fd >= 0)
		return true;
	snprintf(probe->state, sizeof(probe->state), "ended");
	snprintf(probe->class, sizeof(probe->class), "unreachable");
	return false;
}

/* One connection, one worker. challenge: for it to answer, or NULL. */
static int
run_once(struct probe *probe, const char *libexec_dir, const char *challenge, int deadline_ms,
	 char *err)
{
	const char *program = probe->parts.scheme->program;
	char *path = xasprintf("%s/%s", libexec_dir, program);
	char *argv[] = { (char *)program, (char *)"probe", NULL };
	struct clock *clock = clock_new();
	struct spawn_child child;
	int rc = 0, fd;

	if (!connect_source(probe, deadline_ms, &fd))
		goto out;
	rc = spawn_child(path, argv, NULL, &child);
	if (rc < 0) {
		snprintf(err, 256, "cannot start %s: %s", path, strerror(-rc));
		if (fd >= 0)
			close(fd);
		goto out;
	}
	json_t *config = make_config(probe, challenge);
	rc = chan_send(child.chan_fd, config, fd);
	json_decref(config);
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		snprintf(err, 256, "%s does not listen: %s", program, strerror(-rc));
	else
		collect(probe, clock, child.chan_fd, clock_now_ns(clock) + deadline_ms * NS_PER_MS);
	/* The end of its channel tells the worker to leave. */
	close(child.chan_fd);
	end_worker(probe, clock, &child);
	close(child.pidfd);
out:
	clock_free(&clock);
	free(path);
	return rc;
}

int
probe_run(struct probe *probe, const char *libexec_dir, int deadline_ms, char *err)
{
	char challenge[sizeof(probe->challenge)];
	int rc = run_once(probe, libexec_dir, NULL, deadline_ms, err);

	if (rc < 0 || probe->challenge[0] == '\0')
		return rc;
	memcpy(challenge, probe->challenge, sizeof(challenge));
	probe->class[0] = probe->reason[0] = probe->challenge[0] = '\0';
	return run_once(probe, libexec_dir, challenge, deadline_ms, err);
}
