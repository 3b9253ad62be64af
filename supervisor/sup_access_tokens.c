/*
 * Tokens that camctl asks for.
 */
#include "config.h"

#include "supervisor/sup_access.h"

#include "shared/log.h"
#include "supervisor/sup_access_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
fill_bearer(struct sup *sup, const json_t *msg, struct token_claims *claims, char *text)
{
	const struct conf *conf = sup->conf;
	const struct conf_user *user = conf_find_user(conf, msg_str(msg, "user"));
	const char *camera = msg_str(msg, "camera");

	if (user == NULL)
		return refuse(text, "there is no such user");
	if (camera[0] != '\0' && !glob_is_valid(camera))
		return refuse(text, "not a camera's name or pattern");
	claims->kind = TOKEN_BEARER;
	claims->generation = access_generation(sup->access, user->name);
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
		     : fill_bearer(sup, msg, &claims, text);
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
