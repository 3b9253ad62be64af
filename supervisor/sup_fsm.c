/*
 * The table. Every cell is written out: a cell that nobody thought of must not exist.
 */
#include "config.h"

#include "supervisor/sup_fsm.h"

#define STAY                                                                                       \
	{                                                                                          \
		SUP_CELL_STAY, 0, 0                                                                \
	}
#define ODD                                                                                        \
	{                                                                                          \
		SUP_CELL_ODD, 0, 0                                                                 \
	}
#define GO(next_, actions_)                                                                        \
	{                                                                                          \
		SUP_CELL_GO, SUP_STATE_##next_, (actions_)                                         \
	}

#define CANCEL    SUP_DO_CANCEL
#define FORGIVE   SUP_DO_FORGIVE
#define LOOKUP    SUP_DO_LOOKUP
#define CONNECT   SUP_DO_CONNECT
#define ENQUEUE   SUP_DO_ENQUEUE
#define SPAWN     SUP_DO_SPAWN
#define STOP      SUP_DO_STOP_CHILD
#define KILL      SUP_DO_KILL_CHILD
#define A_RETRY   SUP_DO_ARM_RETRY
#define A_REFUSED SUP_DO_ARM_REFUSED
#define A_PROBE   SUP_DO_ARM_PROBE
#define A_OPEN    SUP_DO_ARM_OPEN
#define A_STALLED SUP_DO_ARM_STALLED
#define A_ENDING  SUP_DO_ARM_ENDING

/* Begin from the beginning, earlier failures forgotten. */
#define AFRESH GO(RESOLVE, CANCEL | FORGIVE | LOOKUP)
/* The next try, failures counted. */
#define AGAIN  GO(RESOLVE, CANCEL | LOOKUP)
#define TO_OFF GO(OFF, CANCEL)

/* Events in the order of SUP_EVENTS; the rows are grouped alike. */
#define E(name) [SUP_EVENT_##name]

/* What a child says or how it ends cannot come while there is none. */
#define NO_CHILD                                                                                   \
	E(READY) = ODD, E(IN_CONNECTING) = ODD, E(IN_UP) = ODD, E(IN_STALLED) = ODD,               \
	E(IN_ENDED) = ODD, E(BAD_CHILD) = ODD, E(EXIT_RETRY) = ODD, E(EXIT_AUTH) = ODD,            \
	E(EXIT_REDIRECT) = ODD, E(EXIT_CHALLENGE) = ODD, E(EXIT_CONFIG) = ODD, E(EXIT_CRASH) = ODD
/* Answers to questions that are only asked without a child. */
#define NO_QUESTION                                                                                \
	E(RESOLVED) = ODD, E(RESOLVE_FAILED) = ODD, E(ANSWERED) = ODD, E(UNREACHABLE) = ODD,       \
	E(SLOT) = ODD
/* Reaped, and the stream is still wanted. */
#define EXITS_RETRY                                                                                \
	E(EXIT_RETRY) = GO(WAIT, CANCEL | A_RETRY),                                                \
	E(EXIT_AUTH) = GO(REFUSED, CANCEL | A_REFUSED), E(EXIT_REDIRECT) = AGAIN,                  \
	E(EXIT_CHALLENGE) = AGAIN, E(EXIT_CONFIG) = GO(HELD, CANCEL),                              \
	E(EXIT_CRASH) = GO(WAIT, CANCEL | A_RETRY)
#define BAD GO(KILLING, CANCEL | KILL)

/* clang-format off */
static const struct sup_cell table[SUP_STATE_COUNT][SUP_EVENT_COUNT] = {
	[SUP_STATE_OFF] = {
		E(START) = AFRESH, E(STOP) = STAY, E(RESTART) = STAY, E(TIMER) = ODD,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_WAIT] = {
		E(START) = STAY, E(STOP) = TO_OFF, E(RESTART) = AFRESH, E(TIMER) = AGAIN,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_REFUSED] = {
		E(START) = STAY, E(STOP) = TO_OFF, E(RESTART) = AFRESH, E(TIMER) = AGAIN,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_HELD] = {
		E(START) = STAY, E(STOP) = TO_OFF, E(RESTART) = AFRESH, E(TIMER) = ODD,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_RESOLVE] = {
		E(START) = STAY, E(STOP) = TO_OFF, E(RESTART) = AFRESH, E(TIMER) = ODD,
		E(RESOLVED) = GO(PROBE, CANCEL | CONNECT),
		E(RESOLVE_FAILED) = GO(PROBE_WAIT, CANCEL | A_PROBE),
		E(ANSWERED) = ODD, E(UNREACHABLE) = ODD, E(SLOT) = ODD,
		E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_PROBE] = {
		E(START) = STAY, E(STOP) = TO_OFF, E(RESTART) = AFRESH, E(TIMER) = ODD,
		E(RESOLVED) = ODD, E(RESOLVE_FAILED) = ODD,
		E(ANSWERED) = GO(QUEUE, CANCEL | ENQUEUE),
		E(UNREACHABLE) = GO(PROBE_WAIT, CANCEL | A_PROBE),
		E(SLOT) = ODD, E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_PROBE_WAIT] = {
		E(START) = STAY, E(STOP) = TO_OFF, E(RESTART) = AFRESH, E(TIMER) = AGAIN,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_QUEUE] = {
		E(START) = STAY, E(STOP) = TO_OFF, E(RESTART) = AFRESH, E(TIMER) = ODD,
		E(RESOLVED) = ODD, E(RESOLVE_FAILED) = ODD, E(ANSWERED) = ODD, E(UNREACHABLE) = ODD,
		E(SLOT) = GO(STARTING, CANCEL | SPAWN),
		E(SPAWN_FAILED) = ODD, NO_CHILD,
	},
	[SUP_STATE_STARTING] = {
		E(START) = STAY, E(STOP) = GO(STOPPING, CANCEL | STOP),
		E(RESTART) = GO(RESTARTING, CANCEL | STOP), E(TIMER) = ODD,
		NO_QUESTION, E(SPAWN_FAILED) = GO(WAIT, CANCEL | A_RETRY),
		E(READY) = GO(CONNECTING, CANCEL | A_OPEN),
		E(IN_CONNECTING) = ODD, E(IN_UP) = ODD, E(IN_STALLED) = ODD,
		E(IN_ENDED) = GO(ENDING, CANCEL | A_ENDING), E(BAD_CHILD) = BAD, EXITS_RETRY,
	},
	[SUP_STATE_CONNECTING] = {
		E(START) = STAY, E(STOP) = GO(STOPPING, CANCEL | STOP),
		E(RESTART) = GO(RESTARTING, CANCEL | STOP), E(TIMER) = BAD,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, E(READY) = ODD,
		E(IN_CONNECTING) = STAY, E(IN_UP) = GO(UP, CANCEL), E(IN_STALLED) = ODD,
		E(IN_ENDED) = GO(ENDING, CANCEL | A_ENDING), E(BAD_CHILD) = BAD, EXITS_RETRY,
	},
	[SUP_STATE_UP] = {
		E(START) = STAY, E(STOP) = GO(STOPPING, CANCEL | STOP),
		E(RESTART) = GO(RESTARTING, CANCEL | STOP), E(TIMER) = ODD,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, E(READY) = ODD,
		E(IN_CONNECTING) = ODD, E(IN_UP) = STAY,
		E(IN_STALLED) = GO(STALLED, CANCEL | A_STALLED),
		E(IN_ENDED) = GO(ENDING, CANCEL | A_ENDING), E(BAD_CHILD) = BAD, EXITS_RETRY,
	},
	[SUP_STATE_STALLED] = {
		E(START) = STAY, E(STOP) = GO(STOPPING, CANCEL | STOP),
		E(RESTART) = GO(RESTARTING, CANCEL | STOP), E(TIMER) = BAD,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, E(READY) = ODD,
		E(IN_CONNECTING) = ODD, E(IN_UP) = GO(UP, CANCEL), E(IN_STALLED) = STAY,
		E(IN_ENDED) = GO(ENDING, CANCEL | A_ENDING), E(BAD_CHILD) = BAD, EXITS_RETRY,
	},
	[SUP_STATE_ENDING] = {
		E(START) = STAY, E(STOP) = GO(STOPPING, CANCEL | STOP),
		E(RESTART) = GO(RESTARTING, CANCEL | STOP), E(TIMER) = BAD,
		NO_QUESTION, E(SPAWN_FAILED) = ODD, E(READY) = ODD,
		E(IN_CONNECTING) = ODD, E(IN_UP) = ODD, E(IN_STALLED) = ODD,
		E(IN_ENDED) = STAY, E(BAD_CHILD) = BAD, EXITS_RETRY,
	},
	[SUP_STATE_KILLING] = {
		E(START) = STAY, E(STOP) = GO(STOPPING, CANCEL), E(RESTART) = GO(RESTARTING, CANCEL),
		E(TIMER) = ODD, NO_QUESTION, E(SPAWN_FAILED) = ODD, E(READY) = STAY,
		E(IN_CONNECTING) = STAY, E(IN_UP) = STAY, E(IN_STALLED) = STAY, E(IN_ENDED) = STAY,
		E(BAD_CHILD) = STAY, EXITS_RETRY,
	},
	[SUP_STATE_STOPPING] = {
		E(START) = GO(RESTARTING, CANCEL), E(STOP) = STAY, E(RESTART) = STAY,
		E(TIMER) = ODD, NO_QUESTION, E(SPAWN_FAILED) = ODD, E(READY) = STAY,
		E(IN_CONNECTING) = STAY, E(IN_UP) = STAY, E(IN_STALLED) = STAY, E(IN_ENDED) = STAY,
		E(BAD_CHILD) = STAY, E(EXIT_RETRY) = TO_OFF, E(EXIT_AUTH) = TO_OFF,
		E(EXIT_REDIRECT) = TO_OFF, E(EXIT_CHALLENGE) = TO_OFF, E(EXIT_CONFIG) = TO_OFF, E(EXIT_CRASH) = TO_OFF,
	},
	[SUP_STATE_RESTARTING] = {
		E(START) = STAY, E(STOP) = GO(STOPPING, CANCEL), E(RESTART) = STAY,
		E(TIMER) = ODD, NO_QUESTION, E(SPAWN_FAILED) = ODD, E(READY) = STAY,
		E(IN_CONNECTING) = STAY, E(IN_UP) = STAY, E(IN_STALLED) = STAY, E(IN_ENDED) = STAY,
		E(BAD_CHILD) = STAY, E(EXIT_RETRY) = AFRESH, E(EXIT_AUTH) = AFRESH,
		E(EXIT_REDIRECT) = AFRESH, E(EXIT_CHALLENGE) = AFRESH, E(EXIT_CONFIG) = AFRESH, E(EXIT_CRASH) = AFRESH,
	},
};
/* clang-format on */

struct sup_cell
sup_fsm_step(enum sup_state state, enum sup_event event)
{
	struct sup_cell cell = table[state][event];

	if (cell.kind != SUP_CELL_GO)
		cell.next = state;
	return cell;
}

const char *
sup_state_name(enum sup_state state)
{
	static const char *const names[] = {
#define X(name, text, child) [SUP_STATE_##name] = text,
		SUP_STATES(X)
#undef X
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == SUP_STATE_COUNT, "a name each");

	return names[state];
}

const char *
sup_event_name(enum sup_event event)
{
	static const char *const names[] = {
#define X(name, text) [SUP_EVENT_##name] = text,
		SUP_EVENTS(X)
#undef X
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == SUP_EVENT_COUNT, "a name each");

	return names[event];
}

bool
sup_state_has_child(enum sup_state state)
{
	static const bool has_child[] = {
#define X(name, text, child) [SUP_STATE_##name] = child,
		SUP_STATES(X)
#undef X
	};

	return has_child[state];
}
