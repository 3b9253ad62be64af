/*
 * A bounded reader of bits with a sticky error. A read past the end gives zeros and sets the
 * error; nothing before the check at the end has to be checked on its own. The NAL form leaves out
 * emulation prevention bytes (00 00 03 -> 00 00) on the fly: ITU-T H.264 7.3.1, H.265 7.3.1.1.
 */
#ifndef CAMHUB_MEDIA_BITS_H
#define CAMHUB_MEDIA_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
	const uint8_t *data;
	size_t len;      /* bytes at data */
	size_t next;     /* index of the byte to be fetched next */
	size_t position; /* bits read so far, emulation prevention bytes not counted */
	unsigned left;   /* bits of `current` that are still unread, 0..8 */
	unsigned zeros;  /* zero bytes in a row before `next` */
	uint8_t current; /* the byte being read */
	bool is_nal;     /* leave emulation prevention bytes out */
	int err;         /* 0 or -EPROTO, stays */
};

/* Plain bytes: AudioSpecificConfig and the like. `data` is borrowed and must outlive the reader. */
void bits_init(struct bits *bits, const uint8_t *data, size_t len);

/* One NAL unit from its header byte on, without start code. */
void bits_init_nal(struct bits *bits, const uint8_t *data, size_t len);

/* The next n bits, most significant first; n 0..32. 0 after an error. */
uint32_t bits_get(struct bits *bits, unsigned n);

bool bits_get_flag(struct bits *bits);
void bits_skip(struct bits *bits, size_t n);

/* Exp-Golomb codes, H.264 9.1: ue(v) 0..2^32-2, se(v) -(2^31-1)..2^31-1; longer ones are an error.
 */
uint32_t bits_get_ue(struct bits *bits);
int32_t bits_get_se(struct bits *bits);

/* ue(v) that must not be above max; above it: the error is set and 0 comes back. */
uint32_t bits_get_ue_max(struct bits *bits, uint32_t max);

/* Sets the error; for what the caller finds wrong in a value. */
void bits_fail(struct bits *bits);

#endif
