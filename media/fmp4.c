/*
 * The boxes of an init segment (except what is inside the sample descriptions: fmp4_entry.c) and
 * the head of a fragment. ISO/IEC 14496-12, section numbers of the 2015 edition.
 */
#include "config.h"

#include "media/fmp4.h"

#include "media/bytes.h"
#include "media/fmp4_box.h"

#include <errno.h>

#define MOVIE_TIMESCALE           1000u
#define LANGUAGE_UND              0x55c4u /* "und", five bits a letter */

#define TFHD_DEFAULT_BASE_IS_MOOF 0x020000u
#define TRUN_FLAGS                                                                                 \
	0x000f01u /* data offset; each sample: duration, size, flags, composition offset */
#define SAMPLE_IS_SYNC     0x02000000u /* sample_depends_on 2: on no other */
#define SAMPLE_IS_NOT_SYNC 0x01010000u /* sample_depends_on 1, sample_is_non_sync_sample */
#define MDAT_HEAD_BYTES    8u

static bool
is_video(const struct fmp4_track *track)
{
	return track->codec == FMP4_H264 || track->codec == FMP4_H265;
}

static void
write_ftyp(struct byte_writer *out)
{
	size_t box = fmp4_box_begin(out, "ftyp");

	byte_writer_bytes(out, "iso6", 4);
	byte_writer_u32(out, 0);
	byte_writer_bytes(out, "iso5iso6mp41", 12);
	fmp4_box_end(out, box);
}

static void
write_matrix(struct byte_writer *out)
{
	static const uint32_t unity[9] = { 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000 };
	unsigned i;

	for (i = 0; i < 9; i++)
		byte_writer_u32(out, unity[i]);
}

/* 8.2.2 */
static void
write_mvhd(struct byte_writer *out)
{
	size_t box = fmp4_full_box_begin(out, "mvhd", 0, 0);

	byte_writer_zeros(out, 8); /* creation and modification time */
	byte_writer_u32(out, MOVIE_TIMESCALE);
	byte_writer_u32(out, 0);       /* duration: in the fragments */
	byte_writer_u32(out, 0x10000); /* rate 1.0 */
	byte_writer_u16(out, 0x100);   /* volume 1.0 */
	byte_writer_zeros(out, 10);
	write_matrix(out);
	byte_writer_zeros(out, 24);
	byte_writer_u32(out, UINT32_MAX); /* next_track_ID: look for a free one */
	fmp4_box_end(out, box);
}

/* The width that square pixels would have, 16.16. */
static uint32_t
presentation_width(const struct fmp4_track *track)
{
	uint64_t width = track->width;

	if (track->sar_num != 0 && track->sar_den != 0)
		width = width * track->sar_num / track->sar_den;
	return (uint32_t)(width > UINT16_MAX ? UINT16_MAX : width) << 16;
}

/* 8.3.2 */
static void
write_tkhd(struct byte_writer *out, const struct fmp4_track *track)
{
	size_t box = fmp4_full_box_begin(out, "tkhd", 0, 3); /* enabled, in the movie */

	byte_writer_zeros(out, 8);
	byte_writer_u32(out, track->id);
	byte_writer_zeros(out, 4 + 4 + 8 + 2 + 2); /* duration, layer, alternate group */
	byte_writer_u16(out, is_video(track) ? 0 : 0x100);
	byte_writer_u16(out, 0);
	write_matrix(out);
	byte_writer_u32(out, is_video(track) ? presentation_width(track) : 0);
	byte_writer_u32(out, is_video(track) ? (uint32_t)track->height << 16 : 0);
	fmp4_box_end(out, box);
}

/* 8.4.2 and 8.4.3 */
static void
write_mdhd_hdlr(struct byte_writer *out, const struct fmp4_track *track)
{
	size_t box = fmp4_full_box_begin(out, "mdhd", 0, 0);

	byte_writer_zeros(out, 8);
	byte_writer_u32(out, track->timescale);
	byte_writer_u32(out, 0);
	byte_writer_u16(out, LANGUAGE_UND);
	byte_writer_u16(out, 0);
	fmp4_box_end(out, box);

	box = fmp4_full_box_begin(out, "hdlr", 0, 0);
	byte_writer_u32(out, 0);
	byte_writer_bytes(out, is_video(track) ? "vide" : "soun", 4);
	byte_writer_zeros(out, 12);
	byte_writer_bytes(out, is_video(track) ? "video" : "audio", 6);
	fmp4_box_end(out, box);
}

/* 12.1.2, 12.2.2, 8.7.1, 8.7.2 */
static void
write_media_header_dinf(struct byte_writer *out, const struct fmp4_track *track)
{
	size_t box, dref, url;

	if (is_video(track)) {
		box = fmp4_full_box_begin(out, "vmhd", 0, 1);
		byte_writer_zeros(out, 8);
	} else {
		box = fmp4_full_box_begin(out, "smhd", 0, 0);
		byte_writer_zeros(out, 4);
	}
	fmp4_box_end(out, box);

	box = fmp4_box_begin(out, "dinf");
	dref = fmp4_full_box_begin(out, "dref", 0, 0);
	byte_writer_u32(out, 1);
	url = fmp4_full_box_begin(out, "url ", 0, 1); /* the data is in this file */
	fmp4_box_end(out, url);
	fmp4_box_end(out, dref);
	fmp4_box_end(out, box);
}

/* 8.5: the sample description and tables without entries, since all samples are in fragments. */
static int
write_stbl(struct byte_writer *out, const struct fmp4_track *track)
{
	static const char empty[3][5] = { "stts", "stsc", "stco" };
	size_t stbl = fmp4_box_begin(out, "stbl");
	size_t box = fmp4_full_box_begin(out, "stsd", 0, 0);
	int err;
	unsigned i;

	byte_writer_u32(out, 1);
	err = fmp4_write_sample_entry(out, track);
	fmp4_box_end(out, box);
	for (i = 0; i < 3; i++) {
		box = fmp4_full_box_begin(out, empty[i], 0, 0);
		byte_writer_u32(out, 0);
		fmp4_box_end(out, box);
	}
	box = fmp4_full_box_begin(out, "stsz", 0, 0);
	byte_writer_zeros(out, 8);
	fmp4_box_end(out, box);
	fmp4_box_end(out, stbl);
	return err;
}

static int
write_trak(struct byte_writer *out, const struct fmp4_track *track)
{
	size_t trak = fmp4_box_begin(out, "trak");
	size_t mdia, minf;
	int err;

	write_tkhd(out, track);
	mdia = fmp4_box_begin(out, "mdia");
	write_mdhd_hdlr(out, track);
	minf = fmp4_box_begin(out, "minf");
	write_media_header_dinf(out, track);
	err = write_stbl(out, track);
	fmp4_box_end(out, minf);
	fmp4_box_end(out, mdia);
	fmp4_box_end(out, trak);
	return err;
}

/* 8.8.1, 8.8.3 */
static void
write_mvex(struct byte_writer *out, const struct fmp4_track *tracks, size_t n_tracks)
{
	size_t mvex = fmp4_box_begin(out, "mvex");
	size_t i;

	for (i = 0; i < n_tracks; i++) {
		size_t trex = fmp4_full_box_begin(out, "trex", 0, 0);

		byte_writer_u32(out, tracks[i].id);
		byte_writer_u32(out, 1); /* default_sample_description_index */
		byte_writer_zeros(out, 12);
		fmp4_box_end(out, trex);
	}
	fmp4_box_end(out, mvex);
}

static bool
is_track_valid(const struct fmp4_track *tracks, size_t i)
{
	const struct fmp4_track *track = &tracks[i];
	size_t other;

	for (other = 0; other < i; other++)
		if (tracks[other].id == track->id)
			return false;
	if (track->id == 0 || track->timescale == 0)
		return false;
	if (is_video(track))
		return track->width != 0 && track->height != 0;
	return track->channels != 0 && track->sample_rate != 0;
}

int
fmp4_init_segment(const struct fmp4_track *tracks, size_t n_tracks, struct byte_writer *out)
{
	size_t moov, i;
	int err = 0;

	if (n_tracks == 0 || n_tracks > FMP4_TRACKS_MAX)
		return -EINVAL;
	for (i = 0; i < n_tracks; i++)
		if (!is_track_valid(tracks, i))
			return -EINVAL;
	write_ftyp(out);
	moov = fmp4_box_begin(out, "moov");
	write_mvhd(out);
	for (i = 0; i < n_tracks && err == 0; i++)
		err = write_trak(out, &tracks[i]);
	write_mvex(out, tracks, n_tracks);
	fmp4_box_end(out, moov);
	return err != 0 ? err : out->err;
}

/* 8.8.6 to 8.8.8, 8.8.12 */
static void
write_traf(struct byte_writer *out, const struct fmp4_sample *sample)
{
	size_t traf = fmp4_box_begin(out, "traf");
	size_t box = fmp4_full_box_begin(out, "tfhd", 0, TFHD_DEFAULT_BASE_IS_MOOF);

	byte_writer_u32(out, sample->track_id);
	fmp4_box_end(out, box);

	box = fmp4_full_box_begin(out, "tfdt", 1, 0);
	byte_writer_u64(out, sample->decode_time);
	fmp4_box_end(out, box);

	box = fmp4_full_box_begin(out, "trun", 1, TRUN_FLAGS);
	byte_writer_u32(out, 1);
	byte_writer_u32(out, FMP4_FRAGMENT_HEADER_BYTES); /* from the start of moof */
	byte_writer_u32(out, sample->duration);
	byte_writer_u32(out, (uint32_t)sample->payload_len);
	byte_writer_u32(out, sample->is_key ? SAMPLE_IS_SYNC : SAMPLE_IS_NOT_SYNC);
	byte_writer_u32(out, (uint32_t)sample->composition_offset);
	fmp4_box_end(out, box);
	fmp4_box_end(out, traf);
}

int
fmp4_fragment_header(const struct fmp4_sample *sample, uint8_t out[FMP4_FRAGMENT_HEADER_BYTES])
{
	struct byte_writer writer;
	size_t moof, mfhd;

	if (sample->track_id == 0 || sample->payload_len == 0)
		return -EINVAL;
	if (sample->payload_len > UINT32_MAX - MDAT_HEAD_BYTES)
		return -EFBIG;
	byte_writer_init_fixed(&writer, out, FMP4_FRAGMENT_HEADER_BYTES);
	moof = fmp4_box_begin(&writer, "moof");
	mfhd = fmp4_full_box_begin(&writer, "mfhd", 0, 0);
	byte_writer_u32(&writer, sample->sequence);
	fmp4_box_end(&writer, mfhd);
	write_traf(&writer, sample);
	fmp4_box_end(&writer, moof);
	byte_writer_u32(&writer, (uint32_t)sample->payload_len + MDAT_HEAD_BYTES);
	byte_writer_bytes(&writer, "mdat", 4);
	return writer.err;
}
