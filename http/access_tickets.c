/*
 * A table of tickets, by id.
 */
#include "config.h"

#include "http/access_tickets.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

struct ticket {
	char id[TOKEN_ID_CHARS + 1];
	int64_t expires_s; /* before now: the place is free */
	bool used;
	/* What it stands for. */
	char parent[TOKEN_ID_CHARS + 1];
	int64_t parent_expires_s;
	int viewers;
	bool by_previous;
};

struct access_tickets {
	struct ticket list[ACCESS_TICKETS_MAX];
};

struct access_tickets *
access_tickets_new(void)
{
	return xcalloc(1, sizeof(struct access_tickets));
}

void
access_tickets_free(struct access_tickets **tickets)
{
	free(*tickets);
	*tickets = NULL;
}

static struct ticket *
find_place(struct access_tickets *tickets, int64_t now_s)
{
	for (size_t i = 0; i < ACCESS_TICKETS_MAX; i++)
		if (tickets->list[i].expires_s <= now_s)
			return &tickets->list[i];
	return NULL;
}

static struct ticket *
find(struct access_tickets *tickets, const char *id, int64_t now_s)
{
	for (size_t i = 0; i < ACCESS_TICKETS_MAX; i++)
		if (tickets->list[i].expires_s > now_s && strcmp(tickets->list[i].id, id) == 0)
			return &tickets->list[i];
	return NULL;
}

int
access_tickets_give(struct access_tickets *tickets, const struct token_keys *keys,
		    const struct token_claims *claims, const char *camera, int64_t now_s, char *out)
{
	struct ticket *ticket = find_place(tickets, now_s);
	struct token_claims own = *claims;
	unsigned char random[16];
	int rc;

	if (ticket == NULL)
		return -EAGAIN;
	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	own.kind = TOKEN_TICKET;
	strcpy(own.parent, claims->id);
	own.role = TOKEN_VIEWER;
	own.expires_s = now_s + ACCESS_TICKET_S;
	if (claims->expires_s > 0 && claims->expires_s < own.expires_s)
		own.expires_s = claims->expires_s;
	own.n_cameras = 1;
	memset(own.cameras, 0, sizeof(own.cameras));
	strncpy(own.cameras[0], camera, GLOB_BYTES);
	token_id_from(random, own.id);
	rc = token_make(keys, &own, out, TOKEN_MAX_BYTES);
	if (rc < 0)
		return rc;
	*ticket = (struct ticket){ .expires_s = own.expires_s,
				   .parent_expires_s = claims->expires_s,
				   .viewers = claims->viewers,
				   .by_previous = claims->by_previous };
	strcpy(ticket->id, own.id);
	strcpy(ticket->parent, claims->id);
	return 0;
}

int
access_tickets_use(struct access_tickets *tickets, struct token_claims *claims, int64_t now_s)
{
	struct ticket *ticket = find(tickets, claims->id, now_s);

	if (ticket == NULL) {
		ticket = find_place(tickets, now_s);
		if (ticket == NULL)
			return -EKEYREVOKED;
		*ticket = (struct ticket){ .expires_s = claims->expires_s,
					   .parent_expires_s = now_s + ACCESS_TICKET_ALONE_S,
					   .viewers = claims->viewers };
		strcpy(ticket->id, claims->id);
		strcpy(ticket->parent, claims->parent);
	}
	/* The keys changed since: what it stands for is two keys old. */
	if (ticket->used || (ticket->by_previous && claims->by_previous))
		return -EKEYREVOKED;
	ticket->used = true;
	strcpy(claims->id, ticket->parent);
	claims->expires_s = ticket->parent_expires_s;
	claims->viewers = ticket->viewers;
	claims->by_previous |= ticket->by_previous;
	return 0;
}
