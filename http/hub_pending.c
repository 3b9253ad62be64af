/*
 * The sorted list behind a replay.
 */
#include "config.h"

#include "http/hub_pending.h"

#include "http/hub_loss.h"
#include "shared/xalloc.h"

#include <string.h>

#define PENDING_MAX 8192 /* frames; the bound in bytes usually comes first */

void
hub_pending_init(struct hub_pending *pending, size_t max_bytes)
{
	*pending = (struct hub_pending){ .max_bytes = max_bytes };
}

void
hub_pending_clear(struct hub_pending *pending)
{
	for (size_t i = 0; i < pending->count; i++)
		bus_msg_unref(&pending->msgs[i]);
	free(pending->msgs);
	hub_pending_init(pending, pending->max_bytes);
}

bool
hub_pending_add(struct hub_pending *pending, struct bus_msg *msg)
{
	size_t at = pending->count;

	/* Both kinds come in order: the search from the end is short. */
	while (at > 0 && pending->msgs[at - 1]->frame.seq > msg->frame.seq)
		at--;
	if (at > 0 && pending->msgs[at - 1]->frame.seq == msg->frame.seq)
		return true;
	if (pending->count == PENDING_MAX ||
	    pending->bytes + msg->frame.payload_len > pending->max_bytes) {
		hub_pending_clear(pending);
		return false;
	}
	if (pending->count == pending->cap) {
		pending->cap = pending->cap > 0 ? 2 * pending->cap : 64;
		pending->msgs =
		    xreallocarray(pending->msgs, pending->cap, sizeof(pending->msgs[0]));
	}
	memmove(&pending->msgs[at + 1], &pending->msgs[at],
		(pending->count - at) * sizeof(pending->msgs[0]));
	pending->msgs[at] = bus_msg_ref(msg);
	pending->count++;
	pending->bytes += msg->frame.payload_len;
	return true;
}

/* Configurations take numbers of seq too, so the place in the GOP counts as well. */
static bool
follows(const struct frame *a, const struct frame *b)
{
	return b->seq == a->seq + 1 ||
	       (b->gop_id == a->gop_id && b->gop_index == a->gop_index + 1) ||
	       (b->gop_id == a->gop_id + 1 && (b->flags & FRAME_KEY) && b->seq <= a->seq + 2);
}

bool
hub_pending_run(const struct hub_pending *pending, uint64_t after, bool damaged, size_t *first,
		bool *continues)
{
	bool found = false, found_sound = false;

	for (size_t i = pending->count; i-- > 0;) {
		const struct frame *frame = &pending->msgs[i]->frame;
		bool sound = hub_loss_is_sound(frame);

		if (i + 1 < pending->count && !follows(frame, &pending->msgs[i + 1]->frame))
			break;
		if (after != 0 && frame->seq == after) {
			*first = i + 1;
			*continues = true;
			return true;
		}
		if (!sound && !damaged)
			break;
		if (after != 0 && frame->seq == after + 1) {
			*first = i;
			*continues = true;
			return true;
		}
		/* The latest key frame: what lies before it is history. But a damaged one tells
		 * only by the ones before it for how long there has been nothing better. */
		if (hub_loss_is_key(frame) && !found_sound) {
			*first = i;
			*continues = false;
			found = true;
			found_sound = sound;
			if (after == 0 && sound)
				return true;
		}
	}
	return found;
}
