/*
 * From what a link does to what should be sent over it. Down at once, when a queue stays or when
 * most of what is sent is lost; up after the link was calm for a while, which doubles each time
 * that going up was a mistake. A loss that does not shrink when less is sent is the link's, not
 * ours.
 */
#include "config.h"

#include "rtc/estimate.h"
#include "rtc/estimate_way.h"

#include <stdlib.h>

#define NS_PER_MS      INT64_C(1000000)
#define NS_PER_S       INT64_C(1000000000)
#define US_PER_MS      INT64_C(1000)

#define QUEUED_NS      (250 * NS_PER_MS)  /* a queue that lasts so long is no burst */
#define SILENT_NS      (1500 * NS_PER_MS) /* Wi-Fi that looks around stalls for less */
#define DRAIN_NS       (1500 * NS_PER_MS) /* for the queue to go, after a step down */
#define CALM_US        (50 * US_PER_MS)
#define CALM_PERCENT   10u
#define LOST_PERCENT   30u
#define LOST_NS        (2 * NS_PER_S)
#define JUDGE_NS       (4 * NS_PER_S) /* after it, whether a step down helped against loss */
#define NOT_OURS_NS    (60 * NS_PER_S)
#define UP_NS          (8 * NS_PER_S)
#define UP_MAX_NS      (120 * NS_PER_S)
#define MISTAKE_NS     (10 * NS_PER_S) /* down again so soon: going up was one */
#define REMB_NS        (5 * NS_PER_S)  /* how long one is believed */
#define PROBE_NS       (200 * NS_PER_MS)
#define FULL_MS        350 /* of what is carried may be on the way */
#define FULL_MIN_BYTES 16384u
#define BLIND_BYTES    (256u << 10) /* the same while there is no queue */
#define YOUNG          4u           /* feedbacks: before them "no queue" says little */
#define YOUNG_BYTES    (64u << 10)

struct rtc_estimate {
	struct rtc_way way;
	enum rtc_advice advice;
	int64_t changed_ns;                    /* advice, or what is sent */
	int64_t calm_since_ns, lossy_since_ns; /* 0: not */
	int64_t up_after_ns;
	int64_t went_up_ns;           /* 0: never */
	bool is_judged, is_for_loss;  /* the last step down */
	unsigned lost_before_percent; /* at the last step down */
	int64_t not_ours_until_ns;
};

const char *
rtc_advice_name(enum rtc_advice advice)
{
	static const char *const names[] = { "ok", "thin", "keys-only" };

	return names[advice];
}

struct rtc_estimate *
rtc_estimate_new(int64_t now_ns)
{
	struct rtc_estimate *estimate = calloc(1, sizeof(*estimate));

	if (estimate == NULL)
		return NULL;
	rtc_way_init(&estimate->way, now_ns);
	estimate->changed_ns = now_ns;
	estimate->up_after_ns = UP_NS;
	return estimate;
}

void
rtc_estimate_free(struct rtc_estimate **estimate)
{
	free(*estimate);
	*estimate = NULL;
}

void
rtc_estimate_on_sent(struct rtc_estimate *estimate, uint16_t twcc_seq, unsigned bytes,
		     int64_t now_ns)
{
	rtc_way_on_sent(&estimate->way, twcc_seq, bytes, now_ns);
}

void
rtc_estimate_on_twcc(struct rtc_estimate *estimate, const struct rtc_rtcp_twcc *twcc,
		     int64_t now_ns)
{
	rtc_way_on_twcc(&estimate->way, twcc, now_ns);
}

void
rtc_estimate_on_report(struct rtc_estimate *estimate, const struct rtc_rtcp_report *report,
		       int64_t round_trip_us, int64_t now_ns)
{
	rtc_way_on_report(&estimate->way, report, round_trip_us, now_ns);
}

void
rtc_estimate_on_remb(struct rtc_estimate *estimate, uint64_t bits_per_s, int64_t now_ns)
{
	rtc_way_on_remb(&estimate->way, bits_per_s, now_ns);
}

void
rtc_estimate_note_change(struct rtc_estimate *estimate, int64_t now_ns)
{
	estimate->changed_ns = now_ns;
	estimate->calm_since_ns = 0;
	estimate->lossy_since_ns = 0;
}

static bool
is_remb_believed(const struct rtc_way *way, int64_t now_ns)
{
	return way->remb_bps > 0 && now_ns - way->remb_ns < REMB_NS && !way->has_feedback;
}

/* A queue that stays; or the viewer says that it cannot have so much. */
static bool
is_queued(const struct rtc_way *way, int64_t now_ns)
{
	if (is_remb_believed(way, now_ns) && way->sent_bps > 0 &&
	    way->remb_bps < way->sent_bps * 4 / 5)
		return true;
	return rtc_way_queued_ns(way) >= QUEUED_NS || rtc_way_silent_ns(way, now_ns) >= SILENT_NS;
}

static unsigned
lost_percent(const struct rtc_way *way, int64_t now_ns)
{
	unsigned percent = 0;

	(void)rtc_way_lost_percent(way, now_ns, &percent);
	return percent;
}

static bool
is_lossy(struct rtc_estimate *estimate, int64_t now_ns)
{
	if (lost_percent(&estimate->way, now_ns) < LOST_PERCENT ||
	    now_ns < estimate->not_ours_until_ns) {
		estimate->lossy_since_ns = 0;
		return false;
	}
	if (estimate->lossy_since_ns == 0)
		estimate->lossy_since_ns = now_ns;
	return now_ns - estimate->lossy_since_ns >= LOST_NS;
}

static bool
is_calm(struct rtc_estimate *estimate, int64_t now_ns)
{
	const struct rtc_way *way = &estimate->way;

	if (rtc_way_queue_us(way, now_ns) > CALM_US ||
	    (lost_percent(way, now_ns) > CALM_PERCENT && now_ns >= estimate->not_ours_until_ns)) {
		estimate->calm_since_ns = 0;
		return false;
	}
	if (estimate->calm_since_ns == 0)
		estimate->calm_since_ns = now_ns;
	return now_ns - estimate->calm_since_ns >= estimate->up_after_ns;
}

static void
step_down(struct rtc_estimate *estimate, bool is_for_loss, int64_t now_ns)
{
	bool was_mistake = estimate->went_up_ns > 0 && now_ns - estimate->went_up_ns < MISTAKE_NS;

	if (was_mistake && estimate->up_after_ns < UP_MAX_NS)
		estimate->up_after_ns *= 2;
	else if (!was_mistake && estimate->advice == RTC_ADVICE_OK)
		estimate->up_after_ns = UP_NS;
	estimate->went_up_ns = 0;
	estimate->is_for_loss = is_for_loss;
	estimate->is_judged = false;
	estimate->lost_before_percent = lost_percent(&estimate->way, now_ns);
	estimate->advice++;
	rtc_estimate_note_change(estimate, now_ns);
}

static void
step_up(struct rtc_estimate *estimate, int64_t now_ns)
{
	estimate->advice--;
	estimate->went_up_ns = now_ns;
	rtc_estimate_note_change(estimate, now_ns);
}

/* It is not known yet whether the last step down helped against the loss. */
static bool
is_judging(const struct rtc_estimate *estimate)
{
	return estimate->is_for_loss && !estimate->is_judged && estimate->advice != RTC_ADVICE_OK;
}

/* Sending less did not help against the loss: then it was not we who filled the link. */
static bool
is_loss_not_ours(struct rtc_estimate *estimate, int64_t now_ns)
{
	unsigned percent;

	if (!is_judging(estimate) || now_ns - estimate->changed_ns < JUDGE_NS ||
	    !rtc_way_lost_percent(&estimate->way, now_ns, &percent))
		return false;
	estimate->is_judged = true;
	return percent * 4 >= estimate->lost_before_percent * 3;
}

enum rtc_advice
rtc_estimate_advice(struct rtc_estimate *estimate, int64_t now_ns)
{
	bool may_step =
	    estimate->advice == RTC_ADVICE_OK || now_ns - estimate->changed_ns >= DRAIN_NS;
	bool queued = is_queued(&estimate->way, now_ns), lossy = is_lossy(estimate, now_ns);
	bool calm = is_calm(estimate, now_ns);

	if (is_loss_not_ours(estimate, now_ns)) {
		estimate->not_ours_until_ns = now_ns + NOT_OURS_NS;
		step_up(estimate, now_ns);
		estimate->went_up_ns = 0;
	} else if (may_step && (queued || (lossy && !is_judging(estimate))) &&
		   estimate->advice < RTC_ADVICE_KEYS_ONLY) {
		step_down(estimate, !queued, now_ns);
	} else if (calm && estimate->advice > RTC_ADVICE_OK) {
		step_up(estimate, now_ns);
	}
	return estimate->advice;
}

bool
rtc_estimate_is_blind(const struct rtc_estimate *estimate)
{
	return !estimate->way.has_feedback;
}

/* Without a queue the link carries at least what it carried: how much more, is not known. With one
 * it carries what arrived of late, and what is on the way is the queue. */
bool
rtc_estimate_is_full(const struct rtc_estimate *estimate, int64_t now_ns)
{
	const struct rtc_way *way = &estimate->way;
	uint64_t most;

	/* Now and then something must go out, or nobody would ever say again how it went. */
	if (!way->has_feedback || now_ns - way->sent_ns >= PROBE_NS)
		return false;
	most = way->recent_bps / 8 * FULL_MS / 1000;
	if (way->feedbacks < YOUNG)
		return way->in_flight > (most > YOUNG_BYTES ? most : YOUNG_BYTES);
	if (rtc_way_queue_us(way, now_ns) < CALM_US || way->recent_bps == 0) {
		most = way->carried_bps / 8 * FULL_MS * 4 / 1000;
		return way->in_flight > (most > BLIND_BYTES ? most : BLIND_BYTES);
	}
	return way->in_flight > (most > FULL_MIN_BYTES ? most : FULL_MIN_BYTES);
}

int64_t
rtc_estimate_wait_us(const struct rtc_estimate *estimate, int64_t now_ns)
{
	const struct rtc_way *way = &estimate->way;

	if (!way->has_feedback || way->recent_bps == 0 || rtc_way_queue_us(way, now_ns) < CALM_US)
		return 0;
	return (int64_t)((uint64_t)way->in_flight * 8 * 1000000 / way->recent_bps);
}

void
rtc_estimate_look(const struct rtc_estimate *estimate, int64_t now_ns,
		  struct rtc_estimate_state *state)
{
	const struct rtc_way *way = &estimate->way;

	*state = (struct rtc_estimate_state){
		.rate_bps = is_remb_believed(way, now_ns) ? way->remb_bps : way->carried_bps,
		.sent_bps = way->sent_bps,
		.lost_percent = lost_percent(way, now_ns),
		.round_trip_us = way->round_trip_us,
		.queue_us = rtc_way_queue_us(way, now_ns),
	};
}
