/*
 * A list under one lock. The eventfd counts as "not empty", nothing more.
 */
#include "config.h"

#include "worker/av_queue.h"

#include "shared/clock.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

TAILQ_HEAD(av_items, av_item);

struct av_queue {
	pthread_mutex_t lock; /* guards all below but fd */
	pthread_cond_t changed;
	struct av_items items;
	size_t n, bytes;
	bool is_stopped;
	int fd;
};

struct av_item *
av_item_new(enum av_item_kind kind)
{
	struct av_item *item = xcalloc(1, sizeof(*item));

	item->kind = kind;
	return item;
}

void
av_item_free(struct av_item **item)
{
	struct av_item *old = *item;

	*item = NULL;
	if (old == NULL)
		return;
	if (old->release != NULL)
		old->release(old->owner);
	free(old->reason);
	free(old);
}

struct av_queue *
av_queue_new(void)
{
	struct av_queue *queue;
	pthread_condattr_t attr;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return NULL;
	queue = xcalloc(1, sizeof(*queue));
	queue->fd = fd;
	TAILQ_INIT(&queue->items);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->changed, &attr);
	pthread_condattr_destroy(&attr);
	return queue;
}

void
av_queue_free(struct av_queue **queue)
{
	struct av_item *item;

	if (*queue == NULL)
		return;
	while ((item = av_queue_pop(*queue)) != NULL)
		av_item_free(&item);
	pthread_cond_destroy(&(*queue)->changed);
	pthread_mutex_destroy(&(*queue)->lock);
	close((*queue)->fd);
	free(*queue);
	*queue = NULL;
}

static bool
has_room(const struct av_queue *queue, const struct av_item *item)
{
	if (item->kind != AV_ITEM_UNIT || queue->n == 0)
		return true;
	return queue->n < AV_QUEUE_MAX_ITEMS && queue->bytes + item->unit.len <= AV_QUEUE_MAX_BYTES;
}

int
av_queue_push(struct av_queue *queue, struct av_item *item)
{
	bool was_empty;

	pthread_mutex_lock(&queue->lock);
	while (!queue->is_stopped && !has_room(queue, item))
		pthread_cond_wait(&queue->changed, &queue->lock);
	if (queue->is_stopped && item->kind == AV_ITEM_UNIT) {
		pthread_mutex_unlock(&queue->lock);
		av_item_free(&item);
		return -ECANCELED;
	}
	was_empty = queue->n == 0;
	TAILQ_INSERT_TAIL(&queue->items, item, entry);
	queue->n++;
	queue->bytes += item->unit.len;
	if (was_empty)
		eventfd_write(queue->fd, 1);
	pthread_mutex_unlock(&queue->lock);
	return 0;
}

bool
av_queue_wait_until(struct av_queue *queue, int64_t at_ns)
{
	struct timespec at = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };
	bool is_stopped;

	pthread_mutex_lock(&queue->lock);
	/* The condition is signalled for other reasons too: only stop and time end the wait. */
	while (!queue->is_stopped &&
	       pthread_cond_timedwait(&queue->changed, &queue->lock, &at) != ETIMEDOUT)
		;
	is_stopped = queue->is_stopped;
	pthread_mutex_unlock(&queue->lock);
	return !is_stopped;
}

int
av_queue_fd(const struct av_queue *queue)
{
	return queue->fd;
}

struct av_item *
av_queue_pop(struct av_queue *queue)
{
	struct av_item *item;
	eventfd_t count;

	pthread_mutex_lock(&queue->lock);
	item = TAILQ_FIRST(&queue->items);
	if (item != NULL) {
		TAILQ_REMOVE(&queue->items, item, entry);
		queue->n--;
		queue->bytes -= item->unit.len;
		pthread_cond_broadcast(&queue->changed);
	}
	if (queue->n == 0)
		eventfd_read(queue->fd, &count);
	pthread_mutex_unlock(&queue->lock);
	return item;
}

void
av_queue_stop(struct av_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_stopped = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}
