/*
 * The connection to a camera in the worker's loop: a socket, TLS over it where it is asked for,
 * one buffer in, one bounded queue out. Bytes are shown to the owner where they arrived.
 */
#ifndef CAMHUB_WORKER_RTSP_CONN_EV_H
#define CAMHUB_WORKER_RTSP_CONN_EV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTSP_CONN_OUT_MAX 65536 /* a camera that does not read is lost */

struct event_base;
struct rtsp_conn;

struct rtsp_conn_ops {
	/* Ready for requests (after TLS's handshake). */
	void (*on_ready)(void *arg);
	/* All bytes that are unread, oldest first; returns how many are done with (they are shown
	 * again otherwise, with more behind them). now: when they were read. The connection may be
	 * freed from within: return 0 then. */
	size_t (*on_bytes)(void *arg, const uint8_t *data, size_t len, int64_t monotonic_ns,
			   int64_t realtime_ns);
	/* The end; reason in words for people, NULL: the camera closed it in order. Once. */
	void (*on_end)(void *arg, const char *reason);
};

enum rtsp_tls { RTSP_TLS_NONE, RTSP_TLS_VERIFY, RTSP_TLS_INSECURE, RTSP_TLS_PINNED };

struct rtsp_conn_config {
	enum rtsp_tls tls;
	const char *host;       /* for SNI and the certificate's name */
	uint8_t pin_sha256[32]; /* PINNED: of the certificate (DER) */
};

/* fd: connected or connecting, non-blocking; becomes the connection's. */
struct rtsp_conn *rtsp_conn_new(struct event_base *base, int fd,
				const struct rtsp_conn_config *config,
				const struct rtsp_conn_ops *ops, void *arg);
void rtsp_conn_free(struct rtsp_conn **conn); /* NULL-safe, also from within a callback */
/* Sends soon, in order. 0, -ENOBUFS: the camera does not read. */
int rtsp_conn_send(struct rtsp_conn *conn, const void *data, size_t len);

#endif
