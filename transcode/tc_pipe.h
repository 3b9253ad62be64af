/*
 * The thread that decodes and encodes, and the two queues between it and the loop. What waits for
 * the thread is bounded: a key frame sends away what is late before it.
 */
#ifndef CAMHUB_TRANSCODE_TC_PIPE_H
#define CAMHUB_TRANSCODE_TC_PIPE_H

#include "transcode/tc_stamp.h"

#include <stddef.h>

#define TC_PIPE_LATE_UNITS 12 /* wait: the next key frame sends them away */
#define TC_PIPE_MAX_UNITS                                                                          \
	128 /* and more than these do not wait; those of a replay are not counted */
#define TC_PIPE_MAX_BYTES (96u << 20)

struct AVPacket;
struct tc_pipe;
struct tc_unit;

enum tc_result_kind {
	TC_RESULT_UNIT,
	TC_RESULT_FAILED, /* no H.264 can be made of this; reason */
	TC_RESULT_CLOSED, /* the last one: the thread has ended */
};

struct tc_result {
	enum tc_result_kind kind;
	struct AVPacket *packet; /* UNIT: one access unit of H.264 */
	struct tc_stamp stamp;
	char reason[160];
};

/* Starts the thread. 0 or negative errno. */
int tc_pipe_new(struct tc_pipe **pipe);
/* Waits for the thread: after TC_RESULT_CLOSED it does not wait long. NULL-safe. */
void tc_pipe_free(struct tc_pipe **pipe);
/* It ends soon; TC_RESULT_CLOSED tells. */
void tc_pipe_stop(struct tc_pipe *pipe);

/* Copies what it needs. 0; -EBUSY: too much waited, all of it is forgotten: go on with a key frame;
 * -ENOMEM. */
int tc_pipe_push(struct tc_pipe *pipe, const struct tc_unit *unit);

/* Readable while there are results. */
int tc_pipe_fd(const struct tc_pipe *pipe);
/* NULL: none. */
struct tc_result *tc_pipe_pop(struct tc_pipe *pipe);
void tc_result_free(struct tc_result **result);

/* Pictures that were not made because the machine is too slow. */
uint64_t tc_pipe_dropped(struct tc_pipe *pipe);

#endif
