/*
 * The lines of a session description. What is not used is not looked at, so that most of what
 * cameras get wrong there (origin, connection, times) costs nothing; what stands behind an m-line
 * is collected and read when the next one, or the end, comes.
 */
#include "config.h"

#include "media/sdp_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMERATE_MAX 1000

struct parser {
	struct sdp *sdp;
	struct sdp_media *media; /* of the section; NULL: session level, or beyond SDP_MAX_MEDIA */
	struct sdp_section section;
	enum sdp_direction directions[SDP_MAX_MEDIA];
	bool has_directions[SDP_MAX_MEDIA];
	bool has_session_direction;
	enum sdp_direction session_direction;
	bool has_lines, has_media;
};

/* The first specific one counts: cameras repeat it, and put the session's "*" behind the media. */
static void
on_control(struct parser *parser, struct sdp_text value)
{
	char *control = parser->media != NULL ? parser->media->control : parser->sdp->control;
	size_t i;

	if (value.len == 0 || value.len >= SDP_CONTROL_MAX)
		return;
	if (control[0] != 0 && strcmp(control, "*") != 0)
		return;
	for (i = 0; i < value.len; i++)
		if ((unsigned char)value.s[i] < ' ' || value.s[i] == 0x7f)
			return; /* it could not stand in a request line */
	memcpy(control, value.s, value.len);
	control[value.len] = 0;
}

static void
on_rtpmap(struct parser *parser, struct sdp_text value)
{
	struct sdp_section *section = &parser->section;

	if (parser->media != NULL && section->n_rtpmaps < SDP_MAX_ATTRIBUTES)
		section->rtpmaps[section->n_rtpmaps++] = value;
}

static void
on_fmtp(struct parser *parser, struct sdp_text value)
{
	struct sdp_section *section = &parser->section;

	if (parser->media != NULL && section->n_fmtps < SDP_MAX_ATTRIBUTES)
		section->fmtps[section->n_fmtps++] = value;
}

/* "25", "29.97", "12,5"; with anything behind it. */
static void
on_framerate(struct parser *parser, struct sdp_text value)
{
	struct sdp_text rest;
	int64_t whole = sdp_number(value, FRAMERATE_MAX, &rest);
	double rate, digit = 0.1;

	if (parser->media == NULL || parser->media->framerate > 0 || whole < 0)
		return;
	rate = (double)whole;
	if (rest.len > 0 && (rest.s[0] == '.' || rest.s[0] == ',')) {
		for (rest.s++, rest.len--; rest.len > 0 && rest.s[0] >= '0' && rest.s[0] <= '9';
		     rest.s++, rest.len--, digit /= 10)
			rate += (rest.s[0] - '0') * digit;
	}
	if (rate <= FRAMERATE_MAX)
		parser->media->framerate = rate;
}

/* The numbers of "96 1280-720", "1280x720", "1920, 1080". */
static size_t
read_numbers(struct sdp_text value, int64_t numbers[3])
{
	size_t n = 0;

	while (value.len > 0 && n < 3) {
		struct sdp_text rest;
		int64_t number = sdp_number(value, UINT16_MAX, &rest);

		if (number >= 0) {
			numbers[n++] = number;
			value = rest;
		} else {
			value.s++;
			value.len--;
		}
	}
	return n;
}

static void
set_size(struct parser *parser, int64_t width, int64_t height)
{
	if (parser->media == NULL || width == 0 || height == 0)
		return;
	parser->media->width = (uint16_t)width;
	parser->media->height = (uint16_t)height;
}

static void
on_dimensions(struct parser *parser, struct sdp_text value)
{
	int64_t numbers[3];

	if (read_numbers(value, numbers) >= 2)
		set_size(parser, numbers[0], numbers[1]);
}

/* RFC 6064 4.2.1: the payload type stands before it. */
static void
on_framesize(struct parser *parser, struct sdp_text value)
{
	int64_t numbers[3];
	size_t n = read_numbers(value, numbers);

	if (n >= 2)
		set_size(parser, numbers[n - 2], numbers[n - 1]);
}

static void
set_direction(struct parser *parser, enum sdp_direction direction)
{
	if (!parser->has_media) {
		parser->has_session_direction = true;
		parser->session_direction = direction;
	} else if (parser->media != NULL) {
		parser->section.has_direction = true;
		parser->section.direction = direction;
	}
}

static void
on_sendonly(struct parser *parser, struct sdp_text value)
{
	(void)value;
	set_direction(parser, SDP_SENDONLY);
}

static void
on_recvonly(struct parser *parser, struct sdp_text value)
{
	(void)value;
	set_direction(parser, SDP_RECVONLY);
}

static void
on_sendrecv(struct parser *parser, struct sdp_text value)
{
	(void)value;
	set_direction(parser, SDP_BOTH);
}

static const struct {
	const char *name;
	void (*read)(struct parser *parser, struct sdp_text value);
} attributes[] = {
	{ "control", on_control },
	{ "rtpmap", on_rtpmap },
	{ "fmtp", on_fmtp },
	{ "framerate", on_framerate },
	{ "x-framerate", on_framerate },
	{ "framesize", on_framesize },
	{ "x-dimensions", on_dimensions },
	{ "sendonly", on_sendonly },
	{ "recvonly", on_recvonly },
	{ "sendrecv", on_sendrecv },
};

/* "name:value", "name=value", "name". */
static void
read_attribute(struct parser *parser, struct sdp_text line)
{
	struct sdp_text value, name = sdp_cut(line, ":=", &value);
	size_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (sdp_is(name, attributes[i].name))
			attributes[i].read(parser, sdp_trim(value));
}

static enum sdp_kind
read_kind(struct sdp_text kind)
{
	if (sdp_is(kind, "video"))
		return SDP_VIDEO;
	if (sdp_is(kind, "audio"))
		return SDP_AUDIO;
	/* "application/tp-link" */
	return sdp_starts_with(kind, "application") ? SDP_APPLICATION : SDP_OTHER;
}

static void
end_section(struct parser *parser)
{
	size_t i;

	if (parser->media == NULL)
		return;
	i = (size_t)(parser->media - parser->sdp->media);
	parser->has_directions[i] = parser->section.has_direction;
	parser->directions[i] = parser->section.direction;
	sdp_media_choose(&parser->section, parser->media);
	parser->media = NULL;
}

/* "video 0 RTP/AVP 96 97": what cannot be read of it is left out. */
static void
read_media(struct parser *parser, struct sdp_text line)
{
	struct sdp_section *section = &parser->section;
	struct sdp_text rest, kind = sdp_cut(line, " \t", &rest);
	struct sdp_text port = sdp_cut(sdp_trim(rest), " \t", &rest);
	int64_t number = sdp_number(port, UINT16_MAX, NULL);

	end_section(parser);
	parser->has_media = true;
	if (parser->sdp->n_media == SDP_MAX_MEDIA)
		return;
	parser->media = &parser->sdp->media[parser->sdp->n_media++];
	parser->media->kind = read_kind(kind);
	parser->media->port = (uint16_t)(number > 0 ? number : 0);
	memset(section, 0, sizeof(*section));
	section->protocol = sdp_cut(sdp_trim(rest), " \t", &rest);
	section->payload_types = sdp_trim(rest);
}

static void
read_line(struct parser *parser, struct sdp_text line)
{
	struct sdp_text value, key = sdp_cut(line, "=", &value);

	if (key.len != 1 || memchr(line.s, '=', line.len) == NULL)
		return;
	switch (key.s[0]) {
	case 'a':
		read_attribute(parser, value);
		break;
	case 'm':
		read_media(parser, sdp_trim(value));
		break;
	case 'v':
	case 'o':
	case 's':
	case 't':
		break;
	default:
		return;
	}
	parser->has_lines = true;
}

static void
read_lines(struct parser *parser, struct sdp_text text)
{
	while (text.len > 0) {
		size_t i;

		for (i = 0; i < text.len; i++)
			if (text.s[i] == '\n' || text.s[i] == '\r' || text.s[i] == 0)
				break;
		read_line(parser, sdp_trim((struct sdp_text){ text.s, i }));
		if (i < text.len)
			i++;
		text.s += i;
		text.len -= i;
	}
	end_section(parser);
}

static enum sdp_direction
direction_of(const struct parser *parser, size_t i)
{
	if (parser->has_directions[i])
		return parser->directions[i];
	return parser->has_session_direction ? parser->session_direction : SDP_BOTH;
}

/* Directions are the reader's (ONVIF Streaming 5.3), but some cameras write their own: no camera
 * wants video. */
static void
find_backchannels(struct parser *parser)
{
	enum sdp_direction to_camera = SDP_SENDONLY;
	struct sdp *sdp = parser->sdp;
	size_t i;

	for (i = 0; i < sdp->n_media; i++)
		if (sdp->media[i].kind == SDP_VIDEO && direction_of(parser, i) == SDP_SENDONLY)
			to_camera = SDP_RECVONLY;
	for (i = 0; i < sdp->n_media; i++)
		sdp->media[i].is_backchannel =
		    sdp->media[i].kind != SDP_VIDEO && direction_of(parser, i) == to_camera;
}

static int
check_whole(const struct parser *parser, char err[SDP_ERROR_MAX])
{
	if (parser->sdp->n_media > 0)
		return 0;
	(void)snprintf(err, SDP_ERROR_MAX, "%s",
		       parser->has_lines ? "a session description without media (no m= line)"
					 : "no session description");
	return -EPROTO;
}

int
sdp_parse(const char *text, size_t len, struct sdp **sdp, char err[SDP_ERROR_MAX])
{
	struct parser *parser;
	int result = -ENOMEM;

	if (len > SDP_MAX_BYTES) {
		(void)snprintf(err, SDP_ERROR_MAX, "a session description of %zu bytes", len);
		return -EMSGSIZE;
	}
	(void)snprintf(err, SDP_ERROR_MAX, "out of memory");
	parser = calloc(1, sizeof(*parser));
	if (parser == NULL)
		return -ENOMEM;
	parser->sdp = calloc(1, sizeof(*parser->sdp));
	if (parser->sdp != NULL) {
		read_lines(parser, (struct sdp_text){ text, len });
		find_backchannels(parser);
		result = check_whole(parser, err);
	}
	if (result == 0)
		*sdp = parser->sdp;
	else
		sdp_free(&parser->sdp);
	free(parser);
	return result;
}

void
sdp_free(struct sdp **sdp)
{
	size_t i;

	if (*sdp == NULL)
		return;
	for (i = 0; i < (*sdp)->n_media; i++)
		rtp_format_clear(&(*sdp)->media[i].format);
	free(*sdp);
	*sdp = NULL;
}

int
sdp_find(const struct sdp *sdp, enum sdp_kind kind)
{
	size_t i;

	for (i = 0; i < sdp->n_media; i++)
		if (sdp->media[i].kind == kind && !sdp->media[i].is_backchannel &&
		    sdp->media[i].format.codec != RTP_CODEC_NONE)
			return (int)i;
	return -1;
}
