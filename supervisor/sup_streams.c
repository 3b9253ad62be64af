/*
 * Streams come and go with the configuration.
 */
#include "config.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_copy.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_spawn.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct url_program *
program_for(const struct conf_stream *conf, const struct url *url)
{
	const struct url_program *program = NULL;

	if (conf->camera->ingest == CONF_INGEST_AUTO)
		program = url_program_find(url->scheme->program);
	return program != NULL ? program : url_program_find("camhub-worker-av");
}

static void
set_ports(struct sup_addresses *addresses, unsigned port)
{
	for (size_t i = 0; i < addresses->n; i++) {
		struct sockaddr_storage *address = &addresses->list[i];

		if (address->ss_family == AF_INET)
			((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
		else
			((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
	}
}

int
sup_stream_set_url(struct sup_stream *stream, const char *text)
{
	char err[URL_ERROR_MAX];
	struct url url;

	/* Who gives it has checked it. */
	if (url_parse(text, &url, err) < 0) {
		log_err("cam=%s: %s", stream->name, err);
		return -EINVAL;
	}
	if (stream->url.host == NULL || strcmp(stream->url.host, url.host) != 0)
		stream->addresses.n = 0;
	url_clear(&stream->url);
	stream->url = url;
	set_ports(&stream->addresses, url.port);
	return 0;
}

void
sup_stream_set_conf(struct sup_stream *stream, const struct conf_stream *conf)
{
	bool is_same = stream->conf != NULL && strcmp(stream->conf->url, conf->url) == 0;

	stream->conf = conf;
	for (int i = 0; i < SUP_COPY_KINDS; i++)
		if (stream->copies[i] != NULL && stream->copies[i]->conf != NULL)
			stream->copies[i]->conf = conf;
	/* A redirect outlives a reload that leaves the camera alone. */
	if (!is_same || !sup_redirect_is_active(stream)) {
		sup_redirect_clear(&stream->redirect);
		if (sup_stream_set_url(stream, conf->url) < 0)
			return;
	}
	stream->program = program_for(conf, &stream->url);
}

/* Takes name. */
static struct sup_stream *
make_stream(struct sup *sup, char *name)
{
	struct sup_stream *stream = xcalloc(1, sizeof(*stream));

	stream->sup = sup;
	stream->id = ++sup->next_stream_id;
	stream->name = name;
	stream->socket = -1;
	memcpy(stream->class, "none", 5);
	sup_stream_init_timers(stream);
	sup_hook_stream_init(stream);
	return stream;
}

struct sup_stream *
sup_stream_new(struct sup *sup, const struct conf_stream *conf)
{
	struct sup_stream *stream = make_stream(sup, xstrdup(conf->name));

	sup_stream_set_conf(stream, conf);
	TAILQ_INSERT_TAIL(&sup->streams, stream, entry);
	return stream;
}

struct sup_stream *
sup_stream_new_copy(struct sup_stream *source, enum sup_copy_kind kind)
{
	static const struct url_program program = { SUP_COPY_PROGRAM, false };
	struct sup_stream *copy =
	    make_stream(source->sup, xasprintf("%s.%s", source->name, sup_copy_job(kind)));

	copy->is_copy = true;
	copy->copy_kind = kind;
	copy->source = source;
	copy->program = &program;
	copy->conf = source->conf;
	source->copies[kind] = copy;
	TAILQ_INSERT_AFTER(&source->sup->streams, source, copy, entry);
	return copy;
}

static void
part_from_copy(struct sup_stream *stream)
{
	if (stream->source != NULL)
		stream->source->copies[stream->copy_kind] = NULL;
	for (int i = 0; i < SUP_COPY_KINDS; i++)
		if (stream->copies[i] != NULL)
			stream->copies[i]->source = NULL;
}

void
sup_stream_free(struct sup_stream **stream)
{
	struct sup_stream *old = *stream;

	*stream = NULL;
	if (old == NULL)
		return;
	TAILQ_REMOVE(&old->sup->streams, old, entry);
	part_from_copy(old);
	sup_stream_cancel(old);
	clock_timer_cancel(&old->linger);
	sup_hook_stream_clear(old);
	sup_spawn_release(old);
	sup_child_free(&old->child);
	if (old->bus[0] != '\0')
		unlink(old->bus);
	if (old->socket >= 0)
		close(old->socket);
	json_decref(old->status);
	json_decref(old->advice);
	sup_redirect_clear(&old->redirect);
	sup_challenge_clear(&old->challenge);
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
	sup_copy_remove(stream);
	sup_front_announce_gone(stream->sup, stream->id);
	log_notice("cam=%s: gone%s", stream->name,
		   stream->is_copy ? "" : " from the configuration");
	stream->conf = NULL;
	stream->demand = stream->is_demanded = false;
	clock_timer_cancel(&stream->linger);
	sup_hook_stream_clear(stream);
	sup_stream_event(stream, SUP_EVENT_STOP);
}
