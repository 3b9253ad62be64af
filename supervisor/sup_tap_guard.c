/*
 * What programs on the tap can provoke is bounded: lines in the log, and how often a user is let in
 * whose programs break the rules again and again.
 */
#include "config.h"

#include "supervisor/sup_tap_int.h"

#include "shared/log.h"

#define LINES_MAX  20 /* in a second */
#define FAULTS_MAX 8u /* of one user, in so long: */
#define FAULTS_NS  (8 * NS_PER_S)
#define PAUSE_NS   NS_PER_S /* doubles, at most so many times */
#define PAUSES_MAX 5u
#define FORGET_NS  (60 * NS_PER_S) /* of good behaviour */

bool
sup_tap_may_log(struct sup_tap *tap)
{
	unsigned lost;
	bool is_fine = rate_may_log(&tap->lines, LINES_MAX, NS_PER_S, sup_now_ns(tap->sup), &lost);

	if (lost > 0)
		log_notice("tap: %u more lines like these were suppressed", lost);
	return is_fine;
}

static struct sup_tap_offender *
find(struct sup_tap *tap, uid_t uid)
{
	for (size_t i = 0; i < SUP_TAP_OFFENDERS; i++)
		if (tap->offenders[i].faults_ever > 0 && tap->offenders[i].uid == uid)
			return &tap->offenders[i];
	return NULL;
}

/* In the place of whoever behaved for longest. */
static struct sup_tap_offender *
find_or_make(struct sup_tap *tap, uid_t uid)
{
	struct sup_tap_offender *offender = find(tap, uid), *calmest = &tap->offenders[0];

	if (offender != NULL)
		return offender;
	for (size_t i = 1; i < SUP_TAP_OFFENDERS; i++)
		if (tap->offenders[i].latest_ns < calmest->latest_ns)
			calmest = &tap->offenders[i];
	*calmest = (struct sup_tap_offender){ .uid = uid };
	return calmest;
}

static void
send_away(struct sup_tap *tap, struct sup_tap_offender *offender, int64_t now)
{
	int64_t pause_ns = PAUSE_NS << offender->pauses;

	if (offender->pauses < PAUSES_MAX)
		offender->pauses++;
	offender->faults = (struct rate_window){ .since_ns = now };
	offender->until_ns = offender->latest_ns = now + pause_ns;
	if (sup_tap_may_log(tap))
		log_warn("tap: programs of user %ld break the rules again and again: not let in "
			 "for %lld s",
			 (long)offender->uid, (long long)(pause_ns / NS_PER_S));
}

void
sup_tap_note_fault(struct sup_tap *tap, uid_t uid)
{
	struct sup_tap_offender *offender = find_or_make(tap, uid);
	int64_t now = sup_now_ns(tap->sup);

	if (offender->faults_ever++ > 0 && now - offender->latest_ns > FORGET_NS)
		offender->pauses = 0;
	offender->latest_ns = now;
	if (rate_count(&offender->faults, FAULTS_NS, now) > FAULTS_MAX)
		send_away(tap, offender, now);
}

bool
sup_tap_lets_in(struct sup_tap *tap, uid_t uid)
{
	const struct sup_tap_offender *offender = find(tap, uid);

	return offender == NULL || sup_now_ns(tap->sup) >= offender->until_ns;
}
