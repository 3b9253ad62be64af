/*
 * What a viewer gets, byte by byte: the answer's head, WebSocket frames, boxes. Frames are checked
 * by their stamps (stamp.h) where there are any, and by their decode times.
 */
#include "config.h"

#include "bench/client.h"

#include "bench/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOX_HEAD_BYTES   8
#define WALL_HEAD_BYTES  40
#define WALL_FLAG_BEHIND 4
#define LOOK_BYTES       256 /* where the stamp is, if there is one */
#define TICKS_PER_S      90000

static uint64_t
big_endian(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Takes bytes until head holds count of them; returns whether it does. */
static bool
gather(struct client *client, size_t count, const uint8_t **data, size_t *len)
{
	size_t n = count > client->head_len ? count - client->head_len : 0;

	if (n > *len)
		n = *len;
	memcpy(client->head + client->head_len, *data, n);
	client->head_len += n;
	*data += n;
	*len -= n;
	return client->head_len >= count;
}

static void
want_part(struct client *client, enum client_part part, size_t need)
{
	client->part = part;
	client->need = need;
	client->head_len = 0;
}

/* --- frames --------------------------------------------------------------------------------- */

/* The body of the first box of that name in [at, end), or NULL. */
static const uint8_t *
find_box(const uint8_t *at, const uint8_t *end, const char *name, const uint8_t **box_end)
{
	while (end - at >= 8) {
		uint64_t size = big_endian(at, 4);

		if (size < 8 || size > (uint64_t)(end - at))
			return NULL;
		if (memcmp(at + 4, name, 4) == 0) {
			*box_end = at + size;
			return at + 8;
		}
		at += size;
	}
	return NULL;
}

/* The decode time in a message that begins with moof, or -1. */
static int64_t
decode_time(const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len, *at;

	at = find_box(data, end, "moof", &end);
	if (at != NULL)
		at = find_box(at, end, "traf", &end);
	if (at != NULL)
		at = find_box(at, end, "tfdt", &end);
	if (at == NULL || end - at < 8 || (at[0] == 1 && end - at < 12))
		return -1;
	return (int64_t)big_endian(at + 4, at[0] == 1 ? 8 : 4);
}

static void
check_time(struct client *client, const uint8_t *moof, size_t len)
{
	struct client_totals *totals = &client->crowd->totals;
	const int64_t interval = TICKS_PER_S / client->crowd->fps;
	int64_t time = decode_time(moof, len), step;

	if (time < 0) {
		totals->malformed++;
		return;
	}
	step = client->last_time < 0 ? interval : time - client->last_time;
	client->last_time = time;
	if (step <= 0) {
		totals->back++;
	} else if (step > interval * 3 / 2) {
		totals->jumps++;
		if (!client->has_number)
			totals->lost += (uint64_t)((step + interval / 2) / interval - 1);
	}
}

/* Each number follows the last one, or as many are missing as the server said. */
static void
check_number(struct client *client, uint64_t number)
{
	struct client_totals *totals = &client->crowd->totals;
	uint64_t gap = number - client->number - 1;

	if (client->has_number && number <= client->number)
		totals->back++;
	else if (client->has_number && gap > client->announced)
		totals->lost += gap - client->announced;
	else if (client->has_number)
		totals->overannounced += client->announced - gap;
	client->has_number = true;
	client->number = number;
	client->announced = 0;
}

static void
on_frame(struct client *client)
{
	struct crowd *crowd = client->crowd;

	crowd->totals.fragments++;
	if (client->fragments++ == 0)
		client->first_ns = client->read_ns;
	client->has_ended_frame = true;
	client->age_ns = client->stamp_ns != 0 ? client->read_ns - client->stamp_ns : 0;
	if (!crowd->is_measuring || client->is_behind || client->stamp_ns == 0)
		return;
	samples_add(&crowd->read_delays, client->read_ns - client->stamp_ns);
	if (client->kernel_ns != 0)
		samples_add(&crowd->kernel_delays, client->kernel_ns - client->stamp_ns);
}

/* --- the parts of the media ----------------------------------------------------------------- */

static void
pass_over(struct client *client, uint64_t len)
{
	client->rest -= len;
	if (client->rest > 0)
		return;
	if (client->is_frame)
		on_frame(client);
	client->is_frame = false;
	want_part(client, CLIENT_BOX, BOX_HEAD_BYTES);
}

static void
begin_rest(struct client *client, uint64_t rest)
{
	want_part(client, CLIENT_REST, 0);
	client->rest = rest;
	pass_over(client, 0);
}

/* A box begins: its eight bytes are in head. */
static void
on_box(struct client *client)
{
	uint64_t size = big_endian(client->head, 4);
	const uint8_t *name = client->head + 4;

	if (size < BOX_HEAD_BYTES) {
		client->crowd->totals.malformed++;
		size = BOX_HEAD_BYTES;
	}
	if (memcmp(name, "moof", 4) == 0 && size > BOX_HEAD_BYTES && size <= CLIENT_HEAD_BYTES) {
		client->part = CLIENT_MOOF;
		client->need = (size_t)size;
		return;
	}
	if (memcmp(name, "ftyp", 4) == 0) {
		client->crowd->totals.inits++;
		client->last_time = -1;
	}
	client->rest = size - BOX_HEAD_BYTES;
	client->is_frame = memcmp(name, "mdat", 4) == 0;
	if (client->is_frame && client->rest > 0)
		want_part(client, CLIENT_LOOK, (size_t)least(client->rest, LOOK_BYTES));
	else
		begin_rest(client, client->rest);
}

static void
look(struct client *client)
{
	size_t at = client->crowd->is_wall ? WALL_HEAD_BYTES : 0;
	uint64_t time_ns, number;

	client->stamp_ns = 0;
	if (client->need >= at &&
	    stamp_read(client->head + at, client->need - at, &time_ns, &number)) {
		client->stamp_ns = (int64_t)time_ns;
		check_number(client, number);
	}
	if (client->crowd->is_wall)
		client->is_behind = (client->head[4] & WALL_FLAG_BEHIND) != 0;
	begin_rest(client, client->rest - client->need);
}

/* Media as it arrives: one message may hold many fragments. */
static void
walk_media(struct client *client, const uint8_t *data, size_t len)
{
	while (len > 0) {
		if (client->part == CLIENT_REST) {
			size_t n = (size_t)least(client->rest, len);

			pass_over(client, n);
			data += n;
			len -= n;
			continue;
		}
		if (!gather(client, client->need, &data, &len))
			return;
		if (client->part == CLIENT_BOX) {
			on_box(client);
		} else if (client->part == CLIENT_MOOF) {
			check_time(client, client->head, client->head_len);
			want_part(client, CLIENT_BOX, BOX_HEAD_BYTES);
		} else {
			look(client);
		}
	}
}

/* Errors, and the server's word that this viewer was too slow: "skipped" with "frames":N. */
static void
on_text(struct client *client)
{
	static const char frames[] = "\"frames\":";
	const uint8_t *at;

	if (memmem(client->head, client->head_len, "\"error\"", 7) != NULL) {
		client->crowd->totals.errors++;
		fprintf(stderr, "%s: %.*s\n", client->stream, (int)client->head_len,
			(const char *)client->head);
	}
	at = memmem(client->head, client->head_len, frames, sizeof(frames) - 1);
	if (at != NULL && memmem(client->head, client->head_len, "\"skipped\"", 9) != NULL) {
		uint64_t count = strtoull((const char *)at + sizeof(frames) - 1, NULL, 10);

		client->crowd->totals.skipped += count;
		client->announced += count;
	}
}

/* --- WebSocket ------------------------------------------------------------------------------ */

static void
on_message_end(struct client *client)
{
	if (client->opcode == CLIENT_TEXT) {
		client->head[least(client->head_len, CLIENT_HEAD_BYTES - 1)] = '\0';
		on_text(client);
	} else if (client->opcode == CLIENT_BINARY &&
		   (client->head_len > 0 || client->part != CLIENT_BOX)) {
		client->crowd->totals.malformed++; /* ends inside a box */
		client->is_frame = false;
	}
}

static void
ask_for_pictures(struct client *client)
{
	static const char codecs[] = "avc1.640029,avc1.64002A,avc1.640033,mp4a.40.2,opus";
	char ask[256];
	int len;

	client->crowd->totals.upgraded++;
	client->asked_ns = client->read_ns;
	if (client->crowd->is_wall)
		len = snprintf(ask, sizeof(ask),
			       "{\"type\":\"subscribe\",\"id\":1,\"src\":\"%s\","
			       "\"forms\":[\"unit\"],\"codecs\":\"%s\"}",
			       client->stream, codecs);
	else
		len = snprintf(ask, sizeof(ask), "{\"type\":\"mse\",\"value\":\"%s\"}", codecs);
	client_send(client, CLIENT_TEXT, ask, (size_t)len);
}

static void
read_http(struct client *client, const uint8_t **data, size_t *len)
{
	while (*len > 0 && client->head_len < CLIENT_HEAD_BYTES) {
		gather(client, client->head_len + 1, data, len);
		if (client->head_len < 4 ||
		    memcmp(client->head + client->head_len - 4, "\r\n\r\n", 4) != 0)
			continue;
		if (memcmp(client->head, "HTTP/1.1 101", 12) != 0) {
			fprintf(stderr, "%s: %.40s\n", client->stream, (char *)client->head);
			client_drop(client, &client->crowd->totals.refused);
			return;
		}
		client->head_len = 0;
		client->state = CLIENT_IN_FRAME_HEADER;
		ask_for_pictures(client);
		return;
	}
}

static void
read_frame_header(struct client *client, const uint8_t **data, size_t *len)
{
	size_t need = 2;

	if (!gather(client, need, data, len))
		return;
	if ((client->head[1] & 0x7f) == 126)
		need = 4;
	else if ((client->head[1] & 0x7f) == 127)
		need = 10;
	if (!gather(client, need, data, len))
		return;
	client->opcode = client->head[0] & 0x0f;
	client->left = need == 2 ? client->head[1] & 0x7f : big_endian(client->head + 2, need - 2);
	want_part(client, CLIENT_BOX, BOX_HEAD_BYTES);
	client->state = CLIENT_IN_PAYLOAD;
	if (client->opcode == CLIENT_BINARY && client->crowd->is_wall) {
		client->rest = client->left;
		client->is_frame = true;
		want_part(client, CLIENT_LOOK,
			  (size_t)least(client->left, WALL_HEAD_BYTES + LOOK_BYTES));
	}
}

static void
end_payload(struct client *client)
{
	client->state = CLIENT_IN_FRAME_HEADER;
	if (client->opcode == CLIENT_PING)
		client_send(client, CLIENT_PONG, client->head, client->head_len);
	else if (client->opcode == CLIENT_CLOSE)
		client_drop(client, &client->crowd->totals.closed);
	else
		on_message_end(client);
	client->head_len = 0;
}

static void
read_payload(struct client *client, const uint8_t **data, size_t *len)
{
	size_t n = (size_t)least(client->left, *len);
	size_t keep = CLIENT_HEAD_BYTES - client->head_len;

	if (client->opcode == CLIENT_BINARY) {
		walk_media(client, *data, n);
	} else {
		if (keep > n)
			keep = n;
		memcpy(client->head + client->head_len, *data, keep);
		client->head_len += keep;
	}
	client->left -= n;
	*data += n;
	*len -= n;
	if (client->left == 0)
		end_payload(client);
}

void
client_begin(struct client *client, struct crowd *crowd, const char *stream)
{
	*client = (struct client){ .crowd = crowd, .stream = stream, .last_time = -1, .fd = -1 };
}

void
client_feed(struct client *client, const uint8_t *data, size_t len)
{
	client->crowd->totals.bytes += len;
	while (client->state != CLIENT_AT_END &&
	       (len > 0 || (client->state == CLIENT_IN_PAYLOAD && client->left == 0))) {
		if (client->state == CLIENT_IN_HTTP)
			read_http(client, &data, &len);
		else if (client->state == CLIENT_IN_FRAME_HEADER)
			read_frame_header(client, &data, &len);
		else
			read_payload(client, &data, &len);
	}
}

uint64_t
client_can_skip(const struct client *client)
{
	if (client->state != CLIENT_IN_PAYLOAD || client->opcode != CLIENT_BINARY ||
	    client->part != CLIENT_REST)
		return 0;
	return least(client->left, client->rest);
}

void
client_skip(struct client *client, size_t len)
{
	client->crowd->totals.bytes += len;
	client->left -= len;
	pass_over(client, len);
	if (client->left == 0)
		end_payload(client);
}
