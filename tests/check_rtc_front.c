/*
 * What a viewer gets of the rtc front: the group at once, what he misses, what he asks for, by UDP
 * and TCP.
 */
#include "config.h"

#include "rtc/batch.h"
#include "rtc/line.h"
#include "rtc/session.h"
#include "tests/check_rtc_rig.h"

#include <malloc.h>
#include <string.h>

#define GOP        10
#define VIEWERS    20
#define MEMORY_MAX (32u << 10)

/* So many ticks, but for what the marks of pictures take. */
static void
assert_apart(const struct rtc_viewer_packet *before, const struct rtc_viewer_packet *after,
	     int ticks)
{
	int got = (int)(after->timestamp - before->timestamp);

	ck_assert_int_gt(got, ticks - (int)RTC_LINE_MARKS);
	ck_assert_int_lt(got, ticks + (int)RTC_LINE_MARKS);
}

/* That of the picture that was taken then. */
static unsigned
mark_at(int64_t time_ms)
{
	return 1 + (unsigned)(FEED_ARRIVED_NS(time_ms) / 1000000 / RTC_LINE_MARK_MS % 63);
}

static unsigned
mark_in(const struct rtc_viewer *viewer, size_t packet)
{
	return viewer->packets[packet].timestamp % RTC_LINE_MARKS;
}

/* Over both kinds of path. */
START_ASYNC_TEST(test_group_at_once)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, GOP);
	struct rtc_viewer *viewer = rtc_rig_join(rig, _i == 1);
	size_t last;

	rtc_viewer_await_pictures(viewer, GOP);
	/* Parameter sets first, in one packet; then the slice. */
	ck_assert_uint_eq(viewer->packets[0].bytes[0] & 0x1f, 24);
	for (size_t i = 1; i < viewer->n; i++) {
		ck_assert_uint_eq(viewer->packets[i].seq, (uint16_t)(viewer->packets[0].seq + i));
		ck_assert_uint_eq(viewer->packets[i].payload_type, 108);
		ck_assert_uint_eq(viewer->packets[i].ssrc, viewer->video_ssrc);
	}
	last = viewer->n - 1;
	assert_apart(&viewer->packets[0], &viewer->packets[last], (GOP - 1) * RTC_LINE_MARKS);
	/* The next one keeps the camera's time. */
	rtc_rig_push(rig, feed_delta(&feed));
	rtc_viewer_await_pictures(viewer, GOP + 1);
	assert_apart(&viewer->packets[last], &viewer->packets[last + 1], FRAME_MS * 90);
	async_complete(loop);
}
END_ASYNC_TEST

/* By the lower bits of its time, whenever it comes; but for those that are passed over at once. */
START_ASYNC_TEST(test_pictures_say_when_they_came)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, GOP);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);
	unsigned newest = mark_at(feed.time_ms - FRAME_MS);
	size_t n;

	rtc_viewer_await_pictures(viewer, GOP);
	n = viewer->n;
	for (size_t i = 0; i < n - 1; i++)
		ck_assert_uint_eq(mark_in(viewer, i), 0);
	ck_assert_uint_eq(mark_in(viewer, n - 1), newest);
	/* Once more: it is the same picture. */
	loop_run_for_ms(loop, 400);
	rtc_viewer_pli(viewer);
	rtc_viewer_await_pictures(viewer, 2 * GOP);
	ck_assert_uint_eq(viewer->n, 2 * n);
	for (size_t i = n; i < 2 * n - 1; i++)
		ck_assert_uint_eq(mark_in(viewer, i), 0);
	ck_assert_uint_eq(mark_in(viewer, 2 * n - 1), newest);
	/* Past the end of all marks. */
	for (unsigned i = 0; i < 30; i++) {
		int64_t time_ms = feed.time_ms;

		rtc_rig_push(rig, feed_delta(&feed));
		rtc_viewer_await_pictures(viewer, 2 * GOP + i + 1);
		ck_assert_uint_eq(mark_in(viewer, viewer->n - 1), mark_at(time_ms));
		ck_assert_int_gt((int32_t)(viewer->packets[viewer->n - 1].timestamp -
					   viewer->packets[viewer->n - 2].timestamp),
				 0);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_long_group_is_not_sent)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, RTC_BURST_MAX + 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);

	rtc_rig_push(rig, feed_delta(&feed));
	loop_run_for_ms(loop, 200);
	ck_assert_uint_eq(viewer->n, 0);
	rtc_rig_push(rig, feed_key(&feed));
	rtc_viewer_await_pictures(viewer, 1);
	ck_assert_uint_eq(viewer->packets[0].bytes[0] & 0x1f, 24);
	async_complete(loop);
}
END_ASYNC_TEST

/* Large pictures: many packets, in more than one batch. */
START_ASYNC_TEST(test_large_picture, .deadline_ms = 60000)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, _i == 1);
	size_t before;

	rtc_viewer_await_pictures(viewer, 1);
	before = viewer->n;
	feed.padding = 60000;
	rtc_rig_push(rig, feed_delta(&feed));
	rtc_rig_push(rig, feed_delta(&feed));
	loop_hold_time(loop, false);
	rtc_viewer_await_pictures(viewer, 3);
	ck_assert_uint_ge(viewer->n - before, 100);
	for (size_t i = 1; i < viewer->n; i++)
		ck_assert_uint_eq(viewer->packets[i].seq, (uint16_t)(viewer->packets[0].seq + i));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_without_gso)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer;

	rtc_udp_forbid_gso(rig->rtc->udp[0]);
	viewer = rtc_rig_join(rig, false);
	feed.padding = 30000;
	rtc_rig_push(rig, feed_delta(&feed));
	rtc_viewer_await_pictures(viewer, 2);
	for (size_t i = 1; i < viewer->n; i++)
		ck_assert_uint_eq(viewer->packets[i].seq, (uint16_t)(viewer->packets[0].seq + i));
	async_complete(loop);
}
END_ASYNC_TEST

/* What he misses comes again, as RTX: the same payload behind the number that it had. */
START_ASYNC_TEST(test_missed_packet_comes_again)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, GOP);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);
	const struct rtc_viewer_packet *missed, *again;
	size_t n;

	rtc_viewer_await_pictures(viewer, GOP);
	n = viewer->n;
	missed = &viewer->packets[4];
	rtc_viewer_nack(viewer, missed->seq);
	rtc_viewer_await_packets(viewer, n + 1);
	again = &viewer->packets[n];
	ck_assert_uint_eq(again->ssrc, viewer->rtx_ssrc);
	ck_assert_uint_eq(again->payload_type, 109);
	ck_assert_uint_eq(again->timestamp, missed->timestamp);
	ck_assert_uint_eq(again->len, missed->len + 2);
	ck_assert_uint_eq(again->bytes[0] << 8 | again->bytes[1], missed->seq);
	ck_assert_mem_eq(again->bytes + 2, missed->bytes, missed->len < 14 ? missed->len : 14);
	/* At once again is too soon; what was never sent is not there. */
	rtc_viewer_nack(viewer, missed->seq);
	rtc_viewer_nack(viewer, (uint16_t)(missed->seq + 5000));
	loop_settle(loop);
	ck_assert_uint_eq(viewer->n, n + 1);
	loop_run_for_ms(loop, 20);
	rtc_viewer_nack(viewer, missed->seq);
	rtc_viewer_await_packets(viewer, n + 2);
	ck_assert_uint_ne(viewer->packets[n + 1].seq, again->seq);
	async_complete(loop);
}
END_ASYNC_TEST

/* NACKs ask for more than what is sent: there is an end to it. */
START_ASYNC_TEST(test_missed_packets_are_bounded)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);
	size_t n;

	feed.padding = 50000;
	rtc_rig_push(rig, feed_delta(&feed));
	rtc_viewer_await_pictures(viewer, 2);
	n = viewer->n;
	for (unsigned round = 0; round < 10; round++) {
		for (size_t i = 2; i < n; i++)
			rtc_viewer_nack(viewer, viewer->packets[i].seq);
		loop_run_for_ms(loop, 20);
	}
	ck_assert_uint_gt(viewer->n, n + 50);
	ck_assert_uint_lt(viewer->n, n + 200);
	async_complete(loop);
}
END_ASYNC_TEST

/* He cannot decode: the group again with new numbers and times, but not as often as he likes. */
START_ASYNC_TEST(test_picture_is_asked_for)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, GOP);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);
	size_t n;

	rtc_viewer_await_pictures(viewer, GOP);
	n = viewer->n;
	loop_run_for_ms(loop, 400);
	rtc_viewer_pli(viewer);
	rtc_viewer_pli(viewer);
	rtc_viewer_await_pictures(viewer, 2 * GOP);
	loop_settle(loop);
	ck_assert_uint_eq(viewer->n, 2 * n);
	for (size_t i = 1; i < viewer->n; i++) {
		ck_assert_uint_eq(viewer->packets[i].seq, (uint16_t)(viewer->packets[0].seq + i));
		ck_assert_int_ge(
		    (int32_t)(viewer->packets[i].timestamp - viewer->packets[i - 1].timestamp), 0);
	}
	/* The next picture is later still. */
	rtc_rig_push(rig, feed_delta(&feed));
	rtc_viewer_await_pictures(viewer, 2 * GOP + 1);
	ck_assert_int_gt(
	    (int32_t)(viewer->packets[2 * n].timestamp - viewer->packets[2 * n - 1].timestamp), 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* RTP's time at the report's instant is that of a picture taken then. */
START_ASYNC_TEST(test_reports)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);
	uint8_t data[64];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };
	int64_t taken;
	uint64_t ntp;

	loop_run_for_ms(loop, 100);
	ck_assert_uint_eq(viewer->reports, 1);
	loop_run_for_ms(loop, 1400);
	ck_assert_uint_ge(viewer->reports, 2);
	taken = FEED_ARRIVED_NS(5000LL);
	ntp = rtc_rtcp_ntp(taken);
	/* In ticks: how much later than that picture the report says it is, by both clocks. */
	ck_assert_int_le(
	    llabs((int64_t)((viewer->report_ntp - ntp) >> 16) * 90000 / 65536 % (1LL << 32) -
		  (int64_t)(viewer->report_timestamp - viewer->packets[0].timestamp)),
	    90);
	ck_assert_uint_eq(viewer->dlrrs, 0);
	ck_assert_int_eq(rtc_rtcp_write_rrtr(&out, 77, ntp), 0);
	rtc_viewer_send_rtcp(viewer, &out);
	loop_settle(loop);
	loop_run_for_ms(loop, 200);
	ck_assert_uint_eq(viewer->dlrrs, 1);
	async_complete(loop);
}
END_ASYNC_TEST

static void
expect_link(struct rtc_rig *rig, const struct rtc_session *session, const char *link)
{
	peer_expect_msg(rig->sup, MSG_RTC_LINK,
			json_pack("{s:s, s:s}", "session", session->id, "link", link));
}

/* REMB says that there is no room: the smaller stream, as soon as it has pictures. His page is
 * told. */
START_ASYNC_TEST(test_thin_link)
{
	struct feed feed, small = feed_new(EPOCH + 1);
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);
	struct rtc_session *session = rtc_rig_first(rig);
	uint8_t data[64], wide[64];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };
	struct rtc_rtcp_out room = { .data = wide, .cap = sizeof(wide) };

	small.stream_id = 2;
	rtc_rig_stream(rig, 2, "door.sub");
	ck_assert_int_eq(rtc_rtcp_write_remb(&out, 1, viewer->video_ssrc, 20000), 0);
	feed.padding = 20000;
	for (int i = 0; i < 40; i++) {
		rtc_rig_push(rig, feed_delta(&feed));
		loop_run_for_ms(loop, FRAME_MS);
		rtc_viewer_send_rtcp(viewer, &out);
		loop_settle(loop);
	}
	ck_assert_int_eq(session->advice, RTC_ADVICE_THIN);
	/* The smaller one has no picture yet: of the large one, key frames only. */
	ck_assert_str_eq(session->cursor.stream->name, "door");
	ck_assert_int_eq(session->doing, RTC_ADVICE_KEYS_ONLY);
	rtc_rig_push_gop(rig, &small, 3);
	ck_assert_str_eq(session->cursor.stream->name, "door.sub");
	ck_assert_ptr_null(session->other.stream);
	loop_run_for_ms(loop, 100);
	ck_assert_int_eq(session->doing, RTC_ADVICE_OK);
	expect_link(rig, session, "keys-only");
	expect_link(rig, session, "thin");
	/* There is room again, after a while in which nothing was in the way. */
	ck_assert_int_eq(rtc_rtcp_write_remb(&room, 1, viewer->video_ssrc, 90000000), 0);
	for (int i = 0; i < 500 && session->advice != RTC_ADVICE_OK; i++) {
		rtc_rig_push(rig, feed_delta(&small));
		loop_run_for_ms(loop, FRAME_MS);
		rtc_viewer_send_rtcp(viewer, &room);
		loop_settle(loop);
	}
	rtc_rig_push_gop(rig, &feed, 3);
	loop_run_for_ms(loop, 300);
	expect_link(rig, session, "ok");
	peer_assert_no_msg(rig->sup);
	ck_assert_uint_eq(peer_msg_count(rig->sup, MSG_WATCHER), 3);
	async_complete(loop);
}
END_ASYNC_TEST

static size_t
sounds_of(const struct rtc_viewer *viewer, const struct rtc_viewer_packet *found[], size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < viewer->n; i++)
		if (viewer->packets[i].ssrc != viewer->video_ssrc && n < max)
			found[n++] = &viewer->packets[i];
	return n;
}

/* Sound as the camera sends it, from the newest picture on; none of what lies before. */
START_ASYNC_TEST(test_sound)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	const struct rtc_viewer_packet *sound[100];
	const json_t *answer;
	size_t n;

	rtc_rig_push(rig, feed_sound_config(&feed));
	for (int i = 0; i < 25; i++) {
		rtc_rig_push(rig, feed_sound(&feed));
		rtc_rig_push(rig, feed_sound(&feed));
		rtc_rig_push(rig, feed_delta(&feed));
	}
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, true), NULL);
	answer = rtc_rig_answer(rig);
	ck_assert_ptr_nonnull(strstr(msg_str(answer, "sdp"), "PCMA/8000"));
	rtc_viewer_take(viewer, msg_str(answer, "sdp"), false);
	rtc_viewer_connect(viewer);
	rtc_viewer_await_pictures(viewer, 26);
	ck_assert_uint_le(sounds_of(viewer, sound, 100), 4);
	for (int i = 0; i < 10; i++) {
		rtc_rig_push(rig, feed_sound(&feed));
		rtc_rig_push(rig, feed_sound(&feed));
		rtc_rig_push(rig, feed_delta(&feed));
	}
	rtc_viewer_await_pictures(viewer, 36);
	n = sounds_of(viewer, sound, 100);
	ck_assert_uint_ge(n, 18);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(sound[i]->payload_type, 8);
		ck_assert_uint_eq(sound[i]->len, SOUND_BYTES);
		ck_assert_uint_eq(sound[i]->bytes[0], 0x2a);
		ck_assert_uint_eq(sound[i]->seq, (uint16_t)(sound[0]->seq + i));
		ck_assert_uint_eq(sound[i]->timestamp,
				  sound[0]->timestamp + (uint32_t)i * SOUND_BYTES);
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* A connection that takes nothing more: what waits is bounded, and he goes on with a key frame. */
START_ASYNC_TEST(test_stalled_connection)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	struct rtc_session *session;
	const json_t *answer;
	size_t packets;
	uint16_t seq;

	viewer->room = 32 << 10;
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	answer = rtc_rig_answer(rig);
	rtc_viewer_take(viewer, msg_str(answer, "sdp"), true);
	rtc_viewer_connect(viewer);
	session = rtc_rig_first(rig);
	rtc_viewer_await_pictures(viewer, 1);
	rtc_viewer_stall(viewer, true);
	feed.padding = 50000;
	for (int i = 0; i < 100; i++) {
		rtc_rig_push(rig, feed_delta(&feed));
		loop_run_for_ms(loop, FRAME_MS);
	}
	ck_assert_uint_ge(session->skips, 1);
	ck_assert(session->is_skipping);
	packets = session->video.packets;
	rtc_viewer_stall(viewer, false);
	loop_run_for_ms(loop, 100);
	seq = viewer->packets[viewer->n - 1].seq;
	rtc_rig_push(rig, feed_delta(&feed));
	loop_run_for_ms(loop, 100);
	feed.padding = 100;
	rtc_rig_push(rig, feed_key(&feed));
	loop_run_for_ms(loop, 100);
	/* Without a gap in his numbers: nothing that was encrypted is thrown away. */
	ck_assert_uint_gt(session->video.packets, packets);
	ck_assert_uint_eq(session->lost_here, 0);
	for (size_t i = 1; i < viewer->n; i++)
		ck_assert_uint_eq(viewer->packets[i].seq, (uint16_t)(viewer->packets[0].seq + i));
	ck_assert_uint_ne(viewer->packets[viewer->n - 1].seq, seq);
	ck_assert_uint_eq(viewer->packets[viewer->n - 1].bytes[0] & 0x1f, 24);
	async_complete(loop);
}
END_ASYNC_TEST

static size_t
allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* What a viewer takes while pictures flow, all libraries included. */
START_ASYNC_TEST(test_memory, .deadline_ms = 60000)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewers[VIEWERS];
	size_t before, ends = 0, all;

	rtc_viewer_forget(rtc_rig_join(rig, false)); /* what is made once */
	before = allocated();
	/* Sanitizers have memory of their own, which says nothing. */
	if (before == 0) {
		async_complete(loop);
		return;
	}
	for (int i = 0; i < VIEWERS; i++) {
		viewers[i] = rtc_rig_join(rig, false);
		rtc_viewer_nack(viewers[i], 0);
	}
	for (int i = 0; i < 100; i++) {
		rtc_rig_push(rig, i % 50 == 0 ? feed_key(&feed) : feed_delta(&feed));
		loop_run_for_ms(loop, FRAME_MS);
	}
	for (int i = 0; i < VIEWERS; i++) {
		ck_assert_uint_eq(rtc_viewer_pictures(viewers[i]), 101);
		rtc_viewer_forget(viewers[i]);
		ends += sizeof(*viewers[i]);
	}
	all = allocated() - before - ends;
	ck_assert_uint_lt(all / VIEWERS, MEMORY_MAX);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtc_front");
	TCase *tcase = tcase_create("media");

	tcase_add_loop_test(tcase, test_group_at_once, 0, 2);
	tcase_add_test(tcase, test_pictures_say_when_they_came);
	tcase_add_test(tcase, test_long_group_is_not_sent);
	tcase_add_loop_test(tcase, test_large_picture, 0, 2);
	tcase_add_test(tcase, test_without_gso);
	tcase_add_test(tcase, test_missed_packet_comes_again);
	tcase_add_test(tcase, test_missed_packets_are_bounded);
	tcase_add_test(tcase, test_picture_is_asked_for);
	tcase_add_test(tcase, test_reports);
	tcase_add_test(tcase, test_thin_link);
	tcase_add_test(tcase, test_sound);
	tcase_add_test(tcase, test_stalled_connection);
	tcase_add_test(tcase, test_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
