/*
 * The thread: open, read until something ends it, close.
 */
#include "config.h"

#include "worker/av_reader.h"

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "worker/av_demux.h"
#include "worker/av_names.h"
#include "worker/av_test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
av_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
av_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

static void
set_deadline(struct av_reader *reader, int64_t ms)
{
	atomic_store(&reader->deadline_ns, av_now_ns() + ms * NS_PER_MS);
}

bool
av_reader_is_stopped(struct av_reader *reader)
{
	return atomic_load(&reader->is_stopped);
}

bool
av_reader_is_interrupted(struct av_reader *reader)
{
	if (!atomic_load(&reader->is_closing) && av_reader_is_stopped(reader))
		return true;
	return av_now_ns() > atomic_load(&reader->deadline_ns);
}

int
av_reader_fail(struct av_reader *reader, enum wrk_class class, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (reader->reason == NULL) {
		reader->class = class;
		reader->reason = xstrdup(text);
	}
	return -EIO;
}

void
av_reader_redirect(struct av_reader *reader, const char *url)
{
	free(reader->reason);
	reader->class = WRK_CLASS_REDIRECT;
	reader->reason = xstrdup(url);
}

int
av_reader_push(struct av_reader *reader, const struct wrk_unit *unit, void (*release)(void *owner),
	       void *owner)
{
	struct av_item *item = av_item_new(AV_ITEM_UNIT);

	item->unit = *unit;
	item->release = release;
	item->owner = owner;
	if (unit->arrived_monotonic_ns == 0) {
		item->unit.arrived_monotonic_ns = av_now_ns();
		item->unit.arrived_realtime_ns = av_realtime_ns();
	}
	return av_queue_push(reader->queue, item);
}

static void
tell_failure(struct av_reader *reader)
{
	struct av_item *item = av_item_new(AV_ITEM_FAILED);

	item->class = reader->class;
	item->reason = reader->reason != NULL ? reader->reason : xstrdup("stopped");
	reader->reason = NULL;
	av_queue_push(reader->queue, item);
}

static void *
run(void *arg)
{
	struct av_reader *reader = arg;
	void *source = NULL;
	int rc;

	set_deadline(reader, reader->open_timeout_ms);
	rc = reader->ops->open(reader, &source);
	if (rc == 0) {
		av_names_freeze();
		av_queue_push(reader->queue, av_item_new(AV_ITEM_OPENED));
	}
	while (rc == 0 && !av_reader_is_stopped(reader)) {
		set_deadline(reader, reader->read_timeout_ms);
		rc = reader->ops->read(source);
	}
	/* First the news, then the farewell: closing may take its time. */
	if (!av_reader_is_stopped(reader))
		tell_failure(reader);
	atomic_store(&reader->is_closing, true);
	set_deadline(reader, AV_READER_CLOSE_MS);
	if (source != NULL)
		reader->ops->close(source);
	av_queue_push(reader->queue, av_item_new(AV_ITEM_CLOSED));
	return NULL;
}

static char *
copy_or_null(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static void
release(struct av_reader *reader)
{
	av_queue_free(&reader->queue);
	url_clear(&reader->url);
	free(reader->stream);
	free(reader->url_text);
	free(reader->user);
	free(reader->password);
	free(reader->transport);
	free(reader->reason);
	free(reader);
}

/* Signals are the main thread's. */
static int
start_thread(struct av_reader *reader)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&reader->thread, NULL, run, reader);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

int
av_reader_start(const struct wrk_input_config *config, struct av_reader **reader)
{
	struct av_reader *new_reader = xcalloc(1, sizeof(*new_reader));
	char err[URL_ERROR_MAX];
	int rc;

	rc = url_parse(config->url, &new_reader->url, err);
	if (rc < 0) {
		log_err("%s", err);
		free(new_reader);
		return rc;
	}
	new_reader->ops =
	    strcmp(new_reader->url.scheme->name, "test") == 0 ? &av_test_ops : &av_demux_ops;
	new_reader->stream = xstrdup(config->stream);
	new_reader->url_text = xstrdup(config->url);
	new_reader->user = copy_or_null(config->user);
	new_reader->password = copy_or_null(config->password);
	new_reader->transport = xstrdup(config->transport);
	new_reader->open_timeout_ms = config->open_timeout_ms;
	new_reader->read_timeout_ms = config->read_timeout_ms;
	new_reader->queue = av_queue_new();
	rc = new_reader->queue != NULL ? start_thread(new_reader) : -EMFILE;
	if (rc < 0) {
		release(new_reader);
		return rc;
	}
	*reader = new_reader;
	return 0;
}

void
av_reader_stop(struct av_reader *reader)
{
	atomic_store(&reader->is_stopped, true);
	av_queue_stop(reader->queue);
}

void
av_reader_free(struct av_reader **reader)
{
	if (*reader == NULL)
		return;
	pthread_join((*reader)->thread, NULL);
	release(*reader);
	*reader = NULL;
}
