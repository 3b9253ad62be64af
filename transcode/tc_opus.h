/*
 * AAC to Opus, frame by frame, for WebRTC: decoded, brought to 48 kHz, encoded in frames of 20 ms
 * without looking ahead more than the codec must. It never queues more than one frame.
 */
#ifndef CAMHUB_TRANSCODE_TC_OPUS_H
#define CAMHUB_TRANSCODE_TC_OPUS_H

#include <stddef.h>
#include <stdint.h>

#define TC_OPUS_RATE     48000
#define TC_OPUS_FRAME_MS 20
/* Where a packet does not begin where the one before ended, by more than this, time has jumped. */
#define TC_OPUS_SLACK_NS INT64_C(40000000)

struct tc_opus;

/* data is borrowed for the call. */
struct tc_opus_ops {
	/* Before the first frame: the identification header (RFC 7845 section 5.1). */
	void (*config)(void *arg, const uint8_t *data, size_t len);
	/* One frame; pts_ns of its first sample, on the source's clock. */
	void (*frame)(void *arg, const uint8_t *data, size_t len, int64_t pts_ns);
};

/* config: an AudioSpecificConfig. 0 or a negative AVERROR. */
int tc_opus_new(const uint8_t *config, size_t len, const struct tc_opus_ops *ops, void *arg,
		struct tc_opus **opus);
void tc_opus_free(struct tc_opus **opus); /* NULL-safe */
/* One AAC frame. What is damaged is passed over. 0, or a negative AVERROR: no Opus can be made of
 * this. */
int tc_opus_push(struct tc_opus *opus, const uint8_t *data, size_t len, int64_t pts_ns);

#endif
