/*
 * The bus: one nng pub socket per worker incarnation, one sub socket per stream in each subscriber.
 * The only file of camhub that knows nng; it follows the flow that survives nng 1.5.2
 * (docs/architecture.md, "The bus"). nng starts threads of its own: a process that used it must not
 * fork without exec, and leaves with _exit().
 */
#ifndef CAMHUB_SHARED_BUS_H
#define CAMHUB_SHARED_BUS_H

#include "shared/frame.h"

#include <stdbool.h>

struct bus_pub;
struct bus_sub;

/* One message as it travels: the header decoded, the payload borrowed from nng's buffer. Counted
 * references, single threaded; the last unref gives it back to nng. */
struct bus_msg {
	struct frame frame;
	const uint8_t *payload; /* frame.payload_len bytes; stable until the last unref */
	int refs;
	void *impl;
};

/* Start nng's threads now, before a process takes the right to make threads from itself. Otherwise
 * the first socket does. 0, or negative errno. */
int bus_start(void);

/* Before the first bus_pub_open() of a process that is ours alone, in the thread whose loop it is:
 * a peer that leaves before it was told hello must not end a listener, as it would with nng 1.5.2.
 * From then on sendmsg() tells other threads than this one ECONNRESET instead of EPIPE. */
void bus_outlive_peers(void);

struct bus_msg *bus_msg_ref(struct bus_msg *msg);
void bus_msg_unref(struct bus_msg **msg); /* NULL-safe, nulls the pointer */
/* A message made here (payload copied): for the worker's GOP cache, for tests. NULL: out of memory
 * or len > FRAME_PAYLOAD_MAX. */
struct bus_msg *bus_msg_new(const struct frame *frame, const void *payload, size_t len);

/*
 * A message written in place, so that its payload is copied once on its way to the bus: begin,
 * write through a writer whose memory is the message's (bus_msg_grow fits byte_writer_grow_fn of
 * media/bytes.h, arg is the message), finish. begin: NULL out of memory; room: bytes of payload to
 * begin with. *data and *cap: where they go.
 */
struct bus_msg *bus_msg_begin(size_t room, uint8_t **data, size_t *cap);
int bus_msg_grow(void *msg, size_t need, uint8_t **data, size_t *cap);
/* len bytes were written; payload, frame and frame.payload_len are set, nothing is copied. */
void bus_msg_finish(struct bus_msg *msg, const struct frame *frame, size_t len);
/* Bytes that a finished message keeps in memory beyond what it carries. */
size_t bus_msg_spare(const struct bus_msg *msg);

/*
 * Publisher. path: absolute, at most 107 bytes (sun_path), must not exist; created with mode (0600,
 * or 0660 for a group). Returns 0, -ENAMETOOLONG, -EADDRINUSE, -ENOMEM, other negative errno.
 */
int bus_pub_open(const char *path, unsigned mode, struct bus_pub **pub);
/* Never blocks; slow subscribers lose their oldest message. frame.payload_len is set from len. */
int bus_pub_send(struct bus_pub *pub, const struct frame *frame, const void *payload, size_t len);
/* The same for a message that exists; flags and for_subscriber may differ from the original. */
int bus_pub_resend(struct bus_pub *pub, const struct bus_msg *msg, uint16_t flags,
		   uint32_t for_subscriber);
/* A message of bus_msg_finish(): takes over the reference, which must be the only one, without a
 * copy; header as in frame. On failure the message is gone, too. */
int bus_pub_send_msg(struct bus_pub *pub, struct bus_msg **msg);
/* Bytes without a header, as analysers publish their results. */
int bus_pub_send_plain(struct bus_pub *pub, const void *data, size_t len);
int bus_pub_subscribers(const struct bus_pub *pub);
/* Listen at another path instead: for one whose old path somebody removed. Who is connected is cut
 * off. On failure nothing has changed. As bus_pub_open(). */
int bus_pub_move(struct bus_pub *pub, const char *path, unsigned mode);
/* Unlink the path. Does not close the nng socket (nng 1.5.2 may hang): leave with _exit(). */
void bus_pub_unlink(struct bus_pub *pub);

/*
 * Subscriber. Dial only after the publisher said READY. bus_sub_fd() polls readable (level
 * triggered, EV_READ|EV_PERSIST) while messages wait: drain a bounded number per callback.
 */
int bus_sub_open(const char *path, struct bus_sub **sub);
/* For messages without a header: of max_bytes (one that is larger ends the connection, and nothing
 * tells), `messages` of them kept. */
int bus_sub_open_plain(const char *path, size_t max_bytes, int messages, struct bus_sub **sub);
int bus_sub_fd(const struct bus_sub *sub);
/* One message: 0 and *msg (one reference), -EAGAIN none waiting, -EPROTO a malformed one was
 * dropped (close this publisher's endpoint: it is not to be trusted), other negative errno. */
int bus_sub_recv(struct bus_sub *sub, struct bus_msg **msg);
/* The same of bus_sub_open_plain(): payload and frame.payload_len are all there is. No -EPROTO. */
int bus_sub_recv_plain(struct bus_sub *sub, struct bus_msg **msg);
bool bus_sub_connected(const struct bus_sub *sub);
/*
 * Take it out of the loop first (event_del): its fd ends here. Closing under traffic hangs
 * nng 1.5.2, so a subscriber whose pipe is still alive is put aside and closed by a later call of
 * this module, when its publisher is gone. NULL-safe. One thread's subscribers are that
 * thread's alone.
 */
void bus_sub_close(struct bus_sub **sub);
/* How many are put aside so, for status. */
unsigned bus_sub_lingering(void);

#endif
