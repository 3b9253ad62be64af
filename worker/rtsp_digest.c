/*
 * What proves that we know the password without telling it.
 */
#include "config.h"

#include "worker/rtsp_digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static void
write_hex(const unsigned char *bytes, unsigned len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	unsigned i;

	for (i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
}

static bool
hash_words(EVP_MD_CTX *context, const char *const *words, size_t n)
{
	bool is_ok = true;
	size_t i;

	for (i = 0; i < n && is_ok; i++)
		is_ok = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
			EVP_DigestUpdate(context, words[i], strlen(words[i])) == 1;
	return is_ok;
}

/* H(a:b:c). Nothing of the words stays in memory of ours. */
static int
hash(const struct rtsp_digest *digest, const char *const *words, size_t n,
     char text[RTSP_DIGEST_TEXT_MAX])
{
	const EVP_MD *algorithm = digest->is_sha256 ? EVP_sha256() : EVP_md5();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool is_ok;

	is_ok = context != NULL && EVP_DigestInit_ex(context, algorithm, NULL) == 1 &&
		hash_words(context, words, n) && EVP_DigestFinal_ex(context, bytes, &len) == 1 &&
		2 * len < RTSP_DIGEST_TEXT_MAX;
	EVP_MD_CTX_free(context);
	if (!is_ok)
		return -ENOTSUP;
	write_hex(bytes, len, text);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

/* H(A1): RFC 7616 3.4.2. */
static int
hash_secret(const struct rtsp_digest *digest, char text[RTSP_DIGEST_TEXT_MAX])
{
	const char *words[] = { digest->user, digest->realm, digest->password };
	char first[RTSP_DIGEST_TEXT_MAX];
	const char *sess[] = { first, digest->nonce, digest->cnonce };
	int err = hash(digest, words, 3, text);

	if (err == 0 && digest->is_sess) {
		memcpy(first, text, sizeof(first));
		err = hash(digest, sess, 3, text);
		explicit_bzero(first, sizeof(first));
	}
	return err;
}

int
rtsp_digest_response(const struct rtsp_digest *digest, char response[RTSP_DIGEST_TEXT_MAX])
{
	char secret[RTSP_DIGEST_TEXT_MAX] = "", request[RTSP_DIGEST_TEXT_MAX], nc[9];
	const char *request_words[] = { digest->method, digest->uri };
	const char *plain[] = { secret, digest->nonce, request };
	const char *qop[] = { secret, digest->nonce, nc, digest->cnonce, "auth", request };
	int err = hash_secret(digest, secret);

	if (err == 0)
		err = hash(digest, request_words, 2, request);
	(void)snprintf(nc, sizeof(nc), "%08x", digest->nc);
	if (err == 0)
		err = digest->has_qop ? hash(digest, qop, 6, response)
				      : hash(digest, plain, 3, response);
	explicit_bzero(secret, sizeof(secret));
	return err;
}
