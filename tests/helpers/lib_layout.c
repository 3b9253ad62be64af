/*
 * Where the members of libcamhub's structs are, and its numbers: a line each, for comparison.
 */
#include "lib/camhub.h"

#include <stddef.h>
#include <stdio.h>

#define MEMBER(type, name)                                                                         \
	printf("%s.%s %zu %zu\n", #type, #name, offsetof(struct type, name),                       \
	       sizeof(((struct type *)0)->name))
#define NUMBER(name) printf("%s %lu\n", #name, (unsigned long)(name))

int
main(void)
{
	MEMBER(camhub_stream, id);
	MEMBER(camhub_stream, name);
	MEMBER(camhub_stream, camera);
	MEMBER(camhub_stream, title);
	MEMBER(camhub_stream, group);
	MEMBER(camhub_stream, state);
	MEMBER(camhub_stream, since_ms);
	MEMBER(camhub_stream, codec);
	MEMBER(camhub_stream, codec_string);
	MEMBER(camhub_stream, audio);
	MEMBER(camhub_stream, width);
	MEMBER(camhub_stream, height);
	MEMBER(camhub_stream, fps);
	MEMBER(camhub_frame, stream);
	MEMBER(camhub_frame, epoch);
	MEMBER(camhub_frame, seq);
	MEMBER(camhub_frame, flags);
	MEMBER(camhub_frame, codec);
	MEMBER(camhub_frame, width);
	MEMBER(camhub_frame, height);
	MEMBER(camhub_frame, duration_us);
	MEMBER(camhub_frame, pts_ns);
	MEMBER(camhub_frame, dts_ns);
	MEMBER(camhub_frame, arrived_ns);
	MEMBER(camhub_frame, arrived_monotonic_ns);
	MEMBER(camhub_frame, captured_ns);
	MEMBER(camhub_frame, behind);
	MEMBER(camhub_frame, data);
	MEMBER(camhub_frame, len);
	MEMBER(camhub_stats, frames);
	MEMBER(camhub_stats, skipped);
	MEMBER(camhub_stats, gaps);
	MEMBER(camhub_stats, replays);
	MEMBER(camhub_stats, epochs);
	MEMBER(camhub_stats, malformed);
	NUMBER(CAMHUB_H264);
	NUMBER(CAMHUB_H265);
	NUMBER(CAMHUB_MJPEG);
	NUMBER(CAMHUB_JPEG_RTP);
	NUMBER(CAMHUB_KEY);
	NUMBER(CAMHUB_DISCONTINUITY);
	NUMBER(CAMHUB_DISPOSABLE);
	NUMBER(CAMHUB_CORRUPT);
	NUMBER(CAMHUB_UNSYNCED);
	NUMBER(CAMHUB_REPLAY);
	NUMBER(CAMHUB_FIRST);
	return 0;
}
