/*
 * Packets written as text go through a depacketiser, the units come out as text.
 *
 * Packets are separated by ';': [-LOST] TIMESTAMP[M] [HEX], LOST '?' for an unknown number, M for
 * the marker, "!" alone for rtp_depay_flush(). A unit is "TIMESTAMP[!][+][t]:HEX" and a ';', with
 * '|' for each 00000001; '!': damaged, '+': after a loss, 't': ended by the timestamp. Example:
 * "0 6742; 0M 6588" gives "0:|6742|6588;".
 */
#ifndef CAMHUB_TESTS_DEPAY_RIG_H
#define CAMHUB_TESTS_DEPAY_RIG_H

#include "media/bytes.h"
#include "media/rtp_depay.h"

#define DEPAY_RIG_LIMIT 4096 /* bytes of a unit, unless a test says otherwise */

struct depay_rig {
	struct rtp_depay *depay;
	struct byte_writer writer;
	bool is_lent;          /* between begin() and end() */
	unsigned begins;       /* how often a writer was asked for */
	unsigned refuse;       /* so many times there is none */
	int fail;              /* the next writer has this error */
	int set_result;        /* of parameter_set(), which writes set_hex */
	const char *set_hex;   /* NULL: it writes what it got, then ff */
	char sets[1024];       /* what parameter_set() saw, '|' before each */
	int64_t arrived_ns;    /* of the next packet; 1 more for each */
	int64_t last_ended_ns; /* arrived_ns of the last unit */
	char *out;
	size_t out_len, out_cap;
	int packet;         /* counts down to the packet that is cut; -1: none */
	size_t cut, cut_of; /* to so many bytes; how many it had */
};

/* With a parameter_set() when has_sets. */
void depay_rig_init(struct depay_rig *rig, const struct rtp_format *format, bool has_sets);
void depay_rig_free(struct depay_rig *rig);
void depay_rig_play(struct depay_rig *rig, const char *packets);
/* One packet of bytes, which are given in memory of just their size. */
void depay_rig_push(struct depay_rig *rig, uint32_t timestamp, bool is_marked, uint32_t lost,
		    const uint8_t *payload, size_t len);
/* What came out since the last call. */
const char *depay_rig_units(struct depay_rig *rig);

/* The whole of it with a format of that codec: units out of packets. */
void depay_rig_expect(enum rtp_codec codec, const char *what, const char *packets,
		      const char *units);
/* The packets again and again, each time with one of them cut, at each of its bytes. */
void depay_rig_cut(enum rtp_codec codec, const char *packets);

#endif
