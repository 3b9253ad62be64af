/*
 * What there is to see, as the supervisor says it.
 */
#include "config.h"

#include "lib/hub.h"

#include "shared/xalloc.h"

#include <stdlib.h>
#include <string.h>

static const char *
text_of(const json_t *msg, const char *name)
{
	const char *text = json_string_value(json_object_get(msg, name));

	return text != NULL ? text : "";
}

static int64_t
number_of(const json_t *msg, const char *name)
{
	return json_integer_value(json_object_get(msg, name));
}

/* A plain file name: it goes into a path. */
static bool
is_file_name(const char *text)
{
	return strchr(text, '/') == NULL && text[0] != '.';
}

static void
fill(struct stream *stream, json_t *told)
{
	json_decref(stream->told);
	stream->told = told;
	stream->epoch = (uint64_t)number_of(told, "epoch");
	stream->endpoint = text_of(told, "endpoint");
	if (!is_file_name(stream->endpoint))
		stream->endpoint = "";
	stream->shown = (struct camhub_stream){
		.id = (uint32_t)number_of(told, "id"),
		.name = text_of(told, "name"),
		.camera = text_of(told, "camera"),
		.title = text_of(told, "title"),
		.group = text_of(told, "group"),
		.state = text_of(told, "state"),
		.since_ms = number_of(told, "since_ms"),
		.codec = text_of(told, "codec"),
		.codec_string = text_of(told, "codec_string"),
		.audio = text_of(told, "audio"),
		.width = (unsigned)number_of(told, "width"),
		.height = (unsigned)number_of(told, "height"),
		.fps = json_number_value(json_object_get(told, "fps")),
	};
}

static void
drop(struct camhub *hub, struct stream *stream)
{
	TAILQ_REMOVE(&hub->streams, stream, entry);
	json_decref(stream->told);
	free(stream);
}

static struct stream *
find_id(struct camhub *hub, uint32_t id)
{
	struct stream *stream;

	for (stream = TAILQ_FIRST(&hub->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (stream->shown.id == id)
			return stream;
	return NULL;
}

void
streams_set(struct camhub *hub, json_t *told)
{
	uint32_t id = (uint32_t)number_of(told, "id");
	struct stream *stream;

	if (id == 0 || text_of(told, "name")[0] == '\0') {
		json_decref(told);
		return;
	}
	stream = find_id(hub, id);
	if (stream == NULL) {
		stream = xcalloc(1, sizeof(*stream));
		TAILQ_INSERT_TAIL(&hub->streams, stream, entry);
	}
	fill(stream, told);
}

void
streams_drop(struct camhub *hub, uint32_t id)
{
	struct stream *stream = find_id(hub, id);

	if (stream != NULL)
		drop(hub, stream);
}

void
streams_clear(struct camhub *hub)
{
	while (!TAILQ_EMPTY(&hub->streams))
		drop(hub, TAILQ_FIRST(&hub->streams));
}

const struct stream *
streams_find(const struct camhub *hub, const char *name)
{
	const struct stream *stream;

	for (stream = TAILQ_FIRST(&hub->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (strcmp(stream->shown.name, name) == 0)
			return stream;
	return NULL;
}

/* What the program was shown stays as it was until it looks again. */
void
streams_hide(struct camhub *hub)
{
	for (size_t i = 0; i < hub->n_shown; i++) {
		json_decref(hub->shown[i].told);
		hub->shown[i].told = NULL;
	}
	free(hub->shown);
	free(hub->list);
	hub->shown = NULL;
	hub->list = NULL;
	hub->n_shown = 0;
}

int
camhub_streams(struct camhub *hub, const struct camhub_stream *const **streams, size_t *n)
{
	struct stream *stream;
	size_t count = 0;

	hub_work(hub);
	streams_hide(hub);
	for (stream = TAILQ_FIRST(&hub->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		count++;
	hub->shown = xcalloc(count, sizeof(*hub->shown));
	hub->list = xcalloc(count, sizeof(struct camhub_stream *));
	for (stream = TAILQ_FIRST(&hub->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry)) {
		struct shown *shown = &hub->shown[hub->n_shown];

		shown->stream = stream->shown;
		shown->told = json_incref(stream->told);
		hub->list[hub->n_shown++] = &shown->stream;
	}
	*streams = hub->list;
	*n = hub->n_shown;
	return 0;
}
