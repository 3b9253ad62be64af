/*
 * What a client of /ws asks, read from its text messages (docs/protocol.md, "/ws"). Pure; every
 * length and number is checked here.
 */
#ifndef CAMHUB_HTTP_WALL_REQUEST_H
#define CAMHUB_HTTP_WALL_REQUEST_H

#include "http/stream.h"

#define WALL_TEXT_MAX 16384 /* bytes of a message */
#define WALL_ID_MAX   65535u

enum wall_verb {
	WALL_SUBSCRIBE,
	WALL_UNSUBSCRIBE,
	WALL_PAUSE,
	WALL_CLOCK,
	WALL_REPORT,
	WALL_OFFER
};

enum wall_form {
	WALL_UNIT, /* access units as in MP4 samples */
	WALL_FMP4, /* fragments */
	WALL_JPEG,
	WALL_FORM_COUNT
};

enum wall_quality { WALL_MAIN, WALL_SUB, WALL_AUTO };

/* Of which pictures, in which form. */
struct wall_want {
	char src[STREAM_NAME_MAX + 1];
	enum wall_quality quality;
	unsigned pixels;                       /* of width; UINT_MAX: not told */
	enum wall_form forms[WALL_FORM_COUNT]; /* the best first, each once */
	unsigned n_forms;
	unsigned codecs; /* CODECS_* */
	bool audio;
	bool overlay; /* what programs find in them, too */
};

/* Of WebRTC. */
struct wall_offer {
	unsigned number;   /* the client's */
	const json_t *sdp; /* a string, of anything */
	bool smooth;
};

struct wall_request {
	enum wall_verb verb;
	unsigned id; /* 0: none; WALL_PAUSE: all */
	struct wall_want want;
	bool on, listens;      /* WALL_PAUSE: with or without results */
	const json_t *t0;      /* a number */
	const json_t *reports; /* an array, of anything */
	struct wall_offer offer;
	json_t *json;      /* what the three above belong to */
	const char *fault; /* what is wrong with it */
};

/*
 * Returns 0, or -EPROTO: then only fault is set, and id when it is a subscription that was asked
 * for in vain. Give it back with wall_request_clear() either way.
 */
int wall_request_parse(const char *text, size_t len, struct wall_request *request);
void wall_request_clear(struct wall_request *request);

const char *wall_form_name(enum wall_form form); /* "unit", "fmp4", "jpeg" */

#endif
