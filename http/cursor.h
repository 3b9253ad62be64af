/*
 * A place in a stream's ring, for one who watches it: joining, lagging, skipping, with a time of
 * its own that begins at 0 and has no holes. The stream lists its cursors and tells them what
 * happens; who owns a cursor takes the entries. No sockets here.
 */
#ifndef CAMHUB_HTTP_CURSOR_H
#define CAMHUB_HTTP_CURSOR_H

#include "http/cursor_sound.h"
#include "http/front.h"
#include "http/hub.h"

enum cursor_mode {
	CURSOR_IDLE,   /* wants nothing */
	CURSOR_FRAMES, /* one after the other, from a key frame on */
	CURSOR_NEWEST, /* pictures that stand alone: the newest */
};

struct overlay_item;

struct cursor_ops {
	/* There may be something to take now. */
	void (*on_frames)(void *arg);
	/* The state of the stream changed. */
	void (*on_state)(void *arg);
	/* The stream went away for good; the cursor is in none any more. Its mode stays. */
	void (*on_gone)(void *arg);
	/* A program found something in a frame of it, in whichever mode. May be NULL. */
	void (*on_result)(void *arg, struct overlay_item *item);
};

struct cursor {
	LIST_ENTRY(cursor) in_stream;
	struct stream *stream; /* NULL: in none */
	const struct cursor_ops *ops;
	void *arg;
	uint64_t id;        /* of the viewer, for people */
	const char *format; /* what it is sent, for people: "mse/fmp4", ... */
	enum cursor_mode mode;

	bool joined;        /* pos means something */
	bool awaiting_key;  /* skipping: the key frame has not come yet */
	uint64_t pos;       /* the next entry to take */
	uint64_t burst_end; /* entries before it are the GOP of the join */
	uint64_t skip_from;
	uint64_t skip_stamp; /* decode time at skip_from */
	uint64_t base;       /* decode time of the stream - ours */
	uint64_t next_time;  /* decode time, ours, behind the last entry */

	struct cursor_sound sound;

	/* left out since the owner last told it: who tells sets them back */
	uint64_t skipped_frames, skipped_ms;
	uint64_t bytes, frames, skipped; /* ever; bytes is the owner's to count */
};

/* In no stream, idle. */
void cursor_init(struct cursor *cursor, uint64_t id, const struct cursor_ops *ops, void *arg);
/* Joins the stream's list, idle; it counts as a viewer of it. Only when in no stream. */
void cursor_enter(struct cursor *cursor, struct stream *stream);
/* Out of its stream, if it is in one. Safe in any callback; the cursor may enter another. */
void cursor_leave(struct cursor *cursor);
/* What it wants from now on; it begins anew, with the newest group of pictures, at its next_time.
 */
void cursor_set_mode(struct cursor *cursor, enum cursor_mode mode);

/* Where it would begin now: a key frame whose GOP is whole. NULL: there is none. */
struct hub_entry *cursor_first(const struct cursor *cursor);
/* The next entry, NULL: none now. The place is made, or left for a newer one, if need be. */
struct hub_entry *cursor_peek(struct cursor *cursor);
/* Takes the entry at pos (it is there): moves on, and returns its decode time on our line. */
uint64_t cursor_take(struct cursor *cursor);
/* The same for an entry that nothing can be sent of. */
void cursor_pass(struct cursor *cursor);
/* Entries that can be taken without a skip: pos..cursor_end()-1, once cursor_peek() gave one. */
uint64_t cursor_end(const struct cursor *cursor);

/* For the stream: entries were appended (key: one of them is a key frame); sound was, alone; its
 * state changed; it goes away; the oldest entry that is still needed, UINT64_MAX when none. */
void cursor_on_frames(struct cursor *cursor, bool key);
void cursor_on_sound(struct cursor *cursor);
void cursor_on_state(struct cursor *cursor);
void cursor_on_gone(struct cursor *cursor);
void cursor_on_result(struct cursor *cursor, struct overlay_item *item);
uint64_t cursor_needs(const struct cursor *cursor);

#endif
