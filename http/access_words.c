/*
 * Headers, taken apart.
 */
#include "config.h"

#include "http/access_words.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BASIC_CHARS_MAX 432 /* base64 of user, colon, password, and one group too many */

/* What follows the scheme's name, or NULL. */
static const char *
after_scheme(const char *header, const char *scheme)
{
	size_t len = strlen(scheme);

	if (header == NULL || strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
		return NULL;
	return header + len + strspn(header + len, " ");
}

/* 0 and *len; out has room for 3 bytes of each 4 characters. EVP takes blanks and more: we do not.
 */
static int
decode_base64(const char *text, unsigned char *out, size_t *len)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t chars = strspn(text, alphabet), pads = strspn(text + chars, "=");
	int n;

	if (text[chars + pads] != '\0' || pads > 2 || (chars + pads) % 4 != 0 || chars == 0)
		return -EBADMSG;
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)(chars + pads));
	if (n < (int)pads)
		return -EBADMSG;
	*len = (size_t)n - pads;
	return 0;
}

static bool
has_controls(const unsigned char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] == 0x7f)
			return true;
	return false;
}

static int
split_password(const unsigned char *text, size_t len, struct access_password *password)
{
	const unsigned char *colon = memchr(text, ':', len);
	size_t user_len, password_len;

	if (colon == NULL || has_controls(text, len))
		return -EBADMSG;
	user_len = (size_t)(colon - text);
	password_len = len - user_len - 1;
	if (user_len > ACCESS_USER_MAX || password_len > ACCESS_PASSWORD_MAX)
		return -EBADMSG;
	memset(password, 0, sizeof(*password));
	memcpy(password->user, text, user_len);
	memcpy(password->password, colon + 1, password_len);
	return 0;
}

int
access_read_basic(const char *header, struct access_password *password)
{
	const char *text = after_scheme(header, "Basic");
	unsigned char plain[BASIC_CHARS_MAX / 4 * 3 + 1];
	size_t len;
	int rc;

	if (text == NULL)
		return -EINVAL;
	if (strlen(text) > BASIC_CHARS_MAX)
		return -EBADMSG;
	rc = decode_base64(text, plain, &len);
	if (rc == 0)
		rc = split_password(plain, len, password);
	OPENSSL_cleanse(plain, sizeof(plain));
	return rc;
}

void
access_password_wipe(struct access_password *password)
{
	OPENSSL_cleanse(password, sizeof(*password));
}

const char *
access_read_bearer(const char *header)
{
	return after_scheme(header, "Bearer");
}

const char *
access_find_cookie(const char *header, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	const char *found = NULL;

	while (header != NULL && *header != '\0') {
		size_t pair = strcspn(header, ";");

		if (pair > name_len && strncmp(header, name, name_len) == 0 &&
		    header[name_len] == '=') {
			if (found != NULL)
				return NULL;
			found = header + name_len + 1;
			*len = pair - name_len - 1;
		}
		header += pair;
		header += strspn(header, "; \t");
	}
	return found;
}

bool
access_is_local_path(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-./?=&,";

	return text[0] != '/' && strstr(text, "//") == NULL && strstr(text, "..") == NULL &&
	       text[strspn(text, allowed)] == '\0' && strlen(text) <= 512;
}

void
access_camera_of(const char *stream, char *camera, size_t size)
{
	snprintf(camera, size, "%.*s", (int)strcspn(stream, "."), stream);
}
