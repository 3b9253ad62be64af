/*
 * URLs without their userinfo, and text without secrets.
 */
#ifndef CAMHUB_SHARED_REDACT_H
#define CAMHUB_SHARED_REDACT_H

#include <stddef.h>

/* url without "user:password@", malloc'd. Works on anything, also on what is no URL. */
char *redact_url(const char *url);
/* Replace each occurrence of each secret (plain, %-encoded, base64 of itself) in text. malloc'd. */
char *redact_text(const char *text, const char *const *secrets, size_t n);

#endif
