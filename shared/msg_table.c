/*
 * The control messages, one by one: who may be sent which, and what stands in them.
 */
#include "config.h"

#include "shared/msg.h"

#include <limits.h>
#include <stddef.h>

/* clang-format off */
#define STR(n, max_)		{ .name = (n), .kind = MSG_STR, .max = (max_) }
#define STR_OPT(n, max_)	{ .name = (n), .kind = MSG_STR, .optional = true, .max = (max_) }
#define ASCII(n, max_)		{ .name = (n), .kind = MSG_ASCII, .max = (max_) }
#define ASCII_OPT(n, max_)	{ .name = (n), .kind = MSG_ASCII, .optional = true, .max = (max_) }
#define INT(n, min_, max_)	{ .name = (n), .kind = MSG_INT, .min = (min_), .max = (max_) }
#define INT_OPT(n, min_, max_)	{ .name = (n), .kind = MSG_INT, .optional = true, .min = (min_), .max = (max_) }
#define REAL(n, min_, max_)	{ .name = (n), .kind = MSG_REAL, .min = (min_), .max = (max_) }
#define REAL_OPT(n, min_, max_)	{ .name = (n), .kind = MSG_REAL, .optional = true, .min = (min_), .max = (max_) }
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
	BOOL_OPT("webrtc"),		/* offers are taken */
	STRS_OPT("ice_servers", 8), STR_OPT("ice_user", 256), STR_OPT("ice_password", 256), /* for players */
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

static const struct msg_field analyser[] = {
	INT("id", 1, ID_MAX),		/* of this connection, never reused; said again when something changed */
	STR("name", 32), STRS("streams", 1024), /* names of streams that it may speak of */
	STR("endpoint", PATH_MAX_BYTES), /* where it publishes results */
	INT("uid", 0, ID_MAX),		/* whose that socket has to be */
	END };
static const struct msg_field analyser_gone[] = { INT("id", 1, ID_MAX), END };

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
static const struct msg_field front_analyser[] = {
	INT("id", 1, ID_MAX), BOOL("connected"),
	INT("results", 0, COUNT_MAX),	/* all that came, and of them those that went no further: */
	INT("malformed", 0, COUNT_MAX),	/* no JSON, or not as docs/protocol.md says */
	INT("too_large", 0, COUNT_MAX), INT("too_many", 0, COUNT_MAX), /* bytes; in a second */
	INT("foreign", 0, COUNT_MAX),	/* of a stream that is not its own */
	INT("unknown_frame", 0, COUNT_MAX), INT("late", 0, COUNT_MAX),
	INT_OPT("slow_viewers", 0, COUNT_MAX), /* not these, but what viewers were too slow for */
	REAL_OPT("rate", 0, 1000000000),	/* results in a second */
	INT_OPT("lag_p50_us", 0, COUNT_MAX), INT_OPT("lag_p95_us", 0, COUNT_MAX), /* frame to result */
	STR_OPT("last_error", REASON_MAX_BYTES), END };
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
static const struct msg_field ctl_analyser[] = {
	INT("id", 1, ID_MAX), STR("name", 32), STR("version", 64), INT("pid", 0, COUNT_MAX), INT("uid", 0, COUNT_MAX),
	INT("since_ms", 0, COUNT_MAX),
	STRS("streams", 1024),		/* that it may speak of; empty: it publishes nothing */
	INT("watches", 0, COUNT_MAX),	/* streams of which it wants frames */
	BOOL("connected"),		/* a front reads its results */
	INT("results", 0, COUNT_MAX), REAL("rate", 0, 1000000000),
	INT("malformed", 0, COUNT_MAX), INT("too_large", 0, COUNT_MAX), INT("too_many", 0, COUNT_MAX),
	INT("foreign", 0, COUNT_MAX), INT("unknown_frame", 0, COUNT_MAX), INT("late", 0, COUNT_MAX),
	INT("slow_viewers", 0, COUNT_MAX),
	INT_OPT("lag_p50_us", 0, COUNT_MAX), INT_OPT("lag_p95_us", 0, COUNT_MAX),
	STR("last_error", REASON_MAX_BYTES), END };

/* An analyser's socket, `tap.sock` in the bus directory. */
static const struct msg_field tap_hello[] = {
	ASCII("name", 32), STR("version", 64), STRS("streams", 64), /* patterns: what it will speak of */
	ASCII_OPT("results", 64),	/* file name of its endpoint in results/ */
	END };
static const struct msg_field tap_want[] = { INT("id", 1, ID_MAX), BOOL("on"), END };
static const struct msg_field tap_replay[] = { INT("id", 1, ID_MAX), END };
static const struct msg_field tap_welcome[] = {
	INT("subscriber", 1, ID_MAX),	/* who it is in for_subscriber */
	STR("version", 64), END };
static const struct msg_field tap_stream[] = {
	INT("id", 1, ID_MAX), STR("name", NAME_MAX_BYTES), STR("camera", NAME_MAX_BYTES),
	STR("title", TITLE_MAX_BYTES), STR("group", GROUP_MAX_BYTES),
	STR("state", 16), INT("since_ms", 0, COUNT_MAX), /* as fronts are told */
	INT("epoch", 0, COUNT_MAX), STR("endpoint", PATH_MAX_BYTES), /* file name; 0 and "" while there is none */
	STR("codec", 16), STR("codec_string", 64),
	INT("width", 0, 65535), INT("height", 0, 65535), REAL("fps", 0, 10000), STR("audio", 16),
	END };
static const struct msg_field tap_gone[] = { INT("id", 1, ID_MAX), END };
static const struct msg_field tap_refused[] = { STR("text", REASON_MAX_BYTES), END };

/* An offer carries who its sender is, as the gate of the front that he came to found him, so that the
 * rtc front can end his session when that does not hold any more. */
static const struct msg_field rtc_offer[] = {
	INT("request", 1, COUNT_MAX),	/* the sender's number; the supervisor puts its own there */
	INT("id", 1, ID_MAX),		/* the stream */
	STR("sdp", MSG_SDP_MAX),
	STR("address", 64),		/* of the client; "" unknown */
	STR_OPT("local", 64),		/* the address of ours that the client reached */
	BOOL_OPT("smooth"),		/* the browser may keep pictures back to smooth them */
	BOOL_OPT("audio"),		/* absent: when the offer asks for it */
	STR("way", 16),			/* as in watcher */
	STR("user", 64),		/* "" none */
	STR("role", 16),		/* viewer | operator */
	STRS("cameras", 16),		/* patterns; none: those of the user */
	STR_OPT("token", 22), INT_OPT("expires_s", 0, COUNT_MAX), /* his token's id and end */
	INT_OPT("viewers", 0, 1000),	/* at once by this token; 0 or absent: any number */
	INT_OPT("generation", 0, COUNT_MAX), /* of his user's logins; 0 or absent: no login is behind it */
	BOOL_OPT("by_previous"),	/* his token was signed with the key before this one */
	END };
static const struct msg_field rtc_patch[] = {
	INT("request", 1, COUNT_MAX), INT("id", 1, ID_MAX), STR("session", 22),
	STR("sdp", MSG_SDP_MAX),	/* a fragment: candidates, or an ICE restart */
	END };
static const struct msg_field rtc_close[] = {
	INT("request", 1, COUNT_MAX), INT("id", 1, ID_MAX), STR("session", 22), END };
static const struct msg_field rtc_answer[] = {
	INT("request", 1, COUNT_MAX),
	INT("code", 200, 599),		/* 201 of an offer, 200 or 204 of the others; 4xx, 5xx */
	STR_OPT("sdp", MSG_SDP_MAX), STR_OPT("session", 22), /* base64url of 16 random bytes */
	STR_OPT("error", REASON_MAX_BYTES), /* why not, in words for people */
	END };
static const struct msg_field rtc_state[] = {
	BOOL("ready"),			/* false: it is away, and its sessions with it */
	END };
static const struct msg_field rtc_link[] = {
	STR("session", 22),
	STR("link", 16),		/* what he is shown: ok | thin (the smaller stream) | keys-only */
	END };
static const struct msg_field rtc_config[] = {
	STRS("addresses", 16),		/* more candidates: addresses under which we are known outside */
	STRS_OPT("own", 16),		/* addresses of this machine, as they are now */
	INT("port", 1, 65535),		/* of the listeners, and of the first */
	INT("max_sessions", 1, 1000000),
	INT("max_per_address", 0, 100000), /* sessions; 0: any number */
	END };
static const struct msg_field rtc_listener[] = {
	STR("address", 128),
	STR("kind", 8),			/* udp | tcp */
	END };
static const struct msg_field ctl_done[] = { INT("code", 0, 255), STR("text", 16384), END };

#define ANY_FRONT (MSG_TO_FRONT | MSG_TO_RTC)
#define FROM_ANY_FRONT (MSG_FROM_FRONT | MSG_FROM_RTC)
#define ANY_CHILD (MSG_TO_WORKER | ANY_FRONT | MSG_TO_TRANSCODE | MSG_TO_AUTH)
#define FROM_ANY_CHILD (MSG_FROM_WORKER | FROM_ANY_FRONT | MSG_FROM_TRANSCODE | MSG_FROM_AUTH)

static const struct msg_schema schemas[MSG_TYPE_COUNT] = {
	[MSG_WORKER_CONFIG]   = { "worker-config", MSG_TO_WORKER, MSG_FD_OPTIONAL, worker_config },
	[MSG_FRONT_CONFIG]    = { "front-config", ANY_FRONT, MSG_FD_NONE, front_config },
	[MSG_SNAPSHOT_JOB]    = { "snapshot-job", MSG_TO_TRANSCODE, MSG_FD_REQUIRED, snapshot_job },
	[MSG_DEMAND]	      = { "demand", MSG_TO_WORKER, MSG_FD_NONE, demand },
	[MSG_REPLAY]	      = { "replay", MSG_TO_WORKER, MSG_FD_NONE, replay },
	[MSG_STOP]	      = { "stop", ANY_CHILD, MSG_FD_NONE, none },
	[MSG_LOG_LEVEL]	      = { "log-level", ANY_CHILD, MSG_FD_NONE, level },
	[MSG_LISTENER]	      = { "listener", MSG_TO_FRONT, MSG_FD_REQUIRED, listener },
	[MSG_TLS_IDENTITY]    = { "tls-identity", MSG_TO_FRONT, MSG_FD_REQUIRED, none },
	[MSG_STREAM]	      = { "stream", ANY_FRONT, MSG_FD_NONE, stream },
	[MSG_STREAM_GONE]     = { "stream-gone", ANY_FRONT, MSG_FD_NONE, stream_gone },
	[MSG_STREAMS_SYNCED]  = { "streams-synced", ANY_FRONT, MSG_FD_NONE, none },
	[MSG_SNAPSHOT_DONE]   = { "snapshot-done", MSG_TO_FRONT, MSG_FD_OPTIONAL, snapshot_done },
	[MSG_ACCESS_KEYS]     = { "access-keys", ANY_FRONT, MSG_FD_NONE, access_keys },
	[MSG_AUTH_RESULT]     = { "auth-result", MSG_TO_FRONT, MSG_FD_NONE, auth_result },
	[MSG_KICK]	      = { "kick", ANY_FRONT, MSG_FD_NONE, kick },
	[MSG_DRAIN]	      = { "drain", ANY_FRONT, MSG_FD_NONE, drain },
	[MSG_ANALYSER]	      = { "analyser", MSG_TO_FRONT, MSG_FD_NONE, analyser },
	[MSG_ANALYSER_GONE]   = { "analyser-gone", MSG_TO_FRONT, MSG_FD_NONE, analyser_gone },

	[MSG_READY]	      = { "ready", FROM_ANY_CHILD, MSG_FD_NONE, ready },
	[MSG_BEAT]	      = { "beat", FROM_ANY_CHILD, MSG_FD_NONE, beat },
	[MSG_VIOLATION]	      = { "violation", FROM_ANY_CHILD, MSG_FD_NONE, violation },
	[MSG_DEMAND_DONE]     = { "demand-done", MSG_FROM_WORKER, MSG_FD_NONE, demand },
	[MSG_INPUT]	      = { "input", MSG_FROM_WORKER, MSG_FD_NONE, input },
	[MSG_WORKER_STATUS]   = { "worker-status", MSG_FROM_WORKER, MSG_FD_NONE, worker_status },
	[MSG_WANT]	      = { "want", FROM_ANY_FRONT, MSG_FD_NONE, want },
	[MSG_WANT_REPLAY]     = { "want-replay", FROM_ANY_FRONT | MSG_FROM_WORKER, MSG_FD_NONE, want_replay },
	[MSG_SNAPSHOT]	      = { "snapshot", MSG_FROM_FRONT, MSG_FD_REQUIRED, snapshot },
	[MSG_FRONT_STREAM]    = { "front-stream", FROM_ANY_FRONT, MSG_FD_NONE, front_stream },
	[MSG_FRONT_TOTALS]    = { "front-totals", FROM_ANY_FRONT, MSG_FD_NONE, front_totals },
	[MSG_FRONT_ANALYSER]  = { "front-analyser", MSG_FROM_FRONT, MSG_FD_NONE, front_analyser },
	[MSG_AUTH_CHECK]      = { "auth-check", MSG_FROM_FRONT, MSG_FD_NONE, auth_check },
	[MSG_ACCESS_REVOKE]   = { "access-revoke", FROM_ANY_FRONT, MSG_FD_NONE, access_revoke },
	[MSG_WATCHER]	      = { "watcher", FROM_ANY_FRONT, MSG_FD_NONE, watcher },
	[MSG_WATCHER_GONE]    = { "watcher-gone", FROM_ANY_FRONT, MSG_FD_NONE, watcher_gone },
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
	[MSG_CTL_ANALYSERS]   = { "analysers", MSG_FROM_CTL, MSG_FD_NONE, none },
	[MSG_CTL_ANALYSER]    = { "analyser-status", MSG_TO_CTL, MSG_FD_NONE, ctl_analyser },
	[MSG_CTL_PASSWD]      = { "passwd", MSG_FROM_CTL, MSG_FD_NONE, ctl_passwd },
	[MSG_CTL_TOKEN]	      = { "token", MSG_FROM_CTL, MSG_FD_NONE, ctl_token },
	[MSG_CTL_REVOKE]      = { "revoke", MSG_FROM_CTL, MSG_FD_NONE, ctl_revoke },

	[MSG_AUTH_JOB]	      = { "auth-job", MSG_TO_AUTH, MSG_FD_NONE, auth_job },
	[MSG_AUTH_DONE]	      = { "auth-done", MSG_FROM_AUTH, MSG_FD_NONE, auth_done },
	[MSG_CTL_DONE]	      = { "done", MSG_TO_CTL, MSG_FD_NONE, ctl_done },

	[MSG_TAP_HELLO]	      = { "tap-hello", MSG_FROM_TAP, MSG_FD_NONE, tap_hello },
	[MSG_TAP_WANT]	      = { "tap-want", MSG_FROM_TAP, MSG_FD_NONE, tap_want },
	[MSG_TAP_REPLAY]      = { "tap-replay", MSG_FROM_TAP, MSG_FD_NONE, tap_replay },
	[MSG_TAP_WELCOME]     = { "tap-welcome", MSG_TO_TAP, MSG_FD_NONE, tap_welcome },
	[MSG_TAP_STREAM]      = { "tap-stream", MSG_TO_TAP, MSG_FD_NONE, tap_stream },
	[MSG_TAP_GONE]	      = { "tap-gone", MSG_TO_TAP, MSG_FD_NONE, tap_gone },
	[MSG_TAP_SYNCED]      = { "tap-synced", MSG_TO_TAP, MSG_FD_NONE, none },
	[MSG_TAP_REFUSED]     = { "tap-refused", MSG_TO_TAP, MSG_FD_NONE, tap_refused },
	[MSG_RTC_CONFIG]      = { "rtc-config", MSG_TO_RTC, MSG_FD_NONE, rtc_config },
	[MSG_RTC_LISTENER]    = { "rtc-listener", MSG_TO_RTC, MSG_FD_REQUIRED, rtc_listener },
	[MSG_RTC_OFFER]	      = { "rtc-offer", MSG_TO_RTC | MSG_FROM_FRONT, MSG_FD_NONE, rtc_offer },
	[MSG_RTC_PATCH]	      = { "rtc-patch", MSG_TO_RTC | MSG_FROM_FRONT, MSG_FD_NONE, rtc_patch },
	[MSG_RTC_CLOSE]	      = { "rtc-close", MSG_TO_RTC | MSG_FROM_FRONT, MSG_FD_NONE, rtc_close },
	[MSG_RTC_ANSWER]      = { "rtc-answer", MSG_TO_FRONT | MSG_FROM_RTC, MSG_FD_NONE, rtc_answer },
	[MSG_RTC_STATE]	      = { "rtc-state", MSG_TO_FRONT, MSG_FD_NONE, rtc_state },
	[MSG_RTC_LINK]	      = { "rtc-link", MSG_TO_FRONT | MSG_FROM_RTC, MSG_FD_NONE, rtc_link },
};
/* clang-format on */

const struct msg_schema *
msg_schema(enum msg_type type)
{
	return &schemas[type];
}
