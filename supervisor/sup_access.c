/*
 * Who gets in: what is known of it, and the commands that change it. What is changed is written
 * first and told then, so that nothing comes back with the next start.
 */
#include "config.h"

#include "supervisor/sup_access.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_access_int.h"
#include "supervisor/sup_auth.h"
#include "supervisor/sup_front.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int answer(char *text, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int
answer(char *text, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, SUP_ACCESS_TEXT_MAX, fmt, ap);
	va_end(ap);
	return code;
}

int64_t
access_now_s(struct sup *sup)
{
	return sup_realtime_ms(sup) / 1000;
}

struct sup_access *
sup_access_new(struct sup *sup)
{
	struct sup_access *access = xcalloc(1, sizeof(*access));

	access->sup = sup;
	access_ends_init(access);
	/* Good for nothing as long as there are no users, but never all zero. */
	access_random(access->keys.current, TOKEN_KEY_BYTES);
	return access;
}

void
sup_access_free(struct sup_access **access)
{
	if (*access == NULL)
		return;
	access_ends_finish(*access);
	OPENSSL_cleanse(*access, sizeof(**access));
	free(*access);
	*access = NULL;
}

/* "ann viewer door yard*" */
static json_t *
describe_user(const struct conf_user *user)
{
	char *text = xasprintf("%s %s", user->name, conf_role_name(user->role)), *longer;
	json_t *string;

	for (size_t i = 0; i < user->cameras.n; i++) {
		longer = xasprintf("%s %s", text, user->cameras.list[i]);
		free(text);
		text = longer;
	}
	string = json_string(text);
	free(text);
	return string;
}

static void
add_proxy(json_t *msg, const struct conf *conf)
{
	json_t *from = json_array();

	for (size_t i = 0; i < conf->proxy_from.n; i++)
		json_array_append_new(from, json_string(conf->proxy_from.list[i]));
	msg_set_str(msg, "proxy_header", conf->proxy_header);
	msg_set_str(msg, "proxy_user_header", conf->proxy_user_header);
	json_object_set_new(msg, "proxy_from", from);
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(json_string_value(*(json_t *const *)a),
		      json_string_value(*(json_t *const *)b));
}

static json_t *
list_revoked(const struct sup_access *access)
{
	json_t *ids[TOKEN_REVOKED_MAX], *list = json_array();

	for (size_t i = 0; i < access->n_revoked; i++)
		ids[i] = json_string(access->revoked[i].id);
	if (access->n_revoked > 0)
		qsort(ids, access->n_revoked, sizeof(ids[0]), compare_ids);
	for (size_t i = 0; i < access->n_revoked; i++)
		json_array_append_new(list, ids[i]);
	return list;
}

/* "ann 1700000000000", of those whose first ones hold no longer. */
static json_t *
list_generations(const struct sup_access *access, const struct conf *conf)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conf->n_users; i++) {
		int64_t number = access_generation(access, conf->users[i].name);

		if (number > 1)
			json_array_append_new(
			    list, json_sprintf("%s %lld", conf->users[i].name, (long long)number));
	}
	return list;
}

json_t *
sup_access_message(struct sup *sup)
{
	const struct conf *conf = sup_settings(sup);
	json_t *msg = msg_new(MSG_ACCESS_KEYS), *users = json_array();

	token_keys_to_msg(&sup->access->keys, msg);
	json_object_set_new(msg, "revoked", list_revoked(sup->access));
	for (size_t i = 0; i < conf->n_users; i++)
		json_array_append_new(users, describe_user(&conf->users[i]));
	msg_set_bool(msg, "required", conf->n_users > 0);
	json_object_set_new(msg, "users", users);
	json_object_set_new(msg, "generations", list_generations(sup->access, conf));
	add_proxy(msg, conf);
	return msg;
}

void
access_tell_fronts(struct sup *sup)
{
	sup_front_tell_all(sup, MSG_ACCESS_KEYS, sup_access_message(sup));
}

static void
warn_of_users_without_password(const struct sup *sup)
{
	for (size_t i = 0; i < sup->conf->n_users; i++)
		if (sup_access_hash(sup, sup->conf->users[i].name) == NULL)
			log_notice("access: user %s has no password: camctl passwd %s",
				   sup->conf->users[i].name, sup->conf->users[i].name);
}

static void
warn_of_plain_listeners(const struct sup *sup)
{
	struct sockaddr_storage addr;
	socklen_t len;

	for (size_t i = 0; i < sup->listeners.n; i++) {
		if (conf_address_parse(sup->listeners.list[i].address, &addr, &len) < 0 ||
		    conf_address_is_loopback((const struct sockaddr *)&addr))
			continue;
		log_warn("access: %s is without TLS: passwords and links can be read on the way "
			 "(tls: in camhub.yaml(5), or a reverse proxy)",
			 sup->listeners.list[i].address);
	}
}

void
sup_access_apply(struct sup *sup)
{
	struct sup_access *access = sup->access;

	if (sup->conf->n_users > 0) {
		access_load_hashes(access);
		if (!access->loaded) {
			access_load_keys(access);
			access_load_revoked(access);
		}
		access->loaded = true;
		/* A proxy that names the users itself needs no passwords. */
		if (sup->conf->proxy_user_header == NULL)
			warn_of_users_without_password(sup);
		if (sup->conf->tls_certificate == NULL)
			warn_of_plain_listeners(sup);
	}
	sup_auth_want(sup, sup->conf->n_users > 0);
	access_tell_fronts(sup);
}

static struct access_hash *
find_hash(const struct sup_access *access, const char *user)
{
	for (size_t i = 0; i < access->n_hashes; i++)
		if (strcmp(access->hashes[i].user, user) == 0)
			return (struct access_hash *)&access->hashes[i];
	return NULL;
}

const char *
sup_access_hash(const struct sup *sup, const char *user)
{
	const struct access_hash *hash = find_hash(sup->access, user);

	if (sup->conf == NULL || conf_find_user(sup->conf, user) == NULL)
		return NULL;
	return hash != NULL ? hash->hash : NULL;
}

/* Passwords */

int
sup_access_may_have(struct sup *sup, const char *user, char *text)
{
	if (sup->conf == NULL || conf_find_user(sup->conf, user) == NULL)
		return answer(text, 1,
			      "there is no such user: add \"- name: NAME\" below access: users: in "
			      "%s, then camctl reload",
			      sup->options.config);
	return 0;
}

/* What the old password opened is closed with it. */
static int
save_hashes(struct sup *sup, const char *user, const char *done, char *text)
{
	int rc = access_save(sup->access, ACCESS_HASHES), ended;

	access_end_logins(sup->access, user);
	/* Whatever it is, they forget the passwords that they found right. */
	ended = access_ends_now(sup->access);
	rc = rc < 0 ? rc : ended;
	if (rc == 0)
		return answer(text, 0, "%s", done);
	/* In force all the same: the old password may be why there is a new one. */
	return answer(text, 1, "%s, but only until camhub ends: %s/passwd: %s", done,
		      sup->options.state_dir, strerror(-rc));
}

int
sup_access_set_hash(struct sup *sup, const char *user, const char *hash, char *text)
{
	struct sup_access *access = sup->access;
	struct access_hash *entry = find_hash(access, user);

	if (hash == NULL) {
		if (entry == NULL)
			return answer(text, 1, "this user has no password");
		*entry = access->hashes[--access->n_hashes];
		OPENSSL_cleanse(&access->hashes[access->n_hashes], sizeof(*entry));
		return save_hashes(sup, user, "the password is gone", text);
	}
	if (sup_access_may_have(sup, user, text) != 0)
		return 1;
	if (entry == NULL && access->n_hashes == ACCESS_HASHES_MAX)
		return answer(text, 1,
			      "there are %d passwords already: camctl passwd --delete NAME",
			      ACCESS_HASHES_MAX);
	if (entry == NULL)
		entry = &access->hashes[access->n_hashes++];
	snprintf(entry->user, sizeof(entry->user), "%s", user);
	snprintf(entry->hash, sizeof(entry->hash), "%s", hash);
	return save_hashes(sup, user, "the password is set", text);
}
