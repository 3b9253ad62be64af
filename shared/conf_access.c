/*
 * access: who may see what, and whom else we believe about it. Passwords are not here.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/glob.h"
#include "shared/network.h"
#include "shared/token.h"
#include "shared/url.h"

#include <errno.h>
#include <string.h>

static int
refuse(char *err, const char *what, const char *value, const char *expect)
{
	char shown[CONF_SHOW_BYTES];

	snprintf(err, URL_ERROR_MAX, "%s %s, expected %s", what, conf_show(value, shown), expect);
	return -EINVAL;
}

int
conf_check_user(const char *value, char *err)
{
	if (token_user_is_valid(value))
		return 0;
	return refuse(err, "bad name", value,
		      "1 to 64 letters, digits and . _ @ - that begin with a letter or digit");
}

int
conf_check_glob(const char *value, char *err)
{
	if (glob_is_valid(value))
		return 0;
	return refuse(err, "bad pattern", value,
		      "a camera's name, in which * stands for anything and ? for one character");
}

int
conf_check_network(const char *value, char *err)
{
	struct network network;

	if (network_parse(value, &network) == 0)
		return 0;
	return refuse(err, "wrong address", value, "such as 127.0.0.1, ::1 or 192.0.2.0/24");
}

int
conf_check_header(const char *value, char *err)
{
	size_t len = strlen(value);

	if (len > 0 && strspn(value, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == len)
		return 0;
	return refuse(err, "wrong header", value, "a name of letters, digits and -");
}

const char *
conf_role_name(int role)
{
	const struct conf_word *word = conf_key(conf_key_index("access.users", "role"))->words;

	for (; word->name != NULL; word++)
		if (word->value == role)
			return word->name;
	return "?";
}

const struct conf_user *
conf_find_user(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_users; i++)
		if (strcmp(conf->users[i].name, name) == 0)
			return &conf->users[i];
	return NULL;
}

void
conf_free_users(struct conf *conf)
{
	for (size_t i = 0; i < conf->n_users; i++)
		conf_free_keys(&conf->users[i], "access.users");
	free(conf->users);
	conf->users = NULL;
	conf->n_users = 0;
}

bool
conf_users_equal(const struct conf *a, const struct conf *b)
{
	const struct conf_key *key;

	if (a->n_users != b->n_users)
		return false;
	for (size_t user = 0; user < a->n_users; user++)
		for (size_t i = 0; (key = conf_key(i)) != NULL; i++)
			if (strcmp(key->section, "access.users") == 0 &&
			    !conf_key_equal(key, &a->users[user], &b->users[user]))
				return false;
	return true;
}

static unsigned
line_in(const struct conf_lines *lines, const char *section, const char *name, unsigned otherwise)
{
	unsigned line = lines->line[conf_key_index(section, name)];

	return line != 0 ? line : otherwise;
}

static void
apply_user(struct conf_loader *loader, size_t index)
{
	const struct conf_user *users = loader->conf->users, *user = &users[index];
	const struct conf_lines *lines = &loader->user_lines[index];

	if (user->cameras.n == 0)
		conf_error_add(loader->errors, loader->path,
			       line_in(lines, "access.users", "cameras", user->line),
			       "cameras: an empty list, expected at least one pattern");
	for (size_t i = 0; user->name != NULL && i < index; i++)
		if (users[i].name != NULL && strcmp(users[i].name, user->name) == 0)
			conf_error_add(loader->errors, loader->path,
				       line_in(lines, "access.users", "name", user->line),
				       "name: \"%s\" is already a user (line %u), expected "
				       "another name",
				       user->name, users[i].line);
}

void
conf_apply_access(struct conf_loader *loader)
{
	const struct conf *conf = loader->conf;

	for (size_t i = 0; i < conf->n_users; i++)
		apply_user(loader, i);
	if (conf->proxy_user_header != NULL && conf->proxy_from.n == 0)
		conf_error_add(loader->errors, loader->path,
			       line_in(&loader->lines, "access.proxy", "user_header", 1),
			       "user_header: nobody is believed, expected from: with the addresses "
			       "of the proxy");
	else if (conf->proxy_user_header != NULL &&
		 strcasecmp(conf->proxy_user_header, conf->proxy_header) == 0)
		conf_error_add(loader->errors, loader->path,
			       line_in(&loader->lines, "access.proxy", "user_header", 1),
			       "user_header: the same as header:, expected another one");
}
