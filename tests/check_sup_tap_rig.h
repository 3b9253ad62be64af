/*
 * For tests of the tap: analysers that say what the test wants them to.
 */
#ifndef CAMHUB_TESTS_CHECK_SUP_TAP_RIG_H
#define CAMHUB_TESTS_CHECK_SUP_TAP_RIG_H

#include "tests/sup_fake.h"

/* In the runtime directory; static, until the next call. */
const char *tap_path(struct fake *fake, const char *name);
/* streams.json when all that changed is in it; the caller's. What it says of one stream, borrowed.
 */
json_t *tap_read_list(struct fake *fake);
const json_t *tap_listed(const json_t *list, const char *name);
/* A plain connection to a socket of the bus directory. */
int tap_connect_to(struct fake *fake, const char *name);
/* One that connected; it said nothing yet. */
struct peer *tap_analyser(struct fake *fake);
/* tap-hello; pattern, results: NULL: none. */
json_t *tap_hello(const char *name, const char *pattern, const char *results);
/* One that said it and is welcome. */
struct peer *tap_greeted(struct fake *fake, const char *name, const char *pattern,
			 const char *results);
/* A socket in results/, as an analyser makes it. */
int tap_listen_for_results(struct fake *fake, const char *file);
/* It was told why, and the connection has ended. */
bool tap_was_cut_off(struct peer *peer);

#endif
