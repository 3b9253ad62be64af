/*
 * The supervisor's context: start, degraded start, stop. After the start it does not die: what
 * fails from then on is told, and tried again.
 */
#include "config.h"

#include "supervisor/sup.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_access.h"
#include "supervisor/sup_apply.h"
#include "supervisor/sup_auth.h"
#include "supervisor/sup_ctl_ev.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_hook.h"
#include "supervisor/sup_refuse_ev.h"
#include "supervisor/sup_rtc.h"
#include "supervisor/sup_snapshot.h"
#include "supervisor/sup_spawn.h"
#include "supervisor/sup_status.h"
#include "supervisor/sup_stream.h"
#include "supervisor/sup_tap.h"
#include "supervisor/sup_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ERR_MAX         512
#define STATUS_DELAY_MS 200  /* several changes make one STATUS= */
#define BIND_RETRY_MS   5000 /* degraded because a port is in use: try again */
#define END_EXTRA_MS    5000 /* behind the children's own stop ladder */

const struct conf *
sup_settings(struct sup *sup)
{
	if (sup->conf != NULL)
		return sup->conf;
	if (sup->defaults == NULL)
		sup->defaults = conf_defaults();
	return sup->defaults;
}

void
sup_set_log_level(struct sup *sup, enum log_level level)
{
	log_set_level(level);
	sup_child_broadcast_level(sup, log_level_name(level));
}

void
sup_status_changed(struct sup *sup)
{
	if (!clock_timer_is_set(&sup->status_timer) && !sup->stopping)
		clock_timer_set_ms(&sup->status_timer, STATUS_DELAY_MS);
}

static void
send_status(struct sup *sup, const char *prefix)
{
	char line[1024], text[1200];

	sup_status_line(sup, line, sizeof(line));
	/* It quotes cameras, and a line break would begin another assignment of sd_notify(3). */
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	snprintf(text, sizeof(text), "%sSTATUS=%s\n", prefix, line);
	(void)sup->deps.notify(sup->deps.arg, text);
}

static void
on_status_timer(struct clock_timer *timer, void *arg)
{
	(void)timer;
	send_status(arg, "");
}

static void
on_watchdog(struct clock_timer *timer, void *arg)
{
	struct sup *sup = arg;

	clock_timer_set_ms(timer, sup->deps.watchdog_ms);
	(void)sup->deps.notify(sup->deps.arg, "WATCHDOG=1\n");
}

static void finish_stop(struct sup *sup);

static void
on_end_timer(struct clock_timer *timer, void *arg)
{
	struct sup *sup = arg;

	(void)timer;
	if (!TAILQ_EMPTY(&sup->children))
		log_err("not even SIGKILL has ended a child process; leaving without it");
	finish_stop(sup);
}

void
sup_log_lines(enum log_level level, const char *prefix, const char *text)
{
	while (*text != '\0') {
		int len = (int)strcspn(text, "\n");

		log_msg(level, "%s: %.*s", prefix, len, text);
		text += len;
		text += *text == '\n';
	}
}

/* Not serving: say why, answer 503, try again when that may help. */
static void
degrade(struct sup *sup, int rc)
{
	if (!sup->degraded || sup->refuse == NULL) {
		sup_log_lines(LOG_LEVEL_ERR, "not serving until the configuration is good",
			      sup->config_error != NULL ? sup->config_error : "no reason given");
		sup_refuse_free(&sup->refuse);
		sup->refuse = sup_refuse_new(sup);
	}
	sup->degraded = true;
	if (rc != -EINVAL && rc != -EACCES)
		clock_timer_set_ms(&sup->retry_timer, BIND_RETRY_MS);
	sup_status_changed(sup);
}

int
sup_activate(struct sup *sup, struct conf *conf)
{
	int rc;

	clock_timer_cancel(&sup->retry_timer);
	rc = sup_apply_first(sup, conf);
	if (rc < 0 && sup->deps.under_systemd)
		degrade(sup, rc);
	return rc;
}

static void
on_retry_timer(struct clock_timer *timer, void *arg)
{
	struct sup *sup = arg;
	char *errors = NULL;
	struct conf *conf;

	(void)timer;
	if (sup_apply_load(sup, &conf, &errors) < 0) {
		free(sup->config_error);
		sup->config_error = errors;
		degrade(sup, -EINVAL);
		return;
	}
	(void)sup_activate(sup, conf);
}

static struct sup *
new_sup(const struct sup_options *options, const struct sup_deps *deps)
{
	struct sup *sup = xcalloc(1, sizeof(*sup));

	sup->options = *options;
	sup->deps = *deps;
	sup->dirs.lock_fd = sup->tls_fd = -1;
	sup->started_realtime_ms = sup_realtime_ms(sup);
	TAILQ_INIT(&sup->streams);
	TAILQ_INIT(&sup->children);
	TAILQ_INIT(&sup->fronts);
	TAILQ_INIT(&sup->lookups);
	TAILQ_INIT(&sup->snapshots);
	sup_spawn_init(sup);
	clock_timer_init(&sup->watchdog, deps->clock, on_watchdog, sup);
	clock_timer_init(&sup->status_timer, deps->clock, on_status_timer, sup);
	clock_timer_init(&sup->retry_timer, deps->clock, on_retry_timer, sup);
	clock_timer_init(&sup->end_timer, deps->clock, on_end_timer, sup);
	sup_listen_inherit(deps->inherited, deps->n_inherited, &sup->listeners);
	sup->access = sup_access_new(sup);
	sup->auth = sup_auth_new(sup);
	sup->hook = sup_hook_new(sup);
	sup->tap = sup_tap_new(sup);
	sup->rtc = sup_rtc_new(sup);
	sup_front_new(sup, 1);
	return sup;
}

static int
complain(const char *text, int status)
{
	fprintf(stderr, "%s\n", text);
	return status;
}

/* Of what failed to take effect: is the file to blame? */
static int
status_of(int rc)
{
	return rc == -EINVAL || rc == -EACCES ? SUP_EXIT_WRONG_CONFIG : SUP_EXIT_FAILED;
}

static int
start(struct sup *sup)
{
	struct conf *conf = NULL;
	char err[ERR_MAX];
	int rc;

	rc = sup_apply_load(sup, &conf, &sup->config_error);
	if (rc < 0 && !sup->deps.under_systemd)
		return complain(sup->config_error, SUP_EXIT_WRONG_CONFIG);
	if (sup_dirs_open(sup->options.runtime_dir, &sup->dirs, err, sizeof(err)) < 0 ||
	    sup_ctl_new(sup, &sup->ctl, err, sizeof(err)) < 0) {
		conf_free(&conf);
		return complain(err, SUP_EXIT_FAILED);
	}
	if (rc < 0) {
		degrade(sup, rc);
	} else {
		rc = sup_activate(sup, conf);
		if (rc < 0 && !sup->deps.under_systemd)
			return complain(sup->config_error, status_of(rc));
	}
	send_status(sup, "READY=1\n");
	if (sup->deps.watchdog_ms > 0)
		clock_timer_set_ms(&sup->watchdog, 0);
	return 0;
}

int
sup_start(const struct sup_options *options, const struct sup_deps *deps, struct sup **sup)
{
	struct sup *new = new_sup(options, deps);
	int status = start(new);

	if (status != 0)
		sup_free(&new);
	else
		*sup = new;
	return status;
}

/* Everything is gone: so are we. */
static void
finish_stop(struct sup *sup)
{
	if (sup->stopped)
		return;
	sup->stopped = true;
	clock_timer_cancel(&sup->end_timer);
	clock_timer_cancel(&sup->watchdog);
	sup_ctl_free(&sup->ctl);
	sup_tap_free(&sup->tap);
	sup_listen_close(&sup->listeners);
	sup_dirs_close(&sup->dirs);
	log_notice("stopped");
	sup->deps.stopped(sup->deps.arg);
}

void
sup_on_child_gone(struct sup *sup)
{
	/* From the loop: the child's owner may still be up the stack. */
	if (sup->stopping && !sup->stopped && TAILQ_EMPTY(&sup->children))
		clock_timer_set_ms(&sup->end_timer, 0);
}

static void
begin_stop(struct sup *sup)
{
	struct sup_stream *stream, *next;
	struct sup_front *front;

	log_notice("stopping");
	clock_timer_cancel(&sup->retry_timer);
	clock_timer_cancel(&sup->status_timer);
	sup_refuse_free(&sup->refuse);
	sup_auth_stop(sup);
	sup_rtc_stop(sup);
	sup->stopping = true;
	(void)sup->deps.notify(sup->deps.arg, "STOPPING=1\nSTATUS=stopping\n");
	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		clock_timer_cancel(&front->retry);
	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL; stream = next) {
		next = TAILQ_NEXT(stream, entry);
		sup_stream_review(stream);
	}
}

void
sup_stop(struct sup *sup)
{
	bool again = sup->stopping;

	if (sup->stopped)
		return;
	if (!again)
		begin_stop(sup);
	sup_child_stop_all(sup, again);
	clock_timer_set_ms(&sup->end_timer, TAILQ_EMPTY(&sup->children)
						? 0
						: sup_settings(sup)->stop_wait_ms + END_EXTRA_MS);
}

void
sup_free(struct sup **sup)
{
	struct sup *old = *sup;
	struct sup_stream *stream;
	struct sup_front *front;

	*sup = NULL;
	if (old == NULL)
		return;
	old->stopping = true;
	sup_tap_free(&old->tap);
	sup_snapshot_free_all(old);
	while ((front = TAILQ_FIRST(&old->fronts)) != NULL)
		sup_front_free(&front);
	sup_rtc_free(&old->rtc);
	while ((stream = TAILQ_FIRST(&old->streams)) != NULL)
		sup_stream_free(&stream);
	sup_lookup_free_all(old);
	sup_hook_free(&old->hook);
	sup_refuse_free(&old->refuse);
	sup_ctl_free(&old->ctl);
	/* Behind those who may wait for a hash. */
	sup_auth_free(&old->auth);
	sup_access_free(&old->access);
	sup_listen_close(&old->listeners);
	sup_tls_set(old, -1);
	sup_dirs_close(&old->dirs);
	clock_timer_cancel(&old->slot_timer);
	clock_timer_cancel(&old->watchdog);
	clock_timer_cancel(&old->status_timer);
	clock_timer_cancel(&old->retry_timer);
	clock_timer_cancel(&old->end_timer);
	conf_free(&old->conf);
	conf_free(&old->defaults);
	free(old->config_error);
	free(old);
}
