/*
 * What counts as being somebody, and for how long: tokens of each kind, keys, passwords.
 */
#include "config.h"

#include "tests/check_http_gate_rig.h"

#include <errno.h>
#include <stdio.h>

/* Tokens */

START_TEST(test_tokens_end)
{
	struct gate_facts facts = facts_of(ANN), link = facts_of(LINK_URL);
	json_t *msg;

	clock_advance_ms(fake_clock, 59000);
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_ALLOW);
	/* Revoked: both have this id. */
	set_keys(keys_message(LINK_ID));
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_LOGIN);
	ck_assert_int_eq(decide(&link, GATE_VIEW_CAMERA, "door"), GATE_LOGIN);
	set_keys(keys_message(NULL));
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_ALLOW);
	/* The keys were changed; the previous one goes on for a while. */
	msg = keys_message(NULL);
	json_object_set_new(msg, "current", json_string(OTHER_KEY));
	json_object_set_new(msg, "previous", json_string(KEY));
	set_keys(msg);
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_ALLOW);
	msg = keys_message(NULL);
	json_object_set_new(msg, "current", json_string(OTHER_KEY));
	set_keys(msg);
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_LOGIN);
	set_keys(keys_message(NULL));
	clock_advance_ms(fake_clock, 1000);
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_LOGIN);
	ck_assert_int_eq(decide(&link, GATE_VIEW_CAMERA, "door"), GATE_LOGIN);
}
END_TEST

START_TEST(test_users_are_as_they_are_now)
{
	struct gate_facts facts = facts_of(ROOT), link;
	json_t *msg = keys_message(NULL);

	json_object_set_new(msg, "users", json_pack("[s]", "root viewer yard"));
	set_keys(msg);
	ck_assert_int_eq(decide(&facts, GATE_OPERATE, ""), GATE_FORBID);
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "yard"), GATE_ALLOW);
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_FORBID);
	/* What he made for others, too. */
	link = (struct gate_facts){ .token = make_token(TOKEN_LINK, "root", "door", 60) };
	ck_assert_int_eq(decide(&link, GATE_VIEW_CAMERA, "door"), GATE_FORBID);
	msg = keys_message(NULL);
	json_object_set_new(msg, "users", json_pack("[s]", "ann viewer door"));
	set_keys(msg);
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_LOGIN);
	ck_assert_int_eq(decide(&link, GATE_VIEW_CAMERA, "door"), GATE_LOGIN);
}
END_TEST

/* Each kind of token only where it belongs. */
START_TEST(test_kinds_are_not_mixed_up)
{
	for (int kind = TOKEN_SESSION; kind < TOKEN_KINDS; kind++) {
		char bearer[TOKEN_MAX_BYTES + 16];
		const char *text = make_token(kind, kind == TOKEN_SESSION ? "ann" : "", "door", 60);
		struct gate_facts facts = { .cookies = make_cookie(GATE_COOKIE, text) };

		snprintf(bearer, sizeof(bearer), "Bearer %s", text);
		ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door") == GATE_ALLOW,
				 kind == TOKEN_SESSION);
		facts = (struct gate_facts){ .cookies = make_cookie(GATE_LINK_COOKIE, text),
					     .scope = "door" };
		ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door") == GATE_ALLOW,
				 kind == TOKEN_LINK);
		facts = (struct gate_facts){ .token = text };
		ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door") == GATE_ALLOW,
				 kind == TOKEN_LINK);
		facts = (struct gate_facts){ .ticket = text };
		ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door") == GATE_ALLOW,
				 kind == TOKEN_TICKET);
		facts = (struct gate_facts){ .authorization = bearer };
		ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door") == GATE_ALLOW,
				 kind == TOKEN_BEARER || kind == TOKEN_LINK);
	}
}
END_TEST

START_TEST(test_a_ticket_opens_once)
{
	struct gate_facts facts = facts_of(TICKET);

	facts.is_upgrade = true;
	facts.origin = GATE_ORIGIN_FOREIGN;
	/* For another camera it is not used up. */
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "yard"), GATE_FORBID);
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_ALLOW);
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_LOGIN);
}
END_TEST

/* camctl revoke --all and --rotate: who is in came by a key, too. */
START_TEST(test_new_keys_end_what_is_open)
{
	static const char third[] =
	    "aa112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct gate_facts facts = facts_of(ANN);
	json_t *msg = keys_message(NULL);
	struct gate_answer answer;

	gate_decide(gate, &facts, GATE_VIEW, "", &answer);
	ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	/* Rotated: what the last key signed holds on, what those before it signed does not. */
	json_object_set_new(msg, "current", json_string(OTHER_KEY));
	json_object_set_new(msg, "previous", json_string(KEY));
	set_keys(json_incref(msg));
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_ALLOW);
	ck_assert(gate_still_holds(gate, &answer.who));
	set_keys(json_incref(msg));
	ck_assert(gate_still_holds(gate, &answer.who));
	json_object_set_new(msg, "current", json_string(third));
	json_object_set_new(msg, "previous", json_string(OTHER_KEY));
	set_keys(msg);
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_LOGIN);
	ck_assert(!gate_still_holds(gate, &answer.who));
	/* All are ended. */
	set_keys(keys_message(NULL));
	gate_decide(gate, &facts, GATE_VIEW, "", &answer);
	ck_assert(gate_still_holds(gate, &answer.who));
	msg = keys_message(NULL);
	json_object_set_new(msg, "current", json_string(third));
	set_keys(msg);
	ck_assert(!gate_still_holds(gate, &answer.who));
}
END_TEST

/* Else whoever had a link once would go on from ticket to ticket when it is revoked. */
START_TEST(test_a_ticket_buys_no_ticket)
{
	struct gate_facts facts = facts_of(TICKET);
	struct gate_answer answer;
	char text[TOKEN_MAX_BYTES];

	gate_decide(gate, &facts, GATE_VIEW_CAMERA, "door", &answer);
	ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	ck_assert_int_eq(gate_make_ticket(gate, &answer.who, "door", text), -EPERM);
}
END_TEST

/* Passwords */

START_TEST(test_passwords_are_asked_for)
{
	struct access_password password = { .user = "ann", .password = "secret" };
	struct gate_facts facts = { .address = "192.0.2.7",
				    .authorization = "Basic YW5uOnNlY3JldA==" };
	struct gate_answer answer;

	gate_decide(gate, &facts, GATE_VIEW_CAMERA, "door", &answer);
	ck_assert_int_eq(answer.verdict, GATE_ASK);
	ck_assert_str_eq(answer.password.user, "ann");
	ck_assert_str_eq(answer.password.password, "secret");
	gate_password_tried(gate, facts.address);
	gate_password_right(gate, facts.address, &password);
	gate_decide(gate, &facts, GATE_VIEW_CAMERA, "door", &answer);
	ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	ck_assert_str_eq(answer.password.password, "");
	ck_assert_int_eq(answer.who.way, GATE_WAY_BASIC);
	ck_assert_str_eq(answer.who.claims.user, "ann");
	/* A minute later it is asked for again; also when users change. */
	clock_advance_ms(fake_clock, 60000);
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_ASK);
	gate_password_right(gate, facts.address, &password);
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_ALLOW);
	set_keys(keys_message(NULL));
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_ASK);
}
END_TEST

START_TEST(test_too_many_passwords)
{
	struct gate_facts basic = { .address = "192.0.2.7",
				    .authorization = "Basic YW5uOnNlY3JldA==" };
	struct gate_facts session = facts_of(BOB);
	struct gate_answer answer;
	unsigned n = 0;

	for (; decide(&basic, GATE_VIEW, "") == GATE_ASK && n < 100; n++)
		gate_password_tried(gate, "192.0.2.7");
	ck_assert_uint_eq(n, 10);
	gate_decide(gate, &basic, GATE_VIEW, "", &answer);
	ck_assert_int_eq(answer.verdict, GATE_SLOW);
	ck_assert_uint_gt(answer.wait_s, 0);
	ck_assert_str_eq(answer.password.password, "");
	/* Whoever is in stays in, and others may come. */
	ck_assert_int_eq(decide(&session, GATE_VIEW, ""), GATE_ALLOW);
	basic.address = "192.0.2.8";
	gate_decide(gate, &basic, GATE_VIEW, "", &answer);
	ck_assert_int_eq(answer.verdict, GATE_ASK);
	access_password_wipe(&answer.password);
}
END_TEST

START_TEST(test_what_a_session_is)
{
	char text[TOKEN_MAX_BYTES];
	struct gate_facts facts = { .origin = GATE_ORIGIN_NONE };
	struct gate_answer answer;

	ck_assert_int_eq(gate_make_session(gate, "nobody", text), -ENOENT);
	ck_assert_int_eq(gate_make_session(gate, "olga", text), 0);
	facts.cookies = make_cookie(GATE_COOKIE, text);
	facts.address = "192.0.2.7";
	gate_decide(gate, &facts, GATE_OPERATE, "", &answer);
	ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	ck_assert_int_eq(answer.who.way, GATE_WAY_SESSION);
	ck_assert_str_eq(answer.who.claims.user, "olga");
	ck_assert(gate_still_holds(gate, &answer.who));
	ck_assert(gate_may_see(gate, &answer.who, "door"));
	ck_assert(!gate_may_see(gate, &answer.who, "yard"));
	set_keys(keys_message(answer.who.claims.id));
	ck_assert(!gate_still_holds(gate, &answer.who));
	set_keys(keys_message(NULL));
	ck_assert(gate_still_holds(gate, &answer.who));
	clock_advance_ms(fake_clock, GATE_SESSION_S * 1000LL);
	ck_assert(!gate_still_holds(gate, &answer.who));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_gate_tokens");
	TCase *tcase = tcase_create("tokens");

	tcase_add_checked_fixture(tcase, gate_setup, gate_teardown);
	tcase_add_test(tcase, test_tokens_end);
	tcase_add_test(tcase, test_users_are_as_they_are_now);
	tcase_add_test(tcase, test_kinds_are_not_mixed_up);
	tcase_add_test(tcase, test_a_ticket_opens_once);
	tcase_add_test(tcase, test_a_ticket_buys_no_ticket);
	tcase_add_test(tcase, test_new_keys_end_what_is_open);
	tcase_add_test(tcase, test_passwords_are_asked_for);
	tcase_add_test(tcase, test_too_many_passwords);
	tcase_add_test(tcase, test_what_a_session_is);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
