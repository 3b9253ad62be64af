/*
 * Offers of WebRTC over a viewer's WebSocket, as go2rtc's players send them. What comes of one is a
 * session of its own, which does not end with the WebSocket.
 */
#include "config.h"

#include "http/viewer_media.h"

#include "http/rtc_ask.h"
#include "http/stream.h"
#include "shared/xalloc.h"

#include <string.h>

#define OFFER "webrtc/offer"

/* Pictures that come by this WebSocket go on. */
static void
say_error(struct viewer *viewer, const char *what)
{
	viewer_say(viewer, "error",
		   json_sprintf("%s: %s", viewer->rtc_in_object ? "webrtc" : OFFER, what));
}

static void
say_answer(struct viewer *viewer, const char *sdp)
{
	if (viewer->rtc_in_object)
		viewer_say(viewer, "webrtc", json_pack("{s:s, s:s}", "type", "answer", "sdp", sdp));
	else
		viewer_say(viewer, "webrtc/answer", json_string(sdp));
}

static void
on_answer(void *arg, const struct rtc_answer *answer)
{
	struct viewer *viewer = arg;

	viewer->rtc_ask = NULL;
	if (link_is_ending(&viewer->link))
		return;
	if (answer->code == 201 && answer->sdp != NULL)
		say_answer(viewer, answer->sdp);
	else
		say_error(viewer, answer->error != NULL ? answer->error : "WebRTC failed");
	link_pump_in_turn(&viewer->link);
}

static void
offer(struct viewer *viewer, const json_t *sdp)
{
	const struct rtc_offer offer = { .stream = viewer->cursor.stream,
					 .sdp = json_string_value(sdp),
					 .who = &viewer->pass.who,
					 .address = viewer->pass.address,
					 .local = viewer->local };

	if (viewer->rtc_ask != NULL)
		say_error(viewer, "one after the other");
	else if (!json_is_string(sdp) || !rtc_sdp_is_fine(offer.sdp, json_string_length(sdp)))
		say_error(viewer, "the offer is no session description");
	else
		viewer->rtc_ask = rtc_ask_offer(viewer->front, &offer, on_answer, viewer);
}

void
viewer_on_webrtc(struct viewer *viewer, const char *type, const json_t *value)
{
	const char *kind = json_string_value(json_object_get(value, "type"));

	/* All of ours stand in the answer, and theirs are not needed. */
	if (strcmp(type, "webrtc/candidate") == 0 ||
	    (kind != NULL && strcmp(kind, "candidate") == 0))
		return;
	viewer->rtc_in_object = strcmp(type, OFFER) != 0;
	if (viewer->rtc_in_object &&
	    (strcmp(type, "webrtc") != 0 || kind == NULL || strcmp(kind, "offer") != 0))
		viewer_say(viewer, "error", json_sprintf("%s: not supported", type));
	else
		offer(viewer, viewer->rtc_in_object ? json_object_get(value, "sdp") : value);
}
