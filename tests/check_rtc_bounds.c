/*
 * What a viewer of the rtc front is not sent, and what he cannot make it do: pictures that he did
 * not ask for, more than his link takes, what is meant for other addresses, work without end.
 */
#include "config.h"

#include "rtc/session.h"
#include "tests/check_rtc_rig.h"
#include "tests/rtc_viewer_dtls.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#define CONNECTIONS 10
#define LARGE       30000

/* OpenSSL's clock: the machine's, unless it is moved. */
static int64_t skipped_ms;

int
gettimeofday(struct timeval *now, void *zone)
{
	struct timespec spec;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &spec);
	now->tv_sec = spec.tv_sec + skipped_ms / 1000;
	now->tv_usec = spec.tv_nsec / 1000 + skipped_ms % 1000 * 1000;
	now->tv_sec += now->tv_usec / 1000000;
	now->tv_usec %= 1000000;
	return 0;
}

/* Who asked for sound alone gets nothing else, whatever the pictures are. */
START_ASYNC_TEST(test_sound_alone)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, RTC_BURST_MAX + 10);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	const json_t *answer;

	viewer->is_sound_only = true;
	rtc_rig_push(rig, feed_sound_config(&feed));
	for (int i = 0; i < 2 * (RTC_BURST_MAX + 10); i++)
		rtc_rig_push(rig, feed_sound(&feed));
	rtc_rig_ask(rig, rtc_viewer_offer(viewer, true), NULL);
	answer = rtc_rig_answer(rig);
	ck_assert_int_eq(msg_int(answer, "code", 0), 201);
	rtc_viewer_take(viewer, msg_str(answer, "sdp"), false);
	rtc_viewer_connect(viewer);
	for (int i = 0; i < 50; i++) {
		rtc_rig_push(rig, feed_sound(&feed));
		rtc_rig_push(rig, feed_sound(&feed));
		rtc_rig_push(rig, feed_delta(&feed));
		loop_run_for_ms(loop, FRAME_MS);
	}
	ck_assert_uint_ge(viewer->n, 90);
	for (size_t i = 0; i < viewer->n; i++) {
		ck_assert_uint_eq(viewer->packets[i].ssrc, viewer->audio_ssrc);
		ck_assert_uint_eq(viewer->packets[i].payload_type, 8);
	}
	ck_assert_uint_ge(viewer->all_reports, 1);
	ck_assert_uint_eq(viewer->reports, 0);
	ck_assert_uint_eq(rig->rtc->n_sessions, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* The group has become too long to be sent again: what flows goes on. */
START_ASYNC_TEST(test_refresh_of_a_long_group)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);

	for (unsigned i = 0; i < RTC_BURST_MAX + 10; i++)
		rtc_rig_push(rig, feed_delta(&feed));
	rtc_viewer_await_pictures(viewer, RTC_BURST_MAX + 11);
	loop_run_for_ms(loop, 400);
	rtc_viewer_pli(viewer);
	loop_settle(loop);
	rtc_rig_push(rig, feed_delta(&feed));
	rtc_viewer_await_pictures(viewer, RTC_BURST_MAX + 12);
	ck_assert_uint_eq(rtc_viewer_pictures(viewer), RTC_BURST_MAX + 12);
	async_complete(loop);
}
END_ASYNC_TEST

/* Of a large group only the beginning is sent before anything is known of the link; without news it
 * gets faster. */
START_ASYNC_TEST(test_join_is_paced)
{
	struct feed feed = feed_new(EPOCH);
	struct rtc_rig *rig = rtc_rig_start(loop, NULL, NULL);
	struct rtc_viewer *viewer;
	struct rtc_session *session;

	rtc_rig_stream(rig, 1, "door");
	hub_start(stream_find(rig->front, "door")->hub);
	feed.padding = 30000;
	rtc_rig_push_gop(rig, &feed, 30);
	viewer = rtc_rig_join(rig, false);
	session = rtc_rig_first(rig);
	rtc_viewer_await_pictures(viewer, 2);
	loop_run_for_ms(loop, 20);
	ck_assert_uint_le(rtc_viewer_pictures(viewer), 5);
	loop_run_for_ms(loop, 80);
	ck_assert_uint_ge(rtc_viewer_pictures(viewer), 5);
	ck_assert_uint_le(rtc_viewer_pictures(viewer), 8);
	/* All of it, with the stamps of a group that is sent at once, and what came since. */
	rtc_rig_push(rig, feed_delta(&feed));
	loop_run_for_ms(loop, 900);
	ck_assert_uint_eq(rtc_viewer_pictures(viewer), 31);
	ck_assert_uint_eq(session->skips, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static bool
was_probed(void *arg)
{
	const struct rtc_viewer *viewer = arg;

	return viewer->probe_len > 0;
}

/* Behind the beginning goes a request. Its answer says what the link carries, at least: 0: much, 1:
 * nothing, because it is another's, 2: little. */
START_ASYNC_TEST(test_join_asks_how_much_arrives)
{
	struct feed feed = feed_new(EPOCH);
	struct rtc_rig *rig = rtc_rig_start(loop, NULL, NULL);
	struct rtc_viewer *viewer;
	size_t pictures;
	uint64_t strays;

	rtc_rig_stream(rig, 1, "door");
	hub_start(stream_find(rig->front, "door")->hub);
	feed.padding = 30000;
	rtc_rig_push_gop(rig, &feed, 30);
	viewer = rtc_rig_join(rig, false);
	loop_run_until_true(loop, was_probed, viewer, "a request", 0);
	loop_run_for_ms(loop, _i == 2 ? 200 : 1);
	pictures = rtc_viewer_pictures(viewer);
	strays = rig->rtc->stats.strays;
	rtc_viewer_answer_probe(viewer, _i == 1);
	loop_run_for_ms(loop, 60);
	if (_i == 0)
		ck_assert_uint_eq(rtc_viewer_pictures(viewer), 30);
	else
		ck_assert_uint_le(rtc_viewer_pictures(viewer), pictures + 3);
	ck_assert_uint_eq(rig->rtc->stats.strays, strays + (_i == 1));
	/* In the end all of it is there, and nothing else was asked. */
	viewer->probe_len = 0;
	loop_run_for_ms(loop, 900);
	ck_assert_uint_eq(rtc_viewer_pictures(viewer), 30);
	ck_assert_uint_eq(viewer->probe_len, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Parameter sets that say nothing of the order of pictures, and a B slice. */
#define SETS_SILENT "\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbe\x40\0\0\0\1\x68\xce\x0f\xc8"
#define SLICE_B     "\0\0\0\1\x01\x9e\x44\x55\x66\x80"

static void
push_b(struct rtc_rig *rig, struct feed *feed)
{
	feed->gop_index++;
	rtc_rig_push(rig, feed_msg(feed, FRAME_KIND_VIDEO, FRAME_CODEC_H264, SLICE_B,
				   sizeof(SLICE_B) - 1, 0));
}

static void
push_silent_sets(struct rtc_rig *rig, struct feed *feed)
{
	rtc_rig_push(rig, feed_msg(feed, FRAME_KIND_CONFIG, FRAME_CODEC_H264, SETS_SILENT,
				   sizeof(SETS_SILENT) - 1, 0));
}

/* The smaller stream of a thin link has B frames, seen at once or later: he stays, with key frames
 * of the other one. */
START_ASYNC_TEST(test_smaller_stream_is_unfit)
{
	struct feed feed, small = feed_new(EPOCH + 1);
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false);
	struct rtc_session *session = rtc_rig_first(rig);
	uint8_t data[64];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };

	small.stream_id = 2;
	rtc_rig_stream(rig, 2, "door.sub");
	ck_assert_int_eq(rtc_rtcp_write_remb(&out, 1, viewer->video_ssrc, 20000), 0);
	feed.padding = 20000;
	for (int i = 0; i < 80; i++) {
		rtc_rig_push(rig, feed_delta(&feed));
		if (i == (_i == 0 ? 0 : 40)) {
			hub_start(stream_find(rig->front, "door.sub")->hub);
			push_silent_sets(rig, &small);
			rtc_rig_push(rig, feed_key(&small));
			if (_i == 0)
				push_b(rig, &small);
			else
				ck_assert_str_eq(session->cursor.stream->name, "door.sub");
		}
		if (i >= 40)
			push_b(rig, &small);
		loop_run_for_ms(loop, FRAME_MS);
		rtc_viewer_send_rtcp(viewer, &out);
		loop_settle(loop);
	}
	ck_assert_int_eq(session->state, RTC_UP);
	ck_assert_str_eq(session->cursor.stream->name, "door");
	ck_assert_int_eq(session->doing, RTC_ADVICE_KEYS_ONLY);
	ck_assert_int_eq(session->unfit.id, 2);
	ck_assert_ptr_null(session->other.stream);
	async_complete(loop);
}
END_ASYNC_TEST

/* A socket of somebody else's, connected. */
static int
stranger(const struct rtc_rig *rig, int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(rig->port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The last check of a viewer, from another socket. */
static void
repeat_check(const struct rtc_viewer *viewer, int fd, bool is_tcp)
{
	const uint8_t head[2] = { (uint8_t)(viewer->check_len >> 8), (uint8_t)viewer->check_len };

	if (is_tcp)
		ck_assert_int_eq(send(fd, head, 2, MSG_NOSIGNAL), 2);
	ck_assert_int_eq(send(fd, viewer->check, viewer->check_len, MSG_NOSIGNAL),
			 (ssize_t)viewer->check_len);
}

/* The same check on many connections: few of them are kept. */
START_ASYNC_TEST(test_connections_of_one_viewer)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, true);
	int fds[CONNECTIONS];

	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = stranger(rig, SOCK_STREAM);
		repeat_check(viewer, fds[i], true);
		loop_settle(loop);
	}
	ck_assert_uint_eq(rtc_tcp_port_owned(rig->rtc->tcp[0]), RTC_TCP_OWNED_MAX);
	ck_assert_uint_eq(rtc_tcp_port_unknown(rig->rtc->tcp[0]), 0);
	ck_assert_uint_eq(rig->rtc->n_sessions, 1);
	for (int i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
	async_complete(loop);
}
END_ASYNC_TEST

/* No descriptor is left: the port rests, and is there again. */
START_ASYNC_TEST(test_no_descriptors)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rlimit files, few;
	int fd = dup(0);

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = files;
	few.rlim_cur = (rlim_t)fd + 1;
	close(fd);
	fd = stranger(rig, SOCK_STREAM);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	loop_settle(loop);
	ck_assert_uint_eq(log_count("rtc: accept: "), 1);
	ck_assert_uint_eq(rtc_tcp_port_unknown(rig->rtc->tcp[0]), 0);
	close(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	fd = stranger(rig, SOCK_STREAM);
	loop_run_for_ms(loop, RTC_TCP_PAUSE_MS + 10);
	loop_settle(loop);
	ck_assert_uint_eq(rtc_tcp_port_unknown(rig->rtc->tcp[0]), 1);
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

/* Bytes that came to a socket of somebody else's. */
static size_t
bytes_at(int fd)
{
	uint8_t data[2048];
	size_t bytes = 0;
	ssize_t len;

	while ((len = recv(fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
		bytes += (size_t)len;
	return bytes;
}

static void
report(struct rtc_viewer *viewer, uint32_t last_sr)
{
	const struct rtc_rtcp_report block = { .ssrc = viewer->video_ssrc, .last_sr = last_sr };
	uint8_t data[64];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };

	ck_assert_int_eq(rtc_rtcp_write_rr(&out, 1, &block), 0);
	rtc_viewer_send_rtcp(viewer, &out);
	loop_settle(viewer->loop);
}

/* n pictures, as they come. */
static void
show(struct rtc_rig *rig, struct feed *feed, int n)
{
	for (int i = 0; i < n; i++) {
		rtc_rig_push(rig, feed_delta(feed));
		loop_run_for_ms(rig->loop, FRAME_MS);
	}
}

/* Who overheard a check repeats it: the pictures stay where they are, and so does what their viewer
 * says of them. */
START_ASYNC_TEST(test_check_is_repeated)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);
	int fds[2 * RTC_PEERS_MAX], n = 2 * RTC_PEERS_MAX;
	size_t stolen = 0, packets;

	feed.padding = LARGE;
	for (int i = 0; i < n; i++) {
		fds[i] = stranger(rig, _i == 0 ? SOCK_DGRAM : SOCK_STREAM);
		repeat_check(viewer, fds[i], _i == 1);
		loop_settle(loop);
		show(rig, &feed, 2);
	}
	rtc_viewer_await_pictures(viewer, 1 + 2 * (size_t)n);
	for (int i = 0; i < n; i++) {
		stolen += bytes_at(fds[i]);
		close(fds[i]);
	}
	ck_assert_uint_le(stolen, RTC_TRIAL_BYTES + 1000 * (size_t)n);
	packets = viewer->n;
	rtc_viewer_nack(viewer, viewer->packets[packets - 1].seq);
	rtc_viewer_await_packets(viewer, packets + 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* A viewer in another's place: what is that one's stays his. */
START_ASYNC_TEST(test_address_of_another)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_join(rig, false), *thief = rtc_rig_join(rig, false);
	int his = thief->fd;
	size_t packets;

	rtc_viewer_await_pictures(viewer, 1);
	rtc_viewer_await_pictures(thief, 1);
	thief->fd = viewer->fd;
	rtc_viewer_check(thief, true, false);
	thief->fd = his;
	loop_settle(loop);
	packets = viewer->n;
	rtc_viewer_nack(viewer, viewer->packets[0].seq);
	rtc_viewer_await_packets(viewer, packets + 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* He has moved: what he encrypts shows it. Little is sent there until he tells of what came. */
START_ASYNC_TEST(test_place_is_shown)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);
	size_t pictures;
	int old;

	loop_run_for_ms(loop, 1000);
	old = dup(viewer->fd);
	rtc_viewer_move(viewer);
	rtc_viewer_check(viewer, true, false);
	loop_settle(loop);
	report(viewer, 0);
	(void)bytes_at(old);
	feed.padding = LARGE;
	show(rig, &feed, 10);
	ck_assert_uint_eq(bytes_at(old), 0);
	ck_assert_uint_eq(rtc_viewer_pictures(viewer), 11);
	show(rig, &feed, 70);
	pictures = rtc_viewer_pictures(viewer);
	ck_assert_uint_lt(pictures * LARGE, RTC_UNPROVEN_BYTES + 2 * LARGE);
	for (int i = 0; i < 3; i++)
		report(viewer, (uint32_t)i + 1);
	show(rig, &feed, 3);
	ck_assert_uint_eq(rtc_viewer_pictures(viewer), pictures);
	report(viewer, rtc_rtcp_ntp_middle(viewer->report_ntp));
	feed.padding = 100;
	rtc_rig_push(rig, feed_key(&feed));
	show(rig, &feed, 2);
	ck_assert_uint_ge(rtc_viewer_pictures(viewer), pictures + 3);
	close(old);
	async_complete(loop);
}
END_ASYNC_TEST

/* Who goes through a handshake is there, wherever he was heard of before it; but not where he says
 * that he is while it goes on. */
START_ASYNC_TEST(test_handshake_shows_the_place)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	int other;

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	rtc_viewer_take(viewer, msg_str(rtc_rig_answer(rig), "sdp"), false);
	rtc_viewer_check(viewer, true, false);
	loop_settle(loop);
	other = stranger(rig, SOCK_DGRAM);
	if (_i == 1)
		rtc_viewer_hello(viewer);
	repeat_check(viewer, other, false);
	loop_settle(loop);
	if (_i == 0) {
		rtc_viewer_check(viewer, true, false);
		loop_settle(loop);
		rtc_viewer_hello(viewer);
		loop_settle(loop);
	}
	ck_assert_int_eq(rtc_rig_first(rig)->state, RTC_UP);
	ck_assert(rtc_rig_first(rig)->place.is_proven == (_i == 0));
	/* He repeats himself, and is there soon. */
	for (int i = 0; !viewer->is_up && i < 20; i++) {
		rtc_viewer_check(viewer, true, false);
		skipped_ms += 200;
		loop_run_for_ms(loop, 200);
		rtc_viewer_dtls_resend(viewer->dtls);
		loop_settle(loop);
	}
	ck_assert(viewer->is_up);
	close(other);
	async_complete(loop);
}
END_ASYNC_TEST

/* What he says in another's name is as good as his own: guessing does not go far. */
START_ASYNC_TEST(test_stamps_are_not_guessed)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);

	loop_run_for_ms(loop, 1000);
	rtc_viewer_move(viewer);
	rtc_viewer_check(viewer, true, false);
	loop_settle(loop);
	report(viewer, 0);
	loop_run_for_ms(loop, 110);
	for (uint32_t i = 0; i < RTC_GUESSES_MAX; i++)
		report(viewer, i + 1);
	report(viewer, rtc_rtcp_ntp_middle(viewer->report_ntp));
	ck_assert(!rtc_rig_first(rig)->place.is_proven);
	loop_run_for_ms(loop, 1100);
	report(viewer, rtc_rtcp_ntp_middle(viewer->report_ntp));
	ck_assert(rtc_rig_first(rig)->place.is_proven);
	async_complete(loop);
}
END_ASYNC_TEST

/* A handshake with somebody who says nothing more is not repeated for long. */
START_ASYNC_TEST(test_silent_handshake)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_viewer_new(loop);
	size_t flight, later;

	rtc_rig_ask(rig, rtc_viewer_offer(viewer, false), NULL);
	rtc_viewer_take(viewer, msg_str(rtc_rig_answer(rig), "sdp"), false);
	rtc_viewer_check(viewer, true, false);
	loop_settle(loop);
	rtc_viewer_stall(viewer, true);
	rtc_viewer_hello(viewer);
	loop_settle(loop);
	flight = bytes_at(viewer->fd);
	ck_assert_uint_gt(flight, 500);
	for (int i = 0; i < 900; i++) {
		skipped_ms += 10;
		loop_run_for_ms(loop, 10);
	}
	later = bytes_at(viewer->fd);
	ck_assert_uint_ge(later, flight);
	ck_assert_uint_le(later, 4 * flight);
	async_complete(loop);
}
END_ASYNC_TEST

/* RTCP without end: most of it is not heeded. */
START_ASYNC_TEST(test_reports_without_end)
{
	struct feed feed;
	struct rtc_rig *rig = rtc_rig_door(loop, &feed, 1);
	struct rtc_viewer *viewer = rtc_rig_watch(rig);
	struct rtc_session *session = rtc_rig_first(rig);

	for (int i = 0; i < 1000; i++) {
		rtc_viewer_nack(viewer, (uint16_t)(viewer->packets[0].seq + 5000));
		if (i % 50 == 0)
			loop_settle(loop);
	}
	loop_settle(loop);
	ck_assert_uint_ge(session->video.missed, 200);
	ck_assert_uint_le(session->video.missed, 210);
	loop_run_for_ms(loop, 1000);
	rtc_viewer_nack(viewer, viewer->packets[0].seq);
	rtc_viewer_await_packets(viewer, 2);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtc_bounds");
	TCase *tcase = tcase_create("media");

	tcase_add_test(tcase, test_sound_alone);
	tcase_add_test(tcase, test_refresh_of_a_long_group);
	tcase_add_test(tcase, test_join_is_paced);
	tcase_add_loop_test(tcase, test_join_asks_how_much_arrives, 0, 3);
	tcase_add_loop_test(tcase, test_smaller_stream_is_unfit, 0, 2);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("strangers");
	tcase_add_test(tcase, test_connections_of_one_viewer);
	tcase_add_test(tcase, test_no_descriptors);
	tcase_add_loop_test(tcase, test_check_is_repeated, 0, 2);
	tcase_add_test(tcase, test_address_of_another);
	tcase_add_test(tcase, test_silent_handshake);
	tcase_add_test(tcase, test_reports_without_end);
	tcase_add_test(tcase, test_place_is_shown);
	tcase_add_test(tcase, test_stamps_are_not_guessed);
	tcase_add_loop_test(tcase, test_handshake_shows_the_place, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
