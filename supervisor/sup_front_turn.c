/*
 * Replacing fronts: the new one is started first, and when it serves, the old one drains. How many
 * drain at once, and for how long, is bounded: each keeps a copy of what is watched through it.
 */
#include "config.h"

#include "supervisor/sup_front.h"

#include "shared/log.h"

#include <stdio.h>
#include <string.h>

/* It was told to drain and is still there after all the time it had. */
static void
on_overdue(struct clock_timer *timer, void *arg)
{
	struct sup_front *front = arg;

	(void)timer;
	if (front->child != NULL)
		sup_child_stop(front->child);
}

void
sup_front_init_drain(struct sup_front *front)
{
	clock_timer_init(&front->overdue, front->sup->deps.clock, on_overdue, front);
}

/* The one that drains for the longest time, and how many do. */
static struct sup_front *
find_oldest_drain(struct sup *sup, unsigned *n)
{
	struct sup_front *front, *oldest = NULL;

	*n = 0;
	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry)) {
		/* One that was told to go is on its way. */
		if (!front->draining || !clock_timer_is_set(&front->overdue))
			continue;
		(*n)++;
		if (oldest == NULL || front->subscriber < oldest->subscriber)
			oldest = front;
	}
	return oldest;
}

static void
bound_drains(struct sup *sup)
{
	unsigned most = (unsigned)sup_settings(sup)->fronts, n;
	struct sup_front *oldest;

	if (most < SUP_FRONT_DRAINS_MIN)
		most = SUP_FRONT_DRAINS_MIN;
	while ((oldest = find_oldest_drain(sup, &n)) != NULL && n > most) {
		log_notice("front=%s: more than %u old fronts would stay, the oldest leaves now",
			   oldest->object, most);
		clock_timer_cancel(&oldest->overdue);
		sup_child_stop(oldest->child);
	}
}

static void
drain(struct sup_front *front)
{
	int64_t drain_ms = sup_settings(front->sup)->drain_ms;
	json_t *msg = msg_new(MSG_DRAIN);

	front->draining = front->leaving = true;
	front->since_ms = sup_realtime_ms(front->sup);
	msg_set_int(msg, "deadline_ms", drain_ms);
	sup_child_send(front->child, msg, -1);
	clock_timer_set_ms(&front->overdue, drain_ms + SUP_FRONT_OVERDUE_MS);
	log_notice("front=%s: the old one keeps its viewers, for %lld s at most", front->object,
		   (long long)(drain_ms / 1000));
	bound_drains(front->sup);
	sup_status_changed(front->sup);
}

void
sup_front_take_over(struct sup_front *front)
{
	struct sup_front *old = front->predecessor;

	if (old == NULL)
		return;
	front->predecessor = NULL;
	old->successor = NULL;
	drain(old);
}

static void
replace(struct sup_front *front)
{
	struct sup_front *successor;

	/* Held, or waiting: nobody is served by it. Starting: it is new already. */
	if (front->child == NULL) {
		sup_front_start(front);
		return;
	}
	if (!front->ready || front->successor != NULL)
		return;
	successor = sup_front_new(front->sup, front->number);
	successor->spawns = front->spawns;
	snprintf(successor->last_exit, sizeof(successor->last_exit), "%s", front->last_exit);
	successor->predecessor = front;
	front->successor = successor;
	log_notice("front=%s: a new one starts", front->object);
	sup_front_start(successor);
}

unsigned
sup_front_restart(struct sup *sup, const char *name)
{
	bool is_all = strcmp(name, SUP_FRONT_NAME) == 0;
	struct sup_front *front, *next;
	unsigned n = 0;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = next) {
		next = TAILQ_NEXT(front, entry);
		/* Those that are not started yet are at the end of the list. */
		if (front->is_rtc || front->leaving || front->predecessor != NULL ||
		    (!is_all && strcmp(name, front->object) != 0))
			continue;
		replace(front);
		n++;
	}
	return n;
}

/* It is one too many. */
static void
retire(struct sup_front *front)
{
	struct sup_front *successor = front->successor;

	if (successor != NULL) {
		front->successor = NULL;
		successor->predecessor = NULL;
		retire(successor);
	}
	if (front->child == NULL) {
		sup_front_free(&front);
		return;
	}
	if (front->ready) {
		drain(front);
		return;
	}
	front->leaving = true;
	sup_child_stop(front->child);
}

static bool
has_place(const struct sup *sup, unsigned number)
{
	const struct sup_front *front;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		if (front->number == number && !front->leaving && !front->is_rtc)
			return true;
	return false;
}

/* One too many; never a successor, which retires with the one before it. */
static struct sup_front *
find_surplus(const struct sup *sup, unsigned wanted)
{
	struct sup_front *front;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		if (front->number > wanted && !front->leaving && front->predecessor == NULL &&
		    !front->is_rtc)
			return front;
	return NULL;
}

void
sup_front_review_number(struct sup *sup)
{
	unsigned wanted = (unsigned)sup_settings(sup)->fronts;
	struct sup_front *front;

	for (unsigned number = 1; number <= wanted; number++)
		if (!has_place(sup, number))
			sup_front_new(sup, number);
	while ((front = find_surplus(sup, wanted)) != NULL)
		retire(front);
	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		if (front->child == NULL && (front->held || front->spawns == 0))
			sup_front_start(front);
}
