/*
 * The test picture: colour bars, a running clock, a name, a box that bounces. Planar 4:2:0 memory
 * in, no library.
 */
#ifndef CAMHUB_WORKER_AV_DRAW_H
#define CAMHUB_WORKER_AV_DRAW_H

#include <stdint.h>

#define DRAW_SIZE_MIN 64
#define DRAW_SIZE_MAX 4096

/* The planes Y, U, V of a picture; U and V are half as wide and high. */
struct draw_picture {
	uint8_t *plane[3];
	int stride[3];
};

struct draw;

/* width, height: even, DRAW_SIZE_MIN..DRAW_SIZE_MAX. name is shown in capitals, at most 36 bytes.
 */
struct draw *draw_new(int width, int height, const char *name);
void draw_free(struct draw **draw); /* NULL-safe */

/* Fill a whole picture: what does not move. */
void draw_background(const struct draw *draw, const struct draw_picture *to);
/* Draw frame number n at this wall clock time over a picture that held an earlier frame of this
 * very draw, or its background. Touches only what moves. */
void draw_frame(struct draw *draw, const struct draw_picture *to, uint64_t n, int64_t realtime_ns);

#endif
