/*
 * Pictures are copied once; a frame of sound keeps the times of the packet that completed it.
 */
#include "config.h"

#include "transcode/tc_sound.h"

#include "publish/wrk.h"
#include "shared/xalloc.h"
#include "transcode/tc_feed.h"
#include "transcode/tc_opus.h"

#include <libavutil/error.h>
#include <string.h>

struct tc_sound {
	struct wrk *wrk;
	struct tc_opus *opus;       /* NULL: no configuration yet */
	const struct frame *source; /* of the packet that is looked at */
	uint8_t *config;            /* that opus was made with */
	size_t config_len;
	uint8_t *unit; /* room for a key frame with its parameter sets */
	size_t room;
};

struct tc_sound *
tc_sound_new(struct wrk *wrk)
{
	struct tc_sound *sound = xcalloc(1, sizeof(*sound));

	sound->wrk = wrk;
	return sound;
}

void
tc_sound_free(struct tc_sound **sound)
{
	if (*sound == NULL)
		return;
	tc_opus_free(&(*sound)->opus);
	free((*sound)->config);
	free((*sound)->unit);
	free(*sound);
	*sound = NULL;
}

static struct wrk_unit
unit_of(const struct frame *frame)
{
	return (struct wrk_unit){
		.kind = frame->kind,
		.track = frame->track,
		.codec = frame->codec,
		.flags = frame->flags & (FRAME_CORRUPT | FRAME_CLOCK_UNSYNCED),
		.pts_ns = frame->pts_ns,
		.dts_ns = frame->dts_ns,
		.duration_us = frame->duration_us,
		.arrived_realtime_ns = frame->arrived_realtime_ns,
		.arrived_monotonic_ns = frame->arrived_monotonic_ns,
		.captured_realtime_ns = frame->captured_realtime_ns,
	};
}

/* Pictures */

/* Both, one after the other. */
static const uint8_t *
join(struct tc_sound *sound, const struct bus_msg *config, const struct bus_msg *msg, size_t *len)
{
	*len = config->frame.payload_len + msg->frame.payload_len;
	if (*len > sound->room) {
		free(sound->unit);
		sound->unit = xmalloc(*len);
		sound->room = *len;
	}
	memcpy(sound->unit, config->payload, config->frame.payload_len);
	memcpy(sound->unit + config->frame.payload_len, msg->payload, msg->frame.payload_len);
	return sound->unit;
}

void
tc_sound_picture(struct tc_sound *sound, const struct tc_unit *unit)
{
	struct wrk_unit out = unit_of(&unit->msg->frame);

	out.data = unit->msg->payload;
	out.len = unit->msg->frame.payload_len;
	if (unit->config != NULL && !(unit->msg->frame.flags & FRAME_CONFIG_IN_BAND))
		out.data = join(sound, unit->config, unit->msg, &out.len);
	if (unit->is_jump)
		out.flags |= FRAME_DISCONTINUITY;
	wrk_deliver(sound->wrk, &out);
}

/* Sound */

static void
on_config(void *arg, const uint8_t *data, size_t len)
{
	struct tc_sound *sound = arg;
	struct wrk_unit out = unit_of(sound->source);

	out.kind = FRAME_KIND_CONFIG;
	out.codec = FRAME_CODEC_OPUS;
	out.data = data;
	out.len = len;
	wrk_deliver(sound->wrk, &out);
}

static void
on_frame(void *arg, const uint8_t *data, size_t len, int64_t pts_ns)
{
	struct tc_sound *sound = arg;
	struct wrk_unit out = unit_of(sound->source);

	out.codec = FRAME_CODEC_OPUS;
	out.data = data;
	out.len = len;
	out.pts_ns = out.dts_ns = pts_ns;
	out.duration_us = TC_OPUS_FRAME_MS * 1000;
	wrk_deliver(sound->wrk, &out);
}

static int
take_config(struct tc_sound *sound, const struct bus_msg *msg)
{
	static const struct tc_opus_ops ops = { .config = on_config, .frame = on_frame };
	size_t len = msg->frame.payload_len;

	/* Each replay has it. */
	if (sound->opus != NULL && sound->config_len == len &&
	    memcmp(sound->config, msg->payload, len) == 0)
		return 0;
	tc_opus_free(&sound->opus);
	free(sound->config);
	sound->config = xmalloc(len + 1);
	memcpy(sound->config, msg->payload, len);
	sound->config_len = len;
	return tc_opus_new(msg->payload, len, &ops, sound, &sound->opus);
}

int
tc_sound_push(struct tc_sound *sound, const struct bus_msg *msg)
{
	if (msg->frame.codec != FRAME_CODEC_AAC)
		return AVERROR_INVALIDDATA;
	sound->source = &msg->frame;
	if (msg->frame.kind == FRAME_KIND_CONFIG)
		return take_config(sound, msg);
	if (sound->opus == NULL)
		return 0;
	return tc_opus_push(sound->opus, msg->payload, msg->frame.payload_len, msg->frame.pts_ns);
}
