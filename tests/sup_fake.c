/*
 * The fake world.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "shared/chan.h"
#include "shared/conf.h"
#include "shared/xalloc.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_PID 4000000 /* above what the kernel gives */
#define BEAT_MS   500

static const struct {
	const char *program;
	enum msg_to receive; /* what the child receives; 0: raw */
} programs[] = {
	{ "camhub-http", MSG_TO_FRONT },
	{ "camhub-rtc", MSG_TO_RTC },
	{ "camhub-auth", MSG_TO_AUTH },
	{ "camhub-transcode", MSG_TO_TRANSCODE },
	{ "camhub-worker", MSG_TO_WORKER },
	{ "camhub-worker-av", MSG_TO_WORKER },
	{ "camhub-resolve", 0 },
	{ "camhub-event", 0 },
};

static void
end_child(struct fake_child *child, int code, const char *text)
{
	if (child->ended)
		return;
	child->ended = true;
	child->exit_code = code;
	snprintf(child->exit_text, sizeof(child->exit_text), "%s", text);
	clock_timer_cancel(&child->beat);
	close(child->alive_fd);
	if (child->raw_fd >= 0)
		close(child->raw_fd);
	child->raw_fd = -1;
}

static void
on_beat(struct clock_timer *timer, void *arg)
{
	struct fake_child *child = arg;
	json_t *msg = msg_new(MSG_BEAT);

	if (child->beats && peer_fd(child->peer) >= 0)
		(void)chan_send(peer_fd(child->peer), msg, -1);
	json_decref(msg);
	clock_timer_set_ms(timer, BEAT_MS);
}

static void
open_peer(struct fake_child *child, int fd)
{
	const char *name = strcmp(child->object, "http") == 0 ? "front" : child->object;

	child->raw_fd = -1;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (strcmp(programs[i].program, child->program) != 0)
			continue;
		/* A transcoder of a live stream speaks as a worker does. */
		if (programs[i].receive != 0)
			child->peer = peer_new_chan(
			    child->fake->loop, fd,
			    child->argc > 2 ? MSG_TO_WORKER : programs[i].receive, name);
		else
			child->raw_fd = fd;
		return;
	}
	ck_abort_msg("unknown program %s was started", child->program);
}

static int
fake_spawn(void *arg, const char *path, char *const argv[], const struct spawn_limits *limits,
	   struct spawn_child *spawned)
{
	struct fake *fake = arg;
	struct fake_child *child;
	int chan[2], life[2];

	if (fake->spawn_error != 0)
		return fake->spawn_error;
	ck_assert_uint_lt(fake->n_children, FAKE_CHILDREN_MAX);
	ck_assert_int_eq(chan_pair(chan), 0);
	ck_assert_int_eq(pipe2(life, O_CLOEXEC), 0);
	child = xcalloc(1, sizeof(*child));
	child->fake = fake;
	child->limits = *limits;
	child->pid = fake->next_pid != 0 ? fake->next_pid : FIRST_PID + (pid_t)fake->n_children;
	fake->next_pid = 0;
	child->at_ms = loop_elapsed_ms(fake->loop);
	snprintf(child->program, sizeof(child->program), "%s", strrchr(path, '/') + 1);
	snprintf(child->object, sizeof(child->object), "%s", argv[1]);
	ck_assert_str_eq(argv[0], child->program);
	while (argv[child->argc] != NULL)
		child->argc++;
	if (child->argc > 2)
		snprintf(child->job, sizeof(child->job), "%s", argv[2]);
	child->alive_fd = life[1];
	child->pidfd = life[0];
	clock_timer_init(&child->beat, loop_clock(fake->loop), on_beat, child);
	open_peer(child, chan[1]);
	fake->children[fake->n_children++] = child;
	*spawned = (struct spawn_child){ .pid = child->pid, .pidfd = life[0], .chan_fd = chan[0] };
	return 0;
}

static struct fake_child *
by_pidfd(struct fake *fake, int pidfd)
{
	for (size_t i = 0; i < fake->n_children; i++)
		if (fake->children[i]->pidfd == pidfd && !fake->children[i]->reaped)
			return fake->children[i];
	ck_abort_msg("no living child has the pidfd %d", pidfd);
	return NULL;
}

static int64_t
fake_stolen_ms(void *arg)
{
	return ((struct fake *)arg)->stolen_ms;
}

static int
fake_reap(void *arg, int pidfd, int *exit_code, char *text, size_t text_len)
{
	struct fake_child *child = by_pidfd(arg, pidfd);

	if (!child->ended || child->traced)
		return -EAGAIN;
	ck_assert_msg(child->group_killed, "%s %s: its group was left alone", child->program,
		      child->object);
	child->reaped = true;
	*exit_code = child->exit_code;
	snprintf(text, text_len, "%s", child->exit_text);
	return 0;
}

static int
fake_signal(void *arg, int pidfd, int signo)
{
	struct fake_child *child = by_pidfd(arg, pidfd);

	ck_assert_int_eq(signo, SIGKILL);
	ck_assert_msg(!child->killed, "%s %s: killed twice", child->program, child->object);
	child->killed = true;
	if (!child->unkillable)
		end_child(child, -1, "killed by SIGKILL");
	return 0;
}

static struct fake_child *
by_pid(struct fake *fake, pid_t pid)
{
	for (size_t i = 0; i < fake->n_children; i++)
		if (fake->children[i]->pid == pid)
			return fake->children[i];
	ck_abort_msg("no child has the pid %ld", (long)pid);
	return NULL;
}

static void
fake_kill_group(void *arg, pid_t pid)
{
	struct fake_child *child = by_pid(arg, pid);

	ck_assert_msg(child->ended && !child->reaped,
		      "the group of pid %ld may be another's by now", (long)pid);
	child->group_killed = true;
}

static int
fake_connect(void *arg, const struct sockaddr *addr, socklen_t len)
{
	struct fake *fake = arg;
	int fds[2];

	(void)len;
	fake->connects++;
	fake->last_connect_ms = loop_elapsed_ms(fake->loop);
	conf_address_format(addr, fake->last_connect);
	if (fake->network == FAKE_REFUSES)
		return -ECONNREFUSED;
	ck_assert_uint_lt(fake->n_network_fds, 2048);
	/* The reading end of a pipe is never writable: so is a connect without an answer. */
	if (fake->network == FAKE_SILENT)
		ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	else
		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	fake->network_fds[fake->n_network_fds++] = fds[1];
	return fds[0];
}

/* The least of the jitter: 20 % less. */
static uint32_t
fake_random(void *arg)
{
	(void)arg;
	return 0;
}

static int
fake_notify(void *arg, const char *state)
{
	struct fake *fake = arg;
	size_t len = strlen(fake->notified);

	snprintf(fake->notified + len, sizeof(fake->notified) - len, "%s", state);
	return 0;
}

static void
fake_stopped(void *arg)
{
	struct fake *fake = arg;

	ck_assert(!fake->stopped);
	fake->stopped = true;
}

static void
fake_free(void *arg)
{
	struct fake *fake = arg;

	sup_free(&fake->sup);
	for (size_t i = 0; i < fake->n_children; i++) {
		end_child(fake->children[i], 0, "");
		free(fake->children[i]);
	}
	for (size_t i = 0; i < fake->n_network_fds; i++)
		close(fake->network_fds[i]);
	fake_inherit_none(fake);
	free(fake);
}

struct fake *
fake_new(struct loop *loop)
{
	struct fake *fake = xcalloc(1, sizeof(*fake));

	fake->loop = loop;
	fake->listener = -1;
	fake->options = (struct sup_options){ .config = harness_tmpfile("camhub.yaml"),
					      .runtime_dir = harness_tmpfile("run"),
					      .libexec_dir = "/libexec",
					      .state_dir = harness_tmpfile("state"),
					      .web_dir = "/web" };
	fake->deps = (struct sup_deps){ .base = loop_base(loop),
					.clock = loop_clock(loop),
					.arg = fake,
					.spawn = fake_spawn,
					.reap = fake_reap,
					.stolen_ms = fake_stolen_ms,
					.signal = fake_signal,
					.kill_group = fake_kill_group,
					.connect = fake_connect,
					.random = fake_random,
					.notify = fake_notify,
					.stopped = fake_stopped };
	harness_defer(fake_free, fake);
	loop_hold_time(loop, true);
	fake_inherit(fake, false);
	return fake;
}

void
fake_inherit_none(struct fake *fake)
{
	if (fake->listener >= 0)
		close(fake->listener);
	fake->listener = -1;
}

void
fake_inherit(struct fake *fake, bool any)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(any ? INADDR_ANY : INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	fake_inherit_none(fake);
	fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fake->listener, (struct sockaddr *)&addr, len), 0);
	ck_assert_int_eq(listen(fake->listener, 128), 0);
	ck_assert_int_eq(getsockname(fake->listener, (struct sockaddr *)&addr, &len), 0);
	fake->port = ntohs(addr.sin_port);
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void
fake_config(struct fake *fake, const char *text)
{
	write_file(fake->options.config, text);
}

void
fake_credentials(struct fake *fake, const char *text)
{
	if (fake->options.credentials == NULL)
		fake->options.credentials = harness_tmpfile("cameras.cred");
	write_file(fake->options.credentials, text);
}

int
fake_try_start(struct fake *fake)
{
	int inherited = -1;

	if (fake->listener >= 0)
		inherited = fcntl(fake->listener, F_DUPFD_CLOEXEC, 0);
	fake->deps.inherited = &inherited;
	fake->deps.n_inherited = fake->listener >= 0;
	return sup_start(&fake->options, &fake->deps, &fake->sup);
}

void
fake_start(struct fake *fake)
{
	ck_assert_int_eq(fake_try_start(fake), 0);
	loop_settle(fake->loop);
}

struct fake *
fake_run(struct loop *loop, const char *config)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, config);
	fake_start(fake);
	return fake;
}

struct fake *
fake_run_with_login(struct loop *loop, const char *config)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, config);
	fake_credentials(fake, "c1:admin:s3cr3t-word\n");
	log_forbid("s3cr3t-word");
	fake_start(fake);
	return fake;
}

void
fake_wait_ms(struct fake *fake, int64_t ms)
{
	loop_run_for_ms(fake->loop, ms);
	loop_settle(fake->loop);
}

struct fake_child *
fake_find(struct fake *fake, const char *program, const char *object)
{
	loop_settle(fake->loop);
	for (size_t i = fake->n_children; i-- > 0;) {
		struct fake_child *child = fake->children[i];

		if (!child->ended && fnmatch(program, child->program, 0) == 0 &&
		    strcmp(child->object, object) == 0)
			return child;
	}
	return NULL;
}

struct fake_child *
fake_get(struct fake *fake, const char *program, const char *object)
{
	struct fake_child *child = fake_find(fake, program, object);

	if (child == NULL)
		ck_abort_msg("there is no %s %s", program, object);
	return child;
}

struct fake_child *
fake_worker(struct fake *fake, const char *stream)
{
	return fake_get(fake, FAKE_ANY_WORKER, stream);
}

struct fake_child *
fake_front(struct fake *fake)
{
	return fake_get(fake, "camhub-http", "http");
}

size_t
fake_count(const struct fake *fake, const char *program, const char *object)
{
	size_t n = 0;

	for (size_t i = 0; i < fake->n_children; i++)
		n += fnmatch(program, fake->children[i]->program, 0) == 0 &&
		     (object == NULL || strcmp(fake->children[i]->object, object) == 0);
	return n;
}

size_t
fake_living(const struct fake *fake)
{
	size_t n = 0;

	for (size_t i = 0; i < fake->n_children; i++)
		n += !fake->children[i]->ended;
	return n;
}

void
fake_say(struct fake_child *child, json_t *msg, int fd)
{
	ck_assert_int_eq(chan_send(peer_fd(child->peer), msg, fd), 0);
	json_decref(msg);
	if (fd >= 0)
		close(fd);
	loop_settle(child->fake->loop);
}

void
fake_say_bytes(struct fake_child *child, const char *bytes, size_t len)
{
	int fd = child->peer != NULL ? peer_fd(child->peer) : child->raw_fd;

	ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	loop_settle(child->fake->loop);
}

void
fake_ready(struct fake_child *child)
{
	json_t *msg = msg_new(MSG_READY);

	msg_set_str(msg, "version", "test");
	child->beats = true;
	clock_timer_set_ms(&child->beat, BEAT_MS);
	fake_say(child, msg, -1);
}

void
fake_input(struct fake_child *child, const char *state, const char *class, const char *reason)
{
	json_t *msg = msg_new(MSG_INPUT);

	msg_set_str(msg, "state", state);
	msg_set_str(msg, "class", class);
	msg_set_str(msg, "reason", reason);
	fake_say(child, msg, -1);
}

void
fake_up(struct fake_child *child)
{
	fake_ready(child);
	fake_input(child, "connecting", "none", NULL);
	fake_input(child, "up", "none", NULL);
}

static void
leave(struct fake_child *child, int code, const char *text)
{
	/* As the kernel does: the channel closes, the process is over. */
	if (child->peer != NULL)
		peer_close(child->peer);
	loop_settle(child->fake->loop);
	end_child(child, code, text);
	loop_settle(child->fake->loop);
}

void
fake_exit(struct fake_child *child, int code)
{
	char text[32];

	snprintf(text, sizeof(text), "exit %d", code);
	leave(child, code, text);
}

void
fake_crash(struct fake_child *child)
{
	fake_die(child, "SIGSEGV");
}

void
fake_die(struct fake_child *child, const char *signal)
{
	char text[32];

	snprintf(text, sizeof(text), "killed by %s", signal);
	leave(child, -1, text);
}

void
fake_fail(struct fake_child *child, const char *class, const char *reason)
{
	fake_input(child, "ended", class, reason);
	fake_exit(child, 75);
}

struct peer *
fake_ctl(struct fake *fake)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/ctl.sock", fake->options.runtime_dir);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return peer_new_chan(fake->loop, fd, MSG_TO_CTL, "camctl");
}

const json_t *
fake_ask(struct fake *fake, enum msg_type type, const char *field, const char *value)
{
	struct peer *ctl = fake_ctl(fake);
	json_t *msg = msg_new(type);

	if (field != NULL)
		msg_set_str(msg, field, value);
	peer_send_msg(ctl, msg, -1);
	return peer_get_msg(ctl, MSG_CTL_DONE, 0);
}

const json_t *
fake_camera(struct fake *fake, const char *stream)
{
	struct peer *ctl = fake_ctl(fake);
	json_t *msg = msg_new(MSG_CTL_STATUS);

	msg_set_str(msg, "camera", stream);
	peer_send_msg(ctl, msg, -1);
	return peer_get_msg(ctl, MSG_CTL_CAMERA, 0);
}

void
fake_assert_state(struct fake *fake, const char *stream, const char *state)
{
	const json_t *camera = fake_camera(fake, stream);

	ck_assert_msg(strcmp(msg_str(camera, "state"), state) == 0, "%s: expected %s, is %s (%s)",
		      stream, state, msg_str(camera, "state"), msg_str(camera, "reason"));
}

struct fake_child *
fake_synced_front(struct fake *fake)
{
	struct fake_child *front = fake_front(fake);

	peer_get_msg(front->peer, MSG_STREAMS_SYNCED, 0);
	fake_ready(front);
	return front;
}

uint32_t
fake_id_of(struct fake *fake, const char *name)
{
	struct sup_stream *stream;

	for (stream = TAILQ_FIRST(&fake->sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (strcmp(stream->name, name) == 0)
			return stream->id;
	ck_abort_msg("no stream %s", name);
	return 0;
}
