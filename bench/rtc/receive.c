/*
 * From packets to frames, as a browser's jitter buffer does it, without showing them.
 */
#include "config.h"

#include "bench/rtc/receive.h"

#include "bench/stamp.h"
#include "media/rtp.h"

#include <string.h>

#define MS               INT64_C(1000000)
#define GIVE_UP_NS       (1000 * MS)
#define GIVE_UP_ASKED    8u       /* a machine that stood still is no hole */
#define ASK_AFTER_NS     (1 * MS) /* it may just be late */
#define ASK_AGAIN_NS     (30 * MS)
#define CURRENT_NS       (300 * MS)
#define ONE_BYTE_PROFILE 0xbedeu

void
receive_init(struct receive *receive, struct receive_shared *shared)
{
	memset(receive, 0, sizeof(*receive));
	receive->shared = shared;
}

static struct receive_slot *
slot_of(struct receive *receive, int64_t seq)
{
	return &receive->slots[(uint64_t)seq % RECEIVE_WINDOW];
}

static void
count_frame(struct receive *receive, int64_t now_ns)
{
	struct receive_shared *shared = receive->shared;
	int64_t age_ns = now_ns - receive->stamp_ns;

	shared->totals.frames++;
	if (receive->first_frame_ns == 0)
		receive->first_frame_ns = now_ns;
	if (receive->first_current_ns == 0 && receive->stamp_ns > 0 && age_ns < CURRENT_NS)
		receive->first_current_ns = now_ns;
	if (shared->is_measuring && receive->stamp_ns > 0)
		samples_add(&shared->ages, age_ns);
	if (shared->is_measuring && receive->last_frame_ns > 0) {
		samples_add(&shared->gaps, now_ns - receive->last_frame_ns);
		shared->totals.freezes += now_ns - receive->last_frame_ns > RECEIVE_FREEZE_MS * MS;
	}
	if (shared->is_measuring && receive->has_last_number && receive->stamp_ns > 0 &&
	    receive->number > receive->last_number)
		shared->totals.missed += receive->number - receive->last_number - 1;
	if (receive->stamp_ns > 0) {
		receive->last_number = receive->number;
		receive->has_last_number = true;
	}
	receive->last_frame_ns = now_ns;
}

static void
end_frame(struct receive *receive, int64_t now_ns)
{
	if (!receive->is_broken && receive->is_key)
		receive->awaits_key = false;
	if (receive->is_broken || receive->awaits_key) {
		receive->shared->totals.broken++;
		receive->awaits_key = true;
	} else {
		count_frame(receive, now_ns);
	}
	receive->is_broken = receive->is_key = false;
	receive->stamp_ns = 0;
}

static void
consume(struct receive *receive, const struct receive_slot *slot, int64_t now_ns)
{
	receive->is_key |= slot->is_key;
	if (slot->stamp_ns > 0) {
		receive->stamp_ns = slot->stamp_ns;
		receive->number = slot->number;
	}
	if (slot->marker)
		end_frame(receive, now_ns);
}

/* In order, as far as there is nothing missing that may still come. */
static void
judge(struct receive *receive, int64_t now_ns)
{
	while (receive->has_first && receive->next <= receive->highest) {
		struct receive_slot *slot = slot_of(receive, receive->next);

		if (!slot->has_come &&
		    (now_ns - slot->since_ns < GIVE_UP_NS || slot->asked < GIVE_UP_ASKED))
			return;
		if (slot->has_come) {
			consume(receive, slot, now_ns);
		} else {
			receive->shared->totals.holes++;
			receive->is_broken = receive->wants_pli = true;
		}
		receive->next++;
	}
}

static bool
starts_key_frame(const uint8_t *payload, size_t len)
{
	unsigned type = len > 0 ? payload[0] & 0x1fu : 0;

	if (type == 24 && len > 3) /* STAP-A */
		type = payload[3] & 0x1fu;
	if (type == 28 && len > 1) /* FU-A */
		type = payload[1] & 0x1fu;
	return type == 5 || type == 7;
}

static void
fill(struct receive_slot *slot, int64_t seq, const struct rtp_packet *packet,
     const uint8_t *payload, size_t len)
{
	uint64_t stamp_ns, number;

	*slot = (struct receive_slot){ .seq = seq,
				       .timestamp = packet->timestamp,
				       .has_come = true,
				       .marker = packet->marker,
				       .is_key = starts_key_frame(payload, len) };
	if (stamp_read(payload, len, &stamp_ns, &number)) {
		slot->stamp_ns = (int64_t)stamp_ns;
		slot->number = number;
	}
}

static void
note_missing(struct receive *receive, int64_t until, int64_t now_ns)
{
	if (until - receive->highest > RECEIVE_WINDOW / 2) { /* it went on elsewhere */
		receive->next = receive->highest = until - 1;
		receive->is_broken = receive->wants_pli = true;
		return;
	}
	for (int64_t seq = receive->highest + 1; seq < until; seq++)
		*slot_of(receive, seq) = (struct receive_slot){ .seq = seq, .since_ns = now_ns };
}

static void
put(struct receive *receive, const struct rtp_packet *packet, uint16_t number,
    const uint8_t *payload, size_t len, int64_t now_ns)
{
	int64_t seq = receive->has_first
			  ? receive->highest + rtp_seq_diff(number, (uint16_t)receive->highest)
			  : number + 65536;

	if (!receive->has_first) {
		receive->next = seq;
		receive->highest = seq - 1;
		receive->report_base = seq;
		receive->has_first = true;
	}
	receive->report_received++;
	if (seq < receive->next || (seq <= receive->highest && slot_of(receive, seq)->has_come)) {
		receive->shared->totals.late++;
		return;
	}
	if (seq > receive->highest) {
		note_missing(receive, seq, now_ns);
		receive->highest = seq;
	}
	fill(slot_of(receive, seq), seq, packet, payload, len);
	if (receive->shared->is_measuring && slot_of(receive, seq)->stamp_ns > 0 &&
	    packet->payload_type == receive->video_type)
		samples_add(&receive->shared->waits, now_ns - slot_of(receive, seq)->stamp_ns);
	judge(receive, now_ns);
}

/* The transport-wide number of a packet, in its one-byte extension (RFC 8285 4.2). */
static void
note_twcc(struct receive *receive, const uint8_t *data, size_t len, int64_t now_ns)
{
	size_t at = 12 + 4u * (data[0] & 15u), end;

	if (receive->twcc_id == 0 || (data[0] & 0x10) == 0 || len < at + 4 ||
	    ((unsigned)data[at] << 8 | data[at + 1]) != ONE_BYTE_PROFILE)
		return;
	end = at + 4 + 4u * ((size_t)data[at + 2] << 8 | data[at + 3]);
	for (at += 4; at < end && end <= len;) {
		unsigned id = data[at] >> 4, size = (data[at] & 15u) + 1;

		if (id == receive->twcc_id && size == 2 && at + 2 < end &&
		    receive->n_twcc < RECEIVE_TWCC) {
			uint16_t number = (uint16_t)(data[at + 1] << 8 | data[at + 2]);
			int64_t seq = number + 65536;

			if (receive->has_twcc_seq)
				seq = receive->twcc_highest +
				      rtp_seq_diff(number, (uint16_t)receive->twcc_highest);
			if (!receive->has_twcc_seq || seq > receive->twcc_highest)
				receive->twcc_highest = seq;
			receive->has_twcc_seq = true;
			receive->twcc_seq[receive->n_twcc] = seq;
			receive->twcc_ns[receive->n_twcc++] = now_ns;
		}
		at += id == 0 ? 1 : 1 + size;
	}
}

void
receive_on_rtp(struct receive *receive, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct rtp_packet packet;

	if (rtp_parse(data, len, &packet) < 0)
		return;
	receive->shared->totals.packets++;
	receive->shared->totals.bytes += len;
	note_twcc(receive, data, len, now_ns);
	if (packet.payload_type == receive->video_type) {
		receive->ssrc = packet.ssrc;
		put(receive, &packet, packet.seq, packet.payload, packet.len, now_ns);
	} else if (packet.payload_type == receive->rtx_type && receive->rtx_type > 0 &&
		   packet.len > 2 && receive->has_first) {
		receive->shared->totals.recovered++;
		put(receive, &packet, (uint16_t)(packet.payload[0] << 8 | packet.payload[1]),
		    packet.payload + 2, packet.len - 2, now_ns);
	}
}

size_t
receive_missing(struct receive *receive, int64_t now_ns, uint16_t *seqs, size_t max)
{
	size_t n = 0;

	judge(receive, now_ns);
	for (int64_t seq = receive->next; seq <= receive->highest && n < max; seq++) {
		struct receive_slot *slot = slot_of(receive, seq);

		if (slot->has_come || now_ns - slot->since_ns < ASK_AFTER_NS ||
		    (slot->asked_ns > 0 && now_ns - slot->asked_ns < ASK_AGAIN_NS))
			continue;
		slot->asked_ns = now_ns;
		slot->asked++;
		seqs[n++] = (uint16_t)seq;
	}
	receive->shared->totals.nacks += n;
	return n;
}
