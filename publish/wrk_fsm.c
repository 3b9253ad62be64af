/*
 * The table of the worker's states. Cells that are not written leave the state and do nothing.
 */
#include "config.h"

#include "publish/wrk_fsm.h"

#include <stdbool.h>

struct cell {
	bool is_set;
	struct wrk_step step;
};

/* clang-format off */
#define GO(next_, action_) { true, { WRK_STATE_##next_, WRK_ACTION_##action_ } }

static const struct cell table[WRK_STATE_COUNT][WRK_EVENT_COUNT] = {
	[WRK_STATE_WAITING_CONFIG] = {
		[WRK_EVENT_CONFIG]     = GO(CONNECTING, START),
		[WRK_EVENT_STOP]       = GO(ENDED, EXIT),
	},
	[WRK_STATE_CONNECTING] = {
		[WRK_EVENT_OPENED]     = GO(CONNECTING, WATCH),
		[WRK_EVENT_VIDEO]      = GO(CONNECTING, WATCH),
		[WRK_EVENT_KEY]	       = GO(UP, GO_UP),
		[WRK_EVENT_SILENCE]    = GO(ENDED, TIMED_OUT),
		[WRK_EVENT_FAILED]     = GO(ENDED, FAIL),
		[WRK_EVENT_PROBED]     = GO(ENDED, NO_KEY),
		[WRK_EVENT_STOP]       = GO(ENDED, CLOSE),
	},
	[WRK_STATE_UP] = {
		[WRK_EVENT_VIDEO]      = GO(UP, WATCH),
		[WRK_EVENT_KEY]	       = GO(UP, WATCH),
		[WRK_EVENT_SILENCE]    = GO(STALLED, STALL),
		[WRK_EVENT_FAILED]     = GO(ENDED, FAIL),
		[WRK_EVENT_PROBED]     = GO(ENDED, DESCRIBE),
		[WRK_EVENT_STOP]       = GO(ENDED, CLOSE),
	},
	[WRK_STATE_STALLED] = {
		[WRK_EVENT_VIDEO]      = GO(UP, GO_UP),
		[WRK_EVENT_KEY]	       = GO(UP, GO_UP),
		[WRK_EVENT_SILENCE]    = GO(ENDED, TIMED_OUT),
		[WRK_EVENT_FAILED]     = GO(ENDED, FAIL),
		[WRK_EVENT_PROBED]     = GO(ENDED, DESCRIBE),
		[WRK_EVENT_STOP]       = GO(ENDED, CLOSE),
	},
	[WRK_STATE_ENDED] = {
		[WRK_EVENT_STOP]       = GO(ENDED, FORGIVE),
		[WRK_EVENT_CLOSED]     = GO(ENDED, EXIT),
		[WRK_EVENT_GRACE_OVER] = GO(ENDED, EXIT_LATE),
	},
};
/* clang-format on */

#define NAME(id, name) name,
static const char *const state_names[] = { WRK_STATES(NAME) };
static const char *const event_names[] = { WRK_EVENTS(NAME) };

struct wrk_step
wrk_fsm_step(enum wrk_state state, enum wrk_event event)
{
	const struct cell *cell = &table[state][event];

	if (!cell->is_set)
		return (struct wrk_step){ state, WRK_ACTION_NONE };
	return cell->step;
}

const char *
wrk_state_name(enum wrk_state state)
{
	return state_names[state];
}

const char *
wrk_event_name(enum wrk_event event)
{
	return event_names[event];
}
