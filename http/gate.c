/*
 * What the gate knows, and what it gives out.
 */
#include "config.h"

#include "http/gate.h"

#include "http/gate_int.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

struct gate *
gate_new(struct clock *clock)
{
	struct gate *gate = xcalloc(1, sizeof(*gate));

	gate->clock = clock;
	gate->required = true;
	gate->limit = access_limit_new();
	gate->memory = access_memory_new();
	gate->tickets = access_tickets_new();
	return gate;
}

static void
free_proxy(struct gate *gate)
{
	for (char **net = gate->proxy_from; net != NULL && *net != NULL; net++)
		free(*net);
	free(gate->proxy_from);
	free(gate->proxy_header);
	free(gate->proxy_user_header);
	gate->proxy_from = NULL;
	gate->proxy_header = gate->proxy_user_header = NULL;
}

void
gate_free(struct gate **gate)
{
	struct gate *old = *gate;

	if (old == NULL)
		return;
	*gate = NULL;
	token_keys_clear(&old->keys);
	access_users_clear(&old->users);
	access_limit_free(&old->limit);
	access_memory_free(&old->memory);
	access_tickets_free(&old->tickets);
	free_proxy(old);
	free(old);
}

/* Keys */

static char *
optional(const json_t *msg, const char *name)
{
	const char *text = msg_str(msg, name);

	return text[0] != '\0' ? xstrdup(text) : NULL;
}

static void
set_proxy(struct gate *gate, const json_t *msg)
{
	const json_t *list = json_object_get(msg, "proxy_from"), *item;
	size_t i;

	free_proxy(gate);
	if (json_array_size(list) == 0)
		return;
	gate->proxy_header = optional(msg, "proxy_header");
	gate->proxy_user_header = optional(msg, "proxy_user_header");
	gate->proxy_from = xcalloc(json_array_size(list) + 1, sizeof(char *));
	json_array_foreach (list, i, item)
		gate->proxy_from[i] = xstrdup(json_string_value(item));
}

/* How many keys lie between the current ones of then and now; all beyond the next are alike. */
static unsigned
eras_between(const struct token_keys *then, const struct token_keys *now)
{
	if (CRYPTO_memcmp(then->current, now->current, TOKEN_KEY_BYTES) == 0)
		return 0;
	return now->has_previous &&
		       CRYPTO_memcmp(then->current, now->previous, TOKEN_KEY_BYTES) == 0
		   ? 1
		   : 2;
}

static int
set_tokens(struct gate *gate, const json_t *msg)
{
	struct token_keys fresh = { .has_previous = false };
	int rc = token_keys_from_msg(msg, &fresh);

	if (rc < 0)
		return rc;
	gate->era += eras_between(&gate->keys, &fresh);
	token_keys_clear(&gate->keys);
	gate->keys = fresh;
	OPENSSL_cleanse(&fresh, sizeof(fresh));
	return 0;
}

int
gate_set_keys(struct gate *gate, const json_t *msg)
{
	struct access_users users = { .list = NULL };

	if (access_users_from_msg(msg, &users) < 0)
		return -EINVAL;
	if (set_tokens(gate, msg) < 0) {
		access_users_clear(&users);
		return -EINVAL;
	}
	access_users_clear(&gate->users);
	gate->users = users;
	access_memory_clear(gate->memory);
	set_proxy(gate, msg);
	gate->required = msg_bool(msg, "required", true);
	gate->has_keys = true;
	return 0;
}

bool
gate_is_open(const struct gate *gate)
{
	return !gate->required;
}

int64_t
gate_now_s(const struct gate *gate)
{
	return clock_realtime_ns(gate->clock) / NS_PER_S;
}

const char *
gate_proxy_header(const struct gate *gate)
{
	return gate->proxy_header;
}

const char *
gate_proxy_user_header(const struct gate *gate)
{
	return gate->proxy_user_header;
}

char *const *
gate_proxy_from(const struct gate *gate)
{
	return gate->proxy_from;
}

const char *
gate_way_name(enum gate_way way)
{
	static const char *const names[] = { "none",   "open", "session", "basic",
					     "bearer", "link", "ticket",  "proxy" };

	return names[way];
}

/* Passwords */

bool
gate_may_try(const struct gate *gate, const char *address, unsigned *wait_s)
{
	return !access_limit_is_spent(gate->limit, address, clock_now_ns(gate->clock), wait_s);
}

void
gate_password_tried(struct gate *gate, const char *address)
{
	access_limit_take(gate->limit, address, clock_now_ns(gate->clock));
}

void
gate_password_right(struct gate *gate, const char *address, const struct access_password *password)
{
	int64_t now = clock_now_ns(gate->clock);

	access_limit_give_back(gate->limit, address, now);
	access_memory_add(gate->memory, password->user, password->password, now);
}

/* Tokens */

int
gate_make_session(struct gate *gate, const char *user, char *out)
{
	const struct access_user *known = access_users_find(&gate->users, user);
	struct token_claims claims = { .kind = TOKEN_SESSION };
	unsigned char random[16];

	if (known == NULL)
		return -ENOENT;
	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	claims.role = known->role;
	claims.generation = known->generation;
	claims.expires_s = gate_now_s(gate) + GATE_SESSION_S;
	strcpy(claims.user, known->name);
	token_id_from(random, claims.id);
	return token_make(&gate->keys, &claims, out, TOKEN_MAX_BYTES);
}

int
gate_make_ticket(struct gate *gate, const struct gate_identity *who, const char *camera, char *out)
{
	/* One of another front knows nothing of the link behind it, nor whether that was revoked:
	 * from ticket to ticket it would never end. */
	if (who->way == GATE_WAY_TICKET)
		return -EPERM;
	return access_tickets_give(gate->tickets, &gate->keys, &who->claims, camera,
				   gate_now_s(gate), out);
}
