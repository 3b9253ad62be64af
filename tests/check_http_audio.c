/*
 * The hub's sound: where frames lie beside the pictures, what is silent, what is dropped, and that
 * no picture ever waits for any of it.
 */
#include "config.h"

#include "tests/check_http_hub_rig.h"

#define RATE 8000

static struct feed feed;

static void
make_hub_and_feed(void)
{
	make_hub(RING_BYTES);
	feed = feed_new(EPOCH);
}

static const struct hub_audio *
sound(void)
{
	return hub_sound(hub);
}

static void
push_key(void)
{
	push(feed_config(&feed, false));
	ck_assert_uint_eq(push(feed_key(&feed)), 1);
}

static void
begin(void)
{
	push(feed_sound_config(&feed));
	push_key();
}

/* 40 ms: a picture, and two frames of sound behind it. */
static void
push_both(unsigned n)
{
	while (n-- > 0) {
		push(feed_delta(&feed));
		push(feed_sound(&feed));
		push(feed_sound(&feed));
	}
}

static void
push_pictures(unsigned n)
{
	while (n-- > 0)
		ck_assert_uint_eq(push(feed_delta(&feed)), 1);
}

/* Ticks of sound where the newest picture begins. */
static int64_t
newest_picture(void)
{
	const struct hub_entry *entry = hub_at(hub, hub_tail(hub) - 1);

	return (int64_t)hub_audio_ticks(&sound()->config->format, entry->stamp.decode_time);
}

static int64_t
end_of_sound(void)
{
	const struct hub_audio_entry *entry = hub_audio_at(sound(), sound()->tail - 1);

	return (int64_t)(entry->time + entry->ticks);
}

static unsigned
count_silent(uint64_t from)
{
	unsigned n = 0;

	for (uint64_t pos = from; pos < sound()->tail; pos++)
		n += hub_audio_at(sound(), pos)->msg == NULL;
	return n;
}

/* One after the other, never two at once, with no hole a player would stop at. */
static void
assert_line(void)
{
	for (uint64_t pos = sound()->head + 1; pos < sound()->tail; pos++) {
		const struct hub_audio_entry *a = hub_audio_at(sound(), pos - 1);
		const struct hub_audio_entry *b = hub_audio_at(sound(), pos);

		if (b->time < a->time + a->ticks || b->time - a->time - a->ticks >= FLAC_BLOCK_MIN)
			ck_abort_msg("%llu + %u, then %llu", (unsigned long long)a->time, a->ticks,
				     (unsigned long long)b->time);
	}
}

/* How far the newest frame is from where its pts puts it beside the newest picture's; in ms. */
static int64_t
skew_ms(void)
{
	const struct hub_audio_entry *entry = hub_audio_at(sound(), sound()->tail - 1);
	const struct hub_entry *picture = hub_at(hub, hub_tail(hub) - 1);
	int64_t there = (int64_t)entry->time - newest_picture();

	ck_assert_ptr_nonnull(entry->msg);
	return there * 1000 / RATE -
	       (entry->msg->frame.pts_ns - picture->msg->frame.pts_ns) / 1000000;
}

START_TEST(test_sound_lies_beside_the_pictures)
{
	uint64_t flowing;

	make_hub_and_feed();
	feed.sound_ms += 3 * FRAME_MS + _i;
	begin();
	ck_assert_int_eq(end_of_sound(), 40 * RATE / 1000); /* silence, to the picture's end */
	push_pictures(2);
	push_both(10);
	assert_line();
	flowing = sound()->tail - 4;
	push_both(30);
	ck_assert_uint_eq(count_silent(flowing), 0);
	ck_assert_int_le(llabs(skew_ms()), 5);
	assert_line();
	ck_assert_str_eq(hub_audio_offer(sound())->format.codec_string, "flac");
}
END_TEST

START_TEST(test_without_sound_there_is_silence)
{
	make_hub_and_feed();
	begin();
	for (unsigned i = 0; i < 100; i++) {
		push_pictures(1);
		ck_assert_int_ge(end_of_sound(), newest_picture() + 40 * RATE / 1000 - 16);
	}
	assert_line();
	ck_assert_uint_eq(count_silent(sound()->head), sound()->tail - sound()->head);
}
END_TEST

START_TEST(test_sound_that_stops_and_comes_back)
{
	int64_t end;

	make_hub_and_feed();
	begin();
	push_both(50);
	end = end_of_sound();
	push_pictures(20); /* 0.8 s: it may only be late */
	ck_assert_int_eq(end_of_sound(), end);
	push_pictures(20);
	ck_assert_int_ge(end_of_sound(), newest_picture());
	assert_line();
	feed.sound_ms = feed.time_ms - 100;
	push_both(20);
	ck_assert_int_le(llabs(skew_ms()), 5);
	assert_line();
}
END_TEST

/* A packet is lost: its place is silent, what follows stays where it belongs. */
START_TEST(test_a_lost_packet_is_silence)
{
	uint64_t tail;

	make_hub_and_feed();
	begin();
	push_both(20);
	tail = sound()->tail;
	feed.sound_ms += 4 * SOUND_MS;
	push(feed_delta(&feed));
	push(feed_delta(&feed));
	push_both(1);
	ck_assert_uint_gt(count_silent(tail), 0);
	ck_assert_int_le(llabs(skew_ms()), 5);
	assert_line();
}
END_TEST

/* A clock that is 0.1 % slow or fast: corrected now and then, 50 ms at most. */
START_TEST(test_clocks_drift)
{
	make_hub_and_feed();
	begin();
	push_both(20);
	for (unsigned i = 1; i < 3000; i++) {
		push_both(1);
		if (i % 25 == 0)
			feed.sound_ms += _i;
		if (i % 500 == 0)
			push_key();
		if (i % 10 == 0)
			assert_line();
		if (hub_audio_at(sound(), sound()->tail - 1)->msg != NULL)
			ck_assert_int_le(llabs(skew_ms()), 70);
	}
	ck_assert_uint_eq(sound()->stats.tied, 0);
}
END_TEST

/* Times of another world are of no use: sound is tied to the newest picture, after a second. */
START_TEST(test_times_of_no_use)
{
	static const int64_t offsets[] = { 3600000, -3600000, 1500, -900 };

	make_hub_and_feed();
	begin();
	feed.sound_ms += offsets[_i];
	push_both(20);
	ck_assert_uint_eq(count_silent(sound()->head), sound()->tail - sound()->head);
	push_both(40);
	ck_assert_uint_eq(sound()->stats.tied, 1);
	ck_assert_uint_eq(count_silent(sound()->tail - 20), 0);
	ck_assert_int_le(llabs(end_of_sound() - newest_picture()), RATE / 5);
	assert_line();
	/* and back, when they make sense again */
	feed.sound_ms = feed.time_ms;
	push_both(60);
	ck_assert_int_le(llabs(skew_ms()), 5);
	ck_assert_uint_eq(sound()->stats.tied, 1);
	assert_line();
}
END_TEST

/* Sound goes on while no pictures come: it does not run away from them, and is there when they are
 * back. */
START_TEST(test_pictures_that_stop_and_come_back)
{
	make_hub_and_feed();
	begin();
	push_both(20);
	for (unsigned i = 0; i < 500; i++)
		push(feed_sound(&feed));
	ck_assert_int_le(end_of_sound() - newest_picture(), RATE * 11 / 10);
	ck_assert_uint_eq(sound()->stats.tied, 0);
	feed.time_ms = feed.sound_ms;
	push_both(60);
	ck_assert_uint_eq(sound()->stats.tied, 0);
	ck_assert_int_le(llabs(skew_ms()), 5);
	assert_line();
}
END_TEST

START_TEST(test_a_new_worker_goes_on)
{
	const struct hub_audio_config *config;

	make_hub_and_feed();
	begin();
	push_both(20);
	config = hub_audio_offer(sound());
	hub_cut(hub);
	ck_assert_ptr_null(hub_audio_offer(sound()));
	feed = feed_new(EPOCH + 1);
	feed.time_ms = 77;
	feed.sound_ms = 99;
	begin();
	ck_assert_ptr_eq(hub_audio_offer(sound()), config);
	push_both(20);
	assert_line();
	ck_assert_int_le(llabs(skew_ms()), 5);
	ck_assert_uint_eq(count_silent(sound()->tail - 20), 0);
}
END_TEST

/* Another rate: on the same line, behind what was there. */
START_TEST(test_a_new_worker_with_other_sound)
{
	struct hub_audio_config *before;
	double end_s;

	make_hub_and_feed();
	begin();
	push_both(20);
	before = hub_audio_config_ref(hub_audio_offer(sound()));
	end_s = (double)end_of_sound() / RATE;
	feed = feed_new(EPOCH + 1);
	push(feed_sound_msg(&feed, FRAME_KIND_CONFIG, FRAME_CODEC_AAC, "\x12\x10", 2));
	push_key();
	ck_assert_ptr_ne(hub_audio_offer(sound()), before);
	ck_assert_str_eq(hub_audio_offer(sound())->format.codec_string, "mp4a.40.2");
	push_pictures(20);
	push(feed_sound(&feed)); /* of the old codec */
	for (uint64_t pos = sound()->head; pos < sound()->tail; pos++) {
		const struct hub_audio_entry *entry = hub_audio_at(sound(), pos);

		if (entry->config != before)
			ck_assert(entry->msg == NULL &&
				  (double)entry->time / 44100 >= end_s - 1e-4);
	}
	hub_audio_config_unref(&before);
}
END_TEST

static const struct {
	enum frame_codec codec;
	const char *bytes;
	size_t len;
} useless[] = {
	{ FRAME_CODEC_G726, "\0\0\x1f\x40\1\4\0\0", 8 },
	{ FRAME_CODEC_AAC, "\x12", 1 },
	{ FRAME_CODEC_OPUS, "OpusHead", 8 },
	{ FRAME_CODEC_H264, SOUND_CONFIG, 8 },
	{ FRAME_CODEC_PCMU, "", 0 },
};

/* The largest picture parameter set that fits into an init segment leaves no room there for sound.
 */
START_TEST(test_large_sets_and_sound)
{
	static const char sets[] = SETS_360;
	enum { PPS_BYTES = 64700 };
	size_t len = sizeof(sets) - 1;
	char *bytes = malloc(len + PPS_BYTES);
	struct hub_config *config;

	memcpy(bytes, sets, len);
	memset(bytes + len, 0x55, PPS_BYTES);
	make_hub_and_feed();
	push(feed_sound_config(&feed));
	push(feed_msg(&feed, FRAME_KIND_CONFIG, FRAME_CODEC_H264, bytes, len + PPS_BYTES, 0));
	free(bytes);
	ck_assert_uint_eq(push(feed_key(&feed)), 1);
	push_both(3);
	config = hub_newest_config(hub);
	ck_assert_ptr_nonnull(config->init);
	ck_assert_ptr_nonnull(hub_audio_offer(sound()));
	ck_assert_uint_gt(hub_config_init(config, hub_audio_offer(sound()))->len,
			  FMP4_INIT_BYTES_MAX);
}
END_TEST

START_TEST(test_what_no_player_takes_is_not_offered)
{
	make_hub_and_feed();
	push(feed_sound_msg(&feed, FRAME_KIND_CONFIG, useless[_i].codec, useless[_i].bytes,
			    useless[_i].len));
	push_key();
	push_both(20);
	ck_assert_ptr_null(hub_audio_offer(sound()));
	ck_assert_uint_eq(sound()->tail, 0);
	ck_assert_ptr_eq(hub_config_init(hub_newest_config(hub), NULL),
			 hub_newest_config(hub)->init);
}
END_TEST

/* Sound of which no silence can be written is offered while it is there. */
START_TEST(test_sound_without_silence)
{
	uint8_t frame[100] = { 0 };

	make_hub_and_feed();
	push(feed_sound_msg(&feed, FRAME_KIND_CONFIG, FRAME_CODEC_AAC, "\x11\xb8", 2));
	push_key();
	push_pictures(5);
	ck_assert_ptr_null(hub_audio_offer(sound()));
	feed.sound_ms = feed.time_ms - 60;
	push(feed_sound_msg(&feed, FRAME_KIND_AUDIO, FRAME_CODEC_AAC, frame, sizeof(frame)));
	ck_assert_ptr_nonnull(hub_audio_offer(sound()));
	push_pictures(20);
	ck_assert_ptr_nonnull(hub_audio_offer(sound()));
	push_pictures(10);
	ck_assert_ptr_null(hub_audio_offer(sound()));
}
END_TEST

/* Whatever comes when, pictures enter the ring at once and with the same times. */
START_TEST(test_no_picture_waits_for_sound)
{
	struct hub *deaf;
	uint32_t random = (uint32_t)_i * 2654435761u + 1;
	unsigned pictures = 0;

	make_hub_and_feed();
	deaf = hub_new(SUBSCRIBER, RING_BYTES);
	hub_start(deaf);
	for (unsigned i = 0; i < 400; i++) {
		struct bus_msg *msg;
		unsigned n;

		random = random * 1664525 + 1013904223; /* of which the upper bits are */
		if (random >> 31) {                     /* sound of any time, whole or not */
			feed.flags = random >> 28 & 1 ? FRAME_CORRUPT : 0;
			feed.sound_ms += (int32_t)random / (1 << 20);
			push(random >> 20 & 31 ? feed_sound(&feed) : feed_sound_config(&feed));
			continue;
		}
		msg = pictures % 25 == 0   ? feed_config(&feed, false)
		      : pictures % 25 == 1 ? feed_key(&feed)
					   : feed_delta(&feed);
		pictures++;
		n = hub_push(deaf, msg);
		ck_assert_uint_eq(push(msg), n);
		ck_assert_uint_eq(hub_tail(hub), hub_tail(deaf));
		if (n > 0)
			ck_assert_mem_eq(&hub_at(hub, hub_tail(hub) - 1)->stamp,
					 &hub_at(deaf, hub_tail(deaf) - 1)->stamp,
					 sizeof(struct timeline_stamp));
		assert_line();
	}
	ck_assert_uint_gt(hub_tail(hub), 50);
	hub_free(&deaf);
}
END_TEST

START_TEST(test_the_ring_is_bounded)
{
	uint8_t frame[3000] = { 0 };

	make_hub_and_feed();
	push(
	    feed_sound_msg(&feed, FRAME_KIND_CONFIG, FRAME_CODEC_L16, "\0\0\xbb\x80\2\x10\0\0", 8));
	push_key();
	for (unsigned i = 0; i < 3000; i++) { /* a GOP of two minutes */
		push_pictures(1);
		feed.sound_ms = feed.time_ms - 40;
		for (unsigned n = 0; n < 3; n++, feed.sound_ms += 15)
			push(feed_sound_msg(&feed, FRAME_KIND_AUDIO, FRAME_CODEC_L16, frame, 2880));
		ck_assert_uint_le(sound()->bytes, HUB_AUDIO_BYTES_MAX);
		ck_assert_uint_le(sound()->tail - sound()->head, HUB_AUDIO_ENTRIES_MAX);
	}
	/* What the newest GOP does not need goes. */
	push_key();
	feed.sound_ms = feed.time_ms;
	push_both(1);
	push_pictures(70);
	ck_assert_int_ge((int64_t)hub_audio_at(sound(), sound()->head)->time,
			 (newest_picture() - 48000 * 3));
	hub_stop(hub);
	ck_assert_uint_eq(sound()->bytes, 0);
}
END_TEST

START_TEST(test_wires)
{
	struct hub_audio_entry *entry;
	struct wire *wire, *init;

	make_hub_and_feed();
	begin();
	entry = hub_audio_at(sound(), sound()->head);
	wire = hub_audio_wire(entry);
	ck_assert_ptr_eq(hub_audio_wire(entry), wire);
	ck_assert_mem_eq(wire->piece[0].iov_base, "\xff\xf9\x74\x08\0", 5);
	ck_assert_uint_lt(wire->len, 20);
	feed.sound_ms = feed.time_ms;
	push(feed_sound(&feed));
	entry = hub_audio_at(sound(), sound()->tail - 1);
	ck_assert_ptr_nonnull(entry->msg);
	ck_assert_uint_gt(hub_audio_wire(entry)->len, 100);
	/* The init segment: made once for the same two. */
	init = hub_config_init(hub_newest_config(hub), hub_audio_offer(sound()));
	ck_assert_ptr_eq(hub_config_init(hub_newest_config(hub), hub_audio_offer(sound())), init);
	ck_assert_ptr_nonnull(memmem(init->piece[0].iov_base, init->len, "fLaC", 4));
	ck_assert_ptr_nonnull(memmem(init->piece[0].iov_base, init->len, "avc1", 4));
	ck_assert_ptr_null(memmem(hub_newest_config(hub)->init->piece[0].iov_base,
				  hub_newest_config(hub)->init->len, "fLaC", 4));
}
END_TEST

START_TEST(test_finding_a_place)
{
	uint64_t pos;

	make_hub_and_feed();
	begin();
	push_both(20);
	ck_assert_uint_eq(hub_audio_find(sound(), 0), sound()->head);
	ck_assert_uint_eq(hub_audio_find(sound(), UINT32_MAX), sound()->tail);
	pos = hub_audio_find(sound(), 45000);
	ck_assert_uint_ge(hub_audio_at(sound(), pos)->time, RATE / 2);
	ck_assert_uint_lt(hub_audio_at(sound(), pos - 1)->time, RATE / 2);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_audio");
	TCase *tc = tcase_create("hub");

	tcase_add_loop_test(tc, test_sound_lies_beside_the_pictures, 0, 5);
	tcase_add_test(tc, test_without_sound_there_is_silence);
	tcase_add_test(tc, test_sound_that_stops_and_comes_back);
	tcase_add_test(tc, test_a_lost_packet_is_silence);
	tcase_add_loop_test(tc, test_clocks_drift, -1, 2);
	tcase_add_loop_test(tc, test_times_of_no_use, 0, 4);
	tcase_add_test(tc, test_pictures_that_stop_and_come_back);
	tcase_add_test(tc, test_a_new_worker_goes_on);
	tcase_add_test(tc, test_a_new_worker_with_other_sound);
	tcase_add_test(tc, test_large_sets_and_sound);
	tcase_add_loop_test(tc, test_what_no_player_takes_is_not_offered, 0,
			    sizeof(useless) / sizeof(useless[0]));
	tcase_add_test(tc, test_sound_without_silence);
	tcase_add_loop_test(tc, test_no_picture_waits_for_sound, 0, 10);
	tcase_add_test(tc, test_the_ring_is_bounded);
	tcase_add_test(tc, test_wires);
	tcase_add_test(tc, test_finding_a_place);
	suite_add_tcase(suite, tc);
	return suite;
}

HARNESS_MAIN(make_suite)
