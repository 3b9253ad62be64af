/*
 * The connection to one analyser's endpoint: made again whenever it ends, read a little in each
 * turn of the loop, and closed at once when its owner has heard enough.
 */
#ifndef CAMHUB_HTTP_RESULTS_LINK_H
#define CAMHUB_HTTP_RESULTS_LINK_H

#include "http/front.h"

#include <sys/types.h>

struct results_link;

struct results_link_ops {
	/* One message. It may call results_link_deafen(), but free nothing. */
	void (*on_message)(void *arg, const uint8_t *bytes, size_t len);
	/* What comes is no such stream of messages (-EPROTO), one is too long (-EMSGSIZE), or
	 * somebody else listens there (-EACCES): the connection has ended. */
	void (*on_fault)(void *arg, int error);
};

/* path: of a unix socket on which uid listens, borrowed for this call. max: the longest message. */
struct results_link *results_link_new(struct front *front, const char *path, uid_t uid, size_t max,
				      const struct results_link_ops *ops, void *arg);
void results_link_free(struct results_link **link); /* NULL-safe */

/* Closes it; it is made again after so long. Safe in its callbacks. */
void results_link_deafen(struct results_link *link, int64_t ms);
bool results_link_is_connected(const struct results_link *link);
const char *results_link_path(const struct results_link *link);

#endif
