/*
 * The supervisor's messages for tests of camctl.
 */
#include "config.h"

#include "tests/ctl_messages.h"

#include "tests/harness/harness.h"

static void
set_strings(json_t *msg, const char *const (*fields)[2])
{
	for (; (*fields)[0] != NULL; fields++)
		msg_set_str(msg, (*fields)[0], (*fields)[1]);
}

json_t *
ctl_message_camera(const char *name, const char *state, int64_t since_ms)
{
	static const char *const strings[][2] = {
		{ "title", "Front door" },
		{ "url", "rtsp://192.0.2.10:554/stream1" },
		{ "reason", "" },
		{ "class", "none" },
		{ "last_error", "" },
		{ "program", "camhub-worker-av" },
		{ "codec", "h264" },
		{ "codec_string", "avc1.64001F" },
		{ "profile", "High" },
		{ "audio", "" },
		{ NULL, NULL },
	};
	static const char *const zeros[] = { "last_error_ms", "corrupt", "b_frames",
					     "skipped",       "holes",   NULL };
	json_t *msg = msg_new(MSG_CTL_CAMERA);

	msg_set_str(msg, "name", name);
	msg_set_str(msg, "camera", name);
	msg_set_str(msg, "state", state);
	set_strings(msg, strings);
	for (size_t i = 0; zeros[i] != NULL; i++)
		msg_set_int(msg, zeros[i], 0);
	msg_set_int(msg, "since_ms", since_ms);
	msg_set_int(msg, "retry_in_ms", -1);
	msg_set_int(msg, "restarts", 2);
	msg_set_int(msg, "pid", 4711);
	msg_set_int(msg, "epoch", 99);
	msg_set_bool(msg, "on_demand", false);
	msg_set_int(msg, "width", 1280);
	msg_set_int(msg, "height", 720);
	msg_set_real(msg, "fps", 25);
	msg_set_int(msg, "bitrate_bps", 2949000);
	msg_set_int(msg, "gop_frames", 50);
	msg_set_int(msg, "frames", 123456);
	msg_set_int(msg, "last_frame_ms", 12);
	msg_set_bool(msg, "gop_cached", true);
	msg_set_int(msg, "viewers", 3);
	msg_set_int(msg, "ring_bytes_high", 3 << 20);
	msg_set_int(msg, "lag_bytes_high", 2048);
	msg_set_int(msg, "rss_kib", 20480);
	json_object_set_new(msg, "advice", json_array());
	ctl_message_check(msg);
	return msg;
}

json_t *
ctl_message_supervisor(int64_t since_ms)
{
	json_t *msg = msg_new(MSG_CTL_SUPERVISOR);

	msg_set_str(msg, "version", PACKAGE_VERSION);
	msg_set_int(msg, "pid", 4700);
	msg_set_int(msg, "since_ms", since_ms);
	msg_set_str(msg, "config", "/etc/camhub/camhub.yaml");
	msg_set_str(msg, "config_error", "");
	msg_set_int(msg, "reloads", 0);
	msg_set_bool(msg, "degraded", false);
	json_object_set_new(msg, "listen", json_pack("[s]", "127.0.0.1:8080"));
	ctl_message_check(msg);
	return msg;
}

json_t *
ctl_message_process(const char *state, int64_t since_ms)
{
	json_t *msg = msg_new(MSG_CTL_PROCESS);

	msg_set_str(msg, "name", "http");
	msg_set_int(msg, "pid", 4710);
	msg_set_str(msg, "state", state);
	msg_set_int(msg, "since_ms", since_ms);
	msg_set_int(msg, "restarts", 0);
	msg_set_int(msg, "rss_kib", 8192);
	msg_set_str(msg, "last_exit", "");
	ctl_message_check(msg);
	return msg;
}

json_t *
ctl_message_done(int code, const char *text)
{
	json_t *msg = msg_new(MSG_CTL_DONE);

	msg_set_int(msg, "code", code);
	msg_set_str(msg, "text", text);
	return msg;
}

void
ctl_message_check(const json_t *msg)
{
	char err[MSG_ERROR_MAX];
	enum msg_type type;

	ck_assert_msg(msg_check(msg, MSG_TO_CTL, false, &type, err) == 0, "%s", err);
}
