/*
 * From the publisher's numbers to JSON.
 */
#include "config.h"

#include "publish/wrk_status.h"

#include "publish/wrk_pub.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#define FPS_MAX 10000.0

const char *wrk_class_name(enum wrk_class class)
{
	static const char *const names[WRK_CLASS_COUNT] = {
		[WRK_CLASS_NONE] = "none",
		[WRK_CLASS_UNREACHABLE] = "unreachable",
		[WRK_CLASS_AUTH] = "auth",
		[WRK_CLASS_NOT_FOUND] = "not-found",
		[WRK_CLASS_TIMEOUT] = "timeout",
		[WRK_CLASS_PROTOCOL] = "protocol",
		[WRK_CLASS_UNSUPPORTED] = "unsupported",
		[WRK_CLASS_EOF] = "eof",
		[WRK_CLASS_REDIRECT] = "redirect",
		[WRK_CLASS_CHALLENGE] = "challenge",
		[WRK_CLASS_INTERNAL] = "internal",
	};

	return names[class];
}

static double
fps_of(struct wrk_pub *pub, int64_t now_ns)
{
	double fps = wrk_meter_fps(wrk_pub_meter(pub), now_ns);

	return fps < FPS_MAX ? fps : FPS_MAX;
}

static void
add_tracks(json_t *msg, const struct wrk_pub *pub)
{
	const struct wrk_track *video = wrk_pub_track(pub, FRAME_TRACK_VIDEO);
	const struct wrk_track *audio = wrk_pub_track(pub, FRAME_TRACK_AUDIO);

	msg_set_str(msg, "codec", frame_codec_name(video->codec));
	msg_set_str(msg, "codec_string", video->codec_string);
	msg_set_str(msg, "profile", video->profile);
	msg_set_str(msg, "audio", frame_codec_name(audio->codec));
	msg_set_int(msg, "width", video->width);
	msg_set_int(msg, "height", video->height);
	msg_set_int(msg, "b_frames", video->has_b_frames ? 1 : 0);
	msg_set_int(msg, "config_version", video->config_version);
}

json_t *
wrk_status_message(struct wrk_pub *pub, int64_t now_ns, int subscribers)
{
	const struct wrk_meter *meter = wrk_pub_meter(pub);
	struct wrk_pub_stats stats;
	json_t *msg = msg_new(MSG_WORKER_STATUS);

	wrk_pub_stats(pub, &stats);
	add_tracks(msg, pub);
	msg_set_real(msg, "fps", fps_of(pub, now_ns));
	msg_set_int(msg, "bitrate_bps", wrk_meter_bitrate_bps(meter));
	msg_set_int(msg, "gop_frames", meter->gop_frames);
	msg_set_int(msg, "frames", (long long)meter->frames);
	msg_set_int(msg, "bytes", (long long)meter->bytes);
	msg_set_int(msg, "corrupt", (long long)stats.corrupt);
	msg_set_int(msg, "published", (long long)stats.published);
	msg_set_int(msg, "subscribers", subscribers > 0 ? subscribers : 0);
	msg_set_int(msg, "gop_cache_bytes", (long long)stats.gop_bytes);
	msg_set_bool(msg, "gop_cached", stats.gop_is_whole);
	msg_set_int(msg, "last_frame_ms", wrk_meter_silence_ms(meter, now_ns));
	return msg;
}

void
wrk_status_add_report(json_t *msg, const struct wrk_input_report *report)
{
	static const char *const markers[] = {
		[WRK_MARKER_NONE] = NULL,
		[WRK_MARKER_OK] = "ok",
		[WRK_MARKER_NEVER] = "never",
		[WRK_MARKER_EACH_SLICE] = "each-slice",
	};
	static const char *const clocks[] = {
		[WRK_CLOCK_NONE] = "none",
		[WRK_CLOCK_SYNCED] = "synced",
		[WRK_CLOCK_UNSYNCED] = "unsynced",
	};

	if (report->is_made)
		msg_set_int(msg, "left_out", (long long)report->n_left);
	if (report->transport == NULL)
		return;
	msg_set_str(msg, "transport", report->transport);
	msg_set_int(msg, "packets", (long long)report->packets);
	msg_set_int(msg, "lost", (long long)report->lost);
	msg_set_int(msg, "reordered", (long long)report->reordered);
	msg_set_str(msg, "marker", markers[report->marker]);
	msg_set_str(msg, "camera_clock", clocks[report->clock]);
}

void
wrk_status_add_advice(json_t *msg, struct wrk_pub *pub, const struct wrk_input_report *report,
		      int64_t now_ns)
{
	const struct wrk_track *video = wrk_pub_track(pub, FRAME_TRACK_VIDEO);
	struct wrk_advice_facts facts = {
		.is_video = video->codec == FRAME_CODEC_H264 || video->codec == FRAME_CODEC_H265,
		.has_b_frames = video->has_b_frames,
		.report = report,
	};
	char texts[WRK_ADVICE_MAX][WRK_ADVICE_BYTES];
	struct wrk_pub_stats stats;
	json_t *list = json_array();
	size_t n;

	wrk_pub_stats(pub, &stats);
	facts.is_gop_too_large = stats.gop_is_too_long;
	wrk_advice_tick(wrk_pub_advice(pub), now_ns, report);
	n = wrk_advice_texts(wrk_pub_advice(pub), &facts, texts);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(texts[i]));
	if (list == NULL || json_array_size(list) != n ||
	    json_object_set_new(msg, "advice", list) < 0)
		xalloc_die();
}

json_t *
wrk_status_input(enum wrk_state state, enum wrk_class class, const char *reason, const char *detail)
{
	json_t *msg = msg_new(MSG_INPUT);

	msg_set_str(msg, "state", wrk_state_name(state));
	msg_set_str(msg, "class", wrk_class_name(class));
	msg_set_str(msg, "reason", reason);
	if (class == WRK_CLASS_REDIRECT)
		msg_set_str(msg, "location", detail);
	else if (class == WRK_CLASS_CHALLENGE)
		msg_set_str(msg, "challenge", detail);
	return msg;
}

char *
wrk_status_pulse(struct wrk_pub *pub, const char *stream, enum wrk_state state,
		 const struct wrk_input_report *report, int64_t now_ns)
{
	const struct wrk_track *video = wrk_pub_track(pub, FRAME_TRACK_VIDEO);
	struct wrk_pub_stats stats;
	json_t *pulse;
	char *text;

	wrk_pub_stats(pub, &stats);
	pulse = json_pack(
	    "{s:s, s:s, s:b, s:I, s:I, s:s, s:s, s:f, s:I, s:b, s:b, s:I, s:I, s:I}", "stream",
	    stream, "state", wrk_state_name(state), "paused", !stats.is_on, "last_video_seq",
	    (json_int_t)stats.last_seq[FRAME_TRACK_VIDEO], "last_audio_seq",
	    (json_int_t)stats.last_seq[FRAME_TRACK_AUDIO], "codec", frame_codec_name(video->codec),
	    "codec_string", video->codec_string, "fps", fps_of(pub, now_ns), "bitrate_bps",
	    (json_int_t)wrk_meter_bitrate_bps(wrk_pub_meter(pub)), "gop_cached", stats.gop_is_whole,
	    "gop_too_long", stats.gop_is_too_long, "corrupt", (json_int_t)stats.corrupt, "packets",
	    (json_int_t)report->packets, "lost", (json_int_t)report->lost);
	text = pulse != NULL ? json_dumps(pulse, JSON_COMPACT) : NULL;
	if (text == NULL)
		xalloc_die();
	json_decref(pulse);
	return text;
}
