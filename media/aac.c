/*
 * AAC configuration and framing. Backward-compatible signalling of SBR (behind the core's
 * configuration) is not looked for: decoders find SBR in the frames.
 */
#include "config.h"

#include "media/aac.h"

#include "media/bits.h"

#include <errno.h>
#include <stdio.h>

#define OBJECT_SBR        5u
#define OBJECT_ER_BSAC    22u
#define OBJECT_LD         23u
#define OBJECT_PS         29u
#define OBJECT_ELD        39u
#define RATE_MAX          192000u
#define RATE_EXPLICIT     15u
#define ADTS_HEADER_BYTES 7u
#define ADTS_CRC_BYTES    2u

static const uint32_t rates[] = {
	96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
};

#define RATES (sizeof(rates) / sizeof(rates[0]))

/* By channelConfiguration (table 1.19); 255 is reserved, 0 means a program_config_element. */
static const uint8_t channels_of[16] = { 0, 1, 2, 3, 4, 5, 6, 8, 255, 255, 255, 7, 8, 255, 8, 255 };

static uint8_t
get_object_type(struct bits *bits)
{
	uint32_t type = bits_get(bits, 5);

	return (uint8_t)(type == 31 ? 32 + bits_get(bits, 6) : type);
}

static uint32_t
get_sample_rate(struct bits *bits)
{
	uint32_t index = bits_get(bits, 4);
	uint32_t rate = 0;

	if (index == RATE_EXPLICIT)
		rate = bits_get(bits, 24);
	else if (index < RATES)
		rate = rates[index];
	if (rate == 0 || rate > RATE_MAX)
		bits_fail(bits);
	return rate;
}

/* Those that GASpecificConfig or ELDSpecificConfig follows, both of which begin with
 * frameLengthFlag. */
static bool
is_known_core(unsigned type)
{
	return (type >= 1 && type <= 4) || type == 6 || type == 7 || type == 17 ||
	       (type >= 19 && type <= OBJECT_LD) || type == OBJECT_ELD;
}

static uint16_t
frame_samples(unsigned core_type, bool is_short)
{
	if (core_type == OBJECT_LD || core_type == OBJECT_ELD)
		return is_short ? 480 : 512;
	return is_short ? 960 : 1024;
}

int
aac_parse_config(const uint8_t *asc, size_t len, struct aac_config *config)
{
	struct aac_config found = { 0 };
	struct bits bits;

	if (len > AAC_CONFIG_BYTES_MAX)
		return -EPROTO;
	bits_init(&bits, asc, len);
	found.object_type = found.core_type = get_object_type(&bits);
	found.sample_rate = found.output_rate = get_sample_rate(&bits);
	found.channels = channels_of[bits_get(&bits, 4)];
	if (found.object_type == OBJECT_SBR || found.object_type == OBJECT_PS) {
		found.output_rate = get_sample_rate(&bits);
		found.core_type = get_object_type(&bits);
		if (found.core_type == OBJECT_ER_BSAC)
			bits_skip(&bits, 4);
	}
	found.frame_samples = frame_samples(found.core_type, bits_get_flag(&bits));
	if (bits.err != 0 || found.channels == 255 || !is_known_core(found.core_type))
		return -EPROTO;
	*config = found;
	return 0;
}

void
aac_codec_string(const struct aac_config *config, char out[AAC_CODEC_STRING_BYTES])
{
	(void)snprintf(out, AAC_CODEC_STRING_BYTES, "mp4a.40.%u", config->object_type);
}

static bool
is_adts_valid(const struct aac_adts *adts)
{
	return adts->rate_index < RATES && adts->frame_len >= adts->header_len;
}

int
aac_parse_adts(const uint8_t *buf, size_t len, struct aac_adts *adts)
{
	struct aac_adts found = { 0 };
	struct bits bits;

	/* what is there must look right, so that -EAGAIN always means that more can help */
	if ((len > 0 && buf[0] != 0xff) || (len > 1 && (buf[1] & 0xf6) != 0xf0))
		return -EPROTO;
	if (len < ADTS_HEADER_BYTES)
		return -EAGAIN;
	bits_init(&bits, buf, ADTS_HEADER_BYTES);
	bits_skip(&bits, 12 + 1 + 2); /* syncword, ID, layer */
	found.header_len = ADTS_HEADER_BYTES + (bits_get_flag(&bits) ? 0 : ADTS_CRC_BYTES);
	found.object_type = (uint8_t)(bits_get(&bits, 2) + 1);
	found.rate_index = (uint8_t)bits_get(&bits, 4);
	bits_skip(&bits, 1); /* private_bit */
	found.channel_config = (uint8_t)bits_get(&bits, 3);
	bits_skip(&bits, 4); /* original_copy, home, copyright */
	found.frame_len = bits_get(&bits, 13);
	bits_skip(&bits, 11); /* adts_buffer_fullness */
	found.blocks = bits_get(&bits, 2) + 1;
	if (!is_adts_valid(&found))
		return -EPROTO;
	if (len < found.frame_len)
		return -EAGAIN;
	found.sample_rate = rates[found.rate_index];
	*adts = found;
	return 0;
}

int
aac_strip_adts(const uint8_t *buf, size_t len, const uint8_t **raw, size_t *raw_len,
	       size_t *frame_len)
{
	struct aac_adts adts;
	int err = aac_parse_adts(buf, len, &adts);

	if (err != 0)
		return err;
	if (adts.blocks != 1 || adts.frame_len == adts.header_len)
		return -EPROTO;
	*raw = buf + adts.header_len;
	*raw_len = adts.frame_len - adts.header_len;
	*frame_len = adts.frame_len;
	return 0;
}

void
aac_config_from_adts(const struct aac_adts *adts, uint8_t out[2])
{
	out[0] = (uint8_t)(adts->object_type << 3 | adts->rate_index >> 1);
	out[1] = (uint8_t)(adts->rate_index << 7 | adts->channel_config << 3);
}
