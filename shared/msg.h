/*
 * The schema of every control message (docs/protocol.md, "The control channel"): one table names
 * each message, who may send it to whom, whether a file descriptor rides along, and its fields.
 * A message is one JSON object {"type": NAME, ...} in one SOCK_SEQPACKET datagram.
 */
#ifndef CAMHUB_SHARED_MSG_H
#define CAMHUB_SHARED_MSG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define MSG_MAX_BYTES     65536u
#define MSG_ERROR_MAX     160
#define MSG_CHALLENGE_MAX 1024 /* of a source that wants to know who reads it */
#define MSG_SDP_MAX       20000

/* Who receives. One bit each: a message may go to several kinds of process. */
enum msg_to {
	MSG_TO_WORKER = 1 << 0,    /* supervisor -> worker */
	MSG_TO_FRONT = 1 << 1,     /* supervisor -> http front */
	MSG_TO_TRANSCODE = 1 << 2, /* supervisor -> transcoder */
	MSG_TO_CTL = 1 << 3,       /* supervisor -> camctl */
	MSG_FROM_WORKER = 1 << 4,  /* the same four, upwards */
	MSG_FROM_FRONT = 1 << 5,
	MSG_FROM_TRANSCODE = 1 << 6,
	MSG_FROM_CTL = 1 << 7,
	MSG_TO_AUTH = 1 << 8, /* supervisor -> camhub-auth */
	MSG_FROM_AUTH = 1 << 9,
	MSG_TO_TAP = 1 << 10, /* supervisor -> analyser */
	MSG_FROM_TAP = 1 << 11,
	MSG_TO_RTC = 1 << 12, /* supervisor -> rtc front */
	MSG_FROM_RTC = 1 << 13,
};

enum msg_field_kind { MSG_STR, MSG_ASCII, MSG_INT, MSG_REAL, MSG_BOOL, MSG_STRS };

struct msg_field {
	const char *name;
	enum msg_field_kind kind;
	bool optional;
	/* INT, REAL: value; STR, ASCII (printable): length in bytes; STRS: number of strings */
	long long min, max;
};

enum msg_fd { MSG_FD_NONE = 0, MSG_FD_REQUIRED, MSG_FD_OPTIONAL };

enum msg_type {
	/* down */
	MSG_WORKER_CONFIG,
	MSG_FRONT_CONFIG,
	MSG_SNAPSHOT_JOB,
	MSG_DEMAND,
	MSG_REPLAY,
	MSG_STOP,
	MSG_LOG_LEVEL,
	MSG_LISTENER,
	MSG_TLS_IDENTITY,
	MSG_STREAM,
	MSG_STREAM_GONE,
	MSG_STREAMS_SYNCED,
	MSG_SNAPSHOT_DONE,
	MSG_ACCESS_KEYS,
	MSG_AUTH_RESULT,
	MSG_KICK,
	MSG_DRAIN,
	MSG_ANALYSER,
	MSG_ANALYSER_GONE,
	/* up */
	MSG_READY,
	MSG_BEAT,
	MSG_VIOLATION,
	MSG_DEMAND_DONE,
	MSG_INPUT,
	MSG_WORKER_STATUS,
	MSG_WANT,
	MSG_WANT_REPLAY,
	MSG_SNAPSHOT,
	MSG_FRONT_STREAM,
	MSG_FRONT_TOTALS,
	MSG_FRONT_ANALYSER,
	MSG_TLS_STATE,
	MSG_AUTH_CHECK,
	MSG_ACCESS_REVOKE,
	MSG_WATCHER,
	MSG_WATCHER_GONE,
	MSG_SNAPSHOT_RESULT,
	/* camctl */
	MSG_CTL_STATUS,
	MSG_CTL_RELOAD,
	MSG_CTL_RESTART,
	MSG_CTL_LOG_LEVEL,
	MSG_CTL_VERSION,
	MSG_CTL_VIEWERS,
	MSG_CTL_KICK,
	MSG_CTL_CAMERA,
	MSG_CTL_SUPERVISOR,
	MSG_CTL_PROCESS,
	MSG_CTL_VIEWER,
	MSG_CTL_ANALYSERS,
	MSG_CTL_ANALYSER,
	MSG_CTL_PASSWD,
	MSG_CTL_TOKEN,
	MSG_CTL_REVOKE,
	/* passwords */
	MSG_AUTH_JOB,
	MSG_AUTH_DONE,
	MSG_CTL_DONE,
	/* analysers */
	MSG_TAP_HELLO,
	MSG_TAP_WANT,
	MSG_TAP_REPLAY,
	MSG_TAP_WELCOME,
	MSG_TAP_STREAM,
	MSG_TAP_GONE,
	MSG_TAP_SYNCED,
	MSG_TAP_REFUSED,
	/* WebRTC: from an http front by the supervisor to the rtc front, and the answer back */
	MSG_RTC_CONFIG,
	MSG_RTC_LISTENER,
	MSG_RTC_OFFER,
	MSG_RTC_PATCH,
	MSG_RTC_CLOSE,
	MSG_RTC_ANSWER,
	MSG_RTC_STATE,
	MSG_RTC_LINK,
	MSG_TYPE_COUNT
};

struct msg_schema {
	const char *name;
	unsigned to; /* enum msg_to bits */
	enum msg_fd fd;
	const struct msg_field *fields; /* ends with name NULL */
};

/* From now on what messages held in memory is wiped when they are freed: some hold passwords. First
 * thing in a process. */
void msg_wipe_freed(void);

/* The table, for tests, fuzzers and the protocol document's check. */
const struct msg_schema *msg_schema(enum msg_type type);

/*
 * Check one received (or about to be sent) object: known type, allowed for this receiver (exactly
 * one bit of enum msg_to), every required field there with the right kind and range, no unknown
 * key, strings free of NUL, the fd there or not as the table says. Returns 0 and *type, or -EPROTO
 * and the reason in err (MSG_ERROR_MAX bytes; never contains values, only names).
 */
int msg_check(const json_t *msg, enum msg_to to, bool has_fd, enum msg_type *type, char *err);

/* {"type": name of type} to add fields to; aborts when out of memory. */
json_t *msg_new(enum msg_type type);

/* Checked messages only: a field's value, or a default when an optional one is absent. Strings
 * are borrowed from msg. */
const char *msg_str(const json_t *msg, const char *name); /* "" when absent */
long long msg_int(const json_t *msg, const char *name, long long absent);
double msg_real(const json_t *msg, const char *name, double absent);
bool msg_bool(const json_t *msg, const char *name, bool absent);

/* Add a field; overwrite if there. NULL strings are not added. */
void msg_set_str(json_t *msg, const char *name, const char *value);
void msg_set_int(json_t *msg, const char *name, long long value);
void msg_set_real(json_t *msg, const char *name, double value);
void msg_set_bool(json_t *msg, const char *name, bool value);

#endif
