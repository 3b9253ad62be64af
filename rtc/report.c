/*
 * RTCP: what a viewer says of what he gets, and our reports to him (RFC 3550 6.4, RFC 3611 4.5).
 */
#include "config.h"

#include "rtc/session.h"

#include "rtc/line.h"
#include "rtc/link.h"
#include "rtc/rtcp.h"
#include "rtc/sound.h"

#define REPORT_MS 1000
#define SILENCE_MS                                                                                 \
	250 /* players doubt a path on which nothing came for 0.7 s, whatever the camera does */
#define CNAME "camhub"
/* Lost: what is sent again is lost as often, and asking once more costs another round trip. */
#define TWICE_PERCENT 5u
/* Datagrams of RTCP that are heeded: 200 at once, 400 a second. */
#define HEEDED_AT_ONCE 200
#define HEEDED_EACH_NS (NS_PER_S / 400)

static int64_t
now_of(const struct rtc_session *session)
{
	return clock_now_ns(session->rtc->front->clock);
}

static int64_t
wall_of(const struct rtc_session *session)
{
	return clock_realtime_ns(session->rtc->front->clock);
}

/* In */

static void
on_report(const struct rtc_rtcp_report *report, void *arg)
{
	struct rtc_session *session = arg;

	if (report->ssrc == session->video.ssrc || report->ssrc == session->audio.ssrc)
		rtc_place_on_stamp(session, report->last_sr);
	if (report->ssrc == session->video.ssrc)
		rtc_estimate_on_report(
		    session->estimate, report,
		    rtc_rtcp_round_trip_us(report, rtc_rtcp_ntp(wall_of(session))),
		    now_of(session));
}

static void
on_nack(uint32_t ssrc, uint16_t seq, void *arg)
{
	struct rtc_session *session = arg;

	/* A link that is full loses what is sent too much: more of it again would keep it so. Who
	 * still misses it asks again. */
	if (ssrc == session->video.ssrc && !rtc_link_is_full(session))
		(void)rtc_out_again(session, &session->video, seq,
				    session->lost_percent >= TWICE_PERCENT);
}

static void
on_pli(uint32_t ssrc, void *arg)
{
	struct rtc_session *session = arg;

	if (ssrc == session->video.ssrc)
		session->is_refresh_due = true;
}

static void
on_fir(uint32_t ssrc, uint8_t seq, void *arg)
{
	(void)seq;
	on_pli(ssrc, arg);
}

static void
on_remb(uint64_t bits_per_s, void *arg)
{
	struct rtc_session *session = arg;

	rtc_estimate_on_remb(session->estimate, bits_per_s, now_of(session));
}

static void
on_twcc(const struct rtc_rtcp_twcc *twcc, void *arg)
{
	struct rtc_session *session = arg;

	rtc_estimate_on_twcc(session->estimate, twcc, now_of(session));
	session->is_pump_due = true;
}

static void
on_rrtr(uint32_t sender, uint64_t ntp, void *arg)
{
	struct rtc_session *session = arg;

	session->rrtr.is_due = true;
	session->rrtr.about = sender;
	session->rrtr.last_rr = rtc_rtcp_ntp_middle(ntp);
	session->rrtr.came_ns = now_of(session);
}

/* Browsers send some 20 a second, and a NACK for each group of losses. */
static bool
is_too_much(struct rtc_session *session)
{
	return !rate_spend(&session->heeded, HEEDED_EACH_NS, HEEDED_AT_ONCE * HEEDED_EACH_NS,
			   now_of(session));
}

void
rtc_session_on_rtcp(struct rtc_session *session, const struct rtc_path *path, uint8_t *data,
		    size_t len)
{
	static const struct rtc_rtcp_ops ops = { .on_report = on_report,
						 .on_nack = on_nack,
						 .on_pli = on_pli,
						 .on_fir = on_fir,
						 .on_remb = on_remb,
						 .on_twcc = on_twcc,
						 .on_rrtr = on_rrtr };

	if (session->state != RTC_UP || rtc_srtcp_unprotect(session->srtp_in, data, &len) < 0 ||
	    is_too_much(session))
		return;
	rtc_dtls_settle(session->dtls);
	rtc_place_on_proof(session, path);
	if (rtc_path_is_same(&session->place.now, path))
		session->heard_ns = now_of(session);
	(void)rtc_rtcp_read(data, len, &ops, session);
	rtc_batch_flush(session);
	if (session->is_refresh_due)
		rtc_media_refresh(session);
	else if (session->is_pump_due)
		rtc_media_pump(session);
	session->is_refresh_due = session->is_pump_due = false;
}

/* Out */

static void
add_sender(struct rtc_rtcp_out *out, const struct rtc_out *source, uint32_t timestamp, int64_t wall)
{
	const struct rtc_rtcp_sender sender = { .ssrc = source->ssrc,
						.timestamp = timestamp,
						.ntp = rtc_rtcp_ntp(wall),
						.packets = source->packets,
						.octets = source->octets };

	(void)rtc_rtcp_write_sr(out, &sender);
	(void)rtc_rtcp_write_sdes(out, source->ssrc, CNAME);
}

/* The browser's own clock and ours: from this it tells its page how old a picture is. */
static void
add_dlrr(struct rtc_rtcp_out *out, struct rtc_session *session, int64_t now)
{
	int64_t passed = now - session->rrtr.came_ns;

	if (!session->rrtr.is_due)
		return;
	session->rrtr.is_due = false;
	(void)rtc_rtcp_write_dlrr(
	    out, session->has_video ? session->video.ssrc : session->audio.ssrc,
	    session->rrtr.about, session->rrtr.last_rr, (uint32_t)(passed * 65536 / NS_PER_S));
}

static bool
is_due(const struct rtc_session *session, int64_t now)
{
	int64_t since = session->report_ns, sent = session->line.last_ns;

	return since == 0 || session->rrtr.is_due || now - since >= REPORT_MS * NS_PER_MS ||
	       now - (sent > since ? sent : since) >= SILENCE_MS * NS_PER_MS;
}

/* A compound of one source's report; what else there is goes with it. */
static void
send_report(struct rtc_session *session, const struct rtc_out *source, uint32_t timestamp,
	    int64_t wall)
{
	uint8_t data[RTC_RTCP_BYTES_MAX];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };

	add_sender(&out, source, timestamp, wall);
	add_dlrr(&out, session, now_of(session));
	rtc_batch_send_rtcp(session, data, out.len);
}

void
rtc_report_send(struct rtc_session *session)
{
	int64_t now = now_of(session), wall = wall_of(session);
	uint32_t pictures, sound;

	if (!is_due(session, now) || !rtc_line_at(session, wall, &pictures))
		return;
	session->report_ns = now;
	rtc_place_on_report_sent(session, rtc_rtcp_ntp_middle(rtc_rtcp_ntp(wall)));
	if (session->has_video)
		send_report(session, &session->video, pictures, wall);
	if (rtc_sound_at(session, wall, &sound))
		send_report(session, &session->audio, sound, wall);
}
