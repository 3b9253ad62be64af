/*
 * The answer to an offer: ICE-lite, DTLS server, send only. Its m= lines are those of the offer, in
 * their order; what is not used is refused with port 0 (RFC 3264 6).
 */
#include "config.h"

#include "rtc/sdp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define URI_PLAYOUT "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
#define URI_TWCC    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define COMPONENT   1u
/* RFC 8445 5.1.2.1 and RFC 6544 4.2: TCP, passive, is what remains when UDP does not pass. */
#define UDP_TYPE_PREFERENCE  126u
#define TCP_TYPE_PREFERENCE  99u
#define UDP_LOCAL_PREFERENCE 65535u
#define TCP_LOCAL_PREFERENCE 40959u

struct writing {
	char *out;
	size_t cap, len; /* len >= cap: it did not fit */
};

__attribute__((format(printf, 2, 3))) static void
line(struct writing *writing, const char *format, ...)
{
	size_t left = writing->len < writing->cap ? writing->cap - writing->len : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(left > 0 ? writing->out + writing->len : NULL, left, format, args);
	va_end(args);
	writing->len += n > 0 ? (size_t)n : 0;
	left = writing->len < writing->cap ? writing->cap - writing->len : 0;
	if (left > 2)
		memcpy(writing->out + writing->len, "\r\n", 3);
	writing->len += 2;
}

static bool
is_v6(const struct rtc_sdp_candidate *candidate)
{
	return strchr(candidate->address, ':') != NULL;
}

static bool
is_used(const struct rtc_sdp_choice *choice, unsigned index)
{
	return choice->video == (int)index || choice->audio == (int)index ||
	       choice->idle == (int)index;
}

static void
write_bundle(struct writing *writing, const struct rtc_sdp_offer *offer,
	     const struct rtc_sdp_choice *choice)
{
	char mids[RTC_SDP_MEDIA_MAX * RTC_SDP_MID_BYTES + 1] = "";
	size_t len = 0;

	for (unsigned i = 0; i < offer->n_media; i++) {
		if (is_used(choice, i) && offer->media[i].is_bundled)
			len += (size_t)snprintf(mids + len, sizeof(mids) - len, " %s",
						offer->media[i].mid);
	}
	if (len > 0)
		line(writing, "a=group:BUNDLE%s", mids);
}

static void
write_session(struct writing *writing, const struct rtc_sdp_offer *offer,
	      const struct rtc_sdp_choice *choice, const struct rtc_sdp_local *local)
{
	line(writing, "v=0");
	line(writing, "o=- %" PRIu64 " 1 IN IP4 127.0.0.1", local->session);
	line(writing, "s=-");
	line(writing, "t=0 0");
	line(writing, "a=ice-lite");
	write_bundle(writing, offer, choice);
	if (offer->is_extmap_mixed)
		line(writing, "a=extmap-allow-mixed");
	line(writing, "a=msid-semantic: WMS %s", local->cname);
}

static uint32_t
priority_of(const struct rtc_sdp_candidate *candidate, size_t index)
{
	uint32_t type = candidate->is_tcp ? TCP_TYPE_PREFERENCE : UDP_TYPE_PREFERENCE;
	uint32_t preference = candidate->is_tcp ? TCP_LOCAL_PREFERENCE : UDP_LOCAL_PREFERENCE;

	return type << 24 | (preference - (uint32_t)index) << 8 | (256 - COMPONENT);
}

static void
write_candidates(struct writing *writing, const struct rtc_sdp_local *local)
{
	for (size_t i = 0; i < local->n_candidates; i++) {
		const struct rtc_sdp_candidate *candidate = &local->candidates[i];

		line(writing, "a=candidate:%zu %u %s %" PRIu32 " %s %u typ host%s", i + 1,
		     COMPONENT, candidate->is_tcp ? "tcp" : "udp", priority_of(candidate, i),
		     candidate->address, candidate->port,
		     candidate->is_tcp ? " tcptype passive" : "");
	}
	line(writing, "a=end-of-candidates");
}

static void
write_identity(struct writing *writing, const struct rtc_sdp_local *local)
{
	line(writing, "a=ice-ufrag:%s", local->ufrag);
	line(writing, "a=ice-pwd:%s", local->password);
	line(writing, "a=fingerprint:%s", local->fingerprint);
	line(writing, "a=setup:passive");
}

static void
write_transport(struct writing *writing, const struct rtc_sdp_media *media, const char *direction,
		const struct rtc_sdp_local *local)
{
	line(writing, "a=rtcp-mux");
	if (media->has_rtcp_rsize)
		line(writing, "a=rtcp-rsize");
	if (media->mid[0] != '\0')
		line(writing, "a=mid:%s", media->mid);
	line(writing, "a=%s", direction);
	write_identity(writing, local);
	write_candidates(writing, local);
}

static void
write_format(struct writing *writing, const struct rtc_sdp_codec *codec)
{
	unsigned type = codec->payload_type;
	const char *name = codec->codec == RTP_CODEC_H264   ? "H264"
			   : codec->codec == RTP_CODEC_H265 ? "H265"
			   : codec->codec == RTP_CODEC_OPUS ? "opus"
			   : codec->codec == RTP_CODEC_PCMU ? "PCMU"
							    : "PCMA";

	if (codec->channels > 1)
		line(writing, "a=rtpmap:%u %s/%" PRIu32 "/%u", type, name, codec->clock_rate,
		     codec->channels);
	else
		line(writing, "a=rtpmap:%u %s/%" PRIu32, type, name, codec->clock_rate);
	if (codec->fmtp[0] != '\0')
		line(writing, "a=fmtp:%u %s", type, codec->fmtp);
}

static void
write_feedback(struct writing *writing, const struct rtc_sdp_choice *choice,
	       const struct rtc_sdp_local *local)
{
	const struct rtc_sdp_codec *codec = choice->video_codec;
	const struct {
		bool use;
		const char *what;
	} feedback[] = {
		{ codec->nack, "nack" },
		{ codec->nack_pli, "nack pli" },
		{ codec->ccm_fir, "ccm fir" },
		{ local->use_twcc && choice->has_twcc, "transport-cc" },
		{ codec->remb && !(local->use_twcc && choice->has_twcc), "goog-remb" },
	};

	for (size_t i = 0; i < sizeof(feedback) / sizeof(feedback[0]); i++) {
		if (feedback[i].use)
			line(writing, "a=rtcp-fb:%u %s", codec->payload_type, feedback[i].what);
	}
	line(writing, "a=rtcp-xr:rcvr-rtt=all");
}

static void
write_video(struct writing *writing, const struct rtc_sdp_media *media,
	    const struct rtc_sdp_choice *choice, const struct rtc_sdp_local *local)
{
	unsigned rtx = choice->video_codec->rtx_payload_type;

	write_format(writing, choice->video_codec);
	write_feedback(writing, choice, local);
	if (choice->has_rtx) {
		line(writing, "a=rtpmap:%u rtx/90000", rtx);
		line(writing, "a=fmtp:%u apt=%u", rtx, choice->video_codec->payload_type);
	}
	if (media->playout_delay_id > 0)
		line(writing, "a=extmap:%u %s", media->playout_delay_id, URI_PLAYOUT);
	if (local->use_twcc && choice->has_twcc)
		line(writing, "a=extmap:%u %s", media->twcc_id, URI_TWCC);
	line(writing, "a=msid:%s v", local->cname);
	if (choice->has_rtx)
		line(writing, "a=ssrc-group:FID %" PRIu32 " %" PRIu32, local->video_ssrc,
		     local->rtx_ssrc);
	line(writing, "a=ssrc:%" PRIu32 " cname:%s", local->video_ssrc, local->cname);
	if (choice->has_rtx)
		line(writing, "a=ssrc:%" PRIu32 " cname:%s", local->rtx_ssrc, local->cname);
}

static void
write_audio(struct writing *writing, const struct rtc_sdp_choice *choice,
	    const struct rtc_sdp_local *local)
{
	write_format(writing, choice->audio_codec);
	line(writing, "a=rtcp-xr:rcvr-rtt=all");
	line(writing, "a=msid:%s a", local->cname);
	line(writing, "a=ssrc:%" PRIu32 " cname:%s", local->audio_ssrc, local->cname);
}

/* What every medium begins with that is not refused; rtx: " 97" or "". */
static void
write_begin(struct writing *writing, const struct rtc_sdp_media *media,
	    const struct rtc_sdp_codec *codec, const char *rtx, const struct rtc_sdp_local *local)
{
	const struct rtc_sdp_candidate *first = &local->candidates[0];

	line(writing, "m=%s %u %s %u%s", media->name, first->port, media->protocol,
	     codec->payload_type, rtx);
	line(writing, "c=IN %s %s", is_v6(first) ? "IP6" : "IP4", first->address);
	if (media->has_extmap_mixed)
		line(writing, "a=extmap-allow-mixed");
}

static void
write_used(struct writing *writing, const struct rtc_sdp_media *media, bool is_video,
	   const struct rtc_sdp_choice *choice, const struct rtc_sdp_local *local)
{
	const struct rtc_sdp_codec *codec = is_video ? choice->video_codec : choice->audio_codec;
	char rtx[8] = "";

	if (is_video && choice->has_rtx)
		(void)snprintf(rtx, sizeof(rtx), " %u", codec->rtx_payload_type);
	write_begin(writing, media, codec, rtx, local);
	write_transport(writing, media, "sendonly", local);
	if (is_video)
		write_video(writing, media, choice, local);
	else
		write_audio(writing, choice, local);
}

static void
write_idle(struct writing *writing, const struct rtc_sdp_media *media,
	   const struct rtc_sdp_choice *choice, const struct rtc_sdp_local *local)
{
	write_begin(writing, media, choice->idle_codec, "", local);
	write_transport(writing, media, "inactive", local);
	write_format(writing, choice->idle_codec);
}

/* GStreamer's webrtcbin refuses an answer in which such a medium does not say who we are. */
static void
write_refused(struct writing *writing, const struct rtc_sdp_media *media,
	      const struct rtc_sdp_local *local)
{
	line(writing, "m=%s 0 %s %s", media->name, media->protocol, media->first_format);
	line(writing, "c=IN IP4 0.0.0.0");
	if (media->mid[0] != '\0')
		line(writing, "a=mid:%s", media->mid);
	line(writing, "a=inactive");
	write_identity(writing, local);
}

int
rtc_sdp_write_answer(const struct rtc_sdp_offer *offer, const struct rtc_sdp_choice *choice,
		     const struct rtc_sdp_local *local, char *out, size_t cap)
{
	struct writing writing = { .out = out, .cap = cap };

	if (local->n_candidates == 0 || local->n_candidates > RTC_SDP_CANDIDATES_MAX)
		return -EINVAL;
	write_session(&writing, offer, choice, local);
	for (unsigned i = 0; i < offer->n_media; i++) {
		if (choice->idle == (int)i)
			write_idle(&writing, &offer->media[i], choice, local);
		else if (is_used(choice, i))
			write_used(&writing, &offer->media[i], choice->video == (int)i, choice,
				   local);
		else
			write_refused(&writing, &offer->media[i], local);
	}
	return writing.len < cap ? (int)writing.len : -EMSGSIZE;
}
