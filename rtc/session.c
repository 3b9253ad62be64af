/*
 * A session's life: from the offer to the end, and the checks and keys in between.
 */
#include "config.h"

#include "rtc/session.h"

#include "http/access_words.h"
#include "http/gate.h"
#include "http/stream.h"
#include "rtc/link.h"
#include "rtc/table.h"
#include "shared/log.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define GOODBYE_MS 50

static int64_t
now_of(const struct rtc_session *session)
{
	return clock_now_ns(session->rtc->front->clock);
}

static const char *
stream_of(const struct rtc_session *session)
{
	return session->cursor.stream != NULL ? session->cursor.stream->name : "?";
}

/* The end */

void
rtc_session_end(struct rtc_session *session, const char *why)
{
	if (session->state == RTC_ENDING)
		return;
	log_info("stream=%s: WebRTC viewer at %s ends%s%s", stream_of(session), session->address,
		 why != NULL ? ": " : "", why != NULL ? why : "");
	if (session->state == RTC_ASKED)
		rtc_session_answer(session, 503, NULL, why != NULL ? why : "it was given up");
	if (session->dtls != NULL)
		rtc_dtls_close(session->dtls);
	session->state = RTC_ENDING;
	clock_timer_cancel(&session->pace);
	clock_timer_cancel(&session->tail);
	cursor_leave(&session->cursor);
	rtc_link_leave(session);
	/* A connection needs a moment to say it. */
	clock_timer_set_ms(&session->wait, session->place.now.tcp != NULL ? GOODBYE_MS : 0);
}

static void
leave_connections(struct rtc_session *session)
{
	for (unsigned i = 0; i < session->rtc->n_tcp; i++)
		rtc_tcp_port_forget(session->rtc->tcp[i], session);
}

void
rtc_session_free(struct rtc_session **session)
{
	struct rtc_session *old = *session;

	if (old == NULL)
		return;
	*session = NULL;
	if (old->dtls != NULL && old->state == RTC_UP)
		rtc_dtls_close(old->dtls);
	cursor_leave(&old->cursor);
	rtc_link_leave(old);
	pass_end(&old->pass);
	clock_timer_cancel(&old->wait);
	clock_timer_cancel(&old->pace);
	clock_timer_cancel(&old->tail);
	leave_connections(old);
	rtc_table_remove(old->rtc->table, old);
	LIST_REMOVE(old, in_rtc);
	old->rtc->n_sessions--;
	old->rtc->front->n_viewers--;
	rtc_parked_clear(old);
	rtc_unit_unref(&old->sending.unit);
	rtc_out_clear(&old->video);
	rtc_out_clear(&old->audio);
	rtc_srtp_free(&old->srtp_in);
	rtc_srtp_free(&old->srtp_out);
	rtc_dtls_free(&old->dtls);
	rtc_estimate_free(&old->estimate);
	free(old->offer);
	free(old->local);
	free(old->their_ufrag);
	OPENSSL_cleanse(old->their_password, strlen(old->their_password));
	free(old->their_password);
	OPENSSL_cleanse(old->password, sizeof(old->password));
	free(old);
}

/* Callbacks of the bookkeeping */

static void
on_wait(struct clock_timer *timer, void *arg)
{
	struct rtc_session *session = arg;

	(void)timer;
	if (session->state == RTC_ENDING)
		rtc_session_free(&session);
	else if (session->state == RTC_ASKED)
		rtc_offer_try(session);
}

static void
on_tail(struct clock_timer *timer, void *arg)
{
	(void)timer;
	rtc_media_send_tail(arg);
}

static void
on_pace(struct clock_timer *timer, void *arg)
{
	(void)timer;
	rtc_media_pump(arg);
}

static void
on_pass_over(void *arg)
{
	rtc_session_end(arg, "he may not watch any more");
}

static void
on_frames(void *arg)
{
	struct rtc_session *session = arg;

	if (session->state == RTC_ASKED)
		rtc_offer_try(session);
	else if (session->state == RTC_UP)
		rtc_media_pump(session);
}

static void
on_state(void *arg)
{
	(void)arg;
}

static void
on_gone(void *arg)
{
	rtc_session_end(arg, "the camera is gone");
}

/* The beginning */

void
rtc_session_answer(struct rtc_session *session, int code, const char *sdp, const char *error)
{
	json_t *msg = msg_new(MSG_RTC_ANSWER);

	msg_set_int(msg, "request", session->request);
	msg_set_int(msg, "code", code);
	msg_set_str(msg, "error", error);
	if (code == 201) {
		msg_set_str(msg, "sdp", sdp);
		msg_set_str(msg, "session", session->id);
	} else {
		session->rtc->stats.refused++;
	}
	front_send(session->rtc->front, msg, -1);
}

struct rtc_session *
rtc_session_new(struct rtc *rtc, const struct rtc_request *request)
{
	static const struct cursor_ops ops = { .on_frames = on_frames,
					       .on_state = on_state,
					       .on_gone = on_gone };
	struct rtc_session *session = xcalloc(1, sizeof(*session));
	struct front *front = rtc->front;

	session->rtc = rtc;
	session->state = RTC_ASKED;
	session->request = request->request;
	session->offer = request->offer;
	session->stream_id = request->stream->id;
	session->shown_id = request->shown->id;
	session->local = xstrdup(request->local);
	session->their_ufrag = xstrdup(request->offer->ufrag);
	session->their_password = xstrdup(request->offer->password);
	session->wants_sound = request->wants_sound;
	session->is_smooth = request->is_smooth;
	session->begun_ns = now_of(session);
	rtc_place_init(&session->place);
	snprintf(session->address, sizeof(session->address), "%s", request->address);
	clock_timer_init(&session->wait, front->clock, on_wait, session);
	clock_timer_init(&session->pace, front->clock, on_pace, session);
	clock_timer_init(&session->tail, front->clock, on_tail, session);
	rtc_out_init(&session->video);
	rtc_out_init(&session->audio);
	/* One key for both: the same source twice would use a nonce twice. */
	if (session->audio.ssrc == session->video.ssrc)
		session->audio.ssrc += 2;
	session->estimate = rtc_estimate_new(session->begun_ns);
	if (session->estimate == NULL)
		xalloc_die();
	rtc_table_add(rtc->table, session);
	LIST_INSERT_HEAD(&rtc->sessions, session, in_rtc);
	rtc->n_sessions++;
	front->n_viewers++;
	cursor_init(&session->cursor, ++front->viewers_ever, &ops, session);
	session->cursor.format = "webrtc";
	pass_begin(&session->pass, front, &request->who, session->address, on_pass_over, session);
	cursor_enter(&session->cursor, request->shown);
	cursor_set_mode(&session->cursor, CURSOR_FRAMES);
	return session;
}

/* Keys */

static void
send_dtls(void *arg, const uint8_t *data, size_t len)
{
	struct rtc_session *session = arg;

	(void)rtc_place_send(session, data, len, len);
}

static void
on_up(void *arg, struct rtc_srtp *in, struct rtc_srtp *out, size_t overhead)
{
	struct rtc_session *session = arg;

	session->srtp_in = in;
	session->srtp_out = out;
	session->overhead = overhead;
	session->state = RTC_UP;
	rtc_place_on_up(session);
	log_debug("stream=%s: WebRTC viewer at %s after %lld ms", stream_of(session),
		  session->address, (long long)((now_of(session) - session->begun_ns) / NS_PER_MS));
	/* Since he asked, much may have changed. */
	if (!pass_may_see(&session->pass, stream_of(session))) {
		rtc_session_end(session, "he may not watch any more");
		return;
	}
	watch_begin(&session->watch, &session->pass, stream_of(session), "webrtc");
	rtc_media_pump(session);
}

static void
on_dtls_end(void *arg, const char *why)
{
	rtc_session_end(arg, why);
}

/* Who is still there shows it with his next check. */
static void
on_farewell(void *arg)
{
	struct rtc_session *session = arg;
	int64_t at_most = now_of(session) - (RTC_CONSENT_MS - RTC_FAREWELL_MS) * NS_PER_MS;

	if (session->heard_ns > at_most)
		session->heard_ns = at_most;
}

static void
begin_keys(struct rtc_session *session)
{
	static const struct rtc_dtls_ops ops = {
		.send = send_dtls, .on_up = on_up, .on_end = on_dtls_end, .on_farewell = on_farewell
	};

	session->dtls = rtc_dtls_new(session->rtc->dtls, session->rtc->front->clock,
				     &session->fingerprint, &ops, session);
	session->state = RTC_CONNECTED;
}

/* Checks */

void
rtc_session_on_check(struct rtc_session *session, const struct rtc_path *path, const uint8_t *data,
		     size_t len)
{
	uint8_t answer[RTC_STUN_ANSWER_MAX];
	struct rtc_stun_binding binding;
	size_t answer_len;

	if (session->state == RTC_ENDING || session->state == RTC_ASKED)
		return;
	if (rtc_stun_check(data, len, session->password, &binding) < 0) {
		session->rtc->stats.bad_checks++;
		return;
	}
	answer_len = rtc_stun_answer(&binding, &path->peer.sa, session->password, answer);
	if (answer_len > 0)
		(void)rtc_path_send(path, answer, answer_len, answer_len);
	if (binding.has_unknown)
		return;
	if (!rtc_place_on_check(session, path, binding.use_candidate))
		return;
	if (rtc_path_is_same(&session->place.now, path))
		session->heard_ns = now_of(session);
	if (session->state == RTC_ANSWERED)
		begin_keys(session);
}

void
rtc_session_on_dtls(struct rtc_session *session, const struct rtc_path *path, const uint8_t *data,
		    size_t len)
{
	if (session->state == RTC_CONNECTED)
		rtc_place_on_dtls(session, path);
	if (session->state == RTC_CONNECTED || session->state == RTC_UP)
		rtc_dtls_input(session->dtls, data, len);
}

void
rtc_session_on_room(struct rtc_session *session)
{
	if (session->state == RTC_UP)
		rtc_media_pump(session);
}

void
rtc_session_on_tcp_gone(struct rtc_session *session, struct rtc_tcp *tcp)
{
	rtc_place_on_tcp_gone(session, tcp);
}

/* Time */

void
rtc_session_tick(struct rtc_session *session)
{
	int64_t now = now_of(session);

	if (session->state == RTC_ANSWERED || session->state == RTC_CONNECTED) {
		if (now - session->begun_ns > RTC_SETUP_MS * NS_PER_MS)
			rtc_session_end(session, session->state == RTC_ANSWERED
						     ? "nobody came"
						     : "no keys in time");
		return;
	}
	if (session->state != RTC_UP)
		return;
	if (now - session->heard_ns > RTC_CONSENT_MS * NS_PER_MS) {
		rtc_session_end(session, "no sign of life");
		return;
	}
	if (session->has_video)
		rtc_link_follow(session);
	rtc_media_pump(session);
	rtc_report_send(session);
}
