/*
 * The sound of one stream as the front holds it: a second, small ring beside the pictures', on
 * their line of time. It has no holes from its first entry on: what did not come, or not in time,
 * is silence, because players stop both where one is missing. Nothing in the ring of pictures waits
 * for it. Formats that silence cannot be written of have holes.
 */
#ifndef CAMHUB_HTTP_HUB_AUDIO_H
#define CAMHUB_HTTP_HUB_AUDIO_H

#include "http/timeline.h"
#include "http/wire.h"

#include "media/audio.h"

#include <stdbool.h>

#define HUB_AUDIO_TRACK       2u /* its id in files */
#define HUB_AUDIO_ENTRIES_MAX 2048u
#define HUB_AUDIO_BYTES_MAX   (1u << 20)
#define HUB_AUDIO_KEEP_MS     2000 /* at least, or what the newest GOP takes, within the above */
#define HUB_AUDIO_LATE_MS     1000 /* behind the pictures by more: silence goes on in its place */
/* What lies further from the newest picture than this has no time that could be used. */
#define HUB_AUDIO_BEHIND_MS 500
#define HUB_AUDIO_AHEAD_MS  1000
#define HUB_AUDIO_STRAY_MS  1000 /* for so long: from now on it belongs to the newest picture */

struct hub_audio_config {
	int refs;
	struct bus_msg *msg; /* FRAME_KIND_CONFIG as it came */
	struct audio_format format;
};

struct hub_audio_entry {
	struct bus_msg *msg; /* NULL: silence */
	struct hub_audio_config *config;
	struct wire *wire; /* made when first asked for */
	uint64_t time;     /* in ticks of the format; 0 is where the pictures' line begins */
	uint32_t ticks;    /* how long it lasts */
};

struct hub_audio_stats {
	uint64_t frames;  /* that came */
	uint64_t dropped; /* of those: damaged, or not of this time */
	uint64_t silent;  /* entries of silence */
	uint64_t tied;    /* times that sound was tied to the pictures anew */
};

struct hub_audio {
	struct hub_audio_entry *ring; /* position & (cap - 1) */
	size_t cap, bytes;
	uint64_t head, tail;
	struct hub_audio_config *config; /* the newest */
	uint64_t last_seq;

	/* The newest picture and key frame, in ticks of the pictures */
	bool has_picture;
	uint64_t picture, picture_end, key;

	bool has_end;
	uint64_t end;    /* ticks of the format: where the next entry goes */
	uint64_t floor;  /* ticks of the pictures: where an earlier format ended */
	bool is_flowing; /* the last entry came from the camera */
	bool is_silent;  /* silence keeps up with the pictures */
	int64_t shift;   /* ticks of the pictures: of sound whose own time is of no use */
	bool is_astray;
	uint64_t astray_since;
	struct hub_audio_stats stats;
};

/* Zeroed is empty. Frees what is held; the line of time goes on behind it. */
void hub_audio_clear(struct hub_audio *audio);
/* The worker is gone: its time means nothing any more. The next one's sound is taken to be the same
 * until it says so. */
void hub_audio_cut(struct hub_audio *audio);

/* A picture was appended. */
void hub_audio_on_picture(struct hub_audio *audio, const struct timeline_stamp *stamp, bool is_key);
/* A message of the audio track (borrowed), of the worker that is there; timeline: the pictures'. */
void hub_audio_push(struct hub_audio *audio, struct bus_msg *msg, const struct timeline *timeline);

/* What can be promised to one who joins now. NULL: nothing. Borrowed. */
struct hub_audio_config *hub_audio_offer(const struct hub_audio *audio);
/* head <= pos < tail. */
struct hub_audio_entry *hub_audio_at(const struct hub_audio *audio, uint64_t pos);
/* The first entry at or after a time of the pictures' line; tail when there is none yet. */
uint64_t hub_audio_find(const struct hub_audio *audio, uint64_t picture_time);
/* The entry as a sample of fMP4, made once; NULL: it cannot be (no memory). */
struct wire *hub_audio_wire(struct hub_audio_entry *entry);

/* Ticks of the pictures in ticks of a format, and back, rounded up. */
uint64_t hub_audio_ticks(const struct audio_format *format, uint64_t picture_ticks);
uint64_t hub_audio_picture_ticks(const struct audio_format *format, uint64_t ticks);

struct hub_audio_config *hub_audio_config_ref(struct hub_audio_config *config);
void hub_audio_config_unref(struct hub_audio_config **config); /* NULL-safe, nulls the pointer */

#endif
