/*
 * A few slots.
 */
#include "config.h"

#include "http/overlay.h"

#include "http/link.h"
#include "http/result.h"
#include "http/results.h"

#include <stdlib.h>
#include <string.h>

void
overlay_set(struct overlay *overlay, bool on)
{
	for (unsigned i = 0; i < overlay->n; i++)
		wire_unref(&overlay->waiting[i].wire);
	*overlay = (struct overlay){ .on = on };
}

struct wire *
overlay_take(struct overlay *overlay)
{
	struct wire *wire = overlay->waiting[0].wire;

	if (overlay->n == 0)
		return NULL;
	overlay->n--;
	memmove(overlay->waiting, overlay->waiting + 1, overlay->n * sizeof(overlay->waiting[0]));
	return wire;
}

static void
lose(struct overlay *overlay, struct front *front, unsigned i)
{
	results_count_slow(front->results, overlay->waiting[i].analyser);
	wire_unref(&overlay->waiting[i].wire);
	overlay->n--;
	memmove(overlay->waiting + i, overlay->waiting + i + 1,
		(overlay->n - i) * sizeof(overlay->waiting[0]));
}

static struct wire *
wire_of(struct overlay_item *item)
{
	char *text;

	if (item->wire == NULL) {
		text = result_write(item->result, item->name, item->seq, item->arrived_us);
		item->wire = wire_from_bytes(text, strlen(text));
		free(text);
	}
	return wire_ref(item->wire);
}

bool
overlay_put(struct overlay *overlay, struct front *front, const struct link *link,
	    struct overlay_item *item)
{
	unsigned i = 0;

	if (!overlay->on || link_is_ending(link))
		return false;
	/* All of its line is for pictures. */
	if (link_was_full(link)) {
		results_count_slow(front->results, item->analyser);
		return false;
	}
	while (i < overlay->n && overlay->waiting[i].analyser != item->analyser)
		i++;
	if (i < overlay->n || overlay->n == OVERLAY_SLOTS)
		lose(overlay, front, i < overlay->n ? i : 0);
	overlay->waiting[overlay->n].analyser = item->analyser;
	overlay->waiting[overlay->n++].wire = wire_of(item);
	return true;
}
