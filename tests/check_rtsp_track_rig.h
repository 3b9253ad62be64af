/*
 * A track with the worker behind it replaced: what it delivers is kept.
 */
#ifndef CAMHUB_TESTS_CHECK_RTSP_TRACK_RIG_H
#define CAMHUB_TESTS_CHECK_RTSP_TRACK_RIG_H

#include "worker/rtsp_track.h"

#include "shared/clock.h"
#include "tests/check_worker_fixture.h"
#include "tests/harness/harness.h"
#include "tests/rtp_writer.h"

#define FRAME_NS           (40 * NS_PER_MS)
#define WAIT_NS            (60 * NS_PER_MS)
#define REALTIME_OFFSET_NS (INT64_C(1800000000) * NS_PER_S)

struct rig_unit {
	struct wrk_unit unit; /* its data and msg are not to be looked at */
	uint8_t *data;
	size_t len;
	bool was_message; /* data lay in it */
	size_t spare;     /* that the message had beyond the data */
};

struct rig {
	struct clock *clock;
	struct rtp_format format;
	double framerate;
	struct rtsp_tracks tracks;
	struct rtsp_track *track;
	int64_t now_ns;
	uint32_t random;
	struct rig_unit units[2048];
	size_t n_units;
	struct rtp_nal written[2048]; /* pictures, in Annex B form */
	size_t n_written;
	uint8_t report[RTCP_RR_BYTES_MAX];
};

extern struct rig *rig; /* of the running test */
extern const struct rtp_format rig_no_format;

/* A format to be changed, with payload type 96, parameter sets left as they are; then a track of
 * it, and packets for it. rig_new: both. */
void rig_prepare(void);
struct rtp_writer *rig_start(enum rtp_codec codec, int64_t wait_ns);
struct rtp_writer *rig_new(enum rtp_codec codec, int64_t wait_ns);

/* A picture of random size and content (key: with parameter sets), kept in rig->written, and its
 * packets; 40 ms after the one before. */
void rig_write_picture(struct rtp_writer *writer, enum rtp_codec codec, bool is_key);

/* One slice of that many bytes. */
void rig_write_slice(struct rtp_writer *writer, size_t len);

/* At rig->now_ns. */
void rig_feed(const struct rtp_written *packet);
/* Each unit's packets together, 40 ms after those before. */
void rig_feed_all(const struct rtp_writer *writer);
/* A sender report at rig->now_ns. */
void rig_feed_report(uint32_t ssrc, uint64_t ntp, uint32_t timestamp);

uint32_t rig_random(uint32_t below); /* the same ones in each run */
void rig_swap(struct rtp_written *a, struct rtp_written *b);

#endif
