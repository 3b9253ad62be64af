/*
 * Who may do what: the keys of tokens and the users, as the supervisor tells them in access-keys.
 */
#ifndef CAMHUB_HTTP_ACCESS_USERS_H
#define CAMHUB_HTTP_ACCESS_USERS_H

#include "shared/token.h"

#define ACCESS_USERS_MAX 64

struct access_user {
	char name[TOKEN_USER_MAX + 1];
	enum token_role role;
	char cameras[TOKEN_CAMERAS_MAX][GLOB_BYTES + 1];
	size_t n_cameras;
	int64_t generation; /* of his logins: the others have ended */
};

struct access_users {
	struct access_user *list;
	size_t n;
};

/* The users in the message access-keys, with their generations. 0 and *users, whose former contents
 * are freed; or -EINVAL, *users untouched. */
int access_users_from_msg(const json_t *msg, struct access_users *users);
void access_users_clear(struct access_users *users);

/* NULL: there is none (any more). */
const struct access_user *access_users_find(const struct access_users *users, const char *name);

#endif
