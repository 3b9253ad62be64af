/*
 * Packets as text to units as text.
 */
#include "config.h"

#include "tests/depay_rig.h"

#include "media/rtp_reorder.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX 65536

static void
add_text(struct depay_rig *rig, const char *text)
{
	size_t len = strlen(text);

	if (rig->out_len + len + 1 > rig->out_cap) {
		rig->out_cap = 2 * (rig->out_cap + len + 1);
		rig->out = realloc(rig->out, rig->out_cap);
		ck_assert_ptr_nonnull(rig->out);
	}
	memcpy(rig->out + rig->out_len, text, len + 1);
	rig->out_len += len;
}

static struct byte_writer *
on_begin(void *arg)
{
	struct depay_rig *rig = arg;

	ck_assert(!rig->is_lent);
	if (rig->refuse > 0) {
		rig->refuse--;
		return NULL;
	}
	rig->is_lent = true;
	rig->begins++;
	byte_writer_reset(&rig->writer);
	rig->writer.err = rig->fail;
	rig->fail = 0;
	return &rig->writer;
}

static void
add_hex(struct depay_rig *rig, const uint8_t *data, size_t len)
{
	static const uint8_t start_code[4] = { 0, 0, 0, 1 };
	char text[3];
	size_t i;

	for (i = 0; i < len; i++) {
		if (len - i >= 4 && memcmp(data + i, start_code, 4) == 0) {
			add_text(rig, "|");
			i += 3;
			continue;
		}
		(void)snprintf(text, sizeof(text), "%02x", data[i]);
		add_text(rig, text);
	}
}

static void
on_end(void *arg, const struct rtp_unit *unit)
{
	struct depay_rig *rig = arg;
	char text[32];

	ck_assert(rig->is_lent);
	rig->is_lent = false;
	ck_assert_int_eq(rig->writer.err, 0);
	ck_assert_uint_gt(rig->writer.len, 0);
	rig->last_ended_ns = unit->arrived_ns;
	(void)snprintf(text, sizeof(text), "%u%s%s%s:", unit->timestamp,
		       unit->is_damaged ? "!" : "", unit->is_after_loss ? "+" : "",
		       unit->ended_by_timestamp ? "t" : "");
	add_text(rig, text);
	add_hex(rig, rig->writer.data, rig->writer.len);
	add_text(rig, ";");
}

static size_t
read_hex(const char **text, uint8_t *bytes)
{
	size_t len = 0;
	unsigned byte;

	while (isxdigit((unsigned char)**text)) {
		ck_assert_int_eq(sscanf(*text, "%2x", &byte), 1);
		ck_assert(isxdigit((unsigned char)(*text)[1]));
		bytes[len++] = (uint8_t)byte;
		*text += 2;
	}
	return len;
}

static int
on_set(void *arg, const uint8_t *nal, size_t len, struct byte_writer *out)
{
	struct depay_rig *rig = arg;
	size_t at = strlen(rig->sets), i;
	uint8_t other[256];

	at += (size_t)snprintf(rig->sets + at, sizeof(rig->sets) - at, "|");
	for (i = 0; i < len; i++)
		at += (size_t)snprintf(rig->sets + at, sizeof(rig->sets) - at, "%02x", nal[i]);
	if (rig->set_hex != NULL) {
		const char *hex = rig->set_hex;

		byte_writer_bytes(out, other, read_hex(&hex, other));
	} else {
		byte_writer_bytes(out, nal, len);
		byte_writer_u8(out, 0xff);
	}
	return rig->set_result;
}

void
depay_rig_init(struct depay_rig *rig, const struct rtp_format *format, bool has_sets)
{
	struct rtp_depay_ops ops = {
		.begin = on_begin,
		.end = on_end,
		.parameter_set = has_sets ? on_set : NULL,
	};

	*rig = (struct depay_rig){ .packet = -1 };
	byte_writer_init(&rig->writer, DEPAY_RIG_LIMIT);
	rig->depay = rtp_depay_new(format, &ops, rig);
	ck_assert_ptr_nonnull(rig->depay);
}

void
depay_rig_free(struct depay_rig *rig)
{
	rtp_depay_free(&rig->depay);
	ck_assert_ptr_null(rig->depay);
	byte_writer_free(&rig->writer);
	free(rig->out);
}

void
depay_rig_push(struct depay_rig *rig, uint32_t timestamp, bool is_marked, uint32_t lost,
	       const uint8_t *payload, size_t len)
{
	struct rtp_packet packet = { .marker = is_marked, .timestamp = timestamp };
	uint8_t *copy;

	if (rig->packet == 0) {
		rig->cut_of = len;
		len = rig->cut < len ? rig->cut : len;
	}
	rig->packet -= rig->packet >= 0;
	copy = malloc(len > 0 ? len : 1);
	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, payload, len);
	packet.payload = copy;
	packet.len = len;
	rtp_depay_push(rig->depay, &packet, lost, rig->arrived_ns++);
	free(copy);
}

/* One packet of the text, up to its ';'. */
static void
play_packet(struct depay_rig *rig, const char **text)
{
	static uint8_t payload[PAYLOAD_MAX];
	uint32_t lost = 0;
	bool is_marked;
	char *end;
	unsigned long timestamp;

	if (**text == '!') {
		rtp_depay_flush(rig->depay);
		(*text)++;
		return;
	}
	if (**text == '-') {
		lost = (*text)[1] == '?' ? RTP_LOST_UNKNOWN : (uint32_t)((*text)[1] - '0');
		*text += 3;
	}
	timestamp = strtoul(*text, &end, 10);
	ck_assert_ptr_ne(end, *text);
	is_marked = *end == 'M';
	*text = end + is_marked;
	while (**text == ' ')
		(*text)++;
	depay_rig_push(rig, (uint32_t)timestamp, is_marked, lost, payload, read_hex(text, payload));
}

void
depay_rig_play(struct depay_rig *rig, const char *packets)
{
	while (*packets != '\0') {
		if (*packets == ' ' || *packets == ';')
			packets++;
		else
			play_packet(rig, &packets);
	}
}

const char *
depay_rig_units(struct depay_rig *rig)
{
	if (rig->out_len == 0)
		return "";
	rig->out_len = 0;
	return rig->out;
}

void
depay_rig_expect(enum rtp_codec codec, const char *what, const char *packets, const char *units)
{
	struct rtp_format format = { .codec = codec, .clock_rate = 90000 };
	struct depay_rig rig;
	const char *got;

	depay_rig_init(&rig, &format, false);
	depay_rig_play(&rig, packets);
	got = depay_rig_units(&rig);
	ck_assert_msg(strcmp(got, units) == 0, "%s: got %s, want %s", what, got, units);
	depay_rig_free(&rig);
}

/* Returns whether there is such a packet, and another byte of it to cut at. */
static bool
cut_once(enum rtp_codec codec, const char *packets, int packet, size_t cut)
{
	struct rtp_format format = { .codec = codec, .clock_rate = 90000 };
	struct depay_rig rig;
	bool is_more;

	depay_rig_init(&rig, &format, true);
	rig.packet = packet;
	rig.cut = cut;
	depay_rig_play(&rig, packets);
	rtp_depay_flush(rig.depay);
	is_more = cut + 1 < rig.cut_of;
	ck_assert(rig.packet < 0 || cut == 0);
	depay_rig_free(&rig);
	return is_more;
}

void
depay_rig_cut(enum rtp_codec codec, const char *packets)
{
	const char *at;
	int n = 0, i;
	size_t cut;

	for (at = packets; *at != '\0'; at++)
		n += *at == ';';
	for (i = 0; i <= n; i++)
		for (cut = 0; cut_once(codec, packets, i, cut); cut++)
			continue;
}
