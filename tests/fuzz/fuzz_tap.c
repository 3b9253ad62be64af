/*
 * Any bytes as one message on the tap's socket, both ways: as the supervisor checks what an
 * analyser says, and as libcamhub reads what the supervisor says, which may be a later one.
 */
#include "config.h"

#include "lib/hub.h"
#include "shared/msg.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_up(json_t *msg)
{
	char err[MSG_ERROR_MAX];
	enum msg_type type;

	if (msg_check(msg, MSG_FROM_TAP, false, &type, err) < 0) {
		FUZZ_CHECK(strlen(err) < MSG_ERROR_MAX);
		return;
	}
	FUZZ_CHECK(type == MSG_TAP_HELLO || type == MSG_TAP_WANT || type == MSG_TAP_REPLAY);
	FUZZ_CHECK(type != MSG_TAP_HELLO || strlen(msg_str(msg, "name")) <= 32);
	FUZZ_CHECK(type == MSG_TAP_HELLO || msg_int(msg, "id", 0) >= 1);
}

static void
check_down(json_t *msg)
{
	struct camhub hub = { .tap = -1 };
	const struct stream *stream;

	TAILQ_INIT(&hub.streams);
	TAILQ_INIT(&hub.subs);
	streams_set(&hub, json_deep_copy(msg));
	stream = TAILQ_FIRST(&hub.streams);
	if (stream != NULL) {
		/* It goes into a path. */
		FUZZ_CHECK(strchr(stream->endpoint, '/') == NULL && stream->endpoint[0] != '.');
		FUZZ_CHECK(stream->shown.name[0] != '\0' && stream->shown.id != 0);
		FUZZ_CHECK(stream->shown.title != NULL && stream->shown.codec != NULL);
		FUZZ_CHECK(streams_find(&hub, stream->shown.name) == stream);
		streams_drop(&hub, stream->shown.id);
	}
	FUZZ_CHECK(TAILQ_EMPTY(&hub.streams));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *msg = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(msg)) {
		check_up(msg);
		check_down(msg);
	}
	json_decref(msg);
	return 0;
}
