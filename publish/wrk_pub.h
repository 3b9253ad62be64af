/*
 * What a worker puts on the bus: units with their headers and numbers, configurations, the pulse,
 * replays; and the pause when nobody watches.
 */
#ifndef CAMHUB_PUBLISH_WRK_PUB_H
#define CAMHUB_PUBLISH_WRK_PUB_H

#include "publish/wrk_advice.h"
#include "publish/wrk_input.h"
#include "publish/wrk_meter.h"
#include "publish/wrk_unit.h"
#include "shared/bus.h"

struct clock;

/* The publisher's side of shared/bus.h, replaceable. */
struct wrk_bus_ops {
	int (*open)(const char *path, unsigned mode, struct bus_pub **pub);
	int (*send)(struct bus_pub *pub, const struct frame *frame, const void *payload,
		    size_t len);
	int (*send_msg)(struct bus_pub *pub, struct bus_msg **msg);
	int (*resend)(struct bus_pub *pub, const struct bus_msg *msg, uint16_t flags,
		      uint32_t for_subscriber);
	int (*subscribers)(const struct bus_pub *pub);
	void (*unlink)(struct bus_pub *pub);
};

extern const struct wrk_bus_ops wrk_bus_nng;

struct wrk_pub_config {
	uint32_t stream_id;
	uint64_t epoch;
	size_t gop_cache_bytes;
};

struct wrk_pub_stats {
	uint64_t published;  /* messages sent to everybody, without the pulse */
	uint64_t corrupt;    /* units that were damaged or refused */
	uint64_t before_key; /* pictures before the first key frame, not numbered */
	uint64_t last_seq[FRAME_TRACK_AUDIO + 1];
	size_t gop_bytes;
	bool gop_is_whole, gop_is_too_long, is_on;
};

/* What a delivered unit turned out to be. */
enum wrk_seen { WRK_SEEN_NOTHING, WRK_SEEN_VIDEO, WRK_SEEN_KEY };

struct wrk_pub;

/* bus NULL (with pub NULL): nothing is sent, all is counted (probe). pub stays the caller's. */
struct wrk_pub *wrk_pub_new(const struct wrk_pub_config *config, const struct wrk_bus_ops *bus,
			    struct bus_pub *pub, struct clock *clock);
void wrk_pub_free(struct wrk_pub **pub); /* NULL-safe */

/* Number, describe, cache and (while there is demand) publish a unit. Takes unit->msg over,
 * whatever becomes of it. */
enum wrk_seen wrk_pub_deliver(struct wrk_pub *pub, const struct wrk_unit *unit);
/* Off: nothing but the pulse leaves, after this call. */
void wrk_pub_demand(struct wrk_pub *pub, bool is_on);
/* As wrk_replay_request(). */
int wrk_pub_replay(struct wrk_pub *pub, uint32_t subscriber);
/* A status message for everybody; json is its payload. */
void wrk_pub_pulse(struct wrk_pub *pub, const char *json);
/* The stream ends here on purpose. */
void wrk_pub_end(struct wrk_pub *pub);

/* All live as long as the publisher. */
const struct wrk_track *wrk_pub_track(const struct wrk_pub *pub, uint8_t track);
struct wrk_meter *wrk_pub_meter(struct wrk_pub *pub);
struct wrk_advice *wrk_pub_advice(struct wrk_pub *pub);
void wrk_pub_stats(const struct wrk_pub *pub, struct wrk_pub_stats *stats);

#endif
