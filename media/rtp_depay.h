/*
 * Depacketisers: RTP payloads of one track to access units. The bytes of a unit are written where
 * the owner says, once; nothing is kept here but what a unit in progress needs.
 *
 * Video ends at the marker bit, or, with cameras that never set it or set it on every slice, when
 * the timestamp changes: which of the two a camera does is found out by watching it.
 */
#ifndef CAMHUB_MEDIA_RTP_DEPAY_H
#define CAMHUB_MEDIA_RTP_DEPAY_H

#include "media/rtp.h"

struct byte_writer;

struct rtp_unit {
	uint32_t timestamp;
	uint32_t duration;       /* ticks, audio; 0 unknown */
	bool is_damaged;         /* bytes of it are missing */
	bool is_after_loss;      /* whole units before it may be missing */
	bool ended_by_timestamp; /* and not by the marker: it is late by one frame */
	int64_t arrived_ns;      /* of its last packet */
};

struct rtp_depay_ops {
	/* Where the next unit goes: an empty writer with its limit, valid until end(). NULL: no
	 * memory, the unit is passed over. */
	struct byte_writer *(*begin)(void *arg);
	/* The unit is whole (or as whole as it gets) in the writer. Video in Annex B form with
	 * 4-byte start codes; JPEG: one JFIF image; AAC: one raw_data_block; else the samples.
	 * Units that came to nothing are not told; then begin()'s writer is used for the next one
	 * after byte_writer_truncate(0). */
	void (*end)(void *arg, const struct rtp_unit *unit);
	/* A parameter set (H.264 7, 8; H.265 32, 33, 34) as received, from its header byte on:
	 * write it, or another in its place, to out (without start code). 0; negative: it is taken
	 * as it is. NULL: all as they are. */
	int (*parameter_set)(void *arg, const uint8_t *nal, size_t len, struct byte_writer *out);
};

enum rtp_au_end {
	RTP_AU_END_UNKNOWN,   /* too early to say */
	RTP_AU_END_MARKER,    /* as it should be */
	RTP_AU_END_NEVER,     /* the camera never sets the marker: units end when the next begins */
	RTP_AU_END_EACH_SLICE /* it sets it on parts of a unit: the same */
};

struct rtp_depay_stats {
	uint64_t units, damaged;
	uint64_t ignored;   /* payloads that are nothing or not understood */
	uint64_t too_large; /* units beyond the writer's limit */
	enum rtp_au_end au_end;
};

struct rtp_depay;

/* format is borrowed for the call (copied). NULL: a codec that is not for here. */
struct rtp_depay *rtp_depay_new(const struct rtp_format *format, const struct rtp_depay_ops *ops,
				void *arg);
void rtp_depay_free(struct rtp_depay **depay); /* NULL-safe */

/* The next packet in order; lost as in rtp_reorder_fn. Calls begin() and end() any number of times.
 */
void rtp_depay_push(struct rtp_depay *depay, const struct rtp_packet *packet, uint32_t lost,
		    int64_t arrived_ns);
/* No more packets: what is there is a unit if it is whole; else it is dropped. */
void rtp_depay_flush(struct rtp_depay *depay);
const struct rtp_depay_stats *rtp_depay_stats(const struct rtp_depay *depay);

#endif
