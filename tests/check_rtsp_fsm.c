/*
 * The table of an RTSP session, cell by cell, and what must hold for any row.
 */
#include "config.h"

#include "worker/rtsp_fsm.h"

#include "tests/harness/harness.h"

#include <string.h>

/* One line per state: the events in their order, each "NEXT action"; "." stays and does nothing. */
static const char *const expected[RTSP_STATE_COUNT][RTSP_EVENT_COUNT] = {
	/*               connected       ok               set-up
	 *               challenge       refused          transport
	 *               redirect        failed           silent
	 *               dead            timeout          lost            stop */
	[RTSP_STATE_CONNECTING] = { "options ask", ".", ".", /**/
				    ".", ".", ".",           /**/
				    ".", ".", ".",           /**/
				    ".", "closed fail", "closed fail", "closed close" },
	[RTSP_STATE_OPTIONS] = { ".", "describe ask", ".",             /**/
				 "options again", "closed fail", ".",  /**/
				 "closed follow", "describe ask", ".", /**/
				 ".", "closed fail", "closed fail", "closed close" },
	[RTSP_STATE_DESCRIBE] = { ".", "setup ask", ".",                /**/
				  "describe again", "closed fail", ".", /**/
				  "closed follow", "closed fail", ".",  /**/
				  ".", "closed fail", "closed fail", "closed close" },
	[RTSP_STATE_SETUP] = { ".", "setup next-track", "play ask",                     /**/
			       "setup again", "teardown fail", "setup other-transport", /**/
			       "teardown follow", "teardown fail", ".",                 /**/
			       "teardown fail", "teardown fail", "closed fail", "teardown leave" },
	[RTSP_STATE_PLAY] = { ".", "playing go", ".",                  /**/
			      "play again", "teardown fail", ".",      /**/
			      "teardown follow", "teardown fail", ".", /**/
			      "teardown fail", "teardown fail", "closed fail", "teardown leave" },
	[RTSP_STATE_PLAYING] = { ".", ".", ".",                          /**/
				 "playing again", ".", ".",              /**/
				 "teardown follow", ".", "pause revive", /**/
				 "teardown fail", "playing keep-alive", "closed fail",
				 "teardown leave" },
	[RTSP_STATE_PAUSE] = { ".", "play ask", ".",               /**/
			       "pause again", "play ask", ".",     /**/
			       "teardown follow", "play ask", ".", /**/
			       "teardown fail", "teardown fail", "closed fail", "teardown leave" },
	[RTSP_STATE_TEARDOWN] = { ".", "closed close", ".",              /**/
				  "teardown again", "closed close", ".", /**/
				  "closed close", "closed close", ".",   /**/
				  ".", "closed close", "closed close", "." },
	[RTSP_STATE_CLOSED] = { ".", ".", ".", ".", ".", ".", ".", ".", ".", /**/
				".", "closed tell", ".", "." },
};

START_TEST(test_each_cell)
{
	for (int state = 0; state < RTSP_STATE_COUNT; state++) {
		for (int event = 0; event < RTSP_EVENT_COUNT; event++) {
			const char *want = expected[state][event];
			struct rtsp_step step = rtsp_fsm_step(state, event);
			char got[64];

			snprintf(got, sizeof(got), "%s %s", rtsp_state_name(step.next),
				 rtsp_action_name(step.action));
			if (strcmp(want, ".") == 0) {
				ck_assert_int_eq(step.action, RTSP_ACTION_NONE);
				ck_assert_int_eq((int)step.next, state);
			} else {
				ck_assert_msg(strcmp(got, want) == 0, "%s x %s: %s, expected %s",
					      rtsp_state_name(state), rtsp_event_name(event), got,
					      want);
			}
		}
	}
}
END_TEST

/* Whatever happens, a session that is stopped ends, and one whose timer fires does something. */
START_TEST(test_each_state_ends)
{
	for (int state = 0; state < RTSP_STATE_COUNT; state++) {
		struct rtsp_step step = rtsp_fsm_step(state, RTSP_EVENT_STOP);

		ck_assert_msg(step.next == RTSP_STATE_CLOSED || step.next == RTSP_STATE_TEARDOWN,
			      "stop in %s", rtsp_state_name(state));
		step = rtsp_fsm_step(state, RTSP_EVENT_LOST);
		ck_assert_int_eq(step.next, RTSP_STATE_CLOSED);
		ck_assert_int_ne(rtsp_fsm_step(state, RTSP_EVENT_TIMEOUT).action, RTSP_ACTION_NONE);
	}
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(rtsp_state_name(RTSP_STATE_CLOSED), "closed");
	ck_assert_str_eq(rtsp_event_name(RTSP_EVENT_STOP), "stop");
	ck_assert_str_eq(rtsp_action_name(RTSP_ACTION_TELL), "tell");
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_fsm");
	TCase *tcase = tcase_create("table");

	tcase_add_test(tcase, test_each_cell);
	tcase_add_test(tcase, test_each_state_ends);
	tcase_add_test(tcase, test_names);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
