/*
 * For results*.c: one analyser, and what is known of it.
 */
#ifndef CAMHUB_HTTP_RESULTS_INT_H
#define CAMHUB_HTTP_RESULTS_INT_H

#include "http/result.h"
#include "http/results.h"
#include "http/results_link.h"
#include "http/stream.h"
#include "shared/rate.h"

#define RESULTS_ANALYSERS_MAX 64
#define RESULTS_LAGS          512u
#define RESULTS_EARLY         8u
#define RESULTS_RATES         5u /* reports over which a rate is taken */

/* Why a result went no further. */
enum results_drop {
	RESULTS_MALFORMED,
	RESULTS_TOO_LARGE,
	RESULTS_TOO_MANY,
	RESULTS_FOREIGN,
	RESULTS_UNKNOWN_FRAME,
	RESULTS_LATE,
	RESULTS_SLOW, /* for one viewer of it */
	RESULTS_DROPS
};
extern const char *const results_drop_names[RESULTS_DROPS];

struct results_stream {
	char name[STREAM_NAME_MAX + 1];
	struct rate_bucket bucket;
};

struct analyser {
	LIST_ENTRY(analyser) entry;
	struct front *front;
	uint32_t id;
	char name[33];
	struct results_stream *streams; /* that it may speak of */
	size_t n_streams;
	struct results_link *link; /* NULL: it publishes nothing */
	struct result
	    *early[RESULTS_EARLY]; /* of frames that are not here yet: the first n_early */
	unsigned n_early;

	struct rate_bucket messages, bytes;
	struct rate_window strikes; /* messages beyond what is read */
	unsigned pauses;            /* in a row in which it was not listened to */
	int64_t heard_from_ns;      /* the end of the latest of them */

	uint64_t results, drops[RESULTS_DROPS];
	const char *last_error; /* static; NULL: none yet */
	int64_t last_error_ms;  /* realtime */
	struct {
		int64_t at_ns, us;
	} lags[RESULTS_LAGS]; /* a ring */
	uint64_t n_lags;
	uint64_t told[RESULTS_RATES]; /* results at the latest reports, a ring */
	unsigned n_told;
};

LIST_HEAD(analyser_list, analyser);

struct results {
	struct front *front;
	struct analyser_list analysers;
	unsigned n;
	struct rate_bucket bytes; /* of all of them */
};

/* NULL: it may not speak of a stream of that name. */
struct results_stream *analyser_stream(const struct analyser *analyser, const char *name);
/* One message of its endpoint (results_take.c). */
void analyser_take(struct analyser *analyser, const uint8_t *bytes, size_t len);
/* Its endpoint speaks no SP, of something too long, or is somebody else's. */
void analyser_fault(struct analyser *analyser, int error);
/* A frame of the stream came: those of the results that wait which are of this stream. */
void analyser_try_early(struct analyser *analyser, struct stream *stream);
void analyser_drop(struct analyser *analyser, enum results_drop why, const char *error);

/* To the viewers of the stream, and of the other streams of its camera (results_pass.c). */
void results_pass(struct analyser *analyser, const struct result *result, struct stream *stream,
		  const struct stamp *stamp);

#endif
