/*
 * Streams come and go with the configuration.
 */
#include "config.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_spawn.h"
#include "supervisor/sup_stream.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sup_program programs[] = {
	{ "camhub-worker", true }, { "camhub-worker-av", false }, /* libavformat opens its own */
};

const struct sup_program *
sup_program_find(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	return NULL;
}

static const struct sup_program *
program_for(const struct conf_stream *conf, const struct url *url)
{
	const struct sup_program *program = NULL;

	if (conf->camera->ingest == CONF_INGEST_AUTO)
		program = sup_program_find(url->scheme->program);
	return program != NULL ? program : sup_program_find("camhub-worker-av");
}

void
sup_stream_set_conf(struct sup_stream *stream, const struct conf_stream *conf)
{
	char err[URL_ERROR_MAX];
	struct url url;

	stream->conf = conf;
	/* The configuration has checked it. */
	if (url_parse(conf->url, &url, err) < 0) {
		log_err("cam=%s: %s", stream->name, err);
		return;
	}
	if (stream->url.host == NULL || strcmp(stream->url.host, url.host) != 0)
		stream->addresses.n = 0;
	url_clear(&stream->url);
	stream->url = url;
	stream->program = program_for(conf, &url);
	for (size_t i = 0; i < stream->addresses.n; i++) {
		struct sockaddr_storage *address = &stream->addresses.list[i];
		in_port_t port = htons((uint16_t)url.port);

		if (address->ss_family == AF_INET)
			((struct sockaddr_in *)address)->sin_port = port;
		else
			((struct sockaddr_in6 *)address)->sin6_port = port;
	}
}

struct sup_stream *
sup_stream_new(struct sup *sup, const struct conf_stream *conf)
{
	struct sup_stream *stream = xcalloc(1, sizeof(*stream));

	stream->sup = sup;
	stream->id = ++sup->next_stream_id;
	stream->name = xstrdup(conf->name);
	stream->socket = -1;
	memcpy(stream->class, "none", 5);
	sup_stream_init_timers(stream);
	sup_stream_set_conf(stream, conf);
	TAILQ_INSERT_TAIL(&sup->streams, stream, entry);
	return stream;
}

void
sup_stream_free(struct sup_stream **stream)
{
	struct sup_stream *old = *stream;

	*stream = NULL;
	if (old == NULL)
		return;
	TAILQ_REMOVE(&old->sup->streams, old, entry);
	sup_stream_cancel(old);
	clock_timer_cancel(&old->linger);
	sup_spawn_release(old);
	sup_child_free(&old->child);
	if (old->bus[0] != '\0')
		unlink(old->bus);
	if (old->socket >= 0)
		close(old->socket);
	json_decref(old->status);
	json_decref(old->advice);
	url_clear(&old->url);
	free(old->name);
	free(old);
}

struct sup_stream *
sup_stream_find(struct sup *sup, const char *name)
{
	struct sup_stream *stream;

	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (strcmp(stream->name, name) == 0)
			return stream;
	return NULL;
}

struct sup_stream *
sup_stream_by_id(struct sup *sup, uint32_t id)
{
	struct sup_stream *stream;

	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (stream->id == id && stream->conf != NULL)
			return stream;
	return NULL;
}

void
sup_stream_remove(struct sup_stream *stream)
{
	sup_front_announce_gone(stream->sup, stream->id);
	log_notice("cam=%s: gone from the configuration", stream->name);
	stream->conf = NULL;
	stream->demand = false;
	clock_timer_cancel(&stream->linger);
	sup_stream_event(stream, SUP_EVENT_STOP);
}
