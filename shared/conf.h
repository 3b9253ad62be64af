/*
 * The configuration (camhub.yaml(5)): one YAML file and one credentials file become one immutable
 * snapshot, or a list of everything that is wrong with them, each with its file and line.
 */
#ifndef CAMHUB_SHARED_CONF_H
#define CAMHUB_SHARED_CONF_H

#include "shared/backoff.h"
#include "shared/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#define CONF_EXIT              78 /* EX_CONFIG: the exit status for a wrong configuration */
#define CONF_MAX_FILE_BYTES    (1u << 20)
#define CONF_MAX_CAMERAS       256
#define CONF_MAX_LISTEN        16
#define CONF_MAX_ORIGINS       32
#define CONF_MAX_HOSTS         32
#define CONF_MAX_USERS         64
#define CONF_MAX_USER_CAMERAS  16
#define CONF_MAX_PROXIES       16
#define CONF_MAX_RTC_ADDRESSES 16
#define CONF_MAX_ICE_SERVERS   8
#define CONF_CAMERA_NAME_BYTES 32
#define CONF_STREAM_NAME_BYTES 41 /* "<camera>.sub.h264" */

enum conf_transport { CONF_TRANSPORT_TCP, CONF_TRANSPORT_UDP, CONF_TRANSPORT_AUTO };
enum conf_ingest { CONF_INGEST_AUTO, CONF_INGEST_AV };
enum conf_vui { CONF_VUI_AUTO, CONF_VUI_KEEP };
enum conf_transcode { CONF_TRANSCODE_AUTO, CONF_TRANSCODE_NEVER };
enum conf_role { CONF_ROLE_VIEWER, CONF_ROLE_OPERATOR };

struct conf_strings {
	char **list;
	size_t n;
	unsigned *lines; /* of each, 0 for defaults */
};

struct conf_listen {
	const char *text; /* as written: "127.0.0.1:8080" */
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

struct conf_camera {
	char *name;            /* ^[a-z0-9][a-z0-9_-]{0,31}$ */
	char *title;           /* never NULL; the name when not given */
	char *group;           /* the cameras it is shown with, or NULL */
	char *url;             /* without userinfo, checked */
	char *sub;             /* second URL or NULL */
	char *credentials;     /* name in the credentials file or NULL */
	char *user, *password; /* what that name stands for; NULL without credentials */
	int transport;         /* enum conf_transport */
	int ingest;            /* enum conf_ingest */
	int vui;               /* enum conf_vui */
	int transcode;         /* enum conf_transcode */
	char *tls;             /* verify | insecure | sha256:HEX; never NULL */
	bool on_demand;
	int64_t open_timeout_ms, stall_timeout_ms;
	int64_t reorder_ms;   /* UDP: so long a datagram that is missing holds back others */
	int64_t loss_hold_ms; /* so long at most a loss keeps pictures from viewers */
	unsigned line;
};

/* Who may look; the password's hash stands elsewhere (camctl passwd). */
struct conf_user {
	char *name;                  /* token_user_is_valid() */
	int role;                    /* enum conf_role */
	struct conf_strings cameras; /* patterns (shared/glob.h), at least one */
	unsigned line;
};

/* What a worker serves: a camera ("door") or its second URL ("door.sub"). */
struct conf_stream {
	char *name;
	bool is_sub;
	unsigned order; /* position on the wall: of the camera in the file */
	const struct conf_camera *camera;
	const char *url; /* the camera's url or sub */
};

struct conf {
	char *path;       /* of the YAML file, as given */
	char *creds_path; /* of the credentials file, or NULL */

	struct conf_strings listen_text;
	struct conf_listen *listen; /* n_listen of them, one for each listen_text */
	size_t n_listen;
	bool insecure; /* listeners other than loopback are allowed */
	int64_t request_deadline_ms;
	int64_t max_per_address;         /* connections; 0: any number */
	struct conf_strings hosts;       /* names that are ours */
	struct conf_strings own_origins; /* under which a proxy shows our pages */
	char *tls_certificate, *tls_key; /* files in PEM form; both or none */
	bool tls_hsts;                   /* browsers shall remember that there is TLS */
	int64_t live_target_ms;
	int64_t fronts; /* processes that serve people */

	struct conf_strings origins; /* pages on these may embed ours: "https://example.net" */

	struct conf_user *users; /* n_users; none: everybody who gets here may do everything */
	size_t n_users;
	/* What stands before us and says whom it speaks for; proxy_from empty: nothing does. */
	struct conf_strings proxy_from; /* networks (shared/network.h) */
	char *proxy_header;             /* with the viewer's address; never NULL */
	char *proxy_user_header;        /* with the viewer's name, or NULL */

	bool rtc_enabled; /* WebRTC (camhub-rtc) */
	int64_t rtc_port; /* of UDP and TCP */
	/* Addresses to listen on; none: those of the http listeners. More that are told to viewers.
	 */
	struct conf_strings rtc_listen, rtc_addresses;
	int64_t rtc_max_per_address;     /* sessions; 0: any number */
	struct conf_strings ice_servers; /* that viewers are told: "stun:HOST:PORT", "turn:..." */
	char *ice_credentials;           /* name in the credentials file or NULL */
	char *ice_user, *ice_password;   /* what that name stands for */

	char *event_url; /* who is told what happens to cameras, or NULL; may hold a secret */
	int64_t event_debounce_ms, event_timeout_ms;

	int log_level; /* enum log_level */

	int bus_mode;    /* 0600, or 0660 with a group */
	char *bus_group; /* or NULL */
	gid_t bus_gid;   /* (gid_t)-1 without a group */
	int64_t gop_cache_bytes;

	struct backoff_policy restart_worker, restart_front;
	int64_t auth_wait_ms;  /* after a refused password */
	int64_t start_wait_ms; /* READY is due */
	int64_t silence_ms;    /* no beat for so long: hung */
	int64_t stop_wait_ms;  /* between SIGTERM and SIGKILL */
	int64_t drain_ms;      /* a front that was replaced keeps its viewers for so long */

	int64_t max_spawns;      /* children started at once */
	int64_t max_snapshots;   /* made at once */
	int64_t max_transcoders; /* of live streams, at once */
	int64_t snapshot_timeout_ms;
	int64_t linger_ms; /* an on_demand camera without viewers is kept for so long */
	int64_t max_viewers;
	int64_t viewer_lag_bytes;
	int64_t ring_bytes;
	int64_t worker_memory, front_memory, transcoder_memory; /* bytes of each process */
	int64_t worker_files, front_files;                      /* descriptors of each */
	int64_t worker_oom_score, front_oom_score, transcoder_oom_score;

	struct conf_camera *cameras;
	size_t n_cameras;
	struct conf_stream *streams; /* each camera, then its sub, in the order of the file */
	size_t n_streams;
};

/* Everything that was wrong, ordered by file and line. Zero-initialise. */
struct conf_error {
	char *file;
	unsigned line; /* from 1 */
	char *text;    /* "what is wrong, what was expected"; printable, no secret */
};
struct conf_errors {
	struct conf_error *list;
	size_t n;
	size_t more; /* > 0: some were not kept, the list is bounded */
};

void conf_errors_free(struct conf_errors *errors); /* the contents; ready for use again */
/* "file:line: text" lines joined by '\n' without a last one, cut at a line's end so as to fit into
 * max_bytes with its NUL (0: no limit); malloc'd. "" when there are none. */
char *conf_errors_text(const struct conf_errors *errors, size_t max_bytes);
void conf_errors_print(const struct conf_errors *errors, FILE *file);

/*
 * Load and check. creds_path NULL: conf_default_credentials() is asked. Returns 0 and *conf
 * (owned), or -EINVAL with at least one entry in *errors (both files are always checked to the
 * end). Nothing is logged.
 */
int conf_load(const char *path, const char *creds_path, struct conf **conf,
	      struct conf_errors *errors);
/* The same from memory, path only names it in errors (tests, fuzzers, the demo). */
int conf_load_text(const char *path, const char *text, size_t len, const char *creds_path,
		   struct conf **conf, struct conf_errors *errors);
/* What an empty mapping would give: all defaults, no cameras. */
struct conf *conf_defaults(void);
/* NULL-safe; passwords are wiped. */
void conf_free(struct conf **conf);

/* "$CREDENTIALS_DIRECTORY/cameras" if the variable is set and the file exists, malloc'd; else NULL.
 */
char *conf_default_credentials(void);
/* True when path lies in $CREDENTIALS_DIRECTORY: systemd's copy, frozen until the unit restarts. */
bool conf_credentials_are_frozen(const char *creds_path);
/* True when the file that systemd copies from (CAMHUB_SYSCONF_DIR/cameras.cred unless source is
 * given) can be seen to differ from creds_path, or cannot be read to tell. */
bool conf_credentials_may_be_stale(const char *creds_path, const char *source);

const struct conf_stream *conf_find_stream(const struct conf *conf, const char *name);
const char *conf_transport_name(int transport); /* "tcp" "udp" "auto" */

/* What differs between two snapshots, for reload. */
enum conf_change {
	CONF_STREAM_SAME,
	CONF_STREAM_ADDED,   /* before is NULL */
	CONF_STREAM_REMOVED, /* after is NULL */
	CONF_STREAM_SHOWN, /* title, group, place, on_demand, transcode, loss_hold_ms: the worker's
			      no matter */
	CONF_STREAM_CHANGED, /* what the worker was told: it needs a new one */
};
typedef void conf_diff_fn(enum conf_change change, const struct conf_stream *before,
			  const struct conf_stream *after, void *arg);
/* Calls fn once for each stream of either; first those that are gone, then the order of after.
 * before NULL: everything was added. Settings outside cameras: that workers are told at their start
 * (bus:) count as a change of the key, not of the streams; see conf_diff_keys(). */
void conf_diff(const struct conf *before, const struct conf *after, conf_diff_fn *fn, void *arg);
/* Everything that a worker is told equal (title, group, on_demand, transcode, loss_hold_ms do
 * not count). */
bool conf_camera_equal(const struct conf_camera *a, const struct conf_camera *b);

enum conf_reload {
	CONF_RELOAD,         /* takes effect at once */
	CONF_RELOAD_CHILD,   /* in processes that start from now on */
	CONF_RELOAD_RESTART, /* needs a restart of the supervisor */
};
typedef void conf_diff_key_fn(const char *key, enum conf_reload reload, void *arg);
/* Calls fn for each key outside cameras: whose value differs ("http.listen"), and for
 * "access.users" when any user does. */
void conf_diff_keys(const struct conf *before, const struct conf *after, conf_diff_key_fn *fn,
		    void *arg);

/* The schema table, for the manual page's check, tests and camctl. */
enum conf_kind {
	CONF_BOOL,     /* bool */
	CONF_INT,      /* int64_t */
	CONF_PERCENT,  /* int; written 20% */
	CONF_DURATION, /* int64_t in ms; written 250ms, 5s, 2m, 1h */
	CONF_SIZE,     /* int64_t in bytes; written 512KiB, 16MiB, 1GiB */
	CONF_WORD,     /* int, one of a list of words */
	CONF_STRING,   /* char * */
	CONF_STRINGS,  /* struct conf_strings */
};
struct conf_word {
	const char *name;
	int value;
};
struct conf_key {
	const char *section; /* "http", "access.proxy"; of each item: "cameras", "access.users" */
	const char *name;
	enum conf_kind kind;
	bool required;
	enum conf_reload reload;
	int64_t min, max;              /* value, bytes of a string, or number of strings */
	const char *default_text;      /* as one would write it; NULL: none */
	const struct conf_word *words; /* CONF_WORD: ends with name NULL */
	const char *help;
	/* One more look at a string (each, of several): 0, or -EINVAL and why in err
	 * (URL_ERROR_MAX). */
	int (*check)(const char *value, char *err);
	size_t offset; /* in struct conf, struct conf_camera or struct conf_user */
};
#define CONF_MAX_KEYS 128
/* The index-th key, NULL behind the last; at most CONF_MAX_KEYS, those of a section together. */
const struct conf_key *conf_key(size_t index);

/* Addresses of listeners. "127.0.0.1:8080", "[::1]:8080": numeric, port 1 to 65535, nothing else. 0
 * or -EINVAL. */
int conf_address_parse(const char *text, struct sockaddr_storage *addr, socklen_t *addr_len);
/* The same form from a socket address; "unix" for AF_UNIX, "?" for others. buf: 64 bytes. */
const char *conf_address_format(const struct sockaddr *addr, char *buf);
/* Reachable from this machine alone: 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104, unix sockets. */
bool conf_address_is_loopback(const struct sockaddr *addr);

/* The address alone, "192.0.2.7" or "2001:db8::7", with that port. 0 or -EINVAL. */
int conf_ip_parse(const char *text, uint16_t port, struct sockaddr_storage *addr,
		  socklen_t *addr_len);

/* verify | insecure | sha256: and 64 hexadecimal digits */
bool conf_tls_is_valid(const char *tls);

/*
 * What tls: names, certificate before key, as one text (malloc'd, secret: wipe it) of *len bytes
 * with a zero behind. 0, or negative errno and *errors. Only with tls_certificate.
 */
int conf_tls_read(const struct conf *conf, char **pem, size_t *len, struct conf_errors *errors);

/* ^[a-z0-9][a-z0-9_-]{0,31}$ */
bool conf_name_is_valid(const char *name);

const char *conf_role_name(int role); /* "viewer" "operator" */
const struct conf_user *conf_find_user(const struct conf *conf, const char *name);

#endif
