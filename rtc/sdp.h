/*
 * SDP between us and a viewer (RFC 8866, 8829, 8839, 8842, 8843): an offer read into a struct of
 * fixed size, what we send chosen from it, and the answer of an ICE-lite, DTLS-passive, send-only
 * side written. (media/sdp.h is the other side: a camera's.)
 */
#ifndef CAMHUB_RTC_SDP_H
#define CAMHUB_RTC_SDP_H

#include "media/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTC_SDP_OFFER_MAX       20000u /* bytes */
#define RTC_SDP_ANSWER_MAX      12288u
#define RTC_SDP_MEDIA_MAX       8u  /* m= lines; more are refused */
#define RTC_SDP_CODECS_MAX      64u /* payload types of one of them; more are passed over */
#define RTC_SDP_MID_BYTES       33u
#define RTC_SDP_FMTP_BYTES      128u
#define RTC_SDP_UFRAG_BYTES     257u
#define RTC_SDP_FINGERPRINT_MAX 64u /* bytes of SHA-512 */
#define RTC_SDP_CANDIDATES_MAX  16u

enum rtc_sdp_kind { RTC_SDP_OTHER, RTC_SDP_AUDIO, RTC_SDP_VIDEO };

/* One payload type that can matter to us. */
struct rtc_sdp_codec {
	uint8_t payload_type;
	enum rtp_codec codec; /* H264, H265, OPUS, PCMU, PCMA */
	uint32_t clock_rate;
	uint8_t channels;                         /* sound */
	uint8_t rtx_payload_type;                 /* 0: none */
	bool nack, nack_pli, ccm_fir, remb, twcc; /* a=rtcp-fb */
	bool says_packetization_mode;             /* H.264 */
	uint8_t packetization_mode;
	uint8_t profile_idc, profile_iop, level_idc; /* H.264: profile-level-id, 42 00 0a without */
	bool has_tx_mode_srst;                       /* H.265: tx-mode absent or SRST */
	uint8_t h265_profile, h265_level;            /* 0: not said (1 and 93 are meant) */
	char fmtp[RTC_SDP_FMTP_BYTES]; /* as offered, behind the payload type; "" none */
};

struct rtc_sdp_media {
	enum rtc_sdp_kind kind;
	char name[16];         /* "video"; as offered */
	char protocol[32];     /* "UDP/TLS/RTP/SAVPF" */
	char first_format[32]; /* of the m= line, for a refusal */
	char mid[RTC_SDP_MID_BYTES];
	bool is_refused;  /* port 0 and not bundle-only */
	bool is_bundled;  /* its mid is in the BUNDLE group */
	bool can_receive; /* recvonly or sendrecv */
	bool has_rtcp_mux, has_rtcp_rsize, has_extmap_mixed;
	uint8_t playout_delay_id, twcc_id; /* a=extmap, 1..14; 0: not offered */
	struct rtc_sdp_codec codecs[RTC_SDP_CODECS_MAX];
	unsigned n_codecs;
};

struct rtc_sdp_offer {
	char ufrag[RTC_SDP_UFRAG_BYTES], password[RTC_SDP_UFRAG_BYTES];
	char hash[16]; /* of the fingerprint: "sha-256", lower case */
	uint8_t fingerprint[RTC_SDP_FINGERPRINT_MAX];
	size_t fingerprint_len;
	bool is_extmap_mixed;
	struct rtc_sdp_media media[RTC_SDP_MEDIA_MAX];
	unsigned n_media;
	int tagged; /* index of media: the first of the BUNDLE group, -1 none */
};

/*
 * Reads an offer. Returns 0; -EPROTO when it is none, -EMSGSIZE when something is too large,
 * -ENOTSUP for one that we cannot answer whatever we send (no fingerprint of SHA-256 or better, no
 * ICE credentials, setup:passive, ice-lite). *why is then a static sentence for people. *offer is
 * undefined on failure; its size is for the heap, not for the stack.
 */
int rtc_sdp_parse(const char *text, size_t len, struct rtc_sdp_offer *offer, const char **why);

/* What the stream has. */
struct rtc_sdp_source {
	enum rtp_codec video; /* H264, H265; others: cannot be sent */
	uint8_t profile_idc;  /* of its SPS; H.265: general_profile_idc; 0 unknown */
	uint8_t profile_iop;  /* H.264: the constraint flags */
	bool has_b_frames;
	enum rtp_codec audio; /* OPUS, PCMU, PCMA; NONE: none, or none is wanted */
};

/* What is sent of it; the codecs are in the offer. One of both media is there. */
struct rtc_sdp_choice {
	int video, audio;                        /* indices of offer->media, -1: not */
	const struct rtc_sdp_codec *video_codec; /* NULL without */
	const struct rtc_sdp_codec *audio_codec;
	int idle; /* index of offer->media: nothing is sent in it, -1 none */
	const struct rtc_sdp_codec *idle_codec;
	bool has_rtx;  /* video: RTX is offered, with NACK */
	bool has_twcc; /* video: transport-wide feedback is, and the extension that it needs */
};

/*
 * Chooses the first video medium that takes it, and the first audio medium bundled with that.
 * H.264: packetization-mode 1; best the profile of the stream, else 42e0, 42xx, any (players go by
 * the SPS); at last one that says nothing of the mode. Sound that cannot be had is left out,
 * silently; an offer that asks for no video at all gets sound alone. A bundle whose tagged medium
 * is not sent keeps it, idle: GStreamer's webrtcbin gathered its candidates for it, and waits for
 * ever when the bundle goes on without. Returns 0, or -ENOTSUP with *why a static sentence for
 * people: B frames, codec not offered, no DTLS or rtcp-mux for it, nothing asked for that there is.
 */
int rtc_sdp_choose(const struct rtc_sdp_offer *offer, const struct rtc_sdp_source *source,
		   struct rtc_sdp_choice *choice, const char **why);

struct rtc_sdp_candidate {
	char address[46]; /* numeric, v4 or v6 */
	uint16_t port;
	bool is_tcp; /* passive (RFC 6544) */
};

/* Our side. */
struct rtc_sdp_local {
	uint64_t session; /* o= line: 1..2^62 */
	const char *ufrag, *password;
	const char *fingerprint;                    /* "sha-256 AA:BB:..." */
	const struct rtc_sdp_candidate *candidates; /* the best first */
	size_t n_candidates;                        /* 1..RTC_SDP_CANDIDATES_MAX */
	uint32_t video_ssrc, rtx_ssrc, audio_ssrc;
	const char *cname;
	bool use_twcc; /* ask for transport-wide feedback with choice->has_twcc; else for REMB */
};

/*
 * Writes the answer, zero-terminated, into out of cap bytes (RTC_SDP_ANSWER_MAX is enough for any):
 * m= lines in the order of the offer, an idle one inactive, others not used with port 0 and out of
 * the bundle. Returns its length, or -EMSGSIZE.
 */
int rtc_sdp_write_answer(const struct rtc_sdp_offer *offer, const struct rtc_sdp_choice *choice,
			 const struct rtc_sdp_local *local, char *out, size_t cap);

#endif
