/*
 * JPEG (ITU-T T.81): is it whole, and how large is the picture. Nothing is decoded.
 */
#ifndef CAMHUB_MEDIA_JPEG_H
#define CAMHUB_MEDIA_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jpeg_info {
	uint16_t width, height;  /* from the frame header, never 0 */
	uint8_t components;      /* 1 grey, 3 colour */
	bool is_progressive;     /* SOF2 and its like */
	bool has_huffman_tables; /* webcams leave the usual ones out */
	size_t len_bytes;        /* from SOI to the end of EOI; padding behind it is not part of the
				    picture */
};

/*
 * Returns 0 for a whole picture (SOI ... SOF ... SOS ... EOI) at the start of buf; -EAGAIN when it
 * is right so far but ends before EOI; -EPROTO when it is no JPEG. *info is untouched on failure.
 */
int jpeg_parse(const uint8_t *buf, size_t len, struct jpeg_info *info);

#endif
