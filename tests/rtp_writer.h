/*
 * RTP packets for tests, written by hand from the RFCs and not by the code under test: a list of
 * packets of one source, to be fed in any order, with holes.
 */
#ifndef CAMHUB_TESTS_RTP_WRITER_H
#define CAMHUB_TESTS_RTP_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_WRITER_MAX 16384

struct rtp_written {
	uint8_t *data;
	size_t len;
	size_t unit; /* which one it is a part of, from 0 */
};

struct rtp_writer {
	struct rtp_written packets[RTP_WRITER_MAX];
	size_t n, units;
	uint16_t seq;
	uint32_t ssrc, timestamp;
	uint8_t payload_type;
	size_t mtu;      /* payload bytes of a packet at most */
	bool aggregates; /* small NAL units together: STAP-A, AP */
	bool no_marker;
};

struct rtp_nal {
	const uint8_t *data; /* from the header byte on */
	size_t len;
};

struct rtp_writer *rtp_writer_new(uint8_t payload_type);
void rtp_writer_free(void *writer); /* for harness_defer() */

/* One access unit at writer->timestamp. RFC 6184, RFC 7798. */
void rtp_write_h264(struct rtp_writer *writer, const struct rtp_nal *nals, size_t n);
void rtp_write_h265(struct rtp_writer *writer, const struct rtp_nal *nals, size_t n);
/* RFC 2435: type 1, Q 255, both tables in the first packet. */
void rtp_write_jpeg(struct rtp_writer *writer, unsigned width, unsigned height,
		    const uint8_t tables[128], const uint8_t *scan, size_t len);
/* RFC 3640 AAC-hbr: n frames in one packet. */
void rtp_write_aac(struct rtp_writer *writer, const struct rtp_nal *frames, size_t n);
/* The payload as it is: G.711, Opus. */
void rtp_write_plain(struct rtp_writer *writer, const uint8_t *data, size_t len);

/* RFC 3550 6.4.1, no blocks. Returns the bytes. */
size_t rtp_write_sr(uint8_t out[28], uint32_t ssrc, uint64_t ntp, uint32_t timestamp);

#endif
