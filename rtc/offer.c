/*
 * From an offer to its answer: who asks, whether there is room, what of the stream he can be sent.
 */
#include "config.h"

#include "rtc/session.h"

#include "http/stream.h"
#include "media/h264.h"
#include "rtc/own.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define SOUND_WAIT_MS 300  /* behind the first picture: whether there is sound too */
#define COPY_WAIT_MS  1500 /* for the first picture of a copy with sound, then for its sound */
#define SILENT_MS     2000 /* a session that may make room for its successor */
#define CLOCK_G711    8000
#define CNAME         "camhub"

/* Asking */

static void
refuse(struct rtc *rtc, long long request, int code, const char *why)
{
	json_t *msg = msg_new(MSG_RTC_ANSWER);

	msg_set_int(msg, "request", request);
	msg_set_int(msg, "code", code);
	msg_set_str(msg, "error", why);
	front_send(rtc->front, msg, -1);
	rtc->stats.refused++;
}

static unsigned
sessions_at(const struct rtc *rtc, const char *address)
{
	const struct rtc_session *session;
	unsigned n = 0;

	for (session = LIST_FIRST(&rtc->sessions); session != NULL;
	     session = LIST_NEXT(session, in_rtc))
		n += session->state != RTC_ENDING && strcmp(session->address, address) == 0;
	return n;
}

/* When he showed last that he is there. */
static int64_t
last_sign(const struct rtc_session *session)
{
	return session->heard_ns > session->begun_ns ? session->heard_ns : session->begun_ns;
}

static bool
is_older_of(const struct rtc_session *session, const struct rtc_request *request)
{
	return session->state != RTC_ENDING && session->stream_id == request->stream->id &&
	       strcmp(session->pass.who.claims.id, request->who.claims.id) == 0 &&
	       clock_now_ns(session->rtc->front->clock) - last_sign(session) >
		   SILENT_MS * NS_PER_MS;
}

/* Whether a link has room for one more. Who comes again with it, from another address or because
 * his page made everything anew, does not wait until his session of before has run out. */
static bool
find_room_in_link(struct rtc *rtc, struct rtc_request *request)
{
	struct rtc_session *session, *oldest = NULL;

	if (pass_has_room(rtc->front, &request->who))
		return true;
	for (session = LIST_FIRST(&rtc->sessions); session != NULL;
	     session = LIST_NEXT(session, in_rtc))
		if (is_older_of(session, request) &&
		    (oldest == NULL || last_sign(session) < last_sign(oldest)))
			oldest = session;
	request->instead_of = oldest;
	return oldest != NULL;
}

/* 0, or the code of a refusal. */
static int
check_room(struct rtc *rtc, struct rtc_request *request, const char **why)
{
	const struct front *front = rtc->front;

	*why = "too many viewers";
	if (front->drain != NULL || !front_is_ready(front) || rtc->n_udp + rtc->n_tcp == 0) {
		*why = "not now";
		return 503;
	}
	if ((rtc->max_sessions > 0 && rtc->n_sessions >= rtc->max_sessions) ||
	    front->n_viewers >= front->config.max_viewers)
		return 503;
	if (rtc->max_per_address > 0 && request->address[0] != '\0' &&
	    sessions_at(rtc, request->address) >= rtc->max_per_address)
		return 429;
	*why = "this link is in use already";
	return find_room_in_link(rtc, request) ? 0 : 429;
}

static int
check_right(const struct rtc *rtc, const struct rtc_request *request, const char **why)
{
	const struct gate *gate = rtc->front->gate;

	*why = "there is no such camera";
	if (request->stream == NULL)
		return 404;
	*why = "not this camera";
	if (!gate_still_holds(gate, &request->who) ||
	    !gate_may_see(gate, &request->who, request->stream->camera))
		return 403;
	return 0;
}

static int
parse(const json_t *msg, struct rtc_sdp_offer **offer, const char **why)
{
	const char *sdp = msg_str(msg, "sdp");
	struct rtc_sdp_offer *made = xmalloc(sizeof(*made));
	int rc;

	*why = "this is no offer that can be understood";
	rc = rtc_sdp_parse(sdp, strlen(sdp), made, why);
	if (rc == 0 && made->fingerprint_len <= sizeof(((struct rtc_dtls_fingerprint *)0)->value)) {
		*offer = made;
		return 0;
	}
	free(made);
	return rc == -ENOTSUP ? 422 : rc == -EMSGSIZE ? 413 : 400;
}

static void
keep_fingerprint(struct rtc_session *session)
{
	const struct rtc_sdp_offer *offer = session->offer;
	struct rtc_dtls_fingerprint *kept = &session->fingerprint;

	snprintf(kept->hash, sizeof(kept->hash), "%s", offer->hash);
	memcpy(kept->value, offer->fingerprint, offer->fingerprint_len);
	kept->len = offer->fingerprint_len;
}

static bool
is_opus_offered(const struct rtc_sdp_offer *offer)
{
	for (unsigned i = 0; i < offer->n_media; i++)
		for (unsigned j = 0; j < offer->media[i].n_codecs; j++)
			if (offer->media[i].can_receive &&
			    offer->media[i].codecs[j].codec == RTP_CODEC_OPUS)
				return true;
	return false;
}

/* A camera's AAC is Opus in the copy of its stream, which is there while the camera has AAC. One
 * that cannot be made costs the sound, and not the pictures. */
static struct stream *
choose_shown(const struct rtc *rtc, const struct rtc_request *request)
{
	char name[STREAM_NAME_MAX + 1];
	struct stream *copy = NULL;
	int len = snprintf(name, sizeof(name), "%s.opus", request->stream->name);

	if (request->wants_sound && is_opus_offered(request->offer) && (size_t)len < sizeof(name))
		copy = stream_find(rtc->front, name);
	if (copy == NULL || strcmp(copy->state, "refused") == 0 || strcmp(copy->state, "down") == 0)
		return request->stream;
	return copy;
}

void
rtc_session_offer(struct rtc *rtc, const json_t *msg)
{
	struct rtc_request request = { .request = msg_int(msg, "request", 0),
				       .stream = stream_find_id(rtc->front, msg_int(msg, "id", 0)),
				       .address = msg_str(msg, "address"),
				       .local = msg_str(msg, "local"),
				       .wants_sound = msg_bool(msg, "audio", true),
				       .is_smooth = msg_bool(msg, "smooth", false) };
	struct rtc_session *session;
	const char *why = "";
	int code;

	rtc->stats.offers++;
	code = gate_identity_from_msg(rtc->front->gate, msg, &request.who) < 0 ? 403 : 0;
	if (code == 0)
		code = check_right(rtc, &request, &why);
	if (code == 0)
		code = check_room(rtc, &request, &why);
	if (code == 0)
		code = parse(msg, &request.offer, &why);
	if (code != 0) {
		refuse(rtc, request.request, code, why);
		return;
	}
	request.shown = choose_shown(rtc, &request);
	session = rtc_session_new(rtc, &request);
	if (request.instead_of != NULL) {
		request.instead_of->pass.ended = true; /* it does not count any more */
		rtc_session_end(request.instead_of, "its link is used anew");
	}
	keep_fingerprint(session);
	rtc_offer_try(session);
}

/* Choosing */

static bool
is_kind_offered(const struct rtc_session *session, enum rtc_sdp_kind kind)
{
	for (unsigned i = 0; i < session->offer->n_media; i++)
		if (session->offer->media[i].kind == kind && session->offer->media[i].can_receive)
			return true;
	return false;
}

static enum rtp_codec
sound_of(const struct hub_audio_config *config)
{
	const struct audio_format *format;

	if (config == NULL)
		return RTP_CODEC_NONE;
	format = &config->format;
	if (format->codec == AUDIO_OPUS)
		return RTP_CODEC_OPUS;
	if (format->rate != CLOCK_G711 || format->channels != 1)
		return RTP_CODEC_NONE;
	return format->codec == AUDIO_PCMU   ? RTP_CODEC_PCMU
	       : format->codec == AUDIO_PCMA ? RTP_CODEC_PCMA
					     : RTP_CODEC_NONE;
}

static void
set_profile(const struct hub_config *config, struct rtc_sdp_source *source)
{
	struct nal_unit sps;
	struct h264_sps parsed;

	if (config->nal != NAL_H264 ||
	    nal_find_unique(NAL_H264, H264_NAL_SPS, config->msg->payload,
			    config->msg->frame.payload_len, &sps, 1) == 0 ||
	    h264_parse_sps(sps.data, sps.len, &parsed) < 0)
		return;
	source->profile_idc = parsed.profile_idc;
	source->profile_iop = parsed.constraint_flags;
}

static struct rtc_sdp_source
look_at(const struct rtc_session *session, const struct hub_entry *entry, uint64_t pos)
{
	struct hub *hub = session->cursor.stream->hub;
	struct rtc_sdp_source source = {
		.video = entry->config->nal == NAL_H264 ? RTP_CODEC_H264 : RTP_CODEC_H265,
		.has_b_frames = rtc_unit_has_b_frames(hub, pos, RTC_BURST_MAX),
		.audio = RTP_CODEC_NONE,
	};

	set_profile(entry->config, &source);
	if (session->wants_sound)
		source.audio = sound_of(hub_audio_offer(hub_sound(hub)));
	return source;
}

/* What was chosen, as the senders need it. */
static void
take_choice(struct rtc_session *session, const struct rtc_sdp_choice *choice)
{
	const struct rtc_sdp_offer *offer = session->offer;

	if (choice->video >= 0) {
		const struct rtc_sdp_media *media = &offer->media[choice->video];

		session->has_video = true;
		session->video.payload_type = choice->video_codec->payload_type;
		session->video.rtx_payload_type =
		    choice->has_rtx ? choice->video_codec->rtx_payload_type : 0;
		session->video.playout_delay_id = media->playout_delay_id;
		session->video.is_smooth = session->is_smooth;
		session->video.twcc_id = choice->video_codec->twcc ? media->twcc_id : 0;
	}
	if (choice->audio >= 0) {
		session->has_sound = true;
		session->audio.payload_type = choice->audio_codec->payload_type;
	}
}

static int
write_answer(const struct rtc_session *session, const struct rtc_sdp_choice *choice, char *out)
{
	struct rtc_sdp_candidate candidates[RTC_SDP_CANDIDATES_MAX];
	uint64_t number;
	struct rtc_sdp_local local = {
		.ufrag = session->ufrag,
		.password = session->password,
		.fingerprint = rtc_dtls_context_fingerprint(session->rtc->dtls),
		.candidates = candidates,
		.n_candidates =
		    rtc_own_candidates(session->rtc, session->local, session->address, candidates),
		.video_ssrc = session->video.ssrc,
		.rtx_ssrc = session->video.rtx_ssrc,
		.audio_ssrc = session->audio.ssrc,
		.cname = CNAME,
		.use_twcc = true,
	};

	if (local.n_candidates == 0)
		return -EADDRNOTAVAIL;
	if (RAND_bytes((unsigned char *)&number, sizeof(number)) != 1)
		xalloc_die();
	local.session = (number >> 2) | 1;
	return rtc_sdp_write_answer(session->offer, choice, &local, out, RTC_SDP_ANSWER_MAX);
}

static void
give_up(struct rtc_session *session, int code, const char *why)
{
	rtc_session_answer(session, code, NULL, why);
	session->state = RTC_ANSWERED; /* answered it is, and ends */
	rtc_session_end(session, why);
}

static void
accept_offer(struct rtc_session *session, const struct rtc_sdp_choice *choice)
{
	char *text = xmalloc(RTC_SDP_ANSWER_MAX);

	take_choice(session, choice);
	if (write_answer(session, choice, text) < 0) {
		give_up(session, 503, "there is no address to be reached at");
	} else {
		session->state = RTC_ANSWERED;
		session->begun_ns = clock_now_ns(session->rtc->front->clock);
		clock_timer_cancel(&session->wait);
		rtc_session_answer(session, 201, text, NULL);
	}
	free(text);
	free(session->offer);
	session->offer = NULL;
}

static void
choose(struct rtc_session *session, struct hub_entry *entry, uint64_t pos)
{
	struct rtc_sdp_source source;
	struct rtc_sdp_choice choice;
	const char *why = "";

	if (entry->config == NULL) {
		give_up(session, 422, "the camera delivers MJPEG: browsers take none over WebRTC");
		return;
	}
	source = look_at(session, entry, pos);
	session->nal = entry->config->nal;
	session->sound = source.audio;
	if (rtc_sdp_choose(session->offer, &source, &choice, &why) < 0)
		give_up(session, 422, why);
	else
		accept_offer(session, &choice);
}

/* For how long it is still worth to wait, ms; 0: there is sound, or it does not come. */
static int64_t
wait_for_sound(const struct rtc_session *session, int64_t waited_ms)
{
	int64_t most = session->shown_id != session->stream_id ? COPY_WAIT_MS : SOUND_WAIT_MS;

	if (!session->wants_sound || waited_ms >= most ||
	    !is_kind_offered(session, RTC_SDP_AUDIO) ||
	    hub_audio_offer(hub_sound(session->cursor.stream->hub)) != NULL)
		return 0;
	return most - waited_ms;
}

/* The copy with sound does not come: the pictures alone. */
static void
give_up_copy(struct rtc_session *session)
{
	struct stream *stream = stream_find_id(session->rtc->front, session->stream_id);

	session->shown_id = session->stream_id;
	session->wants_sound = false;
	if (stream == NULL)
		return;
	cursor_leave(&session->cursor);
	cursor_enter(&session->cursor, stream);
	cursor_set_mode(&session->cursor, CURSOR_FRAMES);
}

/* No picture is there yet. */
static void
wait_for_picture(struct rtc_session *session, int64_t waited_ms)
{
	bool is_copy = session->shown_id != session->stream_id;

	if (is_copy && waited_ms >= COPY_WAIT_MS) {
		give_up_copy(session);
		rtc_offer_try(session);
	} else if (waited_ms >= RTC_OFFER_WAIT_MS) {
		give_up(session, 503, "the camera delivers no pictures now");
	} else {
		clock_timer_set_ms(&session->wait,
				   (is_copy ? COPY_WAIT_MS : RTC_OFFER_WAIT_MS) - waited_ms);
	}
}

void
rtc_offer_try(struct rtc_session *session)
{
	struct hub_entry *entry = cursor_first(&session->cursor);
	int64_t now = clock_now_ns(session->rtc->front->clock), wait_ms;
	uint64_t pos;

	if (entry == NULL) {
		wait_for_picture(session, (now - session->begun_ns) / NS_PER_MS);
		return;
	}
	if (session->seen_ns == 0)
		session->seen_ns = now;
	wait_ms = wait_for_sound(session, (now - session->seen_ns) / NS_PER_MS);
	if (wait_ms > 0) {
		clock_timer_set_ms(&session->wait, wait_ms);
		return;
	}
	if (hub_join(session->cursor.stream->hub, &pos))
		choose(session, entry, pos);
}
