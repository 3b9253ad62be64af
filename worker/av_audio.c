/*
 * AAC comes raw (RTSP, MP4, FLV) or in ADTS frames, several in a packet (MPEG-TS).
 */
#include "config.h"

#include "worker/av_audio.h"

#include "media/aac.h"
#include "shared/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
push_copy(struct av_reader *reader, const struct wrk_unit *unit, const uint8_t *data, size_t len)
{
	struct wrk_unit copy = *unit;
	uint8_t *bytes = malloc(len);

	if (bytes == NULL)
		return -ENOMEM;
	memcpy(bytes, data, len);
	copy.data = bytes;
	copy.len = len;
	return av_reader_push(reader, &copy, free, bytes);
}

static int
push_adts(struct av_reader *reader, const struct wrk_unit *unit)
{
	struct wrk_unit frame = *unit, config = *unit;
	const uint8_t *at = unit->data, *raw;
	size_t left = unit->len, raw_len, frame_len;
	struct aac_adts adts;
	uint8_t asc[2];
	int rc = 0;

	while (rc == 0 && left > 0 && aac_parse_adts(at, left, &adts) == 0 &&
	       aac_strip_adts(at, left, &raw, &raw_len, &frame_len) == 0) {
		aac_config_from_adts(&adts, asc);
		config.kind = FRAME_KIND_CONFIG;
		rc = push_copy(reader, &config, asc, sizeof(asc));
		if (rc == 0 && raw_len > 0)
			rc = push_copy(reader, &frame, raw, raw_len);
		frame.duration_us = (uint32_t)(1024 * INT64_C(1000000) / adts.sample_rate);
		frame.pts_ns += frame.duration_us * INT64_C(1000);
		frame.dts_ns += frame.duration_us * INT64_C(1000);
		at += frame_len;
		left -= frame_len;
	}
	return rc;
}

int
av_audio_push(struct av_reader *reader, const struct wrk_unit *unit)
{
	struct aac_adts adts;

	if (unit->codec == FRAME_CODEC_AAC && aac_parse_adts(unit->data, unit->len, &adts) == 0)
		return push_adts(reader, unit);
	return push_copy(reader, unit, unit->data, unit->len);
}
