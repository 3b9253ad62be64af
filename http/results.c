/*
 * The list of analysers, as the supervisor tells it.
 */
#include "config.h"

#include "http/results_int.h"

#include "shared/log.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <stdlib.h>
#include <string.h>

const char *const results_drop_names[RESULTS_DROPS] = {
	"malformed", "too_large", "too_many", "foreign", "unknown_frame", "late", "slow_viewers",
};

static struct analyser *
find(const struct results *results, uint32_t id)
{
	struct analyser *analyser;

	for (analyser = LIST_FIRST(&results->analysers); analyser != NULL;
	     analyser = LIST_NEXT(analyser, entry))
		if (analyser->id == id)
			return analyser;
	return NULL;
}

static void
analyser_free(struct results *results, struct analyser *analyser)
{
	LIST_REMOVE(analyser, entry);
	results->n--;
	results_link_free(&analyser->link);
	while (analyser->n_early > 0)
		result_free(&analyser->early[--analyser->n_early]);
	free(analyser->streams);
	free(analyser);
}

static struct analyser *
analyser_new(struct results *results, uint32_t id)
{
	struct analyser *analyser;

	if (results->n >= RESULTS_ANALYSERS_MAX)
		return NULL;
	analyser = xcalloc(1, sizeof(*analyser));
	analyser->front = results->front;
	analyser->id = id;
	LIST_INSERT_HEAD(&results->analysers, analyser, entry);
	results->n++;
	return analyser;
}

struct results_stream *
analyser_stream(const struct analyser *analyser, const char *name)
{
	for (size_t i = 0; i < analyser->n_streams; i++)
		if (strcmp(analyser->streams[i].name, name) == 0)
			return &analyser->streams[i];
	return NULL;
}

/* What it has used up of a stream's rate stays used up. */
static void
set_streams(struct analyser *analyser, const json_t *names)
{
	size_t n = json_array_size(names), i;
	struct results_stream *streams = xcalloc(n + 1, sizeof(*streams));
	const json_t *name;

	json_array_foreach (names, i, name) {
		const struct results_stream *before =
		    analyser_stream(analyser, json_string_value(name));

		if (before != NULL)
			streams[i] = *before;
		snprintf(streams[i].name, sizeof(streams[i].name), "%s", json_string_value(name));
	}
	free(analyser->streams);
	analyser->streams = streams;
	analyser->n_streams = n;
}

static void
on_message(void *arg, const uint8_t *bytes, size_t len)
{
	analyser_take(arg, bytes, len);
}

static void
on_fault(void *arg, int error)
{
	analyser_fault(arg, error);
}

static void
set_endpoint(struct analyser *analyser, const char *path, uid_t uid)
{
	static const struct results_link_ops ops = { .on_message = on_message,
						     .on_fault = on_fault };

	if (analyser->link != NULL && strcmp(results_link_path(analyser->link), path) == 0)
		return;
	results_link_free(&analyser->link);
	if (path[0] == '/')
		analyser->link =
		    results_link_new(analyser->front, path, uid, RESULT_BYTES_MAX, &ops, analyser);
}

void
results_announce(struct results *results, const json_t *msg)
{
	uint32_t id = (uint32_t)msg_int(msg, "id", 0);
	struct analyser *analyser = find(results, id);

	if (analyser == NULL)
		analyser = analyser_new(results, id);
	if (analyser == NULL) {
		log_warn("http: analyser %s is one too many, its results are not read",
			 msg_str(msg, "name"));
		return;
	}
	snprintf(analyser->name, sizeof(analyser->name), "%s", msg_str(msg, "name"));
	set_streams(analyser, json_object_get(msg, "streams"));
	set_endpoint(analyser, msg_str(msg, "endpoint"), (uid_t)msg_int(msg, "uid", -1));
}

void
results_gone(struct results *results, uint32_t id)
{
	struct analyser *analyser = find(results, id);

	if (analyser != NULL)
		analyser_free(results, analyser);
}

void
results_on_frame(struct results *results, struct stream *stream)
{
	struct analyser *analyser;

	for (analyser = LIST_FIRST(&results->analysers); analyser != NULL;
	     analyser = LIST_NEXT(analyser, entry))
		if (analyser->n_early > 0)
			analyser_try_early(analyser, stream);
}

void
results_count_slow(struct results *results, uint32_t id)
{
	struct analyser *analyser = find(results, id);

	if (analyser != NULL)
		analyser->drops[RESULTS_SLOW]++;
}

unsigned
results_analysers_of(const struct results *results, const char *stream)
{
	const struct analyser *analyser;
	unsigned n = 0;

	for (analyser = LIST_FIRST(&results->analysers); analyser != NULL;
	     analyser = LIST_NEXT(analyser, entry))
		n += analyser_stream(analyser, stream) != NULL;
	return n;
}

struct results *
results_new(struct front *front)
{
	struct results *results = xcalloc(1, sizeof(*results));

	results->front = front;
	LIST_INIT(&results->analysers);
	return results;
}

void
results_free(struct results **results)
{
	struct results *old = *results;

	*results = NULL;
	if (old == NULL)
		return;
	while (!LIST_EMPTY(&old->analysers))
		analyser_free(old, LIST_FIRST(&old->analysers));
	free(old);
}
