/*
 * AAC (RFC 3640, AAC-hbr and AAC-lbr): one raw_data_block is one unit with a time of its own, be it
 * alone in a packet, with others, or over several packets.
 *
 * Cameras are careless with the AU headers: the length in bytes, a length of nothing, index fields
 * that the description does not have, ADTS inside. So the ways to read a packet are tried in turn,
 * and the first one in which the sizes add up is the right one.
 */
#include "config.h"

#include "media/aac.h"
#include "media/bits.h"
#include "media/rtp_depay_int.h"

#include <errno.h>

#define FRAME_SAMPLES 1024

struct aac_state {
	uint32_t ticks; /* of one unit */
	/* The unit that comes in pieces */
	bool is_open;
	uint32_t timestamp;
	size_t want, got;
};

/* One packet, read in one of the ways. */
struct section {
	const uint8_t *headers;
	size_t n; /* AU headers */
	const uint8_t *data;
	size_t len;
};

static int
aac_init(struct rtp_depay *depay, void *arg)
{
	const struct rtp_format *format = &depay->format;
	struct aac_state *state = arg;
	struct aac_config config;

	state->ticks = FRAME_SAMPLES;
	if (aac_parse_config(format->config, format->config_len, &config) == 0)
		state->ticks = (uint32_t)((uint64_t)config.frame_samples * format->clock_rate /
					  config.sample_rate);
	return 0;
}

static size_t
first_header_bits(const struct rtp_format *format)
{
	return (size_t)format->size_length + format->index_length;
}

static size_t
next_header_bits(const struct rtp_format *format)
{
	return (size_t)format->size_length + format->index_delta_length;
}

/* The headers that `bits` of them are; false if the packet is too short. */
static bool
read_section(const struct rtp_format *format, const struct rtp_packet *packet, size_t bits,
	     struct section *section)
{
	size_t first = first_header_bits(format), next = next_header_bits(format);
	size_t bytes = (bits + 7) / 8;

	if (bits < first || packet->len < 2 || bytes > packet->len - 2)
		return false;
	section->headers = packet->payload + 2;
	section->n = 1 + (next > 0 ? (bits - first) / next : 0);
	section->data = section->headers + bytes;
	section->len = packet->len - 2 - bytes;
	return true;
}

/* The next header's size, and how many units were left out before it (interleaving). */
static size_t
read_header(const struct rtp_format *format, struct bits *bits, size_t i, uint32_t *skipped)
{
	size_t size =
	    format->size_length > 0 ? bits_get(bits, format->size_length) : format->constant_size;
	uint32_t index = bits_get(bits, i == 0 ? format->index_length : format->index_delta_length);

	*skipped = i == 0 ? 0 : index;
	return size;
}

static size_t
total_size(const struct rtp_format *format, const struct section *section)
{
	struct bits bits;
	uint32_t skipped;
	size_t total = 0, i;

	bits_init(&bits, section->headers, (size_t)(section->data - section->headers));
	for (i = 0; i < section->n; i++)
		total += read_header(format, &bits, i, &skipped);
	return total;
}

/* The section in which all adds up; else as the packet says, which may be a piece. */
static bool
find_section(const struct rtp_format *format, const struct rtp_packet *packet,
	     struct section *section)
{
	size_t told = packet->len >= 2 ? (size_t)packet->payload[0] << 8 | packet->payload[1] : 0;
	const size_t ways[] = { told, told * 8, first_header_bits(format) };
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (read_section(format, packet, ways[i], section) &&
		    total_size(format, section) == section->len && section->len > 0)
			return true;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (read_section(format, packet, ways[i], section))
			return true;
	return false;
}

static void
emit(struct rtp_depay *depay, const struct aac_state *state, uint32_t timestamp,
     const uint8_t *data, size_t len, int64_t arrived_ns)
{
	const uint8_t *raw;
	size_t raw_len, frame_len;
	struct byte_writer *out;

	/* No block begins with twelve ones: it would be empty. */
	if (aac_strip_adts(data, len, &raw, &raw_len, &frame_len) == 0 && frame_len == len) {
		data = raw;
		len = raw_len;
	}
	if (len == 0) {
		depay->stats.ignored++;
		return;
	}
	out = rtp_depay_begin(depay, timestamp);
	if (out == NULL)
		return;
	byte_writer_bytes(out, data, len);
	depay->unit.duration = state->ticks;
	rtp_depay_end(depay, arrived_ns);
}

static void
drop_piece(struct rtp_depay *depay, struct aac_state *state)
{
	if (state->is_open)
		rtp_depay_drop(depay);
	state->is_open = false;
}

/* A part of a unit of `size` bytes, whose packets have the same time and all tell the whole size.
 */
static void
push_piece(struct rtp_depay *depay, struct aac_state *state, const struct rtp_packet *packet,
	   const struct section *section, size_t size, int64_t arrived_ns)
{
	struct byte_writer *out = rtp_depay_begin(depay, packet->timestamp);

	if (out == NULL)
		return;
	if (!state->is_open) {
		state->is_open = true;
		state->timestamp = packet->timestamp;
		state->want = size;
		state->got = 0;
	}
	byte_writer_bytes(out, section->data, section->len);
	state->got += section->len;
	if (state->got < state->want && !packet->marker)
		return;
	if (state->got == state->want) {
		state->is_open = false;
		depay->unit.duration = state->ticks;
		rtp_depay_end(depay, arrived_ns);
	} else {
		depay->stats.ignored++;
		drop_piece(depay, state);
	}
}

/* All units of a packet; what does not fit in it was lost on the way into it. */
static void
push_units(struct rtp_depay *depay, struct aac_state *state, const struct rtp_packet *packet,
	   const struct section *section, int64_t arrived_ns)
{
	const uint8_t *data = section->data;
	size_t left = section->len, i;
	uint32_t place = 0, skipped;
	struct bits bits;

	bits_init(&bits, section->headers, (size_t)(section->data - section->headers));
	for (i = 0; i < section->n; i++) {
		size_t size = read_header(&depay->format, &bits, i, &skipped);

		if (size == 0 && section->n == 1)
			size = left;
		if (size > left) {
			depay->stats.ignored++;
			depay->has_loss = true;
			return;
		}
		place += skipped;
		emit(depay, state, packet->timestamp + place * state->ticks, data, size,
		     arrived_ns);
		data += size;
		left -= size;
		place++;
	}
}

/* No AU headers: units of one size, or one. */
static void
push_constant(struct rtp_depay *depay, struct aac_state *state, const struct rtp_packet *packet,
	      int64_t arrived_ns)
{
	size_t size = depay->format.constant_size > 0 ? depay->format.constant_size : packet->len;
	uint32_t place = 0;
	size_t pos;

	for (pos = 0; size > 0 && size <= packet->len - pos; pos += size)
		emit(depay, state, packet->timestamp + place++ * state->ticks,
		     packet->payload + pos, size, arrived_ns);
	if (place == 0 || pos < packet->len)
		depay->stats.ignored++;
}

/* ADTS frames instead of the section of headers. Returns false if the packet is something else. */
static bool
push_adts(struct rtp_depay *depay, struct aac_state *state, const struct rtp_packet *packet,
	  int64_t arrived_ns)
{
	size_t pos = 0, raw_len, frame_len;
	const uint8_t *raw;
	uint32_t place = 0;

	while (aac_strip_adts(packet->payload + pos, packet->len - pos, &raw, &raw_len,
			      &frame_len) == 0) {
		drop_piece(depay, state);
		emit(depay, state, packet->timestamp + place++ * state->ticks, raw, raw_len,
		     arrived_ns);
		pos += frame_len;
	}
	return place > 0;
}

static void
push_section(struct rtp_depay *depay, struct aac_state *state, const struct rtp_packet *packet,
	     const struct section *section, uint32_t lost, int64_t arrived_ns)
{
	struct bits bits;
	uint32_t skipped;
	size_t size;

	bits_init(&bits, section->headers, (size_t)(section->data - section->headers));
	size = read_header(&depay->format, &bits, 0, &skipped);
	if (state->is_open && (section->n != 1 || size != state->want))
		drop_piece(depay, state);
	if (section->n == 1 && size > section->len && packet->marker && !state->is_open &&
	    lost == 0) /* whole, says the marker: then the size is wrong */
		emit(depay, state, packet->timestamp, section->data, section->len, arrived_ns);
	else if (section->n == 1 && (state->is_open || size > section->len))
		push_piece(depay, state, packet, section, size, arrived_ns);
	else
		push_units(depay, state, packet, section, arrived_ns);
}

static void
aac_push(struct rtp_depay *depay, void *arg, const struct rtp_packet *packet, uint32_t lost,
	 int64_t arrived_ns)
{
	struct aac_state *state = arg;
	struct section section;

	if (state->is_open && (lost > 0 || packet->timestamp != state->timestamp))
		drop_piece(depay, state);
	if (first_header_bits(&depay->format) == 0)
		push_constant(depay, state, packet, arrived_ns);
	else if (push_adts(depay, state, packet, arrived_ns))
		return;
	else if (find_section(&depay->format, packet, &section))
		push_section(depay, state, packet, &section, lost, arrived_ns);
	else
		depay->stats.ignored++;
}

static void
aac_flush(struct rtp_depay *depay, void *arg)
{
	drop_piece(depay, arg);
}

const struct rtp_depay_codec rtp_depay_aac = {
	.state_bytes = sizeof(struct aac_state),
	.init = aac_init,
	.push = aac_push,
	.flush = aac_flush,
};
