/*
 * Analysers: who they are, what they want, which streams they may speak of, and what fronts are
 * told and say about them.
 */
#include "config.h"

#include "supervisor/sup_tap_int.h"

#include "shared/glob.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyz0123456789_-"
#define NUMBER_CHARS "0123456789"
#define NUMBER_MAX   10

/* Streams */

static struct sup_tap_want *
find_want(const struct sup_tap_client *client, uint32_t id)
{
	struct sup_tap_want *want;

	for (want = TAILQ_FIRST(&client->wants); want != NULL; want = TAILQ_NEXT(want, entry))
		if (want->id == id)
			return want;
	return NULL;
}

bool
sup_tap_wants(struct sup *sup, uint32_t id)
{
	const struct sup_tap_client *client;

	for (client = TAILQ_FIRST(&sup->tap->clients); client != NULL;
	     client = TAILQ_NEXT(client, entry)) {
		const struct sup_tap_want *want = find_want(client, id);

		if (want != NULL && want->on)
			return true;
	}
	return false;
}

void
sup_tap_want(struct sup_tap_client *client, const json_t *msg)
{
	uint32_t id = (uint32_t)msg_int(msg, "id", 0);
	struct sup_tap_want *want = find_want(client, id);

	if (want == NULL) {
		/* It may have gone a moment ago. */
		if (sup_stream_by_id(client->tap->sup, id) == NULL)
			return;
		want = xcalloc(1, sizeof(*want));
		want->id = id;
		TAILQ_INSERT_TAIL(&client->wants, want, entry);
		sup_tap_review(client);
	}
	want->on = msg_bool(msg, "on", false);
	sup_front_review_demand(client->tap->sup, id);
}

void
sup_tap_replay(struct sup_tap_client *client, const json_t *msg)
{
	struct sup_stream *stream =
	    sup_stream_by_id(client->tap->sup, (uint32_t)msg_int(msg, "id", 0));

	if (stream != NULL)
		sup_stream_replay(stream, client->id);
}

static bool
may_speak_of(const struct sup_tap_client *client, const struct sup_stream *stream)
{
	const json_t *pattern;
	size_t i;

	if (stream->conf == NULL)
		return false;
	json_array_foreach (client->patterns, i, pattern)
		if (glob_matches(json_string_value(pattern), stream->conf->camera->name))
			return true;
	return find_want(client, stream->id) != NULL;
}

/* Fronts */

static json_t *
make_analyser(const struct sup_tap_client *client)
{
	json_t *msg = msg_new(MSG_ANALYSER), *names = json_array();
	struct sup_stream *stream;

	for (stream = TAILQ_FIRST(&client->tap->sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (json_array_size(names) < SUP_TAP_STREAMS_MAX && may_speak_of(client, stream))
			json_array_append_new(names, json_string(stream->name));
	msg_set_int(msg, "id", client->id);
	msg_set_str(msg, "name", client->name);
	json_object_set_new(msg, "streams", names);
	msg_set_str(msg, "endpoint", client->endpoint);
	msg_set_int(msg, "uid", client->uid);
	return msg;
}

static void
tell_gone(struct sup_tap_client *client)
{
	json_t *msg;

	if (client->told == NULL)
		return;
	json_decref(client->told);
	client->told = NULL;
	msg = msg_new(MSG_ANALYSER_GONE);
	msg_set_int(msg, "id", client->id);
	sup_front_tell_all(client->tap->sup, MSG_ANALYSER_GONE, msg);
}

void
sup_tap_review(struct sup_tap_client *client)
{
	json_t *msg;

	if (client->endpoint == NULL || client->tap->sup->stopping)
		return;
	msg = make_analyser(client);
	if (client->told != NULL && json_equal(msg, client->told)) {
		json_decref(msg);
		return;
	}
	json_decref(client->told);
	client->told = msg;
	sup_front_tell_all(client->tap->sup, MSG_ANALYSER, json_incref(msg));
}

void
sup_tap_tell_front(struct sup_front *front)
{
	const struct sup_tap_client *client;

	for (client = TAILQ_FIRST(&front->sup->tap->clients); client != NULL;
	     client = TAILQ_NEXT(client, entry))
		if (client->told != NULL)
			sup_front_tell(front, MSG_ANALYSER, json_incref(client->told));
}

/* Hello */

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= SUP_TAP_NAME_BYTES && name[0] != '_' && name[0] != '-' &&
	       strspn(name, NAME_CHARS) == len;
}

/* analyser-NAME-NUMBER.sock */
static bool
is_endpoint_of(const char *file, const char *name)
{
	size_t prefix = strlen("analyser-"), len = strlen(name), digits;

	if (strncmp(file, "analyser-", prefix) != 0 || strncmp(file + prefix, name, len) != 0 ||
	    file[prefix + len] != '-')
		return false;
	file += prefix + len + 1;
	digits = strspn(file, NUMBER_CHARS);
	return digits > 0 && digits <= NUMBER_MAX && strcmp(file + digits, ".sock") == 0;
}

static bool
is_in_use(const struct sup_tap_client *client, const char *path)
{
	const struct sup_tap_client *other;

	for (other = TAILQ_FIRST(&client->tap->clients); other != NULL;
	     other = TAILQ_NEXT(other, entry))
		if (other != client && other->endpoint != NULL &&
		    strcmp(other->endpoint, path) == 0)
			return true;
	return false;
}

/* Fronts will connect there: it has to be the client's own. NULL and text: it is not. */
static char *
take_endpoint(const struct sup_tap_client *client, const char *file, char *text, size_t len)
{
	char *path = xasprintf("%s/%s", client->tap->sup->dirs.results, file);
	struct stat st;

	if (!is_endpoint_of(file, client->name))
		snprintf(text, len, "results: not analyser-%s-NUMBER.sock", client->name);
	else if (strlen(path) >= SUP_PATH_MAX)
		snprintf(text, len, "results: the path is too long for a socket");
	else if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		snprintf(text, len, "results: no such socket in the directory results");
	else if (st.st_uid != client->uid)
		snprintf(text, len, "results: that socket belongs to somebody else");
	else if (is_in_use(client, path))
		snprintf(text, len, "results: that socket is another analyser's");
	else
		return path;
	free(path);
	return NULL;
}

static bool
are_patterns(const json_t *patterns)
{
	const json_t *pattern;
	size_t i;

	json_array_foreach (patterns, i, pattern)
		if (!glob_is_valid(json_string_value(pattern)))
			return false;
	return true;
}

static void
set_endpoint(struct sup_tap_client *client, char *endpoint)
{
	bool is_same =
	    endpoint != NULL && client->endpoint != NULL && strcmp(endpoint, client->endpoint) == 0;

	if (client->endpoint != NULL && !is_same) {
		tell_gone(client);
		unlink(client->endpoint);
	}
	free(client->endpoint);
	client->endpoint = endpoint;
}

static void
welcome(struct sup_tap_client *client)
{
	json_t *msg = msg_new(MSG_TAP_WELCOME);

	msg_set_int(msg, "subscriber", client->id);
	msg_set_str(msg, "version", PACKAGE_VERSION);
	sup_tap_send(client, msg);
	sup_tap_list_send(client);
	if (sup_tap_may_log(client->tap))
		log_notice("tap: analyser %s (process %ld of user %ld) is here", client->name,
			   (long)client->pid, (long)client->uid);
}

bool
sup_tap_hello(struct sup_tap_client *client, const json_t *msg, char *text, size_t len)
{
	const char *name = msg_str(msg, "name"), *file = msg_str(msg, "results");
	const json_t *patterns = json_object_get(msg, "streams");
	char *endpoint = NULL;
	bool is_first = !client->is_known;

	if (!is_name(name) || (!is_first && strcmp(name, client->name) != 0)) {
		snprintf(text, len, "%s",
			 is_name(name) ? "name: it was another one before"
				       : "name: not a-z 0-9 _ -, 32 at most");
		return false;
	}
	if (!are_patterns(patterns)) {
		snprintf(text, len, "streams: not patterns of cameras");
		return false;
	}
	snprintf(client->name, sizeof(client->name), "%s", name);
	if (file[0] != '\0') {
		endpoint = take_endpoint(client, file, text, len);
		if (endpoint == NULL)
			return false;
	}
	snprintf(client->version, sizeof(client->version), "%s", msg_str(msg, "version"));
	json_decref(client->patterns);
	client->patterns = json_deep_copy(patterns);
	client->is_known = true;
	set_endpoint(client, endpoint);
	if (is_first)
		welcome(client);
	sup_tap_review(client);
	return true;
}

void
sup_tap_forget_want(struct sup_tap_client *client, uint32_t id)
{
	struct sup_tap_want *want = find_want(client, id);

	if (want == NULL)
		return;
	TAILQ_REMOVE(&client->wants, want, entry);
	free(want);
}

static void
drop_report(struct sup_tap_client *client, struct sup_tap_report *report)
{
	TAILQ_REMOVE(&client->reports, report, entry);
	json_decref(report->msg);
	free(report);
}

void
sup_tap_leave(struct sup_tap_client *client)
{
	struct sup *sup = client->tap->sup;
	struct sup_tap_want *want;

	while ((want = TAILQ_FIRST(&client->wants)) != NULL) {
		uint32_t id = want->id;

		TAILQ_REMOVE(&client->wants, want, entry);
		free(want);
		if (!sup->stopping)
			sup_front_review_demand(sup, id);
	}
	set_endpoint(client, NULL);
	while (!TAILQ_EMPTY(&client->reports))
		drop_report(client, TAILQ_FIRST(&client->reports));
	json_decref(client->patterns);
	client->patterns = NULL;
}

/* What fronts say */

static struct sup_tap_report *
find_report(const struct sup_tap_client *client, uint32_t subscriber)
{
	struct sup_tap_report *report;

	for (report = TAILQ_FIRST(&client->reports); report != NULL;
	     report = TAILQ_NEXT(report, entry))
		if (report->subscriber == subscriber)
			return report;
	return NULL;
}

void
sup_tap_on_report(struct sup_front *front, const json_t *msg)
{
	uint32_t id = (uint32_t)msg_int(msg, "id", 0);
	struct sup_tap_client *client = TAILQ_FIRST(&front->sup->tap->clients);
	struct sup_tap_report *report;

	while (client != NULL && client->id != id)
		client = TAILQ_NEXT(client, entry);
	if (client == NULL)
		return;
	report = find_report(client, front->subscriber);
	if (report == NULL) {
		report = xcalloc(1, sizeof(*report));
		report->subscriber = front->subscriber;
		TAILQ_INSERT_TAIL(&client->reports, report, entry);
	}
	json_decref(report->msg);
	report->msg = json_deep_copy(msg);
}

void
sup_tap_forget_front(struct sup *sup, uint32_t subscriber)
{
	struct sup_tap_client *client;

	for (client = TAILQ_FIRST(&sup->tap->clients); client != NULL;
	     client = TAILQ_NEXT(client, entry)) {
		struct sup_tap_report *report = find_report(client, subscriber);

		if (report != NULL)
			drop_report(client, report);
	}
}

const struct sup_tap_clients *
sup_tap_clients(const struct sup *sup)
{
	return &sup->tap->clients;
}

long long
sup_tap_count(const struct sup_tap_client *client, const char *field)
{
	bool is_sum = strcmp(field, "slow_viewers") == 0;
	const struct sup_tap_report *report;
	long long total = 0, one;

	for (report = TAILQ_FIRST(&client->reports); report != NULL;
	     report = TAILQ_NEXT(report, entry)) {
		one = msg_int(report->msg, field, 0);
		total = is_sum ? total + one : one > total ? one : total;
	}
	return total;
}

const json_t *
sup_tap_report(const struct sup_tap_client *client)
{
	const struct sup_tap_report *report;
	const json_t *worst = NULL;

	for (report = TAILQ_FIRST(&client->reports); report != NULL;
	     report = TAILQ_NEXT(report, entry))
		if (worst == NULL ||
		    msg_int(report->msg, "lag_p95_us", -1) > msg_int(worst, "lag_p95_us", -1))
			worst = report->msg;
	return worst;
}
