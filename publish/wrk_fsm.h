/*
 * The worker's states: one pure table, state x event -> next state and what to do.
 */
#ifndef CAMHUB_PUBLISH_WRK_FSM_H
#define CAMHUB_PUBLISH_WRK_FSM_H

/* Names are those of the "input" message, but for the first. */
#define WRK_STATES(X)                                                                              \
	X(WAITING_CONFIG, "waiting-config")                                                        \
	X(CONNECTING, "connecting")                                                                \
	X(UP, "up")                                                                                \
	X(STALLED, "stalled")                                                                      \
	X(ENDED, "ended")

#define WRK_EVENTS(X)                                                                              \
	X(CONFIG, "config")         /* worker-config came and is good */                           \
	X(OPENED, "opened")         /* the source has answered */                                  \
	X(VIDEO, "video")           /* a picture that cannot be a start */                         \
	X(KEY, "key")               /* a picture that decoding can start at */                     \
	X(SILENCE, "silence")       /* no answer, no picture for too long */                       \
	X(FAILED, "failed")         /* the source is lost */                                       \
	X(PROBED, "probed")         /* a probe has seen enough */                                  \
	X(STOP, "stop")             /* the supervisor asks, or is gone */                          \
	X(CLOSED, "closed")         /* the input has gone */                                       \
	X(GRACE_OVER, "grace-over") /* ... and should have by now */

#define WRK_ACTIONS(X)                                                                             \
	X(NONE, "none")                                                                            \
	X(START, "start")         /* say READY, start the input, watch its opening */              \
	X(WATCH, "watch")         /* begin the wait for the next picture anew */                   \
	X(GO_UP, "go-up")         /* say up, and WATCH */                                          \
	X(STALL, "stall")         /* say stalled, wait a last time */                              \
	X(TIMED_OUT, "timed-out") /* say ended/timeout, close the input */                         \
	X(NO_KEY, "no-key")       /* a probe got pictures but no start: as timed-out */            \
	X(FAIL, "fail")           /* say ended with the class, close the input */                  \
	X(DESCRIBE, "describe")   /* report what was seen, close the input */                      \
	X(CLOSE, "close")         /* close the input, leave with 0 */                              \
	X(FORGIVE, "forgive")     /* asked while ending: leave with 0 */                           \
	X(EXIT, "exit")                                                                            \
	X(EXIT_LATE, "exit-late") /* say that the input hangs, and leave */

#define WRK_ENUM_STATE(id, name)  WRK_STATE_##id,
#define WRK_ENUM_EVENT(id, name)  WRK_EVENT_##id,
#define WRK_ENUM_ACTION(id, name) WRK_ACTION_##id,
enum wrk_state { WRK_STATES(WRK_ENUM_STATE) WRK_STATE_COUNT };
enum wrk_event { WRK_EVENTS(WRK_ENUM_EVENT) WRK_EVENT_COUNT };
enum wrk_action { WRK_ACTIONS(WRK_ENUM_ACTION) WRK_ACTION_COUNT };

struct wrk_step {
	enum wrk_state next;
	enum wrk_action action;
};

/* Pure. An event that means nothing in a state leaves it, with WRK_ACTION_NONE. */
struct wrk_step wrk_fsm_step(enum wrk_state state, enum wrk_event event);

const char *wrk_state_name(enum wrk_state state);
const char *wrk_event_name(enum wrk_event event);

#endif
