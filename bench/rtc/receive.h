/*
 * What a viewer makes of the RTP that it gets: the order of packets restored, what is missing asked
 * for again, frames counted, and their age read from the camera's stamp.
 */
#ifndef CAMHUB_BENCH_RTC_RECEIVE_H
#define CAMHUB_BENCH_RTC_RECEIVE_H

#include "bench/samples.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVE_WINDOW 4096u /* packets; a power of two */
#define RECEIVE_TWCC   512u

struct receive_totals {
	uint64_t packets, bytes, late, recovered; /* recovered: by a retransmission */
	uint64_t holes;                           /* packets that never came */
	uint64_t frames;                          /* whole, and all that they refer to was */
	uint64_t broken; /* with a hole, or behind one until the next key frame */
	uint64_t missed; /* numbers of the camera's that did not come as whole frames */
	uint64_t nacks, plis;
	uint64_t freezes; /* more than RECEIVE_FREEZE_MS without a frame */
};

#define RECEIVE_FREEZE_MS 200

/* What all viewers of the process share. */
struct receive_shared {
	struct receive_totals totals;
	bool is_measuring; /* ages and gaps are collected */
	struct samples ages, gaps;
	struct samples waits; /* ages of first packets of frames: queues on the way */
};

struct receive_slot {
	int64_t seq; /* extended */
	int64_t since_ns, asked_ns;
	unsigned asked; /* so often */
	uint32_t timestamp;
	bool has_come, marker, is_key;
	int64_t stamp_ns; /* 0: none */
	uint64_t number;
};

struct receive {
	struct receive_shared *shared;
	uint8_t video_type, rtx_type, twcc_id;
	uint32_t ssrc; /* of the video */
	struct receive_slot slots[RECEIVE_WINDOW];
	bool has_first;
	int64_t next, highest;

	bool is_broken, is_key, awaits_key; /* the frame that is being put together */
	int64_t stamp_ns, last_frame_ns, first_frame_ns, first_current_ns;
	uint64_t number, last_number;
	bool wants_pli, has_last_number;

	int64_t twcc_seq[RECEIVE_TWCC]; /* extended; not told yet */
	int64_t twcc_ns[RECEIVE_TWCC];
	unsigned n_twcc;
	int64_t twcc_highest;
	bool has_twcc_seq;

	uint32_t report_received, report_expected, jitter;
	int64_t report_base;
};

void receive_init(struct receive *receive, struct receive_shared *shared);
/* A packet without its SRTP. */
void receive_on_rtp(struct receive *receive, const uint8_t *data, size_t len, int64_t now_ns);
/* What never comes is given up; the numbers to ask for again, at most max. */
size_t receive_missing(struct receive *receive, int64_t now_ns, uint16_t *seqs, size_t max);

#endif
