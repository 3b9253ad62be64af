/*
 * Offers: what is read keeps its bounds, and is answered line by line, with nothing in the answer
 * that could be taken for another line.
 */
#include "config.h"

#include "rtc/sdp.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const struct rtc_sdp_source sources[] = {
	{ .video = RTP_CODEC_H264, .profile_idc = 0x64, .audio = RTP_CODEC_OPUS },
	{ .video = RTP_CODEC_H264, .profile_idc = 0x42, .audio = RTP_CODEC_PCMU },
	{ .video = RTP_CODEC_H265, .profile_idc = 2, .audio = RTP_CODEC_PCMA },
	{ .video = RTP_CODEC_H265 },
};
static const struct rtc_sdp_candidate candidates[] = { { "192.0.2.2", 8189, false },
						       { "2001:db8::1", 8189, true } };
static const struct rtc_sdp_local local = { .session = 1,
					    .ufrag = "OURS",
					    .password = "ourpasswordourpassword",
					    .fingerprint = "sha-256 AA:BB",
					    .candidates = candidates,
					    .n_candidates = 2,
					    .cname = "door",
					    .use_twcc = true };

static void
check_codec(const struct rtc_sdp_codec *codec)
{
	FUZZ_CHECK(codec->codec != RTP_CODEC_NONE);
	FUZZ_CHECK(codec->payload_type < 128 && codec->rtx_payload_type < 128);
	FUZZ_CHECK(codec->clock_rate > 0);
	FUZZ_CHECK(memchr(codec->fmtp, 0, sizeof(codec->fmtp)) != NULL);
}

static void
check_offer(const struct rtc_sdp_offer *offer)
{
	FUZZ_CHECK(offer->n_media >= 1 && offer->n_media <= RTC_SDP_MEDIA_MAX);
	FUZZ_CHECK(offer->fingerprint_len >= 32);
	FUZZ_CHECK(offer->fingerprint_len <= RTC_SDP_FINGERPRINT_MAX);
	FUZZ_CHECK(strlen(offer->ufrag) >= 4 && strlen(offer->password) >= 22);
	for (unsigned i = 0; i < offer->n_media; i++) {
		const struct rtc_sdp_media *media = &offer->media[i];

		FUZZ_CHECK(media->playout_delay_id <= 14 && media->twcc_id <= 14);
		FUZZ_CHECK(media->n_codecs <= RTC_SDP_CODECS_MAX);
		FUZZ_CHECK(media->kind != RTC_SDP_OTHER || media->n_codecs == 0);
		for (unsigned j = 0; j < media->n_codecs; j++)
			check_codec(&media->codecs[j]);
	}
}

/* As many m= lines as were offered; each line is one. */
static void
check_answer(const struct rtc_sdp_offer *offer, const char *answer, size_t len)
{
	unsigned media = 0;
	const char *end;

	FUZZ_CHECK(strlen(answer) == len);
	for (const char *at = answer; *at != '\0'; at = end + 2) {
		end = strstr(at, "\r\n");
		FUZZ_CHECK(end != NULL && end - at >= 2 && at[1] == '=');
		for (const char *c = at; c < end; c++)
			FUZZ_CHECK((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f);
		media += at[0] == 'm';
	}
	FUZZ_CHECK(media == offer->n_media);
}

static void
try_source(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source)
{
	char answer[RTC_SDP_ANSWER_MAX];
	struct rtc_sdp_choice choice;
	const char *why = NULL;
	int len;

	if (rtc_sdp_choose(offer, source, &choice, &why) < 0) {
		FUZZ_CHECK(why != NULL);
		return;
	}
	FUZZ_CHECK(choice.video >= 0 || choice.audio >= 0);
	FUZZ_CHECK((choice.video >= 0) == (choice.video_codec != NULL));
	FUZZ_CHECK((choice.audio >= 0) == (choice.audio_codec != NULL));
	len = rtc_sdp_write_answer(offer, &choice, &local, answer, sizeof(answer));
	FUZZ_CHECK(len > 0);
	check_answer(offer, answer, (size_t)len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtc_sdp_offer *offer = malloc(sizeof(*offer));
	const char *why = NULL;

	if (rtc_sdp_parse((const char *)data, size, offer, &why) < 0) {
		FUZZ_CHECK(why != NULL);
	} else {
		check_offer(offer);
		for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
			try_source(offer, &sources[i]);
	}
	free(offer);
	return 0;
}
