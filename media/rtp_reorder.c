/*
 * The reorder window. `next` is the number whose turn it is; the window is the 512 numbers from
 * there, one slot each. Everything that moves goes through step(), which delivers the packet of
 * `next` or gives its number up. What does not fit into the numbering is on probation: one packet
 * is kept aside, and when a second one follows it the sender has begun anew (RFC 3550 A.1).
 */
#include "config.h"

#include "media/rtp_reorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3550 A.1: how far the numbers of one source may go ahead and back. */
#define DROPOUT_MAX  3000
#define MISORDER_MAX 100
/* How near to each other two packets on probation must be. */
#define PROBATION_DISTANCE 16
/* A source that was left is not taken back while the present one speaks: an old session's packets
 * that still come in between would make the picture jump for ever. */
#define SILENCE_NS   (INT64_C(200) * 1000000)
#define SEEN_NUMBERS 128u  /* more than MISORDER_MAX */
#define CHUNK_BYTES  2048u /* what a usual packet takes; these are used again */
#define SLOTS        ((size_t)RTP_REORDER_MAX_PACKETS)
#define SLOT_MASK    (RTP_REORDER_MAX_PACKETS - 1u)

struct chunk {
	struct chunk *next_idle;
	size_t size;
	uint8_t bytes[];
};

struct slot {
	struct chunk *chunk; /* NULL: empty */
	struct rtp_packet packet;
	int64_t arrived_ns;
};

struct probation {
	bool is_on;
	struct rtp_packet packet;
	int64_t arrived_ns;
	uint8_t *bytes;
	size_t size;
};

struct rtp_reorder {
	int64_t wait_ns;
	rtp_reorder_fn *deliver;
	void *arg;
	struct rtp_reorder_stats stats;
	bool has_source, has_highest;
	bool is_fresh; /* nothing delivered since the reset */
	uint16_t next;
	uint32_t gap; /* numbers given up since the last delivery */
	bool has_former;
	uint32_t former_ssrc;
	int64_t heard_ns; /* the source's last packet */
	bool seen[SEEN_NUMBERS];
	struct probation probation;
	struct slot *slots; /* NULL: nothing ever waits */
	size_t waiting;
	int64_t oldest_ns; /* arrival, of those that wait */
	bool is_oldest_stale;
	size_t busy_bytes, idle_bytes; /* of chunks */
	struct chunk *idle;
};

struct rtp_reorder *
rtp_reorder_new(int64_t wait_ns, rtp_reorder_fn *deliver, void *arg)
{
	struct rtp_reorder *reorder = calloc(1, sizeof(*reorder));

	if (reorder == NULL)
		return NULL;
	reorder->wait_ns = wait_ns;
	reorder->deliver = deliver;
	reorder->arg = arg;
	if (wait_ns > 0) {
		reorder->slots = calloc(SLOTS, sizeof(*reorder->slots));
		if (reorder->slots == NULL)
			rtp_reorder_free(&reorder);
	}
	return reorder;
}

static void
free_idle(struct rtp_reorder *reorder)
{
	struct chunk *chunk = reorder->idle;

	reorder->idle = chunk->next_idle;
	reorder->idle_bytes -= chunk->size;
	free(chunk);
}

void
rtp_reorder_free(struct rtp_reorder **reorder)
{
	if (*reorder == NULL)
		return;
	for (size_t i = 0; (*reorder)->slots != NULL && i < SLOTS; i++)
		free((*reorder)->slots[i].chunk);
	while ((*reorder)->idle != NULL)
		free_idle(*reorder);
	free((*reorder)->slots);
	free((*reorder)->probation.bytes);
	free(*reorder);
	*reorder = NULL;
}

/* Memory for a packet; NULL: the window has its share, or there is none. */
static struct chunk *
get_chunk(struct rtp_reorder *reorder, size_t len)
{
	size_t size = len > CHUNK_BYTES ? len : CHUNK_BYTES;
	struct chunk *chunk = reorder->idle;

	if (reorder->busy_bytes + size > RTP_REORDER_MAX_BYTES)
		return NULL;
	if (chunk != NULL && size == CHUNK_BYTES) {
		reorder->idle = chunk->next_idle;
		reorder->idle_bytes -= size;
	} else {
		while (reorder->idle != NULL &&
		       reorder->busy_bytes + reorder->idle_bytes + size > RTP_REORDER_MAX_BYTES)
			free_idle(reorder);
		chunk = malloc(sizeof(*chunk) + size);
		if (chunk == NULL)
			return NULL;
		chunk->size = size;
	}
	reorder->busy_bytes += size;
	return chunk;
}

static void
put_chunk(struct rtp_reorder *reorder, struct chunk *chunk)
{
	reorder->busy_bytes -= chunk->size;
	if (chunk->size != CHUNK_BYTES) {
		free(chunk);
		return;
	}
	chunk->next_idle = reorder->idle;
	reorder->idle = chunk;
	reorder->idle_bytes += chunk->size;
}

static struct slot *
slot_of(const struct rtp_reorder *reorder, uint16_t seq)
{
	return &reorder->slots[seq & SLOT_MASK];
}

static bool
is_waiting(const struct rtp_reorder *reorder, uint16_t seq)
{
	return reorder->waiting > 0 && slot_of(reorder, seq)->chunk != NULL;
}

/* `next` is done: delivered or given up. */
static void
pass(struct rtp_reorder *reorder, bool is_delivered)
{
	reorder->seen[reorder->next % SEEN_NUMBERS] = is_delivered;
	reorder->next++;
}

static void
deliver_next(struct rtp_reorder *reorder, const struct rtp_packet *packet, int64_t arrived_ns)
{
	uint32_t lost = reorder->is_fresh ? RTP_LOST_UNKNOWN : reorder->gap;

	pass(reorder, true);
	reorder->gap = 0;
	reorder->is_fresh = false;
	reorder->deliver(reorder->arg, packet, lost, arrived_ns);
}

static void
step(struct rtp_reorder *reorder)
{
	struct slot slot;

	if (!is_waiting(reorder, reorder->next)) {
		pass(reorder, false);
		reorder->gap++;
		reorder->stats.lost++;
		return;
	}
	slot = *slot_of(reorder, reorder->next);
	slot_of(reorder, reorder->next)->chunk = NULL;
	reorder->waiting--;
	reorder->is_oldest_stale |= slot.arrived_ns == reorder->oldest_ns;
	deliver_next(reorder, &slot.packet, slot.arrived_ns);
	put_chunk(reorder, slot.chunk);
}

static void
deliver_run(struct rtp_reorder *reorder)
{
	while (is_waiting(reorder, reorder->next))
		step(reorder);
}

static void
find_oldest(struct rtp_reorder *reorder)
{
	size_t left = reorder->waiting;

	if (!reorder->is_oldest_stale && left > 0)
		return;
	reorder->is_oldest_stale = false;
	reorder->oldest_ns = INT64_MAX;
	for (size_t i = 0; left > 0; i++) {
		if (reorder->slots[i].chunk == NULL)
			continue;
		left--;
		if (reorder->slots[i].arrived_ns < reorder->oldest_ns)
			reorder->oldest_ns = reorder->slots[i].arrived_ns;
	}
}

int64_t
rtp_reorder_due_ns(const struct rtp_reorder *reorder)
{
	if (reorder->waiting == 0 || reorder->oldest_ns > INT64_MAX - reorder->wait_ns)
		return INT64_MAX;
	return reorder->oldest_ns + reorder->wait_ns;
}

void
rtp_reorder_tick(struct rtp_reorder *reorder, int64_t now_ns)
{
	while (reorder->waiting > 0 && rtp_reorder_due_ns(reorder) <= now_ns) {
		while (!is_waiting(reorder, reorder->next))
			step(reorder);
		deliver_run(reorder);
		find_oldest(reorder);
	}
}

void
rtp_reorder_flush(struct rtp_reorder *reorder)
{
	while (reorder->waiting > 0)
		step(reorder);
	find_oldest(reorder);
}

static void
wait_for_turn(struct rtp_reorder *reorder, struct chunk *chunk, const struct rtp_packet *packet,
	      int64_t arrived_ns)
{
	struct slot *slot = slot_of(reorder, packet->seq);

	*slot = (struct slot){ .chunk = chunk, .packet = *packet, .arrived_ns = arrived_ns };
	if (packet->len > 0)
		memcpy(chunk->bytes, packet->payload, packet->len);
	slot->packet.payload = chunk->bytes;
	if (reorder->waiting++ == 0 || arrived_ns < reorder->oldest_ns)
		reorder->oldest_ns = arrived_ns;
}

/* Ahead of its turn: it waits when it may, else the numbers before it are given up until there is
 * room or it is its turn. */
static void
take_early(struct rtp_reorder *reorder, const struct rtp_packet *packet, int64_t arrived_ns)
{
	struct chunk *chunk = NULL;

	while (rtp_seq_diff(packet->seq, reorder->next) >= RTP_REORDER_MAX_PACKETS)
		step(reorder);
	while (packet->seq != reorder->next) {
		if (reorder->slots != NULL)
			chunk = get_chunk(reorder, packet->len);
		if (chunk != NULL)
			break;
		step(reorder);
	}
	if (chunk != NULL)
		wait_for_turn(reorder, chunk, packet, arrived_ns);
	else
		deliver_next(reorder, packet, arrived_ns);
}

static void
note_highest(struct rtp_reorder *reorder, uint16_t seq)
{
	struct rtp_reorder_stats *stats = &reorder->stats;

	if (reorder->has_highest && rtp_seq_diff(seq, stats->highest_seq) < 0) {
		stats->reordered++;
		return;
	}
	if (reorder->has_highest && seq < stats->highest_seq)
		stats->cycles++;
	reorder->has_highest = true;
	stats->highest_seq = seq;
}

static void
take(struct rtp_reorder *reorder, const struct rtp_packet *packet, int64_t arrived_ns)
{
	int ahead = rtp_seq_diff(packet->seq, reorder->next);

	reorder->heard_ns = arrived_ns;
	reorder->stats.ssrc = packet->ssrc;
	if (ahead < 0 && !reorder->seen[packet->seq % SEEN_NUMBERS]) {
		reorder->stats.late++;
		return;
	}
	if (ahead < 0 || (ahead < RTP_REORDER_MAX_PACKETS && is_waiting(reorder, packet->seq))) {
		reorder->stats.duplicates++;
		return;
	}
	reorder->stats.received++;
	note_highest(reorder, packet->seq);
	if (ahead == 0)
		deliver_next(reorder, packet, arrived_ns);
	else
		take_early(reorder, packet, arrived_ns);
	deliver_run(reorder);
	find_oldest(reorder);
}

static void
begin(struct rtp_reorder *reorder, uint16_t seq)
{
	reorder->has_source = true;
	reorder->has_highest = false;
	reorder->next = seq;
	reorder->gap = 0;
	reorder->stats.cycles = 0;
	memset(reorder->seen, 0, sizeof(reorder->seen));
}

/* Whether it goes on with the numbers. A camera that changes its SSRC in the middle of them is
 * still the same stream. */
static bool
is_of_source(const struct rtp_reorder *reorder, const struct rtp_packet *packet)
{
	int ahead = rtp_seq_diff(packet->seq, reorder->next);

	return ahead >= -MISORDER_MAX &&
	       ahead <= (packet->ssrc == reorder->stats.ssrc ? DROPOUT_MAX : MISORDER_MAX);
}

static bool
is_new_source(const struct rtp_reorder *reorder, const struct rtp_packet *packet,
	      int64_t arrived_ns)
{
	const struct probation *probation = &reorder->probation;
	int distance = rtp_seq_diff(packet->seq, probation->packet.seq);

	if (reorder->has_former && packet->ssrc == reorder->former_ssrc &&
	    arrived_ns - reorder->heard_ns < SILENCE_NS)
		return false;
	return probation->is_on && probation->packet.ssrc == packet->ssrc && distance != 0 &&
	       abs(distance) <= PROBATION_DISTANCE;
}

static void
put_on_probation(struct rtp_reorder *reorder, const struct rtp_packet *packet, int64_t arrived_ns)
{
	struct probation *probation = &reorder->probation;

	if (probation->is_on)
		reorder->stats.strays++;
	probation->is_on = false;
	if (packet->len > probation->size) {
		free(probation->bytes);
		probation->bytes = malloc(packet->len);
		probation->size = probation->bytes != NULL ? packet->len : 0;
		if (probation->bytes == NULL)
			return;
	}
	probation->is_on = true;
	probation->packet = *packet;
	probation->packet.payload = probation->bytes;
	probation->arrived_ns = arrived_ns;
	if (packet->len > 0)
		memcpy(probation->bytes, packet->payload, packet->len);
}

/* Two packets agree on a numbering: what the old one left is delivered, then both. */
static void
begin_anew(struct rtp_reorder *reorder, const struct rtp_packet *packet, int64_t arrived_ns)
{
	const struct probation *probation = &reorder->probation;
	bool is_first = rtp_seq_diff(packet->seq, probation->packet.seq) < 0;

	rtp_reorder_flush(reorder);
	reorder->has_former |= packet->ssrc != reorder->stats.ssrc;
	if (packet->ssrc != reorder->stats.ssrc)
		reorder->former_ssrc = reorder->stats.ssrc;
	reorder->stats.resets++;
	begin(reorder, is_first ? packet->seq : probation->packet.seq);
	reorder->is_fresh = true;
	reorder->probation.is_on = false;
	if (is_first)
		take(reorder, packet, arrived_ns);
	take(reorder, &probation->packet, probation->arrived_ns);
	if (!is_first)
		take(reorder, packet, arrived_ns);
}

int
rtp_reorder_push(struct rtp_reorder *reorder, const uint8_t *data, size_t len, int64_t arrived_ns)
{
	struct rtp_packet packet;
	int err = rtp_parse(data, len, &packet);

	if (err != 0)
		return err;
	if (!reorder->has_source) {
		begin(reorder, packet.seq);
		reorder->stats.ssrc = packet.ssrc;
	}
	if (is_of_source(reorder, &packet))
		take(reorder, &packet, arrived_ns);
	else if (is_new_source(reorder, &packet, arrived_ns))
		begin_anew(reorder, &packet, arrived_ns);
	else
		put_on_probation(reorder, &packet, arrived_ns);
	rtp_reorder_tick(reorder, arrived_ns);
	return 0;
}

const struct rtp_reorder_stats *
rtp_reorder_stats(const struct rtp_reorder *reorder)
{
	return &reorder->stats;
}
