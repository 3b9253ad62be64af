/*
 * What the codecs of sound differ in.
 */
#include "config.h"

#include "media/audio.h"

#include "media/aac.h"
#include "media/bit_writer.h"
#include "media/bytes.h"
#include "media/g711.h"
#include "media/opus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCM_RATE_MAX       192000u
#define OPUS_SILENCE_TICKS 960u /* 20 ms */
#define AAC_LC             2u

void
audio_write_pcm_config(uint32_t rate, uint8_t channels, uint8_t bits,
		       uint8_t out[AUDIO_PCM_CONFIG_BYTES])
{
	struct byte_writer writer;

	byte_writer_init_fixed(&writer, out, AUDIO_PCM_CONFIG_BYTES);
	byte_writer_u32(&writer, rate);
	byte_writer_u8(&writer, channels);
	byte_writer_u8(&writer, bits);
	byte_writer_zeros(&writer, 2);
}

static int
parse_aac(const uint8_t *config, size_t len, struct audio_format *format)
{
	struct aac_config aac;
	int rc = aac_parse_config(config, len, &aac);

	if (rc < 0)
		return rc;
	_Static_assert((int)AUDIO_CODEC_STRING_BYTES == (int)AAC_CODEC_STRING_BYTES, "same names");
	format->rate = aac.sample_rate;
	format->output_rate = aac.output_rate;
	format->channels = aac.channels > 0 ? aac.channels : 2; /* the decoder will find out */
	format->frame_ticks = aac.frame_samples;
	format->has_silence = aac.core_type == AAC_LC && (aac.channels == 1 || aac.channels == 2);
	aac_codec_string(&aac, format->codec_string);
	return 0;
}

static int
parse_opus(const uint8_t *config, size_t len, struct audio_format *format)
{
	if (!opus_is_head(config, len))
		return -EPROTO;
	format->rate = format->output_rate = OPUS_RATE;
	format->channels = config[9];
	format->has_silence = config[18] == 0;
	(void)strcpy(format->codec_string, "opus");
	return 0;
}

static int
parse_pcm(const uint8_t *config, size_t len, struct audio_format *format)
{
	struct byte_reader reader;

	if (len != AUDIO_PCM_CONFIG_BYTES)
		return -EPROTO;
	byte_reader_init(&reader, config, len);
	format->rate = format->output_rate = byte_reader_u32(&reader);
	format->channels = byte_reader_u8(&reader);
	format->has_silence = true;
	(void)strcpy(format->codec_string, "flac");
	if (format->rate == 0 || format->rate > PCM_RATE_MAX || format->channels == 0 ||
	    format->channels > FLAC_CHANNELS_MAX)
		return -EPROTO;
	return 0;
}

int
audio_parse_config(enum audio_codec codec, const uint8_t *config, size_t len,
		   struct audio_format *format)
{
	struct audio_format found = { .codec = codec };
	int rc = -ENOTSUP;

	if (codec == AUDIO_AAC)
		rc = parse_aac(config, len, &found);
	else if (codec == AUDIO_OPUS)
		rc = parse_opus(config, len, &found);
	else if (codec != AUDIO_G726)
		rc = parse_pcm(config, len, &found);
	if (rc == 0)
		*format = found;
	return rc;
}

static struct flac_format
flac_format(const struct audio_format *format)
{
	return (struct flac_format){ .sample_rate = format->rate, .channels = format->channels };
}

void
audio_track(const struct audio_format *format, uint32_t id, const uint8_t *config, size_t len,
	    uint8_t room[FLAC_STREAMINFO_BYTES], struct fmp4_track *track)
{
	struct flac_format flac = flac_format(format);

	*track = (struct fmp4_track){
		.id = id,
		.codec = format->codec == AUDIO_AAC    ? FMP4_AAC
			 : format->codec == AUDIO_OPUS ? FMP4_OPUS
						       : FMP4_FLAC,
		.timescale = format->rate,
		.config = config,
		.config_len = len,
		.sample_rate = format->output_rate,
		.channels = format->channels,
	};
	if (track->codec != FMP4_FLAC)
		return;
	flac_write_streaminfo(&flac, room);
	track->config = room;
	track->config_len = FLAC_STREAMINFO_BYTES;
}

/* Bytes of one sample of all channels. */
static size_t
step_bytes(const struct audio_format *format)
{
	return (format->codec == AUDIO_L16 ? 2u : 1u) * (size_t)format->channels;
}

uint32_t
audio_frame_ticks(const struct audio_format *format, const uint8_t *frame, size_t len)
{
	size_t n;

	if (format->codec == AUDIO_AAC)
		return len > 0 ? format->frame_ticks : 0;
	if (format->codec == AUDIO_OPUS)
		return opus_packet_samples(frame, len);
	n = len / step_bytes(format);
	return n >= FLAC_BLOCK_MIN && n <= FLAC_BLOCK_MAX ? (uint32_t)n : 0;
}

bool
audio_is_sample(const struct audio_format *format)
{
	return format->codec == AUDIO_AAC || format->codec == AUDIO_OPUS;
}

static void
decode(const struct audio_format *format, const uint8_t *frame, int16_t *samples, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (format->codec == AUDIO_PCMA)
			samples[i] = g711_alaw(frame[i]);
		else if (format->codec == AUDIO_PCMU)
			samples[i] = g711_mulaw(frame[i]);
		else
			samples[i] = (int16_t)(frame[2 * i] << 8 | frame[2 * i + 1]);
}

int
audio_write_sample(const struct audio_format *format, uint64_t position, const uint8_t *frame,
		   size_t len, struct byte_writer *out)
{
	struct flac_format flac = flac_format(format);
	uint32_t ticks = audio_frame_ticks(format, frame, len);
	size_t n = (size_t)ticks * format->channels;
	int16_t *samples;
	int rc;

	if (ticks == 0)
		return -EINVAL;
	if (audio_is_sample(format)) {
		byte_writer_bytes(out, frame, len);
		return out->err;
	}
	samples = malloc(n * sizeof(samples[0]));
	if (samples == NULL)
		return -ENOMEM;
	decode(format, frame, samples, n);
	rc = flac_write_frame(&flac, samples, ticks, position, out);
	free(samples);
	return rc;
}

uint32_t
audio_silence_ticks(const struct audio_format *format, uint64_t ticks)
{
	uint32_t most = format->rate * AUDIO_SILENCE_MS / 1000;
	uint32_t fixed = format->codec == AUDIO_AAC ? format->frame_ticks : OPUS_SILENCE_TICKS;

	if (!format->has_silence)
		return 0;
	if (audio_is_sample(format))
		return ticks >= fixed ? fixed : 0;
	if (most < FLAC_BLOCK_MIN)
		most = FLAC_BLOCK_MIN;
	if (ticks < FLAC_BLOCK_MIN)
		return 0;
	return ticks < most ? (uint32_t)ticks : most;
}

/* individual_channel_stream(): no scale factor bands, so no more (ISO/IEC 14496-3 4.4.2.7). */
static void
write_aac_channel(struct bit_writer *bits)
{
	bit_writer_put(bits, 0, 8);                 /* global_gain */
	bit_writer_put(bits, 0, 1 + 2 + 1 + 6 + 1); /* ics_info(): one long window, max_sfb 0 */
	bit_writer_put(bits, 0, 1 + 1 + 1);         /* no pulses, TNS, gain control */
}

/* raw_data_block(), 14496-3 4.4.2.1 */
static void
write_aac_silence(uint8_t channels, struct byte_writer *out)
{
	struct bit_writer bits;

	bit_writer_init(&bits, out);
	bit_writer_put(&bits, channels > 1, 3); /* single_channel_element or channel_pair_element */
	bit_writer_put(&bits, 0, 4);
	if (channels > 1) {
		bit_writer_put(&bits, 0, 1); /* no common_window */
		write_aac_channel(&bits);
	}
	write_aac_channel(&bits);
	bit_writer_put(&bits, 7, 3); /* the end */
	bit_writer_put(&bits, 0, (8 - bits.bits) % 8);
}

int
audio_write_silence(const struct audio_format *format, uint64_t position, uint32_t ticks,
		    struct byte_writer *out)
{
	struct flac_format flac = flac_format(format);

	if (ticks == 0 || audio_silence_ticks(format, ticks) != ticks)
		return -EINVAL;
	if (format->codec == AUDIO_AAC)
		write_aac_silence(format->channels, out);
	else if (format->codec == AUDIO_OPUS) /* CELT, full band, 20 ms, one frame */
		byte_writer_bytes(out, format->channels == 1 ? "\xf8\xff\xfe" : "\xfc\xff\xfe", 3);
	else
		return flac_write_frame(&flac, NULL, ticks, position, out);
	return out->err;
}
