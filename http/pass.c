/*
 * The list of passes, and what is said about them.
 */
#include "config.h"

#include "http/pass.h"

#include "http/audit.h"
#include "shared/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
pass_begin(struct pass *pass, struct front *front, const struct gate_identity *who,
	   const char *address, void (*end)(void *arg), void *arg)
{
	*pass = (struct pass){ .front = front, .who = *who, .end = end, .arg = arg };
	snprintf(pass->address, sizeof(pass->address), "%s", address != NULL ? address : "");
	LIST_INIT(&pass->watches);
	LIST_INSERT_HEAD(&front->passes, pass, in_front);
}

void
pass_end(struct pass *pass)
{
	if (pass->front == NULL)
		return;
	while (!LIST_EMPTY(&pass->watches))
		watch_end(LIST_FIRST(&pass->watches));
	LIST_REMOVE(pass, in_front);
	pass->front = NULL;
}

bool
pass_may_see(const struct pass *pass, const char *stream)
{
	char camera[42];

	access_camera_of(stream, camera, sizeof(camera));
	return gate_may_see(pass->front->gate, &pass->who, camera);
}

/* Watches */

static void
tell_supervisor(const struct watch *watch)
{
	const struct pass *pass = watch->pass;
	json_t *msg = msg_new(MSG_WATCHER);

	msg_set_int(msg, "id", watch->id);
	msg_set_str(msg, "camera", watch->stream);
	msg_set_str(msg, "user", pass->who.claims.user);
	msg_set_str(msg, "way", gate_way_name(pass->who.way));
	msg_set_str(msg, "address", pass->address);
	msg_set_str(msg, "transport", watch->transport);
	msg_set_int(msg, "since_ms", watch->since_ms);
	front_send(pass->front, msg, -1);
}

void
watch_begin(struct watch *watch, struct pass *pass, const char *stream, const char *transport)
{
	watch_end(watch);
	*watch = (struct watch){ .pass = pass,
				 .id = ++pass->front->watches_ever,
				 .transport = transport,
				 .since_ms = front_now_ms(pass->front) };
	snprintf(watch->stream, sizeof(watch->stream), "%s", stream);
	LIST_INSERT_HEAD(&pass->watches, watch, in_pass);
	tell_supervisor(watch);
	audit_watch(watch, true);
}

void
watch_end(struct watch *watch)
{
	json_t *msg;

	if (watch->pass == NULL)
		return;
	msg = msg_new(MSG_WATCHER_GONE);
	msg_set_int(msg, "id", watch->id);
	front_send(watch->pass->front, msg, -1);
	audit_watch(watch, false);
	LIST_REMOVE(watch, in_pass);
	watch->pass = NULL;
}

/* All of them */

bool
pass_has_room(const struct front *front, const struct gate_identity *who)
{
	const struct pass *pass;
	int n = 0;

	if (who->claims.viewers == 0)
		return true;
	for (pass = LIST_FIRST(&front->passes); pass != NULL; pass = LIST_NEXT(pass, in_front))
		n += !pass->ended && strcmp(pass->who.claims.id, who->claims.id) == 0;
	return n < who->claims.viewers;
}

static void
send_away(struct pass *pass)
{
	if (pass->ended)
		return;
	pass->ended = true;
	pass->end(pass->arg);
}

static bool
holds(const struct pass *pass)
{
	const struct watch *watch;

	if (!gate_still_holds(pass->front->gate, &pass->who))
		return false;
	for (watch = LIST_FIRST(&pass->watches); watch != NULL; watch = LIST_NEXT(watch, in_pass))
		if (!pass_may_see(pass, watch->stream))
			return false;
	return true;
}

void
pass_review(struct front *front)
{
	struct pass *pass, *next;

	for (pass = LIST_FIRST(&front->passes); pass != NULL; pass = next) {
		next = LIST_NEXT(pass, in_front);
		if (!holds(pass))
			send_away(pass);
	}
}

static bool
has_watch(const struct pass *pass, long long id)
{
	const struct watch *watch;

	for (watch = LIST_FIRST(&pass->watches); watch != NULL; watch = LIST_NEXT(watch, in_pass))
		if (watch->id == id)
			return true;
	return false;
}

/* Else the page that was sent away would be back in a second. */
static void
revoke(const struct pass *pass)
{
	const struct token_claims *claims = &pass->who.claims;
	json_t *msg;

	if (claims->id[0] == '\0' || !token_id_is_valid(claims->id))
		return;
	msg = msg_new(MSG_ACCESS_REVOKE);
	msg_set_str(msg, "id", claims->id);
	msg_set_int(msg, "expires_s", claims->expires_s);
	if (pass->who.way == GATE_WAY_SESSION)
		msg_set_str(msg, "user", claims->user);
	front_send(pass->front, msg, -1);
}

void
pass_kick(struct front *front, long long id)
{
	struct pass *pass;

	for (pass = LIST_FIRST(&front->passes); pass != NULL; pass = LIST_NEXT(pass, in_front))
		if (!pass->ended && has_watch(pass, id))
			break;
	if (pass == NULL)
		return;
	revoke(pass);
	audit_kick(pass);
	send_away(pass);
}
