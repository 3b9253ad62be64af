/*
 * From JSON to a result.
 */
#include "config.h"

#include "http/result.h"

#include "http/stream.h"
#include "shared/xalloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 5 /* result, objects, object, box or attributes; one to spare */
#define BOX_MIN   (-1.0)
#define BOX_MAX   2.0

/* Text */

/* Nothing that moves the cursor of a terminal or turns the direction of writing. */
static bool
is_plain(unsigned long c)
{
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x200e && c != 0x200f &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

/* The character at *at, which is UTF-8 (jansson sees to it). */
static unsigned long
next_char(const unsigned char **at)
{
	unsigned long c = *(*at)++;
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fu >> more;
	while (more-- > 0 && **at != '\0')
		c = c << 6 | (*(*at)++ & 0x3f);
	return c;
}

static bool
is_text(const char *text, size_t max)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t n = 0;

	if (text == NULL)
		return false;
	while (*at != '\0')
		if (!is_plain(next_char(&at)) || ++n > max)
			return false;
	return true;
}

static bool
is_name(const char *name)
{
	return name[0] != '\0' && is_text(name, RESULT_NAME_MAX);
}

/* Nested deeper than any result is: not worth a parser's stack. */
static bool
is_deep(const char *text, size_t len)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > DEPTH_MAX)
			return true;
	}
	return false;
}

/* Members of an object. Each returns what is wrong, NULL: nothing. */

static const char *
read_box(const json_t *value, struct result_object *object)
{
	double side[4], right, bottom;

	if (json_array_size(value) != 4)
		return "box is not four numbers";
	for (size_t i = 0; i < 4; i++) {
		const json_t *number = json_array_get(value, i);

		side[i] = json_number_value(number);
		if (!json_is_number(number) || !(side[i] >= BOX_MIN && side[i] <= BOX_MAX))
			return "box is far out of the picture";
	}
	if (side[2] < 0 || side[3] < 0)
		return "box is less than nothing";
	object->x = fmin(fmax(side[0], 0), 1);
	object->y = fmin(fmax(side[1], 0), 1);
	right = fmin(fmax(side[0] + side[2], 0), 1);
	bottom = fmin(fmax(side[1] + side[3], 0), 1);
	object->w = right - object->x;
	object->h = bottom - object->y;
	return NULL;
}

static const char *
read_label(const json_t *value, struct result_object *object)
{
	object->label = json_string_value(value);
	return is_text(object->label, RESULT_LABEL_MAX) ? NULL : "label is no short text";
}

static const char *
read_score(const json_t *value, struct result_object *object)
{
	object->score = json_number_value(value);
	return json_is_number(value) && object->score >= 0 && object->score <= 1
		   ? NULL
		   : "score is not 0 to 1";
}

static const char *
read_track(const json_t *value, struct result_object *object)
{
	object->track = json_integer_value(value);
	return json_is_integer(value) && object->track >= 0 && object->track <= RESULT_TRACK_MAX
		   ? NULL
		   : "track is no number";
}

static bool
is_attribute(const json_t *value)
{
	return json_is_boolean(value) || json_is_integer(value) ||
	       (json_is_real(value) && isfinite(json_real_value(value))) ||
	       (json_is_string(value) && is_text(json_string_value(value), RESULT_LABEL_MAX));
}

static const char *
read_attributes(json_t *value, struct result_object *object)
{
	const char *name;
	json_t *one;

	if (!json_is_object(value) || json_object_size(value) > RESULT_ATTRIBUTES_MAX)
		return "attributes are too many, or none";
	json_object_foreach (value, name, one)
		if (!is_name(name) || !is_attribute(one))
			return "an attribute is no short text, number or truth";
	object->attributes = value;
	return NULL;
}

static const char *
read_object_member(const char *name, json_t *value, struct result_object *object)
{
	if (strcmp(name, "box") == 0)
		return read_box(value, object);
	if (strcmp(name, "label") == 0)
		return read_label(value, object);
	if (strcmp(name, "score") == 0)
		return read_score(value, object);
	if (strcmp(name, "track") == 0)
		return read_track(value, object);
	if (strcmp(name, "attributes") == 0)
		return read_attributes(value, object);
	return "an object has a member that is not known";
}

static const char *
read_object(json_t *json, struct result_object *object)
{
	const char *name, *fault = NULL;
	json_t *value;

	*object = (struct result_object){ .score = -1, .track = -1 };
	if (json_object_get(json, "box") == NULL)
		return "an object has no box";
	json_object_foreach (json, name, value) {
		fault = read_object_member(name, value, object);
		if (fault != NULL)
			break;
	}
	return fault;
}

/* Members of a result */

static const char *
read_type(json_t *value, struct result *result)
{
	const char *type = json_string_value(value);

	(void)result;
	return type != NULL && strcmp(type, "result") == 0 ? NULL : "type is not result";
}

static const char *
read_stream(json_t *value, struct result *result)
{
	const char *name = json_string_value(value);

	if (name == NULL || !stream_is_name(name))
		return "stream is no name of one";
	snprintf(result->stream, sizeof(result->stream), "%s", name);
	return NULL;
}

/* Whole numbers from 1. */
static bool
read_number(const json_t *value, int64_t *number)
{
	*number = json_integer_value(value);
	return json_is_integer(value) && *number > 0;
}

static const char *
read_epoch(json_t *value, struct result *result)
{
	int64_t number;

	if (!read_number(value, &number))
		return "epoch is no number from 1";
	result->epoch = (uint64_t)number;
	return NULL;
}

static const char *
read_seq(json_t *value, struct result *result)
{
	int64_t number;

	if (!read_number(value, &number))
		return "seq is no number from 1";
	result->seq = (uint64_t)number;
	return NULL;
}

static const char *
read_arrived(json_t *value, struct result *result)
{
	result->by = RESULT_BY_ARRIVED;
	return read_number(value, &result->time_ns) ? NULL : "arrived is no time";
}

static const char *
read_captured(json_t *value, struct result *result)
{
	result->by = RESULT_BY_CAPTURED;
	return read_number(value, &result->time_ns) ? NULL : "captured is no time";
}

static const char *
read_objects(json_t *value, struct result *result)
{
	const char *fault = NULL;
	json_t *object;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > RESULT_OBJECTS_MAX)
		return "objects are too many, or no list";
	json_array_foreach (value, i, object) {
		fault = read_object(object, &result->objects[i]);
		if (fault != NULL)
			break;
		result->n_objects++;
	}
	return fault;
}

static const char *
read_counts(json_t *value, struct result *result)
{
	const char *name;
	json_t *count;

	if (!json_is_object(value) || json_object_size(value) > RESULT_COUNTS_MAX)
		return "counts are too many, or none";
	json_object_foreach (value, name, count)
		if (!is_name(name) || !json_is_integer(count) || json_integer_value(count) < 0 ||
		    json_integer_value(count) > RESULT_COUNT_MAX)
			return "a count is no number from 0";
	result->counts = value;
	return NULL;
}

static const char *
read_note(json_t *value, struct result *result)
{
	result->note = json_string_value(value);
	return is_text(result->note, RESULT_NOTE_MAX) ? NULL : "note is no short text";
}

static const struct {
	const char *name;
	const char *(*read)(json_t *value, struct result *result);
} members[] = {
	{ "type", read_type },       { "stream", read_stream },   { "epoch", read_epoch },
	{ "seq", read_seq },         { "arrived", read_arrived }, { "captured", read_captured },
	{ "objects", read_objects }, { "counts", read_counts },   { "note", read_note },
};

static const char *
read_member(const char *name, json_t *value, struct result *result)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (strcmp(name, members[i].name) == 0)
			return members[i].read(value, result);
	return "it has a member that is not known";
}

/* Exactly one of: seq with its epoch, a time of arrival, a time of capture. */
static bool
names_one_frame(const json_t *json)
{
	bool seq = json_object_get(json, "seq") != NULL;
	int times = (json_object_get(json, "arrived") != NULL) +
		    (json_object_get(json, "captured") != NULL);

	return seq == (json_object_get(json, "epoch") != NULL) && times + seq == 1;
}

static const char *
read_all(struct result *result)
{
	const char *name, *fault = NULL;
	json_t *value;

	if (!json_is_object(result->json))
		return "it is no JSON object";
	if (json_object_get(result->json, "stream") == NULL)
		return "it names no stream";
	if (!names_one_frame(result->json))
		return "it must name its frame once: epoch and seq, arrived, or captured";
	json_object_foreach (result->json, name, value) {
		fault = read_member(name, value, result);
		if (fault != NULL)
			break;
	}
	return fault;
}

struct result *
result_parse(const char *text, size_t len, const char **fault)
{
	struct result *result;

	if (len > RESULT_BYTES_MAX || is_deep(text, len)) {
		*fault = "it is too long, or too deep";
		return NULL;
	}
	result = xcalloc(1, sizeof(*result));
	result->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	*fault = read_all(result);
	if (*fault != NULL)
		result_free(&result);
	return result;
}

void
result_free(struct result **result)
{
	struct result *old = *result;

	*result = NULL;
	if (old == NULL)
		return;
	json_decref(old->json);
	free(old);
}
