/*
 * The life of one stream as a table: [state][event] -> next state and actions. Pure: no time, no
 * process, no socket; sup_stream.c applies what comes out (docs/architecture.md, "Restarts").
 */
#ifndef CAMHUB_SUPERVISOR_SUP_FSM_H
#define CAMHUB_SUPERVISOR_SUP_FSM_H

#include <stdbool.h>

/* X(name, text, has a child process) */
#define SUP_STATES(X)                                                                              \
	X(OFF, "off", false)               /* not wanted: nobody watches an on-demand camera */    \
	X(WAIT, "wait", false)             /* until the next try */                                \
	X(REFUSED, "refused", false)       /* the password was wrong: a long wait */               \
	X(HELD, "held", false)             /* wrong configuration: until it changes */             \
	X(RESOLVE, "resolve", false)       /* the name is being looked up */                       \
	X(PROBE, "probe", false)           /* a TCP connect is under way */                        \
	X(PROBE_WAIT, "probe-wait", false) /* until the next connect */                            \
	X(QUEUE, "queue", false)           /* for one of the spawn slots */                        \
	X(STARTING, "starting", true)      /* spawned, not READY yet */                            \
	X(CONNECTING, "connecting", true)  /* READY, no picture yet */                             \
	X(UP, "up", true)                  /* pictures flow */                                     \
	X(STALLED, "stalled", true)        /* the source is silent, the worker still hopes */      \
	X(ENDING, "ending", true)          /* the worker gave the source up and is leaving */      \
	X(KILLING, "killing", true)        /* SIGKILL sent, not reaped yet */                      \
	X(STOPPING, "stopping", true)      /* told to stop, then off */                            \
	X(RESTARTING, "restarting", true)  /* told to stop, then started afresh */

#define SUP_EVENTS(X)                                                                              \
	X(START, "start")       /* wanted from now on */                                           \
	X(STOP, "stop")         /* not wanted from now on */                                       \
	X(RESTART, "restart")   /* configuration changed, or somebody asked */                     \
	X(TIMER, "timer")       /* the state's deadline */                                         \
	X(RESOLVED, "resolved") /* an address is known, or none is needed */                       \
	X(RESOLVE_FAILED, "resolve-failed")                                                        \
	X(ANSWERED, "answered")       /* TCP answered, or cannot be asked */                       \
	X(UNREACHABLE, "unreachable") /* TCP did not answer */                                     \
	X(SLOT, "slot")               /* it is this stream's turn to spawn */                      \
	X(SPAWN_FAILED, "spawn-failed")                                                            \
	X(READY, "ready")                                                                          \
	X(IN_CONNECTING, "input-connecting")                                                       \
	X(IN_UP, "input-up")                                                                       \
	X(IN_STALLED, "input-stalled")                                                             \
	X(IN_ENDED, "input-ended")                                                                 \
	X(BAD_CHILD, "bad-child")           /* hung, garbage or never READY: it is being killed */ \
	X(EXIT_RETRY, "exit-retry")         /* reaped: 75, the source was lost or failed */        \
	X(EXIT_AUTH, "exit-auth")           /* reaped: the camera refused the password */          \
	X(EXIT_REDIRECT, "exit-redirect")   /* reaped: the camera is elsewhere */                  \
	X(EXIT_CHALLENGE, "exit-challenge") /* reaped: its successor answers the camera */         \
	X(EXIT_CONFIG, "exit-config")       /* reaped: 78 */                                       \
	X(EXIT_CRASH, "exit-crash")         /* reaped: anything else, unasked 0 too */

enum sup_state {
#define X(name, text, child) SUP_STATE_##name,
	SUP_STATES(X)
#undef X
	    SUP_STATE_COUNT
};

enum sup_event {
#define X(name, text) SUP_EVENT_##name,
	SUP_EVENTS(X)
#undef X
	    SUP_EVENT_COUNT
};

/* What to do on a transition, in the order of the bits. */
enum sup_action {
	SUP_DO_CANCEL = 1 << 0,  /* timer, lookup, connect, place in the spawn queue: forget them */
	SUP_DO_FORGIVE = 1 << 1, /* forget earlier failures */
	SUP_DO_LOOKUP = 1 << 2,  /* answer: RESOLVED or RESOLVE_FAILED */
	SUP_DO_CONNECT = 1 << 3, /* answer: ANSWERED or UNREACHABLE */
	SUP_DO_ENQUEUE = 1 << 4, /* answer: SLOT */
	SUP_DO_SPAWN = 1 << 5,   /* answer: SPAWN_FAILED, or what the child does */
	SUP_DO_STOP_CHILD = 1 << 6,   /* message, 3 s, SIGKILL; answer: EXIT_* */
	SUP_DO_KILL_CHILD = 1 << 7,   /* SIGKILL; answer: EXIT_* */
	SUP_DO_ARM_RETRY = 1 << 8,    /* timer: restart schedule */
	SUP_DO_ARM_REFUSED = 1 << 9,  /* timer: after a refused password */
	SUP_DO_ARM_PROBE = 1 << 10,   /* timer: probe schedule */
	SUP_DO_ARM_OPEN = 1 << 11,    /* timer: the worker's own deadline and then some */
	SUP_DO_ARM_STALLED = 1 << 12, /* timer: likewise */
	SUP_DO_ARM_ENDING = 1 << 13,  /* timer: a worker that ends must leave */
	SUP_DO_COUNT = 1 << 14,       /* one past the last, for tests */
};

enum sup_cell_kind {
	SUP_CELL_MISSING = 0, /* never in the table; a test says so */
	SUP_CELL_GO,          /* go to next (perhaps the same state) and do actions */
	SUP_CELL_STAY,        /* normal, nothing to do */
	SUP_CELL_ODD, /* cannot happen, or a child that breaks the rules: ignored, debug log */
};

struct sup_cell {
	unsigned char kind; /* enum sup_cell_kind */
	unsigned char next; /* enum sup_state */
	unsigned actions;   /* enum sup_action bits */
};

/* The cell for event in state; both in range. For STAY and ODD next is state, actions 0. */
struct sup_cell sup_fsm_step(enum sup_state state, enum sup_event event);

const char *sup_state_name(enum sup_state state);
const char *sup_event_name(enum sup_event event);
bool sup_state_has_child(enum sup_state state);

#endif
