/*
 * What goes over the wire, without a loop: shared pieces, a viewer's queue, WebSocket frames both
 * ways, and the rules of the route table.
 */
#include "config.h"

#include "http/outq.h"
#include "http/route.h"
#include "http/ws.h"
#include "tests/check_http_frames.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 4096

/* Wires */

static size_t
flatten(const struct wire *wire, uint8_t *out)
{
	size_t len = 0;

	for (unsigned i = 0; i < wire->pieces; i++) {
		memcpy(out + len, wire->piece[i].iov_base, wire->piece[i].iov_len);
		len += wire->piece[i].iov_len;
	}
	return len;
}

START_TEST(test_unit_becomes_a_sample)
{
	static const char unit[] = "\0\0\0\1\x67\x42\xc0\x1e\0\0\1\x65\x11\x22\0\0\1\x65\x33";
	static const char sample[] = "\0\0\0\3\x65\x11\x22\0\0\0\2\x65\x33";
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *msg =
	    feed_msg(&feed, FRAME_KIND_VIDEO, FRAME_CODEC_H264, unit, sizeof(unit) - 1, 0);
	struct wire *wire;
	uint8_t out[64];

	ck_assert_int_eq(wire_from_unit(msg, NAL_H264, &wire), 0);
	ck_assert_int_eq(msg->refs, 2);
	bus_msg_unref(&msg);
	ck_assert_uint_eq(wire->len, sizeof(sample) - 1);
	ck_assert_uint_eq(flatten(wire, out), wire->len);
	ck_assert_mem_eq(out, sample, wire->len);
	ck_assert_uint_eq(wire->pieces, 1);
	wire_unref(&wire);
	ck_assert_ptr_null(wire);
}
END_TEST

/* A small unit, a large one, a small one, a large one. */
START_TEST(test_large_slices_are_not_copied)
{
	enum { SMALL = 20, LARGE = 5000 };
	static const size_t lens[] = { SMALL, LARGE, SMALL, LARGE };
	uint8_t unit[2 * (SMALL + LARGE + 6)], out[2 * (SMALL + LARGE + 8)], *at = unit;
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *msg;
	struct wire *wire;

	for (size_t i = 0; i < 4; i++) {
		memcpy(at, "\0\0\1", 3);
		memset(at + 3, 0x41 + (int)i * 0x20 % 0x60, lens[i]);
		at += 3 + lens[i];
	}
	msg = feed_msg(&feed, FRAME_KIND_VIDEO, FRAME_CODEC_H264, unit, sizeof(unit), 0);
	ck_assert_int_eq(wire_from_unit(msg, NAL_H264, &wire), 0);
	ck_assert_uint_eq(wire->pieces, 4);
	ck_assert_ptr_eq(wire->piece[1].iov_base, msg->payload + 3 + SMALL + 3);
	ck_assert_uint_eq(wire->piece[2].iov_len, 4 + SMALL + 4);
	ck_assert_uint_eq(wire->len, sizeof(out));
	ck_assert_uint_eq(flatten(wire, out), sizeof(out));
	at = out;
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq((size_t)at[2] << 8 | at[3], lens[i]);
		ck_assert_uint_eq(at[4], 0x41 + i * 0x20 % 0x60);
		ck_assert_mem_eq(at + 4, at + 5, lens[i] - 1);
		at += 4 + lens[i];
	}
	bus_msg_unref(&msg);
	wire_unref(&wire);
}
END_TEST

START_TEST(test_unit_of_many_pieces_is_copied)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *msg;
	struct wire *wire;
	uint8_t unit[500], out[600];
	size_t len = 0;

	for (int i = 0; i < 100; i++, len += 5)
		memcpy(unit + len, "\0\0\1\x41\x77", 5);
	msg = feed_msg(&feed, FRAME_KIND_VIDEO, FRAME_CODEC_H264, unit, len, 0);
	ck_assert_int_eq(wire_from_unit(msg, NAL_H264, &wire), 0);
	bus_msg_unref(&msg);
	ck_assert_uint_eq(wire->pieces, 1);
	ck_assert_uint_eq(wire->len, 600);
	flatten(wire, out);
	ck_assert_mem_eq(out + 594, "\0\0\0\2\x41\x77", 6);
	wire_unref(&wire);
}
END_TEST

START_TEST(test_unit_without_slices_is_nothing)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *msg =
	    feed_msg(&feed, FRAME_KIND_VIDEO, FRAME_CODEC_H264, SETS_360, sizeof(SETS_360) - 1, 0);
	struct wire *wire = NULL;

	ck_assert_int_eq(wire_from_unit(msg, NAL_H264, &wire), -ENODATA);
	ck_assert_ptr_null(wire);
	ck_assert_int_eq(msg->refs, 1);
	bus_msg_unref(&msg);
}
END_TEST

/* The queue */

static void
fill(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
}

/* Through a socket that takes little at a time everything arrives, in order, once. */
START_ASYNC_TEST(test_queue_survives_short_writes)
{
	enum { BIG = 200000, ITEMS = 7 };
	uint8_t *big = malloc(BIG), *got = malloc(ITEMS * (BIG + 8)), *at = got;
	struct wire *wire;
	struct outq q;
	uint64_t written = 0;
	int fds[2], rc, turns = 0;
	ssize_t n;

	loop_pair(loop, SOCK_STREAM, fds);
	fill(big, BIG);
	wire = wire_from_bytes(big, BIG);
	outq_init(&q);
	for (int i = 0; i < ITEMS; i++)
		outq_add(&q, "abc", 3, wire, "xy\r\n");
	ck_assert_int_eq(wire->refs, 1 + ITEMS);
	ck_assert_uint_eq(q.bytes, ITEMS * (BIG + 7));
	while ((rc = outq_write(&q, fds[0], &written)) == -EAGAIN) {
		turns++;
		n = recv(fds[1], at, 10007, 0);
		ck_assert_int_gt(n, 0);
		at += n;
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_gt(turns, 3);
	close(fds[0]);
	while ((n = recv(fds[1], at, 10007, 0)) > 0)
		at += n;
	ck_assert_uint_eq(written, ITEMS * (BIG + 7));
	ck_assert_uint_eq((size_t)(at - got), written);
	for (int i = 0; i < ITEMS; i++) {
		const uint8_t *item = got + (size_t)i * (BIG + 7);

		ck_assert_mem_eq(item, "abc", 3);
		ck_assert_mem_eq(item + 3, big, BIG);
		ck_assert_mem_eq(item + 3 + BIG, "xy\r\n", 4);
	}
	ck_assert_int_eq(wire->refs, 1);
	wire_unref(&wire);
	outq_clear(&q);
	close(fds[1]);
	free(big);
	free(got);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_queue_gives_the_room_of_a_burst_back)
{
	uint64_t written = 0;
	struct outq q;
	char got[512];
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	outq_init(&q);
	for (unsigned burst = 100; burst > 0; burst /= 100) {
		for (unsigned i = 0; i < burst; i++)
			outq_add(&q, "abc", 3, NULL, "d");
		ck_assert_uint_ge(q.cap, burst);
		ck_assert_int_eq(outq_write(&q, fds[0], &written), 0);
		ck_assert_uint_le(q.cap, 8);
		ck_assert_int_eq(recv(fds[1], got, sizeof(got), 0), 4 * burst);
		ck_assert_mem_eq(got + 4 * (burst - 1), "abcd", 4);
	}
	outq_clear(&q);
	close(fds[0]);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_queue_tells_that_the_peer_is_gone)
{
	struct outq q;
	uint64_t written = 0;
	int fds[2], rc;

	loop_pair(loop, SOCK_STREAM, fds);
	close(fds[1]);
	outq_init(&q);
	outq_add(&q, "abc", 3, NULL, NULL);
	rc = outq_write(&q, fds[0], &written);
	ck_assert_int_eq(rc, -EPIPE);
	ck_assert_uint_eq(written, 0);
	outq_clear(&q);
	close(fds[0]);
	async_complete(loop);
}
END_ASYNC_TEST

/* WebSocket */

START_TEST(test_accept_is_the_rfcs)
{
	char accept[WS_ACCEPT_BYTES];

	ck_assert_int_eq(ws_accept("dGhlIHNhbXBsZSBub25jZQ==", accept), 0);
	ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ck_assert_int_eq(ws_accept("dGhlIHNhbXBsZSBub25jZQ=", accept), -EPROTO);
	ck_assert_int_eq(ws_accept("dGhlIHNhbXBsZSBub25jZQAA", accept), -EPROTO);
	ck_assert_int_eq(ws_accept("dGhlIHNhbXBsZSBub25jZ\r==", accept), -EPROTO);
	ck_assert_int_eq(ws_accept("", accept), -EPROTO);
}
END_TEST

START_TEST(test_heads_of_all_sizes)
{
	uint8_t head[WS_HEAD_MAX];

	ck_assert_uint_eq(ws_head(WS_TEXT, 125, head), 2);
	ck_assert_mem_eq(head, "\x81\x7d", 2);
	ck_assert_uint_eq(ws_head(WS_BINARY, 126, head), 4);
	ck_assert_mem_eq(head, "\x82\x7e\x00\x7e", 4);
	ck_assert_uint_eq(ws_head(WS_BINARY, 65535, head), 4);
	ck_assert_uint_eq(ws_head(WS_BINARY, 65536, head), 10);
	ck_assert_mem_eq(head, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
}
END_TEST

struct client {
	char texts[8192], output[512];
	size_t texts_len, output_len, n_texts;
};

static void
on_text(void *arg, const char *text, size_t len)
{
	struct client *client = arg;

	ck_assert_uint_lt(client->texts_len + len, sizeof(client->texts));
	memcpy(client->texts + client->texts_len, text, len);
	client->texts_len += len;
	client->n_texts++;
}

static void
on_output(void *arg, const uint8_t *bytes, size_t len)
{
	struct client *client = arg;

	ck_assert_uint_le(client->output_len + len, sizeof(client->output));
	memcpy(client->output + client->output_len, bytes, len);
	client->output_len += len;
}

static const struct ws_ops ops = { on_text, on_output };

/* A client's frame; mask 0: none. */
static size_t
make_frame(uint8_t *out, uint8_t first, const void *payload, size_t len, bool masked)
{
	static const uint8_t key[4] = { 0x12, 0x34, 0x56, 0x78 };
	size_t n = 0;

	out[n++] = first;
	if (len < 126) {
		out[n++] = (uint8_t)((masked ? 0x80 : 0) | len);
	} else {
		out[n++] = (masked ? 0x80 : 0) | 126;
		out[n++] = (uint8_t)(len >> 8);
		out[n++] = (uint8_t)len;
	}
	if (masked) {
		memcpy(out + n, key, 4);
		n += 4;
	}
	for (size_t i = 0; i < len; i++)
		out[n++] = ((const uint8_t *)payload)[i] ^ (masked ? key[i % 4] : 0);
	return n;
}

START_TEST(test_text_in_pieces_of_any_size)
{
	struct client client = { 0 };
	struct ws *ws = ws_new(&ops, MESSAGE_MAX, &client);
	uint8_t bytes[700], text[300];
	size_t len, piece = (size_t)_i;

	fill(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + text[i] % 26;
	len = make_frame(bytes, 0x81, text, sizeof(text), true);
	len += make_frame(bytes + len, 0x81, "{}", 2, true);
	for (size_t at = 0; at < len; at += piece)
		ck_assert_int_eq(ws_feed(ws, bytes + at, at + piece > len ? len - at : piece), 0);
	ck_assert_uint_eq(client.n_texts, 2);
	ck_assert_mem_eq(client.texts, text, sizeof(text));
	ck_assert_uint_eq(client.output_len, 0);
	ws_free(&ws);
}
END_TEST

START_TEST(test_ping_is_answered)
{
	struct client client = { 0 };
	struct ws *ws = ws_new(&ops, MESSAGE_MAX, &client);
	uint8_t bytes[64];

	ck_assert_int_eq(ws_feed(ws, bytes, make_frame(bytes, 0x89, "hi", 2, true)), 0);
	ck_assert_uint_eq(client.output_len, 4);
	ck_assert_mem_eq(client.output, "\x8a\x02hi", 4);
	ws_free(&ws);
}
END_TEST

START_TEST(test_close_is_answered_and_ends)
{
	struct client client = { 0 };
	struct ws *ws = ws_new(&ops, MESSAGE_MAX, &client);
	uint8_t bytes[64];
	size_t len = make_frame(bytes, 0x88, "\x03\xe8", 2, true);

	ck_assert_int_eq(ws_feed(ws, bytes, len), -EPIPE);
	ck_assert_mem_eq(client.output, "\x88\x02\x03\xe8", 4);
	ck_assert_int_eq(ws_feed(ws, bytes, len), -EPIPE);
	ck_assert_uint_eq(client.output_len, 4);
	ws_free(&ws);
}
END_TEST

/* Everything a client must not do ends with a close frame, and no text is taken from it. */
START_TEST(test_protocol_errors)
{
	static const struct {
		uint8_t first;
		size_t len;
		bool masked;
		unsigned code; /* 0: any */
	} faults[] = {
		{ 0x81, 5, false, WS_CODE_PROTOCOL },  /* unmasked */
		{ 0x01, 5, true, WS_CODE_PROTOCOL },   /* the first of several fragments */
		{ 0x80, 5, true, WS_CODE_PROTOCOL },   /* a continuation */
		{ 0xc1, 5, true, WS_CODE_PROTOCOL },   /* a reserved bit */
		{ 0x83, 5, true, 0 },                  /* a reserved opcode */
		{ 0x89, 126, true, WS_CODE_PROTOCOL }, /* a long ping */
		{ 0x81, MESSAGE_MAX + 1, true, WS_CODE_TOO_BIG },
	};
	struct client client = { 0 };
	struct ws *ws = ws_new(&ops, MESSAGE_MAX, &client);
	uint8_t bytes[MESSAGE_MAX + 64], payload[MESSAGE_MAX + 1];

	memset(payload, 'x', sizeof(payload));
	ck_assert_int_eq(ws_feed(ws, bytes,
				 make_frame(bytes, faults[_i].first, payload, faults[_i].len,
					    faults[_i].masked)),
			 -EPIPE);
	ck_assert_uint_eq(client.n_texts, 0);
	ck_assert_uint_ge(client.output_len, 4);
	ck_assert_int_eq((uint8_t)client.output[0], 0x88);
	if (faults[_i].code != 0)
		ck_assert_uint_eq(
		    (unsigned)((uint8_t)client.output[2] << 8 | (uint8_t)client.output[3]),
		    faults[_i].code);
	ws_free(&ws);
}
END_TEST

START_TEST(test_longest_message_passes)
{
	struct client client = { 0 };
	struct ws *ws = ws_new(&ops, MESSAGE_MAX, &client);
	uint8_t bytes[MESSAGE_MAX + 64], payload[MESSAGE_MAX];

	memset(payload, 'x', sizeof(payload));
	ck_assert_int_eq(
	    ws_feed(ws, bytes, make_frame(bytes, 0x81, payload, sizeof(payload), true)), 0);
	ck_assert_uint_eq(client.texts_len, MESSAGE_MAX);
	ws_free(&ws);
}
END_TEST

START_TEST(test_many_pings_at_once_end_it)
{
	struct client client = { 0 };
	struct ws *ws = ws_new(&ops, MESSAGE_MAX, &client);
	uint8_t bytes[64 * 8];
	size_t len = 0;

	for (int i = 0; i < 64; i++)
		len += make_frame(bytes + len, 0x89, "", 0, true);
	ck_assert_int_eq(ws_feed(ws, bytes, len), -EPIPE);
	ws_free(&ws);
}
END_TEST

/* Routes */

START_TEST(test_route_table)
{
	enum {
		GET = EVHTTP_REQ_GET,
		READ = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD,
		POST = EVHTTP_REQ_POST,
		OPTIONS = EVHTTP_REQ_OPTIONS
	};
	static const struct {
		const char *path;
		unsigned methods;
		bool is_view;
	} expected[] = {
		{ "/", READ, false },
		{ "/login", READ | POST, false },
		{ "/logout", POST, false },
		{ "/api", READ, false },
		{ "/api/streams", READ, false },
		{ "/api/analysers", READ, false },
		{ "/api/ticket", POST, false },
		{ "/api/ws", GET, true },
		{ "/api/stream.mp4", READ, true },
		{ "/api/stream.mjpeg", READ, true },
		{ "/api/frame.jpeg", READ, true },
		{ "/api/webrtc", POST | OPTIONS, true },
		{ "/ws", GET, true },
		{ "/healthz", READ, false },
		{ "/metrics", READ, false },
		{ ROUTE_WHEP, POST | OPTIONS, true },
		{ ROUTE_WHEP_SESSION, EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | OPTIONS, true },
	};
	size_t n = 0;

	for (const struct route *route = routes; route->path != NULL; route++, n++) {
		ck_assert_uint_lt(n, sizeof(expected) / sizeof(expected[0]));
		ck_assert_str_eq(route->path, expected[n].path);
		ck_assert_ptr_nonnull(route->handle);
		/* Only who signs in or out, fetches a ticket or offers WebRTC changes anything: no
		 * other methods, ever. */
		ck_assert_uint_eq(route->methods, expected[n].methods);
		ck_assert_int_eq(route->action == ROUTE_VIEW, expected[n].is_view);
	}
	ck_assert_uint_eq(n, sizeof(expected) / sizeof(expected[0]));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_wire");
	TCase *wire = tcase_create("wire"), *ws = tcase_create("ws"),
	      *route = tcase_create("route");

	tcase_add_test(wire, test_unit_becomes_a_sample);
	tcase_add_test(wire, test_large_slices_are_not_copied);
	tcase_add_test(wire, test_unit_of_many_pieces_is_copied);
	tcase_add_test(wire, test_unit_without_slices_is_nothing);
	tcase_add_test(wire, test_queue_survives_short_writes);
	tcase_add_test(wire, test_queue_gives_the_room_of_a_burst_back);
	tcase_add_test(wire, test_queue_tells_that_the_peer_is_gone);
	suite_add_tcase(suite, wire);
	tcase_add_test(ws, test_accept_is_the_rfcs);
	tcase_add_test(ws, test_heads_of_all_sizes);
	tcase_add_loop_test(ws, test_text_in_pieces_of_any_size, 1, 12);
	tcase_add_test(ws, test_ping_is_answered);
	tcase_add_test(ws, test_close_is_answered_and_ends);
	tcase_add_loop_test(ws, test_protocol_errors, 0, 7);
	tcase_add_test(ws, test_longest_message_passes);
	tcase_add_test(ws, test_many_pings_at_once_end_it);
	suite_add_tcase(suite, ws);
	tcase_add_test(route, test_route_table);
	suite_add_tcase(suite, route);
	return suite;
}

HARNESS_MAIN(make_suite)
