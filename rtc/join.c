/*
 * The pace of the group at the beginning.
 */
#include "config.h"

#include "rtc/join.h"

#include "rtc/session.h"
#include "shared/xalloc.h"

#include <openssl/rand.h>

/* Behind the key frame, until the answer: so much at once, then at a rate, which is given up where
 * no feedback ever comes. */
#define BYTES        (48u << 10)
#define BYTES_PER_MS 1000u
#define SLOW_MS      500
#define FASTER       4u
#define NS_PER_US    1000

static int64_t
now_of(const struct rtc_session *session)
{
	return clock_now_ns(session->rtc->front->clock);
}

void
rtc_join_begin(struct rtc_session *session)
{
	session->join = (struct rtc_join){ .since_ns = now_of(session) };
}

void
rtc_join_count(struct rtc_session *session, size_t bytes, bool is_key)
{
	if (is_key)
		session->join.key_bytes += bytes;
	else
		session->join.bytes += bytes;
}

/* What may be sent behind the key frame by now. */
static uint64_t
allowed(const struct rtc_session *session)
{
	const struct rtc_join *join = &session->join;
	int64_t now = now_of(session), ms = (now - join->since_ns) / NS_PER_MS;
	int64_t fast = ms > SLOW_MS ? ms - SLOW_MS : 0;
	uint64_t blind = BYTES + (uint64_t)(ms + (FASTER - 1) * fast) * BYTES_PER_MS, told = 0;

	if (join->bytes_per_ms > 0)
		told = join->known_bytes +
		       (uint64_t)((now - join->known_ns) / NS_PER_US) * join->bytes_per_ms / 1000;
	return told > blind ? told : blind;
}

static void
probe(struct rtc_session *session)
{
	struct rtc_join *join = &session->join;
	uint8_t request[RTC_STUN_PROBE_MAX];
	size_t len;

	join->is_probed = true;
	join->probed_bytes = join->key_bytes + join->bytes;
	if (RAND_bytes(join->probe, sizeof(join->probe)) != 1)
		xalloc_die();
	len = rtc_stun_probe(session->their_ufrag, session->their_password, session->ufrag,
			     join->probe, request);
	if (len > 0)
		(void)rtc_path_send(&session->place.now, request, len, len);
}

bool
rtc_join_is_held(struct rtc_session *session)
{
	const struct cursor *cursor = &session->cursor;

	if (!cursor->joined || cursor->pos >= cursor->burst_end ||
	    !rtc_estimate_is_blind(session->estimate) || session->join.bytes <= allowed(session))
		return false;
	if (!session->join.is_probed)
		probe(session);
	return true;
}

bool
rtc_join_on_answer(struct rtc_session *session, const struct rtc_path *path, const uint8_t *data,
		   size_t len)
{
	struct rtc_join *join = &session->join;
	int64_t now = now_of(session), us = (now - join->since_ns) / NS_PER_US;

	if (session->state != RTC_UP || !join->is_probed || join->bytes_per_ms > 0 ||
	    !rtc_path_is_same(&session->place.now, path) ||
	    !rtc_stun_is_answer(data, len, join->probe))
		return false;
	join->bytes_per_ms = join->probed_bytes * 1000 / (size_t)(us > 0 ? us : 1);
	join->known_ns = now;
	join->known_bytes = join->bytes;
	return true;
}
