/*
 * The tap's socket: accept, messages in, messages out, and the end of who breaks the rules.
 */
#include "config.h"

#include "supervisor/sup_tap_int.h"

#include "shared/chan_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_child_ev.h"

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
#define ACCEPT_PER_TURN 8
#define TEXT_MAX        160

static void
client_free(struct sup_tap_client *client)
{
	struct sup_tap *tap = client->tap;

	TAILQ_REMOVE(&tap->clients, client, entry);
	tap->n_clients--;
	clock_timer_cancel(&client->timer);
	sup_tap_leave(client);
	chan_ev_free(&client->chan);
	free(client);
}

static const char *
name_of(const struct sup_tap_client *client)
{
	return client->is_known ? client->name : "a program";
}

static void
blame(struct sup_tap_client *client, const char *why)
{
	if (sup_tap_may_log(client->tap))
		log_warn("tap: %s (process %ld of user %ld) was cut off: %s", name_of(client),
			 (long)client->pid, (long)client->uid, why);
	sup_tap_note_fault(client->tap, client->uid);
}

/* From the loop: its caller may be in the list of clients. */
static void
cut_off(struct sup_tap_client *client, const char *why)
{
	json_t *msg;

	if (client->is_cut_off)
		return;
	blame(client, why);
	msg = msg_new(MSG_TAP_REFUSED);
	msg_set_str(msg, "text", why);
	client->is_cut_off = true;
	(void)chan_ev_send(client->chan, msg, -1);
	clock_timer_set_ms(&client->timer, 0);
}

void
sup_tap_send(struct sup_tap_client *client, json_t *msg)
{
	bool is_full = chan_ev_queued(client->chan) >= SUP_TAP_QUEUE_MAX;

	if (client->is_cut_off || is_full)
		json_decref(msg);
	else
		is_full = chan_ev_send(client->chan, msg, -1) == -ENOBUFS;
	if (is_full)
		cut_off(client, "it does not read what it is told");
}

static void
on_timer(struct clock_timer *timer, void *arg)
{
	struct sup_tap_client *client = arg;

	(void)timer;
	if (!client->is_cut_off)
		cut_off(client, "it did not say who it is");
	client_free(client);
}

static void
on_close(void *arg, const char *reason)
{
	struct sup_tap_client *client = arg;

	if (strncmp(reason, "peer closed", 11) != 0)
		blame(client, reason);
	else if (client->is_known && sup_tap_may_log(client->tap))
		log_notice("tap: analyser %s (process %ld) has left", client->name,
			   (long)client->pid);
	client_free(client);
}

static bool
is_restless(struct sup_tap_client *client)
{
	return rate_count(&client->messages, SUP_TAP_WINDOW_MS * NS_PER_MS,
			  sup_now_ns(client->tap->sup)) > SUP_TAP_MESSAGES;
}

static void
on_hello(struct sup_tap_client *client, const json_t *msg)
{
	char text[TEXT_MAX];

	if (sup_tap_hello(client, msg, text, sizeof(text)))
		clock_timer_cancel(&client->timer);
	else
		cut_off(client, text);
	/* Who does not read its welcome is gone already. */
	if (client->is_cut_off)
		clock_timer_set_ms(&client->timer, 0);
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct sup_tap_client *client = arg;

	if (fd >= 0)
		close(fd);
	if (client->is_cut_off)
		return;
	if (is_restless(client))
		cut_off(client, "it asks too often");
	else if (type == MSG_TAP_HELLO)
		on_hello(client, msg);
	else if (!client->is_known)
		cut_off(client, "it did not say who it is");
	else if (type == MSG_TAP_WANT)
		sup_tap_want(client, msg);
	else if (type == MSG_TAP_REPLAY)
		sup_tap_replay(client, msg);
}

/* Children have the same user; none has any business here. */
static bool
is_child(const struct sup_tap *tap, pid_t pid)
{
	char *name = sup_child_name_of(tap->sup, pid);

	if (name == NULL)
		return false;
	log_err("tap: %s (process %ld) plays an analyser: refused, somebody may be inside it", name,
		(long)pid);
	free(name);
	return true;
}

static void
client_new(struct sup_tap *tap, int fd)
{
	static const struct chan_ev_ops ops = { .on_msg = on_msg, .on_close = on_close };
	struct sup_tap_client *client;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (tap->n_clients >= SUP_TAP_CLIENTS_MAX) {
		if (sup_tap_may_log(tap))
			log_info("tap: more than %d at once, one was refused", SUP_TAP_CLIENTS_MAX);
		close(fd);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || is_child(tap, peer.pid) ||
	    !sup_tap_lets_in(tap, peer.uid)) {
		close(fd);
		return;
	}
	client = xcalloc(1, sizeof(*client));
	client->tap = tap;
	client->pid = peer.pid;
	client->uid = peer.uid;
	client->id = ++tap->sup->last_subscriber;
	client->since_ms = sup_realtime_ms(tap->sup);
	TAILQ_INIT(&client->wants);
	TAILQ_INIT(&client->reports);
	client->chan = chan_ev_new(tap->sup->deps.base, fd, MSG_FROM_TAP, &ops, client);
	chan_ev_limit(client->chan, SUP_TAP_MAX_BYTES);
	clock_timer_init(&client->timer, tap->sup->deps.clock, on_timer, client);
	clock_timer_set_ms(&client->timer, SUP_TAP_HELLO_MS);
	TAILQ_INSERT_TAIL(&tap->clients, client, entry);
	tap->n_clients++;
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct sup_tap *tap = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_PER_TURN; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			client_new(tap, fd);
			continue;
		}
		/* A listener that cannot be emptied would spin the loop. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn("tap: %s, nobody is let in for a moment", strerror(errno));
			event_del(tap->ev);
			clock_timer_set_ms(&tap->pause, ACCEPT_PAUSE_MS);
		}
		return;
	}
}

static void
on_pause_over(struct clock_timer *timer, void *arg)
{
	struct sup_tap *tap = arg;

	(void)timer;
	event_add(tap->ev, NULL);
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
	/* Its mode comes later: until then it is ours alone. */
	old = umask(0177);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = -errno;
	} else if (listen(fd, SUP_TAP_CLIENTS_MAX) < 0) {
		rc = -errno;
		unlink(path);
	}
	umask(old);
	if (rc < 0)
		close(fd);
	else
		*listen_fd = fd;
	return rc;
}

static int
start(struct sup_tap *tap)
{
	int rc;

	if (tap->path == NULL)
		tap->path = xasprintf("%s/tap.sock", tap->sup->dirs.bus);
	rc = listen_at(tap->path, &tap->fd);
	if (rc < 0)
		return rc;
	tap->ev = event_new(tap->sup->deps.base, tap->fd, EV_READ | EV_PERSIST, on_accept, tap);
	if (tap->ev == NULL)
		xalloc_die();
	event_add(tap->ev, NULL);
	return 0;
}

int
sup_tap_apply(struct sup_tap *tap)
{
	const struct conf *conf = sup_settings(tap->sup);
	int rc = tap->fd >= 0 ? 0 : start(tap);

	if (rc == 0)
		rc = sup_tap_list_open(tap);
	if (rc == 0 && conf->bus_gid != (gid_t)-1 &&
	    lchown(tap->path, (uid_t)-1, conf->bus_gid) < 0 && errno != EPERM)
		rc = -errno;
	if (rc == 0 && chmod(tap->path, (mode_t)conf->bus_mode) < 0)
		rc = -errno;
	if (rc < 0)
		log_err("tap: %s: %s, no analyser can connect", tap->path, strerror(-rc));
	sup_tap_list_soon(tap);
	return rc;
}

struct sup_tap *
sup_tap_new(struct sup *sup)
{
	struct sup_tap *tap = xcalloc(1, sizeof(*tap));

	tap->sup = sup;
	tap->fd = -1;
	TAILQ_INIT(&tap->clients);
	clock_timer_init(&tap->pause, sup->deps.clock, on_pause_over, tap);
	sup_tap_list_init(tap);
	return tap;
}

void
sup_tap_free(struct sup_tap **tap)
{
	struct sup_tap *old = *tap;

	if (old == NULL)
		return;
	while (!TAILQ_EMPTY(&old->clients))
		client_free(TAILQ_FIRST(&old->clients));
	*tap = NULL;
	clock_timer_cancel(&old->pause);
	if (old->ev != NULL)
		event_free(old->ev);
	if (old->fd >= 0)
		close(old->fd);
	sup_tap_list_free(old);
	free(old->path);
	free(old);
}
