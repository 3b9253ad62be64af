/*
 * Between a worker and what reads its source. An input connects, delivers units and tells what
 * happens to it; the worker (wrk.h) does all the rest. Everything here runs in the loop's thread.
 */
#ifndef CAMHUB_PUBLISH_WRK_INPUT_H
#define CAMHUB_PUBLISH_WRK_INPUT_H

#include "shared/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus_msg;
struct wrk;

/* Why a source ended; the names are the classes of the "input" message (docs/protocol.md). */
enum wrk_class {
	WRK_CLASS_NONE,
	WRK_CLASS_UNREACHABLE,
	WRK_CLASS_AUTH,
	WRK_CLASS_NOT_FOUND,
	WRK_CLASS_TIMEOUT,
	WRK_CLASS_PROTOCOL,
	WRK_CLASS_UNSUPPORTED,
	WRK_CLASS_EOF,
	WRK_CLASS_REDIRECT,  /* it is elsewhere: the message has the location */
	WRK_CLASS_CHALLENGE, /* it asked for a password and hung up: the message has the challenge
			      */
	WRK_CLASS_INTERNAL,
	WRK_CLASS_COUNT
};

const char *wrk_class_name(enum wrk_class class);

/* What an input delivers. The bytes are borrowed for the call. */
struct wrk_unit {
	enum frame_kind kind;   /* VIDEO: one access unit in Annex B form; JPEG; AUDIO: one frame;
				   CONFIG: what came out of band: parameter sets in Annex B form, or
				   what media/audio.h says of sound */
	uint8_t track;          /* FRAME_TRACK_* */
	enum frame_codec codec; /* one video codec and one audio codec in a worker's life */
	uint16_t flags;         /* FRAME_DISCONTINUITY, FRAME_CORRUPT, FRAME_CLOCK_UNSYNCED */
	const uint8_t *data;
	size_t len;
	int64_t pts_ns, dts_ns;                            /* stream clock */
	uint32_t duration_us;                              /* 0 unknown */
	int64_t arrived_realtime_ns, arrived_monotonic_ns; /* of the unit's last packet */
	int64_t captured_realtime_ns;                      /* 0 unknown */
	bool is_after_loss; /* pictures before it may be missing: FRAME_CORRUPT, unless decoding can
			       start here */
	/* NULL, or made by bus_msg_begin() with data as its payload: the worker takes this
	 * reference over, and no copy is made on the way to the bus. */
	struct bus_msg *msg;
};

/* Borrowed for the call of start(). */
struct wrk_input_config {
	const char *stream;          /* "door" */
	const char *url;             /* without userinfo */
	const char *user, *password; /* NULL when there are none */
	const char *challenge;       /* of the connection before, see wrk_input_challenged(); NULL:
					none */
	const char *transport;       /* tcp | udp | auto */
	int fd; /* connected to the source; -1: none came. Belongs to the input from the call of
		   start() on, also when that fails */
	const char *tls;         /* verify | insecure | sha256:HEX (of the certificate) */
	bool keep_vui;           /* leave parameter sets as the camera sends them */
	int64_t reorder_ms;      /* how long a missing datagram may hold back those behind it */
	int64_t open_timeout_ms; /* to connect and describe */
	int64_t silence_ms; /* without a picture: the source counts as stalled, and may be asked
			       again */
	int64_t give_up_ms; /* of it: the worker gives up; an input that knows why does so just
			       before */
	int64_t read_timeout_ms; /* of silence, then the input gives up by itself */
	bool probe;
	/* Only where the source is another stream of ours (a transcoder's). */
	const char *source_bus; /* where it is published; NULL: it is no such source */
	uint32_t source_id;     /* its stream_id */
	uint32_t subscriber;    /* who we are in for_subscriber */
};

/* What an input knows about its source beyond the units, for status; asked once a second. */
struct wrk_input_report {
	const char *transport;             /* "tcp", "udp", static; NULL: does not apply */
	uint64_t packets, lost, reordered; /* of the video track */
	enum wrk_marker {
		WRK_MARKER_NONE,
		WRK_MARKER_OK,
		WRK_MARKER_NEVER,
		WRK_MARKER_EACH_SLICE
	} marker;
	enum wrk_clock { WRK_CLOCK_NONE, WRK_CLOCK_SYNCED, WRK_CLOCK_UNSYNCED } clock;
	bool is_made;    /* from another stream, by a transcoder */
	uint64_t n_left; /* pictures that it did not make: the machine is too slow */
};

struct wrk_input_ops {
	/* How long after the last picture a source counts as stalled, if the configuration does not
	 * say less; 0: WRK_STALLED_AFTER_MAX_MS. */
	int64_t stalled_after_max_ms;
	/* Begin to connect; all news come later, from the loop. Returns 0; -EINVAL: the
	 * configuration is wrong, do not retry; other negative errno. On failure *input is
	 * untouched. */
	int (*start)(void *arg, struct wrk *wrk, const struct wrk_input_config *config,
		     void **input);
	/* Leave the source politely but soon; wrk_input_closed() is the last call that follows. */
	void (*stop)(void *input);
	/* Only after wrk_input_closed(). */
	void (*free)(void *input);
	/* NULL: nothing to report. *report is zeroed. */
	void (*report)(void *input, struct wrk_input_report *report);
};

/* The calls of an input; none may be made from within start(). */
/* It needs no more of the world than it has: the process shuts itself in for good. Not needed
 * before opened(), which does it too; earlier is better. */
void wrk_input_connected(struct wrk *wrk);
void wrk_input_opened(struct wrk *wrk);
void wrk_deliver(struct wrk *wrk, const struct wrk_unit *unit);
/* Once; reason in words, for people, without secrets. The worker answers with stop(). */
void wrk_input_failed(struct wrk *wrk, enum wrk_class class, const char *reason);
void wrk_input_closed(struct wrk *wrk);
/* Ask for the source's current group of pictures, to be published again for our subscriber. */
void wrk_input_want_replay(struct wrk *wrk);
/* Instead of wrk_input_failed(): the source is elsewhere. url without userinfo; the successor is
 * given a socket to it. */
void wrk_input_redirected(struct wrk *wrk, const char *url);
/* Instead of wrk_input_failed(): the source ended the connection on which it had asked for a
 * password. challenge: printable, as in a configuration; the successor is given it, once. */
void wrk_input_challenged(struct wrk *wrk, const char *challenge, const char *reason);

#endif
