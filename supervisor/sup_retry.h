/*
 * When a stream is tried again: pure functions over one stream's account (docs/architecture.md,
 * "Restarts"). All times are nanoseconds of the clock that the caller uses, 0 means never.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_RETRY_H
#define CAMHUB_SUPERVISOR_SUP_RETRY_H

#include "shared/backoff.h"

#include <stdbool.h>
#include <stdint.h>

#define SUP_RETRY_ANSWERED_MS       1000 /* TCP answers, the camera's server does not yet: so often, */
#define SUP_RETRY_ANSWERED_FOR_MS   60000 /* for so long; then the restart schedule */
#define SUP_RETRY_PROBE_MS          1000  /* an unreachable camera is asked so often, */
#define SUP_RETRY_PROBE_FAST_FOR_MS 600000
#define SUP_RETRY_PROBE_SLOW_MS     5000 /* and after ten minutes so often */

struct sup_account {
	unsigned early_deaths; /* in a row, before having delivered for good_ms */
	int64_t started_ns;    /* the latest incarnation */
	int64_t up_since_ns;   /* it delivers since then; 0: it does not now */
	int64_t delivered_ms;  /* what the latest incarnation delivered before up_since_ns */
	int64_t answered_ns;   /* TCP first answered in this trouble */
	int64_t silent_ns;     /* the first of the unanswered connects in a row */
	int64_t asked_ns;      /* the latest connect or lookup began */
};

void sup_account_on_start(struct sup_account *account, int64_t now_ns);
void sup_account_on_up(struct sup_account *account, int64_t now_ns);
void sup_account_on_down(struct sup_account *account, int64_t now_ns); /* stalled, ended, dead */
void sup_account_on_answer(struct sup_account *account, int64_t now_ns);
void sup_account_on_silence(struct sup_account *account, int64_t now_ns);

/*
 * Delay before the next start after the latest incarnation was reaped, in ms. source_failed: it
 * said that the source was lost or refused, in order (exit 75); else it crashed. Counts early
 * deaths.
 */
int64_t sup_retry_ms(const struct backoff_policy *policy, struct sup_account *account,
		     bool source_failed, int64_t now_ns, uint32_t random);

/* Delay until the next connect, and how long each may take. */
int64_t sup_retry_probe_ms(const struct sup_account *account, int64_t now_ns);
int64_t sup_retry_probe_timeout_ms(const struct sup_account *account, int64_t now_ns);

#endif
