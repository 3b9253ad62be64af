/*
 * The ring of one stream, and what may enter it.
 */
#include "config.h"

#include "http/hub.h"

#include "http/hub_pending.h"
#include "shared/xalloc.h"

#include <assert.h>
#include <errno.h>

#define ENTRIES_MAX 16384u /* a power of two; the bound in bytes usually comes first */
#define ENTRY_COST  512u   /* what an entry takes besides its payload */

struct hub {
	uint32_t subscriber;
	size_t ring_bytes;

	struct hub_entry *ring; /* position & (cap - 1) */
	size_t cap;
	uint64_t head, tail;
	uint64_t key_pos; /* of the newest key frame, while has_key */
	bool has_key;     /* and its GOP is whole */
	uint64_t appended_bytes;

	bool started, flowing;
	bool key_only;            /* not flowing, and a replay would not help */
	uint64_t epoch, last_seq; /* of the live frames; 0 none yet */
	uint64_t delivered_seq;   /* of the newest entry, if it is of this epoch; else 0 */
	uint64_t noted_seq, noted_last_seq;
	struct hub_config *config;
	struct hub_pending pending;
	struct timeline timeline;
	struct hub_loss loss;
	struct hub_audio audio;
	struct hub_stats stats;
};

struct hub *
hub_new(uint32_t subscriber, size_t ring_bytes)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->subscriber = subscriber;
	hub->ring_bytes = ring_bytes;
	hub->cap = 64;
	hub->ring = xcalloc(hub->cap, sizeof(hub->ring[0]));
	hub_pending_init(&hub->pending, ring_bytes);
	hub_set_loss_hold(hub, HUB_LOSS_HOLD_MS);
	return hub;
}

void
hub_set_loss_hold(struct hub *hub, int64_t hold_ms)
{
	hub->loss.hold_ns = hold_ms * 1000000;
}

static struct hub_entry *
slot(const struct hub *hub, uint64_t pos)
{
	return &hub->ring[pos & (hub->cap - 1)];
}

static size_t
entry_bytes(const struct hub_entry *entry)
{
	return entry->msg->frame.payload_len + ENTRY_COST;
}

static void
drop_head(struct hub *hub)
{
	struct hub_entry *entry = slot(hub, hub->head);

	hub->stats.bytes -= entry_bytes(entry);
	wire_unref(&entry->wire);
	if (entry->made != NULL)
		entry->made_free(&entry->made);
	hub_config_unref(&entry->config);
	bus_msg_unref(&entry->msg);
	hub->head++;
	if (hub->has_key && hub->head > hub->key_pos)
		hub->has_key = false;
}

void
hub_free(struct hub **hub)
{
	if (*hub == NULL)
		return;
	hub_stop(*hub);
	free((*hub)->ring);
	free(*hub);
	*hub = NULL;
}

void
hub_start(struct hub *hub)
{
	hub->started = true;
}

void
hub_cut(struct hub *hub)
{
	hub->flowing = hub->key_only = hub->has_key = false;
	hub->epoch = hub->last_seq = hub->delivered_seq = 0;
	hub->noted_seq = hub->noted_last_seq = 0;
	hub_config_unref(&hub->config);
	hub_pending_clear(&hub->pending);
	hub_loss_reset(&hub->loss);
	timeline_break(&hub->timeline);
	hub_audio_cut(&hub->audio);
}

void
hub_stop(struct hub *hub)
{
	hub_cut(hub);
	hub->started = false;
	while (hub->head < hub->tail)
		drop_head(hub);
	hub_audio_clear(&hub->audio);
}

static void
grow(struct hub *hub)
{
	size_t cap = 2 * hub->cap;
	struct hub_entry *ring = xcalloc(cap, sizeof(ring[0]));

	for (uint64_t pos = hub->head; pos < hub->tail; pos++)
		ring[pos & (cap - 1)] = *slot(hub, pos);
	free(hub->ring);
	hub->ring = ring;
	hub->cap = cap;
}

static void
append(struct hub *hub, struct bus_msg *msg)
{
	struct hub_entry *entry;

	if (hub->tail - hub->head == hub->cap) {
		if (hub->cap < ENTRIES_MAX)
			grow(hub);
		else
			drop_head(hub);
	}
	entry = slot(hub, hub->tail);
	*entry = (struct hub_entry){ .msg = bus_msg_ref(msg),
				     .is_key = hub_loss_is_key(&msg->frame),
				     .is_damaged = hub_is_damaged(hub) };
	if (msg->frame.kind == FRAME_KIND_VIDEO)
		entry->config = hub_config_ref(hub->config);
	entry->stamp = timeline_stamp(&hub->timeline, &msg->frame);
	hub_audio_on_picture(&hub->audio, &entry->stamp, entry->is_key);
	entry->bytes_before = hub->appended_bytes;
	if (entry->is_key) {
		hub->key_pos = hub->tail;
		hub->has_key = true;
	}
	hub->tail++;
	hub->appended_bytes += msg->frame.payload_len;
	hub->delivered_seq = msg->frame.seq;
	/* Of a replay: what went past live before it is not missing any more. */
	if (msg->frame.seq > hub->last_seq)
		hub->last_seq = msg->frame.seq;
	hub->stats.bytes += entry_bytes(entry);
	while (hub->stats.bytes > hub->ring_bytes && hub->tail - hub->head > 1)
		drop_head(hub);
	if (hub->stats.bytes > hub->stats.bytes_high)
		hub->stats.bytes_high = hub->stats.bytes;
}

static void
set_config(struct hub *hub, struct bus_msg *msg)
{
	struct hub_config *config;

	if (hub_config_is(hub->config, msg))
		return;
	hub_config_unref(&hub->config);
	/* Broken parameter sets: nothing can be shown until better ones come. */
	if (hub_config_new(msg, &config) == 0)
		hub->config = config;
	else
		hub->flowing = false;
}

static bool
can_decode(const struct hub *hub, const struct frame *frame)
{
	uint32_t version;

	if (frame->kind == FRAME_KIND_JPEG)
		return true;
	if (hub->config == NULL || hub->config->msg->frame.codec != frame->codec)
		return false;
	version = hub->config->msg->frame.config_version;
	return version == 0 || frame->config_version == 0 || version == frame->config_version;
}

static unsigned
show(struct hub *hub, struct bus_msg *msg)
{
	hub->flowing = true;
	hub->key_only = false;
	append(hub, msg);
	return 1;
}

/* The flow ends at damage: what refers to it cannot be shown, and the worker has nothing better. */
static unsigned
withhold(struct hub *hub)
{
	hub->flowing = false;
	hub->key_only = true;
	hub->stats.withheld++;
	return 0;
}

/* The next unit of an unbroken sequence that viewers are in, or could begin with; it can be decoded
 * as far as configurations go. */
static unsigned
admit(struct hub *hub, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;
	enum hub_loss_verdict verdict = hub_loss_judge(&hub->loss, frame);

	if (verdict == HUB_LOSS_SKIP) {
		hub->stats.withheld++;
		return 0;
	}
	if (verdict == HUB_LOSS_SOUND)
		return show(hub, msg);
	/* Without any picture of this worker before it, only a key frame means something. */
	if (verdict == HUB_LOSS_WITHHOLD || (hub->delivered_seq == 0 && !hub_loss_is_key(frame)))
		return withhold(hub);
	hub->stats.passed_damaged++;
	return show(hub, msg);
}

static unsigned
push_media(struct hub *hub, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;
	bool is_key = hub_loss_is_key(frame), can = can_decode(hub, frame);
	bool begins = is_key && can && hub_loss_is_sound(frame);

	if (!can)
		hub->flowing = false;
	if (!hub->flowing && !hub->key_only && !begins) {
		hub->key_only = !hub_pending_add(&hub->pending, msg);
		return 0;
	}
	/* Without damage: what came before was too much to be kept. */
	if (hub->key_only && (!can || (hub->loss.state == HUB_LOSS_NONE && !is_key))) {
		hub->stats.withheld += hub->loss.state != HUB_LOSS_NONE;
		return 0;
	}
	if (begins)
		hub_pending_clear(&hub->pending);
	return admit(hub, msg);
}

static unsigned
push_live(struct hub *hub, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;

	if (frame->seq <= hub->last_seq)
		return 0;
	if (hub->last_seq != 0 && frame->seq != hub->last_seq + 1) {
		hub->stats.holes++;
		hub->flowing = false;
	}
	hub->last_seq = frame->seq;
	if (frame->kind == FRAME_KIND_CONFIG) {
		set_config(hub, msg);
		return 0;
	}
	hub->stats.frames++;
	return push_media(hub, msg);
}

static unsigned
push_replay(struct hub *hub, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;

	if (hub->flowing)
		return 0;
	if (frame->kind == FRAME_KIND_CONFIG) {
		set_config(hub, msg);
		return 0;
	}
	if (frame->kind == FRAME_KIND_JPEG && hub_loss_is_sound(frame)) {
		hub_pending_clear(&hub->pending);
		return admit(hub, msg);
	}
	if (!hub->key_only && !hub_pending_add(&hub->pending, msg))
		hub->key_only = true;
	return 0;
}

/* Whether it is for us: media, and no replay for others. */
static bool
is_ours(const struct hub *hub, const struct frame *frame)
{
	bool replay = (frame->flags & FRAME_REPLAY) || frame->for_subscriber != 0;

	if (!hub->started || (replay && frame->for_subscriber != hub->subscriber))
		return false;
	if (frame->kind == FRAME_KIND_CONFIG)
		return true;
	return frame->track == FRAME_TRACK_AUDIO
		   ? frame->kind == FRAME_KIND_AUDIO
		   : frame->kind == FRAME_KIND_VIDEO || frame->kind == FRAME_KIND_JPEG;
}

unsigned
hub_push(struct hub *hub, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;

	if (!is_ours(hub, frame))
		return 0;
	if (frame->epoch != hub->epoch) {
		hub_cut(hub);
		hub->epoch = frame->epoch;
	}
	if (frame->track == FRAME_TRACK_AUDIO) {
		hub_audio_push(&hub->audio, msg, &hub->timeline);
		return 0;
	}
	return frame->for_subscriber != 0 ? push_replay(hub, msg) : push_live(hub, msg);
}

/* Units that begin with a key frame, or follow the newest entry, go the way that live ones go. */
static unsigned
admit_pending(struct hub *hub, size_t first)
{
	struct hub_pending *pending = &hub->pending;
	unsigned appended = 0;

	hub->flowing = true;
	for (size_t i = first; i < pending->count; i++) {
		if (!can_decode(hub, &pending->msgs[i]->frame)) {
			hub->flowing = false;
			break;
		}
		appended += admit(hub, pending->msgs[i]);
	}
	return appended;
}

/* All that there is begins with a damaged key frame: when the hold is over, so be it. */
static bool
is_hold_over(struct hub *hub, size_t first)
{
	struct hub_loss loss = hub->loss;
	enum hub_loss_verdict verdict = HUB_LOSS_WITHHOLD;

	hub_loss_reset(&loss);
	for (size_t i = first; i < hub->pending.count; i++)
		verdict = hub_loss_judge(&loss, &hub->pending.msgs[i]->frame);
	if (verdict == HUB_LOSS_WITHHOLD)
		return false;
	hub->loss = loss;
	return true;
}

/* Where to begin with what has come; false: not yet. */
static bool
find_start(struct hub *hub, size_t *first)
{
	const struct hub_pending *pending = &hub->pending;
	bool continues;

	if (hub_pending_run(pending, hub->delivered_seq, false, first, &continues))
		return true;
	return hub_pending_run(pending, hub->delivered_seq, true, first, &continues) &&
	       (continues || hub_loss_is_sound(&pending->msgs[*first]->frame) ||
		is_hold_over(hub, *first));
}

unsigned
hub_replay_end(struct hub *hub)
{
	unsigned appended;
	size_t first;

	/* What is not enough waits for the next replay: the bus may drop other units of that one.
	 */
	if (!hub->started || hub->flowing || hub->key_only || !find_start(hub, &first))
		return 0;
	appended = admit_pending(hub, first);
	hub_pending_clear(&hub->pending);
	return appended;
}

void
hub_note_last_seq(struct hub *hub, uint64_t epoch, uint64_t seq)
{
	if (!hub->started || !hub->flowing || epoch != hub->epoch)
		return;
	/* Twice in a row, with nothing in between: not merely on its way. */
	if (seq > hub->last_seq && hub->noted_seq > hub->last_seq &&
	    hub->noted_last_seq == hub->last_seq) {
		hub->stats.holes++;
		hub->flowing = false;
	}
	hub->noted_seq = seq;
	hub->noted_last_seq = hub->last_seq;
}

bool
hub_wants_replay(const struct hub *hub)
{
	return hub->started && !hub->flowing && !hub->key_only;
}

bool
hub_is_flowing(const struct hub *hub)
{
	return hub->flowing;
}

bool
hub_is_damaged(const struct hub *hub)
{
	return hub->loss.state == HUB_LOSS_PASSING;
}

uint64_t
hub_head(const struct hub *hub)
{
	return hub->head;
}

uint64_t
hub_tail(const struct hub *hub)
{
	return hub->tail;
}

bool
hub_join(const struct hub *hub, uint64_t *pos)
{
	return hub_newest_key(hub, hub->head, pos);
}

struct hub_entry *
hub_at(const struct hub *hub, uint64_t pos)
{
	assert(pos >= hub->head && pos < hub->tail);
	return slot(hub, pos);
}

bool
hub_newest_key(const struct hub *hub, uint64_t pos, uint64_t *key)
{
	if (!hub->has_key || hub->key_pos < pos)
		return false;
	*key = hub->key_pos;
	return true;
}

uint64_t
hub_bytes_from(const struct hub *hub, uint64_t pos)
{
	if (pos < hub->head)
		pos = hub->head;
	return pos < hub->tail ? hub->appended_bytes - slot(hub, pos)->bytes_before : 0;
}

void
hub_trim(struct hub *hub, uint64_t pos)
{
	while (hub->head < pos && hub->head < hub->tail && hub->has_key && hub->head < hub->key_pos)
		drop_head(hub);
}

struct wire *
hub_wire(struct hub_entry *entry)
{
	if (entry->wire != NULL)
		return entry->wire;
	if (entry->config == NULL)
		entry->wire = wire_from_msg(entry->msg);
	else if (wire_from_unit(entry->msg, entry->config->nal, &entry->wire) < 0)
		return NULL;
	return entry->wire;
}

const struct hub_audio *
hub_sound(const struct hub *hub)
{
	return &hub->audio;
}

struct hub_config *
hub_newest_config(const struct hub *hub)
{
	return hub->config;
}

const struct hub_stats *
hub_stats(const struct hub *hub)
{
	return &hub->stats;
}
