/*
 * Advice is put together anew for whoever asks; only what fronts were told is remembered.
 */
#include "config.h"

#include "supervisor/sup_advice.h"

#include "shared/clock.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_stream.h"

#include <string.h>

/* A worker may be in the hands of its camera: its words are few, short and printable, so that what
 * passes them on stays within the size of a message. */
static bool
is_fit(const json_t *text)
{
	const char *at = json_string_value(text);

	if (at == NULL || json_string_length(text) > SUP_ADVICE_BYTES)
		return false;
	for (; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return true;
}

json_t *
sup_advice_for(const json_t *status, bool has_sub)
{
	json_t *list = json_array(), *text;
	size_t i;

	if (status == NULL)
		return list;
	if (strcmp(msg_str(status, "codec"), "h265") == 0 && !has_sub)
		json_array_append_new(list,
				      json_string("many browsers cannot show H.265, and H.264 "
						  "has to be made for them: set the "
						  "camera to H.264, or give its H.264 "
						  "stream as sub:"));
	json_array_foreach (json_object_get(status, "advice"), i, text)
		if (is_fit(text) && json_array_size(list) < SUP_ADVICE_MAX)
			json_array_append(list, text);
	return list;
}

json_t *
sup_advice_of(const struct sup_stream *stream)
{
	const struct conf_stream *conf = stream->conf;

	return sup_advice_for(stream->status,
			      conf != NULL && !conf->is_sub && conf->camera->sub != NULL);
}

void
sup_advice_update(struct sup_stream *stream)
{
	int64_t now = sup_now_ns(stream->sup);
	json_t *list;

	if (stream->conf == NULL || (stream->advice_told_ns != 0 &&
				     now - stream->advice_told_ns < SUP_ADVICE_PAUSE_S * NS_PER_S))
		return;
	list = sup_advice_of(stream);
	if (json_equal(list, stream->advice) ||
	    (stream->advice == NULL && json_array_size(list) == 0)) {
		json_decref(list);
		return;
	}
	json_decref(stream->advice);
	stream->advice = list;
	stream->advice_told_ns = now;
	sup_front_announce(stream->sup, stream);
}

void
sup_advice_clear(struct sup_stream *stream)
{
	json_decref(stream->advice);
	stream->advice = NULL;
}
