/*
 * The words that tokens are made of, for those too who sign nothing.
 */
#include "config.h"

#include "shared/token.h"

#include "shared/base64url.h"

#include <errno.h>
#include <string.h>

static const char *const kind_names[TOKEN_KINDS] = { "session", "link", "ticket", "bearer" };
static const char *const role_names[TOKEN_ROLES] = { "viewer", "operator" };

const char *
token_kind_name(enum token_kind kind)
{
	return (unsigned)kind < TOKEN_KINDS ? kind_names[kind] : "?";
}

const char *
token_role_name(enum token_role role)
{
	return (unsigned)role < TOKEN_ROLES ? role_names[role] : "?";
}

static int
index_of(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -EINVAL;
}

int
token_role_from_name(const char *name, enum token_role *role)
{
	int index = index_of(name, role_names, TOKEN_ROLES);

	if (index < 0)
		return index;
	*role = (enum token_role)index;
	return 0;
}

int
token_kind_from_name(const char *name, enum token_kind *kind)
{
	int index = index_of(name, kind_names, TOKEN_KINDS);

	if (index < 0)
		return index;
	*kind = (enum token_kind)index;
	return 0;
}

void
token_id_from(const unsigned char bytes[16], char *id)
{
	base64url_encode(bytes, 16, id);
}

bool
token_id_is_valid(const char *id)
{
	unsigned char bytes[16];
	size_t len;

	return base64url_decode(id, strlen(id), bytes, sizeof(bytes), &len) == 0 &&
	       len == sizeof(bytes);
}

bool
token_user_is_valid(const char *user)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
	size_t len = strlen(user);

	return len >= 1 && len <= TOKEN_USER_MAX && strspn(user, letters) == len &&
	       strchr("._@-", user[0]) == NULL;
}

bool
token_covers(const struct token_claims *claims, const char *camera)
{
	for (size_t i = 0; i < claims->n_cameras; i++)
		if (glob_matches(claims->cameras[i], camera))
			return true;
	return false;
}
