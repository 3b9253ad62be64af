/*
 * The sound that goes along with a cursor's pictures, on the same line of time. It is decided where
 * an init segment is due, because a player takes tracks only there: who began without sound stays
 * without. Pictures never look at any of this.
 */
#ifndef CAMHUB_HTTP_CURSOR_SOUND_H
#define CAMHUB_HTTP_CURSOR_SOUND_H

#include "http/hub_audio.h"

struct cursor;
struct hub_entry;

struct cursor_sound {
	struct hub_audio_config *config; /* what goes along; NULL: nothing */
	bool is_placed;                  /* pos means something */
	uint64_t from; /* where the pictures began or went on, on the stream's line */
	uint64_t pos;  /* the next entry to look at */
	uint64_t next; /* on our line, ticks of config: behind the last one taken */
	uint64_t line; /* the same in ticks of the pictures, while there is no config */
};

/*
 * What should go along from this picture on (it is at the cursor). codecs: which sounds the client
 * takes (CODECS_*). begun: it was sent an init segment before. What differs from
 * cursor->sound.config calls for a new one, and for cursor_sound_set().
 */
struct hub_audio_config *cursor_sound_choose(const struct cursor *cursor,
					     const struct hub_entry *entry, unsigned codecs,
					     bool begun);
/* NULL: nothing more. Takes a reference. */
void cursor_sound_set(struct cursor *cursor, struct hub_audio_config *config);

/* The next entry, with a wire; NULL: none now. */
struct hub_audio_entry *cursor_sound_peek(struct cursor *cursor);
/* Takes what was peeked; returns its time on our line, in ticks of its format. */
uint64_t cursor_sound_take(struct cursor *cursor);
/* Forgets what was sent: the line begins at 0 again, in a new file. */
void cursor_sound_restart(struct cursor *cursor);

/* For the cursor: the picture at pos is the next; it goes on where another's sound ended. */
void cursor_sound_move(struct cursor *cursor, uint64_t decode_time);
void cursor_sound_follow(struct cursor *cursor, const struct cursor *old);

#endif
