/*
 * Reload: load whole or not at all, swap the snapshot, then touch what changed and nothing else.
 */
#include "config.h"

#include "supervisor/sup_apply.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_access.h"
#include "supervisor/sup_copy.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_hook.h"
#include "supervisor/sup_refuse_ev.h"
#include "supervisor/sup_rtc.h"
#include "supervisor/sup_stream.h"
#include "supervisor/sup_tap.h"
#include "supervisor/sup_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ERR_MAX 512

struct changes {
	struct sup *sup;
	unsigned added, removed, restarted, shown, same;
	char *notes; /* lines */
};

int
sup_apply_load(const struct sup *sup, struct conf **conf, char **errors)
{
	struct conf_errors list = { .n = 0 };

	if (conf_load(sup->options.config, sup->options.credentials, conf, &list) == 0) {
		conf_errors_free(&list);
		return 0;
	}
	*errors = conf_errors_text(&list, 0);
	conf_errors_free(&list);
	return -EINVAL;
}

static void
note_error(struct sup *sup, const char *text)
{
	free(sup->config_error);
	sup->config_error = text != NULL ? xstrdup(text) : NULL;
	sup_status_changed(sup);
}

static void
note_secrets(const struct conf *conf)
{
	log_clear_secrets();
	for (size_t i = 0; i < conf->n_cameras; i++)
		if (conf->cameras[i].password != NULL)
			log_add_secret(conf->cameras[i].password);
	if (conf->ice_password != NULL)
		log_add_secret(conf->ice_password);
	/* Whoever knows such a URL may often write there. */
	if (conf->event_url != NULL)
		log_add_secret(conf->event_url);
}

static void
add_stream(struct sup *sup, const struct conf_stream *conf)
{
	/* It may have been taken out a moment ago and be stopping still. */
	struct sup_stream *stream = sup_stream_find(sup, conf->name);

	if (stream == NULL) {
		stream = sup_stream_new(sup, conf);
		/* Its first state is told at once, and with it all the rest. */
		sup_stream_review(stream);
		return;
	}
	sup_stream_set_conf(stream, conf);
	sup_stream_review(stream);
	sup_front_announce(sup, stream);
}

static void
change_stream(struct sup_stream *stream, const struct conf_stream *conf, enum conf_change change)
{
	struct sup *sup = stream->sup;

	sup_stream_set_conf(stream, conf);
	/* The list follows the order of the file. */
	TAILQ_REMOVE(&sup->streams, stream, entry);
	TAILQ_INSERT_TAIL(&sup->streams, stream, entry);
	for (int i = 0; i < SUP_COPY_KINDS; i++) {
		if (stream->copies[i] == NULL)
			continue;
		TAILQ_REMOVE(&sup->streams, stream->copies[i], entry);
		TAILQ_INSERT_TAIL(&sup->streams, stream->copies[i], entry);
	}
	if (change == CONF_STREAM_SAME)
		return;
	if (change == CONF_STREAM_CHANGED)
		sup_stream_event(stream, SUP_EVENT_RESTART);
	sup_stream_review(stream);
	sup_front_announce(sup, stream);
	sup_copy_review(stream);
	for (int i = 0; i < SUP_COPY_KINDS; i++)
		if (stream->copies[i] != NULL && stream->copies[i]->conf != NULL)
			sup_front_announce(sup, stream->copies[i]);
}

static void
on_change(enum conf_change change, const struct conf_stream *before,
	  const struct conf_stream *after, void *arg)
{
	struct changes *changes = arg;
	struct sup_stream *stream;

	if (change == CONF_STREAM_ADDED) {
		changes->added++;
		add_stream(changes->sup, after);
		return;
	}
	stream = sup_stream_find(changes->sup, before->name);
	if (change == CONF_STREAM_REMOVED) {
		changes->removed++;
		sup_stream_remove(stream);
		return;
	}
	changes->restarted += change == CONF_STREAM_CHANGED;
	changes->shown += change == CONF_STREAM_SHOWN;
	changes->same += change == CONF_STREAM_SAME;
	change_stream(stream, after, change);
}

static void
add_note(struct changes *changes, const char *text)
{
	char *longer = xasprintf("%s\n%s", changes->notes != NULL ? changes->notes : "", text);

	free(changes->notes);
	changes->notes = longer;
}

static void
on_key(const char *key, enum conf_reload reload, void *arg)
{
	struct changes *changes = arg;
	char text[160];

	if (strcmp(key, "log.level") == 0)
		sup_set_log_level(changes->sup, (enum log_level)changes->sup->conf->log_level);
	if (reload == CONF_RELOAD_RESTART)
		snprintf(
		    text, sizeof(text),
		    "%s changed: takes effect when camhub is restarted (systemctl restart camhub)",
		    key);
	else if (reload == CONF_RELOAD_CHILD)
		snprintf(
		    text, sizeof(text),
		    "%s changed: takes effect in processes that start from now on (camctl restart)",
		    key);
	else
		snprintf(text, sizeof(text), "%s changed", key);
	add_note(changes, text);
}

int
sup_apply_first(struct sup *sup, struct conf *conf)
{
	struct changes changes = { .sup = sup };
	struct sup_listeners listeners;
	char err[ERR_MAX];
	int rc, tls_fd = -1;

	rc = sup_dirs_check(&sup->dirs, conf, err, sizeof(err));
	if (rc == 0)
		rc = sup_tls_load(conf, &tls_fd, err, sizeof(err));
	if (rc == 0)
		rc = sup_listen_open(conf, &sup->listeners, &listeners, err, sizeof(err));
	if (rc == 0) {
		rc = sup_dirs_bus(&sup->dirs, conf->bus_gid, err, sizeof(err));
		if (rc < 0)
			sup_listen_close(&listeners);
	}
	if (rc < 0) {
		if (tls_fd >= 0)
			close(tls_fd);
		note_error(sup, err);
		conf_free(&conf);
		return rc;
	}
	note_error(sup, NULL);
	sup_tls_set(sup, tls_fd);
	/* Before their descriptors are closed: the loop watches numbers, which are used again. */
	sup_refuse_free(&sup->refuse);
	sup_listen_close(&sup->listeners);
	sup->listeners = listeners;
	sup->conf = conf;
	sup->degraded = false;
	note_secrets(conf);
	(void)sup_tap_apply(sup->tap);
	sup_set_log_level(sup, (enum log_level)conf->log_level);
	sup_access_apply(sup);
	sup_hook_started(sup->hook);
	conf_diff(NULL, conf, on_change, &changes);
	sup_front_review_number(sup);
	sup_rtc_apply(sup);
	log_notice("streams configured in %s: %u", sup->options.config, changes.added);
	return 0;
}

/* May this configuration replace the one in force? */
static int
check_swap(struct sup *sup, const struct conf *conf, int *tls_fd, char *err)
{
	/* The open ones stay until the end, so they must obey the new rules. */
	int rc = sup_listen_check(conf, &sup->listeners, err, ERR_MAX);

	if (rc == 0)
		rc = sup_dirs_bus(&sup->dirs, conf->bus_gid, err, ERR_MAX);
	if (rc == 0)
		rc = sup_dirs_check(&sup->dirs, conf, err, ERR_MAX);
	if (rc == 0)
		rc = sup_tls_load(conf, tls_fd, err, ERR_MAX);
	return rc;
}

/* What a reload cannot do, whatever else it did; "" when there is no such thing. */
static const char *
frozen_hint(const struct sup *sup)
{
	char *creds = sup->options.credentials != NULL ? xstrdup(sup->options.credentials)
						       : conf_default_credentials();
	bool stale = conf_credentials_may_be_stale(creds, sup->options.credentials_source);

	free(creds);
	return stale ? "\nthe credentials may have changed, but the service has systemd's copy "
		       "from its start: systemctl restart camhub (no connection is refused)"
		     : "";
}

static char *
summary(const struct changes *changes)
{
	return xasprintf("streams: %u restarted, %u added, %u removed, %u untouched%s%s",
			 changes->restarted, changes->added, changes->removed,
			 changes->same + changes->shown,
			 changes->notes != NULL ? changes->notes : "", frozen_hint(changes->sup));
}

static void
swap(struct sup *sup, struct conf *conf, int tls_fd, char **text)
{
	struct changes changes = { .sup = sup };
	struct conf *old = sup->conf;

	note_error(sup, NULL);
	sup->conf = conf;
	note_secrets(conf);
	(void)sup_tap_apply(sup->tap);
	sup_access_apply(sup);
	conf_diff(old, conf, on_change, &changes);
	conf_diff_keys(old, conf, on_key, &changes);
	sup_tls_set(sup, tls_fd);
	sup_tls_renew(sup, old);
	conf_free(&old);
	sup_copy_places(sup);
	sup_hook_review(sup->hook);
	sup_front_review_number(sup);
	sup_rtc_apply(sup);
	*text = summary(&changes);
	free(changes.notes);
}

static int
refuse(struct sup *sup, char *why, char **text)
{
	note_error(sup, why);
	sup_log_lines(LOG_LEVEL_ERR, "reload: nothing was changed", why);
	*text = xasprintf("nothing was changed:\n%s%s", why, frozen_hint(sup));
	free(why);
	return -EINVAL;
}

int
sup_reload(struct sup *sup, char **text)
{
	char err[ERR_MAX], *errors = NULL;
	struct conf *conf = NULL;
	int tls_fd = -1;

	if (sup->stopping) {
		*text = xstrdup("nothing was changed: camhub is stopping");
		return -EINVAL;
	}
	if (sup_apply_load(sup, &conf, &errors) < 0)
		return refuse(sup, errors, text);
	if (sup->degraded) {
		if (sup_activate(sup, conf) < 0)
			return refuse(sup, xstrdup(sup->config_error), text);
		*text = xasprintf("the configuration is good now%s", frozen_hint(sup));
	} else {
		if (check_swap(sup, conf, &tls_fd, err) < 0) {
			conf_free(&conf);
			return refuse(sup, xstrdup(err), text);
		}
		swap(sup, conf, tls_fd, text);
	}
	sup->reloads++;
	sup_log_lines(LOG_LEVEL_NOTICE, "reload", *text);
	return 0;
}
