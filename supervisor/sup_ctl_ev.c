/*
 * camctl's side door: accept, one request after the other, answers queued by the channel.
 */
#include "config.h"

#include "supervisor/sup_ctl_ev.h"

#include "shared/chan_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_access.h"
#include "supervisor/sup_analysers.h"
#include "supervisor/sup_auth.h"
#include "supervisor/sup_child_ev.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_rtc.h"
#include "supervisor/sup_status.h"
#include "supervisor/sup_stream.h"
#include "supervisor/sup_viewers.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPT_PAUSE_MS 1000
#define TEXT_MAX        16384

struct client {
	TAILQ_ENTRY(client) entry;
	struct sup_ctl *ctl;
	struct chan_ev *chan;
	struct clock_timer idle;
	struct ucred peer;
	struct sup_auth_job *job; /* a password is being hashed for it */
	char user[65];            /* whose */
};

TAILQ_HEAD(clients, client);

struct sup_ctl {
	struct sup *sup;
	int fd;
	struct event *ev;
	struct clock_timer pause;
	struct clients clients;
	size_t n_clients;
};

static void
client_free(struct client *client)
{
	struct sup_ctl *ctl = client->ctl;

	TAILQ_REMOVE(&ctl->clients, client, entry);
	ctl->n_clients--;
	clock_timer_cancel(&client->idle);
	sup_auth_cancel(&client->job);
	chan_ev_free(&client->chan);
	free(client);
}

static void
on_idle(struct clock_timer *timer, void *arg)
{
	(void)timer;
	client_free(arg);
}

static void
on_close(void *arg, const char *reason)
{
	struct client *client = arg;

	if (strncmp(reason, "peer closed", 11) != 0)
		log_info("ctl: process %ld of user %ld was cut off: %s", (long)client->peer.pid,
			 (long)client->peer.uid, reason);
	client_free(client);
}

static void
reply(struct client *client, json_t *msg)
{
	/* A client that reads nothing loses its answers and then, idle, its connection. */
	(void)chan_ev_send(client->chan, msg, -1);
}

static void
done(struct client *client, int code, const char *text)
{
	json_t *msg = msg_new(MSG_CTL_DONE);
	char fits[TEXT_MAX + 1];

	snprintf(fits, sizeof(fits), "%s", text);
	msg_set_int(msg, "code", code);
	msg_set_str(msg, "text", fits);
	reply(client, msg);
}

static void
on_status(struct client *client, const json_t *msg)
{
	struct sup *sup = client->ctl->sup;
	const char *camera = msg_str(msg, "camera");
	struct sup_stream *stream;
	struct sup_front *front;
	bool found = camera[0] == '\0';

	reply(client, sup_status_supervisor(sup));
	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		if (camera[0] == '\0')
			reply(client, sup_status_front(front));
	if (camera[0] == '\0' && sup_auth_is_wanted(sup))
		reply(client, sup_auth_status(sup));
	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry)) {
		if (stream->conf == NULL ||
		    (camera[0] != '\0' && strcmp(camera, stream->name) != 0 &&
		     strcmp(camera, stream->conf->camera->name) != 0))
			continue;
		reply(client, sup_status_camera(sup, stream));
		found = true;
	}
	done(client, found ? 0 : 1, found ? "" : "there is no such camera");
}

static void
on_reload(struct client *client, const json_t *msg)
{
	char *text = NULL;
	int rc;

	(void)msg;
	rc = sup_reload(client->ctl->sup, &text);
	done(client, rc < 0 ? 1 : 0, text);
	free(text);
}

static unsigned
restart_streams(struct sup *sup, const char *what)
{
	struct sup_stream *stream;
	unsigned n = 0;

	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry)) {
		if (stream->conf == NULL || (strcmp(what, stream->name) != 0 &&
					     strcmp(what, stream->conf->camera->name) != 0))
			continue;
		sup_stream_event(stream, SUP_EVENT_RESTART);
		n++;
	}
	return n;
}

static void
on_restart(struct client *client, const json_t *msg)
{
	struct sup *sup = client->ctl->sup;
	const char *what = msg_str(msg, "what");

	if (restart_streams(sup, what) > 0)
		done(client, 0, "");
	else if (sup_front_restart(sup, what) > 0)
		done(client, 0, "starting anew; viewers stay where they are until they leave");
	else if (strcmp(what, SUP_RTC_NAME) == 0 && sup_rtc_restart(sup))
		done(client, 0, "starting anew; the pages that used it are back at once");
	else
		done(client, 1, "there is no such camera");
}

static void
on_log_level(struct client *client, const json_t *msg)
{
	enum log_level level;

	if (log_level_from_name(msg_str(msg, "level"), &level) < 0) {
		done(client, 2, "log levels are err, warn, notice, info and debug");
		return;
	}
	sup_set_log_level(client->ctl->sup, level);
	done(client, 0, "");
}

static void
on_version(struct client *client, const json_t *msg)
{
	(void)msg;
	done(client, 0, PACKAGE_VERSION);
}

static void
on_hash(void *arg, const char *hash)
{
	struct client *client = arg;
	char text[SUP_ACCESS_TEXT_MAX] = "the password could not be hashed, try again";
	int code = 1;

	client->job = NULL;
	clock_timer_set_ms(&client->idle, SUP_CTL_IDLE_MS);
	if (hash != NULL)
		code = sup_access_set_hash(client->ctl->sup, client->user, hash, text);
	done(client, code, text);
}

static void
on_passwd(struct client *client, const json_t *msg)
{
	struct sup *sup = client->ctl->sup;
	char text[SUP_ACCESS_TEXT_MAX] = "too many passwords are being looked at, try again";
	int code = 1;

	snprintf(client->user, sizeof(client->user), "%s", msg_str(msg, "user"));
	if (client->job != NULL) {
		snprintf(text, sizeof(text), "one after the other");
	} else if (json_object_get(msg, "password") == NULL) {
		code = sup_access_set_hash(sup, client->user, NULL, text);
	} else if (sup_access_may_have(sup, client->user, text) == 0) {
		client->job = sup_auth_make(sup, msg_str(msg, "password"), on_hash, client);
		if (client->job != NULL) {
			/* The hash has all the time it needs. */
			clock_timer_cancel(&client->idle);
			return;
		}
	}
	done(client, code, text);
}

static void
on_token(struct client *client, const json_t *msg)
{
	struct sup *sup = client->ctl->sup;
	char text[SUP_ACCESS_TEXT_MAX];
	int code = sup_access_token(sup, msg, text);

	/* Where the link leads to. */
	if (code == 0)
		reply(client, sup_status_supervisor(sup));
	done(client, code, text);
}

static void
on_revoke(struct client *client, const json_t *msg)
{
	char text[SUP_ACCESS_TEXT_MAX];
	int code = sup_access_revoke(client->ctl->sup, msg, text);

	done(client, code, text);
}

static void
on_one(json_t *msg, void *arg)
{
	reply(arg, msg);
}

static void
on_viewers(struct client *client, const json_t *msg)
{
	(void)msg;
	sup_viewers_each(client->ctl->sup, on_one, client);
	done(client, 0, "");
}

static void
on_analysers(struct client *client, const json_t *msg)
{
	(void)msg;
	sup_analysers_each(client->ctl->sup, on_one, client);
	done(client, 0, "");
}

static void
on_kick(struct client *client, const json_t *msg)
{
	unsigned n = sup_viewers_kick(client->ctl->sup, msg_str(msg, "what"));
	char text[64];

	snprintf(text, sizeof(text), "%u sent away", n);
	done(client, n > 0 ? 0 : 1, n > 0 ? text : "nobody of that id, name or address watches");
}

static const struct {
	enum msg_type type;
	const char *what; /* logged, NULL: only looks */
	void (*handle)(struct client *client, const json_t *msg);
} requests[] = {
	{ MSG_CTL_STATUS, NULL, on_status },
	{ MSG_CTL_RELOAD, "reload", on_reload },
	{ MSG_CTL_RESTART, "restart", on_restart },
	{ MSG_CTL_LOG_LEVEL, "set-log-level", on_log_level },
	{ MSG_CTL_VERSION, NULL, on_version },
	{ MSG_CTL_PASSWD, "passwd", on_passwd },
	{ MSG_CTL_TOKEN, "token", on_token },
	{ MSG_CTL_REVOKE, "revoke", on_revoke },
	{ MSG_CTL_VIEWERS, NULL, on_viewers },
	{ MSG_CTL_KICK, "kick", on_kick },
	{ MSG_CTL_ANALYSERS, NULL, on_analysers },
};

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct client *client = arg;

	if (fd >= 0)
		close(fd);
	clock_timer_set_ms(&client->idle, SUP_CTL_IDLE_MS);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].type != type)
			continue;
		if (requests[i].what != NULL)
			log_notice("ctl: %s asked by process %ld of user %ld", requests[i].what,
				   (long)client->peer.pid, (long)client->peer.uid);
		requests[i].handle(client, msg);
		return;
	}
}

/* Children have the same user, so the socket is open to them: one that was taken over would have
 * itself given a password or a token. None has any business here. */
static bool
is_child(const struct sup_ctl *ctl, pid_t pid)
{
	char *name = sup_child_name_of(ctl->sup, pid);

	if (name == NULL)
		return false;
	log_err("ctl: %s (process %ld) asks for what only people may: refused, somebody may be "
		"inside it",
		name, (long)pid);
	free(name);
	return true;
}

static void
client_new(struct sup_ctl *ctl, int fd)
{
	static const struct chan_ev_ops ops = { .on_msg = on_msg, .on_close = on_close };
	struct client *client;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (ctl->n_clients >= SUP_CTL_CLIENTS_MAX) {
		log_info("ctl: more than %d clients at once, one was refused", SUP_CTL_CLIENTS_MAX);
		close(fd);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || is_child(ctl, peer.pid)) {
		close(fd);
		return;
	}
	client = xcalloc(1, sizeof(*client));
	client->ctl = ctl;
	client->peer = peer;
	log_debug("ctl: process %ld of user %ld is here", (long)client->peer.pid,
		  (long)client->peer.uid);
	client->chan = chan_ev_new(ctl->sup->deps.base, fd, MSG_FROM_CTL, &ops, client);
	chan_ev_limit(client->chan, SUP_CTL_REQUEST_MAX_BYTES);
	clock_timer_init(&client->idle, ctl->sup->deps.clock, on_idle, client);
	clock_timer_set_ms(&client->idle, SUP_CTL_IDLE_MS);
	TAILQ_INSERT_TAIL(&ctl->clients, client, entry);
	ctl->n_clients++;
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct sup_ctl *ctl = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd >= 0) {
		client_new(ctl, fd);
		return;
	}
	/* A listener that cannot be emptied would spin the loop. */
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		log_warn("ctl: %s, no clients for a moment", strerror(errno));
		event_del(ctl->ev);
		clock_timer_set_ms(&ctl->pause, ACCEPT_PAUSE_MS);
	}
}

static void
on_pause_over(struct clock_timer *timer, void *arg)
{
	struct sup_ctl *ctl = arg;

	(void)timer;
	event_add(ctl->ev, NULL);
}

static int
listen_at(const char *path, int *listen_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 0;
	mode_t old;

	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	/* Between bind and chmod nobody may slip in. */
	old = umask(0777 & ~SUP_CTL_MODE);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, SUP_CTL_CLIENTS_MAX) < 0)
		rc = -errno;
	umask(old);
	if (rc < 0)
		close(fd);
	else
		*listen_fd = fd;
	return rc;
}

int
sup_ctl_new(struct sup *sup, struct sup_ctl **ctl, char *err, size_t err_len)
{
	struct sup_ctl *new_ctl;
	int fd = -1, rc = listen_at(sup->dirs.ctl, &fd);

	if (rc < 0) {
		snprintf(err, err_len, "%s: cannot listen: %s", sup->dirs.ctl, strerror(-rc));
		return rc;
	}
	new_ctl = xcalloc(1, sizeof(*new_ctl));
	new_ctl->sup = sup;
	new_ctl->fd = fd;
	TAILQ_INIT(&new_ctl->clients);
	clock_timer_init(&new_ctl->pause, sup->deps.clock, on_pause_over, new_ctl);
	new_ctl->ev = event_new(sup->deps.base, fd, EV_READ | EV_PERSIST, on_accept, new_ctl);
	if (new_ctl->ev == NULL)
		xalloc_die();
	event_add(new_ctl->ev, NULL);
	*ctl = new_ctl;
	return 0;
}

void
sup_ctl_free(struct sup_ctl **ctl)
{
	struct sup_ctl *old = *ctl;

	*ctl = NULL;
	if (old == NULL)
		return;
	while (!TAILQ_EMPTY(&old->clients))
		client_free(TAILQ_FIRST(&old->clients));
	clock_timer_cancel(&old->pause);
	event_free(old->ev);
	close(old->fd);
	free(old);
}
