/*
 * What a reload must do: the streams that came, went or changed, and the keys that differ.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include <string.h>

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* All but url and sub, which belong to one stream each. */
static bool
same_access(const struct conf_camera *a, const struct conf_camera *b)
{
	return same_text(a->user, b->user) && same_text(a->password, b->password) &&
	       a->transport == b->transport && a->ingest == b->ingest &&
	       same_text(a->tls, b->tls) && a->vui == b->vui && a->reorder_ms == b->reorder_ms &&
	       a->open_timeout_ms == b->open_timeout_ms &&
	       a->stall_timeout_ms == b->stall_timeout_ms;
}

bool
conf_camera_equal(const struct conf_camera *a, const struct conf_camera *b)
{
	return same_text(a->name, b->name) && same_text(a->url, b->url) &&
	       same_text(a->sub, b->sub) && same_access(a, b);
}

static enum conf_change
compare(const struct conf_stream *a, const struct conf_stream *b)
{
	if (!same_text(a->url, b->url) || !same_access(a->camera, b->camera))
		return CONF_STREAM_CHANGED;
	if (!same_text(a->camera->title, b->camera->title) ||
	    !same_text(a->camera->group, b->camera->group) || a->order != b->order ||
	    a->camera->on_demand != b->camera->on_demand ||
	    a->camera->transcode != b->camera->transcode ||
	    a->camera->loss_hold_ms != b->camera->loss_hold_ms)
		return CONF_STREAM_SHOWN;
	return CONF_STREAM_SAME;
}

void
conf_diff(const struct conf *before, const struct conf *after, conf_diff_fn *fn, void *arg)
{
	for (size_t i = 0; before != NULL && i < before->n_streams; i++)
		if (conf_find_stream(after, before->streams[i].name) == NULL)
			fn(CONF_STREAM_REMOVED, &before->streams[i], NULL, arg);
	for (size_t i = 0; i < after->n_streams; i++) {
		const struct conf_stream *now = &after->streams[i], *was = NULL;

		if (before != NULL)
			was = conf_find_stream(before, now->name);
		fn(was == NULL ? CONF_STREAM_ADDED : compare(was, now), was, now, arg);
	}
}

void
conf_diff_keys(const struct conf *before, const struct conf *after, conf_diff_key_fn *fn, void *arg)
{
	const struct conf_key *key;
	char name[64];

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		if (conf_is_item_section(key->section) || conf_key_equal(key, before, after))
			continue;
		snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
		fn(name, key->reload, arg);
	}
	if (!conf_users_equal(before, after))
		fn("access.users", CONF_RELOAD, arg);
}
