/*
 * From packets as they arrive to packets in order: a window bounded in number, bytes and time. One
 * for each track. Over TCP (wait_ns 0) it only counts: nothing is kept or copied, but for one
 * packet when the numbers jump. Memory is bounded and used again.
 *
 * A jump beyond what RFC 3550 A.1 takes for loss or disorder (3000 ahead, 100 back) counts when a
 * second packet agrees with the first; no packet of the new numbering is lost by that. An SSRC that
 * changes while the numbers go on is nothing new; one that was left does not come back while the
 * present one speaks.
 */
#ifndef CAMHUB_MEDIA_RTP_REORDER_H
#define CAMHUB_MEDIA_RTP_REORDER_H

#include "media/rtp.h"

#define RTP_REORDER_MAX_PACKETS 512
#define RTP_REORDER_MAX_BYTES   (1u << 20)

struct rtp_reorder_stats {
	uint64_t received;  /* packets taken; duplicates and late ones not counted */
	uint64_t lost;      /* sequence numbers given up */
	uint64_t reordered; /* came after a higher number, in time */
	uint64_t late;      /* came when given up already */
	uint64_t duplicates;
	uint64_t resets; /* the sender began anew: another numbering that lasted */
	uint64_t strays; /* of another source, or of a numbering that did not last */
	uint16_t highest_seq;
	uint32_t cycles; /* wraps of the sequence number */
	uint32_t ssrc;
};

/*
 * A packet whose turn it is. lost: how many are missing right before it (0 none; RTP_LOST_UNKNOWN
 * after a reset). arrived_ns: as given with the packet. Packets are borrowed for the call.
 */
#define RTP_LOST_UNKNOWN UINT32_MAX
typedef void rtp_reorder_fn(void *arg, const struct rtp_packet *packet, uint32_t lost,
			    int64_t arrived_ns);

struct rtp_reorder;

/* wait_ns: how long a hole may hold back what comes after it; 0: not at all. NULL: no memory.
 * deliver must not free the reorder nor push into it. */
struct rtp_reorder *rtp_reorder_new(int64_t wait_ns, rtp_reorder_fn *deliver, void *arg);
void rtp_reorder_free(struct rtp_reorder **reorder); /* NULL-safe */

/* A packet (borrowed, copied when it must wait). Calls deliver for each whose turn it is, also of
 * those whose wait is over. Returns 0, or -EPROTO when the bytes are no RTP packet. */
int rtp_reorder_push(struct rtp_reorder *reorder, const uint8_t *data, size_t len,
		     int64_t arrived_ns);
/* Time has passed. */
void rtp_reorder_tick(struct rtp_reorder *reorder, int64_t now_ns);
/* When rtp_reorder_tick() is due; INT64_MAX: nothing waits. */
int64_t rtp_reorder_due_ns(const struct rtp_reorder *reorder);
/* Give up all holes and deliver what waits (end of the stream). */
void rtp_reorder_flush(struct rtp_reorder *reorder);
const struct rtp_reorder_stats *rtp_reorder_stats(const struct rtp_reorder *reorder);

#endif
