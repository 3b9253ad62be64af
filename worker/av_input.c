/*
 * The loop's side of the reading thread: takes from its queue and tells the worker.
 */
#include "config.h"

#include "worker/av_input.h"

#include "publish/wrk.h"
#include "publish/wrk_watch_ev.h"
#include "shared/xalloc.h"
#include "worker/av_log.h"
#include "worker/av_reader.h"

#include <libavutil/mem.h>
#include <unistd.h>

#define ITEMS_PER_TURN  64 /* then timers and messages get their turn */
#define ALLOC_MAX_BYTES (64u << 20)

struct av_input {
	struct wrk *wrk;
	struct av_reader *reader;
	struct wrk_watch *watch;
};

/* False: it was the last one. */
static bool
tell(struct av_input *input, const struct av_item *item)
{
	switch (item->kind) {
	case AV_ITEM_OPENED:
		wrk_input_opened(input->wrk);
		return true;
	case AV_ITEM_UNIT:
		wrk_deliver(input->wrk, &item->unit);
		return true;
	case AV_ITEM_FAILED:
		if (item->class == WRK_CLASS_REDIRECT)
			wrk_input_redirected(input->wrk, item->reason);
		else
			wrk_input_failed(input->wrk, item->class, item->reason);
		return true;
	case AV_ITEM_CLOSED:
		break;
	}
	wrk_watch_free(&input->watch);
	wrk_input_closed(input->wrk);
	return false;
}

static void
on_queue(void *arg)
{
	struct av_input *input = arg;
	struct av_item *item;
	bool goes_on = true;

	for (int i = 0; goes_on && i < ITEMS_PER_TURN; i++) {
		item = av_queue_pop(input->reader->queue);
		if (item == NULL)
			return;
		goes_on = tell(input, item);
		av_item_free(&item);
	}
}

static int
av_input_start(void *arg, struct wrk *wrk, const struct wrk_input_config *config, void **input)
{
	struct av_input *new_input = xcalloc(1, sizeof(*new_input));
	int rc;

	(void)arg;
	if (config->fd >= 0)
		close(config->fd); /* libavformat opens its own */
	new_input->wrk = wrk;
	rc = av_reader_start(config, &new_input->reader);
	if (rc < 0) {
		free(new_input);
		return rc;
	}
	new_input->watch = wrk_watch_new(wrk_base(wrk), av_queue_fd(new_input->reader->queue),
					 on_queue, new_input);
	*input = new_input;
	return 0;
}

static void
av_input_stop(void *input)
{
	av_reader_stop(((struct av_input *)input)->reader);
}

static void
av_input_free(void *input)
{
	struct av_input *old = input;

	wrk_watch_free(&old->watch);
	av_reader_free(&old->reader);
	free(old);
}

const struct wrk_input_ops av_input_ops = {
	.start = av_input_start,
	.stop = av_input_stop,
	.free = av_input_free,
};

void
av_input_init(void)
{
	av_log_route();
	av_max_alloc(ALLOC_MAX_BYTES);
}
