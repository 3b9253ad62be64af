/*
 * See the header.
 */
#include "config.h"

#include "tests/check_http_wall_rig.h"

#include "shared/xalloc.h"

#include <openssl/evp.h>
#include <string.h>

/* Streams */

struct rig *
wall_start(struct loop *loop, json_t *config)
{
	struct rig *rig = rig_start(loop, config);

	rig_stream(rig, 1, "door", "up", "");
	rig_synced(rig);
	return rig;
}

struct feed
feed_of(uint32_t id)
{
	struct feed feed = feed_new(EPOCH);

	feed.stream_id = id;
	return feed;
}

void
expect_want(struct rig *rig, int id, bool on)
{
	const json_t *msg = peer_get_msg(rig->sup, MSG_WANT, 0);

	ck_assert_int_eq(msg_int(msg, "id", 0), id);
	ck_assert_int_eq(msg_bool(msg, "on", !on), on);
}

void
stream_gone(struct rig *rig, int id)
{
	peer_send_msg(rig->sup, json_pack("{s:s, s:i}", "type", "stream-gone", "id", id), -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

/* The page */

struct peer *
open_wall(struct rig *rig)
{
	return rig_websocket_at(rig, "/ws");
}

static uint64_t
little(const uint8_t *bytes, unsigned n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | bytes[n];
	return value;
}

struct picture
parse_picture(const struct ws_message *message)
{
	const uint8_t *bytes = message->bytes;

	ck_assert_msg(message->opcode == 2, "not a frame: %s", (const char *)bytes);
	ck_assert_uint_gt(message->len, 40);
	ck_assert_uint_eq(bytes[0], 1);
	return (struct picture){
		.track = bytes[1],
		.id = (unsigned)little(bytes + 2, 2),
		.flags = (unsigned)little(bytes + 4, 2),
		.version = (unsigned)little(bytes + 6, 2),
		.seq = (uint32_t)little(bytes + 8, 4),
		.duration_us = (uint32_t)little(bytes + 12, 4),
		.pts_us = (int64_t)little(bytes + 16, 8),
		.arrived_us = (int64_t)little(bytes + 24, 8),
		.captured_us = (int64_t)little(bytes + 32, 8),
		.payload = bytes + 40,
		.len = message->len - 40,
	};
}

struct picture
next_picture(struct peer *page)
{
	struct ws_message message = rig_ws_next(page);

	return parse_picture(&message);
}

struct picture
expect_picture(struct peer *page, unsigned id, unsigned flags)
{
	struct picture picture = next_picture(page);

	ck_assert_uint_eq(picture.id, id);
	ck_assert_uint_eq(picture.flags, flags);
	ck_assert_uint_eq(picture.track, 0);
	return picture;
}

void
expect_state(struct peer *page, int id, const char *state)
{
	const json_t *msg = rig_ws_expect_json(page, "state");

	ck_assert_int_eq(msg_int(msg, "id", 0), id);
	ck_assert_str_eq(msg_str(msg, "state"), state);
}

const json_t *
expect_config(struct peer *page, int id, const char *stream, const char *form)
{
	const json_t *msg = rig_ws_expect_json(page, "config");

	ck_assert_int_eq(msg_int(msg, "id", 0), id);
	ck_assert_str_eq(msg_str(msg, "stream"), stream);
	ck_assert_str_eq(msg_str(msg, "form"), form);
	return msg;
}

void
expect_error(struct peer *page, int id, const char *code)
{
	const json_t *msg = rig_ws_expect_json(page, "error");

	ck_assert_int_eq(msg_int(msg, "id", 0), id);
	ck_assert_str_eq(msg_str(msg, "code"), code);
	ck_assert_str_ne(msg_str(msg, "text"), "");
}

/* Nothing is on its way: what is asked now is answered next. */
void
expect_nothing(struct peer *page)
{
	rig_ws_send(page, "{\"type\":\"clock\",\"t0\":7}");
	rig_ws_expect_json(page, "clock");
}

void
unsubscribe(struct peer *page, int id)
{
	char *text = xasprintf("{\"type\":\"unsubscribe\",\"id\":%d}", id);

	rig_ws_send(page, text);
	free(text);
	ck_assert_int_eq(msg_int(rig_ws_expect_json(page, "unsubscribed"), "id", 0), id);
}

void
pause_one(struct peer *page, int id, bool on)
{
	char *text =
	    xasprintf("{\"type\":\"pause\",\"id\":%d,\"on\":%s}", id, on ? "true" : "false");

	rig_ws_send(page, text);
	free(text);
}

size_t
decode_base64(const char *text, uint8_t *out, size_t max)
{
	int len = EVP_DecodeBlock(out, (const unsigned char *)text, (int)strlen(text));

	ck_assert_uint_lt(strlen(text), max);
	ck_assert_int_gt(len, 0);
	while (*text != '\0' && text[strlen(text) - 1] == '=' && len > 0 && out[len - 1] == 0 &&
	       text[strlen(text) - 2] == '=')
		return (size_t)len - 2;
	return (size_t)len - (text[strlen(text) - 1] == '=');
}

void
keep_alive(struct rig *rig, const char *name)
{
	struct stream *stream = stream_find(rig->front, name);

	stream->interest = 1;
	stream_update_want(stream);
	expect_want(rig, (int)stream->id, true);
}
