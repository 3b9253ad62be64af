/*
 * The supervisor's state machine, cell by cell: what each event does in each state is written here
 * a second time, independently of the table.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "supervisor/sup_fsm.h"

#include <string.h>

#define CANCEL  SUP_DO_CANCEL
#define AFRESH  (SUP_DO_CANCEL | SUP_DO_FORGIVE | SUP_DO_LOOKUP)
#define AGAIN   (SUP_DO_CANCEL | SUP_DO_LOOKUP)
#define STOP    (SUP_DO_CANCEL | SUP_DO_STOP_CHILD)
#define KILL    (SUP_DO_CANCEL | SUP_DO_KILL_CHILD)
#define RETRY   (SUP_DO_CANCEL | SUP_DO_ARM_RETRY)
#define REFUSED (SUP_DO_CANCEL | SUP_DO_ARM_REFUSED)
#define PROBE   (SUP_DO_CANCEL | SUP_DO_ARM_PROBE)
#define ENDING  (SUP_DO_CANCEL | SUP_DO_ARM_ENDING)

/* Each line: state, event, next state, actions. Next "." stays, "!" is odd. What has no line is
 * odd, so a line that is missing here or a cell that is wrong there both show. */
struct expected {
	const char *state, *event, *next;
	unsigned actions;
};

#define NO_CHILD_WAITING(state)                                                                    \
	{ state, "start", ".", 0 }, { state, "stop", "off", CANCEL },                              \
	{                                                                                          \
		state, "restart", "resolve", AFRESH                                                \
	}
#define EXITS(state)                                                                               \
	{ state, "exit-retry", "wait", RETRY }, { state, "exit-auth", "refused", REFUSED },        \
	    { state, "exit-redirect", "resolve", AGAIN },                                          \
	    { state, "exit-challenge", "resolve", AGAIN },                                         \
	    { state, "exit-config", "held", CANCEL },                                              \
	{                                                                                          \
		state, "exit-crash", "wait", RETRY                                                 \
	}
#define WITH_CHILD(state)                                                                          \
	{ state, "start", ".", 0 }, { state, "stop", "stopping", STOP },                           \
	    { state, "restart", "restarting", STOP }, { state, "bad-child", "killing", KILL },     \
	    EXITS(state)
#define DEAF(state)                                                                                \
	{ state, "ready", ".", 0 }, { state, "input-connecting", ".", 0 },                         \
	    { state, "input-up", ".", 0 }, { state, "input-stalled", ".", 0 },                     \
	    { state, "input-ended", ".", 0 },                                                      \
	{                                                                                          \
		state, "bad-child", ".", 0                                                         \
	}

static const struct expected expected[] = {
	{ "off", "start", "resolve", AFRESH },
	{ "off", "stop", ".", 0 },
	{ "off", "restart", ".", 0 },

	NO_CHILD_WAITING("wait"),
	{ "wait", "timer", "resolve", AGAIN },
	NO_CHILD_WAITING("refused"),
	{ "refused", "timer", "resolve", AGAIN },
	NO_CHILD_WAITING("held"),
	NO_CHILD_WAITING("resolve"),
	{ "resolve", "resolved", "probe", CANCEL | SUP_DO_CONNECT },
	{ "resolve", "resolve-failed", "probe-wait", PROBE },
	NO_CHILD_WAITING("probe"),
	{ "probe", "answered", "queue", CANCEL | SUP_DO_ENQUEUE },
	{ "probe", "unreachable", "probe-wait", PROBE },
	NO_CHILD_WAITING("probe-wait"),
	{ "probe-wait", "timer", "resolve", AGAIN },
	NO_CHILD_WAITING("queue"),
	{ "queue", "slot", "starting", CANCEL | SUP_DO_SPAWN },

	WITH_CHILD("starting"),
	{ "starting", "spawn-failed", "wait", RETRY },
	{ "starting", "ready", "connecting", CANCEL | SUP_DO_ARM_OPEN },
	{ "starting", "input-ended", "ending", ENDING },
	WITH_CHILD("connecting"),
	{ "connecting", "timer", "killing", KILL },
	{ "connecting", "input-connecting", ".", 0 },
	{ "connecting", "input-up", "up", CANCEL },
	{ "connecting", "input-ended", "ending", ENDING },
	WITH_CHILD("up"),
	{ "up", "input-up", ".", 0 },
	{ "up", "input-stalled", "stalled", CANCEL | SUP_DO_ARM_STALLED },
	{ "up", "input-ended", "ending", ENDING },
	WITH_CHILD("stalled"),
	{ "stalled", "timer", "killing", KILL },
	{ "stalled", "input-up", "up", CANCEL },
	{ "stalled", "input-stalled", ".", 0 },
	{ "stalled", "input-ended", "ending", ENDING },
	WITH_CHILD("ending"),
	{ "ending", "timer", "killing", KILL },
	{ "ending", "input-ended", ".", 0 },

	{ "killing", "start", ".", 0 },
	{ "killing", "stop", "stopping", CANCEL },
	{ "killing", "restart", "restarting", CANCEL },
	DEAF("killing"),
	EXITS("killing"),
	{ "stopping", "start", "restarting", CANCEL },
	{ "stopping", "stop", ".", 0 },
	{ "stopping", "restart", ".", 0 },
	DEAF("stopping"),
	{ "stopping", "exit-retry", "off", CANCEL },
	{ "stopping", "exit-auth", "off", CANCEL },
	{ "stopping", "exit-redirect", "off", CANCEL },
	{ "stopping", "exit-challenge", "off", CANCEL },
	{ "stopping", "exit-config", "off", CANCEL },
	{ "stopping", "exit-crash", "off", CANCEL },
	{ "restarting", "start", ".", 0 },
	{ "restarting", "stop", "stopping", CANCEL },
	{ "restarting", "restart", ".", 0 },
	DEAF("restarting"),
	{ "restarting", "exit-retry", "resolve", AFRESH },
	{ "restarting", "exit-auth", "resolve", AFRESH },
	{ "restarting", "exit-redirect", "resolve", AFRESH },
	{ "restarting", "exit-challenge", "resolve", AFRESH },
	{ "restarting", "exit-config", "resolve", AFRESH },
	{ "restarting", "exit-crash", "resolve", AFRESH },
};

static const struct expected *
find(const char *state, const char *event)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (strcmp(expected[i].state, state) == 0 && strcmp(expected[i].event, event) == 0)
			return &expected[i];
	return NULL;
}

static void
check_cell(enum sup_state state, enum sup_event event)
{
	const char *from = sup_state_name(state), *on = sup_event_name(event);
	const struct expected *want = find(from, on);
	struct sup_cell cell = sup_fsm_step(state, event);

	ck_assert_msg(cell.kind != SUP_CELL_MISSING, "%s on %s: no cell", from, on);
	if (want == NULL) {
		ck_assert_msg(cell.kind == SUP_CELL_ODD, "%s on %s: expected odd, goes to %s", from,
			      on, sup_state_name(cell.next));
	} else if (strcmp(want->next, ".") == 0) {
		ck_assert_msg(cell.kind == SUP_CELL_STAY, "%s on %s: expected to stay", from, on);
	} else {
		ck_assert_msg(cell.kind == SUP_CELL_GO, "%s on %s: expected to go", from, on);
		ck_assert_msg(strcmp(sup_state_name(cell.next), want->next) == 0,
			      "%s on %s: expected %s, goes to %s", from, on, want->next,
			      sup_state_name(cell.next));
		ck_assert_msg(cell.actions == want->actions,
			      "%s on %s: expected actions %#x, has %#x", from, on, want->actions,
			      cell.actions);
		return;
	}
	ck_assert_msg(cell.actions == 0 && cell.next == state, "%s on %s: acts without going", from,
		      on);
}

START_TEST(test_every_cell_is_as_written_here)
{
	for (int state = 0; state < SUP_STATE_COUNT; state++)
		for (int event = 0; event < SUP_EVENT_COUNT; event++)
			check_cell((enum sup_state)state, (enum sup_event)event);
}
END_TEST

START_TEST(test_every_expectation_names_a_cell)
{
	size_t n = sizeof(expected) / sizeof(expected[0]), met = 0;

	for (int state = 0; state < SUP_STATE_COUNT; state++)
		for (int event = 0; event < SUP_EVENT_COUNT; event++)
			met += find(sup_state_name((enum sup_state)state),
				    sup_event_name((enum sup_event)event)) != NULL;
	ck_assert_uint_eq(met, n);
}
END_TEST

/* What must hold whatever the table says. */
START_TEST(test_children_are_never_lost_nor_invented)
{
	const unsigned needs_child = SUP_DO_STOP_CHILD | SUP_DO_KILL_CHILD | SUP_DO_ARM_OPEN |
				     SUP_DO_ARM_STALLED | SUP_DO_ARM_ENDING;

	for (int s = 0; s < SUP_STATE_COUNT; s++) {
		for (int e = 0; e < SUP_EVENT_COUNT; e++) {
			struct sup_cell cell = sup_fsm_step((enum sup_state)s, (enum sup_event)e);
			bool had = sup_state_has_child((enum sup_state)s);
			bool has = sup_state_has_child((enum sup_state)cell.next);
			bool is_exit = e >= SUP_EVENT_EXIT_RETRY || e == SUP_EVENT_SPAWN_FAILED;

			if (cell.kind != SUP_CELL_GO)
				continue;
			/* A child ends by being reaped, begins by being spawned, and in no other
			 * way. */
			ck_assert_int_eq(had && !has, had && is_exit);
			ck_assert_int_eq(!had && has, (cell.actions & SUP_DO_SPAWN) != 0);
			ck_assert(!(cell.actions & needs_child) || has);
			/* Each transition ends what the old state had begun. */
			ck_assert(cell.actions & SUP_DO_CANCEL);
		}
	}
}
END_TEST

START_TEST(test_stop_leads_to_off_from_everywhere)
{
	for (int s = 0; s < SUP_STATE_COUNT; s++) {
		struct sup_cell cell = sup_fsm_step((enum sup_state)s, SUP_EVENT_STOP);

		ck_assert_int_eq(cell.next, sup_state_has_child((enum sup_state)s)
						? SUP_STATE_STOPPING
						: SUP_STATE_OFF);
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_fsm");
	TCase *tcase = tcase_create("table");

	tcase_add_test(tcase, test_every_cell_is_as_written_here);
	tcase_add_test(tcase, test_every_expectation_names_a_cell);
	tcase_add_test(tcase, test_children_are_never_lost_nor_invented);
	tcase_add_test(tcase, test_stop_leads_to_off_from_everywhere);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
