/*
 * A self-signed certificate (RFC 5280) as browsers want one of a server.
 */
#include "config.h"

#include "http/cert.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES   253
#define COMMON_MAX_BYTES 64 /* ub-common-name */
#define DAY_S            (24 * 60 * 60L)
#define SERIAL_BYTES     16

static int
is_address(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

int
cert_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (is_address(name))
		return 1;
	return len >= 1 && len <= NAME_MAX_BYTES && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
		   len;
}

/* "DNS:cam.lan,IP:192.0.2.1", malloc'd. */
static char *
alternative_names(const struct cert_wish *wish)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < wish->n_names; i++) {
		char *longer = xasprintf("%s%s%s:%s", all, i > 0 ? "," : "",
					 is_address(wish->names[i]) ? "IP" : "DNS", wish->names[i]);

		free(all);
		all = longer;
	}
	return all;
}

static int
add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return ok ? 0 : -EINVAL;
}

static int
add_extensions(X509 *certificate, const struct cert_wish *wish)
{
	char *names = alternative_names(wish);
	int rc = add_extension(certificate, NID_subject_alt_name, names);

	free(names);
	if (rc == 0)
		rc = add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
	if (rc == 0)
		rc = add_extension(certificate, NID_key_usage, "critical,digitalSignature");
	if (rc == 0)
		rc = add_extension(certificate, NID_ext_key_usage, "serverAuth");
	return rc;
}

static int
set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number;
	int ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -ENOMEM;
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number != NULL &&
	     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return ok ? 0 : -ENOMEM;
}

static int
fill_in(X509 *certificate, EVP_PKEY *key, const struct cert_wish *wish)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	char common[COMMON_MAX_BYTES + 1];

	snprintf(common, sizeof(common), "%s", wish->names[0]);
	/* It was made by a clock that need not be the browser's. */
	if (X509_set_version(certificate, X509_VERSION_3) != 1 || set_serial(certificate) < 0 ||
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)wish->days * DAY_S) == NULL ||
	    X509_set_pubkey(certificate, key) != 1 ||
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (unsigned char *)common, -1, -1,
				       0) != 1 ||
	    X509_set_issuer_name(certificate, subject) != 1)
		return -ENOMEM;
	return add_extensions(certificate, wish);
}

static char *
take_text(BIO *bio, size_t *len)
{
	char *data, *text;
	long n = BIO_get_mem_data(bio, &data);

	text = xmalloc((size_t)n + 1);
	memcpy(text, data, (size_t)n);
	text[n] = '\0';
	OPENSSL_cleanse(data, (size_t)n);
	*len = (size_t)n;
	return text;
}

static int
to_pem(X509 *certificate, EVP_PKEY *key, struct cert_pair *pair)
{
	BIO *certificate_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
	int ok = certificate_bio != NULL && key_bio != NULL &&
		 PEM_write_bio_X509(certificate_bio, certificate) == 1 &&
		 PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1;

	if (ok) {
		pair->certificate = take_text(certificate_bio, &pair->certificate_len);
		pair->key = take_text(key_bio, &pair->key_len);
	}
	BIO_free(certificate_bio);
	BIO_free(key_bio);
	return ok ? 0 : -ENOMEM;
}

int
cert_make(const struct cert_wish *wish, struct cert_pair *pair)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	int rc = key != NULL && certificate != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < wish->n_names; i++)
		if (!cert_name_is_valid(wish->names[i]))
			rc = -EINVAL;
	if (wish->n_names == 0 || wish->days == 0 || wish->days > CERT_DAYS_MAX)
		rc = -EINVAL;
	if (rc == 0)
		rc = fill_in(certificate, key, wish);
	if (rc == 0 && X509_sign(certificate, key, EVP_sha256()) == 0)
		rc = -ENOMEM;
	if (rc == 0)
		rc = to_pem(certificate, key, pair);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return rc;
}

int
cert_fingerprint(const char *pem, size_t len, char *text)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int ok = certificate != NULL && X509_digest(certificate, EVP_sha256(), digest, &n) == 1;

	for (unsigned i = 0; ok && i < n; i++)
		snprintf(text + 3 * i, CERT_TEXT_MAX - 3 * i, "%02X%s", digest[i],
			 i + 1 < n ? ":" : "");
	X509_free(certificate);
	BIO_free(bio);
	return ok ? 0 : -EINVAL;
}

void
cert_pair_clear(struct cert_pair *pair)
{
	if (pair->key != NULL)
		OPENSSL_cleanse(pair->key, pair->key_len);
	free(pair->certificate);
	free(pair->key);
	*pair = (struct cert_pair){ .certificate = NULL };
}
