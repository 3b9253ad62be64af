/*
 * When what somebody came in by holds no longer: new keys, a new password, all his sessions ended.
 */
#include "config.h"

#include "http/gate.h"
#include "shared/clock.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
#define FIRST "11" ZEROS
#define NEXT  "22" ZEROS
#define THIRD "33" ZEROS

static struct clock *fake_clock;
static struct gate *gate;
static struct token_keys keys; /* with which the tests sign */

/* generation: of ann's sessions, NULL: the first. */
static void
tell(const char *current, const char *previous, const char *generation)
{
	json_t *msg = json_pack("{s:s, s:b, s:s, s:[], s:[s, s]}", "type", "access-keys",
				"required", 1, "current", current, "revoked", "users",
				"ann viewer door yard", "bob viewer *");

	if (previous != NULL)
		json_object_set_new(msg, "previous", json_string(previous));
	if (generation != NULL)
		json_object_set_new(msg, "generations", json_pack("[s]", generation));
	ck_assert_int_eq(gate_set_keys(gate, msg), 0);
	ck_assert_int_eq(token_keys_from_msg(msg, &keys), 0);
	json_decref(msg);
}

static void
setup(void)
{
	fake_clock = clock_new_fake(NS_PER_S);
	gate = gate_new(fake_clock);
	tell(FIRST, NULL, NULL);
}

static void
teardown(void)
{
	gate_free(&gate);
	token_keys_clear(&keys);
	clock_free(&fake_clock);
}

static struct gate_answer
decide(const struct gate_facts *facts, const char *camera)
{
	struct gate_facts whole = *facts;
	struct gate_answer answer;

	whole.address = "192.0.2.7";
	whole.origin = GATE_ORIGIN_OURS;
	gate_decide(gate, &whole, GATE_VIEW_CAMERA, camera, &answer);
	access_password_wipe(&answer.password);
	return answer;
}

static struct gate_answer
by_session(const char *session)
{
	char cookie[TOKEN_MAX_BYTES + 32];
	struct gate_facts facts = { .cookies = cookie };

	snprintf(cookie, sizeof(cookie), GATE_COOKIE "=%s", session);
	return decide(&facts, "door");
}

static struct gate_answer
by_link(const char *link)
{
	struct gate_facts facts = { .token = link };

	return decide(&facts, "door");
}

static struct gate_answer
by_ticket(const char *ticket)
{
	struct gate_facts facts = { .ticket = ticket };

	return decide(&facts, "door");
}

static void
make_link(char *text)
{
	struct token_claims claims = { .kind = TOKEN_LINK,
				       .id = "BBBBBBBBBBBBBBBBBBBBBA",
				       .cameras = { "door" },
				       .n_cameras = 1,
				       .expires_s = gate_now_s(gate) + 9999 };

	ck_assert_int_eq(token_make(&keys, &claims, text, TOKEN_MAX_BYTES), 0);
}

/* Opened when its key was the one before already: it goes when that key does. */
START_TEST(test_a_link_goes_with_its_key)
{
	char link[TOKEN_MAX_BYTES], ticket[TOKEN_MAX_BYTES];
	struct gate_answer early, late, swapped;

	make_link(link);
	early = by_link(link);
	tell(NEXT, FIRST, NULL);
	late = by_link(link);
	ck_assert_int_eq(late.verdict, GATE_ALLOW);
	ck_assert_int_eq(gate_make_ticket(gate, &late.who, "door", ticket), 0);
	swapped = by_ticket(ticket);
	ck_assert_int_eq(swapped.verdict, GATE_ALLOW);
	ck_assert(gate_still_holds(gate, &early.who) && gate_still_holds(gate, &late.who));
	ck_assert_int_eq(gate_make_ticket(gate, &late.who, "door", ticket), 0);
	tell(THIRD, NEXT, NULL);
	ck_assert_int_eq(by_link(link).verdict, GATE_LOGIN);
	ck_assert(!gate_still_holds(gate, &early.who));
	ck_assert(!gate_still_holds(gate, &late.who));
	ck_assert(!gate_still_holds(gate, &swapped.who));
	/* Nor does a ticket carry it over. */
	ck_assert_int_eq(by_ticket(ticket).verdict, GATE_LOGIN);
	/* What the key before signed now is the next to go, not gone. */
	make_link(link);
	late = by_link(link);
	ck_assert(gate_still_holds(gate, &late.who));
}
END_TEST

/* His sessions, what they opened, and what was swapped for them; nothing of others. */
START_TEST(test_a_generation_ends)
{
	char of_ann[TOKEN_MAX_BYTES], of_bob[TOKEN_MAX_BYTES], ticket[TOKEN_MAX_BYTES],
	    unused[TOKEN_MAX_BYTES];
	struct gate_answer ann, bob, swapped;

	ck_assert_int_eq(gate_make_session(gate, "ann", of_ann), 0);
	ck_assert_int_eq(gate_make_session(gate, "bob", of_bob), 0);
	ann = by_session(of_ann);
	bob = by_session(of_bob);
	ck_assert_int_eq(ann.verdict, GATE_ALLOW);
	ck_assert_int_eq(gate_make_ticket(gate, &ann.who, "door", ticket), 0);
	ck_assert_int_eq(gate_make_ticket(gate, &ann.who, "door", unused), 0);
	swapped = by_ticket(ticket);
	tell(FIRST, NULL, "ann 1700000000000");
	ck_assert_int_eq(by_session(of_ann).verdict, GATE_LOGIN);
	ck_assert_int_eq(by_ticket(unused).verdict, GATE_LOGIN);
	ck_assert(!gate_still_holds(gate, &ann.who) && !gate_still_holds(gate, &swapped.who));
	ck_assert_int_eq(by_session(of_bob).verdict, GATE_ALLOW);
	ck_assert(gate_still_holds(gate, &bob.who));
	/* The next login holds, until its own end; an older generation does not come back. */
	ck_assert_int_eq(gate_make_session(gate, "ann", of_bob), 0);
	ann = by_session(of_bob);
	ck_assert_int_eq(ann.verdict, GATE_ALLOW);
	tell(FIRST, NULL, "ann 1700000000001");
	ck_assert(!gate_still_holds(gate, &ann.who));
	ck_assert_int_eq(by_session(of_ann).verdict, GATE_LOGIN);
}
END_TEST

/* A password opens for as long as it is the password. */
START_TEST(test_a_password_ends_too)
{
	struct access_password password = { .user = "ann", .password = "x" };
	struct gate_facts facts = { .authorization = "Basic YW5uOng=" };
	struct gate_answer answer;

	gate_password_right(gate, "192.0.2.7", &password);
	answer = decide(&facts, "door");
	ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	tell(FIRST, NULL, NULL);
	ck_assert(gate_still_holds(gate, &answer.who));
	tell(FIRST, NULL, "ann 2");
	ck_assert(!gate_still_holds(gate, &answer.who));
}
END_TEST

/* A script's, in his name; one that says no generation stays. */
START_TEST(test_a_bearer_ends)
{
	char text[TOKEN_MAX_BYTES], header[TOKEN_MAX_BYTES + 16];
	struct token_claims claims = { .kind = TOKEN_BEARER,
				       .id = "CCCCCCCCCCCCCCCCCCCCCA",
				       .user = "ann",
				       .generation = 1,
				       .expires_s = gate_now_s(gate) + 9999 };
	struct gate_facts facts = { .authorization = header };
	struct gate_answer answer;

	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), 0);
	snprintf(header, sizeof(header), "Bearer %s", text);
	answer = decide(&facts, "door");
	ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	tell(FIRST, NULL, "ann 2");
	ck_assert_int_eq(decide(&facts, "door").verdict, GATE_LOGIN);
	ck_assert(!gate_still_holds(gate, &answer.who));
	claims.generation = 0;
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), 0);
	snprintf(header, sizeof(header), "Bearer %s", text);
	ck_assert_int_eq(decide(&facts, "door").verdict, GATE_ALLOW);
}
END_TEST

/* Nobody's: it does not end with anybody's password. */
START_TEST(test_a_link_stays)
{
	char link[TOKEN_MAX_BYTES];
	struct gate_answer answer;

	make_link(link);
	answer = by_link(link);
	tell(FIRST, NULL, "ann 2");
	ck_assert_int_eq(by_link(link).verdict, GATE_ALLOW);
	ck_assert(gate_still_holds(gate, &answer.who));
}
END_TEST

START_TEST(test_generations_that_are_none)
{
	static const char *const wrong[] = { "ann",   "ann ",   "ann 0",  "ann -1",
					     "ann x", "ann 1x", "ann  1", "ann 9007199254740993" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *msg = json_pack("{s:s, s:b, s:s, s:[], s:[s], s:[s]}", "type",
					"access-keys", "required", 1, "current", FIRST, "revoked",
					"users", "ann viewer door", "generations", wrong[i]);

		ck_assert_msg(gate_set_keys(gate, msg) == -EINVAL, "\"%s\"", wrong[i]);
		json_decref(msg);
	}
	/* Of somebody who is not there any more. */
	tell(FIRST, NULL, "zoe 5");
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_gate_ends");
	TCase *tcase = tcase_create("ends");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_a_link_goes_with_its_key);
	tcase_add_test(tcase, test_a_generation_ends);
	tcase_add_test(tcase, test_a_password_ends_too);
	tcase_add_test(tcase, test_a_bearer_ends);
	tcase_add_test(tcase, test_a_link_stays);
	tcase_add_test(tcase, test_generations_that_are_none);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
