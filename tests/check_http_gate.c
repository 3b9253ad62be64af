/*
 * Who may do what: every route for everybody and every camera, and for pages of others.
 */
#include "config.h"

#include "tests/check_http_gate_rig.h"

#include "http/handlers.h"
#include "http/route.h"

#include <errno.h>

/* The matrix */

static const char *const who_names[] = { "nobody",   "ann",         "bob",    "olga",   "root",
					 "link url", "link cookie", "ticket", "bearer", "forged" };

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
	{ "/api/analysers", GATE_OPERATE, false },
	{ "/api/ticket", GATE_VIEW_CAMERA, false },
	{ "/api/ws", GATE_VIEW_CAMERA, false },
	{ "/api/stream.mp4", GATE_VIEW_CAMERA, true },
	{ "/api/stream.mjpeg", GATE_VIEW_CAMERA, true },
	{ "/api/frame.jpeg", GATE_VIEW_CAMERA, true },
	{ "/api/webrtc", GATE_VIEW_CAMERA, true },
	{ "/ws", GATE_VIEW, false },
	{ "/healthz", GATE_PUBLIC, false },
	{ "/metrics", GATE_OPERATE, false },
	{ ROUTE_WHEP, GATE_VIEW_CAMERA, true },
	{ ROUTE_WHEP_SESSION, GATE_VIEW_CAMERA, true },
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

/* Links */

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

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_gate");
	TCase *tcase = tcase_create("gate");

	tcase_add_checked_fixture(tcase, gate_setup, gate_teardown);
	tcase_add_loop_test(tcase, test_matrix, 0, sizeof(matrix) / sizeof(matrix[0]));
	tcase_add_test(tcase, test_rights_of_routes);
	tcase_add_test(tcase, test_without_users_everybody_may);
	tcase_add_test(tcase, test_nobody_comes_in_before_the_keys);
	tcase_add_test(tcase, test_wrong_keys_change_nothing);
	tcase_add_test(tcase, test_a_link_opens_no_websocket_by_its_address);
	tcase_add_test(tcase, test_a_link_cookie_counts_in_its_scope);
	tcase_add_loop_test(tcase, test_pages_of_others, 0, sizeof(pages) / sizeof(pages[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
