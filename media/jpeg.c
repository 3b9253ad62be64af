/*
 * A JPEG's markers from SOI to EOI. Entropy-coded data is only scanned for the next marker.
 */
#include "config.h"

#include "media/jpeg.h"

#include <errno.h>
#include <string.h>

enum {
	JPEG_SOF0 = 0xc0,
	JPEG_SOF2 = 0xc2,
	JPEG_DHT = 0xc4,
	JPEG_JPG = 0xc8,
	JPEG_DAC = 0xcc,
	JPEG_SOF15 = 0xcf,
	JPEG_RST0 = 0xd0,
	JPEG_RST7 = 0xd7,
	JPEG_SOI = 0xd8,
	JPEG_EOI = 0xd9,
	JPEG_SOS = 0xda,
};

#define SOF_BYTES_MIN 8u /* length, precision, height, width, components */

struct walk {
	const uint8_t *buf;
	size_t len, pos;
	bool has_frame, has_scan;
	struct jpeg_info info;
};

static bool
is_frame_header(unsigned marker)
{
	return marker >= JPEG_SOF0 && marker <= JPEG_SOF15 && marker != JPEG_DHT &&
	       marker != JPEG_JPG && marker != JPEG_DAC;
}

static bool
is_restart(unsigned marker)
{
	return marker >= JPEG_RST0 && marker <= JPEG_RST7;
}

/* The marker at pos, behind any fill bytes (B.1.1.2). */
static int
next_marker(struct walk *walk, unsigned *marker)
{
	if (walk->pos >= walk->len)
		return -EAGAIN;
	if (walk->buf[walk->pos] != 0xff)
		return -EPROTO;
	while (walk->pos < walk->len && walk->buf[walk->pos] == 0xff)
		walk->pos++;
	if (walk->pos >= walk->len)
		return -EAGAIN;
	*marker = walk->buf[walk->pos++];
	return 0;
}

/* Moves to the first marker that is not part of the coded data. */
static int
skip_coded_data(struct walk *walk)
{
	while (walk->pos < walk->len) {
		const uint8_t *found = memchr(walk->buf + walk->pos, 0xff, walk->len - walk->pos);
		unsigned after;

		if (found == NULL)
			return -EAGAIN;
		walk->pos = (size_t)(found - walk->buf);
		if (walk->len - walk->pos < 2)
			return -EAGAIN;
		after = walk->buf[walk->pos + 1];
		if (after != 0 && after != 0xff && !is_restart(after))
			return 0;
		walk->pos += after == 0xff ? 1 : 2;
	}
	return -EAGAIN;
}

static int
read_frame_header(struct walk *walk, unsigned marker, const uint8_t *segment, size_t len)
{
	if (len < SOF_BYTES_MIN || walk->has_frame)
		return -EPROTO;
	walk->info.height = (uint16_t)(segment[3] << 8 | segment[4]);
	walk->info.width = (uint16_t)(segment[5] << 8 | segment[6]);
	walk->info.components = segment[7];
	walk->info.is_progressive = marker % 4 == JPEG_SOF2 % 4;
	walk->has_frame = true;
	return walk->info.width != 0 && walk->info.height != 0 ? 0 : -EPROTO;
}

static int
read_segment(struct walk *walk, unsigned marker)
{
	const uint8_t *segment = walk->buf + walk->pos;
	size_t left = walk->len - walk->pos, len;
	int err = 0;

	if (left < 2)
		return -EAGAIN;
	len = (size_t)segment[0] << 8 | segment[1];
	if (len < 2 || (marker == JPEG_SOS && !walk->has_frame))
		return -EPROTO;
	if (len > left)
		return -EAGAIN;
	walk->pos += len;
	if (is_frame_header(marker))
		err = read_frame_header(walk, marker, segment, len);
	else if (marker == JPEG_DHT)
		walk->info.has_huffman_tables = true;
	else if (marker == JPEG_SOS) {
		walk->has_scan = true;
		err = skip_coded_data(walk);
	}
	return err;
}

int
jpeg_parse(const uint8_t *buf, size_t len, struct jpeg_info *info)
{
	struct walk walk = { .buf = buf, .len = len };
	unsigned marker;
	int err;

	err = next_marker(&walk, &marker);
	if (err == 0 && marker != JPEG_SOI)
		err = -EPROTO;
	while (err == 0) {
		err = next_marker(&walk, &marker);
		if (err != 0 || (marker == JPEG_EOI && walk.has_scan))
			break;
		/* markers without a segment have no business between segments */
		if (marker < JPEG_SOF0 || marker == JPEG_EOI || marker == JPEG_SOI ||
		    is_restart(marker))
			err = -EPROTO;
		else
			err = read_segment(&walk, marker);
	}
	if (err != 0)
		return err;
	walk.info.len_bytes = walk.pos;
	*info = walk.info;
	return 0;
}
