/*
 * Looks several times a second whether anybody is still there: what ends says so in many places,
 * and this is no hurry.
 */
#include "config.h"

#include "http/drain.h"

#include "http/front.h"
#include "http/listen.h"
#include "shared/child_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <event2/event.h>
#include <stdlib.h>

#define LOOK_MS 200

struct drain {
	struct front *front;
	int64_t deadline_ns;
	struct clock_timer look;
};

static void
leave(struct front *front)
{
	front->stopped = true;
	front->exit_code = CHILD_EXIT_ASKED;
	event_base_loopbreak(front->base);
}

static bool
is_anybody_here(const struct front *front)
{
	return front->n_viewers > 0 || !LIST_EMPTY(&front->walls) ||
	       listeners_connections(front->listeners) > 0;
}

static void
on_look(struct clock_timer *timer, void *arg)
{
	struct drain *drain = arg;
	struct front *front = drain->front;

	if (!is_anybody_here(front)) {
		log_info("%s: the last connection has ended, leaving", front->role->name);
		leave(front);
	} else if (clock_now_ns(front->clock) >= drain->deadline_ns) {
		log_notice("%s: leaving with %u viewers, which come back to the new process",
			   front->role->name, front->n_viewers);
		leave(front);
	} else {
		clock_timer_set_ms(timer, LOOK_MS);
	}
}

struct drain *
drain_new(struct front *front, int64_t deadline_ms)
{
	struct drain *drain = xcalloc(1, sizeof(*drain));

	drain->front = front;
	drain->deadline_ns = clock_now_ns(front->clock) + deadline_ms * NS_PER_MS;
	clock_timer_init(&drain->look, front->clock, on_look, drain);
	clock_timer_set_ms(&drain->look, 0);
	listeners_close(front->listeners);
	return drain;
}

void
drain_free(struct drain **drain)
{
	if (*drain == NULL)
		return;
	clock_timer_cancel(&(*drain)->look);
	free(*drain);
	*drain = NULL;
}
