/*
 * The table of an RTSP session. Cells that are not written leave the state and do nothing.
 *
 * Failing to answer OPTIONS is forgiven (some cameras know no OPTIONS), as is a refused keep-alive
 * (pictures tell whether the camera is alive) and a refused PAUSE.
 */
#include "config.h"

#include "worker/rtsp_fsm.h"

#include <stdbool.h>

struct cell {
	bool is_set;
	struct rtsp_step step;
};

/* clang-format off */
#define GO(next_, action_) { true, { RTSP_STATE_##next_, RTSP_ACTION_##action_ } }

/* While there is no session at the camera, ending is closing. */
#define ENDS_BY_CLOSING							\
	[RTSP_EVENT_TIMEOUT]	= GO(CLOSED, FAIL),			\
	[RTSP_EVENT_LOST]	= GO(CLOSED, FAIL),			\
	[RTSP_EVENT_STOP]	= GO(CLOSED, CLOSE)
/* Afterwards the camera is told. */
#define ENDS_BY_TEARDOWN						\
	[RTSP_EVENT_REDIRECT]	= GO(TEARDOWN, FOLLOW),			\
	[RTSP_EVENT_DEAD]	= GO(TEARDOWN, FAIL),			\
	[RTSP_EVENT_LOST]	= GO(CLOSED, FAIL),			\
	[RTSP_EVENT_STOP]	= GO(TEARDOWN, LEAVE)

static const struct cell table[RTSP_STATE_COUNT][RTSP_EVENT_COUNT] = {
	[RTSP_STATE_CONNECTING] = {
		[RTSP_EVENT_CONNECTED]	= GO(OPTIONS, ASK),
		ENDS_BY_CLOSING,
	},
	[RTSP_STATE_OPTIONS] = {
		[RTSP_EVENT_OK]		= GO(DESCRIBE, ASK),
		[RTSP_EVENT_CHALLENGE]	= GO(OPTIONS, AGAIN),
		[RTSP_EVENT_REFUSED]	= GO(CLOSED, FAIL),
		[RTSP_EVENT_REDIRECT]	= GO(CLOSED, FOLLOW),
		[RTSP_EVENT_FAILED]	= GO(DESCRIBE, ASK),
		ENDS_BY_CLOSING,
	},
	[RTSP_STATE_DESCRIBE] = {
		[RTSP_EVENT_OK]		= GO(SETUP, ASK),
		[RTSP_EVENT_CHALLENGE]	= GO(DESCRIBE, AGAIN),
		[RTSP_EVENT_REFUSED]	= GO(CLOSED, FAIL),
		[RTSP_EVENT_REDIRECT]	= GO(CLOSED, FOLLOW),
		[RTSP_EVENT_FAILED]	= GO(CLOSED, FAIL),
		ENDS_BY_CLOSING,
	},
	[RTSP_STATE_SETUP] = {
		[RTSP_EVENT_OK]		= GO(SETUP, NEXT_TRACK),
		[RTSP_EVENT_SET_UP]	= GO(PLAY, ASK),
		[RTSP_EVENT_CHALLENGE]	= GO(SETUP, AGAIN),
		[RTSP_EVENT_REFUSED]	= GO(TEARDOWN, FAIL),
		[RTSP_EVENT_TRANSPORT]	= GO(SETUP, OTHER_TRANSPORT),
		[RTSP_EVENT_FAILED]	= GO(TEARDOWN, FAIL),
		[RTSP_EVENT_TIMEOUT]	= GO(TEARDOWN, FAIL),
		ENDS_BY_TEARDOWN,
	},
	[RTSP_STATE_PLAY] = {
		[RTSP_EVENT_OK]		= GO(PLAYING, GO),
		[RTSP_EVENT_CHALLENGE]	= GO(PLAY, AGAIN),
		[RTSP_EVENT_REFUSED]	= GO(TEARDOWN, FAIL),
		[RTSP_EVENT_FAILED]	= GO(TEARDOWN, FAIL),
		[RTSP_EVENT_TIMEOUT]	= GO(TEARDOWN, FAIL),
		ENDS_BY_TEARDOWN,
	},
	[RTSP_STATE_PLAYING] = {
		[RTSP_EVENT_CHALLENGE]	= GO(PLAYING, AGAIN),
		[RTSP_EVENT_SILENT]	= GO(PAUSE, REVIVE),
		[RTSP_EVENT_TIMEOUT]	= GO(PLAYING, KEEP_ALIVE),
		ENDS_BY_TEARDOWN,
	},
	[RTSP_STATE_PAUSE] = {
		[RTSP_EVENT_OK]		= GO(PLAY, ASK),
		[RTSP_EVENT_CHALLENGE]	= GO(PAUSE, AGAIN),
		[RTSP_EVENT_REFUSED]	= GO(PLAY, ASK),
		[RTSP_EVENT_FAILED]	= GO(PLAY, ASK),
		[RTSP_EVENT_TIMEOUT]	= GO(TEARDOWN, FAIL),
		ENDS_BY_TEARDOWN,
	},
	[RTSP_STATE_TEARDOWN] = {
		[RTSP_EVENT_OK]		= GO(CLOSED, CLOSE),
		[RTSP_EVENT_CHALLENGE]	= GO(TEARDOWN, AGAIN),
		[RTSP_EVENT_REFUSED]	= GO(CLOSED, CLOSE),
		[RTSP_EVENT_REDIRECT]	= GO(CLOSED, CLOSE),
		[RTSP_EVENT_FAILED]	= GO(CLOSED, CLOSE),
		[RTSP_EVENT_TIMEOUT]	= GO(CLOSED, CLOSE),
		[RTSP_EVENT_LOST]	= GO(CLOSED, CLOSE),
	},
	[RTSP_STATE_CLOSED] = {
		[RTSP_EVENT_TIMEOUT]	= GO(CLOSED, TELL),
	},
};
/* clang-format on */

#define NAME(id, name) name,
static const char *const state_names[] = { RTSP_STATES(NAME) };
static const char *const event_names[] = { RTSP_EVENTS(NAME) };
static const char *const action_names[] = { RTSP_ACTIONS(NAME) };

struct rtsp_step
rtsp_fsm_step(enum rtsp_state state, enum rtsp_event event)
{
	const struct cell *cell = &table[state][event];

	if (!cell->is_set)
		return (struct rtsp_step){ state, RTSP_ACTION_NONE };
	return cell->step;
}

const char *
rtsp_state_name(enum rtsp_state state)
{
	return state_names[state];
}

const char *
rtsp_event_name(enum rtsp_event event)
{
	return event_names[event];
}

const char *
rtsp_action_name(enum rtsp_action action)
{
	return action_names[action];
}
