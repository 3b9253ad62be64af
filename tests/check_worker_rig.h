/*
 * A worker's library on a fake clock, between a fake supervisor, a fake input and a fake bus.
 */
#ifndef CAMHUB_TESTS_CHECK_WORKER_RIG_H
#define CAMHUB_TESTS_CHECK_WORKER_RIG_H

#include "publish/wrk.h"

#include "tests/check_worker_fixture.h"
#include "tests/harness/harness.h"

#define FRAME_MS 40

struct sent {
	struct frame frame;
	uint8_t *payload;
	int64_t at_ms;
	const uint8_t *written_at; /* messages: where the payload lay; copies: NULL */
};

struct rig {
	struct loop *loop;
	struct wrk *wrk;
	struct peer *supervisor;
	/* The fake bus */
	struct sent sent[2048];
	size_t n_sent;
	char path[128];
	unsigned mode;
	int open_rc;
	bool is_listening, is_unlinked;
	/* The fake input */
	struct wrk_input_ops input;
	struct wrk_input_report report;
	int start_rc, starts, stops, frees;
	bool closes_at_once;
	char user[32], password[32], tls[80], challenge[80];
	bool keep_vui;
	int fd; /* -1: none */
	int64_t reorder_ms;
	const uint8_t *written_at; /* of the last deliver_msg() */
	/* The fake process */
	bool has_exited;
	int exit_code;
};

extern struct rig *rig; /* of the running test */

void rig_new(struct loop *loop);
/* With worker-status among the messages that the supervisor awaits. */
void rig_new_with_status(struct loop *loop);

/* A worker-config to be changed and sent. */
json_t *config(void);
/* Send it (stolen), take READY and the first input message. */
void configure(json_t *msg);
/* configure() and the first key frame. */
void go_up(void);
/* Await the next input message, which must be of this state. The supervisor reads nothing between
 * two steps of its script: tests await something after each. */
const json_t *expect_input(const char *state);
void demand(bool on);
void ask_replay(uint32_t subscriber);
void send_stop(void);

/* From the input: a unit that arrives now; frames `from` to `to` - 1, one key frame in each `gop`.
 */
void deliver(struct wrk_unit unit);
/* The same as a message written in place, with that much room. The message is the worker's: only
 * whoever holds a reference from before may look at it. */
struct bus_msg *deliver_msg(struct wrk_unit unit, size_t room);
void deliver_frames(int from, int to, int gop);

/* On the bus: messages that are no pulse, from index *i on, NULL at the end; how many; the last
 * pulse (json_decref()). */
const struct sent *next_sent(size_t *i);
size_t count_sent(void);
json_t *last_pulse(void);

#endif
