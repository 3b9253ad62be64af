/*
 * The connection to a camera in the worker's loop: a socket, TLS over it where it is asked for,
 * one buffer in, one bounded queue out. Bytes are shown to the owner where they arrived.
 */
#ifndef CAMHUB_WORKER_RTSP_CONN_EV_H
#define CAMHUB_WORKER_RTSP_CONN_EV_H

#include "worker/rtsp_tls.h"

#define RTSP_CONN_IN_MAX  131072 /* above twice the largest thing that is to be seen whole */
#define RTSP_CONN_OUT_MAX 65536  /* a camera that does not read is lost */

struct clock;
struct event_base;
struct rtsp_conn;

enum rtsp_conn_end {
	RTSP_CONN_CLOSED,      /* the camera closed it in order */
	RTSP_CONN_UNREACHABLE, /* it was never there */
	RTSP_CONN_BROKEN,
	RTSP_CONN_TLS, /* no agreement on TLS, or a certificate that is not to be trusted */
};

struct rtsp_conn_ops {
	/* Ready for requests (after TLS's handshake). */
	void (*on_ready)(void *arg);
	/* All bytes that are unread, oldest first; returns how many are done with (they are shown
	 * again otherwise, with more behind them). The times are when they were read. The
	 * connection may be freed from within: the result does not matter then. */
	size_t (*on_bytes)(void *arg, const uint8_t *data, size_t len, int64_t monotonic_ns,
			   int64_t realtime_ns);
	/* The end; reason in words for people. Once, from the loop. */
	void (*on_end)(void *arg, enum rtsp_conn_end how, const char *reason);
};

/* fd: connected or connecting, made non-blocking; becomes the connection's. All news come from the
 * loop. ops is borrowed for as long as it lives. */
struct rtsp_conn *rtsp_conn_new(struct event_base *base, struct clock *clock, int fd,
				const struct rtsp_tls_config *tls, const struct rtsp_conn_ops *ops,
				void *arg);
void rtsp_conn_free(struct rtsp_conn **conn); /* NULL-safe, also from within a callback */
/* Sends soon, in order. 0; -ENOBUFS: the camera does not read; -ENOTCONN: not ready, or ended. */
int rtsp_conn_send(struct rtsp_conn *conn, const void *data, size_t len);
/* Reads nothing more, and shows nothing more, until it is let go on. Also from within on_bytes().
 */
void rtsp_conn_hold(struct rtsp_conn *conn, bool is_held);
int rtsp_conn_fd(const struct rtsp_conn *conn);

#endif
