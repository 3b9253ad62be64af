/*
 * TLS to a camera over a non-blocking socket. OpenSSL is not touched before the first
 * rtsp_tls_new().
 */
#ifndef CAMHUB_WORKER_RTSP_TLS_H
#define CAMHUB_WORKER_RTSP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTSP_TLS_REASON_MAX 320

enum rtsp_tls_mode { RTSP_TLS_NONE, RTSP_TLS_VERIFY, RTSP_TLS_INSECURE, RTSP_TLS_PINNED };

struct rtsp_tls_config {
	enum rtsp_tls_mode mode;
	const char *host;       /* for SNI and the certificate's name; borrowed for the call */
	uint8_t pin_sha256[32]; /* PINNED: of the certificate (DER) */
};

/* "verify", "insecure", "sha256:" and 64 hex digits (colons between them allowed). 0, -EINVAL. */
int rtsp_tls_read_mode(const char *text, struct rtsp_tls_config *config);

enum rtsp_tls_io {
	RTSP_TLS_OK,
	RTSP_TLS_WANT_READ,  /* again when the socket is readable */
	RTSP_TLS_WANT_WRITE, /* again when it is writable */
	RTSP_TLS_END,        /* the camera closed in order */
	RTSP_TLS_ERROR,      /* rtsp_tls_reason() */
};

struct rtsp_tls;

/* fd is borrowed. NULL: out of memory. */
struct rtsp_tls *rtsp_tls_new(int fd, const struct rtsp_tls_config *config);
void rtsp_tls_free(struct rtsp_tls **tls); /* NULL-safe */

/* Until OK: then the certificate is what config asks for, and not one byte was sent before. */
enum rtsp_tls_io rtsp_tls_handshake(struct rtsp_tls *tls);
/* OK: *n bytes, at least 1. */
enum rtsp_tls_io rtsp_tls_read(struct rtsp_tls *tls, void *data, size_t size, size_t *n);
enum rtsp_tls_io rtsp_tls_write(struct rtsp_tls *tls, const void *data, size_t len, size_t *n);
/* Bytes may be there that the socket no longer shows: read again. */
bool rtsp_tls_has_pending(const struct rtsp_tls *tls);
/* What went wrong, in words for people, with what to do about it. */
const char *rtsp_tls_reason(const struct rtsp_tls *tls);

#endif
