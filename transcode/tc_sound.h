/*
 * The other job of a live transcoder: the pictures as they are, the sound as Opus. Units of
 * tc_feed.h and messages of the source's audio track go in, units for the publisher come out.
 */
#ifndef CAMHUB_TRANSCODE_TC_SOUND_H
#define CAMHUB_TRANSCODE_TC_SOUND_H

#include "publish/wrk_input.h"
#include "shared/bus.h"

struct tc_sound;
struct tc_unit;

struct tc_sound *tc_sound_new(struct wrk *wrk);
void tc_sound_free(struct tc_sound **sound); /* NULL-safe */

void tc_sound_picture(struct tc_sound *sound, const struct tc_unit *unit);
/* A configuration or a frame. 0, or a negative AVERROR: no Opus can be made of it. */
int tc_sound_push(struct tc_sound *sound, const struct bus_msg *msg);

#endif
