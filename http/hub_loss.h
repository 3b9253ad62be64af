/*
 * What becomes of pictures after a loss between camera and worker: kept back until the next key
 * frame, but not for long. Pure; time is that of the frames' arrival.
 */
#ifndef CAMHUB_HTTP_HUB_LOSS_H
#define CAMHUB_HTTP_HUB_LOSS_H

#include "shared/frame.h"

#include <stdbool.h>

enum hub_loss_state {
	HUB_LOSS_NONE,    /* what comes is sound */
	HUB_LOSS_HOLDING, /* damage, and what refers to it, is kept back */
	HUB_LOSS_PASSING, /* it took too long: shown as it is */
};

struct hub_loss {
	enum hub_loss_state state;
	int64_t since_ns; /* HOLDING: the first damaged unit arrived (its arrived_monotonic_ns) */
	int64_t hold_ns;  /* so long at most; 0: damage is shown at once */
};

enum hub_loss_verdict {
	HUB_LOSS_SOUND,
	HUB_LOSS_DAMAGED,  /* show it all the same */
	HUB_LOSS_WITHHOLD, /* and what follows */
	HUB_LOSS_SKIP,     /* it alone: nothing refers to it */
};

/* A new start: nothing is damaged. hold_ns stays. */
void hub_loss_reset(struct hub_loss *loss);
/*
 * The next unit in decoding order. Only a sound key frame ends it. A damaged key frame is treated
 * like any damaged unit: it begins a hold, or is kept back by the one that runs (whose time goes
 * on), or passes while pictures pass. Arrival times that go back or stand still prolong the hold.
 */
enum hub_loss_verdict hub_loss_judge(struct hub_loss *loss, const struct frame *frame);

/* A JPEG, or a unit at which decoding can start; damaged or not. */
bool hub_loss_is_key(const struct frame *frame);
bool hub_loss_is_sound(const struct frame *frame);

#endif
