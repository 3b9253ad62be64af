/*
 * The cache of the current GOP: an array of references.
 */
#include "config.h"

#include "publish/wrk_gop.h"

#include "shared/bus.h"
#include "shared/xalloc.h"

/* Small units must not escape the bound by their number: what a message costs beside its bytes. */
#define COST_PER_MESSAGE (FRAME_HEADER_BYTES + 128)

enum content { CONTENT_NONE, CONTENT_WHOLE, CONTENT_TOO_LONG };

struct wrk_gop {
	struct bus_msg **msgs;
	size_t n, capacity;
	size_t bytes, max_bytes;
	enum content content;
};

struct wrk_gop *
wrk_gop_new(size_t max_bytes)
{
	struct wrk_gop *gop = xcalloc(1, sizeof(*gop));

	gop->max_bytes = max_bytes;
	return gop;
}

static void
drop_all(struct wrk_gop *gop)
{
	for (size_t i = 0; i < gop->n; i++)
		bus_msg_unref(&gop->msgs[i]);
	gop->n = 0;
	gop->bytes = 0;
}

void
wrk_gop_free(struct wrk_gop **gop)
{
	if (*gop == NULL)
		return;
	drop_all(*gop);
	free((*gop)->msgs);
	free(*gop);
	*gop = NULL;
}

void
wrk_gop_begin(struct wrk_gop *gop)
{
	drop_all(gop);
	gop->content = gop->max_bytes > 0 ? CONTENT_WHOLE : CONTENT_NONE;
}

bool
wrk_gop_would_keep(const struct wrk_gop *gop, size_t len)
{
	return gop->content == CONTENT_WHOLE &&
	       len + COST_PER_MESSAGE <= gop->max_bytes - gop->bytes;
}

void
wrk_gop_spoil(struct wrk_gop *gop)
{
	drop_all(gop);
	if (gop->content == CONTENT_WHOLE)
		gop->content = CONTENT_TOO_LONG;
}

void
wrk_gop_add(struct wrk_gop *gop, struct bus_msg *msg)
{
	if (!wrk_gop_would_keep(gop, msg->frame.payload_len)) {
		wrk_gop_spoil(gop);
		return;
	}
	if (gop->n == gop->capacity) {
		gop->capacity = gop->capacity > 0 ? 2 * gop->capacity : 64;
		gop->msgs = xreallocarray(gop->msgs, gop->capacity, sizeof(struct bus_msg *));
	}
	gop->msgs[gop->n++] = bus_msg_ref(msg);
	gop->bytes += msg->frame.payload_len + COST_PER_MESSAGE;
}

bool
wrk_gop_is_whole(const struct wrk_gop *gop)
{
	return gop->content == CONTENT_WHOLE && gop->n > 0;
}

bool
wrk_gop_is_too_long(const struct wrk_gop *gop)
{
	return gop->content == CONTENT_TOO_LONG;
}

size_t
wrk_gop_bytes(const struct wrk_gop *gop)
{
	return gop->bytes;
}

size_t
wrk_gop_count(const struct wrk_gop *gop)
{
	return gop->n;
}

struct bus_msg *
wrk_gop_at(const struct wrk_gop *gop, size_t index)
{
	return gop->msgs[index];
}
