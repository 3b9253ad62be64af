/*
 * Believing, by and by, where a viewer is.
 */
#include "config.h"

#include "rtc/place.h"

#include "rtc/session.h"
#include "rtc/table.h"

static int64_t
now_of(const struct rtc_session *session)
{
	return clock_now_ns(session->rtc->front->clock);
}

static bool
is_nowhere(const struct rtc_path *path)
{
	return path->udp == NULL && path->tcp == NULL;
}

void
rtc_place_init(struct rtc_place *place)
{
	*place = (struct rtc_place){ .unproven_left = RTC_UNPROVEN_BYTES };
}

static void
go_to(struct rtc_session *session, const struct rtc_path *path)
{
	struct rtc_place *place = &session->place;

	place->has_moved = place->has_begun;
	place->now = *path;
	place->claimed = (struct rtc_path){ .udp = NULL };
	place->moved_ns = place->checked_ns = now_of(session);
	place->is_proven = path->tcp != NULL;
	for (unsigned i = 0; i < RTC_STAMPS; i++)
		place->stamps[i] = 0;
	/* The next report goes out at once. */
	session->report_ns = 0;
	/* Packets of before are for the old way. */
	rtc_parked_clear(session);
}

/* With keys: only what is encrypted with them is believed, unless nothing comes any more. */
static void
claim(struct rtc_session *session, const struct rtc_path *path, bool is_nominated)
{
	struct rtc_place *place = &session->place;
	int64_t now = now_of(session);

	if (is_nowhere(&place->now) || now - place->checked_ns >= RTC_SILENT_MS * NS_PER_MS) {
		go_to(session, path);
		return;
	}
	if (!is_nominated)
		return;
	place->claimed = *path;
	if (place->trial_ns != 0 && now - place->trial_ns < RTC_TRIAL_MS * NS_PER_MS)
		return;
	place->trial_ns = now;
	place->trial_left = RTC_TRIAL_BYTES;
}

static bool
remember(struct rtc_session *session, const struct rtc_path *path)
{
	if (path->tcp == NULL)
		return rtc_table_set_peer(session->rtc->table, session, path->udp, &path->peer);
	rtc_tcp_set_owner(path->tcp, session, session->place.now.tcp);
	return true;
}

bool
rtc_place_on_check(struct rtc_session *session, const struct rtc_path *path, bool is_nominated)
{
	struct rtc_place *place = &session->place;

	if (!remember(session, path))
		return false;
	if (rtc_path_is_same(&place->now, path)) {
		place->claimed = (struct rtc_path){ .udp = NULL };
		place->checked_ns = now_of(session);
	} else if (session->state == RTC_UP) {
		claim(session, path, is_nominated);
	} else if (is_nowhere(&place->now) || is_nominated) {
		go_to(session, path);
	}
	return true;
}

void
rtc_place_on_dtls(struct rtc_session *session, const struct rtc_path *path)
{
	session->place.has_begun = true;
	session->place.is_dtls_his = rtc_path_is_same(&session->place.now, path);
}

/* Who goes through a handshake has got what was sent. */
void
rtc_place_on_up(struct rtc_session *session)
{
	struct rtc_place *place = &session->place;

	place->is_proven = place->now.tcp != NULL || (!place->has_moved && place->is_dtls_his);
}

void
rtc_place_on_proof(struct rtc_session *session, const struct rtc_path *path)
{
	struct rtc_place *place = &session->place;

	if (!rtc_path_is_same(&place->now, path) &&
	    (is_nowhere(&place->now) ||
	     now_of(session) - place->moved_ns >= RTC_SETTLE_MS * NS_PER_MS))
		go_to(session, path);
}

void
rtc_place_on_report_sent(struct rtc_session *session, uint32_t stamp)
{
	struct rtc_place *place = &session->place;

	place->stamps[place->next_stamp++ % RTC_STAMPS] = stamp;
	place->guesses = 0;
}

void
rtc_place_on_stamp(struct rtc_session *session, uint32_t stamp)
{
	struct rtc_place *place = &session->place;

	if (place->is_proven || stamp == 0 || place->guesses >= RTC_GUESSES_MAX)
		return;
	place->guesses++;
	for (unsigned i = 0; i < RTC_STAMPS; i++)
		place->is_proven = place->is_proven || stamp == place->stamps[i];
}

void
rtc_place_on_tcp_gone(struct rtc_session *session, const struct rtc_tcp *tcp)
{
	struct rtc_place *place = &session->place;

	if (place->claimed.tcp == tcp)
		place->claimed = (struct rtc_path){ .udp = NULL };
	if (place->now.tcp == tcp)
		go_to(session, &(struct rtc_path){ .udp = NULL });
}

size_t
rtc_place_send(struct rtc_session *session, const uint8_t *data, size_t len, size_t segment)
{
	struct rtc_place *place = &session->place;

	if (!place->is_proven)
		place->unproven_left -= len < place->unproven_left ? len : place->unproven_left;
	if (!is_nowhere(&place->claimed) && len <= place->trial_left) {
		place->trial_left -= len;
		(void)rtc_path_send(&place->claimed, data, len, segment);
	}
	return rtc_path_send(&place->now, data, len, segment);
}

bool
rtc_place_may_send(const struct rtc_place *place)
{
	return place->is_proven || place->unproven_left > 0;
}
