/*
 * Mock peers: the other end of a socket, playing a script in the test's loop.
 *
 * Each call below adds one step; steps run in order, in the loop. What differs from an expectation
 * fails the test with a hex diff (JSON: both objects). A script that was not played to its end when
 * the test ends fails it, and says at which step it hangs and what has come instead.
 *
 * Between two steps nothing is read: a peer whose script is at its end, stalls or waits does not
 * read, and its socket fills up like that of a real one.
 */
#ifndef CAMHUB_TESTS_HARNESS_PEER_H
#define CAMHUB_TESTS_HARNESS_PEER_H

#include "shared/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct peer;

#define PEER_FOREVER (-1)

/* Byte streams. Takes fd (connected, any stream socket or pipe). Peers live until the end of the
 * test. */
struct peer *peer_new(struct loop *loop, int fd, const char *name);
/* Listens on 127.0.0.1, *port is where (host order); accepts one connection, then plays. */
struct peer *peer_listen_tcp(struct loop *loop, const char *name, uint16_t *port);
/* The same at a unix path; type SOCK_STREAM or SOCK_SEQPACKET (then messages, receive: see below).
 */
struct peer *peer_listen_unix(struct loop *loop, const char *path, const char *name);
struct peer *peer_connect_tcp(struct loop *loop, const char *name, uint16_t port);

void peer_expect(struct peer *peer, const void *bytes, size_t len);
void peer_expect_text(struct peer *peer, const char *text);
/* Exactly len bytes, any. */
void peer_expect_bytes(struct peer *peer, size_t len);
/* Everything up to and with `end`; the text must contain `part` ("" or NULL: anything). */
void peer_expect_until(struct peer *peer, const char *end, const char *part);
/* The other side closes; bytes that come before fail the test. peer_drain: they are thrown away. */
void peer_expect_close(struct peer *peer);
void peer_drain_until_close(struct peer *peer);
/* Bytes are copied. In pieces: piece_len at a time, pause_ms of the loop's clock between them. */
void peer_send(struct peer *peer, const void *bytes, size_t len);
void peer_send_text(struct peer *peer, const char *text);
void peer_send_pieces(struct peer *peer, const void *bytes, size_t len, size_t piece_len,
		      int64_t pause_ms);
/* Neither read nor write for ms of the loop's clock, or PEER_FOREVER (then no step may follow). */
void peer_stall(struct peer *peer, int64_t ms);
void peer_close(struct peer *peer);
void peer_reset(struct peer *peer);    /* TCP: RST */
void peer_shutdown(struct peer *peer); /* no more from us; still reads */
/* Call fn at this point of the script. peer_complete: async_complete() there. */
void peer_call(struct peer *peer, void (*fn)(void *arg), void *arg);
void peer_complete(struct peer *peer);

/* State and results. */
bool peer_is_done(const struct peer *peer);
/* Run the loop until the script is done. */
void peer_run(struct peer *peer, int deadline_ms);
/* What the last expect-step took (without NUL counted; text is NUL-terminated); until the next one.
 */
const char *peer_last(const struct peer *peer, size_t *len);
/* The peer's socket, -1 when closed or not yet accepted. The peer's own. */
int peer_fd(const struct peer *peer);

/*
 * JSON messages over SOCK_SEQPACKET (shared/chan.h). Takes fd. receive: which side of the schema
 * the peer plays: everything it receives is checked with msg_check() and what is against the schema
 * fails the test.
 */
struct peer *peer_new_chan(struct loop *loop, int fd, enum msg_to receive, const char *name);
/* Listens at a unix path for one connection. */
struct peer *peer_listen_chan(struct loop *loop, const char *path, enum msg_to receive,
			      const char *name);
/* Messages of this type are read and counted but never disturb the script (beats). Lasting. */
void peer_ignore_msg(struct peer *peer, enum msg_type type);
/* The next message is of this type and has (at least) these fields; fields (NULL: any) is stolen:
 *	peer_expect_msg(peer, MSG_INPUT, json_pack("{s:s}", "state", "up")); */
void peer_expect_msg(struct peer *peer, enum msg_type type, json_t *fields);
/* Messages of other types before it are let pass (they are kept for peer_msg_count()). */
void peer_await_msg(struct peer *peer, enum msg_type type, json_t *fields);
/* The message is stolen, fd (-1: none) too: closed after sending. Not checked: tests send rubbish.
 */
void peer_send_msg(struct peer *peer, json_t *msg, int fd);
/* One datagram as it is. */
void peer_send_datagram(struct peer *peer, const void *bytes, size_t len);
/* Linear style: await such a message now, running the loop; borrowed until the next expectation. */
const json_t *peer_get_msg(struct peer *peer, enum msg_type type, int deadline_ms);
/* Linear style: nothing but ignored types has come until now (everything ready is run first). */
void peer_assert_no_msg(struct peer *peer);
/* The message taken by the last expectation, borrowed; and the fd that came with it (-1: none),
 * which the caller then owns. */
const json_t *peer_last_msg(const struct peer *peer);
int peer_take_fd(struct peer *peer);
/* How many of this type were received in all, ignored ones included. */
size_t peer_msg_count(const struct peer *peer, enum msg_type type);

#endif
