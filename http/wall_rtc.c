/*
 * Offers of WebRTC over a wall's WebSocket, for the stream of a subscription. What comes of one is
 * a session of its own in the rtc front: it ends neither with the subscription nor with the
 * WebSocket.
 */
#include "config.h"

#include "http/rtc_ask.h"
#include "http/stream.h"
#include "http/wall_sub.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>

static void
say(struct sub *sub, const char *type, unsigned number, json_t *more)
{
	json_t *msg = json_pack("{s:s, s:I, s:I}", "type", type, "id", (json_int_t)sub->id, "offer",
				(json_int_t)number);

	if (msg == NULL || more == NULL || json_object_update(msg, more) < 0)
		xalloc_die();
	json_decref(more);
	wall_answer(sub->wall, msg);
}

static void
say_error(struct sub *sub, int code, const char *text)
{
	say(sub, "webrtc/error", sub->offer, json_pack("{s:i, s:s}", "code", code, "text", text));
}

static void
on_answer(void *arg, const struct rtc_answer *answer)
{
	struct sub *sub = arg;

	sub->rtc_ask = NULL;
	if (answer->code == 201 && answer->sdp != NULL) {
		snprintf(sub->session, sizeof(sub->session), "%s",
			 answer->session != NULL ? answer->session : "");
		sub->session_offer = sub->offer;
		say(sub, "webrtc/answer", sub->offer, json_pack("{s:s}", "sdp", answer->sdp));
	} else {
		say_error(sub, answer->code == 201 ? 503 : answer->code,
			  answer->error != NULL ? answer->error : "WebRTC failed");
	}
	link_pump_in_turn(&sub->wall->link);
}

/* What is shown, or is about to be. */
static const struct stream *
stream_of(const struct sub *sub)
{
	return sub->next->stream != NULL ? sub->next->stream : sub->now->stream;
}

void
sub_offer(struct sub *sub, const struct wall_offer *asked)
{
	const struct wall *wall = sub->wall;
	const struct rtc_offer offer = { .stream = stream_of(sub),
					 .sdp = json_string_value(asked->sdp),
					 .who = &wall->pass.who,
					 .address = wall->pass.address,
					 .local = wall->local,
					 .smooth = asked->smooth };

	rtc_ask_cancel(&sub->rtc_ask); /* the last one counts */
	sub->offer = asked->number;
	if (!wall->front->config.webrtc)
		say_error(sub, 404, "WebRTC is switched off");
	else if (offer.stream == NULL)
		say_error(sub, 503, "the camera is not there now");
	else if (!rtc_sdp_is_fine(offer.sdp, json_string_length(asked->sdp)))
		say_error(sub, 400, "the offer is no session description");
	else
		sub->rtc_ask = rtc_ask_offer(wall->front, &offer, on_answer, sub);
}

void
sub_forget_offer(struct sub *sub)
{
	rtc_ask_cancel(&sub->rtc_ask);
}

/* One for RTCPeerConnection. */
static json_t *
ice_server(const struct front_config *config, const char *url)
{
	json_t *server = json_pack("{s:[s]}", "urls", url);

	if (strncmp(url, "turn", 4) == 0 && config->ice_user != NULL &&
	    config->ice_password != NULL &&
	    (json_object_set_new(server, "username", json_string(config->ice_user)) < 0 ||
	     json_object_set_new(server, "credential", json_string(config->ice_password)) < 0))
		xalloc_die();
	return server;
}

void
wall_tell_webrtc(struct wall *wall)
{
	const struct front_config *config = &wall->front->config;
	json_t *servers = json_array();

	if (!config->webrtc) {
		json_decref(servers);
		return;
	}
	for (char **url = config->ice_servers;
	     !wall->front->is_rtc_away && url != NULL && *url != NULL; url++)
		if (json_array_append_new(servers, ice_server(config, *url)) < 0)
			xalloc_die();
	wall_answer(wall, json_pack("{s:s, s:b, s:o}", "type", "webrtc", "ready",
				    !wall->front->is_rtc_away, "servers", servers));
}

void
wall_on_rtc_state(struct wall *wall)
{
	if (link_is_ending(&wall->link))
		return;
	wall_tell_webrtc(wall);
	link_pump_in_turn(&wall->link);
}

void
wall_on_rtc_link(struct wall *wall, const char *session, const char *state)
{
	struct sub *sub;

	if (link_is_ending(&wall->link))
		return;
	for (sub = TAILQ_FIRST(&wall->subs); sub != NULL; sub = TAILQ_NEXT(sub, in_wall)) {
		if (sub->session[0] == '\0' || strcmp(sub->session, session) != 0)
			continue;
		say(sub, "webrtc/link", sub->session_offer, json_pack("{s:s}", "link", state));
		link_pump_in_turn(&wall->link);
	}
}
