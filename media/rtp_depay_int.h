/*
 * Between rtp_depay.c and the files of the codecs. A codec's file has one table of functions; its
 * state is of its own making. Shared: the unit in progress (where it goes, its loss, its end).
 */
#ifndef CAMHUB_MEDIA_RTP_DEPAY_INT_H
#define CAMHUB_MEDIA_RTP_DEPAY_INT_H

#include "media/bytes.h"
#include "media/rtp_depay.h"

struct rtp_depay_codec {
	size_t state_bytes;
	/* state is zeroed */
	int (*init)(struct rtp_depay *depay, void *state);
	void (*push)(struct rtp_depay *depay, void *state, const struct rtp_packet *packet,
		     uint32_t lost, int64_t arrived_ns);
	void (*flush)(struct rtp_depay *depay, void *state); /* NULL: nothing waits */
	void (*clear)(struct rtp_depay *depay, void *state); /* NULL: nothing to free */
};

extern const struct rtp_depay_codec rtp_depay_h264; /* rtp_depay_h264.c, rtp_depay_nal.c */
extern const struct rtp_depay_codec rtp_depay_h265; /* rtp_depay_h265.c, rtp_depay_nal.c */
extern const struct rtp_depay_codec rtp_depay_jpeg; /* rtp_depay_jpeg.c */
extern const struct rtp_depay_codec rtp_depay_aac;  /* rtp_depay_aac.c */
extern const struct rtp_depay_codec
    rtp_depay_plain; /* rtp_depay_plain.c: G.711, G.726, L16, Opus */

struct rtp_depay {
	struct rtp_format format; /* a copy, config too */
	struct rtp_depay_ops ops;
	void *arg;
	const struct rtp_depay_codec *codec;
	void *state;
	struct rtp_depay_stats stats;

	/* The unit in progress */
	struct byte_writer *out;   /* NULL: none begun */
	struct byte_writer *spare; /* what begin() gave and end() did not take back yet */
	struct rtp_unit unit;
	/* Since the last unit ended; rtp_depay_push() sets it before the codec sees the packet. A
	 * codec that ends a unit because of a packet after a loss sets it again for the next. */
	bool has_loss;
};

/* The writer of the unit in progress, begun now if there is none (its timestamp, arrival and loss
 * are set). NULL: no memory. */
struct byte_writer *rtp_depay_begin(struct rtp_depay *depay, uint32_t timestamp);
/* It is whole: hands it over if there are bytes and the writer did not fail; counts. */
void rtp_depay_end(struct rtp_depay *depay, int64_t arrived_ns);
/* It comes to nothing: the writer is emptied and used again; what follows is after a loss. */
void rtp_depay_drop(struct rtp_depay *depay);

#endif
