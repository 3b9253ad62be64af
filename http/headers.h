/*
 * Header lines that every answer carries, whoever writes it.
 */
#ifndef CAMHUB_HTTP_HEADERS_H
#define CAMHUB_HTTP_HEADERS_H

#define HEADERS_NOSNIFF  "nosniff"
#define HEADERS_REFERRER "no-referrer"
#define HEADERS_HSTS     "max-age=31536000"

/* For the answers that are written by hand; the policy (CSP) is for pages. */
#define HEADERS_FIXED                                                                              \
	"X-Content-Type-Options: " HEADERS_NOSNIFF "\r\nReferrer-Policy: " HEADERS_REFERRER "\r\n"

#endif
