/*
 * Between a worker and what reads its source. An input connects, delivers units and tells what
 * happens to it; the worker (wrk.h) does all the rest. Everything here runs in the loop's thread.
 */
#ifndef CAMHUB_WORKER_WRK_INPUT_H
#define CAMHUB_WORKER_WRK_INPUT_H

#include "shared/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	WRK_CLASS_INTERNAL,
	WRK_CLASS_COUNT
};

const char *wrk_class_name(enum wrk_class class);

/* What an input delivers. The bytes are borrowed for the call. */
struct wrk_unit {
	enum frame_kind kind;   /* VIDEO: one access unit in Annex B form; JPEG; AUDIO: one frame;
				   CONFIG: what came out of band: parameter sets in Annex B form, or
				   an AudioSpecificConfig */
	uint8_t track;          /* FRAME_TRACK_* */
	enum frame_codec codec; /* one video codec and one audio codec in a worker's life */
	uint16_t flags;         /* FRAME_DISCONTINUITY, FRAME_CORRUPT, FRAME_CLOCK_UNSYNCED */
	const uint8_t *data;
	size_t len;
	int64_t pts_ns, dts_ns;                            /* stream clock */
	uint32_t duration_us;                              /* 0 unknown */
	int64_t arrived_realtime_ns, arrived_monotonic_ns; /* of the unit's last packet */
	int64_t captured_realtime_ns;                      /* 0 unknown */
};

/* Borrowed for the call of start(). */
struct wrk_input_config {
	const char *stream;          /* "door" */
	const char *url;             /* without userinfo */
	const char *user, *password; /* NULL when there are none */
	const char *transport;       /* tcp | udp | auto */
	int64_t open_timeout_ms;     /* to connect and describe */
	int64_t read_timeout_ms;     /* of silence, then the input gives up by itself */
	bool probe;
};

struct wrk_input_ops {
	/* Begin to connect; all news come later, from the loop. Returns 0; -EINVAL: the
	 * configuration is wrong, do not retry; other negative errno. On failure *input is
	 * untouched. */
	int (*start)(void *arg, struct wrk *wrk, const struct wrk_input_config *config,
		     void **input);
	/* Leave the source politely but soon; wrk_input_closed() is the last call that follows. */
	void (*stop)(void *input);
	/* Only after wrk_input_closed(). */
	void (*free)(void *input);
};

/* The calls of an input; none may be made from within start(). */
void wrk_input_opened(struct wrk *wrk);
void wrk_deliver(struct wrk *wrk, const struct wrk_unit *unit);
/* Once; reason in words, for people, without secrets. The worker answers with stop(). */
void wrk_input_failed(struct wrk *wrk, enum wrk_class class, const char *reason);
void wrk_input_closed(struct wrk *wrk);

#endif
