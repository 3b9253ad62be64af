/*
 * What a wall's client says, carried out.
 */
#include "config.h"

#include "http/wall.h"

#include "http/wall_request.h"
#include "http/wall_sub.h"
#include "shared/xalloc.h"

#include <string.h>

static struct sub *
find_sub(const struct wall *wall, unsigned id)
{
	struct sub *sub;

	for (sub = TAILQ_FIRST(&wall->subs); sub != NULL; sub = TAILQ_NEXT(sub, in_wall))
		if (sub->id == id)
			return sub;
	return NULL;
}

static void
end_sub(struct wall *wall, unsigned id)
{
	struct sub *sub = find_sub(wall, id);

	if (sub != NULL)
		sub_end(sub);
}

/* door and door.sub are. */
static bool
is_same_camera(const char *a, const char *b)
{
	size_t len = strcspn(a, ".");

	return len == strcspn(b, ".") && strncmp(a, b, len) == 0;
}

static void
subscribe(struct wall *wall, const struct wall_request *request)
{
	struct front *front = wall->front;
	struct sub *sub = find_sub(wall, request->id);

	if (sub != NULL && is_same_camera(sub->want.src, request->want.src)) {
		sub_change(sub, &request->want);
	} else if (sub != NULL) {
		sub_fail(sub, "request", "this id was in use for another camera");
	} else if (wall->n_subs >= WALL_SUBS_MAX) {
		wall_answer_error(wall, request->id, "busy", "128 subscriptions at most");
	} else if (front->n_viewers >= front->config.max_viewers) {
		front->viewers_refused++;
		wall_answer_error(wall, request->id, "busy", "too many viewers");
	} else if (!pass_may_see(&wall->pass, request->want.src)) {
		/* Whether it is there or not. */
		wall_answer_error(wall, request->id, "denied", "not this camera");
	} else {
		sub_new(wall, request->id, &request->want);
	}
}

static void
unsubscribe(struct wall *wall, const struct wall_request *request)
{
	end_sub(wall, request->id);
	wall_answer(wall,
		    json_pack("{s:s, s:I}", "type", "unsubscribed", "id", (json_int_t)request->id));
}

/* An id that is gone is passed over: its end was told, and the client could not know yet. */
static void
pause_subs(struct wall *wall, const struct wall_request *request)
{
	struct sub *sub;

	for (sub = TAILQ_FIRST(&wall->subs); sub != NULL; sub = TAILQ_NEXT(sub, in_wall))
		if (request->id == 0 || sub->id == request->id)
			sub_pause(sub, request->on, request->listens);
}

static void
ask_clock(struct wall *wall, const struct wall_request *request)
{
	struct wall_clock asked = { json_deep_copy(request->t0),
				    clock_realtime_ns(wall->front->clock) / 1000 };

	if (asked.t0 == NULL)
		xalloc_die();
	if (wall->n_clocks == WALL_CLOCKS_MAX) {
		json_decref(wall->clocks[0].t0);
		memmove(wall->clocks, wall->clocks + 1, sizeof(wall->clocks[0]) * --wall->n_clocks);
	}
	wall->clocks[wall->n_clocks++] = asked;
}

static void
take_reports(struct wall *wall, const struct wall_request *request)
{
	const json_t *item;
	size_t i;

	json_array_foreach (request->reports, i, item) {
		json_int_t id = json_integer_value(json_object_get(item, "id"));
		struct sub *sub =
		    id >= 1 && id <= WALL_ID_MAX ? find_sub(wall, (unsigned)id) : NULL;

		if (sub != NULL)
			sub_report(sub, item);
	}
}

/* What came of it is told; a subscription that is gone had its end told. */
static void
offer(struct wall *wall, const struct wall_request *request)
{
	struct sub *sub = find_sub(wall, request->id);

	if (sub != NULL)
		sub_offer(sub, &request->offer);
}

void
wall_on_text(struct wall *wall, const char *text, size_t len)
{
	static void (*const verbs[])(struct wall *, const struct wall_request *) = {
		[WALL_SUBSCRIBE] = subscribe, [WALL_UNSUBSCRIBE] = unsubscribe,
		[WALL_PAUSE] = pause_subs,    [WALL_CLOCK] = ask_clock,
		[WALL_REPORT] = take_reports, [WALL_OFFER] = offer,
	};
	struct wall_request request;

	if (wall_request_parse(text, len, &request) == 0) {
		verbs[request.verb](wall, &request);
	} else {
		/* What the client tried to change is over: an id in an error always means that. */
		end_sub(wall, request.id);
		wall_answer_error(wall, request.id, "request", request.fault);
	}
	wall_request_clear(&request);
}
