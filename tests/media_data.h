/*
 * What the tests of media/ share: the streams under tests/data/media, access units out of them, and
 * a writer of bits for units that no encoder makes.
 */
#ifndef CAMHUB_TESTS_MEDIA_DATA_H
#define CAMHUB_TESTS_MEDIA_DATA_H

#include "media/nal.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole file, in memory of just its length (so that a sanitizer sees a read past it); free()
 * it. */
uint8_t *data_load(const char *name, size_t *len);

/* Such a copy of len bytes; free() it. */
uint8_t *data_copy(const uint8_t *bytes, size_t len);

/* The first unit of a type; fails the test without one. */
struct nal_unit data_find(enum nal_codec codec, unsigned type, const uint8_t *buf, size_t len);

/* The access unit that starts at *pos (0 first), start codes included; false at the end. */
bool data_next_unit(enum nal_codec codec, const uint8_t *buf, size_t len, size_t *pos,
		    const uint8_t **unit, size_t *unit_len);

struct bit_out {
	uint8_t bytes[1024];
	size_t bits;
};

void put_bits(struct bit_out *out, uint32_t value, unsigned n);
void put_ue(struct bit_out *out, uint32_t value);
void put_se(struct bit_out *out, int32_t value);
void put_zeros(struct bit_out *out, unsigned n);

/* rbsp_trailing_bits and emulation prevention; returns the bytes written to nal. */
size_t put_finish(struct bit_out *out, uint8_t nal[2048]);

/*
 * A NAL unit with its bits from..to - 1 (counted without emulation prevention, from the first bit
 * of its header) replaced by bits ("0110"); what follows the last 1 is cut off and the trailing
 * bits are made anew. Returns the bytes written to nal.
 */
size_t data_splice(const struct nal_unit *unit, size_t from, size_t to, const char *bits,
		   uint8_t nal[2048]);

/* Runs the tests that `add` puts into a case; the value for main(). */
int data_run(const char *name, void (*add)(TCase *tcase));

#endif
