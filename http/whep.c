/*
 * WHEP and its relative, from request to answer.
 */
#include "config.h"

#include "http/whep.h"

#include "http/listen.h"
#include "http/local.h"
#include "http/reply.h"
#include "http/rtc_ask.h"
#include "shared/xalloc.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SDP_TYPE   "application/sdp"
#define PATCH_TYPE "application/trickle-ice-sdpfrag"
#define JSON_TYPE  "application/json"
#define ICE_TAG    "\"0\"" /* of a session's ICE, which is not made anew (RFC 9725 4.3.1) */

/* How the answer is worded. */
enum manner {
	MANNER_WHEP,
	MANNER_JSON, /* {"type": "answer", "sdp": ...} */
	MANNER_TEXT, /* the description alone */
};

/* A request that waits for its answer. */
struct waiting {
	struct front *front;
	struct evhttp_request *req;
	struct rtc_ask *ask; /* outstanding */
	bool asking;         /* rtc_ask_*() has not returned */
	enum manner manner;
	long long stream; /* id */
	char name[STREAM_NAME_MAX + 1];
	char *cors_origin;
	char *token; /* of the address, for the session's; NULL: none */
};

static const char *
header(const struct request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->req), name);
}

/* Paths */

bool
whep_parse_path(const char *path, char *name, const char **session)
{
	static const char word[] = "/whep";
	size_t len;
	const char *rest;

	if (path[0] != '/')
		return false;
	len = strcspn(path + 1, "/");
	rest = path + 1 + len;
	if (len == 0 || len > STREAM_NAME_MAX || strncmp(rest, word, sizeof(word) - 1) != 0)
		return false;
	rest += sizeof(word) - 1;
	if (*rest != '\0' && *rest != '/')
		return false;
	snprintf(name, STREAM_NAME_MAX + 1, "%.*s", (int)len, path + 1);
	if (!stream_is_name(name))
		return false;
	*session = *rest == '/' ? rest + 1 : NULL;
	return true;
}

/* ICE servers */

static bool
is_turn(const char *server)
{
	return strncmp(server, "turn", 4) == 0;
}

/* In a quoted-string (RFC 9110 section 5.6.4); malloc'd. */
static char *
quote(const char *text)
{
	char *quoted = xmalloc(2 * strlen(text) + 1), *to = quoted;

	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = (unsigned char)*text >= ' ' && *text != 0x7f ? *text : '?';
	}
	*to = '\0';
	return quoted;
}

static void
add_ice_links(struct request *request)
{
	const struct front_config *config = &request->front->config;

	for (char **server = config->ice_servers; server != NULL && *server != NULL; server++) {
		char *link, *user, *password;

		if (!is_turn(*server) || config->ice_user == NULL) {
			link = xasprintf("<%s>; rel=\"ice-server\"", *server);
		} else {
			user = quote(config->ice_user);
			password = quote(config->ice_password);
			link = xasprintf("<%s>; rel=\"ice-server\"; username=\"%s\"; "
					 "credential=\"%s\"; credential-type=\"password\"",
					 *server, user, password);
			free(user);
			free(password);
		}
		reply_header(request, "Link", link);
		free(link);
	}
}

json_t *
whep_ice_servers(const struct front *front)
{
	const struct front_config *config = &front->config;
	json_t *list = json_array();

	for (char **server = config->ice_servers; server != NULL && *server != NULL; server++) {
		json_t *one = json_pack("{s:s}", "urls", *server);

		if (one == NULL || json_array_append_new(list, one) < 0)
			xalloc_die();
		if (!is_turn(*server) || config->ice_user == NULL)
			continue;
		msg_set_str(one, "username", config->ice_user);
		msg_set_str(one, "credential", config->ice_password);
	}
	return list;
}

/* OPTIONS */

void
whep_preflight(struct request *request, const char *methods)
{
	if (request->cors_origin != NULL) {
		reply_header(request, "Access-Control-Allow-Methods", methods);
		reply_header(request, "Access-Control-Allow-Headers",
			     "Authorization, Content-Type, If-Match");
		reply_header(request, "Access-Control-Max-Age", "3600");
	}
	reply_header(request, "Accept-Post", SDP_TYPE);
	reply_send(request, 204, NULL, NULL, 0);
}

/* To somebody who may see the camera: what a player should know before it offers. */
static void
answer_options(struct request *request)
{
	reply_header(request, "Accept-Post", SDP_TYPE);
	add_ice_links(request);
	reply_send(request, 204, NULL, NULL, 0);
}

/* Waiting */

static struct waiting *
waiting_new(struct request *request, enum manner manner)
{
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));
	const char *token = evhttp_find_header(&request->query, "token");

	waiting->front = request->front;
	waiting->req = request->req;
	waiting->manner = manner;
	waiting->stream = request->stream->id;
	snprintf(waiting->name, sizeof(waiting->name), "%s", request->stream->name);
	if (request->cors_origin != NULL)
		waiting->cors_origin = xstrdup(request->cors_origin);
	if (request->who.is_from_url && token != NULL)
		waiting->token = xstrdup(token);
	return waiting;
}

static void
waiting_free(struct waiting *waiting)
{
	rtc_ask_cancel(&waiting->ask);
	free(waiting->cors_origin);
	free(waiting->token);
	free(waiting);
}

static void
on_abort(void *arg)
{
	waiting_free(arg);
}

/* The ask has been made: wait for the answer, unless it came at once. */
static void
wait_for(struct waiting *waiting)
{
	waiting->asking = false;
	if (waiting->ask == NULL)
		waiting_free(waiting);
	else
		listeners_on_abort(waiting->front->listeners, waiting->req, on_abort, waiting);
}

/* Answers */

static void
add_location(struct request *request, const struct waiting *waiting, const char *session)
{
	char *location = xasprintf("/%s/whep/%s%s%s", waiting->name, session,
				   waiting->token != NULL ? "?token=" : "",
				   waiting->token != NULL ? waiting->token : "");

	reply_header(request, "Location", location);
	free(location);
}

static void
answer_whep(struct request *request, const struct waiting *waiting, const struct rtc_answer *answer)
{
	add_location(request, waiting, answer->session);
	reply_header(request, "ETag", ICE_TAG);
	reply_header(request, "Accept-Patch", PATCH_TYPE);
	if (request->cors_origin != NULL)
		reply_header(request, "Access-Control-Expose-Headers",
			     "Location, ETag, Accept-Patch, Link");
	add_ice_links(request);
	reply_send(request, 201, SDP_TYPE, answer->sdp, strlen(answer->sdp));
}

static bool
is_session(const struct rtc_answer *answer)
{
	return answer->code == 201 && answer->sdp != NULL && answer->session != NULL &&
	       rtc_session_is_fine(answer->session);
}

static void
answer_offer(struct request *request, const struct waiting *waiting,
	     const struct rtc_answer *answer)
{
	if (!is_session(answer)) {
		reply_error(request, answer->code >= 400 ? answer->code : 503,
			    answer->error != NULL ? answer->error : "WebRTC failed");
		return;
	}
	if (local_has_left(waiting->req))
		rtc_ask_discard(waiting->front, waiting->stream, answer->session);
	if (waiting->manner == MANNER_WHEP)
		answer_whep(request, waiting, answer);
	else if (waiting->manner == MANNER_JSON)
		reply_json(request, 200,
			   json_pack("{s:s, s:s}", "type", "answer", "sdp", answer->sdp));
	else
		reply_send(request, 200, SDP_TYPE, answer->sdp, strlen(answer->sdp));
}

static struct request
request_of(const struct waiting *waiting)
{
	return (struct request){ .front = waiting->front,
				 .req = waiting->req,
				 .cors_origin = waiting->cors_origin };
}

static void
on_offer_answer(void *arg, const struct rtc_answer *answer)
{
	struct waiting *waiting = arg;
	struct request request = request_of(waiting);

	waiting->ask = NULL;
	listeners_on_abort(waiting->front->listeners, waiting->req, NULL, NULL);
	answer_offer(&request, waiting, answer);
	if (!waiting->asking)
		waiting_free(waiting);
}

static void
on_session_answer(void *arg, const struct rtc_answer *answer)
{
	struct waiting *waiting = arg;
	struct request request = request_of(waiting);

	waiting->ask = NULL;
	listeners_on_abort(waiting->front->listeners, waiting->req, NULL, NULL);
	if (answer->code >= 300)
		reply_error(&request, answer->code,
			    answer->error != NULL ? answer->error : "no such session");
	else if (answer->sdp != NULL)
		reply_send(&request, answer->code, PATCH_TYPE, answer->sdp, strlen(answer->sdp));
	else if (answer->code == 204)
		reply_send(&request, 204, NULL, NULL, 0);
	else
		reply_json(&request, answer->code, json_object());
	if (!waiting->asking)
		waiting_free(waiting);
}

/* Offers */

/* The body as text, malloc'd; empty when it is no text. */
static char *
body_of(const struct request *request, size_t *len)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request->req);
	char *text;

	*len = evbuffer_get_length(body);
	text = xmalloc(*len + 1);
	/* Copied, not taken: a request that waits at the gate is read again. */
	evbuffer_copyout(body, text, *len);
	text[*len] = '\0';
	return text;
}

/* Without its parameters. */
static bool
is_type(const struct request *request, const char *wanted)
{
	const char *type = header(request, "Content-Type");
	size_t len = strlen(wanted);

	return type != NULL && strncasecmp(type, wanted, len) == 0 &&
	       strchr("; \t", type[len]) != NULL;
}

static enum rtc_wish
wish_of(const struct request *request, const char *name)
{
	const char *value = evhttp_find_header(&request->query, name);

	if (value == NULL)
		return RTC_WISH_NONE;
	return strcmp(value, "0") == 0 || strcmp(value, "none") == 0 ? RTC_WISH_NO : RTC_WISH_YES;
}

static void
offer(struct request *request, enum manner manner, const char *sdp, size_t len)
{
	struct rtc_offer offer = { .stream = request->stream,
				   .sdp = sdp,
				   .who = &request->who,
				   .address = request->address,
				   .smooth = wish_of(request, "smooth") == RTC_WISH_YES,
				   .audio = wish_of(request, "audio") };
	char local[LOCAL_ADDRESS_BYTES];
	struct waiting *waiting;

	if (len > MSG_SDP_MAX) {
		reply_error(request, 413, "the offer is too large");
		return;
	}
	if (!rtc_sdp_is_fine(sdp, len)) {
		reply_error(request, 400, "the offer is no session description");
		return;
	}
	local_address_of_request(request->req, local);
	offer.local = local;
	waiting = waiting_new(request, manner);
	waiting->asking = true;
	waiting->ask = rtc_ask_offer(request->front, &offer, on_offer_answer, waiting);
	wait_for(waiting);
}

static bool
is_options(const struct request *request)
{
	return evhttp_request_get_command(request->req) == EVHTTP_REQ_OPTIONS;
}

void
whep_endpoint(struct request *request)
{
	size_t len;
	char *sdp;

	if (is_options(request)) {
		answer_options(request);
		return;
	}
	if (!is_type(request, SDP_TYPE)) {
		reply_error(request, 415, "an offer is " SDP_TYPE);
		return;
	}
	sdp = body_of(request, &len);
	offer(request, MANNER_WHEP, sdp, len);
	free(sdp);
}

static void
offer_json(struct request *request, const char *text, size_t len)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *sdp = json_object_get(json, "sdp");

	if (json_is_string(sdp))
		offer(request, MANNER_JSON, json_string_value(sdp), json_string_length(sdp));
	else
		reply_error(request, 400, "expected {\"type\": \"offer\", \"sdp\": ...}");
	json_decref(json);
}

void
whep_api(struct request *request)
{
	size_t len;
	char *text;

	if (is_options(request)) {
		answer_options(request);
		return;
	}
	text = body_of(request, &len);
	if (is_type(request, JSON_TYPE))
		offer_json(request, text, len);
	else
		offer(request, is_type(request, SDP_TYPE) ? MANNER_WHEP : MANNER_TEXT, text, len);
	free(text);
}

/* Sessions */

static void
patch(struct request *request, const char *session)
{
	struct waiting *waiting;
	size_t len;
	char *sdp;

	if (!is_type(request, PATCH_TYPE)) {
		reply_error(request, 415, "a change is " PATCH_TYPE);
		return;
	}
	sdp = body_of(request, &len);
	if (!rtc_sdp_is_fine(sdp, len)) {
		reply_error(request, len > MSG_SDP_MAX ? 413 : 400, "that is no fragment");
	} else {
		waiting = waiting_new(request, MANNER_WHEP);
		waiting->asking = true;
		waiting->ask = rtc_ask_patch(request->front, request->stream, session, sdp,
					     request->address, on_session_answer, waiting);
		wait_for(waiting);
	}
	free(sdp);
}

void
whep_session(struct request *request)
{
	char name[STREAM_NAME_MAX + 1];
	const char *session = NULL;
	struct waiting *waiting;

	if (is_options(request)) {
		answer_options(request);
		return;
	}
	if (!whep_parse_path(request->path, name, &session) || session == NULL ||
	    !rtc_session_is_fine(session)) {
		reply_error(request, 404, "no such session");
		return;
	}
	if (evhttp_request_get_command(request->req) == EVHTTP_REQ_PATCH) {
		patch(request, session);
		return;
	}
	waiting = waiting_new(request, MANNER_WHEP);
	waiting->asking = true;
	waiting->ask = rtc_ask_close(request->front, request->stream, session, request->address,
				     on_session_answer, waiting);
	wait_for(waiting);
}
