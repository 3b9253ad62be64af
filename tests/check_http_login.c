/*
 * Coming in, and being sent away: the front between a supervisor that knows the users and browsers
 * that are some of them.
 */
#include "config.h"

#include "http/access_ask.h"
#include "http/gate.h"
#include "tests/check_http_rig.h"

#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>

#define KEY       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NEW_KEY   "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SESSION_S 20
#define LINK_ID   "BBBBBBBBBBBBBBBBBBBBBA"
#define WEBSOCKET                                                                                  \
	"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"               \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define OURS "Origin: http://cam.example\r\n"

static struct token_keys keys;

static void
send_keys(struct rig *rig, json_t *changes)
{
	json_t *msg = json_pack("{s:s, s:b, s:s, s:[], s:[s, s, s]}", "type", "access-keys",
				"required", 1, "current", KEY, "revoked", "users",
				"ann viewer door", "bob viewer *", "root operator *");

	if (changes != NULL) {
		json_object_update(msg, changes);
		json_decref(changes);
	}
	ck_assert_int_eq(token_keys_from_msg(msg, &keys), 0);
	peer_send_msg(rig->sup, msg, -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

static void
forget_keys(void *arg)
{
	(void)arg;
	token_keys_clear(&keys);
}

/* Users, and two cameras that are down. */
static struct rig *
start(struct loop *loop, json_t *changes)
{
	struct rig *rig = rig_start(loop, NULL);

	harness_defer(forget_keys, NULL);
	send_keys(rig, changes);
	rig_stream(rig, 1, "door", "down", "no route");
	rig_stream(rig, 2, "yard", "down", "no route");
	rig_synced(rig);
	return rig;
}

static char *
make_token(struct rig *rig, enum token_kind kind, const char *user, const char *camera, int seconds,
	   int viewers)
{
	char text[TOKEN_MAX_BYTES];
	struct token_claims claims = { .kind = kind, .id = LINK_ID, .viewers = viewers };

	claims.expires_s = front_now_ms(rig->front) / 1000 + seconds;
	strcpy(claims.user, user);
	claims.generation = kind == TOKEN_SESSION;
	if (camera != NULL) {
		strcpy(claims.cameras[0], camera);
		claims.n_cameras = 1;
	}
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), 0);
	return xstrdup(text);
}

/* The head of the answer to GET path with these lines, on a connection of its own. */
static const char *
get(struct rig *rig, const char *path, const char *lines)
{
	return rig_get(rig_connect(rig), path, lines);
}

static void
assert_status(struct rig *rig, const char *path, const char *lines, int status)
{
	const char *head = get(rig, path, lines);

	ck_assert_msg(atoi(head + 9) == status, "%s, %s: %d expected, %s", path, lines, status,
		      head);
}

static char *
cookie_line(struct rig *rig, const char *user)
{
	char *session = make_token(rig, TOKEN_SESSION, user, NULL, SESSION_S, 0);
	char *line = xasprintf("Cookie: " GATE_COOKIE "=%s\r\n" OURS, session);

	free(session);
	return line;
}

static void
post(struct peer *browser, const char *path, const char *lines, const char *form)
{
	char *request = xasprintf("POST %s HTTP/1.1\r\nHost: cam.example\r\n%s"
				  "Content-Type: application/x-www-form-urlencoded\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
				  path, lines, strlen(form), form);

	peer_send_text(browser, request);
	peer_run(browser, 0);
	free(request);
}

static char *
next_head(struct peer *browser)
{
	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 ");
	peer_run(browser, 0);
	return xstrdup(peer_last(browser, NULL));
}

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

/* The supervisor reads all the while. */
static void
let_pass(struct rig *rig, int seconds)
{
	while (seconds-- > 0) {
		loop_run_for_ms(rig->loop, 1000);
		peer_assert_no_msg(rig->sup);
	}
}

/* Pages */

START_ASYNC_TEST(test_nobody_gets_nothing, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
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
		assert_status(rig, *path, "", 401);
	/* What shows nothing. */
	assert_status(rig, "/healthz", "", 200);
	assert_status(rig, "/style.css", "", 200);
	assert_status(rig, "/login", "", 200);
	/* People are led to the login, and back afterwards. */
	head = get(rig, "/door", "Accept: text/html\r\n");
	ck_assert_mem_eq(head, "HTTP/1.1 303 ", 13);
	ck_assert_str_eq(rig_header(head, "Location"), "login?next=door");
	/* Scripts are told how; a browser would ask in a window of its own. */
	head = get(rig, "/api/streams", "");
	ck_assert_ptr_nonnull(strstr(head, "WWW-Authenticate: Basic realm=\"camhub\""));
	head = get(rig, "/api/streams", "User-Agent: Mozilla/5.0\r\n");
	ck_assert_ptr_null(strstr(head, "Basic"));
	ck_assert_ptr_nonnull(strstr(head, "WWW-Authenticate: Bearer"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_login_and_logout, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	char *head, *lines;
	json_t *list;

	log_forbid("s3cret w&rd");
	post(browser, "/login", OURS, "user=ann&password=s3cret+w%26rd&next=door");
	answer_check(rig, "ann", "s3cret w&rd", "ok");
	head = next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	ck_assert_ptr_nonnull(
	    strstr(head, "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict\r\n"));
	lines =
	    xasprintf("Cookie: %.*s\r\n" OURS, (int)strcspn(rig_header(head, "Set-Cookie"), ";"),
		      rig_header(head, "Set-Cookie"));
	ck_assert_str_eq(rig_body(browser, head, NULL), "{\"next\":\"./door\"}");
	free(head);
	expect_log("audit: {\"event\":\"login\",\"address\":\"127.0.0.1\",\"user\":\"ann\"}");
	/* She sees her camera, and no other; whether those exist is not told. */
	head = xstrdup(rig_get(browser, "/api/streams", lines));
	list = json_loads(rig_body(browser, head, NULL), 0, NULL);
	ck_assert_uint_eq(json_object_size(list), 1);
	ck_assert_ptr_nonnull(json_object_get(list, "door"));
	json_decref(list);
	free(head);
	assert_status(rig, "/", lines, 200);
	assert_status(rig, "/door", lines, 200);
	assert_status(rig, "/yard", lines, 403);
	assert_status(rig, "/nosuch", lines, 403);
	assert_status(rig, "/api/streams?src=yard", lines, 403);
	assert_status(rig, "/api/streams?src=nosuch", lines, 403);
	assert_status(rig, "/api/frame.jpeg?src=yard.sub", lines, 403);
	assert_status(rig, "/api/frame.jpeg?src=door.nosuch", lines, 400);
	assert_status(rig, "/metrics", lines, 403);
	browser = rig_connect(rig);
	post(browser, "/logout", lines, "");
	peer_expect_msg(rig->sup, MSG_ACCESS_REVOKE, NULL);
	peer_run(rig->sup, 0);
	head = next_head(browser);
	ck_assert_ptr_nonnull(strstr(head, GATE_COOKIE "=; Path=/; Max-Age=0;"));
	free(head);
	free(lines);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wrong_password_waits_alone, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	char *head;

	log_forbid("guess");
	post(browser, "/login", "", "user=ann&password=guess");
	answer_check(rig, "ann", "guess", "wrong");
	loop_run_for_ms(loop, ACCESS_ASK_WRONG_MS - 1);
	/* Nobody else waits. */
	assert_status(rig, "/healthz", "", 200);
	ck_assert(log_count("login-failed") == 0);
	loop_run_for_ms(loop, 1);
	head = next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 401 ", 13);
	ck_assert_ptr_null(strstr(head, "Set-Cookie"));
	free(head);
	expect_log("audit: {\"event\":\"login-failed\"");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_too_many_tries, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	char *head;

	for (int i = 0; i < 10; i++) {
		struct peer *browser = rig_connect(rig);

		post(browser, "/login", "", "user=ann&password=guess");
		answer_check(rig, "ann", "guess", "wrong");
		loop_run_for_ms(loop, ACCESS_ASK_WRONG_MS);
		head = next_head(browser);
		ck_assert_mem_eq(head, "HTTP/1.1 401 ", 13);
		free(head);
		if (i == 0)
			loop_run_for_ms(loop, 0);
	}
	/* Time went on meanwhile, for one try more and a bit. */
	for (int i = 0; i < 2; i++) {
		struct peer *browser = rig_connect(rig);

		post(browser, "/login", "", "user=ann&password=guess");
		if (i == 0) {
			answer_check(rig, "ann", "guess", "wrong");
			loop_run_for_ms(loop, ACCESS_ASK_WRONG_MS);
		}
		head = next_head(browser);
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
	struct rig *rig = start(loop, NULL);
	struct peer *browser = rig_connect(rig), *gone;
	char *head;

	post(browser, "/login", "", "user=ann&password=guess");
	answer_check(rig, "ann", "guess", "busy");
	head = next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 503 ", 13);
	free(head);
	browser = rig_connect(rig);
	post(browser, "/login", "", "user=ann&password=guess");
	peer_get_msg(rig->sup, MSG_AUTH_CHECK, 0);
	let_pass(rig, ACCESS_ASK_LIMIT_MS / 1000);
	head = next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 503 ", 13);
	free(head);
	/* The answer to one that went away is for nobody. */
	gone = rig_connect(rig);
	post(gone, "/login", "", "user=ann&password=guess");
	loop_settle(loop);
	peer_reset(gone);
	peer_run(gone, 0);
	loop_settle(loop);
	answer_check(rig, "ann", "guess", "ok");
	assert_status(rig, "/healthz", "", 200);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_basic, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct peer *script = rig_connect(rig);
	char *head;

	peer_send_text(script, "GET /door HTTP/1.1\r\nHost: cam.example\r\n"
			       "Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n");
	peer_run(script, 0);
	answer_check(rig, "ann", "secret", "ok");
	head = next_head(script);
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	free(head);
	/* Remembered: nobody is asked. */
	assert_status(rig, "/api/streams", "Authorization: Basic YW5uOnNlY3JldA==\r\n", 200);
	assert_status(rig, "/yard", "Authorization: Basic YW5uOnNlY3JldA==\r\n", 403);
	assert_status(rig, "/", "Authorization: Basic nonsense\r\n", 401);
	peer_assert_no_msg(rig->sup);
	/* A right password of somebody who is no user of ours any more. */
	script = rig_connect(rig);
	peer_send_text(script, "GET / HTTP/1.1\r\nHost: cam.example\r\n"
			       "Authorization: Basic ZXZlOnNlY3JldA==\r\n\r\n");
	peer_run(script, 0);
	answer_check(rig, "eve", "secret", "ok");
	head = next_head(script);
	ck_assert_mem_eq(head, "HTTP/1.1 401 ", 13);
	free(head);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_what_is_posted, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	char *cookie = cookie_line(rig, "root");
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

		post(browser, rows[i].path, rows[i].lines, rows[i].form);
		head = next_head(browser);
		ck_assert_msg(atoi(head + 9) == rows[i].status, "row %zu: %s", i, head);
		free(head);
	}
	/* A cookie without the name of our page is not enough to change anything. */
	for (int i = 0; i < 2; i++) {
		struct peer *browser = rig_connect(rig);
		char *head;

		post(browser, "/api/ticket?src=door", i == 0 ? no_origin : cookie, "");
		head = next_head(browser);
		ck_assert_int_eq(atoi(head + 9), i == 0 ? 401 : 200);
		free(head);
	}
	free(cookie);
	free(no_origin);
	peer_assert_no_msg(rig->sup);
	async_complete(loop);
}
END_ASYNC_TEST

/* Links */

START_ASYNC_TEST(test_link, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	char *token = make_token(rig, TOKEN_LINK, "", "door", 3600, 0), *path, *lines, *head;
	struct peer *browser = rig_connect(rig);
	json_t *list;

	log_forbid(strrchr(token, '.') + 1);
	path = xasprintf("/door?token=%s", token);
	head = xstrdup(rig_get(browser, path, "Accept: text/html\r\n"));
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	ck_assert_ptr_nonnull(
	    strstr(head, "; Path=/door/; Max-Age=3600; HttpOnly; SameSite=Strict\r\n"));
	lines =
	    xasprintf("Cookie: %.*s\r\n" OURS, (int)strcspn(rig_header(head, "Set-Cookie"), ";"),
		      rig_header(head, "Set-Cookie"));
	ck_assert_ptr_nonnull(strstr(rig_body(browser, head, NULL), "url=/door/\""));
	free(head);
	/* Below its page there is a whole server, with one camera. */
	head = xstrdup(rig_get(browser, "/door/api/streams", lines));
	list = json_loads(rig_body(browser, head, NULL), 0, NULL);
	ck_assert_uint_eq(json_object_size(list), 1);
	ck_assert_ptr_nonnull(json_object_get(list, "door"));
	json_decref(list);
	free(head);
	assert_status(rig, "/door/", lines, 200);
	assert_status(rig, "/door/api", lines, 200);
	assert_status(rig, "/door/style.css", lines, 200);
	assert_status(rig, "/door/ws", "", 401);
	assert_status(rig, "/door/api/frame.jpeg?src=yard", lines, 403);
	assert_status(rig, "/door/metrics", lines, 403);
	assert_status(rig, "/yard/api/streams", lines, 403);
	/* Elsewhere it is nobody's. */
	assert_status(rig, "/api/streams", lines, 401);
	assert_status(rig, "/door", lines, 401);
	free(path);
	path = xasprintf("%s" WEBSOCKET, lines);
	assert_status(rig, "/door/ws", path, 101);
	free(path);
	/* Its address shows pictures of its camera, and opens nothing else. */
	path = xasprintf("/api/stream.mp4?src=yard&token=%s", token);
	assert_status(rig, path, "", 403);
	free(path);
	path = xasprintf("/api/streams?token=%s", token);
	assert_status(rig, path, "", 403);
	free(path);
	path = xasprintf("/api/ws?src=door&token=%s", token);
	assert_status(rig, path, WEBSOCKET, 401);
	free(path);
	free(lines);
	free(token);
	async_complete(loop);
}
END_ASYNC_TEST

/* An operator of some cameras: the names of the others are none of his business here either. */
START_ASYNC_TEST(test_metrics, .hold_time = true)
{
	struct rig *rig =
	    start(loop, json_pack("{s:[s, s]}", "users", "ann operator door", "root operator *"));
	struct peer *browser = rig_connect(rig);
	char *lines = cookie_line(rig, "ann"), *head;
	const char *body;

	head = xstrdup(rig_get(browser, "/metrics", lines));
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	body = rig_body(browser, head, NULL);
	ck_assert_ptr_nonnull(strstr(body, "camhub_stream_up{stream=\"door\"} 0\n"));
	ck_assert_ptr_null(strstr(body, "yard"));
	free(head);
	free(lines);
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

	harness_defer(forget_keys, NULL);
	send_keys(rig, NULL);
	rig_stream(rig, 1, "door", "down", "no route");
	rig_synced(rig);
	token = make_token(rig, TOKEN_LINK, "", "door", 3600, 1);
	form = xasprintf("token=%s", token);
	post(browser, "/api/ticket?src=door", "Origin: https://shop.example\r\n", form);
	head = next_head(browser);
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	ck_assert_str_eq(rig_header(head, "Access-Control-Allow-Origin"), "https://shop.example");
	ck_assert_ptr_null(strstr(head, "Allow-Credentials"));
	answer = json_loads(rig_body(browser, head, NULL), 0, NULL);
	path = xasprintf("/ws?ticket=%s", msg_str(answer, "ticket"));
	json_decref(answer);
	free(head);
	assert_status(rig, path, "Origin: https://shop.example\r\n" WEBSOCKET, 101);
	assert_status(rig, path, "Origin: https://shop.example\r\n" WEBSOCKET, 401);
	free(path);
	/* One viewer is what it is for. */
	browser = rig_connect(rig);
	post(browser, "/api/ticket?src=door", "", form);
	head = next_head(browser);
	answer = json_loads(rig_body(browser, head, NULL), 0, NULL);
	path = xasprintf("/ws?ticket=%s", msg_str(answer, "ticket"));
	json_decref(answer);
	free(head);
	assert_status(rig, path, WEBSOCKET, 403);
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
	char *cookie = cookie_line(rig, user), *lines = xasprintf("%s" WEBSOCKET, cookie);
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
	struct rig *rig = start(loop, NULL);
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
	send_keys(rig, json_pack("{s:[s]}", "revoked", LINK_ID));
}

static void
lose_user(struct rig *rig)
{
	send_keys(rig, json_pack("{s:[s]}", "users", "bob viewer *"));
}

static void
lose_camera(struct rig *rig)
{
	send_keys(rig, json_pack("{s:[s, s]}", "users", "ann viewer yard", "bob viewer *"));
}

static void
expire(struct rig *rig)
{
	peer_get_msg(rig->sup, MSG_WANT, 0);
	let_pass(rig, SESSION_S - 2);
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
	send_keys(rig, json_pack("{s:s}", "current", NEW_KEY));
}

static void (*const ends[])(struct rig *) = { revoke,      revoke_all, lose_user,
					      lose_camera, expire,     kick };

START_ASYNC_TEST(test_viewers_are_sent_away, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct peer *browser = watch_as(rig, "ann");

	subscribe(browser, 1, "door");
	rig_ws_expect_json(browser, "state");
	/* Nothing that concerns others. */
	send_keys(rig, NULL);
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
	struct rig *rig =
	    start(loop, json_pack("{s:s, s:s, s:[s]}", "proxy_header", "X-Forwarded-For",
				  "proxy_user_header", "X-Remote-User", "proxy_from", "127.0.0.1"));

	assert_status(rig, "/door", "X-Remote-User: ann\r\nX-Forwarded-For: 192.0.2.7\r\n", 200);
	assert_status(rig, "/yard", "X-Remote-User: ann\r\nX-Forwarded-For: 192.0.2.7\r\n", 403);
	expect_log("audit: {\"event\":\"denied\",\"address\":\"192.0.2.7\"");
	assert_status(rig, "/door", "X-Remote-User: eve\r\n", 401);
	/* A proxy that adds its line to those of the viewer names two. */
	assert_status(rig, "/door", "X-Remote-User: ann\r\nX-Remote-User: bob\r\n", 401);
	assert_status(rig, "/door", "", 401);
	/* Whoever is not that proxy may say what he wants. */
	send_keys(rig, json_pack("{s:s, s:s, s:[s]}", "proxy_header", "X-Forwarded-For",
				 "proxy_user_header", "X-Remote-User", "proxy_from", "192.0.2.1"));
	assert_status(rig, "/door", "X-Remote-User: ann\r\n", 401);
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

	harness_defer(forget_keys, NULL);
	send_keys(rig, json_pack("{s:s, s:s, s:[s]}", "proxy_header", "X-Forwarded-For",
				 "proxy_user_header", "X-Remote-User", "proxy_from", "127.0.0.1"));
	rig_synced(rig);
	viewer = rig_connect(rig);
	ck_assert_mem_eq(rig_get(viewer, "/ws", AT_7 OURS WEBSOCKET), "HTTP/1.1 101 ", 13);
	assert_status(rig, "/api", AT_7, 429);
	/* A connection that the proxy keeps is nobody's between requests. */
	assert_status(rig, "/api", AT_8, 200);
	assert_status(rig, "/api", AT_8, 200);
	peer_close(viewer);
	peer_run(viewer, 0);
	loop_settle(loop);
	assert_status(rig, "/api", AT_7, 200);
	async_complete(loop);
}
END_ASYNC_TEST

/* Today's way: no users, nobody has to be anybody, and nothing is written about them. */
START_ASYNC_TEST(test_without_users, .hold_time = true)
{
	struct rig *rig = start(loop, json_pack("{s:b, s:[]}", "required", 0, "users"));

	assert_status(rig, "/", "", 200);
	assert_status(rig, "/metrics", "", 200);
	assert_status(rig, "/door", "Authorization: Basic YW5uOnNlY3JldA==\r\n", 200);
	assert_status(rig, "/door/", "", 404);
	assert_status(rig, "/ws", WEBSOCKET, 101);
	ck_assert_uint_eq(log_count("audit:"), 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_login");
	TCase *login = tcase_create("login"), *watching = tcase_create("watching");

	tcase_add_test(login, test_nobody_gets_nothing);
	tcase_add_test(login, test_login_and_logout);
	tcase_add_test(login, test_wrong_password_waits_alone);
	tcase_add_test(login, test_too_many_tries);
	tcase_add_test(login, test_nobody_checks);
	tcase_add_test(login, test_basic);
	tcase_add_test(login, test_what_is_posted);
	tcase_add_test(login, test_link);
	tcase_add_test(login, test_metrics);
	tcase_add_test(login, test_ticket);
	tcase_add_test(watching, test_a_wall_shows_what_its_viewer_may_see);
	tcase_add_loop_test(watching, test_viewers_are_sent_away, 0,
			    sizeof(ends) / sizeof(ends[0]));
	tcase_add_test(watching, test_behind_a_proxy);
	tcase_add_test(watching, test_crowds_behind_a_proxy);
	tcase_add_test(watching, test_without_users);
	suite_add_tcase(suite, login);
	suite_add_tcase(suite, watching);
	return suite;
}

HARNESS_MAIN(make_suite)
