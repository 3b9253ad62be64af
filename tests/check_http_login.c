/*
 * Coming in, and being sent away: the front between a supervisor that knows the users and browsers
 * that are some of them.
 */
#include "config.h"

#include "tests/check_http_login_rig.h"

#include "http/access_ask.h"
#include "shared/xalloc.h"

#include <string.h>

/* The supervisor is asked, and answers. */
static void
answer_check(struct rig *rig, const char *user, const char *password, const char *field)
{
	const json_t *asked = peer_get_msg(rig->sup, MSG_AUTH_CHECK, 0);
	json_t *answer;

	ck_assert_str_eq(msg_str(asked, "user"), user);
	ck_assert_str_eq(msg_str(asked, "password"), password);
	answer = json_pack("{s:s, s:I, s:b}", "type", "auth-result", "id",
			   (json_int_t)msg_int(asked, "id", 0), "ok", strcmp(field, "ok") == 0);
	if (strcmp(field, "busy") == 0)
		json_object_set_new(answer, "busy", json_true());
	peer_send_msg(rig->sup, answer, -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

/* Pages */

START_ASYNC_TEST(test_nobody_gets_nothing, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	const char *head;

	for (const char *const *path = (const char *const[]){ "/api",
							      "/api/streams",
							      "/api/streams?src=door",
							      "/api/streams?src=nosuch",
							      "/api/frame.jpeg?src=door",
							      "/api/frame.jpeg?src=nosuch",
							      "/api/frame.jpeg",
							      "/api/stream.mp4?src=door",
							      "/api/stream.mjpeg?src=door",
							      "/api/ws?src=door",
							      "/ws",
							      "/metrics",
							      "/api/analysers",
							      "/",
							      "/door",
							      "/nosuch",
							      "/door/",
							      "/door/api/streams",
							      "/no.such",

							      "/%64oor",
							      "/door%2f",
							      "/./door",
							      NULL };
	     *path != NULL; path++)
		login_assert_status(rig, *path, "", 401);
	/* What shows nothing. */
	login_assert_status(rig, "/healthz", "", 200);
	login_assert_status(rig, "/style.css", "", 200);
	login_assert_status(rig, "/login", "", 200);
	/* People are led to the login, and back afterwards. */
	head = login_get(rig, "/door", "Accept: text/html\r\n");
	ck_assert_mem_eq(head, "HTTP/1.1 303 ", 13);
	ck_assert_str_eq(rig_header(head, "Location"), "login?next=door");
	/* Scripts are told how; a browser would ask in a window of its own. */
	head = login_get(rig, "/api/streams", "");
	ck_assert_ptr_nonnull(strstr(head, "WWW-Authenticate: Basic realm=\"camhub\""));
	head = login_get(rig, "/api/streams", "User-Agent: Mozilla/5.0\r\n");
	ck_assert_ptr_null(strstr(head, "Basic"));
	ck_assert_ptr_nonnull(strstr(head, "WWW-Authenticate: Bearer"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_login_and_logout, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	char *head, *lines;

	log_forbid("s3cret w&rd");
	login_post(browser, "/login", OURS, "user=ann&password=s3cret+w%26rd&next=door");
	answer_check(rig, "ann", "s3cret w&rd", "ok");
	head = login_next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	ck_assert_ptr_nonnull(
	    strstr(head, "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict\r\n"));
	lines = login_cookie_of(head);
	ck_assert_str_eq(rig_body(browser, head, NULL), "{\"next\":\"./door\"}");
	free(head);
	expect_log("audit: {\"event\":\"login\",\"address\":\"127.0.0.1\",\"user\":\"ann\"}");
	/* She sees her camera, and no other; whether those exist is not told. */
	login_assert_only(rig, "/api/streams", lines, "door");
	login_assert_status(rig, "/", lines, 200);
	login_assert_status(rig, "/door", lines, 200);
	login_assert_status(rig, "/yard", lines, 403);
	login_assert_status(rig, "/nosuch", lines, 403);
	login_assert_status(rig, "/api/streams?src=yard", lines, 403);
	login_assert_status(rig, "/api/streams?src=nosuch", lines, 403);
	login_assert_status(rig, "/api/frame.jpeg?src=yard.sub", lines, 403);
	login_assert_status(rig, "/api/frame.jpeg?src=door.nosuch", lines, 400);
	login_assert_status(rig, "/metrics", lines, 403);
	login_assert_status(rig, "/api/analysers", lines, 403);
	browser = rig_connect(rig);
	login_post(browser, "/logout", lines, "");
	peer_expect_msg(rig->sup, MSG_ACCESS_REVOKE, NULL);
	peer_run(rig->sup, 0);
	head = login_next_head(browser);
	ck_assert_ptr_nonnull(strstr(head, GATE_COOKIE "=; Path=/; Max-Age=0;"));
	free(head);
	free(lines);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wrong_password_waits_alone, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	char *head;

	log_forbid("guess");
	login_post(browser, "/login", "", "user=ann&password=guess");
	answer_check(rig, "ann", "guess", "wrong");
	loop_run_for_ms(loop, ACCESS_ASK_WRONG_MS - 1);
	/* Nobody else waits. */
	login_assert_status(rig, "/healthz", "", 200);
	ck_assert(log_count("login-failed") == 0);
	loop_run_for_ms(loop, 1);
	head = login_next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 401 ", 13);
	ck_assert_ptr_null(strstr(head, "Set-Cookie"));
	free(head);
	expect_log("audit: {\"event\":\"login-failed\"");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_too_many_tries, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	char *head;

	for (int i = 0; i < 10; i++) {
		struct peer *browser = rig_connect(rig);

		login_post(browser, "/login", "", "user=ann&password=guess");
		answer_check(rig, "ann", "guess", "wrong");
		loop_run_for_ms(loop, ACCESS_ASK_WRONG_MS);
		head = login_next_head(browser);
		ck_assert_mem_eq(head, "HTTP/1.1 401 ", 13);
		free(head);
		if (i == 0)
			loop_run_for_ms(loop, 0);
	}
	/* Time went on meanwhile, for one try more and a bit. */
	for (int i = 0; i < 2; i++) {
		struct peer *browser = rig_connect(rig);

		login_post(browser, "/login", "", "user=ann&password=guess");
		if (i == 0) {
			answer_check(rig, "ann", "guess", "wrong");
			loop_run_for_ms(loop, ACCESS_ASK_WRONG_MS);
		}
		head = login_next_head(browser);
		ck_assert_int_eq(atoi(head + 9), i == 0 ? 401 : 429);
		if (i == 1)
			ck_assert_int_gt(atoi(rig_header(head, "Retry-After")), 0);
		free(head);
	}
	peer_assert_no_msg(rig->sup);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nobody_checks, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	struct peer *browser = rig_connect(rig), *gone;
	char *head;

	login_post(browser, "/login", "", "user=ann&password=guess");
	answer_check(rig, "ann", "guess", "busy");
	head = login_next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 503 ", 13);
	free(head);
	browser = rig_connect(rig);
	login_post(browser, "/login", "", "user=ann&password=guess");
	peer_get_msg(rig->sup, MSG_AUTH_CHECK, 0);
	login_let_pass(rig, ACCESS_ASK_LIMIT_MS / 1000);
	head = login_next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 503 ", 13);
	free(head);
	/* The answer to one that went away is for nobody. */
	gone = rig_connect(rig);
	login_post(gone, "/login", "", "user=ann&password=guess");
	loop_settle(loop);
	peer_reset(gone);
	peer_run(gone, 0);
	loop_settle(loop);
	answer_check(rig, "ann", "guess", "ok");
	login_assert_status(rig, "/healthz", "", 200);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_basic, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	struct peer *script = rig_connect(rig);
	char *head;

	peer_send_text(script, "GET /door HTTP/1.1\r\nHost: cam.example\r\n"
			       "Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n");
	peer_run(script, 0);
	answer_check(rig, "ann", "secret", "ok");
	head = login_next_head(script);
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	free(head);
	/* Remembered: nobody is asked. */
	login_assert_status(rig, "/api/streams", "Authorization: Basic YW5uOnNlY3JldA==\r\n", 200);
	login_assert_status(rig, "/yard", "Authorization: Basic YW5uOnNlY3JldA==\r\n", 403);
	login_assert_status(rig, "/", "Authorization: Basic nonsense\r\n", 401);
	peer_assert_no_msg(rig->sup);
	/* A right password of somebody who is no user of ours any more. */
	script = rig_connect(rig);
	peer_send_text(script, "GET / HTTP/1.1\r\nHost: cam.example\r\n"
			       "Authorization: Basic ZXZlOnNlY3JldA==\r\n\r\n");
	peer_run(script, 0);
	answer_check(rig, "eve", "secret", "ok");
	head = login_next_head(script);
	ck_assert_mem_eq(head, "HTTP/1.1 401 ", 13);
	free(head);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_what_is_posted, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	char *cookie = login_cookie_line(rig, "root");
	char *no_origin = xstrdup(cookie);
	static const struct {
		const char *path, *lines, *form;
		int status;
	} rows[] = {
		/* Somebody else's page logs nobody in here. */
		{ "/login", "Origin: http://evil.example\r\n", "user=ann&password=x", 403 },
		{ "/login", "Origin: null\r\n", "user=ann&password=x", 403 },
		{ "/login", "", "user=&password=x", 400 },
		{ "/login", "", "password=x", 400 },
		{ "/login", "", "", 400 },
		{ "/logout", "", "", 401 },
		{ "/api/ticket?src=door", "", "", 401 },
		{ "/api/streams", "", "", 405 },
		{ "/door", "", "", 405 },
	};

	*strstr(no_origin, OURS) = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer *browser = rig_connect(rig);
		char *head;

		login_post(browser, rows[i].path, rows[i].lines, rows[i].form);
		head = login_next_head(browser);
		ck_assert_msg(atoi(head + 9) == rows[i].status, "row %zu: %s", i, head);
		free(head);
	}
	/* A cookie without the name of our page is not enough to change anything. */
	for (int i = 0; i < 2; i++) {
		struct peer *browser = rig_connect(rig);
		char *head;

		login_post(browser, "/api/ticket?src=door", i == 0 ? no_origin : cookie, "");
		head = login_next_head(browser);
		ck_assert_int_eq(atoi(head + 9), i == 0 ? 401 : 200);
		free(head);
	}
	free(cookie);
	free(no_origin);
	peer_assert_no_msg(rig->sup);
	async_complete(loop);
}
END_ASYNC_TEST

/* An operator of some cameras: the names of the others are none of his business here either. */
START_ASYNC_TEST(test_metrics, .hold_time = true)
{
	struct rig *rig = login_start(
	    loop, json_pack("{s:[s, s]}", "users", "ann operator door", "root operator *"));
	struct peer *browser = rig_connect(rig);
	char *lines = login_cookie_line(rig, "ann"), *head;
	const json_t *one;
	const char *body;
	json_t *list;

	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i, s:s, s:[s, s], s:s, s:i}", "type", "analyser", "id", 1,
				"name", "people", "streams", "yard", "door", "endpoint", "", "uid",
				0),
		      -1);
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i, s:s, s:[s], s:s, s:i}", "type", "analyser", "id", 2,
				"name", "secret", "streams", "yard", "endpoint", "", "uid", 0),
		      -1);
	peer_run(rig->sup, 0);
	head = xstrdup(rig_get(browser, "/api/analysers", lines));
	list = json_loads(rig_body(browser, head, NULL), 0, NULL);
	ck_assert_uint_eq(json_array_size(list), 1);
	one = json_array_get(list, 0);
	ck_assert_str_eq(msg_str(one, "name"), "people");
	ck_assert_uint_eq(json_array_size(json_object_get(one, "streams")), 1);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(one, "streams"), 0)),
			 "door");
	json_decref(list);
	free(head);
	head = xstrdup(rig_get(browser, "/metrics", lines));
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	body = rig_body(browser, head, NULL);
	ck_assert_ptr_nonnull(strstr(body, "camhub_stream_up{stream=\"door\"} 0\n"));
	ck_assert_ptr_null(strstr(body, "yard"));
	ck_assert_ptr_nonnull(strstr(body, "camhub_analyser_connected{analyser=\"people\","));
	ck_assert_ptr_null(strstr(body, "secret"));
	free(head);
	free(lines);
	async_complete(loop);
}
END_ASYNC_TEST

/* Today's way: no users, nobody has to be anybody, and nothing is written about them. */
START_ASYNC_TEST(test_without_users, .hold_time = true)
{
	struct rig *rig = login_start(loop, json_pack("{s:b, s:[]}", "required", 0, "users"));

	login_assert_status(rig, "/", "", 200);
	login_assert_status(rig, "/metrics", "", 200);
	login_assert_status(rig, "/door", "Authorization: Basic YW5uOnNlY3JldA==\r\n", 200);
	login_assert_status(rig, "/door/", "", 404);
	login_assert_status(rig, "/ws", WEBSOCKET, 101);
	ck_assert_uint_eq(log_count("audit:"), 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_login");
	TCase *login = tcase_create("login");

	tcase_add_test(login, test_nobody_gets_nothing);
	tcase_add_test(login, test_login_and_logout);
	tcase_add_test(login, test_wrong_password_waits_alone);
	tcase_add_test(login, test_too_many_tries);
	tcase_add_test(login, test_nobody_checks);
	tcase_add_test(login, test_basic);
	tcase_add_test(login, test_what_is_posted);
	tcase_add_test(login, test_metrics);
	tcase_add_test(login, test_without_users);
	suite_add_tcase(suite, login);
	return suite;
}

HARNESS_MAIN(make_suite)
