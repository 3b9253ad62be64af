/*
 * What tokens are checked with: two keys and the list of ids that hold no longer, as the control
 * channel carries them.
 */
#include "config.h"

#include "shared/token.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

void
token_keys_sort(struct token_keys *keys)
{
	if (keys->n_revoked > 1)
		qsort(keys->revoked, keys->n_revoked, sizeof(keys->revoked[0]), compare_ids);
}

bool
token_keys_is_revoked(const struct token_keys *keys, const char *id)
{
	return keys->n_revoked > 0 && bsearch(id, keys->revoked, keys->n_revoked,
					      sizeof(keys->revoked[0]), compare_ids) != NULL;
}

void
token_keys_clear(struct token_keys *keys)
{
	if (keys == NULL)
		return;
	free(keys->revoked);
	OPENSSL_cleanse(keys, sizeof(*keys));
}

static int
digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_key(const json_t *value, unsigned char key[TOKEN_KEY_BYTES])
{
	const char *text = json_string_value(value);

	if (text == NULL || json_string_length(value) != 2 * TOKEN_KEY_BYTES)
		return false;
	for (size_t i = 0; i < TOKEN_KEY_BYTES; i++) {
		int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool
read_revoked(const json_t *list, struct token_keys *keys)
{
	size_t n = json_array_size(list), i;
	const json_t *item;

	if (list == NULL)
		return true;
	if (!json_is_array(list) || n > TOKEN_REVOKED_MAX)
		return false;
	keys->revoked = xcalloc(n + 1, sizeof(keys->revoked[0]));
	json_array_foreach (list, i, item) {
		const char *id = json_string_value(item);

		if (id == NULL || !token_id_is_valid(id))
			return false;
		memcpy(keys->revoked[i], id, TOKEN_ID_CHARS + 1);
	}
	keys->n_revoked = n;
	token_keys_sort(keys);
	return true;
}

int
token_keys_from_msg(const json_t *msg, struct token_keys *keys)
{
	const json_t *previous = json_object_get(msg, "previous");
	struct token_keys read = { .has_previous = previous != NULL };

	if (!read_key(json_object_get(msg, "current"), read.current) ||
	    (previous != NULL && !read_key(previous, read.previous)) ||
	    !read_revoked(json_object_get(msg, "revoked"), &read)) {
		token_keys_clear(&read);
		return -EINVAL;
	}
	token_keys_clear(keys);
	*keys = read;
	OPENSSL_cleanse(&read, sizeof(read));
	return 0;
}

static void
write_key(const unsigned char key[TOKEN_KEY_BYTES], json_t *msg, const char *name)
{
	char text[2 * TOKEN_KEY_BYTES + 1];

	for (size_t i = 0; i < TOKEN_KEY_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	if (json_object_set_new(msg, name, json_string(text)) < 0)
		xalloc_die();
	OPENSSL_cleanse(text, sizeof(text));
}

void
token_keys_to_msg(const struct token_keys *keys, json_t *msg)
{
	json_t *revoked = json_array();

	for (size_t i = 0; i < keys->n_revoked; i++)
		json_array_append_new(revoked, json_string(keys->revoked[i]));
	write_key(keys->current, msg, "current");
	if (keys->has_previous)
		write_key(keys->previous, msg, "previous");
	if (json_object_set_new(msg, "revoked", revoked) < 0)
		xalloc_die();
}
