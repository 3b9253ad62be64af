/*
 * What H.264 and H.265 share: NAL units of a packet to access units. Where a unit begins and ends,
 * what a loss costs it, the parameter sets' way out.
 */
#ifndef CAMHUB_MEDIA_RTP_DEPAY_NAL_H
#define CAMHUB_MEDIA_RTP_DEPAY_NAL_H

#include "media/rtp_au_end.h"
#include "media/rtp_depay_int.h"

#define RTP_NAL_HEADER_MAX 2

/* What a NAL unit is to an access unit (H.264 7.4.1.2.3, H.265 7.4.2.4.4). */
enum rtp_nal_class {
	RTP_NAL_NOTHING, /* no NAL unit, or of a type that nobody knows: left out, counted */
	RTP_NAL_BROKEN,  /* a slice, the sender says so (forbidden_zero_bit): left out, damage */
	RTP_NAL_FILLER,  /* left out */
	RTP_NAL_FIRST,   /* the first slice of a picture */
	RTP_NAL_SLICE,   /* another one */
	RTP_NAL_SET,     /* a parameter set */
	RTP_NAL_BEFORE,  /* stands before the slices: delimiter, SEI */
	RTP_NAL_BESIDE,  /* stands anywhere */
	RTP_NAL_BEHIND,  /* stands behind slices only: end of sequence, suffix SEI, other layers */
};

struct rtp_nal;

struct rtp_nal_kind {
	size_t header_bytes;
	bool has_fields; /* two pictures (fields) may share a unit */
	/* len >= header_bytes; the byte behind the header is enough. */
	enum rtp_nal_class (*classify)(const uint8_t *nal, size_t len);
	/* One payload (len > 0): calls the functions below. */
	void (*unpack)(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data,
		       size_t len);
};

/* The unit in progress, on top of what struct rtp_depay has. */
struct rtp_nal_unit {
	bool is_open; /* something of it was seen; the rest holds only then */
	uint32_t timestamp;
	bool has_slices;     /* written (or passed over) */
	bool lacks_slices;   /* what was seen of slices could not be used */
	bool is_torn;        /* bytes are missing */
	bool is_after_gap;   /* packets before its first are missing */
	bool is_passed_over; /* no memory, or too large */
	bool is_last_marked;
	unsigned pictures, slices, markers;
};

enum rtp_nal_fragments {
	RTP_NAL_NO_FRAGMENTS,
	RTP_NAL_IN_FRAGMENTS,
	RTP_NAL_SKIP_FRAGMENTS, /* of something that is left out */
};

struct rtp_nal {
	const struct rtp_nal_kind *kind;
	struct rtp_au_watch watch;
	struct rtp_nal_unit unit;
	bool has_gap;    /* packets are missing since the last unit */
	bool has_ended;  /* some unit ended: the start of the stream is over */
	bool has_marked; /* the last unit ended with a marker, and nothing was lost since */
	uint32_t marked_timestamp;
	/* The packet in hand */
	uint32_t timestamp;
	int64_t arrived_ns; /* of the last packet of the unit */
	/* The NAL unit in fragments */
	enum rtp_nal_fragments fragments;
	bool is_slice;        /* or else it is looked at when it is whole */
	size_t fragments_pos; /* of its start code in the writer */
};

struct rtp_nal_fragment {
	uint8_t header[RTP_NAL_HEADER_MAX]; /* rebuilt */
	const uint8_t *data;
	size_t len; /* may be 0 */
	bool is_start, is_end;
};

/* What the tables of the codecs call. */
void rtp_nal_push(struct rtp_depay *depay, void *state, const struct rtp_packet *packet,
		  uint32_t lost, int64_t arrived_ns);
void rtp_nal_flush(struct rtp_depay *depay, void *state);

/* What unpack() calls. A NAL unit that is whole; start codes in it (a fault of cameras) are taken
 * for what they are. */
void rtp_nal_add(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len);
void rtp_nal_add_fragment(struct rtp_depay *depay, struct rtp_nal *nal,
			  const struct rtp_nal_fragment *fragment);
/* Something that is left out; is_damage: bytes of a picture were in it. */
void rtp_nal_ignore(struct rtp_depay *depay, struct rtp_nal *nal, bool is_damage);

#endif
