/*
 * One result of an analyser (docs/protocol.md, "Results"): read from its JSON, every field checked,
 * and written anew for viewers. Pure; the text may be anything.
 */
#ifndef CAMHUB_HTTP_RESULT_H
#define CAMHUB_HTTP_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULT_BYTES_MAX      65536u
#define RESULT_OBJECTS_MAX    256u
#define RESULT_LABEL_MAX      64u /* characters; of an attribute's text, too */
#define RESULT_ATTRIBUTES_MAX 16u
#define RESULT_NAME_MAX       32u /* characters of the name of an attribute, or of what is counted */
#define RESULT_COUNTS_MAX     32u
#define RESULT_COUNT_MAX      1000000000
#define RESULT_NOTE_MAX       256u               /* characters */
#define RESULT_TRACK_MAX      9007199254740991LL /* what a double holds exactly */
#define RESULT_STREAM_MAX     41u

struct result_object {
	double x, y, w, h;  /* within the picture: 0..1 */
	const char *label;  /* NULL: none */
	double score;       /* -1: none */
	json_int_t track;   /* -1: none */
	json_t *attributes; /* of checked names and values; NULL: none */
};

/* Which frame. */
enum result_frame { RESULT_BY_SEQ, RESULT_BY_ARRIVED, RESULT_BY_CAPTURED };

struct result {
	json_t *json; /* what the texts belong to */
	char stream[RESULT_STREAM_MAX + 1];
	enum result_frame by;
	uint64_t epoch, seq;
	int64_t time_ns; /* when it arrived, or was taken */
	unsigned n_objects;
	struct result_object objects[RESULT_OBJECTS_MAX];
	json_t *counts;   /* checked; NULL: none */
	const char *note; /* NULL: none */
};

/* NULL: it is none, and *fault (static) says why. */
struct result *result_parse(const char *text, size_t len, const char **fault);
void result_free(struct result **result); /* NULL-safe */

/*
 * What viewers are told, for behind {"type":"result", ... : members without the first brace, with
 * the last. seq: of the frame, 0: left out. malloc'd.
 */
char *result_write(const struct result *result, const char *analyser, uint64_t seq,
		   int64_t arrived_us);

#endif
