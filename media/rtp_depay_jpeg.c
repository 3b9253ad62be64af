/*
 * JPEG (RFC 2435): fragments of the coded data with their place in it; what stands before it in a
 * file is made anew from a few bytes. A picture ends at the marker, at EOI, or when the next one
 * begins.
 *
 * What comes after a hole is left out: the rest of a scan that lost some bytes decodes to garbage,
 * while one that is cut off decodes to the upper part of the picture.
 */
#include "config.h"

#include "media/jfif.h"
#include "media/rtp_depay_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_RESTART    64 /* 64..127: as type - 64, with restart intervals */
#define TYPE_DYNAMIC    128
#define Q_IN_BAND       128
#define UNMARKED_ENOUGH 2 /* pictures without marker that say: it never comes */

struct fragment {
	uint32_t offset;
	uint8_t type; /* 0: 4:2:2, 1: 4:2:0 */
	uint8_t q, width, height;
	uint16_t restart_interval;
	/* At offset 0 with Q 128..255; tables_len 0: as before */
	uint8_t precision;
	const uint8_t *tables;
	size_t tables_len;
	const uint8_t *data;
	size_t len;
};

struct tables {
	uint8_t precision;
	size_t len;
	uint8_t bytes[JFIF_TABLES_BYTES_MAX];
};

struct jpeg_state {
	bool is_open;   /* a picture has begun */
	bool is_broken; /* bytes of it are missing: what comes is passed over */
	uint32_t timestamp;
	uint32_t next_offset;
	int64_t arrived_ns;
	uint8_t tail[2]; /* last bytes of the coded data */
	bool has_ended;  /* timestamp and next_offset are of the picture that ended */
	unsigned unmarked;
	struct tables *tables[Q_IN_BAND]; /* by Q - 128; made when they come */
};

static int
parse_tables(struct byte_reader *reader, struct fragment *fragment)
{
	(void)byte_reader_u8(reader);
	fragment->precision = byte_reader_u8(reader);
	fragment->tables_len = byte_reader_u16(reader);
	fragment->tables = byte_reader_bytes(reader, fragment->tables_len);
	return reader->err;
}

static int
parse_fragment(const struct rtp_packet *packet, struct fragment *fragment)
{
	struct byte_reader reader;
	uint8_t type;

	memset(fragment, 0, sizeof(*fragment));
	byte_reader_init(&reader, packet->payload, packet->len);
	fragment->offset = byte_reader_u32(&reader) & 0xffffff;
	type = byte_reader_u8(&reader);
	fragment->q = byte_reader_u8(&reader);
	fragment->width = byte_reader_u8(&reader);
	fragment->height = byte_reader_u8(&reader);
	fragment->type = type % TYPE_RESTART;
	if (reader.err != 0 || type >= TYPE_DYNAMIC || fragment->type > 1)
		return -EPROTO;
	if (type >= TYPE_RESTART) {
		fragment->restart_interval = byte_reader_u16(&reader);
		(void)byte_reader_u16(&reader); /* where restart intervals begin: not needed */
	}
	if (fragment->q >= Q_IN_BAND && fragment->offset == 0 &&
	    parse_tables(&reader, fragment) != 0)
		return -EPROTO;
	if (reader.err != 0)
		return -EPROTO;
	fragment->data = packet->payload + reader.pos;
	fragment->len = packet->len - reader.pos;
	return 0;
}

/* Keeps tables that came; those of the same Q may be left out later. */
static const struct tables *
find_tables(struct jpeg_state *state, const struct fragment *fragment)
{
	struct tables **kept = &state->tables[fragment->q - Q_IN_BAND];

	if (fragment->tables_len == 0)
		return *kept;
	if (*kept == NULL)
		*kept = malloc(sizeof(**kept));
	if (*kept == NULL)
		return NULL;
	(*kept)->precision = fragment->precision;
	(*kept)->len = fragment->tables_len < sizeof((*kept)->bytes) ? fragment->tables_len
								     : sizeof((*kept)->bytes);
	memcpy((*kept)->bytes, fragment->tables, (*kept)->len);
	return *kept;
}

/* One table or two; further ones, which some senders add, have no use. */
static int
use_tables(const struct tables *tables, struct jfif_header *header)
{
	size_t need = 0;
	unsigned i;

	for (i = 0; i < 2; i++) {
		header->is_16bit[i] = (tables->precision >> i & 1) != 0;
		need += JFIF_TABLE_VALUES * (header->is_16bit[i] ? 2u : 1u);
		if (need > tables->len)
			break;
	}
	header->tables = tables->bytes;
	header->n_tables = i;
	return i > 0 ? 0 : -EPROTO;
}

/* Sizes above 2040 do not fit in the packet: 0 there, or the lower 8 bits. */
static uint16_t
picture_size(uint8_t eighths, uint16_t described)
{
	if (described != 0 && (eighths == 0 || ((described + 7u) / 8 & 0xff) == eighths))
		return described;
	return (uint16_t)(eighths * 8);
}

static int
write_header(struct rtp_depay *depay, struct jpeg_state *state, const struct fragment *fragment,
	     uint32_t timestamp)
{
	uint8_t computed[JFIF_TABLES_8BIT_BYTES];
	struct jfif_header header = {
		.width = picture_size(fragment->width, depay->format.width),
		.height = picture_size(fragment->height, depay->format.height),
		.is_420 = fragment->type == 1,
		.restart_interval = fragment->restart_interval,
		.tables = computed,
		.n_tables = 2,
	};
	struct byte_writer *out;

	if (header.width == 0 || header.height == 0)
		return -EPROTO;
	if (fragment->q >= Q_IN_BAND) {
		const struct tables *tables = find_tables(state, fragment);

		if (tables == NULL || use_tables(tables, &header) != 0)
			return -EPROTO;
	} else if (fragment->q > 0 && fragment->q <= JFIF_QUALITY_MAX)
		jfif_quality_tables(fragment->q, computed);
	else
		return -EPROTO;
	out = rtp_depay_begin(depay, timestamp);
	if (out == NULL)
		return -ENOMEM;
	jfif_write_header(&header, out);
	return 0;
}

static bool
ends_with_eoi(const struct jpeg_state *state)
{
	return state->tail[0] == 0xff && state->tail[1] == 0xd9;
}

static void
finish(struct rtp_depay *depay, struct jpeg_state *state)
{
	state->is_open = false;
	state->has_ended = true;
	if (state->next_offset == 0) {
		rtp_depay_drop(depay);
		return;
	}
	if (!ends_with_eoi(state))
		byte_writer_u16(depay->out, 0xffd9);
	depay->unit.is_damaged = state->is_broken;
	rtp_depay_end(depay, state->arrived_ns);
}

/* The next one has begun without a marker before it. */
static void
finish_by_next(struct rtp_depay *depay, struct jpeg_state *state, uint32_t lost)
{
	if (lost > 0)
		state->is_broken = true;
	else if (++state->unmarked >= UNMARKED_ENOUGH &&
		 depay->stats.au_end != RTP_AU_END_EACH_SLICE)
		depay->stats.au_end = RTP_AU_END_NEVER;
	depay->unit.ended_by_timestamp = true;
	finish(depay, state);
	if (lost > 0)
		depay->has_loss = true;
}

static void
append(struct rtp_depay *depay, struct jpeg_state *state, const struct fragment *fragment)
{
	size_t i;

	byte_writer_bytes(depay->out, fragment->data, fragment->len);
	state->next_offset += (uint32_t)fragment->len;
	for (i = fragment->len > 2 ? fragment->len - 2 : 0; i < fragment->len; i++) {
		state->tail[0] = state->tail[1];
		state->tail[1] = fragment->data[i];
	}
}

static void
begin(struct rtp_depay *depay, struct jpeg_state *state, const struct fragment *fragment,
      uint32_t timestamp)
{
	state->is_broken = false;
	state->has_ended = false;
	state->timestamp = timestamp;
	state->next_offset = 0;
	memset(state->tail, 0, sizeof(state->tail));
	if (write_header(depay, state, fragment, timestamp) != 0) {
		depay->stats.ignored++;
		depay->has_loss = true;
		return;
	}
	state->is_open = true;
	append(depay, state, fragment);
}

/* A fragment that is not the first one. */
static void
go_on(struct rtp_depay *depay, struct jpeg_state *state, const struct fragment *fragment,
      uint32_t timestamp)
{
	bool is_behind = !state->is_open && state->has_ended && state->timestamp == timestamp &&
			 state->next_offset == fragment->offset;

	if (is_behind && (fragment->len == 0 || ends_with_eoi(state))) {
		depay->stats.ignored++; /* padding of a whole picture */
	} else if (!state->is_open) {
		if (is_behind) /* the picture went on behind its marker */
			depay->stats.au_end = RTP_AU_END_EACH_SLICE;
		state->has_ended = false;
		depay->stats.ignored++;
		depay->has_loss = true;
	} else if (fragment->offset == state->next_offset && !state->is_broken)
		append(depay, state, fragment);
	else if (fragment->offset > state->next_offset)
		state->is_broken = true;
	else
		depay->stats.ignored++;
}

static void
end_if_marked(struct rtp_depay *depay, struct jpeg_state *state, bool marker)
{
	bool is_believed = marker && depay->stats.au_end != RTP_AU_END_EACH_SLICE;

	if (!state->is_open || !(is_believed || ends_with_eoi(state)))
		return;
	if (marker) {
		state->unmarked = 0;
		if (depay->stats.au_end != RTP_AU_END_EACH_SLICE)
			depay->stats.au_end = RTP_AU_END_MARKER;
	}
	finish(depay, state);
}

static void
jpeg_push(struct rtp_depay *depay, void *arg, const struct rtp_packet *packet, uint32_t lost,
	  int64_t arrived_ns)
{
	struct jpeg_state *state = arg;
	struct fragment fragment;

	if (parse_fragment(packet, &fragment) != 0) {
		depay->stats.ignored++;
		if (state->is_open && packet->timestamp == state->timestamp)
			state->is_broken = true;
		return;
	}
	if (state->is_open && (packet->timestamp != state->timestamp || fragment.offset == 0))
		finish_by_next(depay, state, lost);
	if (fragment.offset == 0)
		begin(depay, state, &fragment, packet->timestamp);
	else
		go_on(depay, state, &fragment, packet->timestamp);
	state->arrived_ns = arrived_ns;
	end_if_marked(depay, state, packet->marker);
}

static void
jpeg_flush(struct rtp_depay *depay, void *arg)
{
	struct jpeg_state *state = arg;

	(void)depay;
	state->is_open = false;
	state->has_ended = false;
}

static void
jpeg_clear(struct rtp_depay *depay, void *arg)
{
	struct jpeg_state *state = arg;
	size_t i;

	(void)depay;
	for (i = 0; i < Q_IN_BAND; i++)
		free(state->tables[i]);
}

const struct rtp_depay_codec rtp_depay_jpeg = {
	.state_bytes = sizeof(struct jpeg_state),
	.push = jpeg_push,
	.flush = jpeg_flush,
	.clear = jpeg_clear,
};
