/*
 * One control message over one SOCK_SEQPACKET unix socket: one datagram, one JSON object, at most
 * one descriptor. No loop here (chan_ev has that). Sockets are non-blocking.
 */
#ifndef CAMHUB_SHARED_CHAN_H
#define CAMHUB_SHARED_CHAN_H

#include "shared/msg.h"

/* socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC): 0 or negative errno. */
int chan_pair(int fds[2]);

/* Send msg (borrowed) and, unless -1, a copy of pass_fd (borrowed). 0; -EAGAIN: the socket is
 * full; -EMSGSIZE: over MSG_MAX_BYTES; other negative errno: the peer is gone. */
int chan_send(int fd, const json_t *msg, int pass_fd);

/*
 * Receive one message and check it (msg_check, for receiver `to`). 0: *msg (owned by the caller)
 * and *type; *passed_fd is the descriptor (owned, CLOEXEC) or -1. -EAGAIN: nothing there. -EPIPE:
 * the peer closed. -EPROTO: not a valid message (truncated, not JSON, against the schema; reason in
 * err); descriptors that came with it are closed. Out-parameters are untouched on failure.
 */
int chan_recv(int fd, enum msg_to to, json_t **msg, enum msg_type *type, int *passed_fd, char *err);

#endif
