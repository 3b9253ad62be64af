/*
 * For tests of depacketisers: what was given out, and packets pushed in with little to say.
 */
#ifndef CAMHUB_TESTS_RTP_UNITS_H
#define CAMHUB_TESTS_RTP_UNITS_H

#include "media/bytes.h"
#include "media/rtp_depay.h"

#define UNITS_MAX 64

struct units {
	struct rtp_depay *depay;
	struct byte_writer writer;
	size_t limit;       /* of a unit, bytes */
	bool has_no_memory; /* begin() fails */
	size_t begun;
	size_t n;
	struct {
		struct rtp_unit unit;
		uint8_t *bytes;
		size_t len;
	} list[UNITS_MAX];
	uint32_t lost;  /* told with the next packet */
	int64_t now_ns; /* the arrival of the next packet; one more with each */
};

/* Fails the test when there is no depacketiser for the format. */
struct units *units_new(const struct rtp_format *format, size_t limit);
void units_free(struct units *units);

/* The payload is copied to memory of just its length first. */
void units_push(struct units *units, uint32_t timestamp, bool marker, const uint8_t *payload,
		size_t len);

/* Unit i is these bytes. */
void units_expect(const struct units *units, size_t i, const uint8_t *bytes, size_t len);

#endif
