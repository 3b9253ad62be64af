/*
 * The delay on viewers' screens in the words of those who ask: the supervisor, /api/streams,
 * /metrics. now_ns is the clock of delay_stats_add().
 */
#ifndef CAMHUB_HTTP_DELAY_TELL_H
#define CAMHUB_HTTP_DELAY_TELL_H

#include "http/delay_stats.h"

#include <stdio.h>

/* The fields of `front-stream` that are about screens; delay_* only while somebody reports. */
void delay_put_report(json_t *msg, struct delay_stats *stats, int64_t now_ns);
/* The member `delay_ms` of a stream in /api/streams: an object, or null while nobody reports. */
json_t *delay_describe(struct delay_stats *stats, int64_t now_ns);
/* The same of one viewer, as a number: the 95th percentile, or null. */
json_t *delay_describe_viewer(struct delay_stats *stats, uint64_t viewer, int64_t now_ns);
/* The samples of one stream in the histogram `name`, in seconds, without HELP and TYPE. stream
 * needs no escaping. */
void delay_write_histogram(const struct delay_stats *stats, const char *name, const char *stream,
			   FILE *out);

#endif
