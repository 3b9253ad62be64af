/*
 * What the bench's camera sees: a texture that moves, with noise, so that an encoder of constant
 * bit rate has something to do in every picture, and the clock of barcode.h.
 */
#ifndef CAMHUB_BENCH_GLASS_SCENE_H
#define CAMHUB_BENCH_GLASS_SCENE_H

#include <stdint.h>

struct AVFrame;
struct scene;

/* For pictures of this size, even numbers. Never NULL. */
struct scene *scene_new(unsigned width, unsigned height);
void scene_free(struct scene **scene);

/* Fills a writable frame of that size in planar 4:2:0. */
void scene_draw(struct scene *scene, struct AVFrame *frame, int64_t time_us, uint32_t number);

#endif
