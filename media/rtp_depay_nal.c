/*
 * NAL units to access units. The bytes of a slice go from the packet straight into the unit's
 * writer, behind a start code; only parameter sets and other small units that came in fragments are
 * copied once more, because they are looked at when they are whole.
 *
 * A unit begins with the first NAL unit after the last one ended. It ends, when it has slices, with
 * a marker (unless the camera sets it on every slice), when the timestamp changes, and when what
 * comes can only begin another picture. Without slices nothing ends it: parameter sets with a
 * marker or a timestamp of their own wait for their picture.
 */
#include "config.h"

#include "media/rtp_depay_nal.h"

#include "media/bytes.h"
#include "media/nal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t start_code[4] = { 0, 0, 0, 1 };

/* --- the unit in progress --- */

static bool is_slice_class(enum rtp_nal_class class)
{
	return class == RTP_NAL_FIRST || class == RTP_NAL_SLICE;
}

static bool
has_picture(const struct rtp_nal_unit *unit)
{
	return unit->has_slices || unit->lacks_slices;
}

static void
open_unit(struct rtp_nal *nal)
{
	if (nal->unit.is_open)
		return;
	nal->unit = (struct rtp_nal_unit){
		.is_open = true,
		.timestamp = nal->timestamp,
		.is_after_gap = nal->has_gap,
	};
	nal->has_gap = false;
}

static void
end_unit(struct rtp_depay *depay, struct rtp_nal *nal, bool is_marked)
{
	struct rtp_nal_unit ended = nal->unit;

	nal->unit = (struct rtp_nal_unit){ 0 };
	nal->fragments = RTP_NAL_NO_FRAGMENTS;
	nal->has_ended = true;
	nal->has_marked = is_marked;
	nal->marked_timestamp = ended.timestamp;
	if (!ended.has_slices || depay->out == NULL) {
		rtp_depay_drop(depay);
		return;
	}
	if (!ended.is_torn)
		rtp_au_watch_unit(&nal->watch, ended.markers, ended.is_last_marked, ended.slices);
	depay->stats.au_end = nal->watch.how;
	depay->unit.is_damaged = ended.is_torn;
	depay->unit.ended_by_timestamp = !is_marked;
	rtp_depay_end(depay, nal->arrived_ns);
}

/* What was written cannot be kept: nothing of this unit will be. */
static void
pass_over(struct rtp_depay *depay, struct rtp_nal *nal)
{
	rtp_depay_end(depay, nal->arrived_ns);
	nal->unit.is_passed_over = true;
	nal->fragments = RTP_NAL_SKIP_FRAGMENTS;
}

/* Whether a NAL unit can only belong to another access unit than the slices that are there. */
static bool
begins_unit(const struct rtp_nal *nal, enum rtp_nal_class class)
{
	const struct rtp_nal_unit *unit = &nal->unit;
	bool is_marking = nal->watch.how == RTP_AU_END_MARKER;

	if (!unit->is_open || !has_picture(unit))
		return false;
	if (class == RTP_NAL_SET || class == RTP_NAL_BEFORE)
		return !is_marking;
	if (class != RTP_NAL_FIRST)
		return false;
	/* Two fields with one marker are one unit; three pictures are not. */
	return !is_marking || !unit->has_slices || !nal->kind->has_fields || unit->pictures > 1;
}

/* A slice that is not the first of its picture, at the beginning of a unit. */
static void
judge_beginning(struct rtp_depay *depay, struct rtp_nal *nal)
{
	struct rtp_nal_unit *unit = &nal->unit;

	if (nal->has_marked && nal->marked_timestamp == nal->timestamp) {
		rtp_au_watch_went_on(&nal->watch);
		depay->stats.au_end = nal->watch.how;
		unit->is_torn = true;
	}
	if (unit->is_after_gap || !nal->has_ended)
		unit->is_torn = true;
}

/* A slice is there: the unit is no longer only what stands before a picture. */
static void
note_slice(struct rtp_depay *depay, struct rtp_nal *nal, enum rtp_nal_class class)
{
	struct rtp_nal_unit *unit = &nal->unit;

	if (class == RTP_NAL_SLICE && !has_picture(unit))
		judge_beginning(depay, nal);
	unit->has_slices = true;
	unit->slices++;
	if (class == RTP_NAL_FIRST)
		unit->pictures++;
}

/* Bytes of a picture came that cannot be used. */
static void
note_damage(struct rtp_nal *nal)
{
	open_unit(nal);
	nal->unit.is_torn = true;
	nal->unit.lacks_slices = true;
}

void
rtp_nal_ignore(struct rtp_depay *depay, struct rtp_nal *nal, bool is_damage)
{
	depay->stats.ignored++;
	if (is_damage)
		note_damage(nal);
}

/* --- one NAL unit --- */

/* Where a NAL unit of this class goes, with its unit begun and its start code written; NULL: it is
 * left out. */
static struct byte_writer *
begin_nal(struct rtp_depay *depay, struct rtp_nal *nal, enum rtp_nal_class class)
{
	struct byte_writer *out;

	if (class == RTP_NAL_NOTHING || class == RTP_NAL_BROKEN) {
		rtp_nal_ignore(depay, nal, class == RTP_NAL_BROKEN);
		return NULL;
	}
	if (class == RTP_NAL_FILLER || (class == RTP_NAL_BEHIND && !nal->unit.has_slices))
		return NULL;
	if (begins_unit(nal, class))
		end_unit(depay, nal, false);
	open_unit(nal);
	if (is_slice_class(class))
		note_slice(depay, nal, class);
	if (nal->unit.is_passed_over)
		return NULL;
	out = rtp_depay_begin(depay, nal->unit.timestamp);
	if (out == NULL)
		nal->unit.is_passed_over = true;
	else
		byte_writer_bytes(out, start_code, sizeof(start_code));
	return out;
}

/* The owner may put another in its place, or nothing. */
static void
write_set(struct rtp_depay *depay, struct byte_writer *out, const uint8_t *data, size_t len)
{
	size_t pos = out->len;

	if (out->err != 0)
		return;
	if (depay->ops.parameter_set == NULL ||
	    depay->ops.parameter_set(depay->arg, data, len, out) < 0) {
		byte_writer_truncate(out, pos);
		byte_writer_bytes(out, data, len);
	} else if (out->len == pos && out->err == 0) {
		byte_writer_truncate(out, pos - sizeof(start_code));
	}
}

static void
add_one(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	enum rtp_nal_class class =
	    len >= nal->kind->header_bytes ? nal->kind->classify(data, len) : RTP_NAL_NOTHING;
	struct byte_writer *out = begin_nal(depay, nal, class);

	if (out == NULL)
		return;
	if (class == RTP_NAL_SET)
		write_set(depay, out, data, len);
	else
		byte_writer_bytes(out, data, len);
	if (out->err != 0)
		pass_over(depay, nal);
}

/* One piece of a payload, or several when start codes stand in it. A slice is not searched: what
 * begins with a slice has a start code in it only between slices of one picture, and is right in
 * Annex B as it is. */
static void
add_pieces(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	bool has_header = len >= nal->kind->header_bytes;
	struct nal_iter iter;
	struct nal_unit piece;
	size_t first;

	if (has_header && is_slice_class(nal->kind->classify(data, len))) {
		add_one(depay, nal, data, len);
		return;
	}
	nal_iter_annexb(&iter, data, len);
	first = (size_t)(iter.next - data);
	if (first < len)
		while (first > 0 && data[first - 1] == 0)
			first--;
	if (first > 0 || len == 0)
		add_one(depay, nal, data, first);
	while (nal_iter_next(&iter, &piece))
		add_one(depay, nal, piece.data, piece.len);
}

/* --- NAL units in fragments --- */

/* The fragments are a whole unit, if no slice then one to be looked at now. */
static void
end_fragments(struct rtp_depay *depay, struct rtp_nal *nal)
{
	bool was_writing = nal->fragments == RTP_NAL_IN_FRAGMENTS;
	struct byte_writer *out = depay->out;
	size_t pos = nal->fragments_pos + sizeof(start_code), len;
	uint8_t *copy;

	nal->fragments = RTP_NAL_NO_FRAGMENTS;
	if (!was_writing || nal->is_slice || out == NULL)
		return;
	len = out->len - pos;
	copy = malloc(len);
	if (copy == NULL) {
		byte_writer_fail(out, -ENOMEM);
		pass_over(depay, nal);
		return;
	}
	memcpy(copy, out->data + pos, len);
	byte_writer_truncate(out, nal->fragments_pos);
	add_pieces(depay, nal, copy, len);
	free(copy);
}

/* The rest of them will not come. What there is of a slice is of use to a decoder, half a parameter
 * set is not. */
static void
tear_fragments(struct rtp_depay *depay, struct rtp_nal *nal)
{
	if (nal->fragments == RTP_NAL_IN_FRAGMENTS && !nal->is_slice && depay->out != NULL)
		byte_writer_truncate(depay->out, nal->fragments_pos);
	nal->fragments = RTP_NAL_NO_FRAGMENTS;
}

void
rtp_nal_add(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	end_fragments(depay, nal);
	add_pieces(depay, nal, data, len);
}

/* Cameras that fragment a buffer with its start code: the header is taken from behind it. The start
 * code may lie partly in what was taken for the header. */
static void
strip_start_code(const struct rtp_nal *nal, struct rtp_nal_fragment *fragment)
{
	size_t header_bytes = nal->kind->header_bytes, zeros = 0, i;
	size_t in_header = header_bytes;

	for (i = 0; i < header_bytes; i++)
		if (fragment->header[i] != 0)
			in_header = 0;
	while (zeros < fragment->len && fragment->data[zeros] == 0)
		zeros++;
	if (zeros + in_header < 2 || fragment->len - zeros < 1 + header_bytes ||
	    fragment->data[zeros] != 1)
		return;
	memcpy(fragment->header, fragment->data + zeros + 1, header_bytes);
	fragment->data += zeros + 1 + header_bytes;
	fragment->len -= zeros + 1 + header_bytes;
}

static enum rtp_nal_class
classify_fragment(const struct rtp_nal *nal, const struct rtp_nal_fragment *fragment)
{
	uint8_t start[RTP_NAL_HEADER_MAX + 1];
	size_t len = nal->kind->header_bytes;

	memcpy(start, fragment->header, len);
	if (fragment->len > 0)
		start[len++] = fragment->data[0];
	return nal->kind->classify(start, len);
}

static void
begin_fragments(struct rtp_depay *depay, struct rtp_nal *nal,
		const struct rtp_nal_fragment *fragment)
{
	struct rtp_nal_fragment first = *fragment;
	enum rtp_nal_class class;
	struct byte_writer *out;

	end_fragments(depay, nal);
	strip_start_code(nal, &first);
	class = classify_fragment(nal, &first);
	out = begin_nal(depay, nal, class);
	nal->fragments = out != NULL ? RTP_NAL_IN_FRAGMENTS : RTP_NAL_SKIP_FRAGMENTS;
	if (out == NULL)
		return;
	nal->is_slice = is_slice_class(class);
	nal->fragments_pos = out->len >= sizeof(start_code) ? out->len - sizeof(start_code) : 0;
	byte_writer_bytes(out, first.header, nal->kind->header_bytes);
	byte_writer_bytes(out, first.data, first.len);
}

/* A part of a slice came alone. */
static void
note_orphan(struct rtp_depay *depay, struct rtp_nal *nal)
{
	open_unit(nal);
	if (!has_picture(&nal->unit))
		judge_beginning(depay, nal);
	note_damage(nal);
}

/* A fragment whose beginning did not come. */
static void
ignore_fragment(struct rtp_depay *depay, struct rtp_nal *nal,
		const struct rtp_nal_fragment *fragment)
{
	enum rtp_nal_class class = classify_fragment(nal, fragment);

	if (class == RTP_NAL_NOTHING || class == RTP_NAL_BROKEN)
		rtp_nal_ignore(depay, nal, class == RTP_NAL_BROKEN);
	else if (is_slice_class(class))
		note_orphan(depay, nal);
	else if (nal->unit.is_open && class != RTP_NAL_FILLER)
		nal->unit.is_torn = true;
}

void
rtp_nal_add_fragment(struct rtp_depay *depay, struct rtp_nal *nal,
		     const struct rtp_nal_fragment *fragment)
{
	if (fragment->is_start)
		begin_fragments(depay, nal, fragment);
	else if (nal->fragments == RTP_NAL_NO_FRAGMENTS)
		ignore_fragment(depay, nal, fragment);
	else if (nal->fragments == RTP_NAL_IN_FRAGMENTS && depay->out != NULL)
		byte_writer_bytes(depay->out, fragment->data, fragment->len);
	if (depay->out != NULL && depay->out->err != 0)
		pass_over(depay, nal);
	if (fragment->is_end)
		end_fragments(depay, nal);
}

/* --- packets --- */

/* What has no picture (parameter sets with a time of their own) waits for what follows, unless that
 * may be another's: a lost picture's SEI would say wrong things of the next one. */
static bool
can_wait(const struct rtp_depay *depay, const struct rtp_nal_unit *unit)
{
	return !has_picture(unit) && !unit->is_passed_over &&
	       (depay->out == NULL || depay->out->len <= RTP_CONFIG_MAX);
}

static void
change_timestamp(struct rtp_depay *depay, struct rtp_nal *nal, bool has_lost)
{
	end_fragments(depay, nal);
	if (!has_lost && can_wait(depay, &nal->unit)) {
		nal->unit.timestamp = nal->timestamp;
		depay->unit.timestamp = nal->timestamp;
		return;
	}
	nal->unit.is_torn |= has_lost;
	end_unit(depay, nal, false);
	if (has_lost) {
		depay->has_loss = true;
		nal->has_gap = true;
	}
}

static void
begin_packet(struct rtp_depay *depay, struct rtp_nal *nal, const struct rtp_packet *packet,
	     uint32_t lost)
{
	nal->timestamp = packet->timestamp;
	/* An empty packet belongs to nothing but may stand in for the marker. */
	if (packet->len == 0 && nal->unit.is_open)
		nal->timestamp = nal->unit.timestamp;
	if (lost > 0) {
		tear_fragments(depay, nal);
		nal->has_marked = false;
	}
	if (!nal->unit.is_open)
		nal->has_gap |= lost > 0;
	else if (nal->timestamp != nal->unit.timestamp)
		change_timestamp(depay, nal, lost > 0);
	else if (lost > 0)
		nal->unit.is_torn = true;
}

static void
end_packet(struct rtp_depay *depay, struct rtp_nal *nal, bool is_marked)
{
	nal->unit.is_last_marked = is_marked;
	if (!is_marked || !nal->unit.is_open || !has_picture(&nal->unit))
		return;
	nal->unit.markers++;
	if (nal->watch.how != RTP_AU_END_EACH_SLICE)
		end_unit(depay, nal, true);
}

void
rtp_nal_push(struct rtp_depay *depay, void *state, const struct rtp_packet *packet, uint32_t lost,
	     int64_t arrived_ns)
{
	struct rtp_nal *nal = state;

	begin_packet(depay, nal, packet, lost);
	nal->arrived_ns = arrived_ns;
	if (packet->len > 0)
		nal->kind->unpack(depay, nal, packet->payload, packet->len);
	else
		depay->stats.ignored++;
	end_packet(depay, nal, packet->marker);
}

void
rtp_nal_flush(struct rtp_depay *depay, void *state)
{
	struct rtp_nal *nal = state;
	bool is_whole = nal->unit.has_slices && !nal->unit.is_torn &&
			nal->fragments == RTP_NAL_NO_FRAGMENTS &&
			nal->watch.how != RTP_AU_END_MARKER;

	if (nal->unit.is_open && is_whole)
		end_unit(depay, nal, false);
	nal->has_gap |= nal->unit.is_open;
	nal->unit = (struct rtp_nal_unit){ 0 };
	nal->fragments = RTP_NAL_NO_FRAGMENTS;
	nal->has_marked = false;
}
