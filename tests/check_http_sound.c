/*
 * Sound as viewers get it: who gets it, in which words, on which times; and that no picture goes
 * out later for it.
 */
#include "config.h"

#include "http/viewer.h"

#include "tests/check_http_wall_rig.h"

#define MSE       "{\"type\":\"mse\",\"value\":\"avc1.640029,mp4a.40.2,flac,opus\"}"
#define MSE_DEAF  "{\"type\":\"mse\",\"value\":\"avc1.640029,mp4a.40.2,opus\"}"
#define WITH      "video/mp4; codecs=\"avc1.42C01E,flac\""
#define WITHOUT   "video/mp4; codecs=\"avc1.42C01E\""
#define SOUND_HZ  8000
#define FRAGMENTS 512

/* A page that asks for files, with sound or without. */
#define WALL(audio)                                                                                \
	"{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"fmp4\"],\"codecs\":"       \
	"\"avc1.640029,flac\",\"audio\":" audio "}"

static bool
has_text(const struct ws_message *message, const char *text)
{
	return memmem(message->bytes, message->len, text, strlen(text)) != NULL;
}

/* What an answer to MSE begins with. */
static void
expect_start(struct peer *browser, const char *mime)
{
	struct ws_message init;

	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "mse")), mime);
	init = rig_ws_next(browser);
	ck_assert(rig_is_init(init.bytes, init.len));
	ck_assert_int_eq(has_text(&init, "fLaC"), strcmp(mime, WITH) == 0);
}

static struct fragment
next_fragment(struct peer *browser)
{
	struct ws_message message = rig_ws_next(browser);
	struct fragment fragment;

	ck_assert_uint_eq(message.opcode, 2);
	ck_assert_uint_eq(rig_fragments(message.bytes, message.len, &fragment, 1), 1);
	return fragment;
}

/* The next fragment is a picture. */
static struct fragment
expect_film(struct peer *browser)
{
	struct fragment fragment = next_fragment(browser);

	ck_assert_uint_eq(fragment.track, 1);
	return fragment;
}

/* The first message: a key frame, and its sound if there is any. Returns how many fragments. */
static size_t
expect_join(struct peer *browser)
{
	struct ws_message message = rig_ws_next(browser);
	struct fragment fragments[2] = { { 0 } };
	size_t n = rig_fragments(message.bytes, message.len, fragments, 2);

	ck_assert_uint_eq(fragments[0].track, 1);
	ck_assert(fragments[0].is_key);
	ck_assert(n == 1 || fragments[1].track == 2);
	return n;
}

/* A key frame behind the configurations of both; sound that is watched from the start. */
static void
push_start(struct rig *rig, struct feed *feed)
{
	rig_push(rig, feed_sound_config(feed));
	rig_push_gop(rig, feed, 1);
}

START_ASYNC_TEST(test_sound_goes_along_for_who_takes_it, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct feed feed = feed_new(EPOCH);
	uint64_t film = 3600, sound = 320;

	rig_ws_send(browser, MSE);
	expect_want(rig, 1, true);
	push_start(rig, &feed);
	expect_start(browser, WITH);
	ck_assert_uint_eq(expect_join(browser), 2);
	rig_ws_expect(browser, "state");
	feed.sound_ms = feed.time_ms;
	rig_push(rig, feed_delta(&feed));
	for (int i = 2; i < 100; i++) {
		struct fragment fragment = next_fragment(browser);
		uint64_t *time = fragment.track == 1 ? &film : &sound;

		ck_assert_uint_eq(fragment.sequence, i + 1);
		ck_assert_uint_eq(fragment.decode_time, *time);
		*time += fragment.duration;
		if (fragment.track == 1) {
			rig_push(rig, feed_sound(&feed));
			rig_push(rig, feed_sound(&feed));
		} else if (sound * 1000 / SOUND_HZ >= film / 90) {
			rig_push(rig, feed_delta(&feed));
		}
	}
	ck_assert_int_le(llabs((int64_t)(sound * 1000 / SOUND_HZ) - (int64_t)(film / 90)), 40);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_who_does_not_take_it_gets_pictures_alone, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct feed feed = feed_new(EPOCH);

	rig_ws_send(browser, MSE_DEAF);
	expect_want(rig, 1, true);
	push_start(rig, &feed);
	expect_start(browser, WITHOUT);
	expect_film(browser);
	rig_ws_expect(browser, "state");
	for (unsigned i = 0; i < 10; i++) {
		rig_push(rig, feed_sound(&feed));
		rig_push(rig, feed_delta(&feed));
		ck_assert_uint_eq(expect_film(browser).sequence, i + 2);
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* All that there is in one message, sound behind the pictures, both from 0 on. */
START_ASYNC_TEST(test_the_gop_of_the_join_has_its_sound, .hold_time = true)
{
	static struct fragment fragments[FRAGMENTS];
	struct rig *rig = wall_start(loop, NULL);
	struct feed feed = feed_new(EPOCH);
	uint64_t film = 0, sound = 0;
	struct ws_message message;
	struct peer *browser;
	size_t n;

	keep_alive(rig, "door");
	rig_push(rig, feed_sound_config(&feed));
	for (int gop = 0; gop < 3; gop++) {
		rig_push_gop(rig, &feed, 1);
		for (int i = 0; i < 74; i++) { /* three seconds: longer than is kept otherwise */
			rig_push(rig, feed_sound(&feed));
			rig_push(rig, feed_sound(&feed));
			rig_push(rig, feed_delta(&feed));
		}
	}
	browser = rig_websocket(rig, "door");
	rig_ws_send(browser, MSE);
	expect_start(browser, WITH);
	message = rig_ws_next(browser);
	n = rig_fragments(message.bytes, message.len, fragments, FRAGMENTS);
	for (size_t i = 0; i < n; i++) {
		uint64_t *time = fragments[i].track == 1 ? &film : &sound;

		ck_assert(fragments[i].track == 2 || sound == 0);
		if (fragments[i].track == 2 && sound == 0) /* a frame may have begun before */
			sound = fragments[i].decode_time;
		ck_assert_uint_eq(fragments[i].decode_time, *time);
		ck_assert_uint_eq(fragments[i].sequence, i + 1);
		*time += fragments[i].duration;
	}
	ck_assert_uint_eq(film, 75 * 3600);
	ck_assert_uint_ge(sound, 70 * SOUND_HZ / 25);
	async_complete(loop);
}
END_ASYNC_TEST

/* Whatever sound does, each picture is the next message to both, with the same times. */
START_ASYNC_TEST(test_no_picture_goes_out_later_for_sound, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *hearing = rig_websocket(rig, "door"), *deaf = rig_websocket(rig, "door");
	struct feed feed = feed_new(EPOCH);

	rig_ws_send(hearing, MSE);
	rig_ws_send(deaf, MSE_DEAF);
	expect_want(rig, 1, true);
	push_start(rig, &feed);
	expect_start(hearing, WITH);
	expect_start(deaf, WITHOUT);
	ck_assert_uint_eq(expect_join(hearing), 2);
	ck_assert_uint_eq(expect_join(deaf), 1);
	rig_ws_expect(hearing, "state");
	rig_ws_expect(deaf, "state");
	for (int i = 0; i < 300; i++) {
		struct fragment a, b;
		unsigned heard = 0;

		/* none at first, then late, then hours away, then as it should be */
		feed.sound_ms = feed.time_ms + (i < 100 ? -300 : i < 200 ? 7200000 : 0);
		if (i % 30 == 29)
			rig_push(rig, feed_config(&feed, false));
		rig_push(rig, i % 30 == 29 ? feed_key(&feed) : feed_delta(&feed));
		a = expect_film(hearing);
		b = expect_film(deaf);
		ck_assert_uint_eq(a.decode_time, b.decode_time);
		ck_assert_uint_eq(a.duration, b.duration);
		for (int k = 0; i >= 50 && k < 2; k++)
			rig_push(rig, feed_sound(&feed));
		loop_settle(loop);
		rig_push(rig, feed_status(&feed, "{\"codec\":\"h264\"}", 0));
		rig_stream(rig, 1, "door", "up", i % 2 ? "a" : "b"); /* a mark in both sockets */
		while (true) {
			struct ws_message message = rig_ws_next(hearing);

			if (message.opcode == 1)
				break;
			ck_assert_uint_eq(rig_fragments(message.bytes, message.len, &a, 1), 1);
			ck_assert_uint_eq(a.track, 2);
			heard++;
		}
		ck_assert_uint_le(heard, 40);
		rig_ws_expect(deaf, "state");
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* Nobody waits for a configuration, and a player cannot take another track later. */
START_ASYNC_TEST(test_sound_that_is_known_too_late_is_left_out, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct feed feed = feed_new(EPOCH);

	rig_ws_send(browser, MSE);
	expect_want(rig, 1, true);
	rig_push_gop(rig, &feed, 1);
	expect_start(browser, WITHOUT);
	expect_film(browser);
	rig_ws_expect(browser, "state");
	rig_push(rig, feed_sound_config(&feed));
	rig_push(rig, feed_delta(&feed));
	rig_push(rig, feed_sound(&feed));
	expect_film(browser);
	rig_push(rig, feed_key(&feed));
	ck_assert_uint_eq(expect_film(browser).sequence, 3);
	rig_push(rig, feed_delta(&feed));
	ck_assert_uint_eq(expect_film(browser).sequence, 4);
	async_complete(loop);
}
END_ASYNC_TEST

/* Another codec: until the next key frame nothing of it, then all is said anew. */
START_ASYNC_TEST(test_sound_that_changes, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct feed feed = feed_new(EPOCH);
	struct fragment fragment;
	struct ws_message init;

	rig_ws_send(browser, MSE);
	expect_want(rig, 1, true);
	push_start(rig, &feed);
	expect_start(browser, WITH);
	ck_assert_uint_eq(expect_join(browser), 2);
	rig_ws_expect(browser, "state");
	rig_push(rig, feed_sound_msg(&feed, FRAME_KIND_CONFIG, FRAME_CODEC_AAC, "\x14\x08", 2));
	rig_push(rig, feed_delta(&feed));
	expect_film(browser);
	rig_push(rig, feed_key(&feed));
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "config")),
			 "video/mp4; codecs=\"avc1.42C01E,mp4a.40.2\"");
	init = rig_ws_next(browser);
	ck_assert(rig_is_init(init.bytes, init.len) && has_text(&init, "mp4a"));
	ck_assert(expect_film(browser).is_key);
	rig_push(rig, feed_delta(&feed));
	do
		fragment = next_fragment(browser);
	while (fragment.track == 1);
	ck_assert_uint_eq(fragment.duration, 1024);
	ck_assert_uint_eq(fragment.decode_time, 640); /* where the other ended */
	async_complete(loop);
}
END_ASYNC_TEST

static size_t
next_chunk(struct peer *browser, const uint8_t **bytes)
{
	size_t len;

	peer_expect_until(browser, "\r\n", "");
	peer_run(browser, 0);
	len = strtoul(peer_last(browser, NULL), NULL, 16);
	peer_expect_bytes(browser, len + 2);
	peer_run(browser, 0);
	*bytes = (const uint8_t *)peer_last(browser, NULL);
	return len;
}

START_ASYNC_TEST(test_mp4_over_http, .hold_time = true)
{
	static const struct {
		const char *query;
		bool sound;
	} queries[] = {
		{ "", true },
		{ "&audio=1", true },
		{ "&mp4=flac", true },
		{ "&audio=0", false },
		{ "&video=h264", false },
		{ "&audio=none", false },
		{ "&audio=aac", true },
		{ "&video=all&audio=all", true },
	};
	struct rig *rig = wall_start(loop, NULL);
	struct feed feed = feed_new(EPOCH);

	keep_alive(rig, "door");
	push_start(rig, &feed);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct peer *browser = rig_connect(rig);
		struct fragment fragment;
		const uint8_t *bytes;
		char request[128];
		size_t len;

		snprintf(request, sizeof(request),
			 "GET /api/stream.mp4?src=door%s HTTP/1.1\r\nHost: x\r\n\r\n",
			 queries[i].query);
		peer_send_text(browser, request);
		peer_run(browser, 0);
		peer_expect_until(browser, "\r\n\r\n", "Content-Type: video/mp4\r\n");
		peer_run(browser, 0);
		len = next_chunk(browser, &bytes);
		ck_assert(rig_is_init(bytes, len));
		ck_assert_int_eq(memmem(bytes, len, "fLaC", 4) != NULL, queries[i].sound);
		len = next_chunk(browser, &bytes);
		ck_assert_uint_eq(rig_fragments(bytes, len, &fragment, 1), 1);
		ck_assert_uint_eq(fragment.track, 1);
		if (queries[i].sound) {
			len = next_chunk(browser, &bytes);
			ck_assert_uint_eq(rig_fragments(bytes, len, &fragment, 1), 1);
			ck_assert_uint_eq(fragment.track, 2);
		}
		peer_close(browser);
		peer_run(browser, 0);
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* Walls */

static void
expect_wall_start(struct peer *page, const char *audio)
{
	uint8_t init[8192];
	const json_t *config = expect_config(page, 1, "door", "fmp4");
	size_t len = decode_base64(msg_str(config, "init"), init, sizeof(init));

	ck_assert_str_eq(msg_str(config, "audio"), audio);
	ck_assert_str_eq(msg_str(config, "codec"), "avc1.42C01E");
	ck_assert_int_eq(memmem(init, len, "fLaC", 4) != NULL, audio[0] != '\0');
}

/* The next frame is sound, and says of itself what its fragment says. */
static struct picture
expect_sound(struct peer *page)
{
	struct picture frame = next_picture(page);
	struct fragment fragment;

	ck_assert_uint_eq(frame.track, 1);
	ck_assert_uint_eq(frame.id, 1);
	ck_assert_uint_eq(frame.flags, KEY);
	ck_assert_uint_eq(rig_fragments(frame.payload, frame.len, &fragment, 1), 1);
	ck_assert_uint_eq(fragment.track, 2);
	ck_assert_int_eq(frame.pts_us, (int64_t)fragment.decode_time * 1000000 / SOUND_HZ);
	ck_assert_int_eq(frame.duration_us, fragment.duration * 1000000 / SOUND_HZ);
	return frame;
}

START_ASYNC_TEST(test_a_wall_asks_for_sound, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_new(EPOCH);
	int64_t end_us;

	rig_ws_send(page, WALL("true"));
	expect_want(rig, 1, true);
	push_start(rig, &feed);
	expect_state(page, 1, "up");
	expect_wall_start(page, "flac");
	expect_picture(page, 1, KEY);
	end_us = expect_sound(page).duration_us;
	feed.sound_ms = feed.time_ms;
	for (int i = 0; i < 20; i++) {
		struct picture frame;

		rig_push(rig, feed_sound(&feed));
		frame = expect_sound(page);
		ck_assert_int_eq(frame.pts_us, end_us);
		ck_assert_uint_eq(frame.seq, i + 2);
		end_us += frame.duration_us;
		if (i % 2 == 1) {
			rig_push(rig, feed_delta(&feed));
			expect_picture(page, 1, 0);
		}
	}
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* On while it plays: the group again, at once, on the same line of time; off the same way. */
START_ASYNC_TEST(test_a_wall_unmutes, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_new(EPOCH);

	rig_ws_send(page, WALL("false"));
	expect_want(rig, 1, true);
	push_start(rig, &feed);
	expect_state(page, 1, "up");
	expect_wall_start(page, "");
	expect_picture(page, 1, KEY);
	feed.sound_ms = feed.time_ms;
	rig_push(rig, feed_sound(&feed));
	rig_push(rig, feed_sound(&feed));
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	rig_ws_send(page, WALL("true"));
	expect_wall_start(page, "flac");
	ck_assert_int_eq(expect_picture(page, 1, KEY | BEHIND).pts_us, 80000);
	ck_assert_int_eq(expect_picture(page, 1, 0).pts_us, 120000);
	ck_assert_int_eq(expect_sound(page).pts_us, 80000); /* 40 ms of silence */
	ck_assert_int_eq(expect_sound(page).pts_us, 120000);
	ck_assert_int_eq(expect_sound(page).pts_us, 140000);
	rig_ws_send(page, WALL("false"));
	expect_wall_start(page, "");
	ck_assert_int_eq(expect_picture(page, 1, KEY | BEHIND).pts_us, 160000);
	expect_picture(page, 1, 0);
	rig_push(rig, feed_sound(&feed));
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_units_have_no_sound, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_new(EPOCH);

	rig_ws_send(page, "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"unit\"],"
			  "\"codecs\":\"avc1.640029,flac\",\"audio\":true}");
	expect_want(rig, 1, true);
	push_start(rig, &feed);
	expect_state(page, 1, "up");
	ck_assert_ptr_null(json_object_get(expect_config(page, 1, "door", "unit"), "audio"));
	expect_picture(page, 1, KEY);
	rig_push(rig, feed_sound(&feed));
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* A viewer that skips: its sound skips as far, and goes on at the same place beside the pictures.
 */
static void
on_nothing(void *arg)
{
	(void)arg;
}

START_ASYNC_TEST(test_sound_skips_with_the_pictures, .hold_time = true)
{
	static const struct cursor_ops ops = { on_nothing, on_nothing, on_nothing };
	struct rig *rig = wall_start(loop, NULL);
	struct feed feed = feed_new(EPOCH);
	struct stream *stream = stream_find(rig->front, "door");
	struct hub_audio_entry *entry;
	struct cursor cursor;
	uint64_t film, sound;

	cursor_init(&cursor, 1, &ops, NULL);
	cursor_enter(&cursor, stream);
	cursor_set_mode(&cursor, CURSOR_FRAMES);
	push_start(rig, &feed);
	ck_assert_ptr_nonnull(cursor_peek(&cursor));
	cursor_sound_set(&cursor, hub_audio_offer(hub_sound(stream->hub)));
	cursor_take(&cursor);
	entry = cursor_sound_peek(&cursor);
	ck_assert_uint_eq(cursor_sound_take(&cursor), 0);
	sound = entry->ticks;
	feed.sound_ms = feed.time_ms;
	for (int i = 0; i < 5; i++) { /* it is ahead of the pictures */
		rig_push(rig, feed_sound(&feed));
		ck_assert_ptr_nonnull(cursor_sound_peek(&cursor));
		ck_assert_uint_eq(cursor_sound_take(&cursor), sound);
		sound += SOUND_BYTES;
	}
	for (int i = 0; i < 100; i++) {
		rig_push(rig, feed_sound(&feed));
		rig_push(rig, feed_sound(&feed));
		rig_push(rig, i % 50 == 49 ? feed_key(&feed) : feed_delta(&feed));
	}
	for (int i = 0; i < 4; i++)
		rig_push(rig, feed_sound(&feed));
	ck_assert_ptr_nonnull(cursor_peek(&cursor));
	ck_assert_uint_gt(cursor.skipped_frames, 50);
	film = cursor_take(&cursor);
	ck_assert_uint_eq(film, 3600);
	entry = cursor_sound_peek(&cursor);
	ck_assert_ptr_nonnull(entry);
	/* behind what was there before, and by less than a frame beside the picture */
	ck_assert_uint_ge(cursor_sound_take(&cursor), sound);
	ck_assert_uint_lt(cursor.sound.next, sound + 2 * SOUND_BYTES);
	cursor_leave(&cursor);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_sound");
	TCase *viewers = tcase_create("viewers"), *walls = tcase_create("walls");

	tcase_add_test(viewers, test_sound_goes_along_for_who_takes_it);
	tcase_add_test(viewers, test_who_does_not_take_it_gets_pictures_alone);
	tcase_add_test(viewers, test_the_gop_of_the_join_has_its_sound);
	tcase_add_test(viewers, test_no_picture_goes_out_later_for_sound);
	tcase_add_test(viewers, test_sound_that_is_known_too_late_is_left_out);
	tcase_add_test(viewers, test_sound_that_changes);
	tcase_add_test(viewers, test_mp4_over_http);
	tcase_add_test(viewers, test_sound_skips_with_the_pictures);
	suite_add_tcase(suite, viewers);
	tcase_add_test(walls, test_a_wall_asks_for_sound);
	tcase_add_test(walls, test_a_wall_unmutes);
	tcase_add_test(walls, test_units_have_no_sound);
	suite_add_tcase(suite, walls);
	return suite;
}

HARNESS_MAIN(make_suite)
