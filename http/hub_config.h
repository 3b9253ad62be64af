/*
 * What a decoder must know before the first frame: parameter sets, codec string, init segment.
 */
#ifndef CAMHUB_HTTP_HUB_CONFIG_H
#define CAMHUB_HTTP_HUB_CONFIG_H

#include "http/hub_audio.h"
#include "http/wire.h"

#include "media/codec.h"
#include "media/fmp4.h"

#include <stdbool.h>

struct hub_config {
	int refs;
	struct bus_msg *msg; /* FRAME_KIND_CONFIG as it came */
	enum nal_codec nal;
	char codec[CODEC_STRING_BYTES]; /* "avc1.64001F" */
	uint16_t width, height;
	struct wire *init; /* ftyp + moov */
	char *init_base64;
	char *record_base64; /* avcC or hvcC (ISO 14496-15) */
	/* With a track of sound, made when asked for: hub_config_init() */
	struct hub_audio_config *sound;
	struct wire *sound_init;
	char *sound_init_base64;
};

/* Keeps a reference to msg. Returns 0, -EPROTO for another codec, or what media/ finds wrong. */
int hub_config_new(struct bus_msg *msg, struct hub_config **config);
/* Whether msg says the same again (also of NULL: no). */
bool hub_config_is(const struct hub_config *config, const struct bus_msg *msg);
/* Whether a decoder that was set up for a can go on with b. Each may be NULL: JPEG. */
bool hub_config_is_same_decoder(const struct hub_config *a, const struct hub_config *b);

/* The init segment, with a track of sound unless that is NULL. Borrowed, until another sound is
 * asked for: one is kept. */
struct wire *hub_config_init(struct hub_config *config, struct hub_audio_config *sound);
const char *hub_config_init_base64(struct hub_config *config, struct hub_audio_config *sound);

struct hub_config *hub_config_ref(struct hub_config *config);
void hub_config_unref(struct hub_config **config); /* NULL-safe, nulls the pointer */

#endif
