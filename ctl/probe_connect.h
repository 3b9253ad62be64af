/*
 * A connection for a worker that opens none by itself: the supervisor's part, in a probe ours.
 */
#ifndef CAMHUB_CTL_PROBE_CONNECT_H
#define CAMHUB_CTL_PROBE_CONNECT_H

#include "shared/url.h"

#include <stddef.h>

/*
 * Looks the host up (as long as that takes) and tries its addresses, timeout_ms for all of them.
 * Returns a connected, non-blocking socket (the caller's), or negative errno and in why, in words,
 * what was wrong with the last one.
 */
int probe_connect(const struct url *url, int timeout_ms, char *why, size_t why_len);

#endif
