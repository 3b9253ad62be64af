/*
 * Publishing. Every unit gets its number when it arrives, watched or not, so that a replay and the
 * live frames behind it join without a hole.
 */
#include "config.h"

#include "publish/wrk_pub.h"

#include "publish/wrk_gop.h"
#include "publish/wrk_replay.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TRACKS          (FRAME_TRACK_AUDIO + 1)
#define SPARE_MAX_BYTES 1024

static int
open_bus(const char *path, unsigned mode, struct bus_pub **pub)
{
	bus_outlive_peers();
	return bus_pub_open(path, mode, pub);
}

const struct wrk_bus_ops wrk_bus_nng = {
	.open = open_bus,
	.send = bus_pub_send,
	.send_msg = bus_pub_send_msg,
	.resend = bus_pub_resend,
	.subscribers = bus_pub_subscribers,
	.unlink = bus_pub_unlink,
};

struct wrk_pub {
	struct wrk_pub_config config;
	const struct wrk_bus_ops *bus;
	struct bus_pub *pub;
	struct clock *clock;
	struct wrk_track tracks[TRACKS];
	struct bus_msg *audio_config; /* as last published */
	uint64_t seq[TRACKS];
	uint32_t gop_id, gop_index;
	bool has_key, is_on;
	bool is_refusal_logged, is_bus_failing;
	struct wrk_gop *gop;
	struct wrk_replay *replay;
	struct wrk_meter meter;
	struct wrk_advice advice;
	struct wrk_pub_stats stats;
};

/* The bus never blocks; what fails is memory, or nng itself. Said once until it works again. */
static void
note_send(struct wrk_pub *pub, int rc)
{
	if (rc < 0 && !pub->is_bus_failing)
		log_warn("cannot publish: %s", strerror(-rc));
	pub->is_bus_failing = rc < 0;
	if (rc == 0)
		pub->stats.published++;
}

static struct frame
frame_for(const struct wrk_pub *pub, enum frame_kind kind, uint8_t track)
{
	const struct wrk_track *about = &pub->tracks[track];

	return (struct frame){
		.stream_id = pub->config.stream_id,
		.kind = (uint8_t)kind,
		.track = track,
		.codec = (uint16_t)about->codec,
		.epoch = pub->config.epoch,
		.gop_id = pub->gop_id,
		.gop_index = pub->gop_index,
		.config_version = about->config_version,
		.width = about->width,
		.height = about->height,
	};
}

/* A message that was given more memory than it used would keep it for the life of its GOP. */
static bool
is_snug(const struct bus_msg *msg)
{
	return bus_msg_spare(msg) <= msg->frame.payload_len / 4 + SPARE_MAX_BYTES;
}

/* made: NULL, or the message of this frame, which nobody else wants: no copy is needed for the
 * cache. A unit that the cache cannot take spoils its GOP. */
static void
keep(struct wrk_pub *pub, const struct frame *frame, const uint8_t *data, size_t len,
     struct bus_msg *made)
{
	struct bus_msg *msg = NULL;

	if (wrk_gop_would_keep(pub->gop, len))
		msg = made != NULL && is_snug(made) ? bus_msg_ref(made)
						    : bus_msg_new(frame, data, len);
	if (msg != NULL)
		wrk_gop_add(pub->gop, msg);
	else
		wrk_gop_spoil(pub->gop);
	bus_msg_unref(&msg);
}

/* Number, cache and send. *made: NULL, or the message that data lies in; taken over when sent. */
static void
emit(struct wrk_pub *pub, struct frame *frame, const uint8_t *data, size_t len,
     struct bus_msg **made)
{
	bool is_sent = pub->is_on && pub->pub != NULL;

	frame->seq = ++pub->seq[frame->track];
	if (*made != NULL)
		bus_msg_finish(*made, frame, len);
	if (frame->track == FRAME_TRACK_VIDEO)
		keep(pub, frame, data, len, is_sent ? NULL : *made);
	if (!is_sent)
		return;
	note_send(pub, *made != NULL ? pub->bus->send_msg(pub->pub, made)
				     : pub->bus->send(pub->pub, frame, data, len));
}

static void
emit_config(struct wrk_pub *pub, uint8_t track, const struct wrk_unit *unit)
{
	const struct wrk_track *about = &pub->tracks[track];
	struct frame frame = frame_for(pub, FRAME_KIND_CONFIG, track);
	struct bus_msg *msg = NULL;

	if (about->config == NULL)
		return;
	frame.pts_ns = unit->pts_ns;
	frame.dts_ns = unit->dts_ns;
	frame.arrived_realtime_ns = unit->arrived_realtime_ns;
	frame.arrived_monotonic_ns = unit->arrived_monotonic_ns;
	emit(pub, &frame, about->config, about->config_len, &msg);
	if (track == FRAME_TRACK_VIDEO)
		return; /* the GOP has it */
	msg = bus_msg_new(&frame, about->config, about->config_len);
	if (msg != NULL) {
		bus_msg_unref(&pub->audio_config);
		pub->audio_config = msg;
	}
}

/* What it refers to may be missing. */
static bool
is_orphan(const struct wrk_unit *unit, const struct wrk_unit_info *info)
{
	return unit->is_after_loss && unit->track == FRAME_TRACK_VIDEO && !info->is_key;
}

static void
emit_unit(struct wrk_pub *pub, const struct wrk_unit *unit, const struct wrk_unit_info *info,
	  struct bus_msg **made)
{
	struct frame frame = frame_for(pub, unit->kind, unit->track);

	frame.flags = unit->flags;
	frame.flags |= info->is_key ? FRAME_KEY : 0;
	frame.flags |= info->is_disposable ? FRAME_DISPOSABLE : 0;
	frame.flags |= info->has_config ? FRAME_CONFIG_IN_BAND : 0;
	frame.flags |= info->is_damaged || is_orphan(unit, info) ? FRAME_CORRUPT : 0;
	frame.pts_ns = unit->pts_ns;
	frame.dts_ns = unit->dts_ns;
	frame.duration_us = unit->duration_us;
	frame.arrived_realtime_ns = unit->arrived_realtime_ns;
	frame.arrived_monotonic_ns = unit->arrived_monotonic_ns;
	frame.captured_realtime_ns = unit->captured_realtime_ns;
	emit(pub, &frame, unit->data, info->len, made);
	if (frame.flags & FRAME_CORRUPT)
		pub->stats.corrupt++;
}

static enum wrk_seen
deliver_picture(struct wrk_pub *pub, const struct wrk_unit *unit, const struct wrk_unit_info *info,
		struct bus_msg **made)
{
	wrk_meter_frame(&pub->meter, unit->dts_ns, unit->arrived_monotonic_ns, info->len,
			info->is_key, (unit->flags & FRAME_DISCONTINUITY) != 0);
	wrk_advice_frame(&pub->advice, unit->dts_ns, info->is_key,
			 (unit->flags & FRAME_DISCONTINUITY) != 0 || unit->is_after_loss);
	if (info->is_key) {
		pub->gop_id++;
		pub->gop_index = 0;
		pub->has_key = true;
		wrk_gop_begin(pub->gop);
		emit_config(pub, FRAME_TRACK_VIDEO, unit);
		emit_config(pub, FRAME_TRACK_AUDIO, unit);
	} else if (!pub->has_key) {
		pub->stats.before_key++;
		return WRK_SEEN_VIDEO;
	} else {
		pub->gop_index++;
		if (info->config_changed)
			emit_config(pub, FRAME_TRACK_VIDEO, unit);
	}
	emit_unit(pub, unit, info, made);
	return info->is_key ? WRK_SEEN_KEY : WRK_SEEN_VIDEO;
}

/* Its number is used up: the hole tells subscribers that something is missing. */
static void
refuse_unit(struct wrk_pub *pub, const struct wrk_unit *unit, const char *why)
{
	pub->stats.corrupt++;
	if (!pub->is_refusal_logged)
		log_warn("a unit of %zu bytes is dropped: %s (said once)", unit->len, why);
	pub->is_refusal_logged = true;
	if (unit->track == FRAME_TRACK_VIDEO && pub->has_key) {
		pub->seq[FRAME_TRACK_VIDEO]++;
		wrk_gop_spoil(pub->gop);
	}
}

static void
deliver_config(struct wrk_pub *pub, const struct wrk_unit *unit)
{
	int rc = wrk_track_configure(&pub->tracks[unit->track], unit->codec, unit->data, unit->len);

	if (rc < 0)
		log_debug("configuration of track %u is not usable: %s", unit->track,
			  strerror(-rc));
	else if (rc == 1)
		emit_config(pub, unit->track, unit);
}

static enum wrk_seen
deliver(struct wrk_pub *pub, const struct wrk_unit *unit, struct bus_msg **made)
{
	struct wrk_unit_info info;
	int rc;

	if (unit->kind == FRAME_KIND_CONFIG) {
		deliver_config(pub, unit);
		return WRK_SEEN_NOTHING;
	}
	if (unit->len > FRAME_PAYLOAD_MAX) {
		refuse_unit(pub, unit, "larger than the bus takes");
		return WRK_SEEN_NOTHING;
	}
	rc = wrk_track_examine(&pub->tracks[unit->track], unit, &info);
	if (rc == -EPROTO)
		refuse_unit(pub, unit, "not what the stream is made of");
	if (rc < 0)
		return WRK_SEEN_NOTHING;
	if (unit->track == FRAME_TRACK_VIDEO)
		return deliver_picture(pub, unit, &info, made);
	if (pub->has_key)
		emit_unit(pub, unit, &info, made);
	return WRK_SEEN_NOTHING;
}

enum wrk_seen
wrk_pub_deliver(struct wrk_pub *pub, const struct wrk_unit *unit)
{
	struct bus_msg *made = unit->msg;
	enum wrk_seen seen = deliver(pub, unit, &made);

	bus_msg_unref(&made);
	return seen;
}

/* Replays */

/* A GOP that is not whole is nothing: the next key frame brings all that is needed. */
static size_t
snapshot(void *arg, struct bus_msg ***msgs, uint64_t *last_seq)
{
	struct wrk_pub *pub = arg;
	size_t count = wrk_gop_count(pub->gop), n = 0;

	*msgs = xcalloc(count + 1, sizeof(struct bus_msg *));
	*last_seq = pub->seq[FRAME_TRACK_VIDEO];
	if (!wrk_gop_is_whole(pub->gop))
		return 0;
	if (pub->audio_config != NULL)
		(*msgs)[n++] = bus_msg_ref(pub->audio_config);
	for (size_t i = 0; i < count; i++)
		(*msgs)[n++] = bus_msg_ref(wrk_gop_at(pub->gop, i));
	return n;
}

static void
replay_send(void *arg, const struct bus_msg *msg, uint32_t subscriber)
{
	struct wrk_pub *pub = arg;
	int rc;

	rc = pub->bus->resend(pub->pub, msg, msg->frame.flags | FRAME_REPLAY, subscriber);
	if (rc < 0)
		log_debug("a replayed unit is lost: %s", strerror(-rc));
}

static void
send_status(struct wrk_pub *pub, const char *json, uint32_t subscriber)
{
	struct frame frame = {
		.stream_id = pub->config.stream_id,
		.kind = FRAME_KIND_STATUS,
		.epoch = pub->config.epoch,
		.flags = subscriber != FRAME_ALL_SUBSCRIBERS ? FRAME_REPLAY : 0,
		.for_subscriber = subscriber,
		.arrived_realtime_ns = clock_realtime_ns(pub->clock),
		.arrived_monotonic_ns = clock_now_ns(pub->clock),
	};

	(void)pub->bus->send(pub->pub, &frame, json, strlen(json));
}

static void
replay_end(void *arg, uint32_t subscriber, uint64_t last_seq, size_t sent)
{
	struct wrk_pub *pub = arg;
	json_t *end =
	    json_pack("{s:I, s:I, s:I}", "replay_end", (json_int_t)subscriber, "last_video_seq",
		      (json_int_t)last_seq, "messages", (json_int_t)sent);
	char *text = end != NULL ? json_dumps(end, JSON_COMPACT) : NULL;

	if (text == NULL)
		xalloc_die();
	send_status(pub, text, subscriber);
	free(text);
	json_decref(end);
}

int
wrk_pub_replay(struct wrk_pub *pub, uint32_t subscriber)
{
	return pub->pub != NULL ? wrk_replay_request(pub->replay, subscriber) : 0;
}

/* The rest */

struct wrk_pub *
wrk_pub_new(const struct wrk_pub_config *config, const struct wrk_bus_ops *bus,
	    struct bus_pub *bus_pub, struct clock *clock)
{
	static const struct wrk_replay_ops replay_ops = { snapshot, replay_send, replay_end };
	struct wrk_pub *pub = xcalloc(1, sizeof(*pub));

	pub->config = *config;
	pub->bus = bus;
	pub->pub = bus_pub;
	pub->clock = clock;
	pub->gop = wrk_gop_new(config->gop_cache_bytes);
	pub->replay = wrk_replay_new(clock, &replay_ops, pub);
	for (int i = 0; i < TRACKS; i++)
		wrk_track_init(&pub->tracks[i]);
	return pub;
}

void
wrk_pub_free(struct wrk_pub **pub)
{
	if (*pub == NULL)
		return;
	wrk_replay_free(&(*pub)->replay);
	wrk_gop_free(&(*pub)->gop);
	bus_msg_unref(&(*pub)->audio_config);
	for (int i = 0; i < TRACKS; i++)
		wrk_track_clear(&(*pub)->tracks[i]);
	free(*pub);
	*pub = NULL;
}

void
wrk_pub_demand(struct wrk_pub *pub, bool is_on)
{
	pub->is_on = is_on;
	if (!is_on)
		wrk_replay_cancel_all(pub->replay);
}

void
wrk_pub_pulse(struct wrk_pub *pub, const char *json)
{
	if (pub->pub != NULL)
		send_status(pub, json, FRAME_ALL_SUBSCRIBERS);
}

void
wrk_pub_end(struct wrk_pub *pub)
{
	struct frame frame = frame_for(pub, FRAME_KIND_END, FRAME_TRACK_VIDEO);

	frame.seq = ++pub->seq[FRAME_TRACK_VIDEO];
	if (pub->pub != NULL)
		(void)pub->bus->send(pub->pub, &frame, NULL, 0);
}

const struct wrk_track *
wrk_pub_track(const struct wrk_pub *pub, uint8_t track)
{
	return &pub->tracks[track];
}

struct wrk_meter *
wrk_pub_meter(struct wrk_pub *pub)
{
	return &pub->meter;
}

struct wrk_advice *
wrk_pub_advice(struct wrk_pub *pub)
{
	return &pub->advice;
}

void
wrk_pub_stats(const struct wrk_pub *pub, struct wrk_pub_stats *stats)
{
	*stats = pub->stats;
	for (int i = 0; i < TRACKS; i++)
		stats->last_seq[i] = pub->seq[i];
	stats->gop_bytes = wrk_gop_bytes(pub->gop);
	stats->gop_is_whole = wrk_gop_is_whole(pub->gop);
	stats->gop_is_too_long = wrk_gop_is_too_long(pub->gop);
	stats->is_on = pub->is_on;
}
