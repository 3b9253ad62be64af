/*
 * What a player says of the pictures on its screen: one REPORT of docs/protocol.md, "/ws". It comes
 * from a stranger: all of it is checked before any of it counts.
 */
#ifndef CAMHUB_HTTP_DELAY_REPORT_H
#define CAMHUB_HTTP_DELAY_REPORT_H

#include <jansson.h>
#include <stdint.h>

#define DELAY_BUCKETS 14
/* The greatest that is believed, of one report. */
#define DELAY_REPORT_FRAMES_MAX 100000
#define DELAY_REPORT_MS_MAX     3600000

enum delay_transport {
	DELAY_TRANSPORT_OTHER,
	DELAY_TRANSPORT_WEBCODECS,
	DELAY_TRANSPORT_MSE,
	DELAY_TRANSPORT_MJPEG,
	DELAY_TRANSPORT_WEBRTC,
	DELAY_TRANSPORT_COUNT
};

struct delay_report {
	uint16_t id; /* of the subscription, from 1 */
	enum delay_transport transport;
	uint32_t shown, dropped; /* frames since the last report */
	uint32_t
	    buckets[DELAY_BUCKETS]; /* of those shown whose age was measured; bucket b: at
				       most delay_bound_ms(b) old, and older than the one before */
	double max_ms; /* the oldest: inside the last bucket that is not empty. 0: none measured */
};

/* Upper edge of a bucket; of the last one, DELAY_REPORT_MS_MAX. */
double delay_bound_ms(unsigned bucket);
/* "webrtc", "webcodecs", "mse", "mjpeg", "other" */
const char *delay_transport_name(enum delay_transport transport);

/*
 * json: one element of `reports`, whatever it is. 0, or -EPROTO when it lacks a member, when one is
 * out of its range, or when they contradict each other. Unknown members are ignored.
 */
int delay_report_parse(const json_t *json, struct delay_report *report);

#endif
