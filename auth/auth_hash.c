/*
 * Around crypt_r(3).
 */
#include "config.h"

#include "auth/auth_hash.h"

#include "shared/xalloc.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static const char method[] = "$y$";

/* Whom nobody is: any salt does. Every answer is wrong, and takes as long. */
static const char nobody[] = "$y$j9T$mR4y1qDNVsxHYbkEtrwqm0$";

static int
hash_with(const char *password, const char *setting, char *hash)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *made = crypt_r(password, setting, data);
	int rc = 0;

	/* Failures come as NULL or as text that begins with '*', which no hash does. */
	if (made == NULL || made[0] == '*' || strlen(made) > AUTH_HASH_BYTES)
		rc = -EINVAL;
	else
		memcpy(hash, made, strlen(made) + 1);
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return rc;
}

int
auth_hash_make(const char *password, char *hash)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (crypt_gensalt_rn(method, 0, NULL, 0, setting, sizeof(setting)) == NULL)
		return -errno;
	return hash_with(password, setting, hash);
}

bool
auth_hash_check(const char *password, const char *hash)
{
	char made[AUTH_HASH_BYTES + 1] = "";
	bool is_known = hash != NULL && strncmp(hash, method, sizeof(method) - 1) == 0;
	bool good = hash_with(password, is_known ? hash : nobody, made) == 0;

	if (!good && is_known)
		(void)hash_with(password, nobody, made);
	good = good && is_known && strlen(made) == strlen(hash) &&
	       CRYPTO_memcmp(made, hash, strlen(made)) == 0;
	OPENSSL_cleanse(made, sizeof(made));
	return good;
}
