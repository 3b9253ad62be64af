/*
 * /ws: what a client that is slow, greedy or confused gets, and what others notice of it.
 */
#include "config.h"

#include "http/hub.h"
#include "http/wall.h"
#include "shared/xalloc.h"
#include "tests/check_http_wall_rig.h"

#include <stdlib.h>
#include <string.h>

/* Turns */

START_ASYNC_TEST(test_two_streams_take_turns, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feeds[2] = { feed_of(1), feed_of(2) };
	int ahead = 0;

	rig_stream(rig, 2, "yard", "up", "");
	keep_alive(rig, "door");
	keep_alive(rig, "yard");
	rig_ws_send(page, UNIT(1, "door"));
	rig_ws_send(page, UNIT(2, "yard"));
	expect_state(page, 1, "up");
	expect_state(page, 2, "up");
	rig_ws_send(page, "{\"type\":\"pause\",\"on\":true}");
	expect_nothing(page);
	for (int i = 0; i < 2; i++) {
		feeds[i].padding = 20000;
		rig_push_gop(rig, &feeds[i], 100);
	}
	/* Two groups of 2 MB at once: neither waits for the whole of the other. */
	rig_ws_send(page, "{\"type\":\"pause\",\"on\":false}");
	expect_config(page, 1, "door", "unit");
	for (int i = 0; i < 200; i++) {
		struct ws_message message = rig_ws_next(page);

		if (message.opcode != 2) {
			i--;
			continue;
		}
		ahead += message.bytes[2] == 1 ? 1 : -1;
		ck_assert_int_ge(ahead, -4);
		ck_assert_int_le(ahead, 4);
	}
	ck_assert_int_eq(ahead, 0);
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* What came for one id of a slow page. */
struct seen {
	unsigned frames, told;
	uint32_t seq;
	int64_t pts_us;
	bool key_due;
};

static void
see_skipped(struct seen *seen, const struct ws_message *message)
{
	json_t *msg = json_loadb((const char *)message->bytes, message->len, 0, NULL);
	int id = (int)msg_int(msg, "id", 0);

	if (strcmp(msg_str(msg, "type"), "skipped") == 0) {
		ck_assert_int_eq(msg_int(msg, "ms", 0), FRAME_MS * msg_int(msg, "frames", 0));
		seen[id].told += (unsigned)msg_int(msg, "frames", 0);
		seen[id].key_due = true;
	}
	json_decref(msg);
}

static void
see(struct seen *seen, const struct ws_message *message)
{
	struct picture picture;

	if (message->opcode == 1) {
		see_skipped(seen, message);
		return;
	}
	picture = parse_picture(message);
	seen += picture.id;
	ck_assert_int_eq(picture.pts_us, seen->pts_us);
	ck_assert(!seen->key_due || (picture.flags & KEY));
	ck_assert(seen->key_due || picture.seq <= seen->seq + 2);
	seen->key_due = false;
	seen->pts_us += picture.duration_us;
	seen->seq = picture.seq;
	seen->frames++;
}

START_ASYNC_TEST(test_slow_page_beside_a_good_one, .hold_time = true)
{
	enum { GOPS = 20, GOP = 50, ALL = 1 + GOPS * GOP };
	struct rig *rig = wall_start(loop, NULL);
	struct peer *slow = open_wall(rig), *good = open_wall(rig);
	struct feed feeds[2] = { feed_of(1), feed_of(2) };
	struct seen seen[3] = { { 0 } };
	struct ws_message message;

	rig_stream(rig, 2, "yard", "up", "");
	rig_ws_send(slow, UNIT(1, "door"));
	rig_ws_send(slow, UNIT(2, "yard"));
	rig_ws_send(good, UNIT(1, "door"));
	expect_state(good, 1, "up");
	for (int k = 0; k < 2; k++) {
		rig_push_gop(rig, &feeds[k], 1);
		for (int i = 0; i < 3; i++) { /* state, config, frame */
			message = rig_ws_next(slow);
			see(seen, &message);
		}
	}
	expect_config(good, 1, "door", "unit");
	expect_picture(good, 1, KEY);
	for (int i = 0; i < GOPS; i++) {
		for (int k = 0; k < 2; k++) {
			feeds[k].padding = 20000;
			rig_push_gop(rig, &feeds[k], GOP);
		}
		loop_settle(loop);
		for (int k = 0; k < GOP; k++) {
			ck_assert_uint_eq(next_picture(good).seq, 2 + i * (GOP + 1) + k + 2);
		}
	}
	for (const char *name = "door"; name != NULL;
	     name = strcmp(name, "door") == 0 ? "yard" : NULL) {
		const struct stream *stream = stream_find(rig->front, name);

		ck_assert_uint_gt(stream->skipped, ALL / 2);
		ck_assert_uint_le(hub_stats(stream->hub)->bytes, 4 << 20);
	}
	/* It reads again: each stream goes on at a key frame, and is told of its own loss. */
	while (seen[1].frames + seen[1].told < ALL || seen[2].frames + seen[2].told < ALL) {
		message = rig_ws_next(slow);
		see(seen, &message);
	}
	for (int id = 1; id <= 2; id++) {
		ck_assert_uint_eq(seen[id].frames + seen[id].told, ALL);
		ck_assert_uint_gt(seen[id].told, ALL / 2);
	}
	ck_assert_uint_eq(seen[1].told + seen[2].told,
			  stream_find(rig->front, "door")->skipped +
			      stream_find(rig->front, "yard")->skipped);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_page_that_reads_nothing_is_closed, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);

	rig_ws_send(page, UNIT(1, "door"));
	rig_ws_send(page, UNIT(2, "door"));
	expect_want(rig, 1, true);
	feed.padding = 20000;
	for (int i = 0; i < 10; i++) {
		rig_push_gop(rig, &feed, 50);
		loop_settle(loop);
	}
	loop_run_for_ms(loop, 9900);
	ck_assert_uint_eq(rig->front->n_walls, 1);
	ck_assert_uint_eq(rig->front->n_viewers, 2);
	loop_run_for_ms(loop, 200);
	ck_assert_uint_eq(rig->front->n_walls, 0);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	expect_want(rig, 1, false);
	peer_drain_until_close(page);
	peer_run(page, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_quiet_line_is_pinged_and_kept, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	for (int i = 0; i < 3; i++) {
		loop_run_for_ms(loop, 30100);
		ck_assert_uint_eq(rig_ws_next(page).opcode, 9);
	}
	ck_assert_uint_eq(rig->front->n_walls, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* Limits */

START_ASYNC_TEST(test_too_many_subscriptions, .hold_time = true)
{
	struct rig *rig = wall_start(loop, json_pack("{s:i}", "max_viewers", 1000));
	struct peer *page = open_wall(rig);

	for (int id = 1; id <= 129; id++) {
		char *text = xasprintf("{\"type\":\"subscribe\",\"id\":%d,\"src\":\"door\","
				       "\"forms\":[\"unit\"],\"codecs\":\"avc1\"}",
				       id);

		rig_ws_send(page, text);
		free(text);
		if (id <= 128)
			expect_state(page, id, "up");
	}
	expect_error(page, 129, "busy");
	ck_assert_uint_eq(rig->front->n_viewers, 128);
	ck_assert_uint_eq(stream_find(rig->front, "door")->n_viewers, 128);
	unsubscribe(page, 64);
	rig_ws_send(page, UNIT(129, "door"));
	expect_state(page, 129, "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_too_many_viewers, .hold_time = true)
{
	struct rig *rig = wall_start(loop, json_pack("{s:i}", "max_viewers", 2));
	struct peer *page = open_wall(rig), *viewer, *late;
	const char *head;

	viewer = rig_websocket(rig, "door");
	(void)viewer;
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_ws_send(page, UNIT(2, "door"));
	expect_error(page, 2, "busy");
	ck_assert_uint_eq(rig->front->viewers_refused, 1);
	/* Its id is free, and there is room for it when the other is gone. */
	unsubscribe(page, 1);
	rig_ws_send(page, UNIT(2, "door"));
	expect_state(page, 2, "up");
	head = rig_get(rig_connect(rig), "/api/stream.mp4?src=door", "");
	ck_assert_msg(strncmp(head, "HTTP/1.1 503 ", 13) == 0, "%s", head);
	/* Sockets are bounded too. */
	open_wall(rig);
	late = rig_connect(rig);
	head = rig_get(late, "/ws",
		       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
	ck_assert_msg(strncmp(head, "HTTP/1.1 503 ", 13) == 0, "%s", head);
	async_complete(loop);
}
END_ASYNC_TEST

static void
expect_closed(struct rig *rig, struct peer *page, const char *code)
{
	struct ws_message message = rig_ws_next(page);

	ck_assert_uint_eq(message.opcode, 8);
	ck_assert_mem_eq(message.bytes, code, 2);
	peer_drain_until_close(page);
	peer_run(page, 0);
	loop_settle(rig->loop);
	ck_assert_uint_eq(rig->front->n_walls, 0);
}

START_ASYNC_TEST(test_long_messages, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	char *text = xcalloc(16385 + 1, 1);

	memset(text, ' ', 16384);
	memcpy(text, "{\"type\":\"clock\",\"t0\":1}", 23);
	rig_ws_send(page, text);
	rig_ws_expect_json(page, "clock");
	text[16384] = ' ';
	rig_ws_send(page, text);
	free(text);
	expect_closed(rig, page, "\x03\xf1"); /* 1009 */
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_talkers, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	for (int i = 0; i < 2048; i++)
		expect_nothing(page);
	loop_run_for_ms(loop, 10100);
	for (int i = 0; i < 2048; i++)
		expect_nothing(page);
	rig_ws_send(page, "{\"type\":\"clock\",\"t0\":1}");
	expect_closed(rig, page, "\x03\xf0"); /* 1008 */
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bad_frames_end_the_socket, .hold_time = true)
{
	static const char *const frames[] = { "\x81\x02{}", "\x01\x82\1\2\3\4xx",
					      "\xff\xff\xff\xff" };
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	peer_send_text(page, frames[_i]);
	peer_run(page, 0);
	expect_closed(rig, page, "\x03\xea"); /* 1002 */
	async_complete(loop);
}
END_ASYNC_TEST

/* The door */

START_ASYNC_TEST(test_handshake, .hold_time = true)
{
	static const struct {
		const char *lines;
		int code;
	} cases[] = {
#define UP       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define V13      "Sec-WebSocket-Version: 13\r\n"
#define KEY_LINE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		{ UP V13 KEY_LINE, 101 },
		{ UP V13 KEY_LINE "Origin: http://cam.example\r\n", 101 },
		{ UP V13 KEY_LINE "Origin: https://shop.example\r\n", 101 },
		{ UP V13 KEY_LINE "Origin: http://evil.example\r\n", 403 },
		{ UP V13 KEY_LINE "Origin: null\r\n", 403 },
		{ UP V13, 400 },
		{ UP "Sec-WebSocket-Version: 8\r\n" KEY_LINE, 426 },
		{ "", 426 },
	};
	struct rig *rig =
	    wall_start(loop, json_pack("{s:[s]}", "embed_origins", "https://shop.example"));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *head = rig_get(rig_connect(rig), "/ws", cases[i].lines);

		ck_assert_msg(atoi(head + 9) == cases[i].code, "%zu: %s", i, head);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_before_the_streams_are_known, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);
	const char *head = rig_get(rig_connect(rig), "/ws", UP V13 KEY_LINE);

	ck_assert_msg(atoi(head + 9) == 503, "%s", head);
	ck_assert_ptr_nonnull(rig_header(head, "Retry-After"));
	async_complete(loop);
}
END_ASYNC_TEST

/* A front that ends with walls in it leaves nothing behind (the harness looks). */
START_ASYNC_TEST(test_front_ends_with_walls, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 5);
	rig_ws_send(page, "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"unit\"],"
			  "\"codecs\":\"avc1\",\"quality\":\"sub\"}");
	rig_ws_send(page, UNIT(2, "door"));
	rig_ws_send(page, "{\"type\":\"unsubscribe\",\"id\":2}");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_wall_limits");
	TCase *turns = tcase_create("turns"), *limits = tcase_create("limits");
	TCase *door = tcase_create("door");

	tcase_add_test(turns, test_two_streams_take_turns);
	tcase_add_test(turns, test_slow_page_beside_a_good_one);
	tcase_add_test(turns, test_page_that_reads_nothing_is_closed);
	tcase_add_test(turns, test_a_quiet_line_is_pinged_and_kept);
	suite_add_tcase(suite, turns);
	tcase_add_test(limits, test_too_many_subscriptions);
	tcase_add_test(limits, test_too_many_viewers);
	tcase_add_test(limits, test_long_messages);
	tcase_add_test(limits, test_talkers);
	tcase_add_loop_test(limits, test_bad_frames_end_the_socket, 0, 3);
	suite_add_tcase(suite, limits);
	tcase_add_test(door, test_handshake);
	tcase_add_test(door, test_before_the_streams_are_known);
	tcase_add_test(door, test_front_ends_with_walls);
	suite_add_tcase(suite, door);
	return suite;
}

HARNESS_MAIN(make_suite)
