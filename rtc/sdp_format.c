/*
 * The formats of a medium in an offer: its payload types, what they are, their parameters, and
 * which retransmission belongs to which.
 */
#include "config.h"

#include "rtc/sdp_int.h"

#include <errno.h>
#include <string.h>

#define MODE_MAX 2u

/* What a payload type can be, for us. */
static const struct encoding {
	const char *name;
	enum rtp_codec codec;
	uint32_t clock_rate;
	uint8_t channels;
	enum rtc_sdp_kind kind;
	int static_type; /* RFC 3551 6; -1 none */
} encodings[] = {
	{ "H264", RTP_CODEC_H264, 90000, 0, RTC_SDP_VIDEO, -1 },
	{ "H265", RTP_CODEC_H265, 90000, 0, RTC_SDP_VIDEO, -1 },
	{ "opus", RTP_CODEC_OPUS, 48000, 2, RTC_SDP_AUDIO, -1 },
	{ "PCMU", RTP_CODEC_PCMU, 8000, 1, RTC_SDP_AUDIO, 0 },
	{ "PCMA", RTP_CODEC_PCMA, 8000, 1, RTC_SDP_AUDIO, 8 },
};

#define N_ENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

/* A place for it among the codecs, in the order of the m= line: until rtpmap says what it is, it is
 * RTP_CODEC_NONE. */
static void
list_format(struct rtc_sdp_reading *reading, uint8_t payload_type)
{
	struct rtc_sdp_media *media = reading->media;
	struct rtc_sdp_format *format = &reading->formats[payload_type];

	if (format->is_listed || media->n_codecs == RTC_SDP_CODECS_MAX)
		return;
	format->is_listed = true;
	format->codec = (int)media->n_codecs++;
	/* RFC 6184 8.1: without profile-level-id Baseline of level 1 is meant. RFC 7798 7.1:
	 * tx-mode. */
	media->codecs[format->codec] = (struct rtc_sdp_codec){ .payload_type = payload_type,
							       .profile_idc = 0x42,
							       .level_idc = 0x0a,
							       .has_tx_mode_srst = true };
}

static void
set_encoding(struct rtc_sdp_reading *reading, uint8_t payload_type, const struct encoding *encoding)
{
	struct rtc_sdp_codec *codec = &reading->media->codecs[reading->formats[payload_type].codec];

	codec->codec = encoding->codec;
	codec->clock_rate = encoding->clock_rate;
	codec->channels = encoding->channels;
}

static void
set_static_encodings(struct rtc_sdp_reading *reading)
{
	for (size_t i = 0; i < N_ENCODINGS; i++) {
		int type = encodings[i].static_type;

		if (type >= 0 && reading->media->kind == encodings[i].kind &&
		    reading->formats[type].is_listed)
			set_encoding(reading, (uint8_t)type, &encodings[i]);
	}
}

static bool
is_printable_word(struct rtc_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] <= ' ' || text.at[i] >= 0x7f)
			return false;
	}
	return text.len > 0;
}

static enum rtc_sdp_kind
kind_of(struct rtc_text name)
{
	if (rtc_text_is(name, "audio"))
		return RTC_SDP_AUDIO;
	return rtc_text_is(name, "video") ? RTC_SDP_VIDEO : RTC_SDP_OTHER;
}

static void
list_formats(struct rtc_sdp_reading *reading, struct rtc_text formats)
{
	memset(reading->formats, 0, sizeof(reading->formats));
	while (formats.len > 0) {
		struct rtc_text format = rtc_text_take(&formats, ' ');
		uint32_t number;

		if (reading->media->kind != RTC_SDP_OTHER &&
		    rtc_text_number(format, SDP_FORMATS - 1, &number))
			list_format(reading, (uint8_t)number);
	}
	set_static_encodings(reading);
}

/* m=<media> <port> <proto> <fmt> ... */
int
rtc_sdp_media_begin(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_text name = rtc_text_take(&value, ' '), port = rtc_text_take(&value, ' '),
			protocol = rtc_text_take(&value, ' '), rest = value,
			first = rtc_text_take(&rest, ' ');
	struct rtc_sdp_media *media;
	uint32_t number;

	if (reading->offer->n_media == RTC_SDP_MEDIA_MAX)
		return rtc_sdp_fail(reading, -EMSGSIZE, "the offer has too many m= lines");
	media = &reading->offer->media[reading->offer->n_media];
	if (!is_printable_word(name) || !rtc_text_copy(name, media->name, sizeof(media->name)) ||
	    !is_printable_word(protocol) ||
	    !rtc_text_copy(protocol, media->protocol, sizeof(media->protocol)) ||
	    !is_printable_word(first) ||
	    !rtc_text_number(rtc_text_take(&port, '/'), 65535, &number))
		return rtc_sdp_fail(reading, -EPROTO, "an m= line is not one");
	if (!rtc_text_copy(first, media->first_format, sizeof(media->first_format)))
		return rtc_sdp_fail(reading, -EMSGSIZE, "an m= line has a format that is too long");
	reading->offer->n_media++;
	reading->media = media;
	media->kind = kind_of(name);
	media->is_refused = number == 0;
	media->can_receive = reading->session_can_receive;
	list_formats(reading, value);
	return 0;
}

static void
link_rtx(struct rtc_sdp_reading *reading)
{
	for (unsigned type = 0; type < SDP_FORMATS; type++) {
		const struct rtc_sdp_format *format = &reading->formats[type];
		const struct rtc_sdp_format *of = &reading->formats[format->apt];

		if (format->is_listed && format->is_rtx && format->has_apt && of->is_listed &&
		    !of->is_rtx)
			reading->media->codecs[of->codec].rtx_payload_type = (uint8_t)type;
	}
}

void
rtc_sdp_media_end(struct rtc_sdp_reading *reading)
{
	struct rtc_sdp_media *media = reading->media;
	unsigned kept = 0;

	if (media == NULL)
		return;
	link_rtx(reading);
	for (unsigned i = 0; i < media->n_codecs; i++) {
		if (media->codecs[i].codec != RTP_CODEC_NONE)
			media->codecs[kept++] = media->codecs[i];
	}
	media->n_codecs = kept;
	reading->media = NULL;
}

/* The format that a line of the medium is about; NULL: none that we know of. */
static struct rtc_sdp_format *
take_format(struct rtc_sdp_reading *reading, struct rtc_text *value)
{
	uint32_t type;

	if (reading->media == NULL ||
	    !rtc_text_number(rtc_text_take(value, ' '), SDP_FORMATS - 1, &type) ||
	    !reading->formats[type].is_listed)
		return NULL;
	return &reading->formats[type];
}

/* a=rtpmap:<type> <encoding>/<clock rate>[/<channels>] */
int
rtc_sdp_rtpmap(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_sdp_format *format = take_format(reading, &value);
	struct rtc_text name = rtc_text_take(&value, '/');
	struct rtc_text clock_rate = rtc_text_take(&value, '/');
	uint32_t rate, channels = 1;
	uint8_t type;

	if (format == NULL || !rtc_text_number(clock_rate, UINT32_MAX, &rate) ||
	    (value.len > 0 && !rtc_text_number(value, 255, &channels)))
		return 0;
	type = (uint8_t)(format - reading->formats);
	reading->media->codecs[format->codec].codec = RTP_CODEC_NONE;
	format->is_rtx = rtc_text_is_nocase(name, "rtx");
	for (size_t i = 0; i < N_ENCODINGS; i++) {
		const struct encoding *encoding = &encodings[i];

		if (encoding->kind == reading->media->kind && encoding->clock_rate == rate &&
		    rtc_text_is_nocase(name, encoding->name) &&
		    (encoding->channels == 0 || encoding->channels == channels))
			set_encoding(reading, type, encoding);
	}
	return 0;
}

static void
set_parameter(struct rtc_sdp_format *format, struct rtc_sdp_codec *codec, struct rtc_text name,
	      struct rtc_text value)
{
	uint8_t profile[3];
	uint32_t number;

	if (rtc_text_is_nocase(name, "apt") && rtc_text_number(value, SDP_FORMATS - 1, &number)) {
		format->apt = (uint8_t)number;
		format->has_apt = true;
	} else if (rtc_text_is_nocase(name, "profile-level-id") &&
		   rtc_text_hex(value, profile, 3)) {
		codec->profile_idc = profile[0];
		codec->profile_iop = profile[1];
		codec->level_idc = profile[2];
	} else if (rtc_text_is_nocase(name, "packetization-mode")) {
		codec->says_packetization_mode = true;
		if (rtc_text_number(value, MODE_MAX, &number))
			codec->packetization_mode = (uint8_t)number;
	} else if (rtc_text_is_nocase(name, "profile-id") && rtc_text_number(value, 31, &number)) {
		codec->h265_profile = (uint8_t)number;
	} else if (rtc_text_is_nocase(name, "level-id") && rtc_text_number(value, 255, &number)) {
		codec->h265_level = (uint8_t)number;
	} else if (rtc_text_is_nocase(name, "tx-mode")) {
		codec->has_tx_mode_srst = rtc_text_is_nocase(value, "SRST");
	}
}

/* a=fmtp:<type> name=value;name=value. What is too long to be answered with is read, not kept. */
int
rtc_sdp_fmtp(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_sdp_format *format = take_format(reading, &value);
	struct rtc_sdp_codec *codec;

	if (format == NULL)
		return 0;
	codec = &reading->media->codecs[format->codec];
	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.at[i] >= 0x7f)
			return rtc_sdp_fail(reading, -EPROTO, "a=fmtp is not ASCII");
	}
	(void)rtc_text_copy(value, codec->fmtp, sizeof(codec->fmtp));
	while (value.len > 0) {
		struct rtc_text parameter = rtc_text_take(&value, ';'), name;

		while (parameter.len > 0 && parameter.at[0] == ' ')
			(void)rtc_text_take(&parameter, ' ');
		name = rtc_text_take(&parameter, '=');
		set_parameter(format, codec, name, parameter);
	}
	return 0;
}

static void
set_feedback(struct rtc_sdp_codec *codec, struct rtc_text feedback)
{
	codec->nack |= rtc_text_is(feedback, "nack");
	codec->nack_pli |= rtc_text_is(feedback, "nack pli");
	codec->ccm_fir |= rtc_text_is(feedback, "ccm fir");
	codec->remb |= rtc_text_is(feedback, "goog-remb");
	codec->twcc |= rtc_text_is(feedback, "transport-cc");
}

/* a=rtcp-fb:<type or *> <what> */
int
rtc_sdp_rtcp_fb(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_sdp_media *media = reading->media;
	struct rtc_sdp_format *format;

	if (media == NULL)
		return 0;
	if (rtc_text_begins(value, "* ")) {
		(void)rtc_text_take(&value, ' ');
		for (unsigned i = 0; i < media->n_codecs; i++)
			set_feedback(&media->codecs[i], value);
		return 0;
	}
	format = take_format(reading, &value);
	if (format != NULL)
		set_feedback(&media->codecs[format->codec], value);
	return 0;
}
