/*
 * A sender of JPEG files as RFC 2435 has them, into the depacketiser of rtp_units.h. The files are
 * libjpeg's.
 */
#ifndef CAMHUB_TESTS_JPEG_SENDER_H
#define CAMHUB_TESTS_JPEG_SENDER_H

#include "tests/rtp_units.h"

#define JPEG_LIMIT (1u << 20)

/* A JPEG file in its parts. */
struct jpeg_picture {
	uint8_t *file;
	size_t len;
	uint8_t tables[128]; /* both DQT */
	const uint8_t *scan; /* coded data, without EOI */
	size_t scan_len;
	uint8_t type; /* of RFC 2435 */
	uint8_t q;    /* what it was made with */
	uint8_t width, height;
};

/* How it is sent. */
struct jpeg_sending {
	uint8_t type, q;
	const uint8_t *tables;
	size_t tables_len;
	uint8_t precision;
	uint8_t width, height;
	bool has_restart;
	uint16_t restart_interval;
	size_t piece; /* coded bytes in a packet */
	enum { MARK_LAST, MARK_NEVER, MARK_ALL } marks;
	bool with_eoi;
	size_t skip, n_skip; /* packets that get lost */
};

/* One of two files, i 0 or 1; free(picture->file). */
void jpeg_load(struct jpeg_picture *picture, int i);
/* With its own tables, in pieces of 100 bytes. */
struct jpeg_sending jpeg_usual(const struct jpeg_picture *picture);
void jpeg_put_header(struct byte_writer *out, const struct jpeg_sending *sending, size_t offset);
void jpeg_send_bytes(struct units *units, const struct jpeg_sending *sending, uint32_t timestamp,
		     const uint8_t *scan, size_t scan_len);
void jpeg_send_picture(struct units *units, const struct jpeg_sending *sending, uint32_t timestamp,
		       const struct jpeg_picture *picture);
/* The size as described; 0: it is not. */
struct units *jpeg_units_new(uint16_t width, uint16_t height);

#endif
