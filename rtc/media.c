/*
 * From the shared ring to one viewer: where he begins, what he is sent next, and at which pace.
 * Only what the path takes is taken out of the ring; who lags is led to a newer key frame there.
 */
#include "config.h"

#include "rtc/session.h"

#include "http/stream.h"
#include "rtc/line.h"
#include "rtc/link.h"
#include "rtc/sound.h"

/* So much at once, then a pause: large pictures, and the group at the beginning, overrun queues of
 * switches and Wi-Fi. */
#define PACE_BYTES   (64u << 10)
#define PACE_MS      2
#define JOIN_WAIT_MS 2   /* until more of the group at the beginning may go */
#define REFRESH_MS   300 /* a new beginning on his wish at most so often */
#define TAIL_PERCENT 1u  /* lost: from then on tails go twice, */
#define TAIL_MS      5   /* not both into the same moment of noise */

static int64_t
now_of(const struct rtc_session *session)
{
	return clock_now_ns(session->rtc->front->clock);
}

/* A group that is too long to be sent whole: the next key frame is the beginning. */
static bool
is_group_short(const struct rtc_session *session)
{
	struct hub *hub = session->cursor.stream->hub;
	uint64_t pos;

	return hub_join(hub, &pos) && hub_tail(hub) - pos <= RTC_BURST_MAX;
}

/* Key frames only: what lies between is passed over. */
static struct hub_entry *
next_entry(struct rtc_session *session)
{
	struct cursor *cursor = &session->cursor;
	struct hub_entry *entry;
	bool was_joined = cursor->joined;

	if (cursor->stream == NULL || !(was_joined || is_group_short(session)) ||
	    rtc_link_is_full(session))
		return NULL;
	rtc_link_check_late(session);
	while ((entry = cursor_peek(cursor)) != NULL && session->is_skipping && !entry->is_key)
		cursor_pass(cursor);
	if (entry != NULL && !was_joined) {
		rtc_line_join(session);
		rtc_join_begin(session);
	}
	return entry;
}

/* Why this viewer cannot be shown this; NULL: he can. */
static const char *
obstacle(const struct rtc_session *session, const struct hub_entry *entry,
	 const struct rtc_unit *unit)
{
	if (entry->config == NULL || entry->config->nal != session->nal)
		return "the camera changed its codec";
	if (unit != NULL && unit->is_reordered)
		return "the camera began to send B frames";
	return NULL;
}

/* Begins the next picture. false: there is none. */
static bool
begin_picture(struct rtc_session *session)
{
	struct hub_entry *entry = next_entry(session);
	struct rtc_sending *sending = &session->sending;
	struct rtc_unit *unit;
	const char *why;

	if (entry == NULL)
		return false;
	unit = rtc_unit_of(entry);
	why = obstacle(session, entry, unit);
	if (why != NULL) {
		/* Of a smaller stream that a thin link led to, nothing is lost. */
		if (!rtc_link_lead_back(session))
			rtc_session_end(session, why);
		return false;
	}
	if (unit == NULL) {
		cursor_pass(&session->cursor);
		return true;
	}
	sending->unit = rtc_unit_ref(unit);
	sending->timestamp = rtc_line_stamp(session, entry, session->cursor.pos);
	sending->next = 0;
	rtc_join_count(session, unit->bytes, entry->is_key);
	cursor_take(&session->cursor);
	sending->first_seq = rtc_out_begin(&session->video, unit, sending->timestamp, true);
	session->is_skipping = session->doing == RTC_ADVICE_KEYS_ONLY;
	return true;
}

/* Who has no use for pictures: only their time goes on, which sound follows. */
static void
pass_over_pictures(struct rtc_session *session)
{
	struct cursor *cursor = &session->cursor;
	struct hub_entry *entry;

	while (cursor->stream != NULL && (entry = cursor_peek(cursor)) != NULL) {
		rtc_line_pass(session, entry);
		cursor_pass(cursor);
	}
}

static void
guard_tail(struct rtc_session *session, uint16_t seq)
{
	if (session->lost_percent < TAIL_PERCENT)
		return;
	session->tail_seq = seq;
	clock_timer_set_ms(&session->tail, TAIL_MS);
}

void
rtc_media_send_tail(struct rtc_session *session)
{
	if (session->state != RTC_UP || rtc_link_is_full(session))
		return;
	rtc_out_guard(session, &session->video, session->tail_seq);
}

/* Up to a batch of the picture that was begun; returns its bytes. */
static size_t
send_some(struct rtc_session *session)
{
	struct rtc_sending *sending = &session->sending;
	size_t left = sending->unit->packed.count - sending->next;
	size_t n = left < RTC_UDP_BATCH_SEGMENTS ? left : RTC_UDP_BATCH_SEGMENTS, bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += sending->unit->packed.payloads[sending->next + i].len;
	rtc_out_send(session, &session->video, sending->unit, sending->first_seq,
		     sending->timestamp, sending->next, n);
	sending->next += n;
	if (sending->next == sending->unit->packed.count) {
		guard_tail(session, (uint16_t)(sending->first_seq + sending->next - 1));
		rtc_unit_unref(&sending->unit);
	}
	return bytes;
}

static void
pump_pictures(struct rtc_session *session)
{
	size_t sent = 0;

	while (session->state == RTC_UP && rtc_parked_send(session)) {
		if (session->sending.unit == NULL && rtc_join_is_held(session)) {
			clock_timer_set_ms(&session->pace, JOIN_WAIT_MS);
			return;
		}
		if (session->sending.unit == NULL && !begin_picture(session))
			return;
		if (session->sending.unit == NULL)
			continue;
		if (sent >= PACE_BYTES) {
			clock_timer_set_ms(&session->pace, PACE_MS);
			return;
		}
		sent += send_some(session);
	}
}

void
rtc_media_pump(struct rtc_session *session)
{
	if (session->state != RTC_UP)
		return;
	if (!session->has_video)
		pass_over_pictures(session);
	if (session->has_sound && rtc_place_may_send(&session->place))
		rtc_sound_pump(session);
	if (!session->has_video)
		return;
	if (!clock_timer_is_set(&session->pace))
		pump_pictures(session);
}

void
rtc_media_refresh(struct rtc_session *session)
{
	int64_t now = now_of(session);

	if (session->cursor.stream == NULL || !session->cursor.joined ||
	    now - session->refresh_ns < REFRESH_MS * NS_PER_MS)
		return;
	/* What flows now is better than nothing before the next key frame. */
	if (!is_group_short(session))
		return;
	session->refresh_ns = now;
	rtc_unit_unref(&session->sending.unit);
	cursor_set_mode(&session->cursor, CURSOR_FRAMES);
	rtc_media_pump(session);
}
