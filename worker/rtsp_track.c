/*
 * A track: the window that puts packets in order, the depacketiser that writes units into messages
 * of the bus, the times, and what goes back to the camera about it.
 */
#include "config.h"

#include "worker/rtsp_track.h"

#include "media/audio.h"
#include "media/bytes.h"
#include "media/opus.h"
#include "publish/wrk.h"
#include "publish/wrk_vui.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stdlib.h>

#define CNAME            "camhub"
#define FIRST_ROOM_BYTES 4096u
#define CONFIG_MAX_BYTES (2u * RTP_CONFIG_MAX)
/* Packets of another payload type than described, before the description is not believed. */
#define FOREIGN_MAX 50u

struct rtsp_track {
	struct rtsp_tracks *tracks;
	uint8_t number; /* FRAME_TRACK_* */
	enum frame_kind kind;
	enum frame_codec codec;
	uint8_t payload_type;
	unsigned foreign; /* packets of other types while none of this one came */
	uint32_t our_ssrc, clock_rate;

	struct rtp_reorder *reorder;
	struct rtp_depay *depay;
	struct wrk_vui *vui;
	struct rtp_clock clock;
	struct rtcp_account account;
	int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */

	/* The unit in progress, and how large units are */
	struct bus_msg *msg;
	struct byte_writer writer;
	size_t usual_bytes, large_bytes;

	struct rtsp_track_stats stats;
};

static const struct {
	enum frame_codec codec;
	enum frame_kind kind;
} kinds[] = {
	[RTP_CODEC_NONE] = { FRAME_CODEC_NONE, FRAME_KIND_END },
	[RTP_CODEC_H264] = { FRAME_CODEC_H264, FRAME_KIND_VIDEO },
	[RTP_CODEC_H265] = { FRAME_CODEC_H265, FRAME_KIND_VIDEO },
	[RTP_CODEC_JPEG] = { FRAME_CODEC_MJPEG, FRAME_KIND_JPEG },
	[RTP_CODEC_AAC] = { FRAME_CODEC_AAC, FRAME_KIND_AUDIO },
	[RTP_CODEC_PCMU] = { FRAME_CODEC_PCMU, FRAME_KIND_AUDIO },
	[RTP_CODEC_PCMA] = { FRAME_CODEC_PCMA, FRAME_KIND_AUDIO },
	[RTP_CODEC_G726] = { FRAME_CODEC_G726, FRAME_KIND_AUDIO },
	[RTP_CODEC_L16] = { FRAME_CODEC_L16, FRAME_KIND_AUDIO },
	[RTP_CODEC_OPUS] = { FRAME_CODEC_OPUS, FRAME_KIND_AUDIO },
};

/* Where units are written */

/* What outgrows the room of a usual unit by far is a key frame, as a rule: at once as large as
 * those are, so that little is copied twice. */
static int
grow(void *arg, size_t need, uint8_t **data, size_t *cap)
{
	struct rtsp_track *track = arg;

	if (need >= 4 * track->usual_bytes && need < track->large_bytes)
		need = track->large_bytes;
	return bus_msg_grow(track->msg, need, data, cap);
}

static void
learn_size(struct rtsp_track *track, size_t len)
{
	size_t fit = len + len / 8, less;

	if (len > 2 * track->usual_bytes) {
		less = track->large_bytes - track->large_bytes / 8;
		track->large_bytes = fit > less ? fit : less;
		track->usual_bytes += track->usual_bytes / 8; /* or is it the usual now? */
	} else {
		less = track->usual_bytes - track->usual_bytes / 32;
		track->usual_bytes = fit > less ? fit : less;
	}
	if (track->large_bytes > FRAME_PAYLOAD_MAX)
		track->large_bytes = FRAME_PAYLOAD_MAX;
	if (track->usual_bytes > FRAME_PAYLOAD_MAX)
		track->usual_bytes = FRAME_PAYLOAD_MAX;
}

static struct byte_writer *
on_begin(void *arg)
{
	struct rtsp_track *track = arg;
	uint8_t *data;
	size_t cap;

	bus_msg_unref(&track->msg);
	track->msg = bus_msg_begin(track->usual_bytes, &data, &cap);
	if (track->msg == NULL)
		return NULL;
	byte_writer_init_growing(&track->writer, data, cap, FRAME_PAYLOAD_MAX, grow, track);
	return &track->writer;
}

/* Units */

static uint16_t
flags_of(const struct rtp_unit *unit, const struct rtsp_times_unit *place, bool is_synced)
{
	uint16_t flags = 0;

	flags |= unit->is_damaged ? FRAME_CORRUPT : 0;
	flags |= place->is_jump ? FRAME_DISCONTINUITY : 0;
	flags |= place->wall_ns != 0 && !is_synced ? FRAME_CLOCK_UNSYNCED : 0;
	return flags;
}

static struct wrk_unit
unit_at(const struct rtsp_track *track, enum frame_kind kind, const uint8_t *data, size_t len)
{
	return (struct wrk_unit){
		.kind = kind,
		.track = track->number,
		.codec = track->codec,
		.data = data,
		.len = len,
	};
}

/* What is to be known about reordering before a picture is seen by others. */
static void
examine(struct rtsp_track *track, const struct rtp_unit *from, struct wrk_unit *unit)
{
	struct wrk_vui_unit seen = {
		.annexb = unit->data,
		.len = unit->len,
		.pts_ns = unit->pts_ns,
		.is_damaged = from->is_damaged,
		.is_after_loss = from->is_after_loss,
	};
	struct wrk_vui_verdict verdict = { .config = NULL };
	struct wrk_unit config = *unit;

	wrk_vui_examine(track->vui, &seen, &verdict);
	if (verdict.is_spoiled)
		unit->flags |= FRAME_CORRUPT;
	if (verdict.config == NULL)
		return;
	config.kind = FRAME_KIND_CONFIG;
	config.flags = 0;
	config.data = verdict.config;
	config.len = verdict.config_len;
	wrk_deliver(track->tracks->wrk, &config);
}

static void
deliver(struct rtsp_track *track, const struct rtp_unit *from, const struct rtsp_times_unit *place,
	bool is_synced)
{
	struct wrk_unit unit = unit_at(track, track->kind, track->writer.data, track->writer.len);

	unit.flags = flags_of(from, place, is_synced);
	unit.is_after_loss = from->is_after_loss;
	unit.pts_ns = place->pts_ns;
	unit.dts_ns = place->dts_ns;
	unit.duration_us = place->duration_us;
	unit.arrived_monotonic_ns = from->arrived_ns;
	unit.arrived_realtime_ns = from->arrived_ns + track->realtime_offset_ns;
	unit.captured_realtime_ns = place->wall_ns;
	if (track->kind == FRAME_KIND_VIDEO)
		examine(track, from, &unit);
	unit.msg = track->msg;
	track->msg = NULL;
	learn_size(track, unit.len);
	wrk_deliver(track->tracks->wrk, &unit);
}

static uint32_t
ticks_to_us(const struct rtsp_track *track, uint32_t ticks)
{
	uint64_t us = (uint64_t)ticks * 1000000 / track->clock_rate;

	return us < 100000000 ? (uint32_t)us : 0;
}

static void
on_end(void *arg, const struct rtp_unit *unit)
{
	struct rtsp_track *track = arg;
	struct rtsp_times_unit place = {
		.stream_ns = rtp_clock_stream_ns(&track->clock, unit->timestamp),
		.arrived_ns = unit->arrived_ns,
		.duration_us = ticks_to_us(track, unit->duration),
	};
	bool is_synced = false;

	if (!rtp_clock_captured(&track->clock, unit->timestamp, &place.wall_ns, &is_synced))
		place.wall_ns = 0;
	track->stats.has_clock = place.wall_ns != 0;
	track->stats.is_clock_synced = is_synced;
	if (rtsp_times_place(&track->tracks->times, track->number, &place))
		deliver(track, unit, &place, is_synced);
}

static int
on_parameter_set(void *arg, const uint8_t *nal, size_t len, struct byte_writer *out)
{
	struct rtsp_track *track = arg;

	return wrk_vui_set(track->vui, nal, len, out);
}

/* Packets */

/* Cameras number their formats as they like; one that never sends what it described is believed in
 * what it does. */
static bool
is_ours(struct rtsp_track *track, const struct rtp_packet *packet)
{
	if (packet->payload_type == track->payload_type) {
		track->foreign = 0;
		return true;
	}
	if (track->stats.packets > track->foreign || ++track->foreign < FOREIGN_MAX)
		return false;
	log_debug("payload type %u came, %u was described", packet->payload_type,
		  track->payload_type);
	track->payload_type = packet->payload_type;
	track->foreign = 0;
	return true;
}

/* Another source in the same track: its time has another origin, and what was there ends. One whose
 * numbers go on is the same one, whatever it calls itself. */
static bool
is_another(const struct rtsp_track *track, const struct rtp_packet *packet, uint32_t lost)
{
	return lost == RTP_LOST_UNKNOWN && track->account.has_packet &&
	       track->account.ssrc != packet->ssrc;
}

static void
on_packet(void *arg, const struct rtp_packet *packet, uint32_t lost, int64_t arrived_ns)
{
	struct rtsp_track *track = arg;

	if (is_another(track, packet, lost)) {
		rtp_depay_flush(track->depay);
		rtp_clock_init(&track->clock, track->clock_rate);
		rtsp_times_restart(&track->tracks->times, track->number);
	}
	rtcp_account_on_packet(&track->account, packet->ssrc, packet->seq, packet->timestamp,
			       track->clock_rate, arrived_ns);
	if (is_ours(track, packet))
		rtp_depay_push(track->depay, packet, lost, arrived_ns);
	track->stats.packets++;
}

int
rtsp_track_rtp(struct rtsp_track *track, const uint8_t *data, size_t len, int64_t now_ns,
	       int64_t realtime_ns)
{
	int rc;

	track->realtime_offset_ns = realtime_ns - now_ns;
	rc = rtp_reorder_push(track->reorder, data, len, now_ns);
	if (rc < 0)
		return rc;
	track->stats.bytes += len;
	track->stats.last_packet_ns = now_ns;
	return 0;
}

void
rtsp_track_rtcp(struct rtsp_track *track, const uint8_t *data, size_t len, int64_t now_ns,
		int64_t realtime_ns)
{
	struct rtcp_seen seen = { .has_sr = false };

	(void)rtcp_parse(data, len, &seen);
	if (!seen.has_sr)
		return;
	rtcp_account_on_sr(&track->account, &seen.sr, now_ns);
	rtp_clock_on_report(&track->clock, seen.sr.ntp, seen.sr.rtp_timestamp, realtime_ns);
}

int64_t
rtsp_track_due_ns(const struct rtsp_track *track)
{
	return rtp_reorder_due_ns(track->reorder);
}

void
rtsp_track_tick(struct rtsp_track *track, int64_t now_ns)
{
	rtp_reorder_tick(track->reorder, now_ns);
}

size_t
rtsp_track_report(struct rtsp_track *track, int64_t now_ns, uint8_t out[RTCP_RR_BYTES_MAX])
{
	const struct rtp_reorder_stats *order = rtp_reorder_stats(track->reorder);

	if (!track->account.has_packet)
		return 0;
	return rtcp_write_rr(&track->account, track->our_ssrc,
			     order->cycles << 16 | order->highest_seq, CNAME, now_ns, out);
}

const struct rtsp_track_stats *
rtsp_track_stats(struct rtsp_track *track)
{
	const struct rtp_reorder_stats *order = rtp_reorder_stats(track->reorder);
	const struct rtp_depay_stats *depay = rtp_depay_stats(track->depay);

	track->stats.lost = order->lost;
	track->stats.reordered = order->reordered;
	track->stats.late = order->late;
	track->stats.units = depay->units;
	track->stats.damaged = depay->damaged;
	track->stats.au_end = depay->au_end;
	return &track->stats;
}

/* Life */

/* What no description of sound has room for: media/audio.h. Returns its length, 0: nothing. */
static size_t
describe_sound(const struct rtp_format *format, uint8_t out[OPUS_HEAD_BYTES])
{
	_Static_assert(AUDIO_PCM_CONFIG_BYTES <= OPUS_HEAD_BYTES, "there is room for both");
	switch (format->codec) {
	case RTP_CODEC_OPUS:
		opus_write_head(format->channels == 1 ? 1 : 2, out);
		return OPUS_HEAD_BYTES;
	case RTP_CODEC_PCMA:
	case RTP_CODEC_PCMU:
	case RTP_CODEC_L16:
		audio_write_pcm_config(format->clock_rate, format->channels,
				       format->codec == RTP_CODEC_L16 ? 16 : 8, out);
		return AUDIO_PCM_CONFIG_BYTES;
	case RTP_CODEC_G726:
		audio_write_pcm_config(format->clock_rate, format->channels,
				       format->bits_per_sample, out);
		return AUDIO_PCM_CONFIG_BYTES;
	default:
		return 0;
	}
}

static void
deliver_config(struct rtsp_track *track, const struct rtp_format *format)
{
	struct clock *clock = wrk_clock(track->tracks->wrk);
	uint8_t sound[OPUS_HEAD_BYTES];
	struct wrk_unit unit;
	struct byte_writer sets;

	unit = unit_at(track, FRAME_KIND_CONFIG, format->config, format->config_len);
	if (unit.len == 0) {
		unit.data = sound;
		unit.len = describe_sound(format, sound);
	}
	if (unit.len == 0)
		return;
	unit.arrived_monotonic_ns = clock_now_ns(clock);
	unit.arrived_realtime_ns = clock_realtime_ns(clock);
	byte_writer_init(&sets, CONFIG_MAX_BYTES);
	if (track->vui != NULL &&
	    wrk_vui_config(track->vui, format->config, format->config_len, &sets) == 0 &&
	    sets.len > 0) {
		unit.data = sets.data;
		unit.len = sets.len;
	}
	wrk_deliver(track->tracks->wrk, &unit);
	byte_writer_free(&sets);
}

static int
set_up(struct rtsp_track *track, const struct rtsp_track_config *config)
{
	static const struct rtp_depay_ops as_it_is = { on_begin, on_end, NULL };
	static const struct rtp_depay_ops rewritten = { on_begin, on_end, on_parameter_set };
	const struct rtp_format *format = config->format;

	track->vui = wrk_vui_new(track->codec, track->tracks->keep_vui);
	track->depay = rtp_depay_new(format, track->vui != NULL ? &rewritten : &as_it_is, track);
	if (track->depay == NULL)
		return -ENOTSUP;
	track->reorder = rtp_reorder_new(config->wait_ns, on_packet, track);
	rtp_clock_init(&track->clock, format->clock_rate);
	if (config->framerate >= 1)
		rtsp_times_expect(&track->tracks->times, track->number,
				  (int64_t)(NS_PER_S / config->framerate));
	return 0;
}

struct rtsp_track *
rtsp_track_new(struct rtsp_tracks *tracks, const struct rtsp_track_config *config)
{
	const struct rtp_format *format = config->format;
	struct rtsp_track *track;

	if (format->codec == RTP_CODEC_NONE ||
	    (size_t)format->codec >= sizeof(kinds) / sizeof(kinds[0]))
		return NULL;
	track = xcalloc(1, sizeof(*track));
	track->tracks = tracks;
	track->number = rtp_codec_is_video(format->codec) ? FRAME_TRACK_VIDEO : FRAME_TRACK_AUDIO;
	track->codec = kinds[format->codec].codec;
	track->kind = kinds[format->codec].kind;
	track->payload_type = format->payload_type;
	track->clock_rate = format->clock_rate;
	track->our_ssrc = config->our_ssrc;
	track->usual_bytes = FIRST_ROOM_BYTES;
	if (set_up(track, config) < 0) {
		rtsp_track_free(&track);
		return NULL;
	}
	deliver_config(track, format);
	return track;
}

void
rtsp_track_free(struct rtsp_track **track)
{
	struct rtsp_track *old = *track;

	*track = NULL;
	if (old == NULL)
		return;
	rtp_depay_free(&old->depay);
	rtp_reorder_free(&old->reorder);
	wrk_vui_free(&old->vui);
	bus_msg_unref(&old->msg);
	free(old);
}
