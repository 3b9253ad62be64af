/*
 * Small windows over frames, groups of pictures and packets, and a table of what to say.
 */
#include "config.h"

#include "publish/wrk_advice.h"

#include "shared/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_GOP_S     4.0
#define VERY_LONG_S    10.0 /* nobody sets that by hand: a smart codec */
#define VARYING_GOPS   3u   /* so many are needed to say that they vary */
#define VARYING_FACTOR 2.5
#define VARYING_MIN_S  3.0 /* of the longest: scene cuts make short ones too */
#define STEADY_FROM    64u /* intervals */
#define UNSTEADY       1.5 /* a tenth of the intervals is that much longer than the middle one */
#define TICK_NS        (NS_PER_S * 9 / 10)
#define LOST_MIN       10u
#define LOST_SHARE_MIN 0.001

/* Frames */

void
wrk_advice_frame(struct wrk_advice *advice, int64_t dts_ns, bool is_key, bool is_gap)
{
	bool follows = advice->has_frame && !is_gap && dts_ns > advice->last_ns;

	if (follows)
		advice->intervals_ns[advice->n_intervals++ % WRK_ADVICE_INTERVALS] =
		    dts_ns - advice->last_ns;
	else
		advice->has_gop = false;
	if (is_key) {
		if (advice->has_gop)
			advice->gops_ns[advice->n_gops++ % WRK_ADVICE_GOPS] =
			    dts_ns - advice->gop_start_ns;
		advice->gop_start_ns = dts_ns;
		advice->has_gop = true;
	}
	advice->last_ns = dts_ns;
	advice->has_frame = true;
}

void
wrk_advice_tick(struct wrk_advice *advice, int64_t now_ns, const struct wrk_input_report *report)
{
	size_t n = advice->n_ticks;

	if (n > 0 && now_ns - advice->ticks[n - 1].at_ns < TICK_NS)
		return;
	if (n == WRK_ADVICE_TICKS) {
		n--;
		memmove(advice->ticks, advice->ticks + 1, n * sizeof(advice->ticks[0]));
	}
	advice->ticks[n] = (struct wrk_advice_tick){ now_ns, report->packets, report->lost };
	advice->n_ticks = n + 1;
}

/* What is seen */

struct range {
	double low, high;
};

/* Seconds; false: too few. */
static bool
range_of_gops(const struct wrk_advice *advice, struct range *range)
{
	size_t n = advice->n_gops < WRK_ADVICE_GOPS ? advice->n_gops : WRK_ADVICE_GOPS;

	for (size_t i = 0; i < n; i++) {
		double s = (double)advice->gops_ns[i] / (double)NS_PER_S;

		if (i == 0 || s < range->low)
			range->low = s;
		if (i == 0 || s > range->high)
			range->high = s;
	}
	return n >= VARYING_GOPS;
}

/* Seconds from key frame to key frame: of the last group, or of this one if it is longer by now. */
static double
gop_length(const struct wrk_advice *advice)
{
	int64_t last =
	    advice->n_gops > 0 ? advice->gops_ns[(advice->n_gops - 1) % WRK_ADVICE_GOPS] : 0;
	int64_t current = advice->has_gop ? advice->last_ns - advice->gop_start_ns : 0;

	return (double)(current > last ? current : last) / (double)NS_PER_S;
}

static int
compare_times(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Frames per second of the slowest and the fastest tenth; false: they are steady, or too few. */
static bool
is_unsteady(const struct wrk_advice *advice, struct range *fps)
{
	size_t n =
	    advice->n_intervals < WRK_ADVICE_INTERVALS ? advice->n_intervals : WRK_ADVICE_INTERVALS;
	int64_t sorted[WRK_ADVICE_INTERVALS], low, middle, high;

	if (n < STEADY_FROM)
		return false;
	memcpy(sorted, advice->intervals_ns, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare_times);
	low = sorted[n / 10];
	middle = sorted[n / 2];
	high = sorted[n - 1 - n / 10];
	if ((double)high < UNSTEADY * (double)middle && (double)middle < UNSTEADY * (double)low)
		return false;
	fps->low = (double)NS_PER_S / (double)high;
	fps->high = (double)NS_PER_S / (double)low;
	return true;
}

/* Share of the packets of the last minute; 0: too little to speak of. */
static double
lost_share(const struct wrk_advice *advice)
{
	const struct wrk_advice_tick *first = &advice->ticks[0], *last;
	uint64_t lost, all;

	if (advice->n_ticks < 2)
		return 0;
	last = &advice->ticks[advice->n_ticks - 1];
	if (last->lost < first->lost || last->packets < first->packets)
		return 0;
	lost = last->lost - first->lost;
	all = lost + last->packets - first->packets;
	if (lost < LOST_MIN || (double)lost < LOST_SHARE_MIN * (double)all)
		return 0;
	return (double)lost / (double)all;
}

/* What is said: each writes a text into out (of WRK_ADVICE_BYTES), or returns false */

#define SAY(...) (snprintf(out, WRK_ADVICE_BYTES, __VA_ARGS__) > 0)

static bool
say_loss(const struct wrk_advice *advice, const struct wrk_advice_facts *facts, char *out)
{
	const char *transport = facts->report->transport;
	double share = lost_share(advice);

	if (transport == NULL || strcmp(transport, "udp") != 0 || share == 0)
		return false;
	return SAY("%.2g %% of the packets were lost in the last minute (UDP): read the camera "
		   "with transport: tcp, or look at the network",
		   100 * share);
}

static bool
say_gop(const struct wrk_advice *advice, const struct wrk_advice_facts *facts, char *out)
{
	double length = gop_length(advice);
	struct range range;

	if (!facts->is_video)
		return false;
	if (range_of_gops(advice, &range) && range.high >= VARYING_MIN_S &&
	    range.high >= VARYING_FACTOR * range.low)
		return SAY("key frames come at intervals between %.1f and %.1f s, as a \"smart "
			   "codec\" (H.264+, H.265+, Zipstream) makes them: turn it off in the "
			   "camera",
			   range.low, range.high);
	if (length >= VERY_LONG_S)
		return SAY("a key frame comes only every %.0f s or less often: set the camera's "
			   "key frame interval (I-frame interval, GOP) to 1 or 2 s, and turn off "
			   "its \"smart codec\" (H.264+, H.265+, Zipstream)",
			   length);
	if (length > LONG_GOP_S)
		return SAY("a key frame comes only every %.1f s: set the camera's key frame "
			   "interval (I-frame interval, GOP) to 1 or 2 s",
			   length);
	return false;
}

static bool
say_b_frames(const struct wrk_advice *advice, const struct wrk_advice_facts *facts, char *out)
{
	(void)advice;
	return facts->has_b_frames &&
	       SAY("B-frames delay the picture by a frame or more: turn them off in the camera, "
		   "or choose its Baseline profile");
}

static bool
say_marker(const struct wrk_advice *advice, const struct wrk_advice_facts *facts, char *out)
{
	(void)advice;
	if (facts->report->marker == WRK_MARKER_NEVER)
		return SAY(
		    "the camera does not mark the end of a picture (RTP marker bit), so that "
		    "each waits for the next one: look for newer firmware");
	if (facts->report->marker == WRK_MARKER_EACH_SLICE)
		return SAY("the camera marks each slice as the end of a picture (RTP marker bit), "
			   "so that each picture waits for the next one: set one slice a picture, "
			   "or look for newer firmware");
	return false;
}

static bool
say_unsteady(const struct wrk_advice *advice, const struct wrk_advice_facts *facts, char *out)
{
	struct range fps;

	if (facts->has_b_frames || !is_unsteady(advice, &fps))
		return false;
	return SAY("the frame rate is unsteady (%.0f to %.0f a second): turn off slow shutter and "
		   "variable frame rate in the camera, or ask less of it",
		   fps.low, fps.high);
}

static bool
say_clock(const struct wrk_advice *advice, const struct wrk_advice_facts *facts, char *out)
{
	(void)advice;
	return facts->report->clock == WRK_CLOCK_UNSYNCED &&
	       SAY("the camera's clock is not set: give it a time server (NTP)");
}

static bool
say_cache(const struct wrk_advice *advice, const struct wrk_advice_facts *facts, char *out)
{
	(void)advice;
	return facts->is_video && facts->is_gop_too_large &&
	       SAY("the group of pictures is too large to be kept, so viewers wait for the next "
		   "key frame: shorten the key frame interval or raise bus: gop_cache:");
}

size_t
wrk_advice_texts(const struct wrk_advice *advice, const struct wrk_advice_facts *facts,
		 char texts[WRK_ADVICE_MAX][WRK_ADVICE_BYTES])
{
	static bool (*const rules[])(const struct wrk_advice *, const struct wrk_advice_facts *,
				     char *) = { say_loss,     say_gop,   say_b_frames, say_marker,
						 say_unsteady, say_clock, say_cache };
	size_t n = 0;

	_Static_assert(sizeof(rules) / sizeof(rules[0]) <= WRK_ADVICE_MAX, "room for each");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i](advice, facts, texts[n]))
			n++;
	return n;
}
