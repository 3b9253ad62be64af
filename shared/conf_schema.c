/*
 * The schema table: every key of camhub.yaml. Defaults, messages, the manual page's check and what
 * a reload can change all come from here.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define MS_MIN  (60 * 1000LL)
#define MS_HOUR (60 * MS_MIN)
#define MIB     (1LL << 20)
#define GIB     (1LL << 30)

static const struct conf_word log_levels[] = {
	{ "err", LOG_LEVEL_ERR },   { "warn", LOG_LEVEL_WARN },   { "notice", LOG_LEVEL_NOTICE },
	{ "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG }, { NULL, 0 },
};
static const struct conf_word bus_modes[] = { { "0600", 0600 }, { "0660", 0660 }, { NULL, 0 } };
static const struct conf_word transports[] = {
	{ "tcp", CONF_TRANSPORT_TCP },
	{ "udp", CONF_TRANSPORT_UDP },
	{ "auto", CONF_TRANSPORT_AUTO },
	{ NULL, 0 },
};
static const struct conf_word ingests[] = {
	{ "auto", CONF_INGEST_AUTO },
	{ "av", CONF_INGEST_AV },
	{ NULL, 0 },
};
static const struct conf_word vuis[] = {
	{ "auto", CONF_VUI_AUTO },
	{ "keep", CONF_VUI_KEEP },
	{ NULL, 0 },
};

static const struct conf_word transcodes[] = {
	{ "auto", CONF_TRANSCODE_AUTO },
	{ "never", CONF_TRANSCODE_NEVER },
	{ NULL, 0 },
};

static const struct conf_word roles[] = {
	{ "viewer", CONF_ROLE_VIEWER },
	{ "operator", CONF_ROLE_OPERATOR },
	{ NULL, 0 },
};

static const char *const sections[] = { "http", "rtc", "tls",     "access", "embed",  "on_event",
					"log",  "bus", "restart", "limits", "cameras" };

/* clang-format off */
#define AT(field)	offsetof(struct conf, field)
#define CAM(field)	offsetof(struct conf_camera, field)
#define USER(field)	offsetof(struct conf_user, field)
#define DURATION(s, n, field, def, lo, hi, rel, text) \
	{ .section = (s), .name = (n), .kind = CONF_DURATION, .reload = (rel), .min = (lo), .max = (hi), \
	  .default_text = (def), .help = (text), .offset = (field) }
#define SIZE(s, n, field, def, lo, hi, rel, text) \
	{ .section = (s), .name = (n), .kind = CONF_SIZE, .reload = (rel), .min = (lo), .max = (hi), \
	  .default_text = (def), .help = (text), .offset = (field) }
#define INT(s, n, field, def, lo, hi, rel, text) \
	{ .section = (s), .name = (n), .kind = CONF_INT, .reload = (rel), .min = (lo), .max = (hi), \
	  .default_text = (def), .help = (text), .offset = (field) }
#define WORD(s, n, field, def, list, rel, text) \
	{ .section = (s), .name = (n), .kind = CONF_WORD, .reload = (rel), .default_text = (def), \
	  .words = (list), .help = (text), .offset = (field) }
#define BOOL(s, n, field, def, rel, text) \
	{ .section = (s), .name = (n), .kind = CONF_BOOL, .reload = (rel), .default_text = (def), \
	  .help = (text), .offset = (field) }
#define STRING(s, n, field, lo, hi, rel, chk, text) \
	{ .section = (s), .name = (n), .kind = CONF_STRING, .reload = (rel), .min = (lo), .max = (hi), \
	  .check = (chk), .help = (text), .offset = (field) }
#define STRINGS(s, n, field, def, hi, rel, chk, text) \
	{ .section = (s), .name = (n), .kind = CONF_STRINGS, .reload = (rel), .max = (hi), \
	  .default_text = (def), .check = (chk), .help = (text), .offset = (field) }

static const struct conf_key keys[] = {
	STRINGS("http", "listen", AT(listen_text), "127.0.0.1:8080", CONF_MAX_LISTEN, CONF_RELOAD_RESTART,
	    conf_check_listen, "addresses and ports to listen on"),
	BOOL("http", "insecure", AT(insecure), "false", CONF_RELOAD_RESTART,
	    "allow listeners that other machines reach"),
	DURATION("http", "request_deadline", AT(request_deadline_ms), "4s", 100, 10 * MS_MIN,
	    CONF_RELOAD_CHILD, "a request must have arrived by then"),
	DURATION("http", "live_target", AT(live_target_ms), "40ms", 0, MS_MIN, CONF_RELOAD_CHILD,
	    "how far behind the live edge the players stay"),
	INT("http", "fronts", AT(fronts), "1", 1, 16, CONF_RELOAD, "processes that serve people"),
	STRINGS("http", "hosts", AT(hosts), NULL, CONF_MAX_HOSTS, CONF_RELOAD_CHILD, conf_check_host,
	    "names by which browsers may call camhub"),
	STRINGS("http", "origins", AT(own_origins), NULL, CONF_MAX_ORIGINS, CONF_RELOAD_CHILD,
	    conf_check_origin, "where a reverse proxy shows the pages"),
	INT("http", "max_per_address", AT(max_per_address), "64", 0, 100000, CONF_RELOAD_CHILD,
	    "connections that one address may have"),

	BOOL("rtc", "enabled", AT(rtc_enabled), "true", CONF_RELOAD, "WebRTC, for players that can"),
	INT("rtc", "port", AT(rtc_port), "8189", 1, 65535, CONF_RELOAD, "UDP and TCP port of all its viewers"),
	STRINGS("rtc", "listen", AT(rtc_listen), NULL, CONF_MAX_LISTEN, CONF_RELOAD, conf_check_ip,
	    "addresses to listen on; by default those of http: listen:"),
	STRINGS("rtc", "addresses", AT(rtc_addresses), NULL, CONF_MAX_RTC_ADDRESSES, CONF_RELOAD, conf_check_ip,
	    "addresses under which others reach this machine"),
	INT("rtc", "max_per_address", AT(rtc_max_per_address), "64", 0, 100000, CONF_RELOAD,
	    "viewers that one address may have"),
	STRINGS("rtc", "ice_servers", AT(ice_servers), NULL, CONF_MAX_ICE_SERVERS, CONF_RELOAD_CHILD,
	    conf_check_ice_server, "STUN and TURN servers for players"),
	STRING("rtc", "ice_credentials", AT(ice_credentials), 1, 32, CONF_RELOAD_CHILD, NULL,
	    "name of a line in the credentials file, for turn servers"),

	STRING("tls", "certificate", AT(tls_certificate), 1, 4096, CONF_RELOAD, conf_check_path,
	    "file with the certificate and those of its issuers"),
	STRING("tls", "key", AT(tls_key), 1, 4096, CONF_RELOAD, conf_check_path,
	    "file with the certificate's private key"),
	BOOL("tls", "hsts", AT(tls_hsts), "false", CONF_RELOAD_CHILD,
	    "browsers shall remember for a year to come by TLS alone"),

	{ .section = "access.users", .name = "name", .kind = CONF_STRING, .required = true, .min = 0,
	  .max = 1024, .check = conf_check_user, .help = "who logs in", .offset = USER(name) },
	WORD("access.users", "role", USER(role), "viewer", roles, CONF_RELOAD,
	    "whether only to look, or also to see how camhub does"),
	STRINGS("access.users", "cameras", USER(cameras), "*", CONF_MAX_USER_CAMERAS, CONF_RELOAD,
	    conf_check_glob, "patterns of the cameras that may be seen"),
	STRINGS("access.proxy", "from", AT(proxy_from), NULL, CONF_MAX_PROXIES, CONF_RELOAD,
	    conf_check_network, "addresses of reverse proxies that are believed"),
	{ .section = "access.proxy", .name = "header", .kind = CONF_STRING, .reload = CONF_RELOAD, .min = 1,
	  .max = 64, .default_text = "X-Forwarded-For", .check = conf_check_header,
	  .help = "their header with the viewer's address", .offset = AT(proxy_header) },
	STRING("access.proxy", "user_header", AT(proxy_user_header), 1, 64, CONF_RELOAD, conf_check_header,
	    "their header with the viewer's name"),

	STRINGS("embed", "origins", AT(origins), NULL, CONF_MAX_ORIGINS, CONF_RELOAD_CHILD,
	    conf_check_origin, "sites whose pages may embed the cameras"),

	STRING("on_event", "url", AT(event_url), 1, 2048, CONF_RELOAD, conf_check_event_url,
	    "where cameras that come and go are told"),
	DURATION("on_event", "debounce", AT(event_debounce_ms), "5s", 0, MS_HOUR, CONF_RELOAD,
	    "a state must last for so long to be told"),
	DURATION("on_event", "timeout", AT(event_timeout_ms), "10s", 1000, MS_MIN, CONF_RELOAD,
	    "an event must be delivered by then"),

	WORD("log", "level", AT(log_level), "info", log_levels, CONF_RELOAD, "how much is logged"),

	WORD("bus", "mode", AT(bus_mode), "0600", bus_modes, CONF_RELOAD_CHILD,
	    "permissions of the bus sockets"),
	STRING("bus", "group", AT(bus_group), 1, 32, CONF_RELOAD_CHILD, conf_check_group,
	    "group that may read the bus"),
	SIZE("bus", "gop_cache", AT(gop_cache_bytes), "16MiB", 0, GIB, CONF_RELOAD_CHILD,
	    "the newest GOP is kept up to this size"),

	DURATION("restart", "good", AT(restart_worker.good_ms), "2s", 100, MS_HOUR, CONF_RELOAD,
	    "a process that delivered for so long restarts at once"),
	DURATION("restart", "min_interval", AT(restart_worker.floor_ms), "1s", 0, MS_HOUR, CONF_RELOAD,
	    "but not more often than this"),
	DURATION("restart", "first", AT(restart_worker.first_ms), "250ms", 10, MS_HOUR, CONF_RELOAD,
	    "wait after a first early death; doubles with each"),
	DURATION("restart", "max", AT(restart_worker.max_ms), "30s", 10, MS_HOUR, CONF_RELOAD,
	    "longest wait"),
	{ .section = "restart", .name = "jitter", .kind = CONF_PERCENT, .reload = CONF_RELOAD, .min = 0,
	  .max = 50, .default_text = "20%", .help = "waits vary by this much",
	  .offset = AT(restart_worker.jitter_percent) },
	DURATION("restart", "front_min_interval", AT(restart_front.floor_ms), "100ms", 0, MS_HOUR,
	    CONF_RELOAD, "min_interval of the fronts"),
	DURATION("restart", "front_first", AT(restart_front.first_ms), "100ms", 10, MS_HOUR, CONF_RELOAD,
	    "first of the fronts"),
	DURATION("restart", "front_max", AT(restart_front.max_ms), "1s", 10, MS_HOUR, CONF_RELOAD,
	    "max of the fronts"),
	DURATION("restart", "auth", AT(auth_wait_ms), "60s", 1000, 24 * MS_HOUR, CONF_RELOAD,
	    "wait after a refused password"),
	DURATION("restart", "start_timeout", AT(start_wait_ms), "10s", 100, 10 * MS_MIN, CONF_RELOAD,
	    "a process must be ready by then"),
	DURATION("restart", "hang_timeout", AT(silence_ms), "2500ms", 1000, 10 * MS_MIN, CONF_RELOAD,
	    "a process that is silent for so long is killed"),
	DURATION("restart", "stop_timeout", AT(stop_wait_ms), "3s", 100, MS_MIN, CONF_RELOAD,
	    "a process that was told to stop is killed after"),
	DURATION("restart", "drain", AT(drain_ms), "10m", 0, 24 * MS_HOUR, CONF_RELOAD,
	    "a front that was replaced keeps its viewers for so long"),

	INT("limits", "spawns", AT(max_spawns), "4", 1, 64, CONF_RELOAD, "processes started at once"),
	INT("limits", "snapshots", AT(max_snapshots), "2", 1, 16, CONF_RELOAD, "snapshots made at once"),
	INT("limits", "transcoders", AT(max_transcoders), "2", 0, 64, CONF_RELOAD,
	    "streams made H.264 at once"),
	DURATION("limits", "snapshot_timeout", AT(snapshot_timeout_ms), "2s", 100, MS_MIN, CONF_RELOAD,
	    "a snapshot must be made by then"),
	DURATION("limits", "linger", AT(linger_ms), "10s", 0, MS_HOUR, CONF_RELOAD,
	    "an on_demand camera is kept for so long after its last viewer"),
	INT("limits", "viewers", AT(max_viewers), "256", 1, 100000, CONF_RELOAD_CHILD,
	    "viewers at once"),
	SIZE("limits", "viewer_lag", AT(viewer_lag_bytes), "8MiB", 65536, GIB, CONF_RELOAD_CHILD,
	    "a viewer further behind skips to a key frame"),
	SIZE("limits", "ring", AT(ring_bytes), "32MiB", MIB, 4 * GIB, CONF_RELOAD_CHILD,
	    "frames kept for the viewers of a stream"),
	SIZE("limits", "worker_memory", AT(worker_memory), "512MiB", 64 * MIB, 64 * GIB, CONF_RELOAD_CHILD,
	    "memory of a worker"),
	SIZE("limits", "front_memory", AT(front_memory), "2GiB", 64 * MIB, 64 * GIB, CONF_RELOAD_CHILD,
	    "memory of a front"),
	SIZE("limits", "transcoder_memory", AT(transcoder_memory), "1GiB", 64 * MIB, 64 * GIB,
	    CONF_RELOAD_CHILD, "memory of a transcoder"),
	INT("limits", "worker_files", AT(worker_files), "256", 64, 65536, CONF_RELOAD_CHILD,
	    "descriptors of a worker or transcoder"),
	INT("limits", "front_files", AT(front_files), "16384", 64, 1 << 20, CONF_RELOAD_CHILD,
	    "descriptors of a front"),
	INT("limits", "worker_oom_score", AT(worker_oom_score), "300", 0, 1000, CONF_RELOAD_CHILD,
	    "how readily the kernel ends a worker when memory is short"),
	INT("limits", "front_oom_score", AT(front_oom_score), "100", 0, 1000, CONF_RELOAD_CHILD,
	    "the same of a front"),
	INT("limits", "transcoder_oom_score", AT(transcoder_oom_score), "500", 0, 1000, CONF_RELOAD_CHILD,
	    "the same of a transcoder"),

	{ .section = "cameras", .name = "name", .kind = CONF_STRING, .required = true, .min = 0, .max = 1024,
	  .check = conf_check_name, .help = "its name in URLs and commands", .offset = CAM(name) },
	STRING("cameras", "title", CAM(title), 1, 256, CONF_RELOAD, conf_check_text,
	    "its name for people; by default the name"),
	STRING("cameras", "group", CAM(group), 1, 64, CONF_RELOAD, conf_check_text,
	    "cameras of one group can be shown by themselves"),
	{ .section = "cameras", .name = "url", .kind = CONF_STRING, .required = true, .min = 0,
	  .max = 1 << 20, .check = conf_check_url, .help = "where the pictures come from",
	  .offset = CAM(url) },
	STRING("cameras", "sub", CAM(sub), 0, 1 << 20, CONF_RELOAD, conf_check_url,
	    "a second, usually smaller stream of the same camera"),
	STRING("cameras", "credentials", CAM(credentials), 0, 1024, CONF_RELOAD, NULL,
	    "name of a line in the credentials file"),
	WORD("cameras", "transport", CAM(transport), "tcp", transports, CONF_RELOAD, "how RTSP carries media"),
	BOOL("cameras", "on_demand", CAM(on_demand), "false", CONF_RELOAD,
	    "connect only while somebody watches"),
	WORD("cameras", "ingest", CAM(ingest), "auto", ingests, CONF_RELOAD, "the worker that reads it"),
	{ .section = "cameras", .name = "tls", .kind = CONF_STRING, .min = 1, .max = 72,
	  .default_text = "verify", .check = conf_check_tls,
	  .help = "what the certificate of an rtsps camera must prove", .offset = CAM(tls) },
	WORD("cameras", "vui", CAM(vui), "auto", vuis, CONF_RELOAD,
	    "whether decoders are told that no picture waits for a later one"),
	WORD("cameras", "transcode", CAM(transcode), "auto", transcodes, CONF_RELOAD,
	    "whether H.265 is made H.264 for browsers that need it"),
	DURATION("cameras", "reorder", CAM(reorder_ms), "60ms", 0, 1000, CONF_RELOAD,
	    "UDP: so long a missing packet holds back those behind it"),
	DURATION("cameras", "open_timeout", CAM(open_timeout_ms), "5s", 100, 10 * MS_MIN, CONF_RELOAD,
	    "the first picture must be there by then"),
	DURATION("cameras", "stall_timeout", CAM(stall_timeout_ms), "3s", 100, 10 * MS_MIN, CONF_RELOAD,
	    "without a picture for so long it counts as stalled"),
	INT("cameras", "loss_hold_ms", CAM(loss_hold_ms), "1000", 0, 10 * MS_MIN, CONF_RELOAD,
	    "damaged pictures are kept from viewers for so long at most"),
};
/* clang-format on */

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))
_Static_assert(N_KEYS <= CONF_MAX_KEYS, "CONF_MAX_KEYS is too small");

const struct conf_key *
conf_key(size_t index)
{
	return index < N_KEYS ? &keys[index] : NULL;
}

const char *
conf_section_at(size_t index)
{
	return index < sizeof(sections) / sizeof(sections[0]) ? sections[index] : NULL;
}

bool
conf_has_section(const char *name)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strcmp(sections[i], name) == 0)
			return true;
	return false;
}

size_t
conf_key_index(const char *section, const char *name)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
			return i;
	assert(!"no such key");
	return 0;
}

void
conf_set_defaults(void *base, const char *section)
{
	char err[URL_ERROR_MAX];
	int rc;

	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].section, section) != 0 || keys[i].default_text == NULL)
			continue;
		rc = conf_value_set(&keys[i], keys[i].default_text, base, err);
		assert(rc == 0);
		(void)rc;
	}
}

bool
conf_is_item_section(const char *section)
{
	return strcmp(section, "cameras") == 0 || strcmp(section, "access.users") == 0;
}

static bool
is_field_of(const struct conf_key *key, const char *section)
{
	return section != NULL ? strcmp(key->section, section) == 0
			       : !conf_is_item_section(key->section);
}

void
conf_free_keys(void *base, const char *section)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		void *field = (char *)base + keys[i].offset;
		struct conf_strings *strings = field;

		if (!is_field_of(&keys[i], section))
			continue;
		if (keys[i].kind == CONF_STRING) {
			free(*(char **)field);
			*(char **)field = NULL;
		}
		if (keys[i].kind != CONF_STRINGS)
			continue;
		for (size_t j = 0; j < strings->n; j++)
			free(strings->list[j]);
		free(strings->list);
		free(strings->lines);
		*strings = (struct conf_strings){ 0 };
	}
}

static bool
string_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
strings_equal(const struct conf_strings *a, const struct conf_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return true;
}

bool
conf_key_equal(const struct conf_key *key, const void *a, const void *b)
{
	const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;

	switch (key->kind) {
	case CONF_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case CONF_PERCENT:
	case CONF_WORD:
		return *(const int *)x == *(const int *)y;
	case CONF_INT:
	case CONF_DURATION:
	case CONF_SIZE:
		return *(const int64_t *)x == *(const int64_t *)y;
	case CONF_STRING:
		return string_equal(*(char *const *)x, *(char *const *)y);
	case CONF_STRINGS:
		return strings_equal((const struct conf_strings *)x,
				     (const struct conf_strings *)y);
	}
	return false;
}
