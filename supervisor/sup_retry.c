/*
 * The restart account of one stream. An incarnation that delivered long enough wipes it clean; a
 * camera whose TCP answers again gets a minute of quick tries before its failures count.
 */
#include "config.h"

#include "supervisor/sup_retry.h"

#define NS_IN_MS 1000000LL

void
sup_account_on_start(struct sup_account *account, int64_t now_ns)
{
	account->started_ns = now_ns;
	account->up_since_ns = 0;
	account->delivered_ms = 0;
}

void
sup_account_on_up(struct sup_account *account, int64_t now_ns)
{
	if (account->up_since_ns == 0)
		account->up_since_ns = now_ns;
}

void
sup_account_on_down(struct sup_account *account, int64_t now_ns)
{
	if (account->up_since_ns != 0)
		account->delivered_ms += (now_ns - account->up_since_ns) / NS_IN_MS;
	account->up_since_ns = 0;
}

void
sup_account_on_answer(struct sup_account *account, int64_t now_ns)
{
	account->silent_ns = 0;
	if (account->answered_ns == 0)
		account->answered_ns = now_ns;
}

void
sup_account_on_silence(struct sup_account *account, int64_t now_ns)
{
	account->answered_ns = 0;
	if (account->silent_ns == 0)
		account->silent_ns = now_ns;
}

static int64_t
at_least_zero(int64_t ms)
{
	return ms > 0 ? ms : 0;
}

int64_t
sup_retry_ms(const struct backoff_policy *policy, struct sup_account *account, bool source_failed,
	     int64_t now_ns, uint32_t random)
{
	int64_t age_ms = (now_ns - account->started_ns) / NS_IN_MS;

	sup_account_on_down(account, now_ns);
	if (account->delivered_ms >= policy->good_ms) {
		account->answered_ns = 0;
	} else if (source_failed && account->answered_ns != 0 &&
		   (now_ns - account->answered_ns) / NS_IN_MS < SUP_RETRY_ANSWERED_FOR_MS) {
		return at_least_zero(SUP_RETRY_ANSWERED_MS - age_ms);
	}
	return backoff_next_ms(policy, account->delivered_ms, age_ms, &account->early_deaths,
			       random);
}

static bool
is_long_silent(const struct sup_account *account, int64_t now_ns)
{
	return account->silent_ns != 0 &&
	       (now_ns - account->silent_ns) / NS_IN_MS >= SUP_RETRY_PROBE_FAST_FOR_MS;
}

int64_t
sup_retry_probe_ms(const struct sup_account *account, int64_t now_ns)
{
	int64_t interval_ms =
	    is_long_silent(account, now_ns) ? SUP_RETRY_PROBE_SLOW_MS : SUP_RETRY_PROBE_MS;

	return at_least_zero(interval_ms - (now_ns - account->asked_ns) / NS_IN_MS);
}

int64_t
sup_retry_probe_timeout_ms(const struct sup_account *account, int64_t now_ns)
{
	return is_long_silent(account, now_ns) ? SUP_RETRY_PROBE_SLOW_MS : SUP_RETRY_PROBE_MS;
}
