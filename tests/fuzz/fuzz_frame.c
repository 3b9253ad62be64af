/*
 * Any bytes as a message of the bus: refused, or a header whose lengths and words hold, and which
 * is written as it was read.
 */
#include "config.h"

#include "shared/frame.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static void
check_frame(const struct frame *frame, const uint8_t *payload, const uint8_t *data, size_t size)
{
	uint8_t header[FRAME_HEADER_BYTES];
	struct frame again;
	const uint8_t *nothing;

	FUZZ_CHECK(frame->payload_len <= FRAME_PAYLOAD_MAX);
	FUZZ_CHECK(payload >= data + FRAME_HEADER_BYTES &&
		   payload + frame->payload_len == data + size);
	FUZZ_CHECK(frame->kind >= FRAME_KIND_VIDEO && frame->kind <= FRAME_KIND_END);
	FUZZ_CHECK(frame_codec_name((enum frame_codec)frame->codec) != NULL);
	frame_encode(frame, header);
	if (frame->payload_len > 0)
		return;
	FUZZ_CHECK(frame_decode(header, sizeof(header), &again, &nothing) == 0);
	FUZZ_CHECK(again.seq == frame->seq && again.epoch == frame->epoch &&
		   again.pts_ns == frame->pts_ns && again.dts_ns == frame->dts_ns &&
		   again.for_subscriber == frame->for_subscriber && again.flags == frame->flags);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payload = NULL;
	struct frame frame = { .width = 7 };
	int rc = frame_decode(data, size, &frame, &payload);

	if (rc == 0)
		check_frame(&frame, payload, data, size);
	else
		FUZZ_CHECK(rc == -EPROTO && payload == NULL && frame.width == 7);
	return 0;
}
