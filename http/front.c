/*
 * The context of the front, and what the supervisor says to it.
 */
#include "config.h"

#include "http/front.h"

#include "http/access_ask.h"
#include "http/drain.h"
#include "http/gate.h"
#include "http/listen.h"
#include "http/names.h"
#include "http/pages.h"
#include "http/pass.h"
#include "http/results.h"
#include "http/rtc_ask.h"
#include "http/snapshot.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/viewer.h"
#include "http/wall.h"
#include "shared/bus.h"
#include "shared/child_ev.h"
#include "shared/clock_ev.h"
#include "shared/log.h"
#include "shared/sandbox.h"
#include "shared/xalloc.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MS  1000
#define PRIORITIES 2 /* frames of cameras, and all else */
/* However much else there is to do, new frames are looked for so often. */
#define FRAMES_WAIT_US 1000

bool
front_is_ready(const struct front *front)
{
	return front->configured && front->synced;
}

int64_t
front_now_ms(const struct front *front)
{
	return clock_realtime_ns(front->clock) / NS_PER_MS;
}

void
front_send(struct front *front, json_t *msg, int pass_fd)
{
	/* A supervisor that reads nothing is noticed by its own watchdog. */
	(void)child_ev_send(front->child, msg, pass_fd);
}

static void
on_report(struct clock_timer *timer, void *arg)
{
	struct front *front = arg;
	const struct stream *stream;
	json_t *msg = msg_new(MSG_FRONT_TOTALS);

	clock_timer_set_ms(timer, REPORT_MS);
	pass_review(front);
	for (stream = LIST_FIRST(&front->streams); stream != NULL;
	     stream = LIST_NEXT(stream, entry))
		front_send(front, stream_report(stream), -1);
	results_report(front->results);
	msg_set_int(msg, "connections", listeners_connections(front->listeners));
	msg_set_int(msg, "requests", (long long)front->requests);
	msg_set_int(msg, "viewers", front->n_viewers);
	msg_set_int(msg, "bytes_sent", (long long)front->bytes_sent);
	msg_set_int(msg, "bus_lingering", bus_sub_lingering());
	front_send(front, msg, -1);
}

/* Configuration */

static void
free_strings(char ***strings)
{
	for (char **string = *strings; string != NULL && *string != NULL; string++)
		free(*string);
	free(*strings);
	*strings = NULL;
}

static void
set_strings(char ***strings, const json_t *list)
{
	const json_t *item;
	size_t i;

	free_strings(strings);
	*strings = xcalloc(json_array_size(list) + 1, sizeof(char *));
	json_array_foreach (list, i, item)
		(*strings)[i] = xstrdup(json_string_value(item));
}

static void
set_origins(struct front *front, const json_t *list)
{
	const json_t *item;
	char *ancestors = xstrdup(""), *longer;
	size_t i, n = 0;

	free_strings(&front->config.origins);
	front->config.origins = xcalloc(json_array_size(list) + 1, sizeof(char *));
	json_array_foreach (list, i, item) {
		const char *origin = json_string_value(item);

		/* It ends up in a header. */
		if (origin[0] == '\0' || strpbrk(origin, " \t\r\n;,'\"") != NULL)
			continue;
		front->config.origins[n++] = xstrdup(origin);
		longer = xasprintf("%s %s", ancestors, origin);
		free(ancestors);
		ancestors = longer;
	}
	free(front->csp);
	front->csp = xasprintf("default-src 'self'; media-src 'self' blob:; "
			       "img-src 'self' blob:; connect-src 'self'; object-src 'none'; "
			       "base-uri 'none'; frame-ancestors 'self'%s",
			       ancestors);
	free(ancestors);
}

static void
set_secret(char **secret, const char *text)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = text[0] != '\0' ? xstrdup(text) : NULL;
}

/* What players are told of WebRTC. */
static void
set_webrtc(struct front_config *config, const json_t *msg)
{
	config->webrtc = msg_bool(msg, "webrtc", false);
	set_strings(&config->ice_servers, json_object_get(msg, "ice_servers"));
	set_secret(&config->ice_user, msg_str(msg, "ice_user"));
	set_secret(&config->ice_password, msg_str(msg, "ice_password"));
}

static void
on_config(struct front *front, const json_t *msg)
{
	struct front_config *config = &front->config;
	enum log_level level;

	if (log_level_from_name(msg_str(msg, "log_level"), &level) == 0)
		log_set_level(level);
	set_origins(front, json_object_get(msg, "embed_origins"));
	set_strings(&config->own_origins, json_object_get(msg, "origins"));
	set_strings(&config->hosts, json_object_get(msg, "hosts"));
	set_webrtc(config, msg);
	config->tls = msg_bool(msg, "tls", false);
	config->hsts = msg_bool(msg, "hsts", false);
	listeners_set_max_per_address(front->listeners,
				      (unsigned)msg_int(msg, "max_per_address", 0));
	config->max_viewers = (unsigned)msg_int(msg, "max_viewers", 0);
	config->viewer_lag_bytes = (uint64_t)msg_int(msg, "viewer_lag_bytes", 0);
	config->request_deadline_ms = msg_int(msg, "request_deadline_ms", 0);
	config->live_target_ms = msg_int(msg, "live_target_ms", 0);
	config->snapshot_timeout_ms = msg_int(msg, "snapshot_timeout_ms", 0);
	/* Streams that exist keep theirs. */
	config->subscriber = (uint32_t)msg_int(msg, "subscriber", 0);
	config->ring_bytes = (size_t)msg_int(msg, "ring_bytes", 0);
	if (front->assets == NULL && front->role->has_pages)
		front->assets = assets_load(msg_str(msg, "web_dir"));
	if (!front->configured && front->confine != NULL)
		child_ev_set_sandbox(front->child, front->confine(front->role));
	if (!front->configured)
		child_ev_ready(front->child);
	front->configured = true;
	if (!clock_timer_is_set(&front->report))
		clock_timer_set_ms(&front->report, REPORT_MS);
}

static void
on_stream_gone(struct front *front, const json_t *msg)
{
	struct stream *stream = stream_find_id(front, msg_int(msg, "id", 0));

	stream_free(&stream);
}

static void
tell_tls(struct front *front, bool ok, const char *text)
{
	json_t *msg = msg_new(MSG_TLS_STATE);

	msg_set_bool(msg, "ok", ok);
	msg_set_str(msg, "text", text);
	front_send(front, msg, -1);
}

/* A bad one changes nothing: connections go on with the one before, or there are none. */
static void
on_tls_identity(struct front *front, int fd)
{
	char why[TLS_TEXT_MAX];
	struct tls *tls = NULL;

	if (tls_new_from_fd(fd, &tls, why) == 0) {
		log_notice("http: TLS with the %s", tls_text(tls));
		tell_tls(front, true, tls_text(tls));
		listeners_set_tls(front->listeners, tls);
	} else {
		log_err("http: TLS: %s; %s", why,
			listeners_tls(front->listeners) != NULL ? "the certificate before it stays"
								: "nothing is served");
		tell_tls(front, false, why);
	}
	close(fd);
}

static void
on_listener(struct front *front, const json_t *msg, int fd)
{
	/* Never in clear where it was to be encrypted. */
	if (front->config.tls && listeners_tls(front->listeners) == NULL) {
		close(fd);
		front->stopped = true;
		front->exit_code = CHILD_EXIT_WRONG_CONFIG;
		event_base_loopbreak(front->base);
		return;
	}
	front->is_reached |= !names_is_loopback(msg_str(msg, "address"));
	if (listeners_add(front->listeners, fd, msg_str(msg, "address")) < 0)
		log_err("http: cannot serve %s: no memory", msg_str(msg, "address"));
}

static void
on_access_keys(struct front *front, const json_t *msg)
{
	if (gate_set_keys(front->gate, msg) < 0) {
		/* What is not understood must not open anything: the next front may fare better. */
		log_err("%s: who may watch cannot be read, leaving", front->role->name);
		front->stopped = true;
		front->exit_code = CHILD_EXIT_RETRY;
		event_base_loopbreak(front->base);
		return;
	}
	pass_review(front);
}

static void
on_rtc_link(struct front *front, const json_t *msg)
{
	struct wall *wall;

	for (wall = LIST_FIRST(&front->walls); wall != NULL; wall = LIST_NEXT(wall, in_front))
		wall_on_rtc_link(wall, msg_str(msg, "session"), msg_str(msg, "link"));
}

/* Pages need not find out for themselves that their sessions are gone. */
static void
on_rtc_state(struct front *front, const json_t *msg)
{
	struct wall *wall;

	front->is_rtc_away = !msg_bool(msg, "ready", false);
	for (wall = LIST_FIRST(&front->walls); wall != NULL; wall = LIST_NEXT(wall, in_front))
		wall_on_rtc_state(wall);
}

static void
on_drain(struct front *front, const json_t *msg)
{
	if (front->drain != NULL)
		return;
	front->drain = drain_new(front, msg_int(msg, "deadline_ms", 0));
	if (front->role->on_drain != NULL)
		front->role->on_drain(front);
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct front *front = arg;

	switch (type) {
	case MSG_FRONT_CONFIG:
		on_config(front, msg);
		break;
	case MSG_LISTENER:
		on_listener(front, msg, fd);
		return;
	case MSG_TLS_IDENTITY:
		on_tls_identity(front, fd);
		return;
	case MSG_STREAM:
		if (front->configured)
			stream_announce(front, msg);
		break;
	case MSG_STREAM_GONE:
		on_stream_gone(front, msg);
		break;
	case MSG_ANALYSER:
		results_announce(front->results, msg);
		break;
	case MSG_ANALYSER_GONE:
		results_gone(front->results, (uint32_t)msg_int(msg, "id", 0));
		break;
	case MSG_STREAMS_SYNCED:
		front->synced = true;
		break;
	case MSG_ACCESS_KEYS:
		on_access_keys(front, msg);
		break;
	case MSG_AUTH_RESULT:
		access_asks_result(front->asks, msg);
		break;
	case MSG_KICK:
		pass_kick(front, msg_int(msg, "id", 0));
		break;
	case MSG_DRAIN:
		on_drain(front, msg);
		break;
	case MSG_RTC_STATE:
		on_rtc_state(front, msg);
		break;
	case MSG_RTC_LINK:
		on_rtc_link(front, msg);
		break;
	case MSG_RTC_ANSWER:
		rtc_asks_answer(front->rtc_asks, msg);
		break;
	case MSG_SNAPSHOT_DONE:
		snapshot_done(front, msg, fd);
		return;
	default:
		if (front->role->on_msg != NULL && front->role->on_msg(front, type, msg, fd))
			return;
		log_warn("%s: nothing to do with %s", front->role->name, msg_str(msg, "type"));
		break;
	}
	if (fd >= 0)
		close(fd);
}

static void
on_stop(void *arg, bool asked)
{
	struct front *front = arg;

	if (asked && front->role->on_drain != NULL)
		front->role->on_drain(front);
	front->stopped = true;
	front->exit_code = asked ? CHILD_EXIT_ASKED : CHILD_EXIT_RETRY;
	event_base_loopbreak(front->base);
}

const struct front_role front_http = {
	.program = "camhub-http",
	.name = "http",
	.receives = MSG_TO_FRONT,
	.sandbox = SANDBOX_HTTP,
	.has_pages = true,
};

struct front *
front_new(struct event_base *base, struct clock *clock, int fd)
{
	return front_new_as(&front_http, base, clock, fd);
}

struct front *
front_new_as(const struct front_role *role, struct event_base *base, struct clock *clock, int fd)
{
	static const struct child_ev_ops ops = { .on_msg = on_msg, .on_stop = on_stop };
	struct front *front = xcalloc(1, sizeof(*front));

	front->role = role;
	front->base = base;
	front->clock = clock;
	LIST_INIT(&front->streams);
	LIST_INIT(&front->viewers);
	LIST_INIT(&front->walls);
	LIST_INIT(&front->passes);
	clock_timer_init(&front->report, clock, on_report, front);
	front->started_ms = front_now_ms(front);
	front->gate = gate_new(clock);
	front->asks = access_asks_new(front);
	front->listeners = listeners_new(front);
	front->snapshots = snapshots_new(front);
	front->results = results_new(front);
	front->rtc_asks = rtc_asks_new(front);
	front->child = child_ev_new(base, clock, fd, role->receives, &ops, front);
	if (role->begin != NULL)
		role->begin(front);
	return front;
}

void
front_free(struct front **front)
{
	struct front *old = *front;

	if (old == NULL)
		return;
	*front = NULL;
	clock_timer_cancel(&old->report);
	drain_free(&old->drain);
	if (old->role->end != NULL)
		old->role->end(old);
	/* Requests that wait for pictures hold on to the streams: they go first. */
	listeners_free(&old->listeners);
	access_asks_free(&old->asks);
	while (!LIST_EMPTY(&old->viewers)) {
		struct viewer *viewer = LIST_FIRST(&old->viewers);

		viewer_free(&viewer);
	}
	while (!LIST_EMPTY(&old->walls)) {
		struct wall *wall = LIST_FIRST(&old->walls);

		wall_free(&wall);
	}
	while (!LIST_EMPTY(&old->streams)) {
		struct stream *stream = LIST_FIRST(&old->streams);

		stream_free(&stream);
	}
	snapshots_free(&old->snapshots);
	results_free(&old->results);
	rtc_asks_free(&old->rtc_asks);
	child_ev_free(&old->child);
	gate_free(&old->gate);
	assets_free(&old->assets);
	free_strings(&old->config.origins);
	free_strings(&old->config.own_origins);
	free_strings(&old->config.hosts);
	free_strings(&old->config.ice_servers);
	set_secret(&old->config.ice_user, "");
	set_secret(&old->config.ice_password, "");
	free(old->csp);
	free(old);
}

/* Its pages are in memory, its sockets are given to it: no file, and no socket but those of the
 * bus. */
static const char *
confine(const struct front_role *role)
{
	static struct sandbox_facts facts = { .report_fd = CHILD_FD };
	static struct sandbox_report report;
	int rc;

	facts.object = role->name;
	/* Threads that are there already would escape Landlock. */
	rc = sandbox_enter(role->sandbox, SANDBOX_EARLY, &facts, &report);
	if (rc == 0)
		rc = bus_start();
	if (rc == 0)
		rc = sandbox_enter(role->sandbox, SANDBOX_RUNNING, &facts, &report);
	if (rc < 0)
		log_err("%s: not locked in: %s", role->name, strerror(-rc));
	return report.text;
}

static int
run(const struct front_role *role)
{
	static const struct timeval frames_wait = { .tv_usec = FRAMES_WAIT_US };
	struct event_config *event_config = event_config_new();
	struct event_base *base;
	struct clock *clock = clock_new();
	struct clock_ev *clock_ev;
	struct front *front;

	if (event_config == NULL)
		xalloc_die();
	/* Taking sockets away relies on events being gone from the kernel at once. */
	event_config_set_flag(event_config, EVENT_BASE_FLAG_IGNORE_ENV);
	event_config_set_max_dispatch_interval(event_config, &frames_wait, -1, 1);
	base = event_base_new_with_config(event_config);
	if (base == NULL || event_base_priority_init(base, PRIORITIES) < 0)
		xalloc_die();
	event_config_free(event_config);
	clock_ev = clock_ev_new(base, clock);
	front = front_new_as(role, base, clock, CHILD_FD);
	front->confine = confine;
	event_base_dispatch(base);
	log_info("leaving");
	(void)clock_ev;
	return front->stopped ? front->exit_code : CHILD_EXIT_RETRY;
}

int
front_main(const struct front_role *role, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", role->program, PACKAGE_VERSION);
		return 0;
	}
	log_open(role->program, argc == 2 ? argv[1] : role->name);
	if (child_enter() < 0) {
		fprintf(stderr, "%s is started by camhub-supervisor\n", role->program);
		return CHILD_EXIT_WRONG_CONFIG;
	}
	/* nng's threads do not survive an orderly exit. */
	_exit(run(role));
}
