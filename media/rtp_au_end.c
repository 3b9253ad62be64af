/*
 * The verdict on the marker bit. Quick to distrust (a wrong end breaks pictures), slow to trust
 * again: only pictures of several slices show whether each has the bit, and a camera that broke its
 * word must keep it four times as long the next time.
 */
#include "config.h"

#include "media/rtp_au_end.h"

#define NEVER_AT_START 2 /* units: within 2 s at one picture a second */
#define CHANGE_UNITS   8 /* from "never" to "as it should be" and back */
#define TRUST_FIRST                                                                                \
	500u /* points; longer than the usual GOP when only its key frames have slices */
#define TRUST_MAX     (1u << 24)
#define POINTS_SLICES 10u /* so 50 units of several slices are enough */

static void
decide(struct rtp_au_watch *watch, enum rtp_au_end how)
{
	watch->how = how;
	watch->run = 0;
}

/* The answer holds, or a row of `units` against it makes it `other`. */
static void
weigh(struct rtp_au_watch *watch, bool holds, unsigned units, enum rtp_au_end other)
{
	watch->run = holds ? 0 : watch->run + 1;
	if (watch->run >= units)
		decide(watch, other);
}

static void
weigh_each_slice(struct rtp_au_watch *watch, bool is_right, unsigned slices)
{
	if (!is_right) {
		watch->run = 0;
		return;
	}
	watch->run += slices > 1 ? POINTS_SLICES : 1;
	if (watch->run >= watch->needed)
		decide(watch, RTP_AU_END_MARKER);
}

void
rtp_au_watch_unit(struct rtp_au_watch *watch, unsigned markers, bool is_last_marked,
		  unsigned slices)
{
	switch (watch->how) {
	case RTP_AU_END_UNKNOWN:
		if (markers > 0)
			decide(watch, RTP_AU_END_MARKER);
		else
			weigh(watch, false, NEVER_AT_START, RTP_AU_END_NEVER);
		break;
	case RTP_AU_END_MARKER:
		weigh(watch, markers > 0, CHANGE_UNITS, RTP_AU_END_NEVER);
		break;
	case RTP_AU_END_NEVER:
		weigh(watch, markers == 0, CHANGE_UNITS, RTP_AU_END_MARKER);
		break;
	case RTP_AU_END_EACH_SLICE:
		weigh_each_slice(watch, markers == 1 && is_last_marked, slices);
		break;
	}
}

void
rtp_au_watch_went_on(struct rtp_au_watch *watch)
{
	if (watch->needed == 0)
		watch->needed = TRUST_FIRST;
	else if (watch->how != RTP_AU_END_EACH_SLICE && watch->needed < TRUST_MAX)
		watch->needed *= 4;
	decide(watch, RTP_AU_END_EACH_SLICE);
}
