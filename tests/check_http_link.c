/*
 * Links and tickets, those who watch, and what makes them end; who comes by a proxy.
 */
#include "config.h"

#include "tests/check_http_login_rig.h"

#include "shared/xalloc.h"

#include <string.h>

#define NEW_KEY "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Links */

START_ASYNC_TEST(test_link, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	char *token = login_make_token(rig, TOKEN_LINK, "", "door", 3600, 0), *path, *lines, *head;
	struct peer *browser = rig_connect(rig);

	log_forbid(strrchr(token, '.') + 1);
	path = xasprintf("/door?token=%s", token);
	head = xstrdup(rig_get(browser, path, "Accept: text/html\r\n"));
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	ck_assert_ptr_nonnull(
	    strstr(head, "; Path=/door/; Max-Age=3600; HttpOnly; SameSite=Strict\r\n"));
	lines = login_cookie_of(head);
	ck_assert_ptr_nonnull(strstr(rig_body(browser, head, NULL), "url=/door/\""));
	free(head);
	/* Below its page there is a whole server, with one camera. */
	login_assert_only(rig, "/door/api/streams", lines, "door");
	login_assert_status(rig, "/door/", lines, 200);
	login_assert_status(rig, "/door/api", lines, 200);
	login_assert_status(rig, "/door/style.css", lines, 200);
	login_assert_status(rig, "/door/ws", "", 401);
	login_assert_status(rig, "/door/api/frame.jpeg?src=yard", lines, 403);
	login_assert_status(rig, "/door/metrics", lines, 403);
	login_assert_status(rig, "/door/api/analysers", lines, 403);
	login_assert_status(rig, "/yard/api/streams", lines, 403);
	/* Elsewhere it is nobody's. */
	login_assert_status(rig, "/api/streams", lines, 401);
	login_assert_status(rig, "/door", lines, 401);
	free(path);
	path = xasprintf("%s" WEBSOCKET, lines);
	login_assert_status(rig, "/door/ws", path, 101);
	free(path);
	/* Its address shows pictures of its camera, and opens nothing else. */
	path = xasprintf("/api/stream.mp4?src=yard&token=%s", token);
	login_assert_status(rig, path, "", 403);
	free(path);
	path = xasprintf("/api/streams?token=%s", token);
	login_assert_status(rig, path, "", 403);
	free(path);
	path = xasprintf("/api/ws?src=door&token=%s", token);
	login_assert_status(rig, path, WEBSOCKET, 401);
	free(path);
	free(lines);
	free(token);
	async_complete(loop);
}
END_ASYNC_TEST

/* A page of somebody else, with a link: swaps it for a ticket, opens a socket with that. */
START_ASYNC_TEST(test_ticket, .hold_time = true)
{
	struct rig *rig =
	    rig_start(loop, json_pack("{s:[s]}", "embed_origins", "https://shop.example"));
	struct peer *browser = rig_connect(rig);
	char *token, *form, *head, *path;
	json_t *answer;

	harness_defer(login_forget_keys, NULL);
	login_send_keys(rig, NULL);
	rig_stream(rig, 1, "door", "down", "no route");
	rig_synced(rig);
	token = login_make_token(rig, TOKEN_LINK, "", "door", 3600, 1);
	form = xasprintf("token=%s", token);
	login_post(browser, "/api/ticket?src=door", "Origin: https://shop.example\r\n", form);
	head = login_next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	ck_assert_str_eq(rig_header(head, "Access-Control-Allow-Origin"), "https://shop.example");
	ck_assert_ptr_null(strstr(head, "Allow-Credentials"));
	answer = json_loads(rig_body(browser, head, NULL), 0, NULL);
	path = xasprintf("/ws?ticket=%s", msg_str(answer, "ticket"));
	json_decref(answer);
	free(head);
	login_assert_status(rig, path, "Origin: https://shop.example\r\n" WEBSOCKET, 101);
	login_assert_status(rig, path, "Origin: https://shop.example\r\n" WEBSOCKET, 401);
	free(path);
	/* One viewer is what it is for. */
	browser = rig_connect(rig);
	login_post(browser, "/api/ticket?src=door", "", form);
	head = login_next_head(browser);
	answer = json_loads(rig_body(browser, head, NULL), 0, NULL);
	path = xasprintf("/ws?ticket=%s", msg_str(answer, "ticket"));
	json_decref(answer);
	free(head);
	login_assert_status(rig, path, WEBSOCKET, 403);
	free(path);
	free(form);
	free(token);
	async_complete(loop);
}
END_ASYNC_TEST

/* Those who watch */

static struct peer *
watch_as(struct rig *rig, const char *user)
{
	struct peer *browser = rig_connect(rig);
	char *cookie = login_cookie_line(rig, user), *lines = xasprintf("%s" WEBSOCKET, cookie);
	const char *head = rig_get(browser, "/ws", lines);

	ck_assert_mem_eq(head, "HTTP/1.1 101 ", 13);
	free(cookie);
	free(lines);
	return browser;
}

static void
subscribe(struct peer *browser, int id, const char *camera)
{
	char *text = xasprintf("{\"type\":\"subscribe\",\"id\":%d,\"src\":\"%s\","
			       "\"forms\":[\"unit\",\"fmp4\",\"jpeg\"]}",
			       id, camera);

	rig_ws_send(browser, text);
	free(text);
}

START_ASYNC_TEST(test_a_wall_shows_what_its_viewer_may_see, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	struct peer *browser = watch_as(rig, "ann");
	const json_t *message;

	subscribe(browser, 1, "yard");
	message = rig_ws_expect_json(browser, "error");
	ck_assert_str_eq(msg_str(message, "code"), "denied");
	subscribe(browser, 2, "nosuch");
	ck_assert_str_eq(msg_str(rig_ws_expect_json(browser, "error"), "code"), "denied");
	subscribe(browser, 3, "door");
	rig_ws_expect_json(browser, "state");
	peer_get_msg(rig->sup, MSG_WANT, 0);
	ck_assert_uint_eq(peer_msg_count(rig->sup, MSG_WATCHER), 1);
	expect_log("audit: {\"event\":\"watch\",\"user\":\"ann\",\"way\":\"session\"");
	/* The same id for another camera: no way around. */
	subscribe(browser, 3, "yard");
	rig_ws_expect_json(browser, "error");
	peer_close(browser);
	peer_run(browser, 0);
	peer_get_msg(rig->sup, MSG_WANT, 0);
	ck_assert_uint_eq(peer_msg_count(rig->sup, MSG_WATCHER_GONE), 1);
	expect_log("audit: {\"event\":\"watched\",\"user\":\"ann\"");
	async_complete(loop);
}
END_ASYNC_TEST

static void
revoke(struct rig *rig)
{
	login_send_keys(rig, json_pack("{s:[s]}", "revoked", LINK_ID));
}

static void
lose_user(struct rig *rig)
{
	login_send_keys(rig, json_pack("{s:[s]}", "users", "bob viewer *"));
}

static void
lose_camera(struct rig *rig)
{
	login_send_keys(rig, json_pack("{s:[s, s]}", "users", "ann viewer yard", "bob viewer *"));
}

static void
expire(struct rig *rig)
{
	peer_get_msg(rig->sup, MSG_WANT, 0);
	login_let_pass(rig, SESSION_S - 2);
	ck_assert(!LIST_EMPTY(&rig->front->walls));
	loop_run_for_ms(rig->loop, 3000);
}

static void
kick(struct rig *rig)
{
	peer_send_msg(rig->sup, json_pack("{s:s, s:i}", "type", "kick", "id", 1), -1);
	/* What came by a token is over, or the page would be back in a second. */
	peer_await_msg(rig->sup, MSG_ACCESS_REVOKE, json_pack("{s:s}", "id", LINK_ID));
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

/* camctl revoke --all */
static void
revoke_all(struct rig *rig)
{
	login_send_keys(rig, json_pack("{s:s}", "current", NEW_KEY));
}

static void (*const ends[])(struct rig *) = { revoke,      revoke_all, lose_user,
					      lose_camera, expire,     kick };

START_ASYNC_TEST(test_viewers_are_sent_away, .hold_time = true)
{
	struct rig *rig = login_start(loop, NULL);
	struct peer *browser = watch_as(rig, "ann");

	subscribe(browser, 1, "door");
	rig_ws_expect_json(browser, "state");
	/* Nothing that concerns others. */
	login_send_keys(rig, NULL);
	ck_assert(!LIST_EMPTY(&rig->front->walls));
	ends[_i](rig);
	loop_settle(loop);
	ck_assert(LIST_EMPTY(&rig->front->walls));
	peer_drain_until_close(browser);
	peer_run(browser, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_behind_a_proxy, .hold_time = true)
{
	struct rig *rig = login_start(loop, json_pack("{s:s, s:s, s:[s]}", "proxy_header",
						      "X-Forwarded-For", "proxy_user_header",
						      "X-Remote-User", "proxy_from", "127.0.0.1"));

	login_assert_status(rig, "/door", "X-Remote-User: ann\r\nX-Forwarded-For: 192.0.2.7\r\n",
			    200);
	login_assert_status(rig, "/yard", "X-Remote-User: ann\r\nX-Forwarded-For: 192.0.2.7\r\n",
			    403);
	expect_log("audit: {\"event\":\"denied\",\"address\":\"192.0.2.7\"");
	login_assert_status(rig, "/door", "X-Remote-User: eve\r\n", 401);
	/* A proxy that adds its line to those of the viewer names two. */
	login_assert_status(rig, "/door", "X-Remote-User: ann\r\nX-Remote-User: bob\r\n", 401);
	login_assert_status(rig, "/door", "", 401);
	/* Whoever is not that proxy may say what he wants. */
	login_send_keys(rig,
			json_pack("{s:s, s:s, s:[s]}", "proxy_header", "X-Forwarded-For",
				  "proxy_user_header", "X-Remote-User", "proxy_from", "192.0.2.1"));
	login_assert_status(rig, "/door", "X-Remote-User: ann\r\n", 401);
	async_complete(loop);
}
END_ASYNC_TEST

#define AT_7 "X-Remote-User: bob\r\nX-Forwarded-For: 192.0.2.7\r\n"
#define AT_8 "X-Remote-User: bob\r\nX-Forwarded-For: 192.0.2.8\r\n"

/* All come from the proxy's address: those that it names are the ones to be limited. */
START_ASYNC_TEST(test_crowds_behind_a_proxy, .hold_time = true)
{
	struct rig *rig = rig_start(loop, json_pack("{s:i}", "max_per_address", 1));
	struct peer *viewer;

	harness_defer(login_forget_keys, NULL);
	login_send_keys(rig,
			json_pack("{s:s, s:s, s:[s]}", "proxy_header", "X-Forwarded-For",
				  "proxy_user_header", "X-Remote-User", "proxy_from", "127.0.0.1"));
	rig_synced(rig);
	viewer = rig_connect(rig);
	ck_assert_mem_eq(rig_get(viewer, "/ws", AT_7 OURS WEBSOCKET), "HTTP/1.1 101 ", 13);
	login_assert_status(rig, "/api", AT_7, 429);
	/* A connection that the proxy keeps is nobody's between requests. */
	login_assert_status(rig, "/api", AT_8, 200);
	login_assert_status(rig, "/api", AT_8, 200);
	peer_close(viewer);
	peer_run(viewer, 0);
	loop_settle(loop);
	login_assert_status(rig, "/api", AT_7, 200);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_link");
	TCase *links = tcase_create("links"), *watching = tcase_create("watching");

	tcase_add_test(links, test_link);
	tcase_add_test(links, test_ticket);
	suite_add_tcase(suite, links);
	tcase_add_test(watching, test_a_wall_shows_what_its_viewer_may_see);
	tcase_add_loop_test(watching, test_viewers_are_sent_away, 0,
			    sizeof(ends) / sizeof(ends[0]));
	tcase_add_test(watching, test_behind_a_proxy);
	tcase_add_test(watching, test_crowds_behind_a_proxy);
	suite_add_tcase(suite, watching);
	return suite;
}

HARNESS_MAIN(make_suite)
