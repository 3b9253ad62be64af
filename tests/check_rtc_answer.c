/*
 * What is chosen of an offer, and the answer to it.
 */
#include "config.h"

#include "rtc/sdp.h"
#include "tests/rtc_sdp_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rtc_sdp_source high = { .video = RTP_CODEC_H264, .profile_idc = 0x64 };
static const struct rtc_sdp_source baseline = {
	.video = RTP_CODEC_H264, .profile_idc = 0x42, .profile_iop = 0xc0, .audio = RTP_CODEC_PCMU
};

static const struct rtc_sdp_candidate candidates[] = {
	{ "192.0.2.2", 8189, false },
	{ "2001:db8::1", 8189, false },
	{ "192.0.2.2", 8189, true },
};
static const struct rtc_sdp_local local = { .session = 4611686018427387904u,
					    .ufrag = "OURS",
					    .password = "ourpasswordourpassword",
					    .fingerprint = "sha-256 AA:BB",
					    .candidates = candidates,
					    .n_candidates = 3,
					    .video_ssrc = 11,
					    .rtx_ssrc = 4294967295u,
					    .audio_ssrc = 33,
					    .cname = "door",
					    .use_twcc = true };

static struct rtc_sdp_choice
choose(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source)
{
	struct rtc_sdp_choice choice;
	const char *why = "";
	int err = rtc_sdp_choose(offer, source, &choice, &why);

	ck_assert_msg(err == 0, "%s", why);
	return choice;
}

static const char *
refuse(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source)
{
	struct rtc_sdp_choice choice = { .video = 77 };
	const char *why = NULL;

	ck_assert_int_eq(rtc_sdp_choose(offer, source, &choice, &why), -ENOTSUP);
	ck_assert_int_eq(choice.video, 77);
	ck_assert_ptr_nonnull(why);
	return why;
}

START_TEST(chromium_gets_constrained_baseline)
{
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");
	struct rtc_sdp_choice choice = choose(offer, &high);

	/* High is not offered: players go by the SPS. */
	ck_assert_uint_eq(choice.video_codec->payload_type, 108);
	ck_assert(choice.has_rtx && choice.has_twcc);
	ck_assert_int_eq(choice.audio, -1);
	choice = choose(offer, &baseline);
	ck_assert_uint_eq(choice.video_codec->payload_type, 108);
	ck_assert_int_eq(choice.audio, 1);
	ck_assert_uint_eq(choice.audio_codec->payload_type, 0);
	free(offer);
}
END_TEST

#define H264_LINES                                                                                 \
	"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"     \
	"a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1;profile-level-id=640c1f\r\n"     \
	"a=rtpmap:98 H264/90000\r\na=fmtp:98 packetization-mode=0;profile-level-id=42e01f\r\n"     \
	"a=rtpmap:99 H264/90000\r\na=fmtp:99 packetization-mode=1;profile-level-id=4d001f\r\n"     \
	"a=rtpmap:100 H264/90000\r\na=fmtp:100 packetization-mode=1;profile-level-id=42001f\r\n"   \
	"a=rtpmap:101 H265/90000\r\na=fmtp:101 level-id=93;profile-id=1;tx-mode=SRST\r\n"          \
	"a=rtpmap:102 H265/90000\r\na=fmtp:102 level-id=93;profile-id=2;tx-mode=SRST\r\n"          \
	"a=rtpmap:103 H265/90000\r\na=fmtp:103 level-id=93;profile-id=2;tx-mode=MRST\r\n"          \
	"a=rtpmap:104 H264/90000\r\n"                                                              \
	"a=rtpmap:105 H264/90000\r\na=fmtp:105 packetization-mode=x;profile-level-id=42e01f\r\n"

/* Whom the stream's profile suits. */
static const struct {
	const char *formats;
	struct rtc_sdp_source source;
	unsigned payload_type; /* 0: none */
} rows[] = {
	{ "96 97 98 99 100", { .video = RTP_CODEC_H264, .profile_idc = 0x64 }, 97 },
	{ "96 97 98 99 100", { .video = RTP_CODEC_H264, .profile_idc = 0x4d }, 99 },
	{ "99 100 96", { .video = RTP_CODEC_H264, .profile_idc = 0x64 }, 96 },
	{ "99 100 96", { .video = RTP_CODEC_H264, .profile_idc = 0x42 }, 100 },
	{ "99 100 96", { .video = RTP_CODEC_H264, .profile_idc = 0x42, .profile_iop = 0xc0 }, 96 },
	{ "99 100", { .video = RTP_CODEC_H264, .profile_idc = 0x64 }, 100 },
	{ "99", { .video = RTP_CODEC_H264, .profile_idc = 0x64 }, 99 },
	{ "98", { .video = RTP_CODEC_H264, .profile_idc = 0x42 }, 0 },
	{ "98 104", { .video = RTP_CODEC_H264, .profile_idc = 0x64 }, 104 },
	{ "104 99", { .video = RTP_CODEC_H264, .profile_idc = 0x42 }, 99 },
	{ "105", { .video = RTP_CODEC_H264, .profile_idc = 0x42 }, 0 },
	{ "96 97", { .video = RTP_CODEC_H265, .profile_idc = 1 }, 0 },
	{ "96 101 102 103", { .video = RTP_CODEC_H265, .profile_idc = 1 }, 101 },
	{ "96 101 102 103", { .video = RTP_CODEC_H265, .profile_idc = 2 }, 102 },
	{ "96 101 103", { .video = RTP_CODEC_H265, .profile_idc = 2 }, 0 },
	{ "96 102", { .video = RTP_CODEC_H265, .profile_idc = 1 }, 102 },
	{ "96 101", { .video = RTP_CODEC_H265 }, 101 },
};

START_TEST(profiles_are_matched)
{
	struct rtc_sdp_offer *offer;
	char text[4096];

	(void)snprintf(text, sizeof(text), "%sm=video 9 UDP/TLS/RTP/SAVPF %s\r\n%s%s",
		       OFFER_SESSION, rows[_i].formats, OFFER_VIDEO, H264_LINES);
	offer = offer_of_lines(text);
	if (rows[_i].payload_type == 0)
		ck_assert_ptr_nonnull(strstr(refuse(offer, &rows[_i].source), "does not offer"));
	else
		ck_assert_uint_eq(choose(offer, &rows[_i].source).video_codec->payload_type,
				  rows[_i].payload_type);
	free(offer);
}
END_TEST

START_TEST(what_cannot_be_had)
{
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");
	struct rtc_sdp_source source = high;

	source.has_b_frames = true;
	ck_assert_ptr_nonnull(strstr(refuse(offer, &source), "B frames"));
	source = (struct rtc_sdp_source){ .video = RTP_CODEC_JPEG };
	ck_assert_ptr_nonnull(strstr(refuse(offer, &source), "neither"));
	offer->media[0].has_rtcp_mux = false;
	ck_assert_ptr_nonnull(strstr(refuse(offer, &high), "rtcp-mux"));
	free(offer);
	offer = offer_of_file("firefox.sdp");
	ck_assert_ptr_nonnull(strstr(refuse(offer, &high), "does not offer"));
	/* Video is asked for: sound alone would be no answer. */
	ck_assert_ptr_nonnull(strstr(refuse(offer, &baseline), "does not offer"));
	free(offer);
}
END_TEST

START_TEST(sound_alone)
{
	struct rtc_sdp_offer *offer =
	    offer_of_lines(OFFER_SESSION "m=audio 9 UDP/TLS/RTP/SAVPF 109 0\r\n" OFFER_AUDIO
					 "a=rtpmap:109 opus/48000/2\r\n");
	struct rtc_sdp_source source = baseline;
	struct rtc_sdp_choice choice = choose(offer, &source);
	char answer[RTC_SDP_ANSWER_MAX];

	ck_assert_int_eq(choice.video, -1);
	ck_assert_ptr_null(choice.video_codec);
	ck_assert_int_eq(choice.audio, 0);
	ck_assert_int_gt(rtc_sdp_write_answer(offer, &choice, &local, answer, sizeof(answer)), 0);
	ck_assert_ptr_nonnull(strstr(answer, "m=audio 8189 UDP/TLS/RTP/SAVPF 0\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "a=group:BUNDLE 1\r\n"));
	/* B frames do not matter to it. */
	source.has_b_frames = true;
	source.audio = RTP_CODEC_OPUS;
	ck_assert_uint_eq(choose(offer, &source).audio_codec->payload_type, 109);
	source.audio = RTP_CODEC_NONE;
	ck_assert_ptr_nonnull(strstr(refuse(offer, &source), "nor for sound"));
	free(offer);
}
END_TEST

START_TEST(sound_goes_with_the_picture)
{
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");

	offer->media[1].is_bundled = false;
	ck_assert_int_eq(choose(offer, &baseline).audio, -1);
	offer->media[1].is_bundled = true;
	offer->media[1].can_receive = false;
	ck_assert_int_eq(choose(offer, &baseline).audio, -1);
	free(offer);
}
END_TEST

static const char whole_answer[] =
    "v=0\r\n"
    "o=- 4611686018427387904 1 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=ice-lite\r\n"
    "a=group:BUNDLE 0 1\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS door\r\n"
    "m=video 8189 UDP/TLS/RTP/SAVPF 108 109\r\n"
    "c=IN IP4 192.0.2.2\r\n"
    "a=rtcp-mux\r\n"
    "a=rtcp-rsize\r\n"
    "a=mid:0\r\n"
    "a=sendonly\r\n"
    "a=ice-ufrag:OURS\r\n"
    "a=ice-pwd:ourpasswordourpassword\r\n"
    "a=fingerprint:sha-256 AA:BB\r\n"
    "a=setup:passive\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.2 8189 typ host\r\n"
    "a=candidate:2 1 udp 2130706175 2001:db8::1 8189 typ host\r\n"
    "a=candidate:3 1 tcp 1671429631 192.0.2.2 8189 typ host tcptype passive\r\n"
    "a=end-of-candidates\r\n"
    "a=rtpmap:108 H264/90000\r\n"
    "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtcp-fb:108 nack\r\n"
    "a=rtcp-fb:108 nack pli\r\n"
    "a=rtcp-fb:108 ccm fir\r\n"
    "a=rtcp-fb:108 transport-cc\r\n"
    "a=rtcp-xr:rcvr-rtt=all\r\n"
    "a=rtpmap:109 rtx/90000\r\n"
    "a=fmtp:109 apt=108\r\n"
    "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
    "a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=msid:door v\r\n"
    "a=ssrc-group:FID 11 4294967295\r\n"
    "a=ssrc:11 cname:door\r\n"
    "a=ssrc:4294967295 cname:door\r\n"
    "m=audio 8189 UDP/TLS/RTP/SAVPF 0\r\n"
    "c=IN IP4 192.0.2.2\r\n"
    "a=rtcp-mux\r\n"
    "a=rtcp-rsize\r\n"
    "a=mid:1\r\n"
    "a=sendonly\r\n"
    "a=ice-ufrag:OURS\r\n"
    "a=ice-pwd:ourpasswordourpassword\r\n"
    "a=fingerprint:sha-256 AA:BB\r\n"
    "a=setup:passive\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.2 8189 typ host\r\n"
    "a=candidate:2 1 udp 2130706175 2001:db8::1 8189 typ host\r\n"
    "a=candidate:3 1 tcp 1671429631 192.0.2.2 8189 typ host tcptype passive\r\n"
    "a=end-of-candidates\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtcp-xr:rcvr-rtt=all\r\n"
    "a=msid:door a\r\n"
    "a=ssrc:33 cname:door\r\n"
    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:2\r\n"
    "a=inactive\r\n"
    "a=ice-ufrag:OURS\r\n"
    "a=ice-pwd:ourpasswordourpassword\r\n"
    "a=fingerprint:sha-256 AA:BB\r\n"
    "a=setup:passive\r\n";

START_TEST(answer_to_chromium)
{
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");
	struct rtc_sdp_choice choice = choose(offer, &baseline);
	char answer[RTC_SDP_ANSWER_MAX];

	ck_assert_int_eq(rtc_sdp_write_answer(offer, &choice, &local, answer, sizeof(answer)),
			 (int)sizeof(whole_answer) - 1);
	ck_assert_str_eq(answer, whole_answer);
	free(offer);
}
END_TEST

START_TEST(answer_without_twcc_asks_for_remb)
{
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");
	struct rtc_sdp_local quiet = local;
	struct rtc_sdp_choice choice;
	char answer[RTC_SDP_ANSWER_MAX];

	quiet.use_twcc = false;
	choice = choose(offer, &high);
	ck_assert_int_gt(rtc_sdp_write_answer(offer, &choice, &quiet, answer, sizeof(answer)), 0);
	ck_assert_ptr_null(strstr(answer, "transport"));
	ck_assert_ptr_nonnull(strstr(answer, "a=rtcp-fb:108 goog-remb\r\n"));
	/* Sound was not wanted: it is refused, and out of the bundle. */
	ck_assert_ptr_nonnull(strstr(answer, "a=group:BUNDLE 0\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"));
	/* Nor is there an extension for it without the feedback. */
	offer->media[0].twcc_id = 0;
	ck_assert(!choose(offer, &high).has_twcc);
	free(offer);
}
END_TEST

START_TEST(answer_must_fit)
{
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");
	struct rtc_sdp_choice choice = choose(offer, &baseline);

	for (size_t cap = 0; cap <= sizeof(whole_answer); cap++) {
		char *answer = malloc(cap > 0 ? cap : 1);
		int n = rtc_sdp_write_answer(offer, &choice, &local, answer, cap);

		ck_assert_int_eq(n, cap < sizeof(whole_answer) ? -EMSGSIZE
							       : (int)sizeof(whole_answer) - 1);
		free(answer);
	}
	free(offer);
}
END_TEST

/* The longest that there can be. */
START_TEST(answer_max_is_enough)
{
	struct rtc_sdp_candidate many[RTC_SDP_CANDIDATES_MAX];
	struct rtc_sdp_local longest = local;
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");
	char answer[RTC_SDP_ANSWER_MAX], text[256];
	struct rtc_sdp_choice choice;

	for (unsigned i = 0; i < RTC_SDP_CANDIDATES_MAX; i++) {
		many[i] = (struct rtc_sdp_candidate){ .port = 65535, .is_tcp = true };
		(void)strcpy(many[i].address, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	}
	memset(text, 'f', 95 + 8);
	text[95 + 8] = '\0';
	longest.fingerprint = text;
	longest.candidates = many;
	longest.n_candidates = RTC_SDP_CANDIDATES_MAX;
	longest.cname = "0123456789012345678901234567890123456789012345678901234567890123";
	choice = choose(offer, &baseline);
	for (unsigned i = 0; i < RTC_SDP_MEDIA_MAX; i++) {
		if (i >= offer->n_media)
			offer->media[i] = offer->media[2];
		memset(offer->media[i].mid, 'm', RTC_SDP_MID_BYTES - 1);
		memset(offer->media[i].protocol, 'p', sizeof(offer->media[i].protocol) - 1);
	}
	offer->n_media = RTC_SDP_MEDIA_MAX;
	choice.idle = 2;
	choice.idle_codec = choice.audio_codec;
	ck_assert_int_gt(rtc_sdp_write_answer(offer, &choice, &longest, answer, sizeof(answer)), 0);
	longest.n_candidates = 0;
	ck_assert_int_eq(rtc_sdp_write_answer(offer, &choice, &longest, answer, sizeof(answer)),
			 -EINVAL);
	free(offer);
}
END_TEST

#define AUDIO_FIRST(group, encoding)                                                               \
	"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE " group                 \
	"\r\n" OFFER_KEYS "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" OFFER_AUDIO                        \
	"a=rtpmap:111 " encoding "/48000/2\r\n"                                                    \
	"m=video 0 UDP/TLS/RTP/SAVPF 96\r\n" OFFER_VIDEO                                           \
	"a=bundle-only\r\na=rtpmap:96 H264/90000\r\n"

static const struct {
	const char *offer;
	int idle;
} tagged[] = {
	{ AUDIO_FIRST("1 0", "opus"), 0 },   { AUDIO_FIRST("0 1", "opus"), -1 },
	{ AUDIO_FIRST("0", "opus"), -1 },    { AUDIO_FIRST("1", "opus"), -1 },
	{ AUDIO_FIRST("9 1 0", "opus"), 0 }, { AUDIO_FIRST("1 0", "unknown"), -1 },
};

/* The bundle's transport is that of its first medium, even when nothing is sent in that. */
START_TEST(tagged_medium_stays)
{
	struct rtc_sdp_offer *offer = offer_of_lines(tagged[_i].offer);
	struct rtc_sdp_choice choice = choose(offer, &high);
	char answer[RTC_SDP_ANSWER_MAX];

	ck_assert_int_eq(choice.video, 1);
	ck_assert_int_eq(choice.audio, -1);
	ck_assert_int_eq(choice.idle, tagged[_i].idle);
	ck_assert_int_gt(rtc_sdp_write_answer(offer, &choice, &local, answer, sizeof(answer)), 0);
	if (choice.idle < 0) {
		ck_assert_ptr_nonnull(strstr(answer, "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"));
	} else {
		ck_assert_ptr_nonnull(strstr(answer, "a=group:BUNDLE 1 0\r\n"));
		ck_assert_ptr_nonnull(strstr(answer, "m=audio 8189 UDP/TLS/RTP/SAVPF 111\r\n"));
		ck_assert_ptr_nonnull(strstr(answer, "a=mid:1\r\na=inactive\r\n"));
		ck_assert_ptr_nonnull(strstr(answer, "a=rtpmap:111 opus/48000/2\r\n"));
	}
	ck_assert_ptr_null(strstr(answer, "door a"));
	free(offer);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, chromium_gets_constrained_baseline);
	tcase_add_loop_test(tcase, profiles_are_matched, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tcase, what_cannot_be_had);
	tcase_add_test(tcase, sound_alone);
	tcase_add_test(tcase, sound_goes_with_the_picture);
	tcase_add_test(tcase, answer_to_chromium);
	tcase_add_test(tcase, answer_without_twcc_asks_for_remb);
	tcase_add_test(tcase, answer_must_fit);
	tcase_add_test(tcase, answer_max_is_enough);
	tcase_add_loop_test(tcase, tagged_medium_stays, 0,
			    (int)(sizeof(tagged) / sizeof(tagged[0])));
}

int
main(void)
{
	return data_run("rtc_answer", add_tests);
}
