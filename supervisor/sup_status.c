/*
 * Status is put together when somebody asks, from what is so at that moment: numbers of a worker
 * that is dead are not shown.
 */
#include "config.h"

#include "supervisor/sup_status.h"

#include "shared/log.h"
#include "shared/redact.h"
#include "shared/xalloc.h"
#include "supervisor/sup_advice.h"
#include "supervisor/sup_disk.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_stream.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LAST_EXIT_MAX 160 /* what the message takes */

/* Fields that a worker reports and camctl shows, and their values while there is no worker. */
static void
add_media(json_t *msg, const json_t *status)
{
	static const char *const texts[] = { "codec", "codec_string", "profile", "audio" };
	static const char *const numbers[] = { "width",  "height",  "bitrate_bps", "gop_frames",
					       "frames", "corrupt", "b_frames" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		msg_set_str(msg, texts[i], status != NULL ? msg_str(status, texts[i]) : "");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		msg_set_int(msg, numbers[i], status != NULL ? msg_int(status, numbers[i], 0) : 0);
	msg_set_real(msg, "fps", status != NULL ? msg_real(status, "fps", 0) : 0);
	msg_set_int(msg, "last_frame_ms",
		    status != NULL ? msg_int(status, "last_frame_ms", -1) : -1);
	msg_set_bool(msg, "gop_cached", status != NULL && msg_bool(status, "gop_cached", false));
}

/* What only some programs know of how a camera sends; absent when the worker said nothing. */
static void
add_transport(json_t *msg, const json_t *status)
{
	static const char *const fields[] = { "transport", "packets",      "lost",    "reordered",
					      "marker",    "camera_clock", "left_out" };

	for (size_t i = 0; status != NULL && i < sizeof(fields) / sizeof(fields[0]); i++) {
		json_t *value = json_object_get(status, fields[i]);

		if (value != NULL && json_object_set(msg, fields[i], value) < 0)
			xalloc_die();
	}
}

static void
add_viewers(json_t *msg, struct sup *sup, uint32_t id)
{
	msg_set_int(msg, "viewers", sup_front_count(sup, id, "viewers", false));
	msg_set_int(msg, "skipped", sup_front_count(sup, id, "skipped", false));
	msg_set_int(msg, "holes", sup_front_count(sup, id, "holes", false));
	msg_set_int(msg, "withheld", sup_front_count(sup, id, "withheld", false));
	msg_set_int(msg, "passed_damaged", sup_front_count(sup, id, "passed_damaged", false));
	msg_set_int(msg, "ring_bytes_high", sup_front_count(sup, id, "ring_bytes_high", true));
	msg_set_int(msg, "lag_bytes_high", sup_front_count(sup, id, "lag_bytes_high", true));
}

/* What is on viewers' screens; without delay_* when none of them says. */
static void
add_delay(json_t *msg, struct sup *sup, uint32_t id)
{
	static const char *const fields[] = { "delay_p50_ms", "delay_p95_ms", "delay_worst_ms",
					      "delay_worst_viewer", "delay_worst_transport" };
	const json_t *latest = sup_front_delay(sup, id);

	msg_set_int(msg, "shown", sup_front_count(sup, id, "shown", false));
	msg_set_int(msg, "dropped", sup_front_count(sup, id, "dropped", false));
	if (latest == NULL)
		return;
	msg_set_int(msg, "delay_viewers", sup_front_count(sup, id, "delay_viewers", false));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		json_t *value = json_object_get(latest, fields[i]);

		if (value != NULL && json_object_set(msg, fields[i], value) < 0)
			xalloc_die();
	}
}

static void
add_redirect(json_t *msg, const struct sup_stream *stream)
{
	char *url;

	if (!sup_redirect_is_active(stream))
		return;
	url = redact_url(sup_redirect_url(stream));
	msg_set_str(msg, "redirected_to", url);
	free(url);
}

json_t *
sup_status_camera(struct sup *sup, const struct sup_stream *stream)
{
	json_t *msg = msg_new(MSG_CTL_CAMERA);
	char *url = stream->is_copy ? xasprintf("camhub:%s", stream->source->name)
				    : redact_url(stream->conf->url);

	msg_set_str(msg, "name", stream->name);
	msg_set_str(msg, "camera", stream->conf->camera->name);
	msg_set_str(msg, "title", stream->conf->camera->title);
	msg_set_str(msg, "url", url);
	msg_set_str(msg, "state", stream->told.state);
	msg_set_int(msg, "since_ms", stream->told.since_ms);
	msg_set_str(msg, "reason", stream->told.reason);
	msg_set_str(msg, "class", stream->class);
	msg_set_str(msg, "last_error", stream->last_error);
	msg_set_int(msg, "last_error_ms", stream->last_error_ms);
	msg_set_int(msg, "retry_in_ms", sup_stream_retry_in_ms(stream));
	msg_set_int(msg, "restarts", stream->restarts);
	msg_set_int(msg, "pid", sup_child_pid(stream->child));
	msg_set_int(msg, "epoch", stream->child != NULL ? stream->epoch : 0);
	msg_set_str(msg, "program", stream->program->name);
	msg_set_bool(msg, "on_demand", sup_stream_is_on_demand(stream));
	msg_set_int(msg, "rss_kib", sup_child_rss_kib(stream->child));
	msg_set_str(msg, "sandbox", sup_child_sandbox(stream->child));
	msg_set_int(msg, "violations", stream->violations);
	add_media(msg, stream->status);
	add_transport(msg, stream->status);
	add_viewers(msg, sup, stream->id);
	add_delay(msg, sup, stream->id);
	json_object_set_new(msg, "advice", sup_advice_of(stream));
	add_redirect(msg, stream);
	free(url);
	return msg;
}

json_t *
sup_status_front(const struct sup_front *front)
{
	json_t *msg = msg_new(MSG_CTL_PROCESS);
	char last_exit[LAST_EXIT_MAX + 1];

	snprintf(last_exit, sizeof(last_exit), "%.*s", LAST_EXIT_MAX, front->last_exit);
	msg_set_str(msg, "name", front->object);
	msg_set_int(msg, "pid", sup_child_pid(front->child));
	msg_set_str(msg, "state", sup_front_state(front));
	msg_set_int(msg, "since_ms", front->since_ms);
	msg_set_int(msg, "restarts", front->spawns > 0 ? front->spawns - 1 : 0);
	msg_set_int(msg, "rss_kib", sup_child_rss_kib(front->child));
	msg_set_str(msg, "last_exit", last_exit);
	if (front->tls[0] != '\0')
		msg_set_str(msg, "tls", front->tls);
	msg_set_int(msg, "viewers",
		    front->totals != NULL ? msg_int(front->totals, "viewers", 0) : 0);
	msg_set_str(msg, "sandbox", sup_child_sandbox(front->child));
	return msg;
}

json_t *
sup_status_supervisor(struct sup *sup)
{
	json_t *msg = msg_new(MSG_CTL_SUPERVISOR), *listen = json_array();
	char error[4096 + 1];

	/* The message takes so much; the whole of it is in the log. */
	snprintf(error, sizeof(error), "%s", sup->config_error != NULL ? sup->config_error : "");
	for (size_t i = 0; i < sup->listeners.n; i++)
		json_array_append_new(listen, json_string(sup->listeners.list[i].address));
	msg_set_str(msg, "version", PACKAGE_VERSION);
	msg_set_int(msg, "pid", getpid());
	msg_set_int(msg, "since_ms", sup->started_realtime_ms);
	msg_set_str(msg, "config", sup->options.config);
	msg_set_str(msg, "config_error", error);
	msg_set_int(msg, "reloads", sup->reloads);
	msg_set_bool(msg, "degraded", sup->degraded);
	if (sup->tls_fd >= 0)
		msg_set_bool(msg, "tls", true);
	msg_set_int(msg, "log_lost", (long long)(sup->log_lost + log_dropped()));
	msg_set_int(msg, "violations", sup->violations);
	msg_set_str(msg, "sandbox", sup->deps.sandbox);
	json_object_set_new(msg, "listen", listen);
	json_object_set_new(msg, "trouble", sup_disk_troubles(sup));
	return msg;
}

static const char *
first_line(const char *text, char *line, size_t len)
{
	snprintf(line, len, "%.*s", (int)strcspn(text, "\n"), text);
	return line;
}

/* "; http: down: killed by SIGSEGV" for a front that does not serve. */
static const char *
front_trouble(struct sup *sup, char *text, size_t len)
{
	const struct sup_front *front;

	text[0] = '\0';
	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry)) {
		/* A new one that starts while the old one serves is no trouble. */
		if (front->ready || front->predecessor != NULL)
			continue;
		snprintf(text, len, "; %s: %s%s%s", front->object, sup_front_state(front),
			 front->last_exit[0] != '\0' ? ": " : "", front->last_exit);
		break;
	}
	return text;
}

void
sup_status_line(struct sup *sup, char *text, size_t len)
{
	const struct sup_stream *stream, *bad = NULL;
	unsigned n = 0, well = 0;
	char line[512], front[SUP_CHILD_TEXT_MAX + 64];

	if (sup->degraded) {
		snprintf(text, len, "not serving: %s",
			 first_line(sup->config_error != NULL ? sup->config_error : "", line,
				    sizeof(line)));
		return;
	}
	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry)) {
		bool is_well;

		/* A copy that nobody watches is no news. */
		if (stream->conf == NULL || (stream->is_copy && stream->state == SUP_STATE_OFF))
			continue;
		is_well = strcmp(stream->told.state, "up") == 0 ||
			  (stream->state == SUP_STATE_OFF && sup_stream_is_on_demand(stream));
		n++;
		well += is_well;
		if (!is_well && bad == NULL)
			bad = stream;
	}
	front_trouble(sup, front, sizeof(front));
	if (bad == NULL)
		snprintf(text, len, "streams: %u of %u well%s%s%s", well, n, front,
			 sup->config_error != NULL ? "; reload refused: " : "",
			 sup->config_error != NULL
			     ? first_line(sup->config_error, line, sizeof(line))
			     : "");
	else
		snprintf(text, len, "streams: %u of %u well%s; %s: %s%s%s", well, n, front,
			 bad->name, bad->told.state, bad->told.reason[0] != '\0' ? ": " : "",
			 bad->told.reason);
}
