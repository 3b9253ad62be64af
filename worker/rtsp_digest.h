/*
 * The arithmetic of Digest (RFC 7616 3.4, RFC 2617 3.2.2), without any state.
 */
#ifndef CAMHUB_WORKER_RTSP_DIGEST_H
#define CAMHUB_WORKER_RTSP_DIGEST_H

#include <stdbool.h>

#define RTSP_DIGEST_TEXT_MAX 65 /* of a SHA-256 in hexadecimal, with its NUL */

struct rtsp_digest {
	bool is_sha256; /* or MD5 */
	bool is_sess;
	bool has_qop; /* "auth"; without: as in RFC 2069 */
	const char *user, *password, *realm, *nonce, *method, *uri;
	const char *cnonce; /* is_sess or has_qop */
	unsigned nc;        /* has_qop */
};

/* The response, lower case. 0; -ENOTSUP: this OpenSSL does not have the algorithm. */
int rtsp_digest_response(const struct rtsp_digest *digest, char response[RTSP_DIGEST_TEXT_MAX]);

#endif
