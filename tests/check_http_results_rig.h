/*
 * For tests of results: an analyser whose endpoint is a unix socket of the test, which speaks SP by
 * hand, so that it can also speak anything else.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_RESULTS_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_RESULTS_RIG_H

#include "http/results_int.h"
#include "tests/check_http_wall_rig.h"

struct analyst {
	struct rig *rig;
	int id, listener;
	const char *path;
	int fd; /* -1: the front is not there */
};

/* The list of streams with `door` alone. */
json_t *door(void);
/* It listens, and the front is told of it. streams: a JSON list of names, stolen. */
struct analyst analyst_new(struct rig *rig, int id, const char *name, json_t *streams);
/* The same; the front is told that it runs as this user. */
struct analyst analyst_new_of(struct rig *rig, int id, const char *name, json_t *streams,
			      uid_t uid);
/* The front connects; hellos are exchanged. */
void analyst_accept(struct analyst *analyst);
/* The same with another hello than a publisher's. */
void analyst_accept_with(struct analyst *analyst, const void *first, size_t len);
/* Whether the front is still connected, or tries to be again. */
bool analyst_is_heard(struct analyst *analyst);
bool analyst_is_dialled(const struct analyst *analyst);
/* Bytes as they are; the front reads them. */
void analyst_send(struct analyst *analyst, const void *bytes, size_t len);
/* One message. */
void analyst_say(struct analyst *analyst, const char *text);
void analyst_say_bytes(struct analyst *analyst, const void *bytes, size_t len);
/* A result of a frame of `door`, of which the label is `label`. */
void analyst_label(struct analyst *analyst, uint64_t seq, const char *label);
/* The front's own counters of it. */
const struct analyser *analyst_counted(const struct analyst *analyst);

/* A page that watches `door` with its results; what comes of the join is read. feed: its frames. */
struct peer *page_with_overlay(struct rig *rig, struct feed *feed);
/* The next message is a result with this label. */
const json_t *expect_label(struct peer *page, const char *label);

#endif
