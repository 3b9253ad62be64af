/*
 * base64url without padding (RFC 4648, section 5): what tokens and ids are written in.
 */
#ifndef CAMHUB_SHARED_BASE64URL_H
#define CAMHUB_SHARED_BASE64URL_H

#include <stddef.h>

/* Characters that len bytes take, without the NUL. */
#define BASE64URL_CHARS(len) (((len)*4 + 2) / 3)

/* Writes BASE64URL_CHARS(len) characters and a NUL; out has room for them. Returns their number. */
size_t base64url_encode(const void *bytes, size_t len, char *out);

/*
 * Strict: no padding, no other characters, bits that stand for nothing are 0, so that one value has
 * one text. Writes at most size bytes. 0 and *out_len; -EBADMSG; -EMSGSIZE when they do not fit.
 */
int base64url_decode(const char *text, size_t len, void *out, size_t size, size_t *out_len);

#endif
