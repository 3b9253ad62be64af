/*
 * Tokens: any bytes as one; any bytes as the payload of one that is signed; any bytes as the keys.
 * The first byte says which.
 */
#include "config.h"

#include "shared/base64url.h"
#include "shared/token.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define NOW_S       1000
#define PAYLOAD_MAX 2048

static struct token_keys keys = { .current = "the current key of 32 bytes", .has_previous = true };

/* What was accepted can be made again, and is read the same. */
static void
check_accepted(const struct token_claims *claims)
{
	struct token_claims again = { .viewers = 1 };
	char text[TOKEN_MAX_BYTES];

	FUZZ_CHECK(token_id_is_valid(claims->id) && claims->expires_s > NOW_S);
	FUZZ_CHECK(claims->user[0] == '\0' || token_user_is_valid(claims->user));
	FUZZ_CHECK(claims->user[0] != '\0' ||
		   (claims->n_cameras > 0 && claims->role == TOKEN_VIEWER));
	FUZZ_CHECK(token_make(&keys, claims, text, sizeof(text)) == 0);
	FUZZ_CHECK(token_verify(&keys, text, strlen(text), NOW_S, &again) == 0);
	FUZZ_CHECK(memcmp(&again, claims, sizeof(again)) == 0);
	FUZZ_CHECK(token_verify(&keys, text, strlen(text), claims->expires_s, &again) == -ETIME);
}

static void
verify(const char *text, size_t len)
{
	struct token_claims claims = { .viewers = -7 };
	int rc = token_verify(&keys, text, len, NOW_S, &claims);

	if (rc == 0)
		check_accepted(&claims);
	else
		FUZZ_CHECK(claims.viewers == -7);
}

static void
verify_signed(const uint8_t *payload, size_t len)
{
	char text[8 + BASE64URL_CHARS(PAYLOAD_MAX) + 64];
	unsigned char mac[32];
	size_t n = 3;

	if (len > PAYLOAD_MAX)
		return;
	memcpy(text, "v1.", 3);
	n += base64url_encode(payload, len, text + n);
	FUZZ_CHECK(HMAC(EVP_sha256(), keys.current, TOKEN_KEY_BYTES, (unsigned char *)text, n, mac,
			NULL) != NULL);
	text[n++] = '.';
	n += base64url_encode(mac, sizeof(mac), text + n);
	verify(text, n);
}

static void
read_keys(const uint8_t *data, size_t size)
{
	json_t *msg = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct token_keys read = { .has_previous = false };

	if (json_is_object(msg) && token_keys_from_msg(msg, &read) == 0)
		for (size_t i = 0; i < read.n_revoked; i++)
			FUZZ_CHECK(token_keys_is_revoked(&read, read.revoked[i]));
	token_keys_clear(&read);
	json_decref(msg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'k')
		read_keys(data + 1, size - 1);
	else if (data[0] == 's')
		verify_signed(data + 1, size - 1);
	else
		verify((const char *)data, size);
	return 0;
}
