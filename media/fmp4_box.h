/*
 * Inside the fMP4 writer: boxes with their sizes, and the sample entries.
 */
#ifndef CAMHUB_MEDIA_FMP4_BOX_H
#define CAMHUB_MEDIA_FMP4_BOX_H

#include "media/bytes.h"
#include "media/fmp4.h"

/*
 * Begins a box (FullBox: with version and flags) of a four-letter type and gives where it began,
 * for fmp4_box_end(), which writes the size: -EFBIG becomes the writer's error when it does not fit
 * 32 bits. ISO/IEC 14496-12 4.2.
 */
size_t fmp4_box_begin(struct byte_writer *out, const char type[4]);
size_t fmp4_full_box_begin(struct byte_writer *out, const char type[4], uint8_t version,
			   uint32_t flags);
void fmp4_box_end(struct byte_writer *out, size_t begin);

/* The one entry of stsd. Returns 0, -EINVAL for a config that cannot be written, or the writer's
 * error. */
int fmp4_write_sample_entry(struct byte_writer *out, const struct fmp4_track *track);

#endif
