/*
 * Where a frame of sound belongs on the pictures' line of time, and silence where there is none.
 */
#include "config.h"

#include "http/hub_audio_int.h"

#include "media/bytes.h"
#include "shared/xalloc.h"

#include <assert.h>

#define PICTURE_RATE       ((int64_t)FMP4_VIDEO_TIMESCALE)
#define PICTURE_TICKS(ms)  ((int64_t)(ms)*PICTURE_RATE / 1000)
#define STEADY_MS          50 /* what flows may be so far from its time before it is moved there */
#define RESUME_MS          5  /* the same after silence: small, for it stays */
#define FILL_S             15 /* of silence at once at most */
#define ENTRY_COST         256u
#define SAMPLE_BYTES_MAX   (4u << 20)
#define PCM_BYTES_PER_BYTE 3u /* of G.711, with what FLAC makes of it */

/* Time */

uint64_t
hub_audio_ticks(const struct audio_format *format, uint64_t picture_ticks)
{
	return picture_ticks / FMP4_VIDEO_TIMESCALE * format->rate +
	       picture_ticks % FMP4_VIDEO_TIMESCALE * format->rate / FMP4_VIDEO_TIMESCALE;
}

uint64_t
hub_audio_picture_ticks(const struct audio_format *format, uint64_t ticks)
{
	return ticks / format->rate * FMP4_VIDEO_TIMESCALE +
	       (ticks % format->rate * FMP4_VIDEO_TIMESCALE + format->rate - 1) / format->rate;
}

static const struct audio_format *
format_of(const struct hub_audio *audio)
{
	return &audio->config->format;
}

/* Where the next entry goes, in ticks of the pictures. */
static uint64_t
end_of(const struct hub_audio *audio)
{
	return audio->has_end ? hub_audio_picture_ticks(format_of(audio), audio->end)
			      : audio->floor;
}

static void
forget_end(struct hub_audio *audio)
{
	uint64_t end = end_of(audio);

	if (end > audio->floor)
		audio->floor = end;
	audio->has_end = audio->is_flowing = false;
}

/* Behind what was there before, if that is not long ago: its hole will be filled. */
static void
begin_at(struct hub_audio *audio, uint64_t picture_time)
{
	if (picture_time < audio->floor ||
	    (audio->floor > 0 && picture_time - audio->floor < FILL_S * FMP4_VIDEO_TIMESCALE))
		picture_time = audio->floor;
	audio->end = hub_audio_ticks(format_of(audio), picture_time);
	audio->has_end = audio->is_silent = true;
	audio->is_flowing = false;
}

/* The ring */

static struct hub_audio_entry *
slot(const struct hub_audio *audio, uint64_t pos)
{
	return &audio->ring[pos & (audio->cap - 1)];
}

static size_t
entry_bytes(const struct hub_audio_entry *entry)
{
	size_t bytes = entry->msg != NULL ? entry->msg->frame.payload_len : 0;

	return ENTRY_COST +
	       (audio_is_sample(&entry->config->format) ? bytes : PCM_BYTES_PER_BYTE * bytes);
}

static void
drop_head(struct hub_audio *audio)
{
	struct hub_audio_entry *entry = slot(audio, audio->head);

	audio->bytes -= entry_bytes(entry);
	wire_unref(&entry->wire);
	bus_msg_unref(&entry->msg);
	hub_audio_config_unref(&entry->config);
	audio->head++;
}

static void
grow(struct hub_audio *audio)
{
	size_t cap = audio->cap > 0 ? 2 * audio->cap : 64;
	struct hub_audio_entry *ring = xcalloc(cap, sizeof(ring[0]));

	for (uint64_t pos = audio->head; pos < audio->tail; pos++)
		ring[pos & (cap - 1)] = *slot(audio, pos);
	free(audio->ring);
	audio->ring = ring;
	audio->cap = cap;
}

/* What neither the newest GOP nor the last seconds need. */
static void
trim(struct hub_audio *audio)
{
	uint64_t keep = (uint64_t)PICTURE_TICKS(HUB_AUDIO_KEEP_MS), from;

	from = audio->picture > keep ? audio->picture - keep : 0;
	if (audio->key < from)
		from = audio->key;
	while (audio->head < audio->tail) {
		const struct hub_audio_entry *entry = slot(audio, audio->head);

		if (audio->tail - audio->head <= HUB_AUDIO_ENTRIES_MAX &&
		    audio->bytes <= HUB_AUDIO_BYTES_MAX &&
		    entry->time + entry->ticks >= hub_audio_ticks(&entry->config->format, from))
			return;
		drop_head(audio);
	}
}

static void
append(struct hub_audio *audio, struct bus_msg *msg, uint32_t ticks)
{
	struct hub_audio_entry *entry;

	if (audio->tail - audio->head == audio->cap)
		grow(audio);
	entry = slot(audio, audio->tail);
	*entry = (struct hub_audio_entry){ .msg = msg != NULL ? bus_msg_ref(msg) : NULL,
					   .config = hub_audio_config_ref(audio->config),
					   .time = audio->end,
					   .ticks = ticks };
	audio->tail++;
	audio->end += ticks;
	audio->bytes += entry_bytes(entry);
	trim(audio);
}

static void
fill(struct hub_audio *audio, uint64_t until)
{
	uint64_t most = (uint64_t)format_of(audio)->rate * FILL_S;
	uint32_t ticks;

	if (until > audio->end + most)
		audio->end = until - most;
	while (audio->end < until &&
	       (ticks = audio_silence_ticks(format_of(audio), until - audio->end)) > 0) {
		append(audio, NULL, ticks);
		audio->stats.silent++;
		audio->is_flowing = false;
	}
}

/* What comes in */

void
hub_audio_cut(struct hub_audio *audio)
{
	if (audio->config != NULL)
		forget_end(audio);
	audio->has_picture = audio->is_astray = false;
	audio->shift = 0;
	audio->last_seq = 0;
}

void
hub_audio_clear(struct hub_audio *audio)
{
	hub_audio_cut(audio);
	while (audio->head < audio->tail)
		drop_head(audio);
	hub_audio_config_unref(&audio->config);
	free(audio->ring);
	audio->ring = NULL;
	audio->cap = 0;
}

/* The same configuration of another worker stays the same one: players need not begin anew. */
static void
set_config(struct hub_audio *audio, struct bus_msg *msg)
{
	if (hub_audio_config_is(audio->config, msg))
		return;
	if (audio->config != NULL)
		forget_end(audio);
	hub_audio_config_unref(&audio->config);
	audio->config = hub_audio_config_new(msg);
}

void
hub_audio_on_picture(struct hub_audio *audio, const struct timeline_stamp *stamp, bool is_key)
{
	uint64_t late = (uint64_t)PICTURE_TICKS(HUB_AUDIO_LATE_MS);
	uint64_t shown = stamp->decode_time +
			 (stamp->composition_offset > 0 ? (uint64_t)stamp->composition_offset : 0);

	audio->has_picture = true;
	audio->picture = stamp->decode_time;
	audio->picture_end = shown + stamp->duration;
	if (is_key)
		audio->key = stamp->decode_time;
	if (audio->config == NULL || !format_of(audio)->has_silence)
		return;
	if (!audio->has_end)
		begin_at(audio, audio->picture);
	if (end_of(audio) + late < audio->picture)
		audio->is_silent = true;
	if (audio->is_silent)
		fill(audio, hub_audio_ticks(format_of(audio), audio->picture_end));
}

/* part: of the distance that is allowed */
static bool
is_near(const struct hub_audio *audio, int64_t time, int part)
{
	int64_t ahead = time - (int64_t)audio->picture;

	return time >= 0 && ahead >= -PICTURE_TICKS(HUB_AUDIO_BEHIND_MS) / part &&
	       ahead <= PICTURE_TICKS(HUB_AUDIO_AHEAD_MS) / part;
}

/* Tied to the pictures by pts, as long as that makes sense; else, when they have gone on for a
 * while without it, to the newest one. false: it has no place. */
static bool
find_time(struct hub_audio *audio, int64_t time, uint64_t *found)
{
	if (audio->shift != 0 && is_near(audio, time, 2)) {
		audio->shift = 0;
		audio->is_flowing = false;
	}
	if (!is_near(audio, time + audio->shift, 1)) {
		if (!audio->is_astray)
			audio->astray_since = audio->picture;
		audio->is_astray = true;
		if (audio->picture - audio->astray_since <
		    (uint64_t)PICTURE_TICKS(HUB_AUDIO_STRAY_MS))
			return false;
		audio->shift = (int64_t)audio->picture_end - time;
		audio->stats.tied++;
	}
	audio->is_astray = false;
	*found = (uint64_t)(time + audio->shift);
	return true;
}

/* Moves the end to where a frame of this time goes. false: its place is taken. */
static bool
make_place(struct hub_audio *audio, uint64_t time)
{
	const struct audio_format *format = format_of(audio);
	int64_t steady = (int64_t)format->rate * STEADY_MS / 1000;
	int64_t resume = (int64_t)format->rate * RESUME_MS / 1000, gap;

	gap = (int64_t)(hub_audio_ticks(format, time) - audio->end);
	if (audio->is_flowing && gap >= -steady && gap <= steady)
		return true;
	if (gap < -resume)
		return false;
	if (gap > 0) {
		fill(audio, audio->end + (uint64_t)gap);
		audio->end = hub_audio_ticks(format, time);
	}
	return true;
}

static bool
is_whole(const struct hub_audio *audio, const struct frame *frame)
{
	return !(frame->flags & FRAME_CORRUPT) || !audio_is_sample(format_of(audio));
}

static void
push_frame(struct hub_audio *audio, struct bus_msg *msg, const struct timeline *timeline)
{
	const struct frame *frame = &msg->frame;
	uint64_t time;
	uint32_t ticks;

	audio->stats.frames++;
	audio->stats.dropped++;
	if (audio->config == NULL || !audio->has_picture ||
	    frame->codec != audio->config->msg->frame.codec || !is_whole(audio, frame) ||
	    (ticks = audio_frame_ticks(format_of(audio), msg->payload, frame->payload_len)) == 0 ||
	    !find_time(audio, timeline_place(timeline, frame->pts_ns), &time))
		return;
	if (!audio->has_end)
		begin_at(audio, time);
	/* Whether it fits or not: sound is there, and silence waits for it to catch up. */
	audio->is_silent = false;
	audio->is_flowing = make_place(audio, time);
	if (!audio->is_flowing)
		return;
	append(audio, msg, ticks);
	audio->stats.dropped--;
}

void
hub_audio_push(struct hub_audio *audio, struct bus_msg *msg, const struct timeline *timeline)
{
	const struct frame *frame = &msg->frame;

	if (frame->kind == FRAME_KIND_CONFIG) {
		set_config(audio, msg);
	} else if (frame->kind == FRAME_KIND_AUDIO && frame->seq > audio->last_seq) {
		audio->last_seq = frame->seq;
		push_frame(audio, msg, timeline);
	}
}

/* What goes out */

struct hub_audio_config *
hub_audio_offer(const struct hub_audio *audio)
{
	if (audio->config == NULL || !audio->has_end)
		return NULL;
	/* What cannot be filled up with silence must be there. */
	if (!format_of(audio)->has_silence &&
	    end_of(audio) + (uint64_t)PICTURE_TICKS(HUB_AUDIO_LATE_MS) < audio->picture)
		return NULL;
	return audio->config;
}

struct hub_audio_entry *
hub_audio_at(const struct hub_audio *audio, uint64_t pos)
{
	assert(pos >= audio->head && pos < audio->tail);
	return slot(audio, pos);
}

uint64_t
hub_audio_find(const struct hub_audio *audio, uint64_t picture_time)
{
	uint64_t pos = audio->tail;

	while (pos > audio->head) {
		const struct hub_audio_entry *entry = slot(audio, pos - 1);

		if (entry->time < hub_audio_ticks(&entry->config->format, picture_time))
			break;
		pos--;
	}
	return pos;
}

struct wire *
hub_audio_wire(struct hub_audio_entry *entry)
{
	const struct audio_format *format = &entry->config->format;
	struct byte_writer out;
	int rc;

	if (entry->wire != NULL)
		return entry->wire;
	if (entry->msg != NULL && audio_is_sample(format)) {
		entry->wire = wire_from_msg(entry->msg);
		return entry->wire;
	}
	byte_writer_init(&out, SAMPLE_BYTES_MAX);
	if (entry->msg == NULL)
		rc = audio_write_silence(format, entry->time, entry->ticks, &out);
	else
		rc = audio_write_sample(format, entry->time, entry->msg->payload,
					entry->msg->frame.payload_len, &out);
	if (rc == 0)
		entry->wire = wire_from_bytes(out.data, out.len);
	byte_writer_free(&out);
	return entry->wire;
}
