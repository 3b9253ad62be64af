/*
 * From a result to the JSON that viewers get.
 */
#include "config.h"

#include "http/result.h"

#include "shared/xalloc.h"

#include <math.h>
#include <string.h>

static void
put(json_t *to, const char *name, json_t *value)
{
	if (value == NULL || json_object_set_new(to, name, value) < 0)
		xalloc_die();
}

/* A tenth of a pixel of the largest pictures. */
static json_t *
rounded(double value)
{
	return json_real(round(value * 1e5) / 1e5);
}

static json_t *
describe(const struct result_object *object)
{
	json_t *json = json_object(), *box = json_array();
	const double sides[] = { object->x, object->y, object->w, object->h };

	for (size_t i = 0; i < 4; i++)
		if (json_array_append_new(box, rounded(sides[i])) < 0)
			xalloc_die();
	put(json, "box", box);
	if (object->label != NULL)
		put(json, "label", json_string(object->label));
	if (object->score >= 0)
		put(json, "score", rounded(object->score));
	if (object->track >= 0)
		put(json, "track", json_integer(object->track));
	if (object->attributes != NULL)
		put(json, "attributes", json_incref(object->attributes));
	return json;
}

static json_t *
describe_objects(const struct result *result)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < result->n_objects; i++) {
		const struct result_object *object = &result->objects[i];

		/* What lies beside the picture is nowhere to be drawn. */
		if (object->w > 0 && object->h > 0 &&
		    json_array_append_new(list, describe(object)) < 0)
			xalloc_die();
	}
	return list;
}

char *
result_write(const struct result *result, const char *analyser, uint64_t seq, int64_t arrived_us)
{
	json_t *json = json_object();
	char *text;

	put(json, "analyser", json_string(analyser));
	put(json, "stream", json_string(result->stream));
	if (seq > 0)
		put(json, "seq", json_integer((json_int_t)seq));
	put(json, "arrived_us", json_integer(arrived_us));
	put(json, "objects", describe_objects(result));
	if (result->counts != NULL)
		put(json, "counts", json_incref(result->counts));
	if (result->note != NULL)
		put(json, "note", json_string(result->note));
	text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(json);
	if (text == NULL)
		xalloc_die();
	memmove(text, text + 1, strlen(text));
	return text;
}
