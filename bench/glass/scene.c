/*
 * The scene: rows of a texture copied from a place that moves, with a row of a table of noise added
 * to each, from a place that is drawn by lot. No arithmetic per pixel but one sum.
 */
#include "config.h"

#include "bench/glass/scene.h"

#include "bench/glass/barcode.h"
#include "shared/xalloc.h"

#include <libavutil/frame.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_BYTES (1u << 16)
#define NOISE_SPAN  5 /* so many values */
#define SPEED       3 /* pixels a picture */
#define WAVE        128
#define GREY        128

struct scene {
	unsigned width, height;
	uint8_t *texture; /* twice as wide as the picture */
	uint8_t noise[NOISE_BYTES];
	uint32_t lot;
};

static uint32_t
draw_lot(struct scene *scene)
{
	scene->lot = scene->lot * 1664525 + 1013904223;
	return scene->lot >> 8;
}

static uint8_t
triangle(unsigned x)
{
	unsigned phase = x % (2 * WAVE);

	return (uint8_t)(phase < WAVE ? phase : 2 * WAVE - 1 - phase);
}

struct scene *
scene_new(unsigned width, unsigned height)
{
	struct scene *scene = xcalloc(1, sizeof(*scene));

	scene->width = width;
	scene->height = height;
	scene->lot = 1;
	scene->texture = xmalloc((size_t)2 * width * height);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < 2 * width; x++) {
			bool is_box = (x % width / 96 + y / 96) % 3 == 0;
			unsigned value = 48u + triangle(x % width + y) / 2 + (is_box ? 60 : 0);

			scene->texture[(size_t)y * 2 * width + x] = (uint8_t)value;
		}
	for (unsigned i = 0; i < NOISE_BYTES; i++)
		scene->noise[i] = (uint8_t)(draw_lot(scene) % NOISE_SPAN);
	return scene;
}

void
scene_free(struct scene **scene)
{
	if (*scene == NULL)
		return;
	free((*scene)->texture);
	free(*scene);
	*scene = NULL;
}

void
scene_draw(struct scene *scene, struct AVFrame *frame, int64_t time_us, uint32_t number)
{
	unsigned offset = number * SPEED % scene->width;

	for (unsigned y = 0; y < scene->height; y++) {
		const uint8_t *from = scene->texture + (size_t)y * 2 * scene->width + offset;
		const uint8_t *noise =
		    scene->noise + draw_lot(scene) % (NOISE_BYTES - scene->width);
		uint8_t *to = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];

		for (unsigned x = 0; x < scene->width; x++)
			to[x] = (uint8_t)(from[x] + noise[x]);
	}
	for (unsigned y = 0; y < scene->height / 2; y++)
		for (int plane = 1; plane < 3; plane++)
			memset(frame->data[plane] + (ptrdiff_t)y * frame->linesize[plane],
			       GREY - 20 + (int)(y * 40 / scene->height) * plane, scene->width / 2);
	barcode_paint(frame->data[0], (size_t)frame->linesize[0], scene->width, scene->height,
		      barcode_bits(time_us, number));
}
