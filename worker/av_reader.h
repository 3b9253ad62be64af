/*
 * The reading thread: what a source sees of its worker. Only the functions here and av_queue.h may
 * be used from the thread, and log_msg().
 */
#ifndef CAMHUB_WORKER_AV_READER_H
#define CAMHUB_WORKER_AV_READER_H

#include "publish/wrk_time.h"
#include "shared/url.h"
#include "worker/av_queue.h"

#include <pthread.h>
#include <stdatomic.h>

#define AV_READER_CLOSE_MS 500 /* for the last words to a source (TEARDOWN) */

struct av_reader;
struct AVFormatContext;

/* A way to get units. All run in the thread. */
struct av_source_ops {
	/* 0 and *source; negative after av_reader_fail(). */
	int (*open)(struct av_reader *reader, void **source);
	/* Get some and av_reader_push() them. 0; negative after av_reader_fail(). */
	int (*read)(void *source);
	void (*close)(void *source); /* what open() gave */
};

struct av_reader {
	/* Constant once the thread runs */
	const struct av_source_ops *ops;
	char *stream, *url_text, *user, *password, *transport;
	struct url url;
	int64_t open_timeout_ms, read_timeout_ms;
	struct av_queue *queue;

	/* The thread's own */
	pthread_t thread;
	struct wrk_time time;
	enum wrk_class class;
	char *reason;
	struct AVFormatContext *opening; /* while libavformat opens it, and by what URL */
	const char *opening_url;

	atomic_bool is_stopped, is_closing;
	atomic_llong deadline_ns; /* CLOCK_MONOTONIC */
};

/* Begin a reader for a configuration: -EINVAL for a URL that is wrong or not for it, -EMFILE,
 * -EAGAIN. */
int av_reader_start(const struct wrk_input_config *config, struct av_reader **reader);
/* Ask it to come to its end; AV_ITEM_CLOSED is the last thing in the queue then. */
void av_reader_stop(struct av_reader *reader);
/* Joins the thread: only after AV_ITEM_CLOSED. NULL-safe. */
void av_reader_free(struct av_reader **reader);

/* For sources */

/* Whether a call that blocks must come back now; for interrupt callbacks. */
bool av_reader_is_interrupted(struct av_reader *reader);
bool av_reader_is_stopped(struct av_reader *reader);
/* Why open() or read() fails; the first one counts. Returns -EIO, to be returned. */
int av_reader_fail(struct av_reader *reader, enum wrk_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* open() fails because the source is at url. */
void av_reader_redirect(struct av_reader *reader, const char *url);
/* The bytes of unit belong to owner. Arrival stamps are set here when 0. 0 or -ECANCELED. */
int av_reader_push(struct av_reader *reader, const struct wrk_unit *unit,
		   void (*release)(void *owner), void *owner);

int64_t av_now_ns(void);      /* CLOCK_MONOTONIC */
int64_t av_realtime_ns(void); /* CLOCK_REALTIME */

#endif
