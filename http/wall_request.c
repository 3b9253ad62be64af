/*
 * From JSON to a request.
 */
#include "config.h"

#include "http/wall_request.h"

#include "http/codecs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define OFFER_MAX 1000000000

static const char *const form_names[] = { "unit", "fmp4", "jpeg" };
static const char *const quality_names[] = { "main", "sub", "auto" };

const char *
wall_form_name(enum wall_form form)
{
	return form_names[form];
}

/* -1: not in the table. */
static int
find_name(const json_t *json, const char *const names[], int n)
{
	const char *name = json_string_value(json);

	for (int i = 0; name != NULL && i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* Members. Each sets the fault when it is wrong. */

static void
read_id(struct wall_request *request)
{
	const json_t *id = json_object_get(request->json, "id");
	json_int_t value = json_integer_value(id);

	if (value >= 1 && value <= WALL_ID_MAX)
		request->id = (unsigned)value;
	else
		request->fault = "id is not 1 to 65535";
}

static void
read_src(struct wall_request *request)
{
	const char *src = json_string_value(json_object_get(request->json, "src"));

	if (src == NULL || !stream_is_name(src))
		request->fault = "src is no name of a camera";
	else
		snprintf(request->want.src, sizeof(request->want.src), "%s", src);
}

static void
read_quality(struct wall_request *request)
{
	const json_t *quality = json_object_get(request->json, "quality");
	const json_t *pixels = json_object_get(request->json, "pixels");
	int index = quality != NULL ? find_name(quality, quality_names, 3) : WALL_MAIN;
	double width = json_number_value(pixels);

	if (index < 0)
		request->fault = "quality is not main, sub or auto";
	else
		request->want.quality = (enum wall_quality)index;
	request->want.pixels = UINT_MAX;
	if (pixels != NULL && (!json_is_number(pixels) || width < 0))
		request->fault = "pixels is no width";
	else if (pixels != NULL && width < UINT_MAX)
		request->want.pixels = (unsigned)width;
}

static bool
has_form(const struct wall_want *want, enum wall_form form)
{
	for (unsigned i = 0; i < want->n_forms; i++)
		if (want->forms[i] == form)
			return true;
	return false;
}

/* Forms of later times are passed over. */
static void
read_forms(struct wall_request *request)
{
	const json_t *forms = json_object_get(request->json, "forms"), *item;
	size_t i;

	json_array_foreach (forms, i, item) {
		int form = find_name(item, form_names, WALL_FORM_COUNT);

		if (form >= 0 && !has_form(&request->want, (enum wall_form)form))
			request->want.forms[request->want.n_forms++] = (enum wall_form)form;
	}
	if (request->want.n_forms == 0)
		request->fault = "forms has none of unit, fmp4 and jpeg";
}

static void
read_codecs(struct wall_request *request)
{
	const json_t *codecs = json_object_get(request->json, "codecs");

	if (json_is_string(codecs))
		request->want.codecs = codecs_of_list(json_string_value(codecs));
	else if (codecs != NULL)
		request->fault = "codecs is no text";
}

/* Verbs */

static void
read_subscribe(struct wall_request *request)
{
	read_id(request);
	if (request->fault != NULL)
		return;
	read_src(request);
	read_quality(request);
	read_forms(request);
	read_codecs(request);
	request->want.audio = json_is_true(json_object_get(request->json, "audio"));
	request->want.overlay = json_is_true(json_object_get(request->json, "overlay"));
}

static void
read_pause(struct wall_request *request)
{
	const json_t *on = json_object_get(request->json, "on");

	if (!json_is_boolean(on))
		request->fault = "on is not true or false";
	else if (json_object_get(request->json, "id") != NULL)
		read_id(request);
	request->on = json_is_true(on);
	request->listens = json_is_true(json_object_get(request->json, "results"));
	if (request->fault != NULL)
		request->id = 0;
}

static void
read_clock(struct wall_request *request)
{
	request->t0 = json_object_get(request->json, "t0");
	if (!json_is_number(request->t0))
		request->fault = "t0 is no number";
}

static void
read_report(struct wall_request *request)
{
	request->reports = json_object_get(request->json, "reports");
	if (!json_is_array(request->reports))
		request->fault = "reports is no list";
}

/* An offer in vain leaves the subscription as it is. */
static void
read_offer(struct wall_request *request)
{
	const json_t *number = json_object_get(request->json, "offer");
	json_int_t value = json_integer_value(number);

	read_id(request);
	request->offer.sdp = json_object_get(request->json, "sdp");
	request->offer.smooth = json_is_true(json_object_get(request->json, "smooth"));
	request->offer.number = value >= 0 && value <= OFFER_MAX ? (unsigned)value : 0;
	if (number != NULL && (!json_is_integer(number) || value < 0 || value > OFFER_MAX))
		request->fault = "offer is no number";
	else if (!json_is_string(request->offer.sdp))
		request->fault = "sdp is no text";
	if (request->fault != NULL)
		request->id = 0;
}

int
wall_request_parse(const char *text, size_t len, struct wall_request *request)
{
	static const struct {
		const char *type;
		void (*read)(struct wall_request *request);
	} verbs[] = {
		[WALL_SUBSCRIBE] = { "subscribe", read_subscribe },
		[WALL_UNSUBSCRIBE] = { "unsubscribe", read_id },
		[WALL_PAUSE] = { "pause", read_pause },
		[WALL_CLOCK] = { "clock", read_clock },
		[WALL_REPORT] = { "report", read_report },
		[WALL_OFFER] = { "webrtc/offer", read_offer },
	};
	const char *type;

	*request = (struct wall_request){ .fault = "not a message of this protocol" };
	request->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	type = json_string_value(json_object_get(request->json, "type"));
	if (type == NULL)
		return -EPROTO;
	request->fault = "type is not known";
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(type, verbs[i].type) != 0)
			continue;
		request->verb = (enum wall_verb)i;
		request->fault = NULL;
		verbs[i].read(request);
	}
	return request->fault != NULL ? -EPROTO : 0;
}

void
wall_request_clear(struct wall_request *request)
{
	json_decref(request->json);
	*request = (struct wall_request){ .verb = WALL_SUBSCRIBE };
}
