/*
 * Three states: nothing lost, kept back, shown as it is.
 */
#include "config.h"

#include "http/hub_loss.h"

void
hub_loss_reset(struct hub_loss *loss)
{
	loss->state = HUB_LOSS_NONE;
}

bool
hub_loss_is_key(const struct frame *frame)
{
	return frame->kind == FRAME_KIND_JPEG || (frame->flags & FRAME_KEY);
}

bool
hub_loss_is_sound(const struct frame *frame)
{
	return !(frame->flags & FRAME_CORRUPT);
}

/* Times may be anything: a difference that cannot be is none. */
static int64_t
held_ns(const struct hub_loss *loss, const struct frame *frame)
{
	int64_t held;

	if (__builtin_sub_overflow(frame->arrived_monotonic_ns, loss->since_ns, &held))
		return 0;
	return held > 0 ? held : 0;
}

enum hub_loss_verdict
hub_loss_judge(struct hub_loss *loss, const struct frame *frame)
{
	bool sound = hub_loss_is_sound(frame);

	if (sound && (loss->state == HUB_LOSS_NONE || hub_loss_is_key(frame))) {
		loss->state = HUB_LOSS_NONE;
		return HUB_LOSS_SOUND;
	}
	if (loss->state == HUB_LOSS_NONE && (frame->flags & FRAME_DISPOSABLE) &&
	    !hub_loss_is_key(frame))
		return HUB_LOSS_SKIP;
	if (loss->state == HUB_LOSS_NONE) {
		loss->state = HUB_LOSS_HOLDING;
		loss->since_ns = frame->arrived_monotonic_ns;
	}
	if (loss->state == HUB_LOSS_HOLDING && held_ns(loss, frame) >= loss->hold_ns)
		loss->state = HUB_LOSS_PASSING;
	return loss->state == HUB_LOSS_PASSING ? HUB_LOSS_DAMAGED : HUB_LOSS_WITHHOLD;
}
