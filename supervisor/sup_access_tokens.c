/*
 * Tokens that camctl asks for, and the end of tokens.
 */
#include "config.h"

#include "supervisor/sup_access.h"

#include "shared/log.h"
#include "supervisor/sup_access_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOGOUT_DELAY_MS 200 /* a front that says many costs no more than one */

static int
refuse(char *text, const char *why)
{
	snprintf(text, SUP_ACCESS_TEXT_MAX, "%s", why);
	return 1;
}

static bool
is_camera(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_cameras; i++)
		if (strcmp(conf->cameras[i].name, name) == 0)
			return true;
	return false;
}

static int
fill_link(const struct conf *conf, const json_t *msg, struct token_claims *claims, char *text)
{
	const char *camera = msg_str(msg, "camera");

	if (!is_camera(conf, camera))
		return refuse(text, "there is no such camera");
	claims->kind = TOKEN_LINK;
	claims->role = TOKEN_VIEWER;
	snprintf(claims->cameras[0], sizeof(claims->cameras[0]), "%s", camera);
	claims->n_cameras = 1;
	return 0;
}

static int
fill_bearer(const struct conf *conf, const json_t *msg, struct token_claims *claims, char *text)
{
	const struct conf_user *user = conf_find_user(conf, msg_str(msg, "user"));
	const char *camera = msg_str(msg, "camera");

	if (user == NULL)
		return refuse(text, "there is no such user");
	if (camera[0] != '\0' && !glob_is_valid(camera))
		return refuse(text, "not a camera's name or pattern");
	claims->kind = TOKEN_BEARER;
	claims->role = user->role == CONF_ROLE_OPERATOR ? TOKEN_OPERATOR : TOKEN_VIEWER;
	snprintf(claims->user, sizeof(claims->user), "%s", user->name);
	snprintf(claims->cameras[0], sizeof(claims->cameras[0]), "%s", camera);
	claims->n_cameras = camera[0] != '\0';
	return 0;
}

int
sup_access_token(struct sup *sup, const json_t *msg, char *text)
{
	struct token_claims claims = { .viewers = (int)msg_int(msg, "viewers", 0) };
	bool is_link = strcmp(msg_str(msg, "kind"), "link") == 0;
	char token[TOKEN_MAX_BYTES];
	unsigned char bytes[16];
	int rc;

	if (sup->conf == NULL || sup->conf->n_users == 0)
		return refuse(text, "there are no users: whoever reaches camhub sees everything, "
				    "without a token (access: in camhub.yaml(5))");
	if (!is_link && strcmp(msg_str(msg, "kind"), "bearer") != 0)
		return refuse(text, "not a kind of token");
	rc = is_link ? fill_link(sup->conf, msg, &claims, text)
		     : fill_bearer(sup->conf, msg, &claims, text);
	if (rc != 0)
		return rc;
	/* Not one that a command line takes for an option. */
	do {
		access_random(bytes, sizeof(bytes));
		token_id_from(bytes, claims.id);
	} while (claims.id[0] == '-');
	claims.expires_s = access_now_s(sup) + msg_int(msg, "seconds", 0);
	rc = token_make(&sup->access->keys, &claims, token, sizeof(token));
	if (rc < 0)
		return refuse(text, strerror(-rc));
	log_notice("access: a %s was made for %s, id %s, for %lld s", token_kind_name(claims.kind),
		   is_link ? claims.cameras[0] : claims.user, claims.id,
		   msg_int(msg, "seconds", 0));
	snprintf(text, SUP_ACCESS_TEXT_MAX, "%s\n%s", token, claims.id);
	return 0;
}

/* The end */

static void
drop(struct sup_access *access, size_t index)
{
	access->n_revoked--;
	memmove(&access->revoked[index], &access->revoked[index + 1],
		(access->n_revoked - index) * sizeof(access->revoked[0]));
}

static void
drop_expired(struct sup_access *access)
{
	int64_t now_s = access_now_s(access->sup);

	for (size_t i = access->n_revoked; i-- > 0;)
		if (access->revoked[i].expires_s <= now_s)
			drop(access, i);
}

/* Room for one more: whoever logged out first is forgotten. */
static bool
make_room(struct sup_access *access)
{
	drop_expired(access);
	for (size_t i = 0; access->n_revoked == TOKEN_REVOKED_MAX && i < access->n_revoked; i++)
		if (!access->revoked[i].by_ctl)
			drop(access, i);
	return access->n_revoked < TOKEN_REVOKED_MAX;
}

static int
add(struct sup_access *access, const char *id, int64_t expires_s, bool by_ctl)
{
	struct access_revoked *entry;

	for (size_t i = 0; i < access->n_revoked; i++)
		if (strcmp(access->revoked[i].id, id) == 0)
			drop(access, i--);
	if (!make_room(access))
		return -ENOSPC;
	entry = &access->revoked[access->n_revoked++];
	snprintf(entry->id, sizeof(entry->id), "%s", id);
	entry->expires_s = expires_s;
	entry->by_ctl = by_ctl;
	return 0;
}

static int
make_known(struct sup_access *access)
{
	clock_timer_cancel(&access->logouts);
	access_tell_fronts(access->sup);
	return access_save_revoked(access);
}

void
access_on_logouts(struct clock_timer *timer, void *arg)
{
	int rc = make_known(arg);

	(void)timer;
	if (rc < 0)
		log_err("access: sessions that were ended hold again when camhub was restarted: %s",
			strerror(-rc));
}

static int
revoke_all(struct sup_access *access, bool keep_previous)
{
	if (keep_previous)
		memcpy(access->keys.previous, access->keys.current, TOKEN_KEY_BYTES);
	access->keys.has_previous = keep_previous;
	access_random(access->keys.current, TOKEN_KEY_BYTES);
	access_tell_fronts(access->sup);
	return access_save_keys(access);
}

static int
revoke_one(struct sup_access *access, const char *what)
{
	int64_t now_s = access_now_s(access->sup);
	struct token_claims claims = { .expires_s = now_s + ACCESS_LONGEST_S };
	int rc;

	if (token_id_is_valid(what))
		snprintf(claims.id, sizeof(claims.id), "%s", what);
	else if (token_verify(&access->keys, what, strlen(what), now_s, &claims) < 0)
		return -EINVAL;
	rc = add(access, claims.id, claims.expires_s, true);
	return rc < 0 ? rc : make_known(access);
}

int
sup_access_revoke(struct sup *sup, const json_t *msg, char *text)
{
	const char *what = msg_str(msg, "id");
	int rc;

	if (sup->conf == NULL || sup->conf->n_users == 0)
		return refuse(text, "there are no users, so there are no tokens either");
	if (strcmp(what, "all") == 0 || strcmp(what, "rotate") == 0)
		rc = revoke_all(sup->access, what[0] == 'r');
	else
		rc = revoke_one(sup->access, what);
	if (rc == -EINVAL)
		return refuse(text, "neither the id of a token nor a token that holds");
	if (rc == -ENOSPC)
		return refuse(text, "the list is full: camctl revoke --all ends all tokens");
	if (rc < 0) {
		snprintf(text, SUP_ACCESS_TEXT_MAX, "it is so, but only until camhub ends: %s: %s",
			 sup->options.state_dir, strerror(-rc));
		return 1;
	}
	text[0] = '\0';
	return 0;
}

void
sup_access_on_revoke(struct sup *sup, const json_t *msg)
{
	const char *id = msg_str(msg, "id");
	int64_t expires_s = msg_int(msg, "expires_s", 0), now_s = access_now_s(sup);

	if (sup->conf == NULL || sup->conf->n_users == 0 || !token_id_is_valid(id) ||
	    expires_s <= now_s)
		return;
	if (expires_s > now_s + ACCESS_LONGEST_S)
		expires_s = now_s + ACCESS_LONGEST_S;
	if (add(sup->access, id, expires_s, false) == 0 &&
	    !clock_timer_is_set(&sup->access->logouts))
		clock_timer_set_ms(&sup->access->logouts, LOGOUT_DELAY_MS);
}
