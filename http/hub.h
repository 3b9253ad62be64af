/*
 * One stream as the front holds it: a ring of counted references to bus messages in decoding order,
 * of which the newest GOP is always whole, bounded in bytes. Viewers are cursors into it (positions
 * count up for ever). No loop and no sockets here: messages are pushed in.
 *
 * How it begins to flow: with the next key frame, or before that with a replay of the worker's
 * GOP, to which the live frames that came meanwhile are joined by seq. A hole in seq ends the flow;
 * a damaged unit, and what refers to it, is kept from viewers until the next key frame, but not for
 * longer than the loss hold (hub_loss.h): then what comes is passed on, marked as damaged.
 */
#ifndef CAMHUB_HTTP_HUB_H
#define CAMHUB_HTTP_HUB_H

#include "http/hub_audio.h"
#include "http/hub_config.h"
#include "http/hub_loss.h"
#include "http/timeline.h"
#include "http/wire.h"

struct hub_entry {
	struct bus_msg *msg;
	struct hub_config *config; /* NULL for a JPEG */
	struct wire *wire;         /* made when first asked for */
	/* What else is made of it once and shared by who sends it, goes with it: made_free(&made).
	 * Whoever makes it counts his references. */
	void *made;
	void (*made_free)(void **made);
	struct timeline_stamp stamp;
	bool is_key;
	bool is_damaged;       /* it, or what it refers to */
	uint64_t bytes_before; /* of all entries before this one, ever */
};

struct hub_stats {
	uint64_t frames;            /* media frames seen on the bus, replays not counted */
	uint64_t holes;             /* breaks in seq */
	uint64_t withheld;          /* damaged units and what depended on them */
	uint64_t passed_damaged;    /* of the same, what went to viewers all the same */
	uint64_t bytes, bytes_high; /* held in the ring */
};

struct hub;

/* subscriber: our id in for_subscriber. ring_bytes: the bound, for the ring and for what waits
 * during a replay, each. */
struct hub *hub_new(uint32_t subscriber, size_t ring_bytes);
void hub_free(struct hub **hub);
/* How long a loss keeps pictures back at most; HUB_LOSS_HOLD_MS until somebody says so. */
#define HUB_LOSS_HOLD_MS 1000
void hub_set_loss_hold(struct hub *hub, int64_t hold_ms);

/* Somebody watches (or nobody any more: frees what is held; what comes then is passed over). */
void hub_start(struct hub *hub);
void hub_stop(struct hub *hub);
/* The worker is gone: forget its GOP. Cursors may still read what is in the ring. */
void hub_cut(struct hub *hub);

/* Any message of the stream (borrowed). Returns how many entries were appended to the ring. */
unsigned hub_push(struct hub *hub, struct bus_msg *msg);
/* The replay for us is over. As hub_push(). */
unsigned hub_replay_end(struct hub *hub);
/* The publisher says what its last frame was: a loss at the tail shows here. */
void hub_note_last_seq(struct hub *hub, uint64_t epoch, uint64_t seq);

/* Whether a replay would help: started, not flowing, and not waiting for a sound key frame. */
bool hub_wants_replay(const struct hub *hub);
bool hub_is_flowing(const struct hub *hub);
/* Whether what viewers see now is damaged, and they see it all the same. */
bool hub_is_damaged(const struct hub *hub);

/* Positions: entries head..tail-1 are there. */
uint64_t hub_head(const struct hub *hub);
uint64_t hub_tail(const struct hub *hub);
/* Where a viewer begins now: the newest key frame whose GOP is whole. false: not yet. */
bool hub_join(const struct hub *hub, uint64_t *pos);
/* head <= pos < tail. */
struct hub_entry *hub_at(const struct hub *hub, uint64_t pos);
/* The newest key frame at or after pos. */
bool hub_newest_key(const struct hub *hub, uint64_t pos, uint64_t *key);
/* Payload bytes of entries pos..tail-1; pos <= tail, may be before head. */
uint64_t hub_bytes_from(const struct hub *hub, uint64_t pos);
/* Entries before pos and before the newest key frame are not needed any more. */
void hub_trim(struct hub *hub, uint64_t pos);

/*
 * The entry's bytes for viewers: fMP4 sample payload, or the JPEG. Made once. NULL when there is
 * nothing to send (no slices in it, or no memory).
 */
struct wire *hub_wire(struct hub_entry *entry);

/* The sound that goes with it. */
const struct hub_audio *hub_sound(const struct hub *hub);

/* The newest configuration, or NULL. Borrowed. */
struct hub_config *hub_newest_config(const struct hub *hub);
const struct hub_stats *hub_stats(const struct hub *hub);

#endif
