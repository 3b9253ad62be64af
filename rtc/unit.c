/*
 * From entries of the hub to payloads.
 */
#include "config.h"

#include "rtc/unit.h"

#include "media/codec.h"
#include "shared/xalloc.h"

static struct rtc_unit *
keep(struct rtp_packed *packed)
{
	struct rtc_unit *unit = xcalloc(1, sizeof(*unit));

	unit->refs = 1;
	unit->packed = *packed;
	for (size_t i = 0; i < packed->count; i++)
		unit->bytes += packed->payloads[i].len;
	return unit;
}

static void
free_made(void **made)
{
	struct rtc_unit *unit = *made;

	*made = NULL;
	rtc_unit_unref(&unit);
}

/* The parameter sets are asked only when the picture makes one think so. */
static bool
is_reordered(const struct hub_entry *entry)
{
	const struct bus_msg *msg = entry->msg, *sets = entry->config->msg;
	struct codec_video_info info;
	struct codec_unit unit;
	bool has_b;

	if (entry->config->nal == NAL_H264) {
		codec_classify(NAL_H264, msg->payload, msg->frame.payload_len, NULL, &unit);
		has_b = unit.has_b_slices;
	} else {
		has_b = entry->stamp.composition_offset != 0;
	}
	if (!has_b || codec_video_describe(entry->config->nal, sets->payload,
					   sets->frame.payload_len, &info) < 0)
		return false;
	return info.is_reorder_known ? info.reorder_frames > 0 : entry->config->nal == NAL_H264;
}

struct rtc_unit *
rtc_unit_of(struct hub_entry *entry)
{
	const struct hub_config *config = entry->config;
	const struct bus_msg *msg = entry->msg;
	struct rtp_packed packed = { .data = NULL };
	struct rtc_unit *unit = entry->made;

	if (unit == NULL && config == NULL)
		return NULL;
	if (unit == NULL) {
		/* What cannot be packed is remembered too, as nothing. */
		if (rtp_pack_video(config->nal, msg->payload, msg->frame.payload_len, entry->is_key,
				   config->msg->payload, config->msg->frame.payload_len,
				   RTP_PACK_PAYLOAD_BYTES, &packed) < 0)
			rtp_packed_clear(&packed);
		unit = keep(&packed);
		unit->is_reordered = packed.count > 0 && is_reordered(entry);
		entry->made = unit;
		entry->made_free = free_made;
	}
	return unit->packed.count > 0 ? unit : NULL;
}

bool
rtc_unit_has_b_frames(struct hub *hub, uint64_t from, unsigned max)
{
	for (uint64_t pos = from; pos < hub_tail(hub) && pos < from + max; pos++) {
		const struct rtc_unit *unit = rtc_unit_of(hub_at(hub, pos));

		if (unit != NULL && unit->is_reordered)
			return true;
	}
	return false;
}

struct rtc_unit *
rtc_unit_of_sound(enum rtp_codec codec, const struct hub_audio_entry *entry)
{
	struct rtp_packed packed = { .data = NULL };

	if (entry->msg == NULL)
		return NULL;
	if (rtp_pack_audio(codec, entry->msg->payload, entry->msg->frame.payload_len,
			   RTP_PACK_PAYLOAD_BYTES, &packed) < 0) {
		rtp_packed_clear(&packed);
		return NULL;
	}
	return keep(&packed);
}

struct rtc_unit *
rtc_unit_ref(struct rtc_unit *unit)
{
	unit->refs++;
	return unit;
}

void
rtc_unit_unref(struct rtc_unit **unit)
{
	struct rtc_unit *old = *unit;

	*unit = NULL;
	if (old == NULL || --old->refs > 0)
		return;
	rtp_packed_clear(&old->packed);
	free(old);
}
