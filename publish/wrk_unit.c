/*
 * Looks into units with media/ and keeps what a track is made of.
 */
#include "config.h"

#include "publish/wrk_unit.h"

#include "media/aac.h"
#include "media/jpeg.h"
#include "shared/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
wrk_track_init(struct wrk_track *track)
{
	*track = (struct wrk_track){ .codec = FRAME_CODEC_NONE };
	byte_writer_init(&track->scratch, 2 * CODEC_PARAMETER_SETS_MAX);
}

void
wrk_track_clear(struct wrk_track *track)
{
	free(track->config);
	byte_writer_free(&track->scratch);
	wrk_track_init(track);
}

static enum nal_codec
nal_codec_of(enum frame_codec codec)
{
	return codec == FRAME_CODEC_H265 ? NAL_H265 : NAL_H264;
}

static bool
is_nal_codec(enum frame_codec codec)
{
	return codec == FRAME_CODEC_H264 || codec == FRAME_CODEC_H265;
}

/* One codec for a worker's life: a source that changes it is read anew. */
static int
take_codec(struct wrk_track *track, enum frame_codec codec)
{
	if (track->codec == FRAME_CODEC_NONE) {
		track->codec = codec;
		if (!is_nal_codec(codec))
			snprintf(track->codec_string, sizeof(track->codec_string), "%s",
				 frame_codec_name(codec));
	}
	return track->codec == codec ? 0 : -EPROTO;
}

/* 1 changed, 0 same. */
static int
keep_config(struct wrk_track *track, const uint8_t *config, size_t len)
{
	uint8_t *copy;

	if (track->config_len == len && len > 0 && memcmp(track->config, config, len) == 0)
		return 0;
	copy = malloc(len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, config, len);
	free(track->config);
	track->config = copy;
	track->config_len = len;
	track->config_version++;
	return 1;
}

static void
describe_video(struct wrk_track *track)
{
	struct codec_video_info *info = &track->info;

	snprintf(track->codec_string, sizeof(track->codec_string), "%s", info->codec);
	snprintf(track->profile, sizeof(track->profile), "%s %s", info->profile, info->level);
	track->width = info->width <= UINT16_MAX ? (uint16_t)info->width : 0;
	track->height = info->height <= UINT16_MAX ? (uint16_t)info->height : 0;
	track->has_info = true;
	if (info->is_reorder_known)
		track->has_b_frames = info->reorder_frames > 0;
}

/* Those of before, and behind them the ones in a unit that has only some. */
static int
join(const struct wrk_track *track, const uint8_t *annexb, size_t len, struct byte_writer *out)
{
	enum nal_codec codec = nal_codec_of(track->codec);
	struct nal_unit nal;
	struct nal_iter iter;
	bool has_any = false;

	byte_writer_bytes(out, track->config, track->config_len);
	nal_iter_annexb(&iter, annexb, len);
	while (nal_iter_next(&iter, &nal)) {
		if (!nal_is_parameter_set(codec, nal_type(codec, &nal)))
			continue;
		nal_write_annexb(out, &nal);
		has_any = true;
	}
	return has_any ? out->err : -ENODATA;
}

/* Into the scratch: all sets that decoding needs, once a unit has brought some. */
static int
collect(struct wrk_track *track, const uint8_t *annexb, size_t len)
{
	enum nal_codec codec = nal_codec_of(track->codec);
	struct byte_writer joined;
	int rc;

	byte_writer_reset(&track->scratch);
	rc = codec_collect_parameter_sets(codec, annexb, len, &track->scratch);
	if (rc != -ENODATA || track->config == NULL)
		return rc;
	byte_writer_init(&joined, 2 * CODEC_PARAMETER_SETS_MAX);
	rc = join(track, annexb, len, &joined);
	byte_writer_reset(&track->scratch);
	if (rc == 0)
		rc = codec_collect_parameter_sets(codec, joined.data, joined.len, &track->scratch);
	byte_writer_free(&joined);
	return rc;
}

static int
take_parameter_sets(struct wrk_track *track, const uint8_t *annexb, size_t len)
{
	struct codec_video_info info;
	int rc;

	rc = collect(track, annexb, len);
	if (rc < 0)
		return rc;
	if (track->scratch.len == track->config_len &&
	    memcmp(track->config, track->scratch.data, track->config_len) == 0)
		return 0;
	rc = codec_video_describe(nal_codec_of(track->codec), track->scratch.data,
				  track->scratch.len, &info);
	if (rc < 0)
		return rc;
	rc = keep_config(track, track->scratch.data, track->scratch.len);
	if (rc != 1)
		return rc;
	track->info = info;
	describe_video(track);
	return 1;
}

static int
take_audio_config(struct wrk_track *track, const uint8_t *config, size_t len)
{
	struct aac_config aac;

	if (track->codec == FRAME_CODEC_AAC) {
		if (aac_parse_config(config, len, &aac) < 0)
			return -EPROTO;
		aac_codec_string(&aac, track->codec_string);
	}
	if (len == 0 || len > CODEC_PARAMETER_SETS_MAX)
		return -EMSGSIZE;
	return keep_config(track, config, len);
}

int
wrk_track_configure(struct wrk_track *track, enum frame_codec codec, const uint8_t *config,
		    size_t len)
{
	int rc = take_codec(track, codec);

	if (rc < 0)
		return rc;
	if (!is_nal_codec(codec))
		return take_audio_config(track, config, len);
	rc = take_parameter_sets(track, config, len);
	return rc == -ENODATA ? -EPROTO : rc;
}

static int
examine_video(struct wrk_track *track, const struct wrk_unit *unit, struct wrk_unit_info *info)
{
	struct codec_unit what;
	int rc = 0;

	codec_classify(nal_codec_of(unit->codec), unit->data, unit->len,
		       track->has_info ? &track->info : NULL, &what);
	if (what.has_any_parameter_set)
		rc = take_parameter_sets(track, unit->data, unit->len);
	if (rc < 0 && rc != -ENODATA)
		log_debug("parameter sets that cannot be used: %s", strerror(-rc));
	if (!what.is_picture)
		return -ENODATA;
	if (what.has_b_slices)
		track->has_b_frames = true;
	*info = (struct wrk_unit_info){
		.len = unit->len,
		.is_key = what.is_key && track->config != NULL,
		.is_disposable = what.is_disposable,
		.has_config = what.has_any_parameter_set,
		.config_changed = rc == 1,
	};
	return 0;
}

static int
examine_jpeg(struct wrk_track *track, const struct wrk_unit *unit, struct wrk_unit_info *info)
{
	struct jpeg_info jpeg;
	int rc = jpeg_parse(unit->data, unit->len, &jpeg);

	if (rc == -EPROTO)
		return rc;
	*info = (struct wrk_unit_info){ .len = unit->len, .is_key = true, .is_damaged = rc < 0 };
	if (rc < 0)
		return 0;
	info->len = jpeg.len_bytes;
	track->width = jpeg.width;
	track->height = jpeg.height;
	snprintf(track->profile, sizeof(track->profile), "%s",
		 jpeg.is_progressive ? "Progressive" : "Baseline");
	return 0;
}

int
wrk_track_examine(struct wrk_track *track, const struct wrk_unit *unit, struct wrk_unit_info *info)
{
	int rc = take_codec(track, unit->codec);

	if (rc < 0)
		return rc;
	switch (unit->kind) {
	case FRAME_KIND_VIDEO:
		return examine_video(track, unit, info);
	case FRAME_KIND_JPEG:
		return examine_jpeg(track, unit, info);
	default:
		*info = (struct wrk_unit_info){ .len = unit->len };
		return unit->len > 0 ? 0 : -ENODATA;
	}
}
