/*
 * The context: what the supervisor says that only this front understands, the ports, and whose a
 * datagram is.
 */
#include "config.h"

#include "rtc/rtc.h"

#include "http/stream.h"
#include "rtc/demux.h"
#include "rtc/dtls.h"
#include "rtc/session.h"
#include "rtc/table.h"
#include "shared/child_ev.h"
#include "shared/interfaces.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TELL_S 60

struct rtc *
rtc_of(const struct front *front)
{
	return front->role_arg;
}

/* Datagrams */

static struct rtc_session *
whose(const struct rtc *rtc, const struct rtc_path *path)
{
	return path->tcp != NULL ? rtc_tcp_owner(path->tcp)
				 : rtc_table_by_peer(rtc->table, path->udp, &path->peer);
}

static void
on_stun(struct rtc *rtc, const struct rtc_path *path, const uint8_t *data, size_t len)
{
	struct rtc_session *session;
	struct rtc_stun_peek peek;

	if (rtc_stun_peek(data, len, &peek) < 0) {
		session = whose(rtc, path);
		if (session == NULL || !rtc_join_on_answer(session, path, data, len))
			rtc->stats.strays++;
		return;
	}
	session = rtc_table_by_ufrag(rtc->table, peek.ufrag, peek.ufrag_len);
	if (session == NULL)
		rtc->stats.strays++;
	else
		rtc_session_on_check(session, path, data, len);
}

void
rtc_on_datagram(struct rtc *rtc, const struct rtc_path *path, uint8_t *data, size_t len)
{
	enum rtc_kind kind = rtc_demux(data, len);
	struct rtc_session *session;

	if (kind == RTC_KIND_STUN) {
		on_stun(rtc, path, data, len);
		return;
	}
	session = kind != RTC_KIND_NONE ? whose(rtc, path) : NULL;
	if (session == NULL)
		rtc->stats.strays++;
	else if (kind == RTC_KIND_DTLS && rtc_demux_check_dtls(data, len) == 0)
		rtc_session_on_dtls(session, path, data, len);
	else if (kind == RTC_KIND_RTCP)
		rtc_session_on_rtcp(session, path, data, len);
}

/* Ports */

static void
on_udp(void *arg, struct rtc_udp *udp, const union rtc_address *peer,
       const union rtc_address *local, uint8_t *data, size_t len)
{
	struct rtc_path path = { .udp = udp, .peer = *peer, .local = *local };

	rtc_on_datagram(arg, &path, data, len);
}

static void
on_udp_room(void *arg, struct rtc_udp *udp)
{
	struct rtc *rtc = arg;
	struct rtc_session *session, *next;

	for (session = LIST_FIRST(&rtc->sessions); session != NULL; session = next) {
		next = LIST_NEXT(session, in_rtc);
		if (session->place.now.udp == udp && session->parked.data != NULL)
			rtc_session_on_room(session);
	}
}

static void
on_tcp(void *arg, struct rtc_tcp *tcp, uint8_t *data, size_t len)
{
	struct rtc_path path = { .tcp = tcp, .peer = *rtc_tcp_peer(tcp) };

	rtc_on_datagram(arg, &path, data, len);
}

static void
on_tcp_room(void *arg, struct rtc_tcp *tcp, void *owner)
{
	(void)arg;
	(void)tcp;
	rtc_session_on_room(owner);
}

static void
on_tcp_gone(void *arg, struct rtc_tcp *tcp, void *owner)
{
	(void)arg;
	rtc_session_on_tcp_gone(owner, tcp);
}

static int
add_port(struct rtc *rtc, bool is_udp, int fd)
{
	static const struct rtc_udp_ops udp_ops = { .on_datagram = on_udp, .on_room = on_udp_room };
	static const struct rtc_tcp_ops tcp_ops = { .on_datagram = on_tcp,
						    .on_room = on_tcp_room,
						    .on_gone = on_tcp_gone };
	int rc;

	if ((is_udp ? rtc->n_udp : rtc->n_tcp) == RTC_PORTS_MAX)
		return -ENOSPC;
	if (is_udp) {
		rc = rtc_udp_new(rtc->front->base, fd, &udp_ops, rtc, &rtc->udp[rtc->n_udp]);
		rtc->n_udp += rc == 0;
	} else {
		rc = rtc_tcp_port_new(rtc->front->base, rtc->front->clock, fd, &tcp_ops, rtc,
				      &rtc->tcp[rtc->n_tcp]);
		rtc->n_tcp += rc == 0;
	}
	return rc;
}

static void
on_listener(struct rtc *rtc, const json_t *msg, int fd)
{
	int rc = add_port(rtc, strcmp(msg_str(msg, "kind"), "udp") == 0, fd);

	if (rc < 0) {
		log_err("rtc: cannot serve %s %s: %s", msg_str(msg, "kind"),
			msg_str(msg, "address"), strerror(-rc));
		close(fd);
	}
}

/* Messages */

/* Texts of addresses; what is none is left out. */
static unsigned
take_addresses(const json_t *list, char out[RTC_OWN_MAX][RTC_ADDRESS_TEXT])
{
	union rtc_address address;
	const json_t *item;
	unsigned n = 0;
	size_t i;

	json_array_foreach (list, i, item)
		if (n < RTC_OWN_MAX && rtc_address_parse(json_string_value(item), 0, &address))
			rtc_address_text(&address, out[n++]);
	return n;
}

static void
on_config(struct rtc *rtc, const json_t *msg)
{
	const json_t *own = json_object_get(msg, "own");

	rtc->port = (uint16_t)msg_int(msg, "port", 0);
	rtc->max_sessions = (unsigned)msg_int(msg, "max_sessions", 0);
	rtc->max_per_address = (unsigned)msg_int(msg, "max_per_address", 0);
	rtc->n_configured = take_addresses(json_object_get(msg, "addresses"), rtc->configured);
	/* They change, and a process that is locked in cannot look any more. */
	if (own != NULL)
		rtc->n_own = take_addresses(own, rtc->own);
}

static void
answer(struct rtc *rtc, const json_t *msg, int code, const char *error)
{
	json_t *reply = msg_new(MSG_RTC_ANSWER);

	msg_set_int(reply, "request", msg_int(msg, "request", 0));
	msg_set_int(reply, "code", code);
	msg_set_str(reply, "error", error);
	front_send(rtc->front, reply, -1);
}

/* The session that a request names, of the stream that it names. NULL: it was answered. */
static struct rtc_session *
named(struct rtc *rtc, const json_t *msg)
{
	struct rtc_session *session = rtc_table_by_id(rtc->table, msg_str(msg, "session"));

	if (session != NULL && session->state != RTC_ENDING &&
	    session->stream_id == msg_int(msg, "id", 0))
		return session;
	answer(rtc, msg, 404, "there is no such session");
	return NULL;
}

/* Whether a fragment is of another ICE session than the offer was: a restart. */
static bool
is_restart(const struct rtc_session *session, const char *fragment)
{
	static const char name[] = "a=ice-ufrag:";
	const char *at = strstr(fragment, name);
	size_t len;

	if (at == NULL)
		return false;
	at += sizeof(name) - 1;
	len = strcspn(at, "\r\n");
	return len != strlen(session->their_ufrag) || memcmp(at, session->their_ufrag, len) != 0;
}

/* An ICE-lite side has no use for candidates: checks tell where the viewer is, and moving there
 * needs no restart. */
static void
on_patch(struct rtc *rtc, const json_t *msg)
{
	const struct rtc_session *session = named(rtc, msg);

	if (session == NULL)
		return;
	if (is_restart(session, msg_str(msg, "sdp")))
		answer(rtc, msg, 422, "ICE is not restarted: make a new offer");
	else
		answer(rtc, msg, 204, NULL);
}

static void
on_close(struct rtc *rtc, const json_t *msg)
{
	struct rtc_session *session = named(rtc, msg);

	if (session == NULL)
		return;
	rtc_session_end(session, NULL);
	answer(rtc, msg, 200, NULL);
}

static bool
on_msg(struct front *front, enum msg_type type, const json_t *msg, int fd)
{
	struct rtc *rtc = rtc_of(front);

	if (type == MSG_RTC_CONFIG)
		on_config(rtc, msg);
	else if (type == MSG_RTC_LISTENER)
		on_listener(rtc, msg, fd);
	else if (type == MSG_RTC_OFFER)
		rtc_session_offer(rtc, msg);
	else if (type == MSG_RTC_PATCH)
		on_patch(rtc, msg);
	else if (type == MSG_RTC_CLOSE)
		on_close(rtc, msg);
	else
		return false;
	return true;
}

/* Life */

/* What comes to an open port, for who looks into it. */
static void
tell_strays(struct rtc *rtc)
{
	int64_t now = clock_now_ns(rtc->front->clock);
	struct rtc_stats *told = &rtc->told;

	if (now - rtc->told_ns < TELL_S * NS_PER_S ||
	    (told->strays == rtc->stats.strays && told->bad_checks == rtc->stats.bad_checks))
		return;
	log_info("rtc: %llu datagrams were nobody's, %llu checks were not made with the password",
		 (unsigned long long)(rtc->stats.strays - told->strays),
		 (unsigned long long)(rtc->stats.bad_checks - told->bad_checks));
	*told = rtc->stats;
	rtc->told_ns = now;
}

static void
on_tick(struct clock_timer *timer, void *arg)
{
	struct rtc *rtc = arg;
	struct rtc_session *session, *next;

	clock_timer_set_ms(timer, RTC_TICK_MS);
	tell_strays(rtc);
	for (session = LIST_FIRST(&rtc->sessions); session != NULL; session = next) {
		next = LIST_NEXT(session, in_rtc);
		rtc_session_tick(session);
	}
}

static void
begin(struct front *front)
{
	struct rtc *rtc = xcalloc(1, sizeof(*rtc));

	front->role_arg = rtc;
	rtc->front = front;
	LIST_INIT(&rtc->sessions);
	rtc->dtls = rtc_dtls_context_new();
	rtc->table = rtc_table_new();
	rtc->n_own = interfaces_addresses(rtc->own, RTC_OWN_MAX);
	clock_timer_init(&rtc->tick, front->clock, on_tick, rtc);
	clock_timer_set_ms(&rtc->tick, RTC_TICK_MS);
}

static void
end(struct front *front)
{
	struct rtc *rtc = rtc_of(front);

	clock_timer_cancel(&rtc->tick);
	while (!LIST_EMPTY(&rtc->sessions)) {
		struct rtc_session *session = LIST_FIRST(&rtc->sessions);

		rtc_session_free(&session);
	}
	for (unsigned i = 0; i < rtc->n_tcp; i++)
		rtc_tcp_port_free(&rtc->tcp[i]);
	for (unsigned i = 0; i < rtc->n_udp; i++)
		rtc_udp_free(&rtc->udp[i]);
	rtc_table_free(&rtc->table);
	rtc_dtls_context_free(&rtc->dtls);
	free(rtc);
	front->role_arg = NULL;
}

/* Its ports go to the next process, and what comes there is for nobody else: viewers are told to
 * come again, instead of finding out by silence. */
static void
on_drain(struct front *front)
{
	struct rtc *rtc = rtc_of(front);
	struct rtc_session *session;

	for (session = LIST_FIRST(&rtc->sessions); session != NULL;
	     session = LIST_NEXT(session, in_rtc))
		rtc_session_end(session, "another process takes over");
}

const struct front_role front_rtc = {
	.program = "camhub-rtc",
	.name = "rtc",
	.receives = MSG_TO_RTC,
	.sandbox = SANDBOX_RTC,
	.begin = begin,
	.end = end,
	.on_msg = on_msg,
	.on_drain = on_drain,
};
