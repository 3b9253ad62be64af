/*
 * "ann operator door yard*" -> a user.
 */
#include "config.h"

#include "http/access_users.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The next word of *text, cut off; NULL: there is none. */
static char *
next_word(char **text)
{
	char *word;

	while ((word = strsep(text, " ")) != NULL)
		if (*word != '\0')
			return word;
	return NULL;
}

static int
read_user(char *text, struct access_user *user)
{
	const char *name = next_word(&text), *role = next_word(&text), *pattern;

	if (name == NULL || role == NULL || !token_user_is_valid(name) ||
	    token_role_from_name(role, &user->role) < 0)
		return -EINVAL;
	strcpy(user->name, name);
	user->generation = 1;
	while ((pattern = next_word(&text)) != NULL) {
		if (user->n_cameras == TOKEN_CAMERAS_MAX || !glob_is_valid(pattern))
			return -EINVAL;
		strcpy(user->cameras[user->n_cameras++], pattern);
	}
	return 0;
}

/* "ann 1700000000000"; of somebody unknown: it does not matter. */
static int
read_generation(const char *text, struct access_users *users)
{
	size_t len = strcspn(text, " ");
	long long number;
	char *end;

	if (text[len] != ' ' || text[len + 1] < '1' || text[len + 1] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoll(text + len + 1, &end, 10);
	if (*end != '\0' || errno != 0 || number > TOKEN_GENERATION_MAX)
		return -EINVAL;
	for (size_t i = 0; i < users->n; i++)
		if (strlen(users->list[i].name) == len &&
		    memcmp(users->list[i].name, text, len) == 0)
			users->list[i].generation = number;
	return 0;
}

static int
read_generations(const json_t *list, struct access_users *users)
{
	const json_t *item;
	size_t i;
	int rc = 0;

	json_array_foreach (list, i, item)
		if (rc == 0)
			rc = read_generation(json_string_value(item), users);
	return rc;
}

int
access_users_from_msg(const json_t *msg, struct access_users *users)
{
	const json_t *list = json_object_get(msg, "users"), *item;
	struct access_users fresh = { .list = NULL };
	size_t i;
	int rc = 0;

	if (json_array_size(list) > ACCESS_USERS_MAX)
		return -EINVAL;
	fresh.list = xcalloc(json_array_size(list) + 1, sizeof(fresh.list[0]));
	json_array_foreach (list, i, item) {
		char *text = xstrdup(json_string_value(item));

		if (rc == 0)
			rc = read_user(text, &fresh.list[fresh.n++]);
		free(text);
	}
	if (rc == 0)
		rc = read_generations(json_object_get(msg, "generations"), &fresh);
	if (rc < 0) {
		access_users_clear(&fresh);
		return rc;
	}
	access_users_clear(users);
	*users = fresh;
	return 0;
}

void
access_users_clear(struct access_users *users)
{
	free(users->list);
	*users = (struct access_users){ .list = NULL };
}

const struct access_user *
access_users_find(const struct access_users *users, const char *name)
{
	for (size_t i = 0; i < users->n; i++)
		if (strcmp(users->list[i].name, name) == 0)
			return &users->list[i];
	return NULL;
}
