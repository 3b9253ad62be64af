/*
 * The life of a wall's connection, and whose turn it is.
 */
#include "config.h"

#include "http/wall.h"

#include "http/link_ws.h"
#include "http/wall_request.h"
#include "http/wall_sub.h"
#include "shared/xalloc.h"

#include <string.h>

#define TEXTS_MAX                                                                                  \
	2048 /* text messages that are read in 10 s: walls of 64 that are opened and closed */
/* Queued at once: what is queued cannot be skipped any more, and others wait behind it. */
#define FILL_BYTES    (128u << 10)
#define FILL_ITEMS    64u
#define RESULTS_BYTES (32u << 10) /* the same of results: pictures come soon */

void
wall_answer(struct wall *wall, json_t *msg)
{
	wall->link.control_bytes += link_ws_say(&wall->link, msg);
}

void
wall_answer_error(struct wall *wall, unsigned id, const char *code, const char *text)
{
	json_t *msg = json_pack("{s:s, s:s, s:s}", "type", "error", "code", code, "text", text);

	if (id != 0 && msg != NULL && json_object_set_new(msg, "id", json_integer(id)) < 0)
		xalloc_die();
	wall_answer(wall, msg);
}

/* As late as can be: the answer tells when it was written. */
static void
answer_clocks(struct wall *wall)
{
	for (unsigned i = 0; i < wall->n_clocks; i++) {
		int64_t now_us = clock_realtime_ns(wall->front->clock) / 1000;

		link_ws_say(&wall->link, json_pack("{s:s, s:o, s:I, s:I}", "type", "clock", "t0",
						   wall->clocks[i].t0, "t1_us",
						   (json_int_t)wall->clocks[i].read_us, "t2_us",
						   (json_int_t)now_us));
	}
	wall->n_clocks = 0;
}

/* The link */

/* When all pictures that are there are gone, one of each subscription. */
static void
queue_results(struct wall *wall)
{
	struct sub *sub;

	for (sub = TAILQ_FIRST(&wall->subs); sub != NULL && wall->link.out.bytes < RESULTS_BYTES;
	     sub = TAILQ_NEXT(sub, in_wall))
		sub_queue_result(sub);
}

static void
on_fill(void *arg)
{
	struct wall *wall = arg;
	const struct outq *out = &wall->link.out;
	struct sub *sub;

	answer_clocks(wall);
	while (out->bytes < FILL_BYTES && out->count < FILL_ITEMS &&
	       (sub = TAILQ_FIRST(&wall->ready)) != NULL)
		sub_serve(sub);
	if (outq_is_empty(out))
		queue_results(wall);
}

static void
on_text(void *arg, const char *text, size_t len)
{
	wall_on_text(arg, text, len);
}

static void
on_pass_over(void *arg)
{
	struct wall *wall = arg;

	link_close(&wall->link);
}

static void
on_end(void *arg)
{
	struct wall *wall = arg;

	wall_free(&wall);
}

/* Life */

static void
reap(struct wall *wall)
{
	struct sub *sub;

	while ((sub = TAILQ_FIRST(&wall->ended)) != NULL)
		sub_free(&sub);
}

static void
on_reap(struct clock_timer *timer, void *arg)
{
	(void)timer;
	reap(arg);
}

struct wall *
wall_new(struct front *front, const struct wall_call *call)
{
	static const struct link_ops ops = { .fill = on_fill,
					     .on_text = on_text,
					     .on_end = on_end };
	static const struct link_ws_limits limits = { .message_bytes = WALL_TEXT_MAX,
						      .texts = TEXTS_MAX };
	struct wall *wall = xcalloc(1, sizeof(*wall));

	wall->front = front;
	TAILQ_INIT(&wall->subs);
	TAILQ_INIT(&wall->ready);
	TAILQ_INIT(&wall->ended);
	clock_timer_init(&wall->reap, front->clock, on_reap, wall);
	LIST_INSERT_HEAD(&front->walls, wall, in_front);
	pass_begin(&wall->pass, front, &call->who, call->address, on_pass_over, wall);
	front->n_walls++;
	local_address_of(call->end.fd, wall->local);
	link_begin(&wall->link, front, &call->end, &ops, wall);
	link_ws_begin(&wall->link, call->ws_accept, &limits);
	wall_tell_webrtc(wall);
	if (call->early_len > 0)
		link_on_input(&wall->link, call->early, call->early_len);
	link_pump(&wall->link);
	return wall;
}

void
wall_free(struct wall **wall)
{
	struct wall *old = *wall;

	if (old == NULL)
		return;
	*wall = NULL;
	while (!TAILQ_EMPTY(&old->subs))
		sub_end(TAILQ_FIRST(&old->subs));
	reap(old);
	clock_timer_cancel(&old->reap);
	pass_end(&old->pass);
	for (unsigned i = 0; i < old->n_clocks; i++)
		json_decref(old->clocks[i].t0);
	link_clear(&old->link);
	LIST_REMOVE(old, in_front);
	old->front->n_walls--;
	free(old);
}
