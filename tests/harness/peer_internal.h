/*
 * Mock peers, inside: a list of steps and what is needed to play it.
 */
#ifndef CAMHUB_TESTS_HARNESS_PEER_INTERNAL_H
#define CAMHUB_TESTS_HARNESS_PEER_INTERNAL_H

#include "tests/harness/internal.h"
#include "tests/harness/peer.h"

enum step_kind {
	STEP_EXPECT,       /* these bytes */
	STEP_EXPECT_BYTES, /* so many */
	STEP_EXPECT_UNTIL,
	STEP_EXPECT_CLOSE,
	STEP_DRAIN,
	STEP_SEND,
	STEP_STALL,
	STEP_CLOSE,
	STEP_RESET,
	STEP_SHUTDOWN,
	STEP_CALL,
	/* channels */
	STEP_EXPECT_MSG,
	STEP_AWAIT_MSG,
	STEP_SEND_MSG,
	STEP_SEND_DATAGRAM,
	STEP_KIND_COUNT
};

struct step {
	enum step_kind kind;
	uint8_t *bytes; /* to expect or to send; EXPECT_UNTIL: the end */
	size_t len;
	size_t done;      /* bytes sent */
	size_t piece_len; /* SEND: 0 all at once */
	int64_t ms;       /* SEND: between pieces; STALL */
	bool waiting;     /* the timer runs for this step */
	bool is_begun;    /* an expectation: what came before it is forgotten */
	char *part;       /* EXPECT_UNTIL */
	void (*fn)(void *arg);
	void *arg;
	enum msg_type type;
	json_t *json;
	int fd;
};

struct peer {
	LIST_ENTRY(peer) entry;
	struct loop *loop;
	char *name;
	int fd, listen_fd;
	char *path; /* of a unix listener */
	bool is_chan;
	enum msg_to receive;
	bool ignore[MSG_TYPE_COUNT];
	size_t counts[MSG_TYPE_COUNT];
	struct step *steps;
	size_t n, at;
	struct textbuf in; /* what the running or last expectation took */
	json_t *last_msg;
	int last_fd;
	struct event *read_ev, *write_ev, *accept_ev, *kick_ev;
	struct clock_timer timer;
};

/* A new peer around fd (-1: not yet connected). */
struct peer *peer_make(struct loop *loop, int fd, const char *name);
/* A step at the end of the script; the script goes on in the next turn. Valid until the next one.
 */
struct step *peer_add_step(struct peer *peer, enum step_kind kind);
void peer_set_fd(struct peer *peer, int fd);
void peer_close_fd(struct peer *peer);
/* Plays as far as it goes. */
void peer_play(struct peer *peer);
/* Fails the test: "peer camera, step 3 of 5 (expect 12 bytes): what", then detail (may be NULL). */
void peer_fail(struct peer *peer, const char *what, const char *detail) __attribute__((noreturn));

/* peer_chan.c: one step of a channel. True: done; false: an event will go on. */
bool peer_play_chan(struct peer *peer, struct step *step);
bool peer_expect_chan_close(struct peer *peer, struct step *step);

#endif
