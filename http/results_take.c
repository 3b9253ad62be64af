/*
 * What becomes of one message of an analyser.
 */
#include "config.h"

#include "http/results_int.h"

#include "shared/log.h"

#include <errno.h>
#include <string.h>

/* For each stream that it may speak of; read at all: */
#define STREAM_RATE    60
#define MESSAGES_MAX   1000      /* in a second, of all its streams */
#define BYTES_RATE     (1 << 20) /* to parse these takes some 10 % of a core */
#define ALL_BYTES_RATE (2 << 20) /* of all analysers */
#define STRIKES_MAX    200u      /* in a second, beyond that: not listened to */
#define LATE_NS        (5 * NS_PER_S)
#define AHEAD_MAX      64u /* frames that it may have before us */
#define AHEAD_NS       NS_PER_S
#define PAUSE_MS       1000 /* doubles up to the next */
#define PAUSE_MAX_MS   30000
#define FORGET_NS      (30 * NS_PER_S) /* of good behaviour: pauses are short again */

/* Rates */

/* What is there for a second is there at once, too. */
static bool
take(struct rate_bucket *bucket, size_t amount, int64_t rate, int64_t now_ns)
{
	return rate_spend(bucket, (int64_t)amount * NS_PER_S / rate, NS_PER_S, now_ns);
}

static bool
has_room(struct analyser *analyser, size_t len, int64_t now_ns)
{
	int64_t rate = STREAM_RATE * (int64_t)analyser->n_streams;

	if (rate > MESSAGES_MAX)
		rate = MESSAGES_MAX;
	if (rate < STREAM_RATE)
		rate = STREAM_RATE;
	return take(&analyser->messages, 1, rate, now_ns) &&
	       take(&analyser->bytes, len, BYTES_RATE, now_ns);
}

/* Faults */

void
analyser_drop(struct analyser *analyser, enum results_drop why, const char *error)
{
	analyser->drops[why]++;
	analyser->last_error = error;
	analyser->last_error_ms = front_now_ms(analyser->front);
}

/* Its endpoint is closed, so that nothing it sends costs anything, and asked again later. */
static void
pause_reading(struct analyser *analyser, const char *why)
{
	int64_t now_ns = clock_now_ns(analyser->front->clock), ms;

	if (analyser->pauses > 0 && now_ns - analyser->heard_from_ns > FORGET_NS)
		analyser->pauses = 0;
	ms = analyser->pauses < 5 ? (int64_t)PAUSE_MS << analyser->pauses : PAUSE_MAX_MS;
	analyser->pauses++;
	analyser->strikes = (struct rate_window){ 0 };
	analyser->heard_from_ns = now_ns + ms * NS_PER_MS;
	log_warn("analyser=%s: %s, not listened to for %lld s", analyser->name, why,
		 (long long)ms / 1000);
	results_link_deafen(analyser->link, ms);
}

static void
strike(struct analyser *analyser, int64_t now_ns)
{
	if (rate_count(&analyser->strikes, NS_PER_S, now_ns) > STRIKES_MAX)
		pause_reading(analyser, analyser->last_error);
}

void
analyser_fault(struct analyser *analyser, int error)
{
	analyser->results++;
	if (error == -EACCES)
		analyser_drop(analyser, RESULTS_FOREIGN, "somebody else listens at its endpoint");
	else if (error == -EMSGSIZE)
		analyser_drop(analyser, RESULTS_TOO_LARGE, "a result of more than 65536 bytes");
	else
		analyser_drop(analyser, RESULTS_MALFORMED, "its endpoint speaks no SP pub/sub");
	pause_reading(analyser, analyser->last_error);
}

/* Frames */

static const struct stamp *
find_stamp(const struct stream *stream, const struct result *result)
{
	switch (result->by) {
	case RESULT_BY_SEQ:
		return stamps_by_seq(&stream->stamps, result->epoch, result->seq);
	case RESULT_BY_ARRIVED:
		return stamps_by_arrived(&stream->stamps, result->time_ns);
	default:
		return stamps_by_captured(&stream->stamps, result->time_ns);
	}
}

/* Whoever looks at frames may have one before us. */
static bool
may_come(const struct stream *stream, const struct result *result)
{
	const struct stamp *newest = stamps_newest(&stream->stamps);
	int64_t ahead;

	if (result->by == RESULT_BY_CAPTURED)
		return false;
	if (result->by == RESULT_BY_SEQ) {
		uint64_t known = newest != NULL && newest->epoch == result->epoch ? newest->seq : 0;

		return (known > 0 || result->epoch == stream->epoch) && result->seq > known &&
		       result->seq - known <= AHEAD_MAX;
	}
	if (newest == NULL || result->time_ns <= newest->arrived_ns)
		return false;
	ahead = result->time_ns - newest->arrived_ns;
	return ahead < AHEAD_NS;
}

static void
note_lag(struct analyser *analyser, const struct stamp *stamp)
{
	struct clock *clock = analyser->front->clock;
	int64_t us = (clock_realtime_ns(clock) - stamp->arrived_ns) / 1000;
	uint64_t i = analyser->n_lags++ % RESULTS_LAGS;

	/* Clocks may be set; of another machine, too. */
	analyser->lags[i].us = us < 0 ? 0 : us;
	analyser->lags[i].at_ns = clock_now_ns(clock);
}

static void
finish(struct analyser *analyser, const struct result *result, struct stream *stream,
       const struct stamp *stamp)
{
	note_lag(analyser, stamp);
	if (clock_now_ns(analyser->front->clock) - stamp->came_ns > LATE_NS)
		analyser_drop(analyser, RESULTS_LATE, "a result more than 5 s after its frame");
	else
		results_pass(analyser, result, stream, stamp);
}

/* Takes result. */
static void
keep_early(struct analyser *analyser, struct result *result)
{
	if (analyser->n_early == RESULTS_EARLY) {
		analyser_drop(analyser, RESULTS_UNKNOWN_FRAME, "a frame that never came");
		result_free(&analyser->early[0]);
		analyser->n_early--;
		memmove(analyser->early, analyser->early + 1,
			analyser->n_early * sizeof(analyser->early[0]));
	}
	analyser->early[analyser->n_early++] = result;
}

/* Takes result. */
static void
judge(struct analyser *analyser, struct result *result, struct stream *stream)
{
	const struct stamp *stamp = find_stamp(stream, result);

	if (stamp != NULL) {
		finish(analyser, result, stream, stamp);
	} else if (may_come(stream, result)) {
		keep_early(analyser, result);
		return;
	} else {
		analyser_drop(analyser, RESULTS_UNKNOWN_FRAME, "a frame that is not known");
	}
	result_free(&result);
}

void
analyser_try_early(struct analyser *analyser, struct stream *stream)
{
	struct result *waiting[RESULTS_EARLY];
	unsigned n = analyser->n_early;

	memcpy(waiting, analyser->early, sizeof(waiting));
	analyser->n_early = 0;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(waiting[i]->stream, stream->name) == 0)
			judge(analyser, waiting[i], stream);
		else
			keep_early(analyser, waiting[i]);
}

/* Messages */

/* Takes result. */
static void
take_result(struct analyser *analyser, struct result *result, int64_t now_ns)
{
	struct results_stream *own = analyser_stream(analyser, result->stream);
	struct stream *stream = stream_find(analyser->front, result->stream);

	if (own == NULL) {
		analyser_drop(analyser, RESULTS_FOREIGN,
			      "a result of a stream that is not its own");
		strike(analyser, now_ns);
	} else if (!take(&own->bucket, 1, STREAM_RATE, now_ns)) {
		analyser_drop(analyser, RESULTS_TOO_MANY,
			      "more than 60 results of a stream in a second");
		strike(analyser, now_ns);
	} else if (stream == NULL) {
		analyser_drop(analyser, RESULTS_UNKNOWN_FRAME, "a stream that is gone");
	} else {
		judge(analyser, result, stream);
		return;
	}
	result_free(&result);
}

void
analyser_take(struct analyser *analyser, const uint8_t *bytes, size_t len)
{
	int64_t now_ns = clock_now_ns(analyser->front->clock);
	struct result *result;
	const char *fault;

	analyser->results++;
	if (!has_room(analyser, len, now_ns)) {
		analyser_drop(analyser, RESULTS_TOO_MANY, "more results than are read in a second");
		strike(analyser, now_ns);
		return;
	}
	/* Which is not the fault of this one. */
	if (!take(&analyser->front->results->bytes, len, ALL_BYTES_RATE, now_ns)) {
		analyser_drop(analyser, RESULTS_TOO_MANY,
			      "more results of all analysers than are read in a second");
		return;
	}
	result = result_parse((const char *)bytes, len, &fault);
	if (result == NULL) {
		analyser_drop(analyser, RESULTS_MALFORMED, fault);
		pause_reading(analyser, "a malformed result");
		return;
	}
	take_result(analyser, result, now_ns);
}
