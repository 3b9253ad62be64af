/*
 * What the camera says, as events. Nothing here decides what happens next: the table does.
 */
#include "config.h"

#include "worker/rtsp_client_int.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "worker/rtsp_url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PHRASE_MAX 64

/* What a status means, for people. */
struct meaning {
	unsigned status;
	enum wrk_class class;
	const char *words;
};

static const struct meaning meanings[] = {
	{ 400, WRK_CLASS_PROTOCOL, "the camera does not understand the request" },
	{ 404, WRK_CLASS_NOT_FOUND, "the camera has no stream at this path" },
	{ 405, WRK_CLASS_UNSUPPORTED, "the camera does not allow this request here" },
	{ 406, WRK_CLASS_UNSUPPORTED, "the camera cannot describe its stream" },
	{ 410, WRK_CLASS_NOT_FOUND, "the camera has no stream at this path any more" },
	{ 415, WRK_CLASS_UNSUPPORTED, "the camera cannot describe its stream" },
	{ 453, WRK_CLASS_UNREACHABLE,
	  "the camera serves no more viewers (not enough bandwidth): close others, or allow more" },
	{ 454, WRK_CLASS_PROTOCOL, "the camera does not know its own session" },
	{ 455, WRK_CLASS_PROTOCOL, "the camera does not take this request in its state" },
	{ 459, WRK_CLASS_UNSUPPORTED, "the camera cannot play its tracks together" },
	{ 460, WRK_CLASS_UNSUPPORTED, "the camera cannot play its tracks one by one" },
	{ 461, WRK_CLASS_UNSUPPORTED, "the camera does not offer this transport" },
	{ 500, WRK_CLASS_PROTOCOL, "the camera has an error of its own" },
	{ 501, WRK_CLASS_UNSUPPORTED, "the camera does not know this request" },
	{ 503, WRK_CLASS_UNREACHABLE, "the camera is busy, or serves no more viewers" },
	{ 505, WRK_CLASS_UNSUPPORTED, "the camera speaks another version of RTSP" },
	{ 551, WRK_CLASS_UNSUPPORTED, "the camera asks for what is not supported" },
};

static void
copy_phrase(const struct rtsp_text *phrase, char out[PHRASE_MAX])
{
	size_t len = phrase->len < PHRASE_MAX - 1 ? phrase->len : PHRASE_MAX - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = phrase->at[i] >= ' ' && phrase->at[i] <= '~' ? phrase->at[i] : '?';
	out[len] = '\0';
}

static enum rtsp_event
blame_status(struct rtsp_client *client, const struct rtsp_item *reply, enum wrk_class class,
	     const char *words)
{
	char phrase[PHRASE_MAX];

	copy_phrase(&reply->phrase, phrase);
	rtsp_client_blame(client, class, "%s (%u %s to %s)", words, reply->status, phrase,
			  rtsp_method_name(client->pending.method));
	return RTSP_EVENT_FAILED;
}

static enum rtsp_event
on_other_status(struct rtsp_client *client, const struct rtsp_item *reply)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].status == reply->status)
			return blame_status(client, reply, meanings[i].class, meanings[i].words);
	return blame_status(client, reply, WRK_CLASS_PROTOCOL,
			    reply->status >= 500 ? "the camera has an error"
						 : "the camera refuses the request");
}

/* Challenges and redirects */

static enum rtsp_event
blame_login(struct rtsp_client *client, const char *words)
{
	rtsp_client_blame(client, WRK_CLASS_AUTH, "%s", words);
	return RTSP_EVENT_REFUSED;
}

static enum rtsp_event
on_challenge(struct rtsp_client *client, const struct rtsp_item *reply)
{
	if (client->pending.challenges >= RTSP_AUTH_ATTEMPTS)
		return blame_login(client, "the camera refuses the user or the password");
	switch (rtsp_auth_on_challenge(client->auth, reply)) {
	case RTSP_AUTH_OK:
		return RTSP_EVENT_CHALLENGE;
	case RTSP_AUTH_NO_PASSWORD:
		return blame_login(client, "the camera asks for a user and a password, and none "
					   "is configured");
	case RTSP_AUTH_UNSUPPORTED:
		return blame_login(client, "the camera asks for a kind of login that is not "
					   "supported (Basic and Digest are)");
	case RTSP_AUTH_REFUSED:
		break;
	}
	return blame_login(client, "the camera refuses the user or the password");
}

static enum rtsp_event
on_redirect(struct rtsp_client *client, const struct rtsp_item *item)
{
	const struct rtsp_text *location = rtsp_item_header(item, "Location");

	free(client->redirect);
	client->redirect = location != NULL ? rtsp_url_redirect(client->url, location) : NULL;
	if (client->redirect != NULL)
		return RTSP_EVENT_REDIRECT;
	if (location == NULL)
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera sends us elsewhere and does not say where");
	else
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera sends us elsewhere, but not to an %s:// address",
				  strncmp(client->url, "rtsps:", 6) == 0 ? "rtsps" : "rtsp");
	return RTSP_EVENT_FAILED;
}

/* Success */

static void
note_methods(struct rtsp_client *client, const struct rtsp_item *reply)
{
	const struct rtsp_text *list;

	for (size_t i = 0; (list = rtsp_item_header_at(reply, "Public", i)) != NULL; i++) {
		client->has_public = true;
		client->can_get_parameter |= rtsp_text_lists(list, "GET_PARAMETER");
		client->can_pause |= rtsp_text_lists(list, "PAUSE");
	}
}

/* RFC 2326 C.1.1: Content-Base, Content-Location, the URL that was asked for. */
static void
note_base(struct rtsp_client *client, const struct rtsp_item *reply)
{
	const struct rtsp_text *base = rtsp_item_header(reply, "Content-Base");

	if (base == NULL || base->len == 0)
		base = rtsp_item_header(reply, "Content-Location");
	free(client->base_url);
	client->base_url =
	    base != NULL && base->len > 0 ? rtsp_text_dup(base) : xstrdup(client->url);
}

static enum rtsp_event
on_described(struct rtsp_client *client, const struct rtsp_item *reply)
{
	char err[SDP_ERROR_MAX] = "";

	if (reply->body_len == 0) {
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera's description of its stream is empty");
		return RTSP_EVENT_FAILED;
	}
	sdp_free(&client->sdp);
	if (sdp_parse(reply->body, reply->body_len, &client->sdp, err) < 0) {
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera's description of its stream cannot be read: %s", err);
		return RTSP_EVENT_FAILED;
	}
	note_base(client, reply);
	return rtsp_client_choose_tracks(client) < 0 ? RTSP_EVENT_FAILED : RTSP_EVENT_OK;
}

/* Sound that cannot be had does not cost the picture. */
static enum rtsp_event
after_track(struct rtsp_client *client, bool is_good)
{
	if (!is_good && client->current == 0)
		return RTSP_EVENT_FAILED;
	if (!is_good)
		rtsp_client_drop_audio(client);
	return client->current + 1 < client->n_media ? RTSP_EVENT_OK : RTSP_EVENT_SET_UP;
}

static enum rtsp_event
on_success(struct rtsp_client *client, const struct rtsp_item *reply)
{
	switch (client->pending.method) {
	case RTSP_OPTIONS:
		note_methods(client, reply);
		return RTSP_EVENT_OK;
	case RTSP_DESCRIBE:
		return on_described(client, reply);
	case RTSP_SETUP:
		return after_track(client, rtsp_client_set_up(client, reply) == 0);
	default:
		return RTSP_EVENT_OK;
	}
}

/* All replies */

/* -EPROTO: the session cannot be named, and who is to blame. */
static int
note_session(struct rtsp_client *client, const struct rtsp_item *reply)
{
	const struct rtsp_text *value = rtsp_item_header(reply, "Session");
	char id[RTSP_SESSION_ID_MAX];

	if (value == NULL || value->len == 0)
		return 0;
	if (rtsp_session_parse(value, id, sizeof(id), &client->session_timeout_s) < 0) {
		/* what matters is the one of SETUP */
		if (client->pending.method != RTSP_SETUP)
			return 0;
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera's name for the session cannot be used");
		return -EPROTO;
	}
	if (client->pending.method == RTSP_SETUP)
		memcpy(client->session, id, sizeof(id));
	return 0;
}

static enum rtsp_event
on_transport_refused(struct rtsp_client *client, const struct rtsp_item *reply)
{
	bool is_first = client->current == 0;

	if (client->pending.method != RTSP_SETUP)
		return on_other_status(client, reply);
	if (is_first && client->is_tcp && client->may_udp)
		return RTSP_EVENT_TRANSPORT;
	return blame_status(client, reply, WRK_CLASS_UNSUPPORTED,
			    client->is_tls
				? "the camera does not offer TCP, without which rtsps:// cannot be"
			    : client->is_tcp ? "the camera does not offer TCP: set transport: udp"
					     : "the camera does not offer UDP: set transport: tcp");
}

static enum rtsp_event
event_of(struct rtsp_client *client, const struct rtsp_item *reply)
{
	if (reply->status < 300) {
		rtsp_auth_on_accepted(client->auth, reply);
		if (note_session(client, reply) < 0)
			return RTSP_EVENT_FAILED;
		return on_success(client, reply);
	}
	switch (reply->status) {
	case 301:
	case 302:
	case 303:
	case 305:
	case 307:
	case 308:
		return on_redirect(client, reply);
	case 401:
		return on_challenge(client, reply);
	case 403:
		blame_status(client, reply, WRK_CLASS_AUTH,
			     "the camera forbids this user to see this stream");
		return RTSP_EVENT_REFUSED;
	case 461:
		return on_transport_refused(client, reply);
	default:
		return on_other_status(client, reply);
	}
}

static bool
is_answer(const struct rtsp_client *client, const struct rtsp_item *reply)
{
	if (!client->pending.is_waiting || reply->status < 200)
		return false;
	/* without a number it can only be the answer; one that is too high is a camera's mistake */
	return reply->cseq < 0 || reply->cseq >= client->pending.cseq;
}

void
rtsp_client_on_reply(struct rtsp_client *client, const struct rtsp_item *item)
{
	enum rtsp_event event;

	if (!is_answer(client, item)) {
		log_debug("rtsp: reply %u with CSeq %lld is no answer to a request under way",
			  item->status, (long long)item->cseq);
		return;
	}
	client->pending.is_waiting = false;
	log_debug("rtsp: %u to %s", item->status, rtsp_method_name(client->pending.method));
	event = event_of(client, item);
	/* A camera that lists GET_PARAMETER and does not know it hears OPTIONS from now on. */
	if (client->pending.method == RTSP_GET_PARAMETER && event == RTSP_EVENT_FAILED)
		client->can_get_parameter = false;
	/* Sound that is refused does not cost the picture. */
	if (client->pending.method == RTSP_SETUP && client->current > 0 &&
	    (event == RTSP_EVENT_FAILED || event == RTSP_EVENT_REFUSED))
		event = after_track(client, false);
	rtsp_client_handle(client, event);
}

/* Requests of the camera */

static unsigned
status_for(const struct rtsp_text *method)
{
	static const char *const fine[] = { "OPTIONS",  "GET_PARAMETER", "SET_PARAMETER",
					    "ANNOUNCE", "PLAY_NOTIFY",   "REDIRECT",
					    "TEARDOWN" };

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (rtsp_text_is(method, fine[i]))
			return 200;
	return 501;
}

static int
answer(struct rtsp_client *client, const struct rtsp_item *item, unsigned status)
{
	size_t len = 0;
	char *text = rtsp_reply_write(status, item->cseq,
				      client->session[0] != '\0' ? client->session : NULL, &len);
	int rc = text != NULL ? rtsp_conn_send(client->conn, text, len) : -ENOMEM;

	free(text);
	return rc;
}

void
rtsp_client_on_request(struct rtsp_client *client, const struct rtsp_item *item)
{
	if (answer(client, item, status_for(&item->method)) < 0) {
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera asks and does not read the answers");
		rtsp_client_handle(client, RTSP_EVENT_LOST);
	} else if (rtsp_text_is(&item->method, "TEARDOWN")) {
		rtsp_client_blame(client, WRK_CLASS_EOF, "the camera ended the session");
		rtsp_client_handle(client, RTSP_EVENT_DEAD);
	} else if (rtsp_text_is(&item->method, "REDIRECT") &&
		   on_redirect(client, item) == RTSP_EVENT_REDIRECT) {
		rtsp_client_handle(client, RTSP_EVENT_REDIRECT);
	}
}
