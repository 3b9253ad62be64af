/*
 * What the files of the gate share.
 */
#ifndef CAMHUB_HTTP_GATE_INT_H
#define CAMHUB_HTTP_GATE_INT_H

#include "http/access_limit.h"
#include "http/access_memory.h"
#include "http/access_tickets.h"
#include "http/access_users.h"
#include "http/gate.h"

struct gate {
	struct clock *clock;
	bool required; /* somebody has to log in */
	bool has_keys;
	struct token_keys keys;
	unsigned era; /* goes up with the keys: by one when the last one stays good for a while */
	struct access_users users;
	struct access_limit *limit;
	struct access_memory *memory;
	struct access_tickets *tickets;
	char *proxy_header, *proxy_user_header;
	char **proxy_from; /* ends with NULL; or NULL */
};

#endif
