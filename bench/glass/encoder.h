/*
 * One stream of the bench's camera: the scene drawn and encoded, H.264 (x264 without delay) or
 * JPEG. Faults of the encoder end the program: there is nothing to measure then.
 */
#ifndef CAMHUB_BENCH_GLASS_ENCODER_H
#define CAMHUB_BENCH_GLASS_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct encoder;

struct encoder_options {
	bool is_jpeg;
	unsigned width, height, fps;
	unsigned gop, kbps; /* H.264: pictures from key to key; kilobits a second */
	bool has_cabac;     /* H.264: main profile with CABAC, else constrained baseline */
	unsigned quality;   /* JPEG: 2 (best) to 31 */
};

/* One encoded picture; data is valid until the next one. */
struct encoded {
	const uint8_t *data; /* Annex B, parameter sets before each key frame, and before the slices
				the stamp of bench/stamp.h with drawn_us (in ns) and number; or a
				JPEG */
	size_t len;
	bool is_key;
	uint32_t number;  /* the one in the picture */
	uint32_t slot;    /* its place on the line of time, in intervals: set by the camera */
	int64_t drawn_us; /* the time in the picture: just before it was drawn */
};

struct encoder *encoder_new(const struct encoder_options *options);
void encoder_free(struct encoder **encoder);

/* Draws and encodes the next picture. force_key: it is to be a key frame, wherever the GOP is. */
void encoder_next(struct encoder *encoder, bool force_key, struct encoded *out);

#endif
