/*
 * The queue of workers that want to start.
 */
#include "config.h"

#include "supervisor/sup_spawn.h"

static void
pump(struct clock_timer *timer, void *arg)
{
	struct sup *sup = arg;
	struct sup_stream *stream;

	(void)timer;
	while ((int64_t)sup->spawning < sup_settings(sup)->max_spawns &&
	       (stream = TAILQ_FIRST(&sup->spawn_queue)) != NULL) {
		sup_spawn_dequeue(stream);
		stream->holds_slot = true;
		sup->spawning++;
		sup_stream_event(stream, SUP_EVENT_SLOT);
	}
}

static void
pump_soon(struct sup *sup)
{
	if (!TAILQ_EMPTY(&sup->spawn_queue) && !clock_timer_is_set(&sup->slot_timer))
		clock_timer_set_ms(&sup->slot_timer, 0);
}

void
sup_spawn_init(struct sup *sup)
{
	TAILQ_INIT(&sup->spawn_queue);
	clock_timer_init(&sup->slot_timer, sup->deps.clock, pump, sup);
}

void
sup_spawn_enqueue(struct sup_stream *stream)
{
	if (stream->queued)
		return;
	stream->queued = true;
	TAILQ_INSERT_TAIL(&stream->sup->spawn_queue, stream, spawn_entry);
	pump_soon(stream->sup);
}

void
sup_spawn_dequeue(struct sup_stream *stream)
{
	if (!stream->queued)
		return;
	stream->queued = false;
	TAILQ_REMOVE(&stream->sup->spawn_queue, stream, spawn_entry);
}

void
sup_spawn_release(struct sup_stream *stream)
{
	if (!stream->holds_slot)
		return;
	stream->holds_slot = false;
	stream->sup->spawning--;
	pump_soon(stream->sup);
}
