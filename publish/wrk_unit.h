/*
 * What units are: key frames, parameter sets and their changes, size, profile, codec string. One
 * struct wrk_track for each track of a worker.
 */
#ifndef CAMHUB_PUBLISH_WRK_UNIT_H
#define CAMHUB_PUBLISH_WRK_UNIT_H

#include "media/bytes.h"
#include "media/codec.h"
#include "publish/wrk_input.h"

struct wrk_track {
	enum frame_codec codec; /* NONE before the first unit */
	uint8_t *config; /* parameter sets in Annex B form, or that of sound (media/audio.h); NULL:
			    none */
	size_t config_len;
	uint32_t config_version; /* +1 with each change of config; 0: there is none */
	uint16_t width, height;  /* 0 unknown */
	char codec_string[CODEC_STRING_BYTES];
	char profile[64];
	bool has_b_frames;
	struct codec_video_info info; /* H.264 and H.265 only */
	bool has_info;
	struct byte_writer scratch;
};

struct wrk_unit_info {
	size_t len;  /* without what does not belong to the unit */
	bool is_key; /* decoding can start here, and all that it needs is known */
	bool is_disposable;
	bool has_config;     /* parameter sets are inside */
	bool config_changed; /* track->config_version went up */
	bool is_damaged;
};

void wrk_track_init(struct wrk_track *track);
void wrk_track_clear(struct wrk_track *track);

/*
 * Out-of-band configuration. Returns 1 when it changes the track's, 0 when it is the same, -EPROTO
 * when it is useless (nothing changed), -EMSGSIZE, -ENOMEM.
 */
int wrk_track_configure(struct wrk_track *track, enum frame_codec codec, const uint8_t *config,
			size_t len);

/*
 * Look at a unit of kind VIDEO, JPEG or AUDIO, and take over parameter sets that are inside.
 * Returns 0; -ENODATA: it is no picture (a unit of delimiters alone, say); -EPROTO: no JPEG at all,
 * or the codec changed; -ENOMEM. *info is untouched on failure.
 */
int wrk_track_examine(struct wrk_track *track, const struct wrk_unit *unit,
		      struct wrk_unit_info *info);

#endif
