/*
 * Tickets: each is good once, for seconds, and stands for the token or login that it was swapped
 * for. A ticket that another front of the same house signed is taken too, once here.
 */
#ifndef CAMHUB_HTTP_ACCESS_TICKETS_H
#define CAMHUB_HTTP_ACCESS_TICKETS_H

#include "shared/token.h"

#define ACCESS_TICKET_S       30
#define ACCESS_TICKETS_MAX    1024 /* that were given out or used, and have not expired */
#define ACCESS_TICKET_ALONE_S 600  /* one of another front: its token's end is not known here */

struct access_tickets;

struct access_tickets *access_tickets_new(void);
void access_tickets_free(struct access_tickets **tickets); /* NULL-safe */

/*
 * A ticket for one camera, that stands for these claims, as text in out (TOKEN_MAX_BYTES). 0, or
 * -EAGAIN: too many are out.
 */
int access_tickets_give(struct access_tickets *tickets, const struct token_keys *keys,
			const struct token_claims *claims, const char *camera, int64_t now_s,
			char *out);
/*
 * The ticket with these claims (verified) is used now. 0, and *claims become those that it stands
 * for, its own camera kept; -EKEYREVOKED: it was used before, or too many are.
 */
int access_tickets_use(struct access_tickets *tickets, struct token_claims *claims, int64_t now_s);

#endif
