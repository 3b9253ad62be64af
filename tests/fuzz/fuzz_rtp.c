/*
 * A hostile stream of packets. First byte: bit 0 a reorder window of 60 ms. Then steps: a packet
 * near the last one, one far from it, time that passes, raw bytes. Whatever comes, packets are
 * delivered in order, each hole is told once, and nothing waits for longer than it may.
 */
#include "config.h"

#include "media/rtp_reorder.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define MS      INT64_C(1000000)
#define WAIT_NS (60 * MS)
#define HEADER  12u

struct seen {
	struct rtp_reorder *reorder;
	bool has_last;
	uint16_t last;
	uint64_t delivered, lost, resets;
	unsigned sum;
};

static void
on_packet(void *arg, const struct rtp_packet *packet, uint32_t lost, int64_t arrived_ns)
{
	struct seen *seen = arg;

	FUZZ_CHECK(arrived_ns >= 0);
	for (size_t i = 0; i < packet->len; i++)
		seen->sum += packet->payload[i];
	if (lost == RTP_LOST_UNKNOWN) {
		seen->resets++;
	} else {
		FUZZ_CHECK(seen->has_last || lost == 0);
		FUZZ_CHECK(!seen->has_last || packet->seq == (uint16_t)(seen->last + lost + 1));
		seen->lost += lost;
	}
	seen->has_last = true;
	seen->last = packet->seq;
	seen->delivered++;
}

static void
check(const struct seen *seen, int64_t now_ns)
{
	const struct rtp_reorder_stats *stats = rtp_reorder_stats(seen->reorder);

	FUZZ_CHECK(rtp_reorder_due_ns(seen->reorder) > now_ns);
	FUZZ_CHECK(seen->delivered <= stats->received);
	FUZZ_CHECK(stats->received - seen->delivered <= RTP_REORDER_MAX_PACKETS);
	FUZZ_CHECK(seen->lost <= stats->lost);
	FUZZ_CHECK(seen->resets <= stats->resets);
}

static void
push(struct seen *seen, uint16_t seq, unsigned ssrc, size_t len, int64_t now_ns)
{
	uint8_t *bytes = calloc(1, HEADER + len);

	FUZZ_CHECK(bytes != NULL);
	bytes[0] = 0x80;
	bytes[1] = 96;
	bytes[2] = (uint8_t)(seq >> 8);
	bytes[3] = (uint8_t)seq;
	bytes[11] = (uint8_t)ssrc;
	FUZZ_CHECK(rtp_reorder_push(seen->reorder, bytes, HEADER + len, now_ns) == 0);
	free(bytes);
}

/* One step of the input. Returns the bytes that it took. */
static size_t
act(struct seen *seen, const uint8_t *in, size_t left, uint16_t *seq, int64_t *now_ns)
{
	size_t len;

	switch (in[0] & 3) {
	case 0:
		*seq = (uint16_t)(*seq + (int8_t)in[1]);
		push(seen, *seq, in[0] >> 2 & 3, (size_t)in[2] << (in[0] >> 4 & 8), *now_ns);
		return 3;
	case 1:
		push(seen, (uint16_t)(in[1] << 8 | in[2]), in[0] >> 2 & 3, in[0], *now_ns);
		return 3;
	case 2:
		*now_ns += (int64_t)in[1] * MS;
		if (in[0] & 4)
			rtp_reorder_flush(seen->reorder);
		else
			rtp_reorder_tick(seen->reorder, *now_ns);
		return 2;
	default:
		len = in[1] < left - 2 ? in[1] : left - 2;
		(void)rtp_reorder_push(seen->reorder, in + 2, len, *now_ns);
		return 2 + len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { .has_last = false };
	struct rtp_packet packet;
	uint16_t seq = 65530;
	int64_t now_ns = 0;

	if (rtp_parse(data, size, &packet) == 0) {
		FUZZ_CHECK(packet.payload >= data + HEADER);
		FUZZ_CHECK(packet.payload + packet.len <= data + size);
	}
	if (size == 0)
		return 0;
	seen.reorder = rtp_reorder_new(data[0] & 1 ? WAIT_NS : 0, on_packet, &seen);
	FUZZ_CHECK(seen.reorder != NULL);
	for (size_t at = 1; at + 3 <= size;) {
		at += act(&seen, data + at, size - at, &seq, &now_ns);
		rtp_reorder_tick(seen.reorder, now_ns);
		check(&seen, now_ns);
	}
	rtp_reorder_flush(seen.reorder);
	FUZZ_CHECK(rtp_reorder_stats(seen.reorder)->received == seen.delivered);
	FUZZ_CHECK(rtp_reorder_due_ns(seen.reorder) == INT64_MAX);
	rtp_reorder_free(&seen.reorder);
	return 0;
}
