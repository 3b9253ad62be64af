/*
 * A binary heap of timers over one source of time.
 */
#include "config.h"

#include "shared/clock.h"

#include "shared/xalloc.h"

#include <assert.h>
#include <time.h>

#define FAKE_REALTIME_START_NS (1767225600LL * NS_PER_S) /* 2026-01-01T00:00:00Z */

struct clock {
	bool fake;
	int64_t fake_now_ns, fake_start_ns, fake_wall_ns;
	struct clock_timer **heap;
	size_t n, capacity;
	uint64_t order;
	void (*wakeup)(void *arg);
	void *wakeup_arg;
};

struct clock *
clock_new(void)
{
	return xcalloc(1, sizeof(struct clock));
}

struct clock *
clock_new_fake(int64_t start_ns)
{
	struct clock *clock = clock_new();

	clock->fake = true;
	clock->fake_now_ns = clock->fake_start_ns = start_ns;
	return clock;
}

void
clock_free(struct clock **clock)
{
	if (*clock == NULL)
		return;
	for (size_t i = 0; i < (*clock)->n; i++) {
		(*clock)->heap[i]->heap_index = SIZE_MAX;
		(*clock)->heap[i]->clock = NULL;
	}
	free((*clock)->heap);
	free(*clock);
	*clock = NULL;
}

static int64_t
kernel_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
clock_now_ns(struct clock *clock)
{
	return clock->fake ? clock->fake_now_ns : kernel_ns(CLOCK_MONOTONIC);
}

int64_t
clock_realtime_ns(struct clock *clock)
{
	if (clock->fake)
		return FAKE_REALTIME_START_NS + clock->fake_wall_ns + clock->fake_now_ns -
		       clock->fake_start_ns;
	return kernel_ns(CLOCK_REALTIME);
}

static bool
is_before(const struct clock_timer *a, const struct clock_timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns;
	return a->order < b->order;
}

static void
place(struct clock *clock, size_t i, struct clock_timer *timer)
{
	clock->heap[i] = timer;
	timer->heap_index = i;
}

static void
sift_up(struct clock *clock, size_t i)
{
	struct clock_timer *timer = clock->heap[i];

	while (i > 0 && is_before(timer, clock->heap[(i - 1) / 2])) {
		place(clock, i, clock->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(clock, i, timer);
}

static void
sift_down(struct clock *clock, size_t i)
{
	struct clock_timer *timer = clock->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= clock->n)
			break;
		if (child + 1 < clock->n && is_before(clock->heap[child + 1], clock->heap[child]))
			child++;
		if (!is_before(clock->heap[child], timer))
			break;
		place(clock, i, clock->heap[child]);
		i = child;
	}
	place(clock, i, timer);
}

static void
heap_remove(struct clock *clock, size_t i)
{
	struct clock_timer *last = clock->heap[--clock->n];

	clock->heap[i]->heap_index = SIZE_MAX;
	if (i == clock->n)
		return;
	place(clock, i, last);
	sift_up(clock, i);
	sift_down(clock, last->heap_index);
}

static void
heap_add(struct clock *clock, struct clock_timer *timer)
{
	if (clock->n == clock->capacity) {
		clock->capacity = clock->capacity > 0 ? 2 * clock->capacity : 16;
		clock->heap = xreallocarray(clock->heap, clock->capacity, sizeof(*clock->heap));
	}
	place(clock, clock->n++, timer);
	sift_up(clock, clock->n - 1);
}

void
clock_timer_init(struct clock_timer *timer, struct clock *clock,
		 void (*cb)(struct clock_timer *, void *), void *arg)
{
	*timer =
	    (struct clock_timer){ .clock = clock, .cb = cb, .arg = arg, .heap_index = SIZE_MAX };
}

bool
clock_timer_is_set(const struct clock_timer *timer)
{
	return timer->clock != NULL && timer->heap_index != SIZE_MAX;
}

static void
tell_wakeup(struct clock *clock)
{
	if (clock->wakeup != NULL)
		clock->wakeup(clock->wakeup_arg);
}

void
clock_timer_set_ms(struct clock_timer *timer, int64_t delay_ms)
{
	struct clock *clock = timer->clock;

	assert(clock != NULL);
	if (clock_timer_is_set(timer))
		heap_remove(clock, timer->heap_index);
	if (delay_ms < 0)
		delay_ms = 0;
	timer->set_ns = clock_now_ns(clock);
	timer->deadline_ns = timer->set_ns + delay_ms * NS_PER_MS;
	timer->order = ++clock->order;
	heap_add(clock, timer);
	if (clock->heap[0] == timer)
		tell_wakeup(clock);
}

void
clock_timer_cancel(struct clock_timer *timer)
{
	if (timer != NULL && clock_timer_is_set(timer))
		heap_remove(timer->clock, timer->heap_index);
}

int64_t
clock_next_ns(struct clock *clock)
{
	int64_t ns;

	if (clock->n == 0)
		return -1;
	ns = clock->heap[0]->deadline_ns - clock_now_ns(clock);
	return ns > 0 ? ns : 0;
}

int64_t
clock_forgive_gap(struct clock *clock)
{
	int64_t due_ns, late_ns;

	if (clock->n == 0)
		return 0;
	due_ns = clock->heap[0]->deadline_ns;
	late_ns = clock_now_ns(clock) - due_ns;
	if (late_ns <= CLOCK_GAP_NS)
		return 0;
	for (size_t i = 0; i < clock->n; i++) {
		struct clock_timer *timer = clock->heap[i];

		/* Those set since then, by whatever else woke us, know the time. */
		if (timer->set_ns <= due_ns)
			timer->deadline_ns += late_ns;
	}
	for (size_t i = clock->n / 2; i-- > 0;)
		sift_down(clock, i);
	return late_ns;
}

static int
run_until(struct clock *clock, int64_t now_ns)
{
	uint64_t newest = clock->order; /* what is set from now on waits for the next call */
	int fired = 0;

	for (;;) {
		struct clock_timer *timer = clock->n > 0 ? clock->heap[0] : NULL;

		if (timer == NULL || timer->deadline_ns > now_ns || timer->order > newest)
			return fired;
		heap_remove(clock, 0);
		fired++;
		timer->cb(timer, timer->arg);
	}
}

int
clock_run_due(struct clock *clock)
{
	int fired = run_until(clock, clock_now_ns(clock));

	if (clock->n > 0)
		tell_wakeup(clock);
	return fired;
}

size_t
clock_timers_set(const struct clock *clock)
{
	return clock->n;
}

const struct clock_timer *
clock_timer_at(const struct clock *clock, size_t i)
{
	return i < clock->n ? clock->heap[i] : NULL;
}

void
clock_advance_ms(struct clock *clock, int64_t ms)
{
	int64_t target = clock->fake_now_ns + ms * NS_PER_MS;

	assert(clock->fake);
	while (clock->n > 0 && clock->heap[0]->deadline_ns <= target) {
		if (clock->heap[0]->deadline_ns > clock->fake_now_ns)
			clock->fake_now_ns = clock->heap[0]->deadline_ns;
		run_until(clock, clock->fake_now_ns);
	}
	clock->fake_now_ns = target;
}

void
clock_jump_ms(struct clock *clock, int64_t ms)
{
	assert(clock->fake);
	clock->fake_now_ns += ms * NS_PER_MS;
}

void
clock_set_wall_ms(struct clock *clock, int64_t by_ms)
{
	assert(clock->fake);
	clock->fake_wall_ns += by_ms * NS_PER_MS;
}

void
clock_set_wakeup(struct clock *clock, void (*wakeup)(void *arg), void *arg)
{
	clock->wakeup = wakeup;
	clock->wakeup_arg = arg;
}
