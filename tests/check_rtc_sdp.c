/*
 * Offers: those of browsers, and those that nobody should send.
 */
#include "config.h"

#include "rtc/sdp.h"
#include "tests/rtc_sdp_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(chromium)
{
	struct rtc_sdp_offer *offer = offer_of_file("chromium.sdp");
	const struct rtc_sdp_media *video = &offer->media[0], *audio = &offer->media[1];
	const struct rtc_sdp_codec *codec = offer_codec(video, 108);

	ck_assert_str_eq(offer->ufrag, "zSPp");
	ck_assert_str_eq(offer->password, "bjaLKJKMZLgZuEIdYI39rkvm");
	ck_assert_str_eq(offer->hash, "sha-256");
	ck_assert_uint_eq(offer->fingerprint_len, 32);
	ck_assert_uint_eq(offer->fingerprint[0], 0xd4);
	ck_assert_uint_eq(offer->fingerprint[31], 0x87);
	ck_assert(offer->is_extmap_mixed);
	ck_assert_uint_eq(offer->n_media, 3);
	ck_assert(video->kind == RTC_SDP_VIDEO && video->is_bundled && video->can_receive);
	ck_assert(video->has_rtcp_mux && video->has_rtcp_rsize && !video->is_refused);
	ck_assert_str_eq(video->mid, "0");
	ck_assert_uint_eq(video->playout_delay_id, 5);
	ck_assert_uint_eq(video->twcc_id, 4);
	ck_assert_uint_eq(video->n_codecs, 8);
	ck_assert_uint_eq(codec->rtx_payload_type, 109);
	ck_assert(codec->nack && codec->nack_pli && codec->ccm_fir && codec->remb && codec->twcc);
	ck_assert_uint_eq(codec->packetization_mode, 1);
	ck_assert_uint_eq(codec->profile_idc, 0x42);
	ck_assert_uint_eq(codec->profile_iop, 0xe0);
	ck_assert_uint_eq(codec->level_idc, 0x1f);
	ck_assert_str_eq(codec->fmtp, "level-asymmetry-allowed=1;packetization-mode=1;"
				      "profile-level-id=42e01f");
	ck_assert(audio->kind == RTC_SDP_AUDIO && audio->is_bundled && audio->can_receive);
	ck_assert_uint_eq(audio->n_codecs, 3);
	ck_assert_int_eq(audio->codecs[0].codec, RTP_CODEC_OPUS);
	ck_assert_int_eq(audio->codecs[1].codec, RTP_CODEC_PCMU);
	ck_assert_int_eq(audio->codecs[2].codec, RTP_CODEC_PCMA);
	ck_assert_str_eq(audio->codecs[0].fmtp, "minptime=10;useinbandfec=1");
	ck_assert_int_eq(offer->media[2].kind, RTC_SDP_OTHER);
	ck_assert_str_eq(offer->media[2].first_format, "webrtc-datachannel");
	free(offer);
}
END_TEST

/* It says a=fmtp before a=rtpmap, and the fingerprint once for all. */
START_TEST(firefox)
{
	struct rtc_sdp_offer *offer = offer_of_file("firefox.sdp");

	ck_assert_str_eq(offer->ufrag, "c33bdc6a");
	ck_assert_uint_eq(offer->fingerprint_len, 32);
	ck_assert_uint_eq(offer->fingerprint[0], 0xbc);
	ck_assert(!offer->is_extmap_mixed);
	ck_assert(offer->media[0].has_extmap_mixed);
	ck_assert_uint_eq(offer->media[0].n_codecs, 0);
	ck_assert_uint_eq(offer->media[0].playout_delay_id, 6);
	ck_assert_uint_eq(offer->media[0].twcc_id, 7);
	ck_assert(offer->media[0].can_receive);
	ck_assert_uint_eq(offer->media[1].n_codecs, 3);
	ck_assert_str_eq(offer->media[1].codecs[0].fmtp,
			 "maxplaybackrate=48000;stereo=1;useinbandfec=1");
	free(offer);
}
END_TEST

/* With its plugin Firefox offers H.264 so: parameters, then what they belong to. */
START_TEST(parameters_may_come_first)
{
	struct rtc_sdp_offer *offer = offer_of_lines(
	    OFFER_SESSION "m=video 9 UDP/TLS/RTP/SAVPF 126 127\r\n" OFFER_VIDEO
			  "a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;"
			  "packetization-mode=1\r\n"
			  "a=fmtp:127 apt=126\r\n"
			  "a=rtcp-fb:* nack\r\n"
			  "a=rtpmap:126 H264/90000\r\n"
			  "a=rtpmap:127 rtx/90000\r\n");
	const struct rtc_sdp_codec *codec = &offer->media[0].codecs[0];

	ck_assert_uint_eq(offer->media[0].n_codecs, 1);
	ck_assert_uint_eq(codec->profile_iop, 0xe0);
	ck_assert_uint_eq(codec->packetization_mode, 1);
	ck_assert_uint_eq(codec->rtx_payload_type, 127);
	ck_assert(codec->nack);
	free(offer);
}
END_TEST

/* Static payload types need no a=rtpmap; lines may end with LF alone. */
START_TEST(short_offer)
{
	struct rtc_sdp_offer *offer =
	    offer_of_lines("v=0\n" OFFER_KEYS_LF "m=audio 9 RTP/SAVPF 8 0\n"
			   "a=rtcp-mux\n");

	ck_assert_uint_eq(offer->n_media, 1);
	ck_assert_uint_eq(offer->media[0].n_codecs, 2);
	ck_assert_int_eq(offer->media[0].codecs[0].codec, RTP_CODEC_PCMA);
	ck_assert_uint_eq(offer->media[0].codecs[0].clock_rate, 8000);
	ck_assert_int_eq(offer->media[0].codecs[1].codec, RTP_CODEC_PCMU);
	ck_assert_str_eq(offer->media[0].mid, "");
	ck_assert(!offer->media[0].is_bundled);
	ck_assert(offer->media[0].can_receive);
	free(offer);
}
END_TEST

START_TEST(port_zero_is_refused_unless_bundled)
{
	struct rtc_sdp_offer *offer = offer_of_lines(OFFER_SESSION "m=video 0 RTP/SAVPF 96\r\n"
								   "a=mid:0\r\n"
								   "m=audio 0 RTP/SAVPF 0\r\n"
								   "a=mid:1\r\n"
								   "a=bundle-only\r\n"
								   "a=sendonly\r\n");

	ck_assert(offer->media[0].is_refused);
	ck_assert(!offer->media[1].is_refused);
	ck_assert(!offer->media[1].can_receive);
	free(offer);
}
END_TEST

#define ICE_LINES   "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
#define MEDIA_LINES "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" OFFER_VIDEO

static const struct {
	const char *text, *why; /* a word of it */
	int err;
} refused[] = {
	{ "", "no m=", -EPROTO },
	{ "v=1\r\n", "v=0", -EPROTO },
	{ "m=video 9 RTP/SAVPF 96\r\n", "v=0", -EPROTO },
	{ "v=0\r\n", "no m=", -EPROTO },
	{ "v=0\r\nnonsense\r\n", "x=", -EPROTO },
	{ "v=0\r\n\1\r\n", "control", -EPROTO },
	{ OFFER_SESSION "m=video\r\n", "m= line", -EPROTO },
	{ OFFER_SESSION "m=video 9\r\n", "m= line", -EPROTO },
	{ OFFER_SESSION "m=video 9 RTP/SAVPF\r\n", "m= line", -EPROTO },
	{ OFFER_SESSION "m=video 65536 RTP/SAVPF 96\r\n", "m= line", -EPROTO },
	{ OFFER_SESSION "m=video x RTP/SAVPF 96\r\n", "m= line", -EPROTO },
	{ OFFER_SESSION "m=videovideovideovideo 9 RTP/SAVPF 96\r\n", "m= line", -EPROTO },
	{ OFFER_SESSION "m=video 9 RTP/SAVPF 1234567890123456789012345678901234567890\r\n",
	  "format", -EMSGSIZE },
	{ OFFER_SESSION "m=video 9 RTP/SAVPF 96\r\na=mid:a b\r\n", "a=mid", -EPROTO },
	{ OFFER_SESSION "m=video 9 RTP/SAVPF 96\r\na=mid:\r\n", "a=mid", -EPROTO },
	{ OFFER_SESSION "m=video 9 RTP/SAVPF 96\r\na=mid:123456789012345678901234567890123\r\n",
	  "a=mid", -EPROTO },
	{ OFFER_SESSION "m=video 9 RTP/SAVPF 96\r\na=mid:0\r\nm=audio 9 RTP/SAVPF 0\r\na=mid:0\r\n",
	  "same", -EPROTO },
	{ OFFER_SESSION "m=video 9 RTP/SAVPF 96\r\na=fmtp:96 x=\xc3\xa4\r\n", "ASCII", -EPROTO },
	{ "v=0\r\n" ICE_LINES MEDIA_LINES, "fingerprint", -ENOTSUP },
	{ "v=0\r\na=fingerprint:sha-1 00:11\r\n" ICE_LINES MEDIA_LINES, "fingerprint", -ENOTSUP },
	{ "v=0\r\na=fingerprint:sha-256 00:11\r\n" ICE_LINES MEDIA_LINES, "fingerprint", -EPROTO },
	{ "v=0\r\na=fingerprint:sha-256 " OFFER_SHA256 ":00\r\n" ICE_LINES MEDIA_LINES, "long",
	  -EPROTO },
	{ "v=0\r\na=fingerprint:sha-256 " OFFER_SHA256 "\r\n" MEDIA_LINES, "ice-ufrag", -ENOTSUP },
	{ "v=0\r\na=ice-ufrag:abc\r\n", "ice-ufrag", -EPROTO },
	{ "v=0\r\na=ice-ufrag:ab cd\r\n", "ice-ufrag", -EPROTO },
	{ "v=0\r\na=ice-pwd:012345678901234567890\r\n", "ice-pwd", -EPROTO },
	{ OFFER_SESSION "a=setup:passive\r\n" MEDIA_LINES, "setup", -ENOTSUP },
	{ OFFER_SESSION "a=ice-lite\r\n" MEDIA_LINES, "ice-lite", -ENOTSUP },
};

START_TEST(refusals_are_explained)
{
	const char *why = NULL;
	struct rtc_sdp_offer *offer = malloc(sizeof(*offer));
	int err = rtc_sdp_parse(refused[_i].text, strlen(refused[_i].text), offer, &why);

	ck_assert_msg(err == refused[_i].err, "%s: %d", refused[_i].text, err);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s: %s", refused[_i].text, why);
	free(offer);
}
END_TEST

START_TEST(bounds_of_an_offer)
{
	struct rtc_sdp_offer *offer = malloc(sizeof(*offer));
	char *text = calloc(1, RTC_SDP_OFFER_MAX + 2);
	const char *why = NULL;
	size_t len;

	/* Exactly as long as may be, then longer. */
	(void)strcpy(text, OFFER_SESSION MEDIA_LINES "a=x:");
	len = strlen(text);
	memset(text + len, 'x', RTC_SDP_OFFER_MAX + 1 - len);
	ck_assert_int_eq(rtc_sdp_parse(text, RTC_SDP_OFFER_MAX, offer, &why), 0);
	ck_assert_int_eq(rtc_sdp_parse(text, RTC_SDP_OFFER_MAX + 1, offer, &why), -EMSGSIZE);
	/* As many media as may be, then one more. */
	(void)strcpy(text, OFFER_SESSION);
	for (unsigned i = 0; i < RTC_SDP_MEDIA_MAX; i++)
		strcat(text, "m=video 9 RTP/SAVPF 96\r\n");
	ck_assert_int_eq(rtc_sdp_parse(text, strlen(text), offer, &why), 0);
	ck_assert_uint_eq(offer->n_media, RTC_SDP_MEDIA_MAX);
	strcat(text, "m=video 9 RTP/SAVPF 96\r\n");
	ck_assert_int_eq(rtc_sdp_parse(text, strlen(text), offer, &why), -EMSGSIZE);
	/* More formats than are kept, each twice. */
	(void)strcpy(text, OFFER_SESSION "m=video 9 RTP/SAVPF");
	for (unsigned i = 0; i < 256; i++)
		(void)sprintf(text + strlen(text), " %u", i % 128);
	strcat(text, "\r\n");
	for (unsigned i = 0; i < 128; i++)
		(void)sprintf(text + strlen(text), "a=rtpmap:%u H264/90000\r\n", i);
	ck_assert_int_eq(rtc_sdp_parse(text, strlen(text), offer, &why), 0);
	ck_assert_uint_eq(offer->media[0].n_codecs, RTC_SDP_CODECS_MAX);
	/* What is too long to be answered with is read all the same. */
	(void)strcpy(text, OFFER_SESSION "m=video 9 RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"
					 "a=fmtp:96 packetization-mode=1;x=");
	len = strlen(text);
	memset(text + len, 'x', 200);
	(void)strcpy(text + len + 200, "\r\n");
	ck_assert_int_eq(rtc_sdp_parse(text, strlen(text), offer, &why), 0);
	ck_assert_uint_eq(offer->media[0].codecs[0].packetization_mode, 1);
	ck_assert_str_eq(offer->media[0].codecs[0].fmtp, "");
	free(text);
	free(offer);
}
END_TEST

/* In memory of just the length: nothing is read behind it. */
START_TEST(cut_at_every_byte)
{
	static const char *const files[] = { "chromium.sdp", "firefox.sdp" };
	struct rtc_sdp_offer *offer = malloc(sizeof(*offer));
	const char *why = NULL;
	size_t len;
	char *text = rig_load(files[_i], &len);

	for (size_t i = 0; i < len; i++) {
		uint8_t *copy = data_copy((const uint8_t *)text, i);

		(void)rtc_sdp_parse((const char *)copy, i, offer, &why);
		free(copy);
	}
	free(text);
	free(offer);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, chromium);
	tcase_add_test(tcase, firefox);
	tcase_add_test(tcase, parameters_may_come_first);
	tcase_add_test(tcase, short_offer);
	tcase_add_test(tcase, port_zero_is_refused_unless_bundled);
	tcase_add_loop_test(tcase, refusals_are_explained, 0,
			    (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tcase, bounds_of_an_offer);
	tcase_add_loop_test(tcase, cut_at_every_byte, 0, 2);
}

int
main(void)
{
	return data_run("rtc_sdp", add_tests);
}
