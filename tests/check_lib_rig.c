/*
 * A fake supervisor for tests of libcamhub.
 */
#include "config.h"

#include "tests/check_lib_rig.h"

#include "lib/camhub.h"

#include <stdio.h>

int
lib_say(const char *what, int error)
{
	printf("%s: %s\n", what, camhub_strerror(error));
	fflush(stdout);
	return error < 0;
}

json_t *
lib_stream(int id, const char *name, uint64_t epoch, const char *endpoint)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:s, s:s, s:s, s:i, s:i, "
			 "s:f, s:s}",
			 "type", "tap-stream", "id", id, "name", name, "camera", name, "title",
			 "A title", "group", "", "state", "up", "since_ms", 1, "epoch",
			 (json_int_t)epoch, "endpoint", endpoint, "codec", "h264", "codec_string",
			 "avc1.64001F", "width", 640, "height", 360, "fps", 25.0, "audio", "");
}

void
lib_welcome(struct peer *supervisor)
{
	peer_expect_msg(supervisor, MSG_TAP_HELLO, NULL);
	peer_send_msg(supervisor,
		      json_pack("{s:s, s:i, s:s, s:s}", "type", "tap-welcome", "subscriber",
				LIB_SUBSCRIBER, "version", "9.9", "news", "of a later version"),
		      -1);
}

void
lib_synced(struct peer *supervisor)
{
	peer_send_msg(supervisor, json_pack("{s:s}", "type", "tap-of-a-later-version"), -1);
	peer_send_msg(supervisor, json_pack("{s:s}", "type", "tap-synced"), -1);
}

struct peer *
lib_supervise(struct loop *loop)
{
	return peer_listen_chan(loop, harness_tmpfile("tap.sock"), MSG_FROM_TAP, "supervisor");
}
