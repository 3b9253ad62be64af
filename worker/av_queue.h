/*
 * From the reading thread to the loop: a queue bounded in bytes and number, and a descriptor that
 * polls readable while something waits.
 */
#ifndef CAMHUB_WORKER_AV_QUEUE_H
#define CAMHUB_WORKER_AV_QUEUE_H

#include "publish/wrk_input.h"

#include <sys/queue.h>

#define AV_QUEUE_MAX_ITEMS 512
#define AV_QUEUE_MAX_BYTES (16u << 20)

enum av_item_kind { AV_ITEM_OPENED, AV_ITEM_UNIT, AV_ITEM_FAILED, AV_ITEM_CLOSED };

struct av_item {
	TAILQ_ENTRY(av_item) entry;
	enum av_item_kind kind;
	struct wrk_unit unit;         /* UNIT; its bytes belong to owner */
	void (*release)(void *owner); /* NULL: nothing to release */
	void *owner;
	enum wrk_class class; /* FAILED */
	char *reason;         /* FAILED, malloc'd; of a redirect the URL */
};

struct av_queue;

struct av_item *av_item_new(enum av_item_kind kind);
void av_item_free(struct av_item **item); /* NULL-safe; releases the bytes */

/* Returns NULL when the eventfd cannot be made. */
struct av_queue *av_queue_new(void);
void av_queue_free(struct av_queue **queue); /* NULL-safe; when no thread uses it any more */

/* The thread's side. Takes the item. Units wait for room; when the queue is stopped they are thrown
 * away (-ECANCELED); other items always fit. */
int av_queue_push(struct av_queue *queue, struct av_item *item);
/* Wait until CLOCK_MONOTONIC at_ns. False: the queue was stopped. */
bool av_queue_wait_until(struct av_queue *queue, int64_t at_ns);

/* The loop's side. */
int av_queue_fd(const struct av_queue *queue);
struct av_item *av_queue_pop(struct av_queue *queue); /* NULL: empty */
/* Wakes whoever waits, for good. */
void av_queue_stop(struct av_queue *queue);

#endif
