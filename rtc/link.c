/*
 * What is done about a link that is too thin: the smaller stream of the camera, or key frames only;
 * and nothing is sent that would only wait. Another stream is entered when its pictures are there:
 * until then what there is goes on.
 */
#include "config.h"

#include "rtc/link.h"

#include "http/stream.h"
#include "rtc/line.h"
#include "shared/log.h"

#include <stdio.h>
#include <string.h>

#define LATE_US       400000 /* behind the newest picture, here and on the way: on with a key frame */
#define TICKS_PER_MS  90
#define MUCH_US       250000
#define MUCH_PERCENT  30
#define BEARABLE_MS   700
#define OTHER_WAIT_MS 5000 /* for the other stream's pictures */

static int64_t
now_of(const struct rtc_session *session)
{
	return clock_now_ns(session->rtc->front->clock);
}

/* The other stream */

static struct stream *
asked_for(const struct rtc_session *session)
{
	return stream_find_id(session->rtc->front, session->shown_id);
}

static struct stream *
usable(const struct rtc_session *session, const char *name)
{
	struct stream *stream = stream_find(session->rtc->front, name);

	if (stream == NULL || !stream_is_up(stream) || stream->kind == STREAM_KIND_JPEG ||
	    (stream->id == session->unfit.id && stream->epoch == session->unfit.epoch) ||
	    !pass_may_see(&session->pass, name))
		return NULL;
	return stream;
}

static void
note_unfit(struct rtc_session *session, const struct stream *stream)
{
	session->unfit.id = stream->id;
	session->unfit.epoch = stream->epoch;
}

/* "door" -> "door.sub", "door.opus" -> "door.sub.opus", or "door.sub" without its sound. NULL:
 * there is none, or it is away. */
static struct stream *
smaller_of(const struct rtc_session *session, const struct stream *stream)
{
	char name[2 * STREAM_NAME_MAX];
	const char *dot = strchr(stream->name, '.');
	int len = dot != NULL ? (int)(dot - stream->name) : (int)strlen(stream->name);
	struct stream *smaller;

	if (dot != NULL && strncmp(dot, ".sub", 4) == 0)
		return NULL;
	snprintf(name, sizeof(name), "%.*s.sub%s", len, stream->name, dot != NULL ? dot : "");
	smaller = usable(session, name);
	if (smaller != NULL)
		return smaller;
	snprintf(name, sizeof(name), "%.*s.sub", len, stream->name);
	return usable(session, name);
}

static void
forget_other(struct rtc_session *session)
{
	cursor_leave(&session->other);
}

static void
on_other_state(void *arg)
{
	(void)arg;
}

static void
go_on_with(struct rtc_session *session, struct stream *stream)
{
	struct cursor *cursor = &session->cursor;

	log_info("stream=%s: WebRTC viewer at %s goes on with %s", cursor->stream->name,
		 session->address, stream->name);
	rtc_unit_unref(&session->sending.unit);
	rtc_line_untie(session);
	cursor_leave(cursor);
	cursor_enter(cursor, stream);
	cursor_set_mode(cursor, CURSOR_FRAMES);
	forget_other(session);
	watch_begin(&session->watch, &session->pass, stream->name, "webrtc");
	session->is_skipping = session->doing == RTC_ADVICE_KEYS_ONLY;
	rtc_estimate_note_change(session->estimate, now_of(session));
}

static bool
is_fit(const struct rtc_session *session, const struct hub_entry *first)
{
	struct hub *hub = session->other.stream->hub;
	uint64_t pos;

	return first->config != NULL && first->config->nal == session->nal &&
	       !(hub_join(hub, &pos) && rtc_unit_has_b_frames(hub, pos, RTC_BURST_MAX));
}

static void
on_other_frames(void *arg)
{
	struct rtc_session *session = arg;
	struct cursor *other = &session->other;
	struct hub_entry *first = cursor_first(other);

	if (session->state != RTC_UP || first == NULL)
		return;
	if (!is_fit(session, first)) {
		note_unfit(session, other->stream);
		forget_other(session);
		return;
	}
	go_on_with(session, other->stream);
	rtc_media_pump(session);
}

bool
rtc_link_lead_back(struct rtc_session *session)
{
	struct stream *asked = asked_for(session);

	if (asked == NULL || asked == session->cursor.stream)
		return false;
	note_unfit(session, session->cursor.stream);
	go_on_with(session, asked);
	return true;
}

static void
on_other_gone(void *arg)
{
	struct rtc_session *session = arg;

	session->has_no_other = true;
}

/* Go there as soon as it can be shown. */
static void
head_for(struct rtc_session *session, struct stream *stream)
{
	static const struct cursor_ops ops = { .on_frames = on_other_frames,
					       .on_state = on_other_state,
					       .on_gone = on_other_gone };

	if (stream == session->other.stream)
		return;
	forget_other(session);
	if (stream == session->cursor.stream)
		return;
	cursor_init(&session->other, session->cursor.id, &ops, session);
	session->other.format = "webrtc";
	session->other_since_ns = now_of(session);
	cursor_enter(&session->other, stream);
	cursor_set_mode(&session->other, CURSOR_FRAMES);
}

/* What is to be sent */

static void
all_pictures(struct rtc_session *session)
{
	bool was_skipping = session->doing == RTC_ADVICE_KEYS_ONLY;

	session->doing = RTC_ADVICE_OK;
	/* The group as it is now, if it is short, instead of waiting for the next. */
	if (was_skipping && session->cursor.stream != NULL && session->cursor.joined) {
		session->is_skipping = false;
		rtc_unit_unref(&session->sending.unit);
		cursor_set_mode(&session->cursor, CURSOR_FRAMES);
	}
}

static void
keys_only(struct rtc_session *session)
{
	session->doing = RTC_ADVICE_KEYS_ONLY;
	session->is_skipping = true;
}

/* Key frames only is a lot to ask: of a queue that goes away by itself, as after a machine was busy
 * or a radio was away for a moment, nothing is done. */
static bool
is_bearable(struct rtc_session *session)
{
	int64_t now = now_of(session);
	struct rtc_estimate_state link;

	rtc_estimate_look(session->estimate, now, &link);
	if (link.queue_us < MUCH_US && link.lost_percent < MUCH_PERCENT &&
	    link.rate_bps >= link.sent_bps / 10 * 9)
		session->unbearable_ns = 0;
	else if (session->unbearable_ns == 0)
		session->unbearable_ns = now;
	return session->unbearable_ns == 0 ||
	       now - session->unbearable_ns < BEARABLE_MS * NS_PER_MS;
}

static void
follow_advice(struct rtc_session *session, enum rtc_advice advice)
{
	struct stream *asked = asked_for(session), *smaller;

	if (asked == NULL)
		return;
	smaller = session->has_no_other ? NULL : smaller_of(session, asked);
	if (advice == RTC_ADVICE_OK) {
		session->unbearable_ns = 0;
		head_for(session, asked);
	} else if (smaller != NULL) {
		head_for(session, smaller);
	}
	/* Until the smaller stream is there, the large one is too much. */
	if (advice == RTC_ADVICE_OK ||
	    (advice == RTC_ADVICE_THIN && smaller != NULL && session->cursor.stream == smaller)) {
		if (session->doing != RTC_ADVICE_OK)
			all_pictures(session);
	} else if (session->doing != RTC_ADVICE_KEYS_ONLY &&
		   !(smaller == NULL && is_bearable(session))) {
		keys_only(session);
	}
}

void
rtc_link_check_late(struct rtc_session *session)
{
	const struct cursor *cursor = &session->cursor;
	const struct hub *hub;
	uint64_t newest, at;
	int64_t most_us;

	if (cursor->stream == NULL || !cursor->joined || cursor->awaiting_key ||
	    session->is_skipping)
		return;
	hub = cursor->stream->hub;
	if (cursor->pos < hub_head(hub) || cursor->pos >= hub_tail(hub) ||
	    cursor->pos < cursor->burst_end)
		return;
	newest = hub_at(hub, hub_tail(hub) - 1)->stamp.decode_time;
	at = hub_at(hub, cursor->pos)->stamp.decode_time;
	most_us = LATE_US - rtc_estimate_wait_us(session->estimate, now_of(session));
	if (newest > at && (int64_t)((newest - at) / TICKS_PER_MS) * 1000 > most_us) {
		session->is_skipping = true;
		session->skips++;
	}
}

/* What he sees is less than he asked for, or is not any more: his page says so. */
static void
tell(struct rtc_session *session)
{
	enum rtc_advice shown = session->doing;
	json_t *msg;

	if (shown == RTC_ADVICE_OK && session->cursor.stream != asked_for(session))
		shown = RTC_ADVICE_THIN;
	if (shown == session->told || session->cursor.stream == NULL)
		return;
	session->told = shown;
	msg = msg_new(MSG_RTC_LINK);
	msg_set_str(msg, "session", session->id);
	msg_set_str(msg, "link", rtc_advice_name(shown));
	front_send(session->rtc->front, msg, -1);
}

void
rtc_link_follow(struct rtc_session *session)
{
	int64_t now = now_of(session);
	enum rtc_advice advice = rtc_estimate_advice(session->estimate, now);
	struct rtc_estimate_state link;

	rtc_estimate_look(session->estimate, now, &link);
	session->lost_percent = link.lost_percent;
	if (advice != session->advice) {
		log_info("stream=%s: WebRTC viewer at %s: link %s (%llu of %llu kb/s, %u %% lost, "
			 "queue %lld ms)",
			 session->cursor.stream->name, session->address, rtc_advice_name(advice),
			 (unsigned long long)link.rate_bps / 1000,
			 (unsigned long long)link.sent_bps / 1000, link.lost_percent,
			 (long long)link.queue_us / 1000);
		session->advice = advice;
		session->has_no_other = false;
	}
	follow_advice(session, advice);
	if (session->other.stream != NULL &&
	    now - session->other_since_ns > OTHER_WAIT_MS * NS_PER_MS) {
		session->has_no_other = true;
		forget_other(session);
	}
	rtc_link_check_late(session);
	tell(session);
}

bool
rtc_link_is_full(const struct rtc_session *session)
{
	return !rtc_place_may_send(&session->place) ||
	       rtc_estimate_is_full(session->estimate, now_of(session));
}

void
rtc_link_leave(struct rtc_session *session)
{
	forget_other(session);
}
