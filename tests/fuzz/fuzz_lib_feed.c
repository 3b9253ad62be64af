/*
 * Any bytes as messages of the bus for libcamhub: each begins with two bytes of length; the first
 * byte of what it holds says whether a replay ends there. Whatever comes, frames leave in order.
 */
#include "config.h"

#include "lib/feed.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define ME 7

static struct {
	uint64_t epoch, seq;
} last;

static void
take(struct feed *feed, bool is_newest)
{
	const struct bus_msg *config = NULL;
	struct bus_msg *msg;
	bool is_first = false;

	msg = feed_take(feed, is_newest, &config, &is_first);
	if (msg == NULL)
		return;
	FUZZ_CHECK(msg->frame.kind == FRAME_KIND_VIDEO || msg->frame.kind == FRAME_KIND_JPEG);
	FUZZ_CHECK(msg->frame.track == FRAME_TRACK_VIDEO);
	FUZZ_CHECK(msg->frame.epoch != last.epoch || msg->frame.seq > last.seq);
	FUZZ_CHECK(!is_first || msg->frame.kind == FRAME_KIND_JPEG ||
		   (msg->frame.flags & FRAME_KEY));
	FUZZ_CHECK(config == NULL || config->frame.kind == FRAME_KIND_CONFIG);
	last.epoch = msg->frame.epoch;
	last.seq = msg->frame.seq;
	bus_msg_unref(&msg);
}

static void
push(struct feed *feed, const uint8_t *bytes, size_t len)
{
	const uint8_t *payload;
	struct frame frame;
	struct bus_msg *msg;

	if (frame_decode(bytes, len, &frame, &payload) < 0)
		return;
	/* As the library does: a publisher is known by its epoch. */
	if (feed->epoch == 0)
		feed_begin(feed, frame.epoch);
	msg = bus_msg_new(&frame, payload, frame.payload_len);
	feed_push(feed, msg);
	bus_msg_unref(&msg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed;

	feed_init(&feed);
	feed.subscriber = ME;
	last.epoch = last.seq = 0;
	while (size > 3) {
		size_t len = data[0] | (size_t)data[1] << 8;
		uint8_t what = data[2];

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		push(&feed, data, len);
		if (what & 1)
			feed_replay_end(&feed);
		if (what & 2)
			take(&feed, (what & 4) != 0);
		data += len;
		size -= len;
	}
	while (feed_waiting(&feed) > 0)
		take(&feed, false);
	feed_clear(&feed);
	return 0;
}
