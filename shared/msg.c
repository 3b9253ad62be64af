/*
 * The schema table of the control messages, and the one function that checks a message against it.
 */
#include "config.h"

#include "shared/msg.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
#define STR(n, max_)		{ .name = (n), .kind = MSG_STR, .max = (max_) }
#define STR_OPT(n, max_)	{ .name = (n), .kind = MSG_STR, .optional = true, .max = (max_) }
#define ASCII_OPT(n, max_)	{ .name = (n), .kind = MSG_ASCII, .optional = true, .max = (max_) }
#define INT(n, min_, max_)	{ .name = (n), .kind = MSG_INT, .min = (min_), .max = (max_) }
#define INT_OPT(n, min_, max_)	{ .name = (n), .kind = MSG_INT, .optional = true, .min = (min_), .max = (max_) }
#define REAL(n, min_, max_)	{ .name = (n), .kind = MSG_REAL, .min = (min_), .max = (max_) }
#define BOOL(n)			{ .name = (n), .kind = MSG_BOOL }
#define BOOL_OPT(n)		{ .name = (n), .kind = MSG_BOOL, .optional = true }
#define STRS(n, max_)		{ .name = (n), .kind = MSG_STRS, .max = (max_) }
#define STRS_OPT(n, max_)	{ .name = (n), .kind = MSG_STRS, .optional = true, .max = (max_) }
#define END			{ .name = NULL }

/* The age of frames on screens, of the last 30 s, and the viewer whose p95 is the worst. */
#define DELAY_MS_MAX	3600000
#define DELAY_FIELDS	INT_OPT("delay_viewers", 1, 1000000), \
	INT_OPT("delay_p50_ms", 0, DELAY_MS_MAX), INT_OPT("delay_p95_ms", 0, DELAY_MS_MAX), \
	INT_OPT("delay_worst_ms", 0, DELAY_MS_MAX), INT_OPT("delay_worst_viewer", 0, COUNT_MAX), \
	STR_OPT("delay_worst_transport", 16)

#define NAME_MAX_BYTES	 41	/* camera name and ".sub.h264" */
#define TITLE_MAX_BYTES	 256
#define GROUP_MAX_BYTES	 64
#define URL_MAX_BYTES	 4096
#define PATH_MAX_BYTES	 107	/* sun_path */
#define REASON_MAX_BYTES 512
#define ID_MAX		 0xffffffffLL
#define COUNT_MAX	 LLONG_MAX

static const struct msg_field none[] = { END };

static const struct msg_field worker_config[] = {
	STR("stream", NAME_MAX_BYTES), INT("stream_id", 1, ID_MAX), INT("epoch", 1, COUNT_MAX),
	STR("url", URL_MAX_BYTES), STR_OPT("user", 256), STR_OPT("password", 256),
	STR("transport", 8),		/* tcp | udp | auto */
	STR("bus", PATH_MAX_BYTES),	/* path to listen on; "" when probing */
	INT("bus_mode", 0, 0777), INT("gop_cache_bytes", 0, 1LL << 30),
	INT("open_timeout_ms", 100, 600000), INT("stall_ms", 100, 600000),
	STR("log_level", 8),
	BOOL("probe"),			/* describe the source once, then leave */
	STR_OPT("tls", 72),		/* verify | insecure | sha256:HEX; absent: verify */
	BOOL_OPT("keep_vui"), INT_OPT("reorder_ms", 0, 1000),
	ASCII_OPT("challenge", MSG_CHALLENGE_MAX), /* to be answered from the first request on */
	STR_OPT("source_bus", PATH_MAX_BYTES), /* a transcoder's source listens there, */
	INT_OPT("source_id", 1, ID_MAX), INT_OPT("subscriber", 1, ID_MAX), /* is this stream; who it is itself */
	END };
static const struct msg_field front_config[] = {
	INT("subscriber", 1, ID_MAX),	/* this front's id in for_subscriber */
	STR("web_dir", 4096), STR("log_level", 8), STRS_OPT("embed_origins", 32),
	INT("max_viewers", 1, 1000000), INT("viewer_lag_bytes", 65536, 1LL << 30),
	INT("ring_bytes", 1 << 20, 1LL << 32), INT("request_deadline_ms", 100, 600000),
	INT("live_target_ms", 0, 60000), INT("snapshot_timeout_ms", 100, 60000),
	BOOL_OPT("tls"),		/* nothing is served in clear: tls-identity comes */
	BOOL_OPT("hsts"),
	STRS_OPT("hosts", 32), STRS_OPT("origins", 32), /* names and origins that are ours */
	INT_OPT("max_per_address", 0, 100000), /* connections; 0 or absent: any number */
	END };
static const struct msg_field snapshot_job[] = { STR("stream", NAME_MAX_BYTES), INT("quality", 1, 31), INT("deadline_ms", 1, 60000), END };
static const struct msg_field beat[] = {
	INT_OPT("rss_kib", 0, COUNT_MAX),
	INT_OPT("log_lost", 0, COUNT_MAX), /* lines of its log that nobody took */
	STR_OPT("sandbox", 63),		/* what it is locked into */
	END };
static const struct msg_field demand[] = { BOOL("on"), END };
static const struct msg_field replay[] = { INT("subscriber", 1, ID_MAX), END };
static const struct msg_field access_keys[] = {
	BOOL("required"),		/* false: there are no users, and everybody is an operator */
	STR("current", 64), STR_OPT("previous", 64), /* keys of tokens, hexadecimal */
	STRS("revoked", 512),		/* ids of tokens, sorted */
	STRS("users", 64),		/* "NAME ROLE PATTERN...", patterns of cameras */
	STRS_OPT("generations", 64),	/* "NAME NUMBER": of his logins those that hold; absent: 1 */
	STR_OPT("proxy_header", 64), STR_OPT("proxy_user_header", 64),
	STRS_OPT("proxy_from", 16),	/* addresses, or ADDRESS/BITS */
	END };
static const struct msg_field auth_job[] = {
	INT("id", 1, COUNT_MAX), STR("password", 256),
	STR_OPT("hash", 256),		/* to be checked against; absent: of nobody, the answer is no */
	BOOL_OPT("make"),		/* instead: make a hash of it */
	END };
static const struct msg_field auth_done[] = {
	INT("id", 1, COUNT_MAX), BOOL("ok"), STR_OPT("hash", 256),
	BOOL_OPT("busy"),		/* it was not looked at: too many wait */
	END };
static const struct msg_field auth_check[] = {
	INT("id", 1, COUNT_MAX), STR("user", 64), STR("password", 256), END };
static const struct msg_field auth_result[] = {
	INT("id", 1, COUNT_MAX), BOOL("ok"),
	BOOL_OPT("busy"),		/* it was not looked at: too many wait */
	END };
static const struct msg_field access_revoke[] = {
	STR("id", 22), INT("expires_s", 0, COUNT_MAX),
	STR_OPT("user", 64),		/* whose session it was; absent: another kind of token */
	END };
static const struct msg_field watcher[] = {
	INT("id", 1, COUNT_MAX), STR("camera", NAME_MAX_BYTES), STR("user", 64),
	STR("way", 16),			/* open | session | basic | bearer | link | ticket | proxy */
	STR("address", 64), STR("transport", 16), INT("since_ms", 0, COUNT_MAX), END };
static const struct msg_field watcher_gone[] = { INT("id", 1, COUNT_MAX), END };
static const struct msg_field kick[] = {
	INT("id", 1, COUNT_MAX),	/* of a watcher */
	END };
static const struct msg_field level[] = { STR("level", 8), END };
static const struct msg_field listener[] = { STR("address", 128), END };
static const struct msg_field stream[] = {
	INT("id", 1, ID_MAX), STR("name", NAME_MAX_BYTES), STR("camera", NAME_MAX_BYTES),
	STR("title", TITLE_MAX_BYTES), INT("order", 0, 100000), BOOL("on_demand"),
	STR("state", 16),		/* off | connecting | up | stalled | down | refused */
	INT("since_ms", 0, COUNT_MAX),	/* realtime */
	STR_OPT("reason", REASON_MAX_BYTES),
	INT("epoch", 0, COUNT_MAX), STR("bus", PATH_MAX_BYTES), /* 0 and "" while no worker is ready */
	INT_OPT("loss_hold_ms", 0, 600000), /* pictures after a loss are kept back at most so long */
	STRS_OPT("advice", 16),		/* what should be changed in the camera, in words */
	STR_OPT("group", GROUP_MAX_BYTES), /* of cameras on the wall; absent: none */
	END };
static const struct msg_field stream_gone[] = { INT("id", 1, ID_MAX), END };
static const struct msg_field snapshot_done[] = {
	INT("request", 1, COUNT_MAX), STR_OPT("error", REASON_MAX_BYTES),
	INT_OPT("width", 1, 65535), INT_OPT("height", 1, 65535), END };

static const struct msg_field drain[] = { INT("deadline_ms", 0, 86400000), END };

static const struct msg_field ready[] = { STR("version", 64), STR_OPT("sandbox", 63), END };
static const struct msg_field violation[] = { INT("call", 0, COUNT_MAX), END }; /* number of a system call */
static const struct msg_field input[] = {
	STR("state", 16),		/* connecting | up | stalled | ended */
	STR("class", 16),		/* none | unreachable | auth | not-found | timeout | protocol |
					   unsupported | eof | redirect | challenge | internal */
	STR_OPT("reason", REASON_MAX_BYTES),
	STR_OPT("location", URL_MAX_BYTES), /* ended: the source is there (a redirect) */
	ASCII_OPT("challenge", MSG_CHALLENGE_MAX), /* ended: for the successor to answer */
	END };
static const struct msg_field worker_status[] = {
	STR("codec", 16), STR("codec_string", 64), STR("profile", 64), STR("audio", 16),
	INT("width", 0, 65535), INT("height", 0, 65535), REAL("fps", 0, 10000),
	INT("bitrate_bps", 0, COUNT_MAX),
	INT("gop_frames", 0, COUNT_MAX),/* length of the last whole GOP, 0 unknown */
	INT("frames", 0, COUNT_MAX), INT("bytes", 0, COUNT_MAX), INT("corrupt", 0, COUNT_MAX),
	INT("published", 0, COUNT_MAX), INT("subscribers", 0, 1000000),
	INT("gop_cache_bytes", 0, COUNT_MAX), BOOL("gop_cached"),
	INT("b_frames", 0, 1), INT("last_frame_ms", -1, COUNT_MAX),
	INT("config_version", 0, ID_MAX),
	STR_OPT("transport", 8),	/* tcp | udp; absent: does not apply */
	INT_OPT("packets", 0, COUNT_MAX), INT_OPT("lost", 0, COUNT_MAX), INT_OPT("reordered", 0, COUNT_MAX),
	STR_OPT("marker", 16),		/* ok | never | each-slice: how the camera ends its pictures */
	STR_OPT("camera_clock", 16),	/* none | synced | unsynced */
	STRS_OPT("advice", 16),		/* what the stream itself shows, in words for people */
	INT_OPT("left_out", 0, COUNT_MAX), /* a transcoder: pictures that it was too slow for */
	END };
static const struct msg_field want[] = { INT("id", 1, ID_MAX), BOOL("on"), END };
static const struct msg_field want_replay[] = { INT("id", 1, ID_MAX), END };
static const struct msg_field snapshot[] = { INT("request", 1, COUNT_MAX), INT("id", 1, ID_MAX), END };
static const struct msg_field front_stream[] = {
	INT("id", 1, ID_MAX), INT("viewers", 0, 1000000), INT("frames", 0, COUNT_MAX),
	INT("holes", 0, COUNT_MAX),	/* breaks in seq seen on the bus */
	INT("skipped", 0, COUNT_MAX),	/* frames that slow viewers did not get */
	INT("ring_bytes", 0, COUNT_MAX), INT("ring_bytes_high", 0, COUNT_MAX),
	INT("lag_bytes_high", 0, COUNT_MAX),
	INT_OPT("withheld", 0, COUNT_MAX), /* damaged frames, and what refers to them, kept back */
	INT_OPT("passed_damaged", 0, COUNT_MAX), /* the same, shown all the same */
	INT_OPT("shown", 0, COUNT_MAX),	/* frames on viewers' screens, as they report */
	INT_OPT("dropped", 0, COUNT_MAX), /* frames that they received and did not show */
	DELAY_FIELDS,			/* absent: nobody reports */
	END };
static const struct msg_field front_totals[] = {
	INT("connections", 0, 1000000), INT("requests", 0, COUNT_MAX), INT("viewers", 0, 1000000),
	INT("bytes_sent", 0, COUNT_MAX), INT("bus_lingering", 0, COUNT_MAX), END };
static const struct msg_field tls_state[] = {
	BOOL("ok"), STR("text", 256),	/* whose certificate, or why the last one is not used */
	END };
static const struct msg_field snapshot_result[] = {
	STR_OPT("error", REASON_MAX_BYTES), INT_OPT("width", 1, 65535), INT_OPT("height", 1, 65535), END };

static const struct msg_field ctl_status[] = { STR_OPT("camera", NAME_MAX_BYTES), END };
static const struct msg_field ctl_restart[] = { STR("what", NAME_MAX_BYTES), END };
static const struct msg_field ctl_camera[] = {
	STR("name", NAME_MAX_BYTES), STR("camera", NAME_MAX_BYTES), STR("title", TITLE_MAX_BYTES),
	STR("url", URL_MAX_BYTES),	/* without userinfo, always */
	STR("state", 16), INT("since_ms", 0, COUNT_MAX), STR("reason", REASON_MAX_BYTES),
	STR("class", 16), STR("last_error", REASON_MAX_BYTES), INT("last_error_ms", 0, COUNT_MAX),
	INT("retry_in_ms", -1, COUNT_MAX), INT("restarts", 0, COUNT_MAX), INT("pid", 0, COUNT_MAX),
	INT("epoch", 0, COUNT_MAX), STR("program", 64), BOOL("on_demand"),
	STR("codec", 16), STR("codec_string", 64), STR("profile", 64), STR("audio", 16),
	INT("width", 0, 65535), INT("height", 0, 65535), REAL("fps", 0, 10000),
	INT("bitrate_bps", 0, COUNT_MAX), INT("gop_frames", 0, COUNT_MAX),
	INT("frames", 0, COUNT_MAX), INT("corrupt", 0, COUNT_MAX), INT("last_frame_ms", -1, COUNT_MAX),
	BOOL("gop_cached"), INT("b_frames", 0, 1),
	INT("viewers", 0, 1000000), INT("skipped", 0, COUNT_MAX), INT("holes", 0, COUNT_MAX),
	INT("ring_bytes_high", 0, COUNT_MAX), INT("lag_bytes_high", 0, COUNT_MAX),
	INT("rss_kib", 0, COUNT_MAX), STRS_OPT("advice", 16),
	INT_OPT("withheld", 0, COUNT_MAX), INT_OPT("passed_damaged", 0, COUNT_MAX),
	STR_OPT("transport", 8),	/* these six as in worker-status */
	INT_OPT("packets", 0, COUNT_MAX), INT_OPT("lost", 0, COUNT_MAX), INT_OPT("reordered", 0, COUNT_MAX),
	STR_OPT("marker", 16), STR_OPT("camera_clock", 16),
	STR_OPT("redirected_to", URL_MAX_BYTES), /* where the camera sent us, without userinfo */
	INT_OPT("shown", 0, COUNT_MAX), INT_OPT("dropped", 0, COUNT_MAX), DELAY_FIELDS,
	INT_OPT("left_out", 0, COUNT_MAX), /* as in worker-status */
	STR_OPT("sandbox", 63),		/* what its process is locked into, absent: not told */
	INT_OPT("violations", 0, COUNT_MAX), /* of its processes that died of it */
	END };
static const struct msg_field ctl_supervisor[] = {
	STR("version", 64), INT("pid", 1, COUNT_MAX), INT("since_ms", 0, COUNT_MAX),
	STR("config", 4096), STR("config_error", 4096), INT("reloads", 0, COUNT_MAX),
	STRS_OPT("listen", 64), BOOL("degraded"),
	STR_OPT("sandbox", 63), INT_OPT("violations", 0, COUNT_MAX),
	BOOL_OPT("tls"),		/* the listeners speak TLS */
	INT_OPT("log_lost", 0, COUNT_MAX), /* lines of all processes */
	STRS_OPT("trouble", 4),		/* what cannot be written, in words */
	END };
static const struct msg_field ctl_process[] = {
	STR("name", 64), INT("pid", 0, COUNT_MAX), STR("state", 16), INT("since_ms", 0, COUNT_MAX),
	INT("restarts", 0, COUNT_MAX), INT("rss_kib", 0, COUNT_MAX), STR("last_exit", 160),
	STR_OPT("sandbox", 63), STR_OPT("tls", 256),		/* a front's certificate, in words */
	INT_OPT("viewers", 0, 1000000), END };
static const struct msg_field ctl_passwd[] = {
	STR("user", 64), STR_OPT("password", 256), /* absent: he has none from now on */
	END };
static const struct msg_field ctl_token[] = {
	STR("kind", 16),		/* link | bearer */
	STR_OPT("user", 64),		/* bearer: in whose name */
	STR_OPT("camera", 32),		/* link: which one; bearer: a pattern, absent: what he may see */
	INT("seconds", 1, 10LL * 366 * 86400), INT_OPT("viewers", 0, 1000), END };
static const struct msg_field ctl_revoke[] = {
	STR("id", 1280),		/* of a token, or the token itself; "all" */
	END };
static const struct msg_field ctl_kick[] = { STR("what", 64), END };
static const struct msg_field ctl_viewer[] = {
	STR("id", 32), STR("camera", NAME_MAX_BYTES), STR("user", 64), STR("way", 16),
	STR("address", 64), STR("transport", 16), INT("since_ms", 0, COUNT_MAX), END };
static const struct msg_field ctl_done[] = { INT("code", 0, 255), STR("text", 16384), END };

#define ANY_CHILD (MSG_TO_WORKER | MSG_TO_FRONT | MSG_TO_TRANSCODE | MSG_TO_AUTH)
#define FROM_ANY_CHILD (MSG_FROM_WORKER | MSG_FROM_FRONT | MSG_FROM_TRANSCODE | MSG_FROM_AUTH)

static const struct msg_schema schemas[MSG_TYPE_COUNT] = {
	[MSG_WORKER_CONFIG]   = { "worker-config", MSG_TO_WORKER, MSG_FD_OPTIONAL, worker_config },
	[MSG_FRONT_CONFIG]    = { "front-config", MSG_TO_FRONT, MSG_FD_NONE, front_config },
	[MSG_SNAPSHOT_JOB]    = { "snapshot-job", MSG_TO_TRANSCODE, MSG_FD_REQUIRED, snapshot_job },
	[MSG_DEMAND]	      = { "demand", MSG_TO_WORKER, MSG_FD_NONE, demand },
	[MSG_REPLAY]	      = { "replay", MSG_TO_WORKER, MSG_FD_NONE, replay },
	[MSG_STOP]	      = { "stop", ANY_CHILD, MSG_FD_NONE, none },
	[MSG_LOG_LEVEL]	      = { "log-level", ANY_CHILD, MSG_FD_NONE, level },
	[MSG_LISTENER]	      = { "listener", MSG_TO_FRONT, MSG_FD_REQUIRED, listener },
	[MSG_TLS_IDENTITY]    = { "tls-identity", MSG_TO_FRONT, MSG_FD_REQUIRED, none },
	[MSG_STREAM]	      = { "stream", MSG_TO_FRONT, MSG_FD_NONE, stream },
	[MSG_STREAM_GONE]     = { "stream-gone", MSG_TO_FRONT, MSG_FD_NONE, stream_gone },
	[MSG_STREAMS_SYNCED]  = { "streams-synced", MSG_TO_FRONT, MSG_FD_NONE, none },
	[MSG_SNAPSHOT_DONE]   = { "snapshot-done", MSG_TO_FRONT, MSG_FD_OPTIONAL, snapshot_done },
	[MSG_ACCESS_KEYS]     = { "access-keys", MSG_TO_FRONT, MSG_FD_NONE, access_keys },
	[MSG_AUTH_RESULT]     = { "auth-result", MSG_TO_FRONT, MSG_FD_NONE, auth_result },
	[MSG_KICK]	      = { "kick", MSG_TO_FRONT, MSG_FD_NONE, kick },
	[MSG_DRAIN]	      = { "drain", MSG_TO_FRONT, MSG_FD_NONE, drain },

	[MSG_READY]	      = { "ready", FROM_ANY_CHILD, MSG_FD_NONE, ready },
	[MSG_BEAT]	      = { "beat", FROM_ANY_CHILD, MSG_FD_NONE, beat },
	[MSG_VIOLATION]	      = { "violation", FROM_ANY_CHILD, MSG_FD_NONE, violation },
	[MSG_DEMAND_DONE]     = { "demand-done", MSG_FROM_WORKER, MSG_FD_NONE, demand },
	[MSG_INPUT]	      = { "input", MSG_FROM_WORKER, MSG_FD_NONE, input },
	[MSG_WORKER_STATUS]   = { "worker-status", MSG_FROM_WORKER, MSG_FD_NONE, worker_status },
	[MSG_WANT]	      = { "want", MSG_FROM_FRONT, MSG_FD_NONE, want },
	[MSG_WANT_REPLAY]     = { "want-replay", MSG_FROM_FRONT | MSG_FROM_WORKER, MSG_FD_NONE, want_replay },
	[MSG_SNAPSHOT]	      = { "snapshot", MSG_FROM_FRONT, MSG_FD_REQUIRED, snapshot },
	[MSG_FRONT_STREAM]    = { "front-stream", MSG_FROM_FRONT, MSG_FD_NONE, front_stream },
	[MSG_FRONT_TOTALS]    = { "front-totals", MSG_FROM_FRONT, MSG_FD_NONE, front_totals },
	[MSG_AUTH_CHECK]      = { "auth-check", MSG_FROM_FRONT, MSG_FD_NONE, auth_check },
	[MSG_ACCESS_REVOKE]   = { "access-revoke", MSG_FROM_FRONT, MSG_FD_NONE, access_revoke },
	[MSG_WATCHER]	      = { "watcher", MSG_FROM_FRONT, MSG_FD_NONE, watcher },
	[MSG_WATCHER_GONE]    = { "watcher-gone", MSG_FROM_FRONT, MSG_FD_NONE, watcher_gone },
	[MSG_TLS_STATE]	      = { "tls-state", MSG_FROM_FRONT, MSG_FD_NONE, tls_state },
	[MSG_SNAPSHOT_RESULT] = { "snapshot-result", MSG_FROM_TRANSCODE, MSG_FD_OPTIONAL, snapshot_result },

	[MSG_CTL_STATUS]      = { "status", MSG_FROM_CTL, MSG_FD_NONE, ctl_status },
	[MSG_CTL_RELOAD]      = { "reload", MSG_FROM_CTL, MSG_FD_NONE, none },
	[MSG_CTL_RESTART]     = { "restart", MSG_FROM_CTL, MSG_FD_NONE, ctl_restart },
	[MSG_CTL_LOG_LEVEL]   = { "set-log-level", MSG_FROM_CTL, MSG_FD_NONE, level },
	[MSG_CTL_VERSION]     = { "version", MSG_FROM_CTL, MSG_FD_NONE, none },
	[MSG_CTL_VIEWERS]     = { "viewers", MSG_FROM_CTL, MSG_FD_NONE, none },
	[MSG_CTL_KICK]	      = { "kick", MSG_FROM_CTL, MSG_FD_NONE, ctl_kick },
	[MSG_CTL_CAMERA]      = { "camera", MSG_TO_CTL, MSG_FD_NONE, ctl_camera },
	[MSG_CTL_SUPERVISOR]  = { "supervisor", MSG_TO_CTL, MSG_FD_NONE, ctl_supervisor },
	[MSG_CTL_PROCESS]     = { "process", MSG_TO_CTL, MSG_FD_NONE, ctl_process },
	[MSG_CTL_VIEWER]      = { "viewer", MSG_TO_CTL, MSG_FD_NONE, ctl_viewer },
	[MSG_CTL_PASSWD]      = { "passwd", MSG_FROM_CTL, MSG_FD_NONE, ctl_passwd },
	[MSG_CTL_TOKEN]	      = { "token", MSG_FROM_CTL, MSG_FD_NONE, ctl_token },
	[MSG_CTL_REVOKE]      = { "revoke", MSG_FROM_CTL, MSG_FD_NONE, ctl_revoke },

	[MSG_AUTH_JOB]	      = { "auth-job", MSG_TO_AUTH, MSG_FD_NONE, auth_job },
	[MSG_AUTH_DONE]	      = { "auth-done", MSG_FROM_AUTH, MSG_FD_NONE, auth_done },
	[MSG_CTL_DONE]	      = { "done", MSG_TO_CTL, MSG_FD_NONE, ctl_done },
};
/* clang-format on */

static void
wipe_and_free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void
msg_wipe_freed(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}

const struct msg_schema *
msg_schema(enum msg_type type)
{
	return &schemas[type];
}

static int
refuse(char *err, const char *what, const char *name)
{
	snprintf(err, MSG_ERROR_MAX, "%s%s%s", what, name ? " " : "", name ? name : "");
	return -EPROTO;
}

static bool
string_fits(const json_t *value, long long min, long long max)
{
	size_t len = json_string_length(value);

	return (long long)len >= min && (long long)len <= max &&
	       memchr(json_string_value(value), '\0', len) == NULL;
}

static bool
is_printable(const json_t *value)
{
	const char *text = json_string_value(value);

	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

static bool
field_fits(const struct msg_field *field, const json_t *value)
{
	const json_t *item;
	double real;
	size_t i;

	switch (field->kind) {
	case MSG_STR:
		return json_is_string(value) && string_fits(value, field->min, field->max);
	case MSG_ASCII:
		return json_is_string(value) && string_fits(value, field->min, field->max) &&
		       is_printable(value);
	case MSG_INT:
		return json_is_integer(value) && json_integer_value(value) >= field->min &&
		       json_integer_value(value) <= field->max;
	case MSG_REAL:
		real = json_number_value(value);
		return json_is_number(value) && real >= (double)field->min &&
		       real <= (double)field->max;
	case MSG_BOOL:
		return json_is_boolean(value);
	case MSG_STRS:
		if (!json_is_array(value) || (long long)json_array_size(value) > field->max)
			return false;
		json_array_foreach (value, i, item)
			if (!json_is_string(item) || !string_fits(item, 0, 1024))
				return false;
		return true;
	}
	return false;
}

static int
check_fields(const json_t *msg, const struct msg_field *fields, char *err)
{
	size_t known = 1; /* "type" */

	for (const struct msg_field *field = fields; field->name != NULL; field++) {
		const json_t *value = json_object_get(msg, field->name);

		if (value == NULL && field->optional)
			continue;
		if (value == NULL)
			return refuse(err, "missing field", field->name);
		if (!field_fits(field, value))
			return refuse(err, "wrong kind or range:", field->name);
		known++;
	}
	if (json_object_size(msg) != known)
		return refuse(err, "unknown field", NULL);
	return 0;
}

int
msg_check(const json_t *msg, enum msg_to to, bool has_fd, enum msg_type *type, char *err)
{
	const char *name = json_string_value(json_object_get(msg, "type"));

	if (name == NULL)
		return refuse(err, "no type", NULL);
	for (int i = 0; i < MSG_TYPE_COUNT; i++) {
		const struct msg_schema *schema = &schemas[i];

		if (!(schema->to & to) || strcmp(schema->name, name) != 0)
			continue;
		if (has_fd && schema->fd == MSG_FD_NONE)
			return refuse(err, "unexpected descriptor with", schema->name);
		if (!has_fd && schema->fd == MSG_FD_REQUIRED)
			return refuse(err, "no descriptor with", schema->name);
		if (check_fields(msg, schema->fields, err) < 0)
			return -EPROTO;
		*type = i;
		return 0;
	}
	return refuse(err, "unknown type, or not for this receiver", NULL);
}

json_t *
msg_new(enum msg_type type)
{
	json_t *msg = json_object();

	if (msg == NULL)
		xalloc_die();
	msg_set_str(msg, "type", schemas[type].name);
	return msg;
}

const char *
msg_str(const json_t *msg, const char *name)
{
	const char *value = json_string_value(json_object_get(msg, name));

	return value != NULL ? value : "";
}

long long
msg_int(const json_t *msg, const char *name, long long absent)
{
	const json_t *value = json_object_get(msg, name);

	return value != NULL ? json_integer_value(value) : absent;
}

double
msg_real(const json_t *msg, const char *name, double absent)
{
	const json_t *value = json_object_get(msg, name);

	return value != NULL ? json_number_value(value) : absent;
}

bool
msg_bool(const json_t *msg, const char *name, bool absent)
{
	const json_t *value = json_object_get(msg, name);

	return value != NULL ? json_is_true(value) : absent;
}

static void
set_new(json_t *msg, const char *name, json_t *value)
{
	if (value == NULL || json_object_set_new(msg, name, value) < 0)
		xalloc_die();
}

void
msg_set_str(json_t *msg, const char *name, const char *value)
{
	if (value == NULL)
		return;
	/* Text may come from a camera or a file: what is not UTF-8 becomes '?'. */
	json_t *string = json_string(value);
	if (string == NULL) {
		char *ascii = xstrdup(value);

		for (char *p = ascii; *p != '\0'; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		string = json_string(ascii);
		free(ascii);
	}
	set_new(msg, name, string);
}

void
msg_set_int(json_t *msg, const char *name, long long value)
{
	set_new(msg, name, json_integer(value));
}

void
msg_set_real(json_t *msg, const char *name, double value)
{
	set_new(msg, name, json_real(value));
}

void
msg_set_bool(json_t *msg, const char *name, bool value)
{
	set_new(msg, name, json_boolean(value));
}
