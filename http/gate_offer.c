/*
 * An identity on its way to another front: who was let in here, and is shown pictures there.
 */
#include "config.h"

#include "http/gate.h"

#include "http/gate_int.h"
#include "shared/msg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
gate_identity_to_msg(const struct gate *gate, const struct gate_identity *who, json_t *msg)
{
	const struct token_claims *claims = &who->claims;
	json_t *cameras = json_array();

	msg_set_str(msg, "way", gate_way_name(who->way));
	msg_set_str(msg, "user", claims->user);
	msg_set_str(msg, "role", token_role_name(claims->role));
	for (size_t i = 0; i < claims->n_cameras; i++)
		json_array_append_new(cameras, json_string(claims->cameras[i]));
	json_object_set_new(msg, "cameras", cameras);
	if (claims->id[0] != '\0')
		msg_set_str(msg, "token", claims->id);
	if (claims->expires_s > 0)
		msg_set_int(msg, "expires_s", claims->expires_s);
	if (claims->viewers > 0)
		msg_set_int(msg, "viewers", claims->viewers);
	if (claims->generation > 0)
		msg_set_int(msg, "generation", claims->generation);
	if (gate->era != who->era)
		msg_set_bool(msg, "by_previous", true);
}

static enum gate_way
way_from_name(const char *name)
{
	for (enum gate_way way = GATE_WAY_OPEN; way <= GATE_WAY_PROXY; way++)
		if (strcmp(gate_way_name(way), name) == 0)
			return way;
	return GATE_WAY_NONE;
}

static int
cameras_from(const json_t *list, struct token_claims *claims)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) > TOKEN_CAMERAS_MAX)
		return -EINVAL;
	json_array_foreach (list, i, item) {
		const char *pattern = json_string_value(item);

		if (strlen(pattern) >= sizeof(claims->cameras[0]))
			return -EINVAL;
		memcpy(claims->cameras[i], pattern, strlen(pattern) + 1);
	}
	claims->n_cameras = i;
	return 0;
}

int
gate_identity_from_msg(const struct gate *gate, const json_t *msg, struct gate_identity *who)
{
	struct gate_identity found = { .way = way_from_name(msg_str(msg, "way")),
				       .era = gate->era };
	struct token_claims *claims = &found.claims;
	const char *id = msg_str(msg, "token");

	if (found.way == GATE_WAY_NONE ||
	    token_role_from_name(msg_str(msg, "role"), &claims->role) < 0 ||
	    (id[0] != '\0' && !token_id_is_valid(id)) ||
	    cameras_from(json_object_get(msg, "cameras"), claims) < 0)
		return -EINVAL;
	claims->kind = found.way == GATE_WAY_LINK ? TOKEN_LINK : TOKEN_SESSION;
	snprintf(claims->user, sizeof(claims->user), "%s", msg_str(msg, "user"));
	snprintf(claims->id, sizeof(claims->id), "%s", id);
	claims->expires_s = msg_int(msg, "expires_s", 0);
	claims->viewers = (int)msg_int(msg, "viewers", 0);
	claims->generation = msg_int(msg, "generation", 0);
	claims->by_previous = msg_bool(msg, "by_previous", false);
	found.era -= claims->by_previous;
	*who = found;
	return 0;
}
