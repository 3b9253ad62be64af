/*
 * The results of analysers (docs/protocol.md, "Results"): from the endpoints that the supervisor
 * names to the viewers who asked for them. What an analyser sends is counted, checked, and passed
 * on in our own words; one that sends too much, or nonsense, is not listened to for a while.
 */
#ifndef CAMHUB_HTTP_RESULTS_H
#define CAMHUB_HTTP_RESULTS_H

#include "http/front.h"

#include <stdio.h>

struct results;
struct request;

struct results *results_new(struct front *front);
void results_free(struct results **results); /* NULL-safe */

/* The messages analyser (also of one that is known) and analyser-gone. */
void results_announce(struct results *results, const json_t *msg);
void results_gone(struct results *results, uint32_t id);

/* A frame of this stream came: results that were there before it may be of it. */
void results_on_frame(struct results *results, struct stream *stream);
/* A result was lost for a viewer who is too slow. */
void results_count_slow(struct results *results, uint32_t analyser);

/* How many analysers may speak of the stream. */
unsigned results_analysers_of(const struct results *results, const char *stream);
/* Tell the supervisor of each. */
void results_report(const struct results *results);
/* /api/analysers; the part of /metrics. Of those whose streams request may see. */
json_t *results_describe(const struct results *results, const struct request *request);
void results_write_metrics(const struct results *results, const struct request *request, FILE *out);

#endif
