/*
 * Measuring the way to a viewer. Its clock is not ours: only differences of delays are used,
 * against the least delay of the last seconds, which is taken for the way without a queue.
 */
#include "config.h"

#include "rtc/estimate_way.h"

#include <stddef.h>
#include <string.h>

#define NS_PER_US       INT64_C(1000)
#define NS_PER_MS       INT64_C(1000000)
#define NS_PER_S        INT64_C(1000000000)
#define LEAST_PERIOD_NS (10 * NS_PER_S)
#define SENT_PERIOD_NS  (500 * NS_PER_MS)
#define SILENCE_NS      (500 * NS_PER_MS) /* browsers report every 50 to 250 ms */
#define SPAN_MIN_US     10000             /* arrivals closer together tell no rate */
#define BEGIN_ENOUGH    4u                /* packets that tell a rate by themselves */
#define BEGIN_SPAN_US   1000
#define LOSS_ENOUGH     20u /* packets */
#define WAY_ABSURD_US   (60 * INT64_C(1000000))

static void
least_init(struct rtc_way_least *least, int64_t now_ns)
{
	*least = (struct rtc_way_least){ { INT64_MAX, INT64_MAX }, now_ns };
}

static int64_t
least_of(const struct rtc_way_least *least)
{
	return least->value[0] < least->value[1] ? least->value[0] : least->value[1];
}

static void
least_add(struct rtc_way_least *least, int64_t value, int64_t now_ns)
{
	if (now_ns - least->began_ns > LEAST_PERIOD_NS) {
		least->value[1] = least->value[0];
		least->value[0] = INT64_MAX;
		least->began_ns = now_ns;
	}
	if (value < least->value[0])
		least->value[0] = value;
}

void
rtc_way_init(struct rtc_way *way, int64_t now_ns)
{
	memset(way, 0, sizeof(*way));
	way->round_trip_us = -1;
	way->sent_began_ns = now_ns;
	least_init(&way->least_way, now_ns);
	least_init(&way->least_round_trip, now_ns);
	for (unsigned i = 0; i < WAY_LOSS_BUCKETS; i++)
		way->losses[i].number = INT64_MIN;
}

static void
forget(struct rtc_way *way, struct rtc_way_sent *sent)
{
	way->in_flight -= sent->bytes;
	sent->bytes = 0;
}

static void
count_sent(struct rtc_way *way, unsigned bytes, int64_t now_ns)
{
	int64_t took_ns = now_ns - way->sent_began_ns;

	way->sent_bytes += bytes;
	if (took_ns < SENT_PERIOD_NS)
		return;
	way->sent_bps = (uint64_t)way->sent_bytes * 8 * 1000 / (uint64_t)(took_ns / NS_PER_MS);
	way->sent_bytes = 0;
	way->sent_began_ns = now_ns;
}

/* What is before seq will not be heard of any more. */
static void
forget_until(struct rtc_way *way, uint16_t seq)
{
	while ((int16_t)(uint16_t)(seq - way->oldest) > 0) {
		struct rtc_way_sent *sent = &way->sent[way->oldest % WAY_SENT_PACKETS];

		if (sent->seq == way->oldest)
			forget(way, sent);
		way->oldest++;
	}
}

void
rtc_way_on_sent(struct rtc_way *way, uint16_t seq, unsigned bytes, int64_t now_ns)
{
	struct rtc_way_sent *sent = &way->sent[seq % WAY_SENT_PACKETS];

	if (!way->has_sent)
		way->oldest = seq;
	forget_until(way, (uint16_t)(seq - (WAY_SENT_PACKETS - 1)));
	forget(way, sent);
	*sent = (struct rtc_way_sent){ .at_us = (uint32_t)(now_ns / NS_PER_US),
				       .seq = seq,
				       .bytes = bytes < UINT16_MAX ? (uint16_t)bytes : UINT16_MAX };
	way->in_flight += sent->bytes;
	way->has_sent = true;
	way->sent_ns = now_ns;
	count_sent(way, bytes, now_ns);
}

static struct rtc_way_sent *
find_sent(struct rtc_way *way, uint16_t seq)
{
	struct rtc_way_sent *sent = &way->sent[seq % WAY_SENT_PACKETS];

	return sent->bytes > 0 && sent->seq == seq ? sent : NULL;
}

static void
count_loss(struct rtc_way *way, unsigned came, unsigned lost, int64_t now_ns)
{
	int64_t number = now_ns / WAY_LOSS_BUCKET_NS;
	struct rtc_way_loss *bucket = &way->losses[(uint64_t)number % WAY_LOSS_BUCKETS];

	if (bucket->number != number)
		*bucket = (struct rtc_way_loss){ .number = number };
	bucket->came += came;
	bucket->lost += lost;
}

/* What one feedback adds up to. */
struct tally {
	unsigned came, lost;
	uint64_t bytes;
	int64_t least_way_us, least_ever_us; /* INT64_MAX: none */
	int64_t first_arrival_us, last_arrival_us;
	unsigned first_bytes; /* of the packet that came first */
};

static void
tally_packet(struct rtc_way *way, uint16_t seq, int64_t arrival_us, bool has_come,
	     bool is_late_half, int64_t now_ns, struct tally *tally)
{
	struct rtc_way_sent *sent = find_sent(way, seq);
	int64_t now_us = now_ns / NS_PER_US, way_us;

	if (sent == NULL)
		return;
	if (!has_come) {
		/* It may still be on its way and be told of by the next one. */
		tally->lost++;
		forget(way, sent);
		return;
	}
	way_us = arrival_us - (now_us - (int64_t)((uint32_t)now_us - sent->at_us));
	tally->came++;
	tally->bytes += sent->bytes;
	/* The later half of them: what is waiting now, not what waited when it began. */
	if (is_late_half && way_us < tally->least_way_us)
		tally->least_way_us = way_us;
	if (way_us < tally->least_ever_us)
		tally->least_ever_us = way_us;
	if (tally->came == 1) {
		tally->first_arrival_us = arrival_us;
		tally->first_bytes = sent->bytes;
	}
	if (arrival_us > tally->last_arrival_us)
		tally->last_arrival_us = arrival_us;
	forget(way, sent);
}

static void
tally_feedback(struct rtc_way *way, const struct rtc_rtcp_twcc *twcc, int64_t now_ns,
	       struct tally *tally)
{
	int64_t arrival_us = twcc->reference_us;

	for (unsigned i = 0; i < twcc->count; i++) {
		bool has_come = twcc->delta_us[i] != RTC_RTCP_TWCC_LOST;

		if (has_come)
			arrival_us += twcc->delta_us[i];
		tally_packet(way, (uint16_t)(twcc->base_seq + i), arrival_us, has_come,
			     i >= twcc->count / 2u, now_ns, tally);
	}
}

/* The first feedback has none before it: what came behind its own first packet. */
static void
begin_carried(struct rtc_way *way, const struct tally *tally)
{
	int64_t span_us = tally->last_arrival_us - tally->first_arrival_us;

	if (tally->came >= BEGIN_ENOUGH)
		way->recent_bps = (tally->bytes - tally->first_bytes) * 8 * 1000000 /
				  (uint64_t)(span_us > BEGIN_SPAN_US ? span_us : BEGIN_SPAN_US);
	way->last_arrival_us = tally->last_arrival_us;
}

/* Bytes between the last arrival that the feedback before told of, and the last of this one. */
static void
update_carried(struct rtc_way *way, const struct tally *tally)
{
	int64_t span_us = tally->last_arrival_us - way->last_arrival_us;
	uint64_t bps;

	if (!way->has_feedback) {
		begin_carried(way, tally);
		return;
	}
	/* Its clock wrapped around (24 bits of 64 ms: every 12 days), or jumped. */
	if (span_us < -WAY_ABSURD_US) {
		way->last_arrival_us = tally->last_arrival_us;
		return;
	}
	if (span_us < SPAN_MIN_US)
		return;
	if (span_us < 2 * (int64_t)1000000) {
		bps = tally->bytes * 8 * 1000000 / (uint64_t)span_us;
		way->recent_bps = bps;
		way->carried_bps = way->carried_bps > 0 ? (way->carried_bps * 2 + bps) / 3 : bps;
	}
	way->last_arrival_us = tally->last_arrival_us;
}

static void
update_least(struct rtc_way *way, int64_t way_us, int64_t now_ns)
{
	int64_t least = least_of(&way->least_way);

	/* Its clock jumped, or wrapped around: begin anew. */
	if (least != INT64_MAX &&
	    (way_us - least > WAY_ABSURD_US || least - way_us > WAY_ABSURD_US))
		least_init(&way->least_way, now_ns);
	least_add(&way->least_way, way_us, now_ns);
}

static void
set_queue(struct rtc_way *way, int64_t queue_us, int64_t now_ns)
{
	way->queue_us = queue_us;
	way->heard_ns = now_ns;
	if (queue_us < WAY_QUEUE_US)
		way->queued_since_ns = 0;
	else if (way->queued_since_ns == 0)
		way->queued_since_ns = now_ns;
}

void
rtc_way_on_twcc(struct rtc_way *way, const struct rtc_rtcp_twcc *twcc, int64_t now_ns)
{
	struct tally tally = { .least_way_us = INT64_MAX,
			       .least_ever_us = INT64_MAX,
			       .last_arrival_us = INT64_MIN };

	/* A feedback that was lost is not sent again: the next one begins behind it. */
	if (way->has_sent && (uint16_t)(twcc->base_seq - way->oldest) < WAY_SENT_PACKETS)
		forget_until(way, twcc->base_seq);
	tally_feedback(way, twcc, now_ns, &tally);
	count_loss(way, tally.came, tally.lost, now_ns);
	if (tally.came == 0)
		return;
	update_least(way, tally.least_ever_us, now_ns);
	if (tally.least_way_us != INT64_MAX)
		set_queue(way, tally.least_way_us - least_of(&way->least_way), now_ns);
	update_carried(way, &tally);
	way->has_feedback = true;
	way->feedbacks++;
	way->feedback_ns = now_ns;
}

void
rtc_way_on_report(struct rtc_way *way, const struct rtc_rtcp_report *report, int64_t round_trip_us,
		  int64_t now_ns)
{
	/* With transport-wide feedback each packet was counted already. */
	if (!way->has_feedback)
		count_loss(way, 256u * LOSS_ENOUGH - report->fraction_lost * LOSS_ENOUGH,
			   report->fraction_lost * LOSS_ENOUGH, now_ns);
	if (round_trip_us < 0)
		return;
	way->round_trip_us = round_trip_us;
	least_add(&way->least_round_trip, round_trip_us, now_ns);
	if (!way->has_feedback)
		set_queue(way, round_trip_us - least_of(&way->least_round_trip), now_ns);
}

void
rtc_way_on_remb(struct rtc_way *way, uint64_t bits_per_s, int64_t now_ns)
{
	way->remb_bps = bits_per_s;
	way->remb_ns = now_ns;
}

/* Something was sent since the last feedback, and nobody has said anything for too long. */
static bool
is_silent(const struct rtc_way *way, int64_t now_ns)
{
	return way->has_feedback && way->in_flight > 0 && way->sent_ns > way->feedback_ns &&
	       now_ns - way->feedback_ns > SILENCE_NS;
}

int64_t
rtc_way_queue_us(const struct rtc_way *way, int64_t now_ns)
{
	int64_t silence_us = (now_ns - way->feedback_ns) / NS_PER_US;

	if (is_silent(way, now_ns) && silence_us > way->queue_us)
		return silence_us;
	return way->queue_us;
}

int64_t
rtc_way_queued_ns(const struct rtc_way *way)
{
	return way->queued_since_ns > 0 ? way->heard_ns - way->queued_since_ns : 0;
}

int64_t
rtc_way_silent_ns(const struct rtc_way *way, int64_t now_ns)
{
	return is_silent(way, now_ns) ? now_ns - way->feedback_ns : 0;
}

bool
rtc_way_lost_percent(const struct rtc_way *way, int64_t now_ns, unsigned *percent)
{
	int64_t number = now_ns / WAY_LOSS_BUCKET_NS;
	uint64_t came = 0, lost = 0;

	for (unsigned i = 0; i < WAY_LOSS_BUCKETS; i++) {
		if (way->losses[i].number <= number - (int64_t)WAY_LOSS_BUCKETS)
			continue;
		came += way->losses[i].came;
		lost += way->losses[i].lost;
	}
	if (came + lost < LOSS_ENOUGH)
		return false;
	*percent = (unsigned)(lost * 100 / (came + lost));
	return true;
}
