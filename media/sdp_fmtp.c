/*
 * Format parameters: finding them in the fmtp lines, and what they say of H.264 and H.265
 * (RFC 6184 8.1, RFC 7798 7.1) and of AAC (RFC 3640 4.1).
 */
#include "config.h"

#include "media/aac.h"
#include "media/bytes.h"
#include "media/h264.h"
#include "media/h265.h"
#include "media/nal.h"
#include "media/sdp_int.h"
#include "shared/digit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AU_HEADER_BITS_MAX 32

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Whether a blank is followed by "name=value": cameras that leave the ';' out. "KOY=" after a blank
 * is the end of a base64 text. */
static bool
begins_parameter(struct sdp_text text)
{
	size_t i;

	text = sdp_trim(text);
	for (i = 0; i < text.len && is_name_char(text.s[i]); i++)
		;
	return i > 0 && i + 1 < text.len && text.s[i] == '=' && text.s[i + 1] != '=' &&
	       text.s[i + 1] != ',' && text.s[i + 1] != ';' && !sdp_is_space(text.s[i + 1]);
}

/* Up to ';', or to where the next parameter begins without one. A row of blanks is looked at once,
 * from its first: a description may consist of them. */
static struct sdp_text
cut_parameter(struct sdp_text text, struct sdp_text *rest)
{
	size_t i;

	for (i = 0; i < text.len && text.s[i] != ';'; i++)
		if (i > 0 && sdp_is_space(text.s[i]) && !sdp_is_space(text.s[i - 1]) &&
		    begins_parameter((struct sdp_text){ text.s + i, text.len - i }))
			break;
	*rest = (struct sdp_text){ text.s + i, text.len - i };
	if (rest->len > 0) {
		rest->s++;
		rest->len--;
	}
	return sdp_trim((struct sdp_text){ text.s, i });
}

static struct sdp_text
without_quotes(struct sdp_text text)
{
	if (text.len > 0 && (text.s[0] == '"' || text.s[0] == '\'')) {
		text.s++;
		text.len--;
	}
	if (text.len > 0 && (text.s[text.len - 1] == '"' || text.s[text.len - 1] == '\''))
		text.len--;
	return sdp_trim(text);
}

static struct sdp_text
find_in_line(struct sdp_text line, const char *name)
{
	while (line.len > 0) {
		struct sdp_text value, parameter = cut_parameter(line, &line);
		struct sdp_text key = sdp_cut(parameter, "=", &value);

		value = without_quotes(sdp_trim(value));
		if (sdp_is(key, name) && value.len > 0)
			return value;
	}
	return (struct sdp_text){ NULL, 0 };
}

struct sdp_text
sdp_fmtp_value(const struct sdp_fmtp *fmtp, const char *name)
{
	struct sdp_text value = { NULL, 0 };
	size_t i;

	for (i = 0; i < fmtp->section->n_fmtps && value.len == 0; i++) {
		struct sdp_text line = fmtp->section->fmtps[i], rest;
		int64_t number = sdp_number(line, UINT8_MAX, &rest);

		if (number >= 0)
			line = rest;
		if (fmtp->payload_type < 0 || number == fmtp->payload_type)
			value = find_in_line(line, name);
	}
	return value;
}

uint32_t
sdp_fmtp_number(const struct sdp_fmtp *fmtp, const char *name, uint32_t max, uint32_t absent)
{
	int64_t number = sdp_number(sdp_fmtp_value(fmtp, name), max, NULL);

	return number >= 0 ? (uint32_t)number : absent;
}

/* Either form of base64. What is decoded up to the padding, the end or the first thing that is no
 * digit; blanks are passed over. out holds 3/4 of the text. */
static size_t
base64_decode(struct sdp_text text, uint8_t *out)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t len = 0, i;

	for (i = 0; i < text.len; i++) {
		int digit = base64_digit(text.s[i]);

		if (sdp_is_space(text.s[i]))
			continue;
		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[len++] = (uint8_t)(bits >> n_bits);
		}
	}
	return len;
}

static bool
is_h264_set(const struct nal_unit *nal)
{
	struct h264_sps sps;
	struct h264_pps pps;

	switch (nal_type(NAL_H264, nal)) {
	case H264_NAL_SPS:
		return h264_parse_sps(nal->data, nal->len, &sps) == 0;
	case H264_NAL_PPS:
		return h264_parse_pps(nal->data, nal->len, &pps) == 0;
	default:
		return false;
	}
}

static bool
is_h265_set(const struct nal_unit *nal)
{
	struct h265_vps vps;
	struct h265_sps sps;
	struct h265_pps pps;

	switch (nal_type(NAL_H265, nal)) {
	case H265_NAL_VPS:
		return h265_parse_vps(nal->data, nal->len, &vps) == 0;
	case H265_NAL_SPS:
		return h265_parse_sps(nal->data, nal->len, &sps) == 0;
	case H265_NAL_PPS:
		return h265_parse_pps(nal->data, nal->len, &pps) == 0;
	default:
		return false;
	}
}

static void
add_set(enum rtp_codec codec, struct nal_unit nal, struct byte_writer *out)
{
	size_t before = out->len;

	while (nal.len > 0 && nal.data[nal.len - 1] == 0)
		nal.len--; /* they are not part of a unit, and some cameras send a few */
	if (nal.len == 0 || !(codec == RTP_CODEC_H264 ? is_h264_set(&nal) : is_h265_set(&nal)))
		return;
	nal_write_annexb(out, &nal);
	if (out->err != 0)
		byte_writer_truncate(out, before);
}

/* One set, or several in Annex B form. */
static void
add_decoded(enum rtp_codec codec, const uint8_t *data, size_t len, struct byte_writer *out)
{
	struct nal_unit nal = { data, len };
	struct nal_iter iter;

	if (!nal_is_annexb(data, len)) {
		add_set(codec, nal, out);
		return;
	}
	nal_iter_annexb(&iter, data, len);
	while (nal_iter_next(&iter, &nal))
		add_set(codec, nal, out);
}

static void
add_list(enum rtp_codec codec, struct sdp_text list, struct byte_writer *out)
{
	while (list.len > 0) {
		struct sdp_text one = sdp_cut(list, ",", &list);
		uint8_t *data = malloc(one.len / 4 * 3 + 3);

		if (data == NULL)
			return;
		add_decoded(codec, data, base64_decode(one, data), out);
		free(data);
	}
}

void
sdp_parameter_sets(const struct sdp_fmtp *fmtp, struct rtp_format *format)
{
	static const char *const names[] = { "sprop-vps", "sprop-sps", "sprop-pps",
					     "sprop-parameter-sets" };
	struct byte_writer out;
	size_t i;

	byte_writer_init(&out, RTP_CONFIG_MAX);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_list(format->codec, sdp_fmtp_value(fmtp, names[i]), &out);
	format->config = byte_writer_take(&out, &format->config_len);
	byte_writer_free(&out);
}

/* An odd last digit is left out. */
static size_t
hex_decode(struct sdp_text text, uint8_t *out, size_t max)
{
	size_t len = 0;

	if (sdp_starts_with(text, "0x")) {
		text.s += 2;
		text.len -= 2;
	}
	while (text.len >= 2 && len < max && hex_digit(text.s[0]) >= 0 &&
	       hex_digit(text.s[1]) >= 0) {
		out[len++] = (uint8_t)(hex_digit(text.s[0]) << 4 | hex_digit(text.s[1]));
		text.s += 2;
		text.len -= 2;
	}
	return len;
}

/* AAC-LC of that rate: 14496-3 1.6.2.1. */
static size_t
make_config(uint32_t rate, unsigned channels, uint8_t out[5])
{
	static const uint32_t rates[] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
					  22050, 16000, 12000, 11025, 8000,  7350 };
	unsigned i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]) && rates[i] != rate; i++)
		;
	if (i < sizeof(rates) / sizeof(rates[0])) {
		out[0] = (uint8_t)(2 << 3 | i >> 1);
		out[1] = (uint8_t)((i & 1) << 7 | channels << 3);
		return 2;
	}
	out[0] = 2 << 3 | 15 >> 1;
	out[1] = (uint8_t)(0x80 | rate >> 17);
	out[2] = (uint8_t)(rate >> 9);
	out[3] = (uint8_t)(rate >> 1);
	out[4] = (uint8_t)((rate & 1) << 7 | channels << 3);
	return 5;
}

static bool
set_config(const struct sdp_fmtp *fmtp, struct rtp_format *format)
{
	uint8_t bytes[AAC_CONFIG_BYTES_MAX];
	struct aac_config config;
	size_t len = hex_decode(sdp_fmtp_value(fmtp, "config"), bytes, sizeof(bytes));
	unsigned channels = format->channels > 0 ? format->channels : 1;

	if (aac_parse_config(bytes, len, &config) != 0) {
		if (format->clock_rate == 0)
			return false;
		/* 7 stands for eight channels */
		len = make_config(format->clock_rate, channels < 8 ? channels : 7, bytes);
		if (aac_parse_config(bytes, len, &config) != 0)
			return false;
	}
	format->config = malloc(len);
	if (format->config == NULL)
		return false;
	memcpy(format->config, bytes, len);
	format->config_len = len;
	if (format->clock_rate == 0)
		format->clock_rate = config.output_rate;
	if (config.channels > 0)
		format->channels = config.channels;
	else if (format->channels == 0)
		format->channels = 1;
	return true;
}

static const struct {
	const char *mode;
	uint8_t size, index, delta;
} aac_modes[] = { { "AAC-hbr", 13, 3, 3 }, { "AAC-lbr", 6, 2, 2 } };

/* Where the lengths of AU headers are not told, those of the mode hold; without a mode, hbr. */
static void
set_au_headers(const struct sdp_fmtp *fmtp, size_t mode, struct rtp_format *format)
{
	uint32_t size = sdp_fmtp_number(fmtp, "sizelength", AU_HEADER_BITS_MAX, UINT32_MAX);
	bool is_told = size != UINT32_MAX;

	format->constant_size = (uint16_t)sdp_fmtp_number(fmtp, "constantsize", UINT16_MAX, 0);
	if (!is_told && format->constant_size > 0) {
		is_told = true;
		size = 0;
	}
	format->size_length = (uint8_t)(is_told ? size : aac_modes[mode].size);
	format->index_length = (uint8_t)sdp_fmtp_number(fmtp, "indexlength", AU_HEADER_BITS_MAX,
							is_told ? 0 : aac_modes[mode].index);
	format->index_delta_length = (uint8_t)sdp_fmtp_number(
	    fmtp, "indexdeltalength", AU_HEADER_BITS_MAX, is_told ? 0 : aac_modes[mode].delta);
}

bool
sdp_aac(const struct sdp_fmtp *fmtp, struct rtp_format *format, char why[96])
{
	struct sdp_text mode = sdp_fmtp_value(fmtp, "mode");
	char words[32];
	size_t i;

	for (i = 0; i < sizeof(aac_modes) / sizeof(aac_modes[0]); i++)
		if (sdp_is(mode, aac_modes[i].mode))
			break;
	if (i == sizeof(aac_modes) / sizeof(aac_modes[0])) {
		if (mode.len > 0 && !sdp_is(mode, "generic")) {
			sdp_copy_words(mode, words, sizeof(words));
			(void)snprintf(why, 96, "MPEG-4 audio in the mode %s, not AAC", words);
			return false;
		}
		i = 0;
	}
	set_au_headers(fmtp, i, format);
	if (!set_config(fmtp, format)) {
		(void)snprintf(why, 96, "AAC without configuration and clock rate");
		return false;
	}
	return true;
}
