/*
 * A second place, in the stream's ring of sound.
 */
#include "config.h"

#include "http/cursor_sound.h"

#include "http/codecs.h"
#include "http/cursor.h"
#include "http/stream.h"

struct hub_audio_config *
cursor_sound_choose(const struct cursor *cursor, const struct hub_entry *entry, unsigned codecs,
		    bool begun)
{
	struct hub_audio_config *offer;

	if (!entry->is_key || (begun && cursor->sound.config == NULL))
		return cursor->sound.config;
	offer = hub_audio_offer(hub_sound(cursor->stream->hub));
	if (offer == NULL || (codecs & codecs_of_sound(offer->format.codec_string)) == 0)
		return NULL;
	return offer;
}

static uint64_t
end_of_line(const struct cursor_sound *sound)
{
	return sound->config != NULL ? hub_audio_picture_ticks(&sound->config->format, sound->next)
				     : sound->line;
}

void
cursor_sound_set(struct cursor *cursor, struct hub_audio_config *config)
{
	struct cursor_sound *sound = &cursor->sound;

	if (sound->config == config)
		return;
	sound->line = end_of_line(sound);
	hub_audio_config_unref(&sound->config);
	if (config == NULL)
		return;
	sound->config = hub_audio_config_ref(config);
	sound->next = hub_audio_ticks(&config->format, sound->line);
}

/* May be before our line began, after a skip. */
static int64_t
time_of(const struct cursor *cursor, const struct hub_audio_entry *entry)
{
	int64_t base = (int64_t)cursor->base;
	const struct audio_format *format = &entry->config->format;

	if (base < 0)
		return (int64_t)(entry->time + hub_audio_ticks(format, (uint64_t)-base));
	return (int64_t)(entry->time - hub_audio_ticks(format, (uint64_t)base));
}

static bool
fits(const struct cursor *cursor, struct hub_audio_entry *entry)
{
	const struct cursor_sound *sound = &cursor->sound;

	return entry->config == sound->config && time_of(cursor, entry) >= (int64_t)sound->next &&
	       hub_audio_wire(entry) != NULL;
}

struct hub_audio_entry *
cursor_sound_peek(struct cursor *cursor)
{
	struct cursor_sound *sound = &cursor->sound;
	const struct hub_audio *audio;

	if (sound->config == NULL || cursor->stream == NULL || !cursor->joined ||
	    cursor->awaiting_key)
		return NULL;
	audio = hub_sound(cursor->stream->hub);
	if (!sound->is_placed)
		sound->pos = hub_audio_find(audio, sound->from);
	sound->is_placed = true;
	if (sound->pos < audio->head)
		sound->pos = audio->head;
	for (; sound->pos < audio->tail; sound->pos++) {
		struct hub_audio_entry *entry = hub_audio_at(audio, sound->pos);

		if (fits(cursor, entry))
			return entry;
	}
	return NULL;
}

uint64_t
cursor_sound_take(struct cursor *cursor)
{
	struct cursor_sound *sound = &cursor->sound;
	const struct hub_audio_entry *entry =
	    hub_audio_at(hub_sound(cursor->stream->hub), sound->pos++);
	uint64_t time = (uint64_t)time_of(cursor, entry);

	sound->next = time + entry->ticks;
	return time;
}

void
cursor_sound_restart(struct cursor *cursor)
{
	cursor_sound_set(cursor, NULL);
	cursor->sound = (struct cursor_sound){ .config = NULL };
}

void
cursor_sound_move(struct cursor *cursor, uint64_t decode_time)
{
	cursor->sound.is_placed = false;
	cursor->sound.from = decode_time;
}

void
cursor_sound_follow(struct cursor *cursor, const struct cursor *old)
{
	cursor_sound_set(cursor, NULL);
	cursor->sound.line = end_of_line(&old->sound);
}
