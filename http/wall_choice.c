/*
 * See the header.
 */
#include "config.h"

#include "http/wall_choice.h"

#include "http/codecs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CANDIDATES 4
#define NAME_BYTES (STREAM_NAME_MAX + 16) /* with what is appended */
#define ANY_CODEC  (~0u)

/* What pictures are: JPEG, or of a codec (CODECS_*; ANY_CODEC: not known). */
static bool
fits(const struct wall_want *want, bool is_jpeg, unsigned codec, enum wall_form *form)
{
	for (unsigned i = 0; i < want->n_forms; i++) {
		bool wants_jpeg = want->forms[i] == WALL_JPEG;

		if (codec != ANY_CODEC &&
		    (wants_jpeg != is_jpeg || (!is_jpeg && (want->codecs & codec) == 0)))
			continue;
		*form = want->forms[i];
		return true;
	}
	return false;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

static unsigned
codec_of(const struct stream *stream)
{
	if (strcmp(stream->codec, "h264") == 0 || ends_with(stream->name, ".h264"))
		return CODECS_H264;
	return strcmp(stream->codec, "h265") == 0 ? CODECS_H265 : ANY_CODEC;
}

static bool
stream_fits(const struct wall_want *want, const struct stream *stream, enum wall_form *form)
{
	bool is_jpeg = stream->kind == STREAM_KIND_JPEG;

	return fits(want, is_jpeg, is_jpeg ? 0 : codec_of(stream), form);
}

bool
wall_form_for(const struct wall_want *want, const struct hub_entry *entry, enum wall_form *form)
{
	return fits(want, entry->config == NULL,
		    entry->config != NULL ? codecs_of_nal(entry->config->nal) : 0, form);
}

/* The names to try, the best first; "" where there is none. */
static void
list_names(const struct wall_want *want, char names[CANDIDATES][NAME_BYTES])
{
	bool small = want->quality == WALL_SUB ||
		     (want->quality == WALL_AUTO && want->pixels < WALL_AUTO_PIXELS);

	snprintf(names[small ? 1 : 0], sizeof(names[0]), "%s", want->src);
	if (strchr(want->src, '.') != NULL) {
		/* One stream, by its own name. */
		names[small ? 0 : 1][0] = names[2][0] = names[3][0] = '\0';
		return;
	}
	snprintf(names[small ? 0 : 1], sizeof(names[0]), "%s.sub", want->src);
	/* A small picture is made of the small stream, so that the large one need not be decoded
	 * for it. */
	snprintf(names[2], sizeof(names[0]), small ? "%s.sub.h264" : "%s.h264", want->src);
	snprintf(names[3], sizeof(names[0]), "%s.h264", want->src);
}

int
wall_choose(const struct front *front, const struct wall_want *want, struct wall_choice *choice)
{
	char names[CANDIDATES][NAME_BYTES];
	struct wall_choice found = { .stream = NULL };
	int rc = -ENOENT;

	list_names(want, names);
	for (unsigned i = 0; i < CANDIDATES; i++) {
		found.stream = stream_find(front, names[i]);
		if (found.stream == NULL)
			continue;
		rc = -ENOTSUP;
		if (!stream_fits(want, found.stream, &found.form))
			continue;
		*choice = found;
		return 0;
	}
	return rc;
}
