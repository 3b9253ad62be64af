/*
 * Which payload type of an m-line to play, and what it is: rtpmap lines, the static types of
 * RFC 3551, and guesses where a camera says neither.
 */
#include "config.h"

#include "media/sdp_int.h"

#include <stdio.h>
#include <string.h>

#define PAYLOAD_TYPE_MAX 127
#define CLOCK_RATE_MIN   1000
#define CLOCK_RATE_MAX   1000000
#define CHANNELS_MAX     8

struct encoding {
	const char *name;
	enum rtp_codec codec;
	uint32_t clock_rate; /* where none is told; 0: it must be */
	uint8_t bits_per_sample;
	const char *why; /* codec NONE */
};

static const struct encoding encodings[] = {
	{ "H264", RTP_CODEC_H264, 90000, 0, NULL },
	{ "H265", RTP_CODEC_H265, 90000, 0, NULL },
	{ "HEVC", RTP_CODEC_H265, 90000, 0, NULL },
	{ "JPEG", RTP_CODEC_JPEG, 90000, 0, NULL },
	{ "MJPEG", RTP_CODEC_JPEG, 90000, 0, NULL },
	{ "MPEG4-GENERIC", RTP_CODEC_AAC, 0, 0, NULL },
	{ "PCMU", RTP_CODEC_PCMU, 8000, 0, NULL },
	{ "PCMA", RTP_CODEC_PCMA, 8000, 0, NULL },
	{ "G711U", RTP_CODEC_PCMU, 8000, 0, NULL },
	{ "G711A", RTP_CODEC_PCMA, 8000, 0, NULL },
	{ "G726-16", RTP_CODEC_G726, 8000, 2, NULL },
	{ "G726-24", RTP_CODEC_G726, 8000, 3, NULL },
	{ "G726-32", RTP_CODEC_G726, 8000, 4, NULL },
	{ "G726-40", RTP_CODEC_G726, 8000, 5, NULL },
	{ "L16", RTP_CODEC_L16, 0, 0, NULL },
	{ "OPUS", RTP_CODEC_OPUS, 48000, 0, NULL },
	{ "MP4A-LATM", RTP_CODEC_NONE, 0, 0, "AAC in LATM form (RFC 6416) cannot be read" },
	{ "AAL2-G726-16", RTP_CODEC_NONE, 0, 0, "G.726 in AAL2 packing cannot be read" },
	{ "AAL2-G726-24", RTP_CODEC_NONE, 0, 0, "G.726 in AAL2 packing cannot be read" },
	{ "AAL2-G726-32", RTP_CODEC_NONE, 0, 0, "G.726 in AAL2 packing cannot be read" },
	{ "AAL2-G726-40", RTP_CODEC_NONE, 0, 0, "G.726 in AAL2 packing cannot be read" },
	{ "VND.ONVIF.METADATA", RTP_CODEC_NONE, 0, 0, "metadata, not pictures or sound" },
};

/* RFC 3551 6. */
static const struct static_type {
	uint8_t payload_type;
	const char *name;
	uint32_t clock_rate;
	uint8_t channels;
} static_types[] = {
	{ 0, "PCMU", 8000, 1 },  { 2, "G726-32", 8000, 1 }, { 3, "GSM", 8000, 1 },
	{ 4, "G723", 8000, 1 },  { 8, "PCMA", 8000, 1 },    { 9, "G722", 8000, 1 },
	{ 10, "L16", 44100, 2 }, { 11, "L16", 44100, 1 },   { 14, "MPA", 90000, 1 },
	{ 18, "G729", 8000, 1 }, { 26, "JPEG", 90000, 0 },  { 31, "H261", 90000, 0 },
	{ 32, "MPV", 90000, 0 }, { 33, "MP2T", 90000, 0 },  { 34, "H263", 90000, 0 },
};

/* One payload type that is offered. */
struct offer {
	int payload_type;
	struct sdp_fmtp fmtp;
	struct sdp_text name;
	uint32_t clock_rate; /* 0: not told */
	uint8_t channels;    /* 0: not told */
};

static struct sdp_text
text_of(const char *word)
{
	return (struct sdp_text){ word, strlen(word) };
}

static const struct encoding *
find_encoding(struct sdp_text name)
{
	size_t i;

	for (i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		if (sdp_is(name, encodings[i].name))
			return &encodings[i];
	return NULL;
}

static const struct static_type *
find_static(int payload_type)
{
	size_t i;

	for (i = 0; i < sizeof(static_types) / sizeof(static_types[0]); i++)
		if (static_types[i].payload_type == payload_type)
			return &static_types[i];
	return NULL;
}

/* The numbers of the m-line. */
static size_t
read_payload_types(struct sdp_text list, int types[SDP_MAX_ATTRIBUTES])
{
	size_t n = 0;

	while (list.len > 0 && n < SDP_MAX_ATTRIBUTES) {
		struct sdp_text rest, one = sdp_cut(list, " \t,", &list);
		int64_t number = sdp_number(one, PAYLOAD_TYPE_MAX, &rest);

		if (number >= 0 && rest.len == 0)
			types[n++] = (int)number;
	}
	return n;
}

static size_t
list_payload_types(const struct sdp_section *section, int types[SDP_MAX_ATTRIBUTES])
{
	size_t n = read_payload_types(section->payload_types, types), i;

	if (n > 0)
		return n;
	for (i = 0; i < section->n_rtpmaps; i++) {
		int64_t number = sdp_number(section->rtpmaps[i], PAYLOAD_TYPE_MAX, NULL);

		if (number >= 0)
			types[n++] = (int)number;
	}
	return n;
}

/* "96 H264/90000", "97 MPEG4-GENERIC/16000/2". */
static void
read_rtpmap(struct sdp_text rtpmap, struct offer *offer)
{
	struct sdp_text rest;
	int64_t number;

	if (sdp_number(rtpmap, UINT8_MAX, &rest) < 0)
		rest = rtpmap;
	offer->name = sdp_cut(sdp_trim(rest), "/ \t", &rest);
	number = sdp_number(sdp_cut(sdp_trim(rest), "/", &rest), CLOCK_RATE_MAX, NULL);
	if (number >= CLOCK_RATE_MIN)
		offer->clock_rate = (uint32_t)number;
	number = sdp_number(sdp_trim(rest), CHANNELS_MAX, NULL);
	if (number > 0)
		offer->channels = (uint8_t)number;
}

static bool
read_own_rtpmap(const struct sdp_section *section, struct offer *offer)
{
	size_t i;

	for (i = 0; i < section->n_rtpmaps; i++)
		if (sdp_number(section->rtpmaps[i], UINT8_MAX, NULL) == offer->payload_type) {
			read_rtpmap(section->rtpmaps[i], offer);
			return offer->name.len > 0;
		}
	return false;
}

/* What the type itself says, where the rtpmap does not. */
static void
apply_static(struct offer *offer)
{
	const struct static_type *type = find_static(offer->payload_type);

	if (type == NULL ||
	    (find_encoding(offer->name) != NULL && !sdp_is(offer->name, type->name)))
		return;
	offer->name = text_of(type->name);
	if (offer->clock_rate == 0)
		offer->clock_rate = type->clock_rate;
	if (offer->channels == 0)
		offer->channels = type->channels;
}

/* Nothing names the encoding, but the parameters are those of one. */
static void
guess_video(struct offer *offer)
{
	if (sdp_fmtp_value(&offer->fmtp, "sprop-sps").len > 0 ||
	    sdp_fmtp_value(&offer->fmtp, "sprop-vps").len > 0)
		offer->name = text_of("H265");
	else if (sdp_fmtp_value(&offer->fmtp, "sprop-parameter-sets").len > 0 ||
		 sdp_fmtp_value(&offer->fmtp, "packetization-mode").len > 0)
		offer->name = text_of("H264");
}

static bool
has_fmtp(const struct sdp_section *section, int payload_type)
{
	size_t i;

	for (i = 0; i < section->n_fmtps; i++)
		if (sdp_number(section->fmtps[i], UINT8_MAX, NULL) == payload_type)
			return true;
	return false;
}

static void
read_offer(const struct sdp_section *section, int payload_type, bool is_only, struct offer *offer)
{
	*offer = (struct offer){ .payload_type = payload_type };
	/* A number that nobody offers is a slip; with one payload type it is clear what was meant.
	 */
	offer->fmtp.section = section;
	offer->fmtp.payload_type = is_only && !has_fmtp(section, payload_type) ? -1 : payload_type;
	if (!read_own_rtpmap(section, offer) && is_only && find_static(payload_type) == NULL &&
	    section->n_rtpmaps == 1)
		read_rtpmap(section->rtpmaps[0], offer);
	apply_static(offer);
	if (offer->name.len == 0)
		guess_video(offer);
}

static void
set_why(struct sdp_media *media, const char *why)
{
	(void)snprintf(media->why, sizeof(media->why), "%s", why);
}

static bool
fits_kind(enum sdp_kind kind, enum rtp_codec codec)
{
	return kind == (rtp_codec_is_video(codec) ? SDP_VIDEO : SDP_AUDIO);
}

static bool
set_video(const struct offer *offer, struct rtp_format *format, struct sdp_media *media)
{
	if (format->codec == RTP_CODEC_JPEG) {
		format->width = media->width;
		format->height = media->height;
		return true;
	}
	if (format->codec == RTP_CODEC_H264 &&
	    sdp_fmtp_number(&offer->fmtp, "packetization-mode", UINT16_MAX, 0) == 2) {
		set_why(media,
			"H.264 in interleaved packets (packetization-mode 2) cannot be read");
		return false;
	}
	format->has_donl = sdp_fmtp_number(&offer->fmtp, "sprop-max-don-diff", UINT16_MAX, 0) > 0;
	sdp_parameter_sets(&offer->fmtp, format);
	return true;
}

static bool
set_audio(const struct offer *offer, struct rtp_format *format, struct sdp_media *media)
{
	if (format->codec == RTP_CODEC_AAC)
		return sdp_aac(&offer->fmtp, format, media->why);
	if (format->clock_rate == 0) {
		set_why(media, "samples without a clock rate");
		return false;
	}
	if (format->channels == 0)
		format->channels = format->codec == RTP_CODEC_OPUS ? 2 : 1;
	return true;
}

/* Fills media from one offer; false and why if it cannot be played. */
static bool
take_offer(const struct offer *offer, struct sdp_media *media)
{
	const struct encoding *encoding = find_encoding(offer->name);
	struct rtp_format format = { .payload_type = (uint8_t)offer->payload_type };
	bool is_taken;

	sdp_copy_words(offer->name, media->encoding, sizeof(media->encoding));
	if (encoding == NULL || encoding->codec == RTP_CODEC_NONE) {
		if (encoding != NULL)
			set_why(media, encoding->why);
		else if (media->encoding[0] == 0)
			set_why(media, "the camera does not say what it is");
		else
			(void)snprintf(media->why, sizeof(media->why), "%s is not supported",
				       media->encoding);
		return false;
	}
	if (!fits_kind(media->kind, encoding->codec)) {
		(void)snprintf(media->why, sizeof(media->why), "%s in a track of another kind",
			       encoding->name);
		return false;
	}
	format.codec = encoding->codec;
	format.bits_per_sample = encoding->bits_per_sample;
	format.clock_rate = offer->clock_rate > 0 ? offer->clock_rate : encoding->clock_rate;
	format.channels = rtp_codec_is_video(encoding->codec) ? 0 : offer->channels;
	is_taken = rtp_codec_is_video(encoding->codec) ? set_video(offer, &format, media)
						       : set_audio(offer, &format, media);
	if (is_taken) {
		media->format = format;
		media->why[0] = 0;
	} else
		rtp_format_clear(&format);
	return is_taken;
}

void
sdp_media_choose(const struct sdp_section *section, struct sdp_media *media)
{
	int types[SDP_MAX_ATTRIBUTES];
	size_t n = list_payload_types(section, types), i;
	struct sdp_media first = { 0 };
	struct offer offer;

	if (n == 0) {
		set_why(media, "no payload type");
		return;
	}
	for (i = 0; i < section->protocol.len; i++)
		if (sdp_starts_with(
			(struct sdp_text){ section->protocol.s + i, section->protocol.len - i },
			"SAVP")) {
			set_why(media, "encrypted RTP (SRTP) cannot be read");
			return;
		}
	for (i = 0; i < n; i++) {
		read_offer(section, types[i], n == 1, &offer);
		if (take_offer(&offer, media))
			return;
		if (i == 0)
			first = *media;
	}
	/* None: what is said is about the first. */
	memcpy(media->encoding, first.encoding, sizeof(media->encoding));
	memcpy(media->why, first.why, sizeof(media->why));
}
