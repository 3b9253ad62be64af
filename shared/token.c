/*
 * Tokens: text <-> claims, under two keys.
 */
#include "config.h"

#include "shared/token.h"

#include "shared/base64url.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#define PREFIX      "v1."
#define PREFIX_LEN  (sizeof(PREFIX) - 1)
#define MAC_BYTES   32
#define MAC_CHARS   BASE64URL_CHARS(MAC_BYTES)
#define PAYLOAD_MAX 900 /* the longest claims take some 750 */
#define N_FIELDS    7

/* Sessions have one, and what else may be in the name of a user; links are in nobody's. */
static bool
is_generation_sound(const struct token_claims *claims)
{
	if (claims->generation < 0 || claims->generation > TOKEN_GENERATION_MAX)
		return false;
	if (claims->generation == 0)
		return claims->kind != TOKEN_SESSION;
	return claims->kind != TOKEN_LINK && claims->user[0] != '\0';
}

/* Claims that a token may carry, whoever wrote them. */
static bool
are_sound(const struct token_claims *claims)
{
	if ((unsigned)claims->kind >= TOKEN_KINDS || (unsigned)claims->role >= TOKEN_ROLES ||
	    !token_id_is_valid(claims->id) || claims->n_cameras > TOKEN_CAMERAS_MAX)
		return false;
	if (claims->user[0] != '\0' && !token_user_is_valid(claims->user))
		return false;
	/* Who is nobody may see what is named, and no more than look. */
	if (claims->user[0] == '\0' && (claims->n_cameras == 0 || claims->role != TOKEN_VIEWER))
		return false;
	if (!is_generation_sound(claims))
		return false;
	if (claims->parent[0] != '\0' &&
	    (claims->kind != TOKEN_TICKET || !token_id_is_valid(claims->parent)))
		return false;
	for (size_t i = 0; i < claims->n_cameras; i++)
		if (!glob_is_valid(claims->cameras[i]))
			return false;
	return claims->expires_s > 0 && claims->expires_s <= TOKEN_EXPIRY_MAX &&
	       claims->viewers >= 0 && claims->viewers <= TOKEN_VIEWERS_MAX;
}

static char *
make_payload(const struct token_claims *claims)
{
	json_t *cameras = json_array(), *payload;
	char *text;

	for (size_t i = 0; i < claims->n_cameras; i++)
		json_array_append_new(cameras, json_string(claims->cameras[i]));
	payload = json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:i}", "k",
			    token_kind_name(claims->kind), "id", claims->id, "u", claims->user, "c",
			    cameras, "r", token_role_name(claims->role), "exp",
			    (json_int_t)claims->expires_s, "n", claims->viewers);
	if (claims->parent[0] != '\0' &&
	    json_object_set_new(payload, "p", json_string(claims->parent)) < 0)
		xalloc_die();
	if (claims->generation > 0 &&
	    json_object_set_new(payload, "g", json_integer(claims->generation)) < 0)
		xalloc_die();
	text = payload != NULL ? json_dumps(payload, JSON_COMPACT) : NULL;
	if (text == NULL)
		xalloc_die();
	json_decref(payload);
	return text;
}

static void
sign(const unsigned char *key, const char *text, size_t len, unsigned char mac[MAC_BYTES])
{
	unsigned mac_len = MAC_BYTES;

	if (HMAC(EVP_sha256(), key, TOKEN_KEY_BYTES, (const unsigned char *)text, len, mac,
		 &mac_len) == NULL)
		xalloc_die();
}

int
token_make(const struct token_keys *keys, const struct token_claims *claims, char *out, size_t size)
{
	unsigned char mac[MAC_BYTES];
	char *payload;
	size_t len, n;

	if (!are_sound(claims))
		return -EINVAL;
	payload = make_payload(claims);
	len = strlen(payload);
	if (len > PAYLOAD_MAX || PREFIX_LEN + BASE64URL_CHARS(len) + 1 + MAC_CHARS + 1 > size) {
		free(payload);
		return -ENOSPC;
	}
	memcpy(out, PREFIX, PREFIX_LEN);
	n = PREFIX_LEN + base64url_encode(payload, len, out + PREFIX_LEN);
	free(payload);
	sign(keys->current, out, n, mac);
	out[n++] = '.';
	base64url_encode(mac, MAC_BYTES, out + n);
	return 0;
}

/* Both keys are always tried: how long it takes says nothing about which it was. */
static bool
is_signed(const struct token_keys *keys, const char *text, size_t len,
	  const unsigned char given[MAC_BYTES], bool *by_previous)
{
	unsigned char mac[MAC_BYTES];
	bool good, previous;

	sign(keys->current, text, len, mac);
	good = CRYPTO_memcmp(mac, given, MAC_BYTES) == 0;
	sign(keys->previous, text, len, mac);
	previous = (CRYPTO_memcmp(mac, given, MAC_BYTES) == 0) & keys->has_previous;
	OPENSSL_cleanse(mac, sizeof(mac));
	*by_previous = previous & !good;
	return good | previous;
}

static bool
read_text(const json_t *payload, const char *name, char *out, size_t size)
{
	const json_t *value = json_object_get(payload, name);
	size_t len = json_string_length(value);

	/* jansson refuses \u0000 in strings by itself. */
	if (!json_is_string(value) || len >= size)
		return false;
	memcpy(out, json_string_value(value), len + 1);
	return true;
}

static bool
read_cameras(const json_t *payload, struct token_claims *claims)
{
	const json_t *list = json_object_get(payload, "c"), *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > TOKEN_CAMERAS_MAX)
		return false;
	json_array_foreach (list, i, item) {
		size_t len = json_string_length(item);

		if (!json_is_string(item) || len > GLOB_BYTES)
			return false;
		memcpy(claims->cameras[i], json_string_value(item), len + 1);
	}
	claims->n_cameras = json_array_size(list);
	return true;
}

static bool
read_numbers(const json_t *payload, struct token_claims *claims)
{
	const json_t *expires = json_object_get(payload, "exp");
	const json_t *viewers = json_object_get(payload, "n");
	const json_t *generation = json_object_get(payload, "g");

	if (!json_is_integer(expires) || !json_is_integer(viewers) ||
	    json_integer_value(viewers) < 0 || json_integer_value(viewers) > TOKEN_VIEWERS_MAX)
		return false;
	if (generation != NULL && json_integer_value(generation) == 0)
		return false;
	claims->generation = json_integer_value(generation);
	claims->expires_s = json_integer_value(expires);
	claims->viewers = (int)json_integer_value(viewers);
	return true;
}

static bool
read_claims(const json_t *payload, struct token_claims *claims)
{
	bool has_parent = json_object_get(payload, "p") != NULL;
	bool has_generation = json_object_get(payload, "g") != NULL;
	char kind[16], role[16];

	if (json_object_size(payload) != N_FIELDS + (size_t)(has_parent + has_generation) ||
	    (has_parent && !read_text(payload, "p", claims->parent, sizeof(claims->parent))) ||
	    !read_text(payload, "k", kind, sizeof(kind)) ||
	    !read_text(payload, "r", role, sizeof(role)) ||
	    !read_text(payload, "id", claims->id, sizeof(claims->id)) ||
	    !read_text(payload, "u", claims->user, sizeof(claims->user)) ||
	    !read_cameras(payload, claims) || !read_numbers(payload, claims))
		return false;
	return token_kind_from_name(kind, &claims->kind) == 0 &&
	       token_role_from_name(role, &claims->role) == 0 && are_sound(claims);
}

static int
parse_payload(const char *text, size_t len, struct token_claims *claims)
{
	struct token_claims read = { 0 };
	char bytes[PAYLOAD_MAX];
	size_t n_bytes;
	json_t *payload;
	bool good;

	if (base64url_decode(text, len, bytes, sizeof(bytes), &n_bytes) < 0)
		return -EBADMSG;
	payload = json_loadb(bytes, n_bytes, JSON_REJECT_DUPLICATES, NULL);
	good = json_is_object(payload) && read_claims(payload, &read);
	json_decref(payload);
	if (!good)
		return -EBADMSG;
	*claims = read;
	return 0;
}

int
token_verify(const struct token_keys *keys, const char *text, size_t len, int64_t now_s,
	     struct token_claims *claims)
{
	unsigned char given[MAC_BYTES];
	struct token_claims read;
	size_t signed_len, given_len;
	const char *payload = text + PREFIX_LEN;
	bool by_previous;

	if (len < PREFIX_LEN + 1 + 1 + MAC_CHARS || len >= TOKEN_MAX_BYTES ||
	    memcmp(text, PREFIX, PREFIX_LEN) != 0)
		return -EBADMSG;
	signed_len = len - MAC_CHARS - 1;
	if (text[signed_len] != '.' || memchr(payload, '.', signed_len - PREFIX_LEN) != NULL ||
	    base64url_decode(text + signed_len + 1, MAC_CHARS, given, sizeof(given), &given_len) <
		0)
		return -EBADMSG;
	if (!is_signed(keys, text, signed_len, given, &by_previous))
		return -EKEYREJECTED;
	if (parse_payload(payload, signed_len - PREFIX_LEN, &read) < 0)
		return -EBADMSG;
	if (now_s >= read.expires_s)
		return -ETIME;
	if (token_keys_is_revoked(keys, read.id) || token_keys_is_revoked(keys, read.parent))
		return -EKEYREVOKED;
	read.by_previous = by_previous;
	*claims = read;
	return 0;
}
