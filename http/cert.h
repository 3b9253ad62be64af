/*
 * Certificates of our own making, for networks in which nobody else would make one.
 */
#ifndef CAMHUB_HTTP_CERT_H
#define CAMHUB_HTTP_CERT_H

#include <stddef.h>

#define CERT_NAMES_MAX 64
#define CERT_TEXT_MAX  160 /* of a reason, or a fingerprint */
#define CERT_DAYS_MAX  825 /* longer ones are refused by some browsers */

struct cert_wish {
	const char *names[CERT_NAMES_MAX]; /* host names and addresses; the first is its subject */
	size_t n_names;
	unsigned days;
};

struct cert_pair {
	char *certificate, *key; /* PEM, malloc'd */
	size_t certificate_len, key_len;
};

/* A host name or numeric address that may stand in a certificate. */
int cert_name_is_valid(const char *name);
/* A fresh key (P-256) and a certificate signed with it. 0, -EINVAL (names) or -ENOMEM. */
int cert_make(const struct cert_wish *wish, struct cert_pair *pair);
/* "AB:CD:...", the SHA-256 that browsers show. text: CERT_TEXT_MAX. 0 or -EINVAL. */
int cert_fingerprint(const char *pem, size_t len, char *text);
void cert_pair_clear(struct cert_pair *pair); /* wipes the key */

#endif
