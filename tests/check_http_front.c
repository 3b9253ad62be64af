/*
 * Requests: routes and their headers, what browsers and others may not do, deadlines,
 * and the talk with the supervisor.
 */
#include "config.h"

#include "http/front.h"

#include "http/listen.h"
#include "tests/check_http_rig.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CSP                                                                                        \
	"default-src 'self'; media-src 'self' blob:; img-src 'self' blob:; connect-src 'self'; "   \
	"object-src 'none'; base-uri 'none'; frame-ancestors 'self'"

static struct rig *
start_door(struct loop *loop, json_t *config)
{
	struct rig *rig = rig_start(loop, config);

	rig_stream(rig, 1, "door", "up", "");
	rig_stream(rig, 2, "yard.sub", "down", "no <route>");
	rig_synced(rig);
	return rig;
}

static void
assert_status(const char *head, int code)
{
	ck_assert_msg(atoi(head + 9) == code, "not %d: %s", code, head);
}

static const struct {
	const char *path;
	int code;
	const char *type, *body;
} routes[] = {
	{ "/", 200, "text/html; charset=utf-8", "wall.js" },
	{ "/index.html", 200, "text/html; charset=utf-8", "wall.js" },
	{ "/wall.js", 200, "text/javascript; charset=utf-8", "import" },
	{ "/style.css", 200, "text/css; charset=utf-8", "{" },
	{ "/favicon.svg", 200, "image/svg+xml", "<svg" },
	{ "/assets/0123456789abcdef/wall.js", 200, "text/javascript; charset=utf-8", "import" },
	{ "/assets/0123456789abcdef/", 404, "application/json", "{\"error\":" },
	{ "/assets/0123456789abcdef/door", 404, "application/json", "{\"error\":" },
	{ "/assets/0123456789abcdef/../wall.js", 404, "application/json", "{\"error\":" },
	{ "/assets/0123456789abcdef", 404, "application/json", "{\"error\":" },
	{ "/assets/wall.js", 404, "application/json", "{\"error\":" },
	{ "/door", 200, "text/html; charset=utf-8", "camera.js" },
	{ "/yard.sub", 200, "text/html; charset=utf-8", "camera.js" },
	{ "/nope", 404, "application/json", "{\"error\":" },
	{ "/door/", 404, "application/json", "{\"error\":" },
	{ "/Door", 404, "application/json", "{\"error\":" },
	{ "/%64oor", 404, "application/json", "{\"error\":" },
	{ "/door%00", 400, "application/json", "{\"error\":" },
	{ "/../../etc/passwd", 404, "application/json", "{\"error\":" },
	{ "/..%2f..%2fetc%2fpasswd", 404, "application/json", "{\"error\":" },
	{ "/Makefile.am", 404, "application/json", "{\"error\":" },
	{ "/.", 404, "application/json", "{\"error\":" },
	{ "//api", 400, "application/json", "{\"error\":" },
	{ "/api", 200, "application/json", "\"version\":\"1.9." },
	{ "/api/", 404, "application/json", "{\"error\":" },
	{ "/api/config", 404, "application/json", "{\"error\":" },
	{ "/api/streams", 200, "application/json", "\"producers\":[{\"url\":\"camhub:door\"" },
	{ "/api/streams?src=door", 200, "application/json", "\"title\":\"Front <door>\"" },
	{ "/api/streams?src=door", 200, "application/json", "\"group\":\"Outside\"" },
	{ "/api/streams?src=nope", 404, "application/json", "{\"error\":" },
	{ "/api/ws?src=door", 426, "application/json", "{\"error\":" },
	{ "/api/stream.mp4", 400, "application/json", "{\"error\":" },
	{ "/api/stream.mp4?src=", 400, "application/json", "{\"error\":" },
	{ "/api/stream.mp4?src=nope", 404, "application/json", "{\"error\":" },
	{ "/api/stream.mp4?src=..%2fdoor", 400, "application/json", "{\"error\":" },
	{ "/api/stream.mjpeg?src=nope", 404, "application/json", "{\"error\":" },
	{ "/api/frame.jpeg?src=nope", 404, "application/json", "{\"error\":" },
	{ "/api/frame.jpeg?src=yard.sub", 503, "application/json", "the camera is down" },
	{ "/healthz", 200, "application/json", "ok" },
	{ "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8",
	  "# TYPE camhub_stream_up gauge\ncamhub_stream_up{stream=\"" },
};

START_ASYNC_TEST(test_routes, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		char *head = strdup(rig_get(browser, routes[i].path, ""));
		const char *body;

		assert_status(head, routes[i].code);
		ck_assert_str_eq(rig_header(head, "Content-Type"), routes[i].type);
		ck_assert_str_eq(rig_header(head, "X-Content-Type-Options"), "nosniff");
		ck_assert_str_eq(rig_header(head, "Referrer-Policy"), "no-referrer");
		ck_assert_str_eq(rig_header(head, "Content-Security-Policy"), CSP);
		ck_assert_ptr_nonnull(rig_header(head, "Cache-Control"));
		ck_assert_ptr_null(rig_header(head, "Server"));
		ck_assert_ptr_null(rig_header(head, "Location"));
		body = rig_body(browser, head, NULL);
		ck_assert_msg(strstr(body, routes[i].body) != NULL, "%s: %s", routes[i].path, body);
		if (routes[i].code == 400) {
			peer_expect_close(browser);
			peer_run(browser, 0);
			browser = rig_connect(rig);
		}
		free(head);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_assets_are_revalidated, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	char *head = strdup(rig_get(browser, "/wall.js", "")), lines[128];

	ck_assert_str_eq(rig_header(head, "Cache-Control"), "no-cache");
	rig_body(browser, head, NULL);
	snprintf(lines, sizeof(lines), "If-None-Match: %s\r\n", rig_header(head, "ETag"));
	assert_status(rig_get(browser, "/wall.js", lines), 304);
	assert_status(rig_get(browser, "/style.css", lines), 200);
	free(head);
	async_complete(loop);
}
END_ASYNC_TEST

/* What the pages name is in a folder that is never asked for again; another version's folder is. */
START_ASYNC_TEST(test_folder_of_the_version_is_kept, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	char folder[] = "assets/0123456789abcdef/", path[64];
	const char *const pages[] = { "/", "/door" };

	for (size_t i = 0; i < 2; i++) {
		char *head = strdup(rig_get(browser, pages[i], ""));
		const char *body = rig_body(browser, head, NULL), *at = strstr(body, "\"assets/");

		ck_assert_str_eq(rig_header(head, "Cache-Control"), "no-cache");
		ck_assert_ptr_nonnull(at);
		ck_assert_ptr_null(strstr(body, "@ASSETS@"));
		ck_assert(i == 0 || strncmp(folder, at + 1, strlen(folder)) == 0);
		memcpy(folder, at + 1, strlen(folder));
		free(head);
	}
	for (int other = 0; other < 2; other++) {
		char *head;

		snprintf(path, sizeof(path), "/%sroot.js", folder);
		path[strlen("/assets/")] ^= (char)other;
		head = strdup(rig_get(browser, path, ""));
		ck_assert_str_eq(rig_header(head, "Cache-Control"),
				 other ? "no-cache" : "max-age=31536000, immutable");
		rig_body(browser, head, NULL);
		free(head);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_head_has_no_body, .hold_time = true)
{
	static const char *const paths[] = { "/",        "/door", "/api/streams",
					     "/metrics", "/nope", "/api/stream.mp4?src=door" };
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char request[128];

		snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
		/* A body would be taken for the next answer's head. */
		ck_assert_mem_eq(rig_ask(browser, request), "HTTP/1.1 ", 9);
	}
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_other_methods_and_bodies, .hold_time = true)
{
	static const struct {
		const char *request;
		int code;
	} cases[] = {
		{ "POST /api HTTP/1.1\r\nHost: x\r\n\r\n", 405 },
		{ "PUT /api/streams?name=x&src=exec:id HTTP/1.1\r\nHost: x\r\n\r\n", 405 },
		{ "DELETE /door HTTP/1.1\r\nHost: x\r\n\r\n", 405 },
		{ "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", 405 },
		{ "HEAD /api/ws?src=door HTTP/1.1\r\nHost: x\r\n\r\n", 405 },
		{ "POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 400 },
		{ "GET /api HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 400 },
		{ "GET /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "GET /api HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400 },
		{ "GET http://evil.com/api HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
	};
	struct rig *rig = start_door(loop, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *browser = rig_connect(rig);
		const char *head = rig_ask(browser, cases[i].request);

		ck_assert_msg(atoi(head + 9) == cases[i].code, "%s\n%s", cases[i].request, head);
		if (cases[i].code == 405)
			ck_assert_str_eq(rig_header(head, "Allow"),
					 cases[i].request[0] == 'H' ? "GET" : "GET, HEAD");
		peer_drain_until_close(browser);
		peer_run(browser, 0);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_garbage_ends_the_connection, .hold_time = true)
{
	static const char *const rubbish[] = {
		"\r\n\r\n\r\nx\r\n\r\n",
		"GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02\x01\xfc\x03\x03\r\n\r\n",
		"GET /\x01 HTTP/1.1\r\nno colon here\r\n\r\n",
	};
	struct rig *rig = start_door(loop, NULL);

	struct peer *browser = rig_connect(rig);

	peer_send_text(browser, rubbish[_i]);
	peer_drain_until_close(browser);
	peer_run(browser, 0);
	assert_status(rig_get(rig_connect(rig), "/healthz", ""), 200);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_too_long_a_head_is_refused, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	static char request[20000];

	strcpy(request, "GET / HTTP/1.1\r\nX: ");
	memset(request + strlen(request), 'a', 15000);
	peer_send_text(browser, request);
	peer_drain_until_close(browser);
	peer_run(browser, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_request_in_pieces, .hold_time = true)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);

	peer_send_pieces(browser, request, sizeof(request) - 1, 1, 10);
	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 200 OK");
	loop_run_for_ms(loop, 1000);
	peer_run(browser, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* The deadline is absolute: bytes that trickle do not move it. */
START_ASYNC_TEST(test_slow_head_is_cut_off, .hold_time = true)
{
	static const char request[] = "GET /healthz HTTP/1"; /* 1.9 s long */
	struct rig *rig = start_door(loop, NULL);
	struct peer *slow = rig_connect(rig), *silent = rig_connect(rig);

	peer_send_pieces(slow, request, sizeof(request) - 1, 1, 100);
	peer_expect_close(slow);
	peer_expect_close(silent);
	loop_run_for_ms(loop, DEADLINE_MS - 100);
	ck_assert_uint_eq(listeners_connections(rig->front->listeners), 2);
	ck_assert(!peer_is_done(silent));
	ck_assert(!peer_is_done(slow));
	loop_run_for_ms(loop, 400);
	peer_run(silent, 0);
	peer_run(slow, 0);
	ck_assert_uint_eq(listeners_connections(rig->front->listeners), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_kept_connection_has_the_same_deadline, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);

	rig_body(browser, rig_get(browser, "/healthz", ""), NULL);
	loop_run_for_ms(loop, 50000); /* idle: allowed */
	rig_body(browser, rig_get(browser, "/healthz", ""), NULL);
	peer_send_text(browser, "G");
	peer_expect_close(browser);
	loop_run_for_ms(loop, DEADLINE_MS - 100);
	ck_assert(!peer_is_done(browser));
	loop_run_for_ms(loop, 200);
	peer_run(browser, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_idle_connection_is_closed, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);

	rig_body(browser, rig_get(browser, "/healthz", ""), NULL);
	peer_expect_close(browser);
	loop_run_for_ms(loop, 59000);
	ck_assert(!peer_is_done(browser));
	loop_run_for_ms(loop, 1100);
	peer_run(browser, 0);
	ck_assert_uint_eq(listeners_connections(rig->front->listeners), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pipelined_requests, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);

	peer_send_text(browser, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
				"GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
				"GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	peer_expect_until(browser, "ok\"}", "HTTP/1.1 200");
	peer_expect_until(browser, "not found\"}", "HTTP/1.1 404");
	peer_expect_until(browser, "}", "HTTP/1.1 200");
	peer_expect_close(browser);
	peer_run(browser, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Connections that end before any request leave nothing behind: no event, no count. */
/* Who sends requests and reads no answers is not read any further: what waits is bounded by the
 * kernel's buffers of the connection, not by memory of ours. */
START_ASYNC_TEST(test_requests_without_end_are_not_read, .hold_time = true)
{
	enum { ENOUGH = 48 << 20 }; /* more than any kernel buffers for one connection here */
	static const char request[] = "GET /api HTTP/1.1\r\nHost: x\r\n\r\n";
	struct rig *rig = start_door(loop, NULL);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(rig->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static char many[64 * (sizeof(request) - 1)];
	size_t sent = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = request[i % (sizeof(request) - 1)];
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	for (int full = 0; full < 20 && sent < ENOUGH;) {
		size_t at = sent % (sizeof(request) - 1);

		n = send(fd, many + at, sizeof(many) - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		full = n < 0 ? full + 1 : 0;
		loop_settle(loop);
	}
	ck_assert_uint_lt(sent, ENOUGH);
	ck_assert_uint_eq(listeners_connections(rig->front->listeners), 1);
	close(fd);
	loop_settle(loop);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_connections_that_say_nothing, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct event_base *base = loop_base(loop);
	int events;

	loop_settle(loop);
	events = event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED);
	for (int i = 0; i < 20; i++) {
		struct peer *browser = rig_connect(rig);

		peer_close(browser);
		peer_run(browser, 0);
		loop_settle(loop);
		ck_assert_int_le(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), events);
	}
	loop_run_for_ms(loop, DEADLINE_MS + 100);
	ck_assert_uint_eq(listeners_connections(rig->front->listeners), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_out_of_descriptors, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct rlimit limit, old;
	struct peer *first = rig_connect(rig), *browser;

	rig_body(first, rig_get(first, "/healthz", ""), NULL);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	browser = rig_connect(rig);
	limit = old;
	limit.rlim_cur = (rlim_t)peer_fd(browser) + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	peer_expect_close(browser);
	peer_run(browser, 0);
	/* Who is in is served on; who comes later is served when there is room again. */
	assert_status(rig_get(first, "/healthz", ""), 200);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	expect_log("accept: Too many open files");
	ck_assert_uint_le(log_count("accept: "), 2);
	loop_run_for_ms(loop, 1000);
	assert_status(rig_get(rig_connect(rig), "/healthz", ""), 200);
	async_complete(loop);
}
END_ASYNC_TEST

/* Origins */

START_ASYNC_TEST(test_embedding_is_by_list, .hold_time = true)
{
	struct rig *rig = start_door(loop, json_pack("{s:[s,s]}", "embed_origins",
						     "https://shop.example", "evil; script-src *"));
	struct peer *browser = rig_connect(rig);
	char *head = strdup(rig_get(browser, "/api/streams", "Origin: https://shop.example\r\n"));

	ck_assert_str_eq(rig_header(head, "Content-Security-Policy"), CSP " https://shop.example");
	ck_assert_str_eq(rig_header(head, "Access-Control-Allow-Origin"), "https://shop.example");
	ck_assert_str_eq(rig_header(head, "Vary"), "Origin");
	ck_assert_ptr_null(rig_header(head, "Access-Control-Allow-Credentials"));
	rig_body(browser, head, NULL);
	free(head);
	head = strdup(rig_get(browser, "/api/streams", "Origin: https://evil.example\r\n"));
	ck_assert_ptr_null(rig_header(head, "Access-Control-Allow-Origin"));
	free(head);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_websocket_handshake, .hold_time = true)
{
	static const struct {
		const char *lines;
		int code;
	} cases[] = {
#define UP  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		{ UP V13 KEY "Origin: http://cam.example\r\n", 101 },
		{ UP V13 KEY "Origin: http://evil.example\r\n", 403 },
		{ UP V13 KEY "Origin: null\r\n", 403 },
		{ UP V13 KEY "Origin: http://cam.example\r\nOrigin: http://evil.example\r\n", 400 },
		{ UP V13, 400 },
		{ UP V13 "Sec-WebSocket-Key: short\r\n", 400 },
		{ UP "Sec-WebSocket-Version: 8\r\n" KEY, 426 },
		{ UP KEY, 426 },
		{ "Upgrade: h2c\r\nConnection: Upgrade\r\n" V13 KEY, 426 },
		{ "Upgrade: WebSocket\r\nConnection: foo,upgrade\r\n" V13 KEY, 101 },
	};
	struct rig *rig = start_door(loop, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_status(rig_get(rig_connect(rig), "/api/ws?src=door", cases[i].lines),
			      cases[i].code);
	async_complete(loop);
}
END_ASYNC_TEST

/* The supervisor */

START_ASYNC_TEST(test_before_the_streams_are_known, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);
	struct peer *browser = rig_connect(rig);
	static const char *const paths[] = { "/healthz", "/api/streams",
					     "/api/stream.mp4?src=door" };
	char *page;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *head = strdup(rig_get(browser, paths[i], ""));

		assert_status(head, 503);
		ck_assert_ptr_nonnull(rig_header(head, "Retry-After"));
		rig_body(browser, head, NULL);
		free(head);
	}
	/* A screen that nobody touches must not be left with an error: its page asks again. */
	page = strdup(rig_get(browser, "/door", ""));
	assert_status(page, 200);
	rig_body(browser, page, NULL);
	free(page);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_reports_once_a_second, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);

	loop_run_for_ms(loop, 3100);
	peer_assert_no_msg(rig->sup);
	ck_assert_uint_eq(peer_msg_count(rig->sup, MSG_FRONT_STREAM), 6);
	ck_assert_uint_eq(peer_msg_count(rig->sup, MSG_FRONT_TOTALS), 3);
	ck_assert_uint_ge(peer_msg_count(rig->sup, MSG_BEAT), 6);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_leaves_with_the_supervisor, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);

	if (_i == 0)
		peer_send_msg(rig->sup, json_pack("{s:s}", "type", "stop"), -1);
	else
		peer_close(rig->sup);
	peer_run(rig->sup, 0);
	loop_run_until(loop, &rig->front->stopped, 0);
	ck_assert_int_eq(rig->front->exit_code, _i == 0 ? 0 : 75);
	async_complete(loop);
}
END_ASYNC_TEST

static void
assert_advice(struct peer *browser, const char *want)
{
	char *head = strdup(rig_get(browser, "/api/streams?src=shed", ""));
	const char *body = rig_body(browser, head, NULL);

	ck_assert_msg(strstr(body, want) != NULL, "%s", body);
	free(head);
}

START_ASYNC_TEST(test_advice_is_told)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	json_t *msg =
	    json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:s, s:i, s:s, s:[s]}", "type",
		      "stream", "id", 77, "name", "shed", "camera", "shed", "title", "Shed",
		      "order", 9, "on_demand", 0, "state", "up", "since_ms", 1, "reason", "",
		      "epoch", 0, "bus", "", "advice", "turn it off");

	peer_send_msg(rig->sup, json_copy(msg), -1);
	peer_run(rig->sup, 0);
	loop_settle(loop);
	assert_advice(browser, "\"advice\":[\"turn it off\"]");
	json_object_del(msg, "advice");
	peer_send_msg(rig->sup, msg, -1);
	peer_run(rig->sup, 0);
	loop_settle(loop);
	assert_advice(browser, "\"advice\":[]");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_front");
	TCase *requests = tcase_create("requests"), *sup = tcase_create("supervisor");

	tcase_add_test(requests, test_routes);
	tcase_add_test(requests, test_advice_is_told);
	tcase_add_test(requests, test_assets_are_revalidated);
	tcase_add_test(requests, test_folder_of_the_version_is_kept);
	tcase_add_test(requests, test_head_has_no_body);
	tcase_add_test(requests, test_other_methods_and_bodies);
	tcase_add_loop_test(requests, test_garbage_ends_the_connection, 0, 5);
	tcase_add_test(requests, test_too_long_a_head_is_refused);
	tcase_add_test(requests, test_request_in_pieces);
	tcase_add_test(requests, test_slow_head_is_cut_off);
	tcase_add_test(requests, test_kept_connection_has_the_same_deadline);
	tcase_add_test(requests, test_idle_connection_is_closed);
	tcase_add_test(requests, test_pipelined_requests);
	tcase_add_test(requests, test_requests_without_end_are_not_read);
	tcase_add_test(requests, test_connections_that_say_nothing);
	tcase_add_test(requests, test_out_of_descriptors);
	tcase_add_test(requests, test_embedding_is_by_list);
	tcase_add_test(requests, test_websocket_handshake);
	suite_add_tcase(suite, requests);
	tcase_add_test(sup, test_before_the_streams_are_known);
	tcase_add_test(sup, test_reports_once_a_second);
	tcase_add_loop_test(sup, test_leaves_with_the_supervisor, 0, 2);
	suite_add_tcase(suite, sup);
	return suite;
}

HARNESS_MAIN(make_suite)
