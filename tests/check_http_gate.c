/*
 * Who may do what: every route for everybody and every camera, and what counts as being somebody.
 */
#include "config.h"

#include "http/gate.h"
#include "http/handlers.h"
#include "http/route.h"
#include "shared/clock.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_KEY "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINK_ID   "BBBBBBBBBBBBBBBBBBBBBA"

static struct clock *fake_clock;
static struct gate *gate;
static struct token_keys keys;

static json_t *
keys_message(const char *revoked)
{
	json_t *msg =
	    json_pack("{s:s, s:b, s:s, s:[], s:[s, s, s, s]}", "type", "access-keys", "required", 1,
		      "current", KEY, "revoked", "users", "ann viewer door", "bob viewer *",
		      "olga operator door", "root operator *");

	if (revoked != NULL)
		json_array_append_new(json_object_get(msg, "revoked"), json_string(revoked));
	return msg;
}

static void
set_keys(json_t *msg)
{
	ck_assert_int_eq(gate_set_keys(gate, msg), 0);
	json_decref(msg);
}

static void
setup(void)
{
	json_t *msg = keys_message(NULL);

	fake_clock = clock_new_fake(NS_PER_S);
	gate = gate_new(fake_clock);
	ck_assert_int_eq(token_keys_from_msg(msg, &keys), 0);
	set_keys(msg);
}

static void
teardown(void)
{
	gate_free(&gate);
	token_keys_clear(&keys);
	clock_free(&fake_clock);
}

/* A token, in one of a few places. */
static const char *
token(enum token_kind kind, const char *user, const char *camera, int seconds)
{
	static char texts[4][TOKEN_MAX_BYTES];
	static unsigned next;
	char *text = texts[next++ % 4];
	struct token_claims claims = { .kind = kind,
				       .id = LINK_ID,
				       .expires_s = gate_now_s(gate) + seconds };

	strcpy(claims.user, user);
	claims.generation = kind == TOKEN_SESSION;
	if (camera != NULL) {
		strcpy(claims.cameras[0], camera);
		claims.n_cameras = 1;
	}
	ck_assert_int_eq(token_make(&keys, &claims, text, TOKEN_MAX_BYTES), 0);
	return text;
}

static const char *
cookie(const char *name, const char *value)
{
	static char texts[4][TOKEN_MAX_BYTES + 32];
	static unsigned next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof(texts[0]), "theme=dark; %s=%s", name, value);
	return text;
}

static enum gate_verdict
decide(const struct gate_facts *facts, enum gate_right right, const char *camera)
{
	struct gate_answer answer;
	struct gate_facts whole = *facts;

	whole.address = "192.0.2.7";
	gate_decide(gate, &whole, right, camera, &answer);
	access_password_wipe(&answer.password);
	return answer.verdict;
}

/* The matrix */

enum who {
	NOBODY,
	ANN,  /* viewer of door */
	BOB,  /* viewer of all */
	OLGA, /* operator, door */
	ROOT, /* operator of all */
	LINK_URL,
	LINK_COOKIE,
	TICKET,
	BEARER, /* of door */
	FORGED, /* a session signed with another key */
	WHO_COUNT
};

static const char *const who_names[] = { "nobody",   "ann",         "bob",    "olga",   "root",
					 "link url", "link cookie", "ticket", "bearer", "forged" };

static const char *
forged(void)
{
	struct token_keys ours = keys;
	const char *text;

	keys.current[0] ^= 1;
	text = token(TOKEN_SESSION, "root", NULL, 60);
	keys = ours;
	return text;
}

static struct gate_facts
facts_of(enum who who)
{
	static char bearer[TOKEN_MAX_BYTES + 16];
	static const char *const users[] = {
		[ANN] = "ann", [BOB] = "bob", [OLGA] = "olga", [ROOT] = "root"
	};
	struct gate_facts facts = { .origin = GATE_ORIGIN_OURS };

	switch (who) {
	case NOBODY:
	case WHO_COUNT:
		break;
	case ANN:
	case BOB:
	case OLGA:
	case ROOT:
		facts.cookies = cookie(GATE_COOKIE, token(TOKEN_SESSION, users[who], NULL, 60));
		break;
	case LINK_URL:
		facts.token = token(TOKEN_LINK, "", "door", 60);
		break;
	case LINK_COOKIE:
		facts.cookies = cookie(GATE_LINK_COOKIE, token(TOKEN_LINK, "", "door", 60));
		facts.scope = "door";
		break;
	case TICKET: {
		struct gate_identity link = { .way = GATE_WAY_LINK,
					      .claims = { .kind = TOKEN_LINK, .id = LINK_ID } };
		static char text[TOKEN_MAX_BYTES];

		link.claims.expires_s = gate_now_s(gate) + 60;
		ck_assert_int_eq(gate_make_ticket(gate, &link, "door", text), 0);
		facts.ticket = text;
		break;
	}
	case BEARER:
		snprintf(bearer, sizeof(bearer), "Bearer %s", token(TOKEN_BEARER, "", "door", 60));
		facts.authorization = bearer;
		break;
	case FORGED:
		facts.cookies = cookie(GATE_COOKIE, forged());
		break;
	}
	return facts;
}

/* For each right: nobody ann bob olga root url cookie ticket bearer forged. '+' yes, 'L' 401,
 * '-' 403. */
static const struct {
	enum gate_right right;
	const char *camera, *verdicts;
} matrix[] = {
	{ GATE_CLOSED, "", "----------" },           { GATE_CLOSED, "door", "----------" },
	{ GATE_PUBLIC, "", "++++++++++" },           { GATE_PUBLIC, "yard", "++++++++++" },
	{ GATE_VIEW_CAMERA, "door", "L++++++++L" },  { GATE_VIEW_CAMERA, "yard", "L-+-+----L" },
	{ GATE_VIEW_CAMERA, "doors", "L-+-+----L" }, { GATE_VIEW_CAMERA, "doo", "L-+-+----L" },
	{ GATE_VIEW_CAMERA, "", "L++++-+++L" },      { GATE_VIEW, "", "L++++-+++L" },
	{ GATE_OPERATE, "", "L--++----L" },          { GATE_RIGHTS, "", "----------" },
};

START_TEST(test_matrix)
{
	for (int who = NOBODY; who < WHO_COUNT; who++) {
		struct gate_facts facts = facts_of(who);
		enum gate_verdict verdict = decide(&facts, matrix[_i].right, matrix[_i].camera);
		char got = verdict == GATE_ALLOW ? '+' : verdict == GATE_LOGIN ? 'L' : '-';

		ck_assert_msg(verdict == GATE_ALLOW || verdict == GATE_LOGIN ||
				  verdict == GATE_FORBID,
			      "verdict %d", verdict);
		ck_assert_msg(got == matrix[_i].verdicts[who], "right %d, camera %s, %s: %c",
			      matrix[_i].right, matrix[_i].camera, who_names[who], got);
	}
}
END_TEST

/* A route that is not here has not been thought about. */
static const struct {
	const char *path;
	enum gate_right right;
	bool needs_stream;
} expected[] = {
	{ "/", GATE_VIEW, false },
	{ "/login", GATE_PUBLIC, false },
	{ "/logout", GATE_VIEW, false },
	{ "/api", GATE_VIEW, false },
	{ "/api/streams", GATE_VIEW, false },
	{ "/api/ticket", GATE_VIEW_CAMERA, false },
	{ "/api/ws", GATE_VIEW_CAMERA, false },
	{ "/api/stream.mp4", GATE_VIEW_CAMERA, true },
	{ "/api/stream.mjpeg", GATE_VIEW_CAMERA, true },
	{ "/api/frame.jpeg", GATE_VIEW_CAMERA, true },
	{ "/ws", GATE_VIEW, false },
	{ "/healthz", GATE_PUBLIC, false },
	{ "/metrics", GATE_OPERATE, false },
};

START_TEST(test_rights_of_routes)
{
	size_t n = 0;

	for (const struct route *route = routes; route->path != NULL; route++, n++) {
		ck_assert_uint_lt(n, sizeof(expected) / sizeof(expected[0]));
		ck_assert_str_eq(route->path, expected[n].path);
		ck_assert_int_eq(route->right, expected[n].right);
		ck_assert_int_eq(route->needs_stream, expected[n].needs_stream);
		/* Pictures are never for everybody. */
		if (route->action == ROUTE_VIEW)
			ck_assert(route->right == GATE_VIEW_CAMERA || route->right == GATE_VIEW);
	}
	ck_assert_uint_eq(n, sizeof(expected) / sizeof(expected[0]));
}
END_TEST

/* Without keys */

START_TEST(test_without_users_everybody_may)
{
	struct gate_facts facts = { .origin = GATE_ORIGIN_FOREIGN };
	struct gate *open = gate_new(fake_clock);
	struct gate_answer answer;
	json_t *msg = keys_message(NULL);

	json_object_set_new(msg, "required", json_false());
	ck_assert_int_eq(gate_set_keys(open, msg), 0);
	json_decref(msg);
	for (int right = GATE_PUBLIC; right < GATE_RIGHTS; right++) {
		gate_decide(open, &facts, right, "door", &answer);
		ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	}
	gate_decide(open, &facts, GATE_CLOSED, "door", &answer);
	ck_assert_int_eq(answer.verdict, GATE_FORBID);
	gate_free(&open);
}
END_TEST

START_TEST(test_nobody_comes_in_before_the_keys)
{
	struct gate *closed = gate_new(fake_clock);
	struct gate_facts facts = facts_of(ROOT);
	struct gate_answer answer;

	gate_decide(closed, &facts, GATE_VIEW_CAMERA, "door", &answer);
	ck_assert_int_eq(answer.verdict, GATE_WAIT);
	gate_decide(closed, &facts, GATE_PUBLIC, "", &answer);
	ck_assert_int_eq(answer.verdict, GATE_ALLOW);
	gate_free(&closed);
}
END_TEST

START_TEST(test_wrong_keys_change_nothing)
{
	struct gate_facts facts = facts_of(ANN);
	json_t *msg = keys_message(NULL);

	json_object_set_new(msg, "current", json_string("short"));
	ck_assert_int_eq(gate_set_keys(gate, msg), -EINVAL);
	json_object_set_new(msg, "current", json_string(KEY));
	json_array_append_new(json_object_get(msg, "users"), json_string("x y z"));
	ck_assert_int_eq(gate_set_keys(gate, msg), -EINVAL);
	json_decref(msg);
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_ALLOW);
}
END_TEST

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
	link = (struct gate_facts){ .token = token(TOKEN_LINK, "root", "door", 60) };
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
		const char *text = token(kind, kind == TOKEN_SESSION ? "ann" : "", "door", 60);
		struct gate_facts facts = { .cookies = cookie(GATE_COOKIE, text) };

		snprintf(bearer, sizeof(bearer), "Bearer %s", text);
		ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door") == GATE_ALLOW,
				 kind == TOKEN_SESSION);
		facts = (struct gate_facts){ .cookies = cookie(GATE_LINK_COOKIE, text),
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

START_TEST(test_a_link_opens_no_websocket_by_its_address)
{
	struct gate_facts facts = facts_of(LINK_URL);

	facts.is_upgrade = true;
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_LOGIN);
}
END_TEST

/* The link's cookie is sent only below the page of its camera, and counts only there. */
START_TEST(test_a_link_cookie_counts_in_its_scope)
{
	struct gate_facts facts = facts_of(LINK_COOKIE);

	facts.scope = NULL;
	ck_assert_int_eq(decide(&facts, GATE_VIEW_CAMERA, "door"), GATE_LOGIN);
	facts.scope = "yard";
	ck_assert_int_eq(decide(&facts, GATE_VIEW, ""), GATE_FORBID);
}
END_TEST

/* Pages of others */

enum { WITHOUT_ORIGIN = GATE_ORIGIN_NONE, OURS = GATE_ORIGIN_OURS, FOREIGN = GATE_ORIGIN_FOREIGN };

static const struct {
	int origin;
	bool is_upgrade, is_change, is_cross_site;
	bool cookie, basic, bearer; /* whether each counts */
} pages[] = {
	{ WITHOUT_ORIGIN, false, false, false, true, true, true }, /* a page is opened */
	{ OURS, false, false, false, true, true, true },
	{ OURS, true, false, false, true, true, true },
	{ OURS, false, true, false, true, true, true },
	{ WITHOUT_ORIGIN, true, false, false, false, true, true }, /* scripts send no cookies */
	{ WITHOUT_ORIGIN, false, true, false, false, true, true },
	{ FOREIGN, false, false, false, false, false, true },
	{ FOREIGN, true, false, false, false, false, true },
	{ FOREIGN, false, true, false, false, false, true },
	{ WITHOUT_ORIGIN, false, false, true, false, false, true }, /* <img> of another page */
};

static void
assert_counts(struct gate_facts facts, int page, bool counts, const char *what)
{
	facts.origin = pages[page].origin;
	facts.is_upgrade = pages[page].is_upgrade;
	facts.is_change = pages[page].is_change;
	facts.is_cross_site = pages[page].is_cross_site;
	ck_assert_msg((decide(&facts, GATE_VIEW_CAMERA, "door") == GATE_ALLOW) == counts,
		      "row %d: %s", page, what);
}

START_TEST(test_pages_of_others)
{
	struct access_password password = { .user = "ann", .password = "secret" };
	struct gate_facts basic = { .authorization = "Basic YW5uOnNlY3JldA==" };
	struct gate_facts link = facts_of(LINK_COOKIE);

	gate_password_right(gate, "192.0.2.7", &password);
	assert_counts(facts_of(ANN), _i, pages[_i].cookie, "session");
	assert_counts(link, _i, pages[_i].cookie, "link cookie");
	assert_counts((struct gate_facts){ .proxy_user = "ann" }, _i, pages[_i].cookie, "proxy");
	assert_counts(basic, _i, pages[_i].basic, "basic");
	assert_counts(facts_of(BEARER), _i, pages[_i].bearer, "bearer");
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
	facts.cookies = cookie(GATE_COOKIE, text);
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

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_gate");
	TCase *tcase = tcase_create("gate");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_matrix, 0, sizeof(matrix) / sizeof(matrix[0]));
	tcase_add_test(tcase, test_rights_of_routes);
	tcase_add_test(tcase, test_without_users_everybody_may);
	tcase_add_test(tcase, test_nobody_comes_in_before_the_keys);
	tcase_add_test(tcase, test_wrong_keys_change_nothing);
	tcase_add_test(tcase, test_tokens_end);
	tcase_add_test(tcase, test_users_are_as_they_are_now);
	tcase_add_test(tcase, test_kinds_are_not_mixed_up);
	tcase_add_test(tcase, test_a_ticket_opens_once);
	tcase_add_test(tcase, test_a_ticket_buys_no_ticket);
	tcase_add_test(tcase, test_new_keys_end_what_is_open);
	tcase_add_test(tcase, test_a_link_opens_no_websocket_by_its_address);
	tcase_add_test(tcase, test_a_link_cookie_counts_in_its_scope);
	tcase_add_loop_test(tcase, test_pages_of_others, 0, sizeof(pages) / sizeof(pages[0]));
	tcase_add_test(tcase, test_passwords_are_asked_for);
	tcase_add_test(tcase, test_too_many_passwords);
	tcase_add_test(tcase, test_what_a_session_is);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
