/*
 * Boxes, and the sample entry of each codec: ISO/IEC 14496-15 (avc1, hvc1), 14496-14 (mp4a), and
 * the encapsulations of Opus and FLAC in ISO files.
 */
#include "config.h"

#include "media/fmp4_box.h"

#include "media/aac.h"
#include "media/flac.h"
#include "media/opus.h"

#include <errno.h>
#include <string.h>

#define OPUS_CHANNELS_UNMAPPED 2u
#define AVCC_BYTES_MIN         7u
#define HVCC_BYTES_MIN         23u

size_t
fmp4_box_begin(struct byte_writer *out, const char type[4])
{
	size_t begin = out->len;

	byte_writer_u32(out, 0);
	byte_writer_bytes(out, type, 4);
	return begin;
}

size_t
fmp4_full_box_begin(struct byte_writer *out, const char type[4], uint8_t version, uint32_t flags)
{
	size_t begin = fmp4_box_begin(out, type);

	byte_writer_u8(out, version);
	byte_writer_u24(out, flags);
	return begin;
}

void
fmp4_box_end(struct byte_writer *out, size_t begin)
{
	if (out->len - begin > UINT32_MAX)
		byte_writer_fail(out, -EFBIG);
	byte_writer_patch_u32(out, begin, (uint32_t)(out->len - begin));
}

/* 14496-12 12.1.3 */
static size_t
begin_visual_entry(struct byte_writer *out, const char type[4], const struct fmp4_track *track)
{
	size_t entry = fmp4_box_begin(out, type);

	byte_writer_zeros(out, 6);
	byte_writer_u16(out, 1); /* data_reference_index */
	byte_writer_zeros(out, 16);
	byte_writer_u16(out, track->width);
	byte_writer_u16(out, track->height);
	byte_writer_u32(out, 0x480000); /* 72 dpi */
	byte_writer_u32(out, 0x480000);
	byte_writer_u32(out, 0);
	byte_writer_u16(out, 1);    /* frame_count */
	byte_writer_zeros(out, 32); /* compressorname */
	byte_writer_u16(out, 24);   /* depth */
	byte_writer_u16(out, 0xffff);
	return entry;
}

static int
write_video(struct byte_writer *out, const struct fmp4_track *track)
{
	bool is_h264 = track->codec == FMP4_H264;
	size_t entry, box;

	if (track->config_len < (is_h264 ? AVCC_BYTES_MIN : HVCC_BYTES_MIN) ||
	    track->config[0] != 1)
		return -EINVAL;
	entry = begin_visual_entry(out, is_h264 ? "avc1" : "hvc1", track);
	box = fmp4_box_begin(out, is_h264 ? "avcC" : "hvcC");
	byte_writer_bytes(out, track->config, track->config_len);
	fmp4_box_end(out, box);
	if (track->sar_num != 0 && track->sar_den != 0) {
		box = fmp4_box_begin(out, "pasp");
		byte_writer_u32(out, track->sar_num);
		byte_writer_u32(out, track->sar_den);
		fmp4_box_end(out, box);
	}
	fmp4_box_end(out, entry);
	return out->err;
}

/* 14496-12 12.2.3 */
static size_t
begin_audio_entry(struct byte_writer *out, const char type[4], const struct fmp4_track *track,
		  uint32_t sample_rate)
{
	size_t entry = fmp4_box_begin(out, type);

	byte_writer_zeros(out, 6);
	byte_writer_u16(out, 1); /* data_reference_index */
	byte_writer_zeros(out, 8);
	byte_writer_u16(out, track->channels);
	byte_writer_u16(out, 16); /* samplesize */
	byte_writer_u32(out, 0);
	byte_writer_u32(out, sample_rate <= UINT16_MAX ? sample_rate << 16 : 0);
	return entry;
}

/* The head of a descriptor of 14496-1 8.3.3; ours are all below 128 bytes. */
static void
write_descriptor_head(struct byte_writer *out, uint8_t tag, size_t len)
{
	byte_writer_u8(out, tag);
	byte_writer_u8(out, (uint8_t)len);
}

static int
write_aac(struct byte_writer *out, const struct fmp4_track *track)
{
	struct aac_config config;
	size_t entry, esds;

	_Static_assert(AAC_CONFIG_BYTES_MAX + 26 < 128, "lengths of descriptors are one byte");
	if (aac_parse_config(track->config, track->config_len, &config) != 0)
		return -EINVAL;
	entry = begin_audio_entry(out, "mp4a", track, track->sample_rate);
	esds = fmp4_full_box_begin(out, "esds", 0, 0);
	write_descriptor_head(out, 3, 3 + 2 + 13 + 2 + track->config_len + 3); /* ES_Descriptor */
	byte_writer_zeros(out, 3);
	write_descriptor_head(out, 4, 13 + 2 + track->config_len); /* DecoderConfigDescriptor */
	byte_writer_u8(out, 0x40);                                 /* MPEG-4 audio */
	byte_writer_u8(out, 0x15);                                 /* audio stream */
	byte_writer_zeros(out, 3 + 4 + 4); /* buffer size, bit rates: unknown */
	write_descriptor_head(out, 5, track->config_len);
	byte_writer_bytes(out, track->config, track->config_len);
	write_descriptor_head(out, 6, 1); /* SLConfigDescriptor: for MP4 */
	byte_writer_u8(out, 2);
	fmp4_box_end(out, esds);
	fmp4_box_end(out, entry);
	return out->err;
}

static uint32_t
little_endian(const uint8_t *data, unsigned n)
{
	uint32_t value = 0;

	while (n-- > 0)
		value = value << 8 | data[n];
	return value;
}

/* dOps from OpusHead: the same fields, but big-endian and version 0. */
static void
write_dops_from_head(struct byte_writer *out, const struct fmp4_track *track)
{
	const uint8_t *head = track->config;

	byte_writer_u8(out, head[9]);
	byte_writer_u16(out, (uint16_t)little_endian(head + 10, 2)); /* PreSkip */
	byte_writer_u32(out, little_endian(head + 12, 4));           /* InputSampleRate */
	byte_writer_u16(out, (uint16_t)little_endian(head + 16, 2)); /* OutputGain */
	byte_writer_bytes(out, head + 18, track->config_len - 18);   /* family and its table */
}

static int
write_opus(struct byte_writer *out, const struct fmp4_track *track)
{
	size_t entry, box;

	if (track->config_len > 0 ? !opus_is_head(track->config, track->config_len)
				  : track->channels > OPUS_CHANNELS_UNMAPPED)
		return -EINVAL;
	entry = begin_audio_entry(out, "Opus", track, OPUS_RATE);
	box = fmp4_box_begin(out, "dOps");
	byte_writer_u8(out, 0); /* Version */
	if (track->config_len > 0) {
		write_dops_from_head(out, track);
	} else {
		byte_writer_u8(out, track->channels);
		byte_writer_u16(out, 0);
		byte_writer_u32(out, track->sample_rate);
		byte_writer_zeros(out, 2 + 1);
	}
	fmp4_box_end(out, box);
	fmp4_box_end(out, entry);
	return out->err;
}

static int
write_flac(struct byte_writer *out, const struct fmp4_track *track)
{
	size_t entry, box;

	if (track->config_len != FLAC_STREAMINFO_BYTES)
		return -EINVAL;
	entry = begin_audio_entry(out, "fLaC", track, track->sample_rate);
	box = fmp4_full_box_begin(out, "dfLa", 0, 0);
	byte_writer_u8(out, 0x80); /* last metadata block, STREAMINFO */
	byte_writer_u24(out, FLAC_STREAMINFO_BYTES);
	byte_writer_bytes(out, track->config, track->config_len);
	fmp4_box_end(out, box);
	fmp4_box_end(out, entry);
	return out->err;
}

int
fmp4_write_sample_entry(struct byte_writer *out, const struct fmp4_track *track)
{
	switch (track->codec) {
	case FMP4_H264:
	case FMP4_H265:
		return write_video(out, track);
	case FMP4_AAC:
		return write_aac(out, track);
	case FMP4_OPUS:
		return write_opus(out, track);
	case FMP4_FLAC:
		return write_flac(out, track);
	}
	return -EINVAL;
}
