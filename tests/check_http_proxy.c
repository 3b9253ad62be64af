/*
 * Behind a proxy that ends TLS: cookies that travel no other way, origins that are ours; names by
 * which a machine may be called that serves itself alone; and how much of it all is written down.
 */
#include "config.h"

#include "tests/check_http_rig.h"

#include "http/audit.h"
#include "http/gate.h"
#include "http/login.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY     "4444444444444444444444444444444444444444444444444444444444444444"
#define LINK_ID "BBBBBBBBBBBBBBBBBBBBBA"
#define HTTPS   "X-Forwarded-Proto: https\r\n"
#define FOR     "X-Forwarded-For: 192.0.2.7\r\n"
#define WEBSOCKET                                                                                  \
	"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"               \
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

/* proxy: its address, believed; NULL: none is. */
static json_t *
keys_of(const char *proxy)
{
	json_t *msg =
	    json_pack("{s:s, s:b, s:s, s:[], s:[s, s]}", "type", "access-keys", "required", 1,
		      "current", KEY, "revoked", "users", "ann viewer door", "bob operator *");

	if (proxy != NULL)
		json_object_update_new(msg, json_pack("{s:s, s:[s]}", "proxy_header",
						      "X-Forwarded-For", "proxy_from", proxy));
	return msg;
}

static struct rig *
start(struct loop *loop, const char *proxy)
{
	struct rig *rig =
	    rig_start(loop, json_pack("{s:[s]}", "origins", "https://cams.example.net"));

	peer_send_msg(rig->sup, keys_of(proxy), -1);
	rig_stream(rig, 1, "door", "down", "no route");
	rig_synced(rig);
	return rig;
}

/* The answer to a login with these lines; the supervisor says that the password is right. */
static const char *
log_in(struct rig *rig, const char *lines)
{
	static const char form[] = "user=ann&password=secret";
	struct peer *browser = rig_connect(rig);
	char *request = xasprintf("POST /login HTTP/1.1\r\nHost: cam.example\r\n%s"
				  "Content-Type: application/x-www-form-urlencoded\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
				  lines, strlen(form), form);
	const json_t *question;

	peer_send_text(browser, request);
	peer_run(browser, 0);
	free(request);
	question = peer_get_msg(rig->sup, MSG_AUTH_CHECK, 0);
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:I, s:b}", "type", "auth-result", "id",
				(json_int_t)msg_int(question, "id", 0), "ok", 1),
		      -1);
	peer_run(rig->sup, 0);
	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 ");
	peer_run(browser, 0);
	return peer_last(browser, NULL);
}

static bool
is_secure(const char *head)
{
	const char *cookie = strstr(head, "Set-Cookie: " GATE_COOKIE "=v1.");

	ck_assert_msg(cookie != NULL, "%s", head);
	return strstr(cookie, "; HttpOnly; SameSite=Strict; Secure\r\n") != NULL;
}

START_ASYNC_TEST(test_cookies_of_a_proxy, .hold_time = true)
{
	struct rig *rig = start(loop, "127.0.0.1");

	ck_assert(is_secure(log_in(rig, FOR HTTPS)));
	ck_assert(is_secure(log_in(rig, FOR "X-Forwarded-Proto: HTTPS\r\n")));
	ck_assert(is_secure(log_in(rig, "Origin: https://cams.example.net\r\n" FOR)));
	ck_assert(!is_secure(log_in(rig, FOR)));
	ck_assert(!is_secure(log_in(rig, "Origin: http://cam.example\r\n" FOR)));
	ck_assert(!is_secure(log_in(rig, FOR "X-Forwarded-Proto: http\r\n")));
	/* One of them is the viewer's own. */
	ck_assert(!is_secure(log_in(rig, FOR HTTPS HTTPS)));
	ck_assert(!is_secure(log_in(rig, FOR "X-Forwarded-Proto: http, https\r\n")));
	async_complete(loop);
}
END_ASYNC_TEST

/* Who is not that proxy may say what he likes. */
START_ASYNC_TEST(test_cookies_of_others, .hold_time = true)
{
	struct rig *rig = start(loop, "192.0.2.1");

	ck_assert(!is_secure(log_in(rig, HTTPS)));
	peer_send_msg(rig->sup, keys_of(NULL), -1);
	ck_assert(!is_secure(log_in(rig, HTTPS)));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_cookie_of_a_link, .hold_time = true)
{
	struct rig *rig = start(loop, "127.0.0.1");
	struct token_keys keys = { .has_previous = false };
	struct token_claims claims = { .kind = TOKEN_LINK,
				       .id = LINK_ID,
				       .cameras = { "door" },
				       .n_cameras = 1,
				       .expires_s = front_now_ms(rig->front) / 1000 + 60 };
	char text[TOKEN_MAX_BYTES], path[TOKEN_MAX_BYTES + 16];
	json_t *msg = keys_of(NULL);

	ck_assert_int_eq(token_keys_from_msg(msg, &keys), 0);
	json_decref(msg);
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), 0);
	token_keys_clear(&keys);
	snprintf(path, sizeof(path), "/door?token=%s", text);
	ck_assert_ptr_nonnull(
	    strstr(rig_get(rig_connect(rig), path, FOR HTTPS), "SameSite=Strict; Secure\r\n"));
	ck_assert_ptr_nonnull(strstr(rig_get(rig_connect(rig), path, FOR), "SameSite=Strict\r\n"));
	async_complete(loop);
}
END_ASYNC_TEST

static int
upgrade(struct rig *rig, const char *session, const char *lines)
{
	char *all = xasprintf("Cookie: " GATE_COOKIE "=%s\r\n" WEBSOCKET "%s", session, lines);
	int status = atoi(rig_get(rig_connect(rig), "/ws", all) + 9);

	free(all);
	return status;
}

/* An https page of the same name is another server's, unless a proxy that we know shows it. */
START_ASYNC_TEST(test_origins_of_a_proxy, .hold_time = true)
{
	struct rig *rig = start(loop, "127.0.0.1");
	char session[TOKEN_MAX_BYTES];

	ck_assert_int_eq(gate_make_session(rig->front->gate, "ann", session), 0);
	ck_assert_int_eq(upgrade(rig, session, "Origin: https://cam.example\r\n" FOR HTTPS), 101);
	ck_assert_int_eq(upgrade(rig, session, "Origin: https://cams.example.net\r\n" FOR), 101);
	ck_assert_int_eq(upgrade(rig, session, "Origin: http://cam.example\r\n" FOR), 101);
	ck_assert_int_eq(upgrade(rig, session, "Origin: https://cam.example\r\n" FOR), 401);
	ck_assert_int_eq(upgrade(rig, session, "Origin: http://cam.example\r\n" FOR HTTPS), 401);
	peer_send_msg(rig->sup, keys_of(NULL), -1);
	ck_assert_int_eq(upgrade(rig, session, "Origin: https://cam.example\r\n" HTTPS), 401);
	async_complete(loop);
}
END_ASYNC_TEST

/* Without users, and with no listener but on loopback, few names are ours (rig_get() asks
 * cam.example). */
START_ASYNC_TEST(test_names_of_this_machine, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);

	rig_synced(rig);
	/* The rig says that others reach it. */
	ck_assert(rig->front->is_reached);
	ck_assert_int_eq(atoi(rig_get(rig_connect(rig), "/api", "") + 9), 200);
	rig->front->is_reached = false;
	ck_assert_int_eq(atoi(rig_get(rig_connect(rig), "/api", "") + 9), 421);
	/* Where people log in, what a name shows is nothing. */
	peer_send_msg(rig->sup, keys_of(NULL), -1);
	ck_assert_int_eq(atoi(rig_get(rig_connect(rig), "/api", "") + 9), 401);
	async_complete(loop);
}
END_ASYNC_TEST

/* However many come and go: so many lines in a second, and how many were left out. */
START_ASYNC_TEST(test_watching_is_written_down, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct pass pass = { .front = rig->front };
	struct watch watch = { .pass = &pass, .id = 1, .stream = "door", .transport = "ws" };

	for (int i = 0; i < 500; i++)
		audit_watch(&watch, i % 2 == 0);
	ck_assert_uint_eq(log_count("audit: {\"event\":\"watch"), 200);
	/* What else happens has lines of its own. */
	audit_event(rig->front, "login-failed", NULL, "", "192.0.2.7", "");
	expect_log("audit: {\"event\":\"login-failed\"");
	loop_run_for_ms(loop, 1000);
	audit_watch(&watch, true);
	expect_log("audit: {\"event\":\"suppressed\",\"of\":\"watch\",\"lines\":300}");
	ck_assert_uint_eq(log_count("audit: {\"event\":\"watch"), 201);
	ck_assert_uint_eq(log_count("suppressed"), 1);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_proxy");
	TCase *tcase = tcase_create("proxy");

	tcase_add_test(tcase, test_cookies_of_a_proxy);
	tcase_add_test(tcase, test_cookies_of_others);
	tcase_add_test(tcase, test_the_cookie_of_a_link);
	tcase_add_test(tcase, test_origins_of_a_proxy);
	tcase_add_test(tcase, test_names_of_this_machine);
	tcase_add_test(tcase, test_watching_is_written_down);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
