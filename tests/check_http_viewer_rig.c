/*
 * See the header.
 */
#include "config.h"

#include "tests/check_http_viewer_rig.h"

struct rig *
start_door(struct loop *loop, json_t *config)
{
	struct rig *rig = rig_start(loop, config);

	rig_stream(rig, 1, "door", "up", "");
	rig_synced(rig);
	return rig;
}

void
expect_want(struct rig *rig, bool on)
{
	const json_t *msg = peer_get_msg(rig->sup, MSG_WANT, 0);

	ck_assert_int_eq(msg_int(msg, "id", 0), 1);
	ck_assert_int_eq(msg_bool(msg, "on", !on), on);
}

void
expect_fragment(struct peer *browser, uint64_t *time, bool key)
{
	struct ws_message message = rig_ws_next(browser);
	struct fragment fragment;

	ck_assert_uint_eq(message.opcode, 2);
	ck_assert_uint_eq(rig_fragments(message.bytes, message.len, &fragment, 1), 1);
	ck_assert_uint_eq(fragment.decode_time, *time);
	ck_assert_int_eq(fragment.is_key, key);
	*time += fragment.duration;
}

void
expect_init(struct peer *browser)
{
	struct ws_message message = rig_ws_next(browser);

	ck_assert_uint_eq(message.opcode, 2);
	ck_assert(rig_is_init(message.bytes, message.len));
}

void
expect_mse_start(struct peer *browser)
{
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "mse")),
			 "video/mp4; codecs=\"avc1.42C01E\"");
	expect_init(browser);
}
