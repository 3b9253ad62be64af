/*
 * What of a stream an offer can have, and as what.
 */
#include "config.h"

#include "rtc/sdp.h"

#include <errno.h>
#include <string.h>

#define BASELINE        0x42
#define CONSTRAINT_SET1 0x40 /* constrained baseline: 42e0 and like */

static bool
is_transport_right(const struct rtc_sdp_media *media)
{
	return strcmp(media->protocol, "UDP/TLS/RTP/SAVPF") == 0 ||
	       strcmp(media->protocol, "TCP/DTLS/RTP/SAVPF") == 0 ||
	       strcmp(media->protocol, "RTP/SAVPF") == 0;
}

/*
 * How well an H.264 format suits: 0 not at all. Without packetization-mode RFC 6184 8.1 means 0,
 * but GStreamer's players, who say nothing, take them all; who takes 0 alone says so.
 */
static unsigned
rate_h264(const struct rtc_sdp_codec *codec, const struct rtc_sdp_source *source)
{
	if (!codec->says_packetization_mode)
		return 1;
	if (codec->packetization_mode != 1)
		return 0;
	if (codec->profile_idc == source->profile_idc &&
	    (codec->profile_idc != BASELINE ||
	     (codec->profile_iop & CONSTRAINT_SET1) == (source->profile_iop & CONSTRAINT_SET1)))
		return 5;
	if (codec->profile_idc != BASELINE)
		return 2;
	return (codec->profile_iop & CONSTRAINT_SET1) != 0 ? 4 : 3;
}

/* RFC 7798 7.1: without profile-id Main is meant; who takes Main 10 takes Main. */
static unsigned
rate_h265(const struct rtc_sdp_codec *codec, const struct rtc_sdp_source *source)
{
	unsigned takes = codec->h265_profile > 0 ? codec->h265_profile : 1;

	if (!codec->has_tx_mode_srst || source->profile_idc > takes)
		return 0;
	return source->profile_idc == takes ? 2 : 1;
}

static unsigned
rate(const struct rtc_sdp_codec *codec, const struct rtc_sdp_source *source, enum rtp_codec wanted)
{
	if (codec->codec != wanted)
		return 0;
	if (wanted == RTP_CODEC_H264)
		return rate_h264(codec, source);
	return wanted == RTP_CODEC_H265 ? rate_h265(codec, source) : 1;
}

/* Of equals the first: the offer is in the order of preference. */
static const struct rtc_sdp_codec *
best_codec(const struct rtc_sdp_media *media, const struct rtc_sdp_source *source,
	   enum rtp_codec wanted)
{
	const struct rtc_sdp_codec *best = NULL;
	unsigned best_rate = 0;

	for (unsigned i = 0; i < media->n_codecs; i++) {
		unsigned its_rate = rate(&media->codecs[i], source, wanted);

		if (its_rate > best_rate) {
			best = &media->codecs[i];
			best_rate = its_rate;
		}
	}
	return best;
}

/* Why nothing of this kind can be sent, by how far the best medium came. */
enum stage { NO_MEDIUM, NO_TRANSPORT, NO_CODEC, FOUND };

static enum stage
look_at(const struct rtc_sdp_media *media, const struct rtc_sdp_source *source,
	enum rtp_codec wanted, const struct rtc_sdp_codec **codec)
{
	if (media->is_refused || !media->can_receive)
		return NO_MEDIUM;
	if (!media->has_rtcp_mux || !is_transport_right(media))
		return NO_TRANSPORT;
	*codec = best_codec(media, source, wanted);
	return *codec != NULL ? FOUND : NO_CODEC;
}

static const char *
explain(enum stage stage, enum rtp_codec wanted)
{
	if (stage == NO_TRANSPORT)
		return "the offer has no video over DTLS with rtcp-mux";
	return wanted == RTP_CODEC_H265 ? "the stream is H.265, which the player does not offer"
					: "the stream is H.264, which the player does not offer "
					  "(with packetization-mode=1)";
}

static bool
asks_for_video(const struct rtc_sdp_offer *offer)
{
	for (unsigned i = 0; i < offer->n_media; i++) {
		const struct rtc_sdp_media *media = &offer->media[i];

		if (media->kind == RTC_SDP_VIDEO && !media->is_refused && media->can_receive)
			return true;
	}
	return false;
}

static const char *
why_never(const struct rtc_sdp_source *source)
{
	if (source->video != RTP_CODEC_H264 && source->video != RTP_CODEC_H265)
		return "the stream is neither H.264 nor H.265";
	if (source->has_b_frames)
		return "the stream has B frames, which WebRTC cannot show in order";
	return NULL;
}

static int
choose_video(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source,
	     struct rtc_sdp_choice *choice, const char **why)
{
	enum stage furthest = NO_MEDIUM;

	for (unsigned i = 0; i < offer->n_media; i++) {
		enum stage stage = NO_MEDIUM;

		if (offer->media[i].kind == RTC_SDP_VIDEO)
			stage =
			    look_at(&offer->media[i], source, source->video, &choice->video_codec);
		if (stage == FOUND) {
			choice->video = (int)i;
			return 0;
		}
		furthest = stage > furthest ? stage : furthest;
	}
	*why = explain(furthest, source->video);
	return -ENOTSUP;
}

/* Sound goes the way of the picture, or not at all. */
static void
choose_audio(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source,
	     struct rtc_sdp_choice *choice)
{
	bool is_alone = choice->video < 0;

	if (source->audio == RTP_CODEC_NONE ||
	    (!is_alone && !offer->media[choice->video].is_bundled))
		return;
	for (unsigned i = 0; i < offer->n_media && choice->audio < 0; i++) {
		const struct rtc_sdp_media *media = &offer->media[i];

		if (media->kind == RTC_SDP_AUDIO && (is_alone || media->is_bundled) &&
		    look_at(media, source, source->audio, &choice->audio_codec) == FOUND)
			choice->audio = (int)i;
	}
}

/* RFC 9143 7.3.1: when the tagged one is refused, the transport is that of another; see sdp.h. */
static void
choose_idle(const struct rtc_sdp_offer *offer, struct rtc_sdp_choice *choice)
{
	int tagged = offer->tagged, used = choice->video >= 0 ? choice->video : choice->audio;
	const struct rtc_sdp_media *media;

	if (tagged < 0 || tagged == choice->video || tagged == choice->audio ||
	    !offer->media[used].is_bundled)
		return;
	media = &offer->media[tagged];
	if (media->is_refused || !media->has_rtcp_mux || !is_transport_right(media))
		return;
	for (unsigned i = 0; i < media->n_codecs && choice->idle < 0; i++) {
		if (media->codecs[i].codec != RTP_CODEC_NONE) {
			choice->idle_codec = &media->codecs[i];
			choice->idle = tagged;
		}
	}
}

static int
choose_sound_alone(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source,
		   struct rtc_sdp_choice *choice, const char **why)
{
	choose_audio(offer, source, choice);
	if (choice->audio < 0) {
		*why = "the offer does not ask for video, nor for sound that the stream has";
		return -ENOTSUP;
	}
	choose_idle(offer, choice);
	return 0;
}

int
rtc_sdp_choose(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source,
	       struct rtc_sdp_choice *choice, const char **why)
{
	struct rtc_sdp_choice made = { .video = -1, .audio = -1, .idle = -1 };
	const char *never = why_never(source);
	int err;

	if (!asks_for_video(offer)) {
		err = choose_sound_alone(offer, source, &made, why);
		if (err == 0)
			*choice = made;
		return err;
	}
	if (never != NULL) {
		*why = never;
		return -ENOTSUP;
	}
	err = choose_video(offer, source, &made, why);
	if (err < 0)
		return err;
	choose_audio(offer, source, &made);
	choose_idle(offer, &made);
	made.has_rtx = made.video_codec->nack && made.video_codec->rtx_payload_type > 0;
	made.has_twcc = made.video_codec->twcc && offer->media[made.video].twcc_id > 0;
	*choice = made;
	return 0;
}
