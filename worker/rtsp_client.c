/*
 * The session's life: what happens becomes an event, the table steps, actions are applied. One
 * timer serves the state's deadline, silence, reports and holes in UDP, whichever is first.
 */
#include "config.h"

#include "worker/rtsp_client_int.h"

#include "publish/wrk.h"
#include "shared/log.h"
#include "shared/url.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

void
rtsp_client_blame(struct rtsp_client *client, enum wrk_class class, const char *fmt, ...)
{
	va_list ap;

	client->class = class;
	va_start(ap, fmt);
	vsnprintf(client->reason, sizeof(client->reason), fmt, ap);
	va_end(ap);
}

/* The timer */

static int64_t
earliest_ns(const struct rtsp_client *client)
{
	int64_t due_ns = client->deadline_ns, other_ns = rtsp_client_tracks_due_ns(client);

	if (client->report_ns < due_ns)
		due_ns = client->report_ns;
	if (client->is_held && client->burst_end_ns < due_ns)
		due_ns = client->burst_end_ns;
	if (other_ns < due_ns)
		due_ns = other_ns;
	other_ns = client->state == RTSP_STATE_PLAYING ? rtsp_client_silent_ns(client) : INT64_MAX;
	return other_ns < due_ns ? other_ns : due_ns;
}

void
rtsp_client_arm(struct rtsp_client *client)
{
	int64_t due_ns = earliest_ns(client), wait_ns;

	if (due_ns == INT64_MAX) {
		clock_timer_cancel(&client->timer);
		return;
	}
	wait_ns = due_ns - clock_now_ns(client->clock);
	clock_timer_set_ms(&client->timer, wait_ns > 0 ? (wait_ns + NS_PER_MS - 1) / NS_PER_MS : 0);
}

static bool
is_opening(enum rtsp_state state)
{
	return state <= RTSP_STATE_PLAY;
}

static void
set_deadline(struct rtsp_client *client)
{
	int64_t now_ns = clock_now_ns(client->clock);

	if (is_opening(client->state) && !client->is_open)
		client->deadline_ns = client->open_deadline_ns;
	else if (client->state == RTSP_STATE_PLAYING)
		client->deadline_ns = now_ns + client->session_timeout_s * NS_PER_S / 2;
	else if (client->state == RTSP_STATE_TEARDOWN)
		client->deadline_ns = now_ns + RTSP_TEARDOWN_MS * NS_PER_MS;
	else if (client->state == RTSP_STATE_CLOSED)
		client->deadline_ns = now_ns;
	else
		client->deadline_ns = rtsp_client_give_up_ns(client);
}

/* Actions */

static void
do_fail(struct rtsp_client *client)
{
	if (client->has_told_end)
		return;
	client->has_told_end = true;
	if (client->challenge != NULL)
		wrk_input_challenged(client->wrk, client->challenge, client->reason);
	else
		wrk_input_failed(client->wrk, client->class, client->reason);
}

static void
do_follow(struct rtsp_client *client)
{
	if (client->has_told_end)
		return;
	client->has_told_end = true;
	wrk_input_redirected(client->wrk, client->redirect);
}

static void
do_close(struct rtsp_client *client)
{
	rtsp_client_close_tracks(client);
	rtsp_conn_free(&client->conn);
	client->report_ns = INT64_MAX;
}

/* Without a session there is nothing to tear down. */
static void
do_leave(struct rtsp_client *client)
{
	client->report_ns = INT64_MAX;
	if (!rtsp_client_has_session(client) || rtsp_client_ask(client) < 0)
		rtsp_client_handle(client, RTSP_EVENT_OK);
}

static void
do_go(struct rtsp_client *client)
{
	int64_t now_ns = clock_now_ns(client->clock);

	client->report_ns = now_ns + RTSP_REPORT_MS * NS_PER_MS;
	if (client->is_open)
		return;
	client->go_ns = now_ns;
	client->is_open = true;
	wrk_input_opened(client->wrk);
}

static int
do_revive(struct rtsp_client *client)
{
	log_debug("no packet of video for %.1f s, asking for it once more",
		  (double)client->silence_ms / 1000);
	client->was_revived = true;
	client->revive_packets = rtsp_client_video_packets(client);
	if (client->can_pause)
		return rtsp_client_ask(client);
	rtsp_client_handle(client, RTSP_EVENT_OK);
	return 0;
}

static int
do_other_transport(struct rtsp_client *client)
{
	client->is_tcp = false;
	return rtsp_client_ask(client);
}

static int
do_next_track(struct rtsp_client *client)
{
	client->current++;
	return rtsp_client_ask(client);
}

/* Ends the session where there is one, then says why. */
static void
do_end(struct rtsp_client *client, enum rtsp_action action)
{
	if (client->state == RTSP_STATE_CLOSED)
		do_close(client);
	else
		do_leave(client);
	if (action == RTSP_ACTION_FAIL)
		do_fail(client);
	else if (action == RTSP_ACTION_FOLLOW)
		do_follow(client);
}

/* 0; 1: the client is none any more; negative: the camera cannot be asked, and who is to blame. */
static int
apply(struct rtsp_client *client, enum rtsp_action action)
{
	switch (action) {
	case RTSP_ACTION_ASK:
		if (client->state == RTSP_STATE_PLAY)
			rtsp_client_punch(client);
		return rtsp_client_ask(client);
	case RTSP_ACTION_AGAIN:
		return rtsp_client_ask_again(client);
	case RTSP_ACTION_NEXT_TRACK:
		return do_next_track(client);
	case RTSP_ACTION_OTHER_TRANSPORT:
		return do_other_transport(client);
	case RTSP_ACTION_GO:
		do_go(client);
		return 0;
	case RTSP_ACTION_KEEP_ALIVE:
		return rtsp_client_keep_alive(client);
	case RTSP_ACTION_REVIVE:
		return do_revive(client);
	case RTSP_ACTION_FOLLOW:
	case RTSP_ACTION_FAIL:
	case RTSP_ACTION_LEAVE:
		do_end(client, action);
		return 0;
	case RTSP_ACTION_CLOSE:
		do_close(client);
		return 0;
	case RTSP_ACTION_TELL:
		client->deadline_ns = INT64_MAX;
		clock_timer_cancel(&client->timer);
		wrk_input_closed(client->wrk);
		return 1; /* that was the last call: the client may be gone */
	case RTSP_ACTION_NONE:
	case RTSP_ACTION_COUNT:
		break;
	}
	return 0;
}

/* Why a state's time is over. */
static void
blame_time(struct rtsp_client *client)
{
	const char *method = rtsp_method_name(client->pending.method);
	double open_s = (double)client->open_timeout_ms / 1000;

	if (client->state == RTSP_STATE_CONNECTING)
		rtsp_client_blame(client, WRK_CLASS_TIMEOUT, "no connection within %.1f s", open_s);
	else if (!client->is_open)
		rtsp_client_blame(client, WRK_CLASS_TIMEOUT,
				  "the camera does not answer %s within %.1f s", method, open_s);
	else
		rtsp_client_blame(client, WRK_CLASS_TIMEOUT,
				  "no packet of video for %.1f s, and the camera does not answer "
				  "%s",
				  (double)client->give_up_ms / 1000, method);
}

/*
 * Some cameras close the connection behind a 401, whatever else comes on it: the answer is for the
 * next connection. One that closes that too may mean the password: it counts as refused, so that
 * it is not sent every second.
 */
static void
blame_hang_up(struct rtsp_client *client)
{
	bool has_answered = client->pending.challenges > 0 || client->is_second;

	if (client->is_open || !client->pending.is_waiting || !has_answered ||
	    (client->class != WRK_CLASS_EOF && client->class != WRK_CLASS_UNREACHABLE))
		return;
	if (!client->is_second)
		client->challenge = rtsp_auth_hand_over(client->auth);
	rtsp_client_blame(client, WRK_CLASS_AUTH,
			  "the camera closes the connection after asking for a password");
}

void
rtsp_client_handle(struct rtsp_client *client, enum rtsp_event event)
{
	enum rtsp_state before = client->state;
	struct rtsp_step step = rtsp_fsm_step(before, event);
	int rc;

	if (step.next != before)
		log_debug("rtsp: %s: %s -> %s, %s", rtsp_event_name(event), rtsp_state_name(before),
			  rtsp_state_name(step.next), rtsp_action_name(step.action));
	if (event == RTSP_EVENT_TIMEOUT && step.action == RTSP_ACTION_FAIL)
		blame_time(client);
	if (event == RTSP_EVENT_LOST && step.action == RTSP_ACTION_FAIL)
		blame_hang_up(client);
	client->state = step.next;
	if (step.next != before || step.action == RTSP_ACTION_KEEP_ALIVE)
		set_deadline(client);
	rc = apply(client, step.action);
	if (rc < 0)
		rtsp_client_handle(client, RTSP_EVENT_LOST);
	else if (rc == 0)
		rtsp_client_arm(client);
}

/* A camera may play without saying so, or go on without hearing a PAUSE. */
static bool
plays_unasked(const struct rtsp_client *client)
{
	return (client->state == RTSP_STATE_PLAY || client->state == RTSP_STATE_PAUSE) &&
	       rtsp_client_video_packets(client) > client->revive_packets;
}

static void
on_timer(struct clock_timer *timer, void *arg)
{
	struct rtsp_client *client = arg;
	int64_t now_ns = clock_now_ns(client->clock);

	(void)timer;
	if (client->is_held && now_ns >= client->burst_end_ns) {
		client->is_held = false;
		if (client->conn != NULL)
			rtsp_conn_hold(client->conn, false);
	}
	rtsp_client_tick_tracks(client, now_ns);
	if (now_ns >= client->report_ns) {
		client->report_ns = now_ns + RTSP_REPORT_MS * NS_PER_MS;
		rtsp_client_send_reports(client, now_ns);
	}
	if (client->state == RTSP_STATE_PLAYING && now_ns >= rtsp_client_silent_ns(client))
		rtsp_client_handle(client, rtsp_client_judge_silence(client, now_ns));
	else if (now_ns >= client->deadline_ns)
		rtsp_client_handle(client,
				   plays_unasked(client) ? RTSP_EVENT_OK : RTSP_EVENT_TIMEOUT);
	else
		rtsp_client_arm(client);
}

/* The connection */

static void
on_ready(void *arg)
{
	rtsp_client_handle(arg, RTSP_EVENT_CONNECTED);
}

static void
on_item(struct rtsp_client *client, const struct rtsp_item *item, int64_t now_ns,
	int64_t realtime_ns)
{
	if (item->kind == RTSP_ITEM_DATA)
		rtsp_client_on_data(client, item, now_ns, realtime_ns);
	else if (item->kind == RTSP_ITEM_REPLY)
		rtsp_client_on_reply(client, item);
	else
		rtsp_client_on_request(client, item);
}

static size_t
on_bytes(void *arg, const uint8_t *data, size_t len, int64_t now_ns, int64_t realtime_ns)
{
	struct rtsp_client *client = arg;
	size_t done = 0;

	while (done < len && client->conn != NULL) {
		struct rtsp_item item;
		size_t used = 0;
		int rc = rtsp_reader_next(client->reader, data + done, len - done, &used, &item);

		if (rc < 0) {
			rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
					  "what the camera sends is no RTSP");
			rtsp_client_handle(client, RTSP_EVENT_LOST);
			return len;
		}
		done += used;
		if (rc == 0)
			break;
		on_item(client, &item, now_ns, realtime_ns);
		if (item.kind == RTSP_ITEM_DATA && rtsp_client_hold(client, now_ns))
			break;
	}
	return done;
}

static void
on_end(void *arg, enum rtsp_conn_end how, const char *reason)
{
	static const enum wrk_class classes[] = {
		[RTSP_CONN_CLOSED] = WRK_CLASS_EOF,
		[RTSP_CONN_UNREACHABLE] = WRK_CLASS_UNREACHABLE,
		[RTSP_CONN_BROKEN] = WRK_CLASS_UNREACHABLE,
		[RTSP_CONN_TLS] = WRK_CLASS_PROTOCOL,
	};
	struct rtsp_client *client = arg;

	if (client->pending.is_waiting && how != RTSP_CONN_TLS)
		rtsp_client_blame(client, classes[how], "%s, instead of answering %s", reason,
				  rtsp_method_name(client->pending.method));
	else
		rtsp_client_blame(client, classes[how], "%s", reason);
	rtsp_client_handle(client, RTSP_EVENT_LOST);
}

/* The beginning and the end */

static int
read_config(const struct wrk_input_config *config, struct url *url, struct rtsp_tls_config *tls)
{
	char err[URL_ERROR_MAX];

	if (url_parse(config->url, url, err) < 0)
		return -EINVAL;
	if (strcmp(url->scheme->name, "rtsps") == 0) {
		tls->host = url->host;
		return rtsp_tls_read_mode(config->tls != NULL ? config->tls : "verify", tls);
	}
	return strcmp(url->scheme->name, "rtsp") == 0 ? 0 : -EINVAL;
}

/* UDP would carry in the clear what rtsps:// is to protect. */
static void
set_transports(struct rtsp_client *client, const char *transport, bool is_tls)
{
	client->is_tls = is_tls;
	client->may_tcp = is_tls || strcmp(transport, "udp") != 0;
	client->may_udp = !is_tls && strcmp(transport, "tcp") != 0;
	client->is_tcp = client->may_tcp;
}

static struct rtsp_client *
make(struct wrk *wrk, const struct wrk_input_config *config, bool is_tls)
{
	struct rtsp_client *client = xcalloc(1, sizeof(*client));

	client->wrk = wrk;
	client->clock = wrk_clock(wrk);
	client->base = wrk_base(wrk);
	client->url = xstrdup(config->url);
	set_transports(client, config->transport, is_tls);
	client->open_timeout_ms = config->open_timeout_ms;
	client->silence_ms = config->silence_ms > 0 ? config->silence_ms : RTSP_SILENCE_MS;
	client->give_up_ms = config->give_up_ms - RTSP_BEFORE_WORKER_MS;
	if (client->give_up_ms < client->silence_ms)
		client->give_up_ms = client->silence_ms;
	client->reorder_ms = config->reorder_ms;
	client->tracks = (struct rtsp_tracks){ .wrk = wrk, .keep_vui = config->keep_vui };
	client->session_timeout_s = RTSP_SESSION_DEFAULT_S;
	client->report_ns = INT64_MAX;
	client->reader = rtsp_reader_new();
	client->auth = rtsp_auth_new(config->user, config->password, true);
	client->is_second =
	    config->challenge != NULL && rtsp_auth_take_over(client->auth, config->challenge) == 0;
	for (size_t i = 0; i < sizeof(client->channel_of) / sizeof(client->channel_of[0]); i++)
		client->channel_of[i] = RTSP_NO_CHANNEL;
	if (getrandom(&client->our_ssrc, sizeof(client->our_ssrc), 0) < 0)
		client->our_ssrc = (uint32_t)clock_realtime_ns(client->clock);
	clock_timer_init(&client->timer, client->clock, on_timer, client);
	return client;
}

int
rtsp_client_new(struct wrk *wrk, const struct wrk_input_config *config, struct rtsp_client **client)
{
	static const struct rtsp_conn_ops ops = { on_ready, on_bytes, on_end };
	struct rtsp_tls_config tls = { .mode = RTSP_TLS_NONE };
	struct rtsp_client *new_client;
	struct url url;
	int rc;

	if (config->fd < 0)
		return -ENOTCONN;
	memset(&url, 0, sizeof(url));
	rc = read_config(config, &url, &tls);
	if (rc < 0) {
		close(config->fd);
		url_clear(&url);
		return rc;
	}
	new_client = make(wrk, config, tls.mode != RTSP_TLS_NONE);
	new_client->conn =
	    rtsp_conn_new(new_client->base, new_client->clock, config->fd, &tls, &ops, new_client);
	url_clear(&url);
	new_client->open_deadline_ns =
	    clock_now_ns(new_client->clock) + config->open_timeout_ms * NS_PER_MS;
	set_deadline(new_client);
	rtsp_client_arm(new_client);
	*client = new_client;
	return 0;
}

void
rtsp_client_stop(struct rtsp_client *client)
{
	client->has_told_end = true; /* who asked for the end needs no reason */
	rtsp_client_handle(client, RTSP_EVENT_STOP);
}

void
rtsp_client_free(struct rtsp_client **client)
{
	struct rtsp_client *old = *client;

	*client = NULL;
	if (old == NULL)
		return;
	clock_timer_cancel(&old->timer);
	do_close(old);
	rtsp_client_free_tracks(old);
	rtsp_reader_free(&old->reader);
	rtsp_auth_free(&old->auth);
	sdp_free(&old->sdp);
	free(old->url);
	free(old->base_url);
	free(old->play_url);
	free(old->redirect);
	free(old->challenge);
	free(old);
}

enum rtsp_state
rtsp_client_state(const struct rtsp_client *client)
{
	return client->state;
}
