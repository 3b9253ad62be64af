/*
 * The front's side of TLS: an identity (certificate chain and private key) and what it takes to
 * greet a browser with it. TLS 1.2 and 1.3 with forward secrecy alone, HTTP/1.1 by ALPN.
 */
#ifndef CAMHUB_HTTP_TLS_H
#define CAMHUB_HTTP_TLS_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_TEXT_MAX  256
#define TLS_BYTES_MAX (256u << 10) /* of the PEM text of an identity */

struct tls;

/*
 * pem: the certificate, those of its issuers, and the key without a passphrase (PKCS #8, SEC 1 or
 * PKCS #1) in PEM, the server's certificate before its issuers'. 0 and *tls; or -EINVAL and why in
 * why (TLS_TEXT_MAX), for people; never anything of the key.
 */
int tls_new(const void *pem, size_t len, struct tls **tls, char *why);
/* The same from a file descriptor (a memfd: read from its start, len from fstat); also -EFBIG,
 * -errno of read. What was read is wiped. */
int tls_new_from_fd(int fd, struct tls **tls, char *why);
void tls_free(struct tls **tls); /* NULL-safe; connections keep what they need */

/* A server's end of a new connection, without socket; NULL: out of memory. */
SSL *tls_accept(const struct tls *tls);
/* "certificate of cam.lan, until 2027-11-23": for people; borrowed. */
const char *tls_text(const struct tls *tls);
/* Whether the certificate is for this host name or address. */
int tls_is_for(const struct tls *tls, const char *name);

#endif
