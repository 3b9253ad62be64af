/*
 * For tests of libcamhub: a fake supervisor, and what fake analysers say.
 */
#ifndef CAMHUB_TESTS_CHECK_LIB_RIG_H
#define CAMHUB_TESTS_CHECK_LIB_RIG_H

#include "tests/harness/harness.h"

#define LIB_SUBSCRIBER 7 /* the number that the supervisor gives */

/* An analyser's line: that, and what camhub calls the error. 1 for one, 0 for none. */
int lib_say(const char *what, int error);

/* Where analysers look for it: tap.sock of the test's directory. */
struct peer *lib_supervise(struct loop *loop);
/* It expects hello and says welcome; later it has told all. With what a later version adds. */
void lib_welcome(struct peer *supervisor);
void lib_synced(struct peer *supervisor);
/* tap-stream; endpoint: a file name in the test's directory, "": nobody publishes. */
json_t *lib_stream(int id, const char *name, uint64_t epoch, const char *endpoint);

#endif
