/*
 * NAL units: walking them in Annex B form (start codes) and in length-prefixed form (ISO/IEC
 * 14496-15), and turning one form into the other. Nothing here looks inside a unit beyond its
 * header.
 */
#ifndef CAMHUB_MEDIA_NAL_H
#define CAMHUB_MEDIA_NAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct byte_writer;

enum nal_codec {
	NAL_H264,
	NAL_H265,
};

struct nal_unit {
	const uint8_t *data; /* from the NAL header on; points into the walked buffer */
	size_t len;          /* never 0; start code and trailing zero bytes are not part of it */
};

struct nal_iter {
	const uint8_t *next, *end;
	unsigned length_size; /* 0: Annex B */
	int err; /* after nal_iter_next() said false: 0 at the end, -EPROTO in a broken buffer */
};

/*
 * Annex B: start codes of 3 or 4 bytes, zeros before them and after units are skipped (H.264 annex
 * B). Bytes before the first start code are skipped too; a buffer without any start code has no
 * units.
 */
void nal_iter_annexb(struct nal_iter *iter, const uint8_t *buf, size_t len);

/*
 * Length-prefixed: length_size is 1, 2 or 4 bytes (else the walk ends with -EPROTO at once). A
 * length beyond the buffer ends it with -EPROTO; units of length 0 are passed over.
 */
void nal_iter_prefixed(struct nal_iter *iter, const uint8_t *buf, size_t len, unsigned length_size);

/* The next unit in *nal; false at the end or at a fault (iter->err), *nal untouched. */
bool nal_iter_next(struct nal_iter *iter, struct nal_unit *nal);

/* Whether the buffer begins with a start code (after any zeros). */
bool nal_is_annexb(const uint8_t *buf, size_t len);

/* nal_unit_type: H.264 0..31, H.265 0..63. */
unsigned nal_type(enum nal_codec codec, const struct nal_unit *nal);

/* What samples in an ISO file leave out: parameter sets (they stand in avcC/hvcC), delimiters,
 * filler. */
bool nal_is_parameter_set(enum nal_codec codec, unsigned type); /* VPS, SPS, PPS, SPS extension */
bool nal_is_droppable_in_sample(enum nal_codec codec, unsigned type);

/*
 * The units of one type in an Annex B buffer, same ones once, at most max_units (those beyond are
 * not looked at). Returns how many were put into units.
 */
size_t nal_find_unique(enum nal_codec codec, unsigned type, const uint8_t *buf, size_t len,
		       struct nal_unit *units, size_t max_units);

/*
 * Appends the units of an Annex B access unit with 4-byte lengths, without those that
 * nal_is_droppable_in_sample(): the payload of an fMP4 sample. Returns 0, -ENODATA when nothing is
 * left, or the writer's error.
 */
int nal_annexb_to_sample(enum nal_codec codec, const uint8_t *buf, size_t len,
			 struct byte_writer *out);

/*
 * The same without a copy: iov[2n] is the length of unit n (4 bytes in lengths[n]), iov[2n + 1] the
 * unit itself inside buf. Both arrays are the caller's, for max_units units. Sets *n_units and
 * *total_bytes. Returns 0, -ENODATA as above, or -E2BIG when there are more units: use the copying
 * form.
 */
int nal_annexb_to_iov(enum nal_codec codec, const uint8_t *buf, size_t len, struct iovec *iov,
		      uint8_t (*lengths)[4], size_t max_units, size_t *n_units,
		      size_t *total_bytes);

/*
 * Appends a length-prefixed buffer with 4-byte start codes. Returns 0, -EPROTO for a broken buffer
 * (what came before the fault has been written), or the writer's error.
 */
int nal_prefixed_to_annexb(const uint8_t *buf, size_t len, unsigned length_size,
			   struct byte_writer *out);

/* Appends one unit behind a 4-byte start code. */
void nal_write_annexb(struct byte_writer *out, const struct nal_unit *nal);

#endif
