/*
 * A control channel in a libevent loop: receives all that is there, sends with a bounded queue,
 * tells its owner once when it is over.
 */
#ifndef CAMHUB_SHARED_CHAN_EV_H
#define CAMHUB_SHARED_CHAN_EV_H

#include "shared/msg.h"

struct chan_ev;
struct event_base;

struct chan_ev_ops {
	/* A checked message. msg is borrowed; fd (-1: none) is the callee's to close. The callee
	 * may call chan_ev_free() on this very channel. */
	void (*on_msg)(void *arg, enum msg_type type, const json_t *msg, int fd);
	/* No more messages will come: reason in words ("peer closed", "bad message: ..."). Called
	 * once, from the loop, never from chan_ev_send(). The owner still frees the channel. */
	void (*on_close)(void *arg, const char *reason);
};

/* Takes fd (closed by chan_ev_free). receive: which side of the schema comes in here. */
struct chan_ev *chan_ev_new(struct event_base *base, int fd, enum msg_to receive,
			    const struct chan_ev_ops *ops, void *arg);
/* Queue and send: takes msg and pass_fd (-1: none; closed after sending). 0; -ENOBUFS when more
 * than 4096 messages or 4 MiB wait (the peer does not read: the caller decides); -EPIPE after the
 * end.
 */
int chan_ev_send(struct chan_ev *chan, json_t *msg, int pass_fd);
/* A longer message that comes in counts as a bad one; at most MSG_MAX_BYTES, the default. */
void chan_ev_limit(struct chan_ev *chan, size_t max_bytes);
size_t chan_ev_queued(const struct chan_ev *chan);
int chan_ev_fd(const struct chan_ev *chan);
/* NULL-safe; safe inside the channel's own callbacks. Unsent messages are lost. */
void chan_ev_free(struct chan_ev **chan);

#endif
