/*
 * A hub alone in a test, and what it is given: for the tests of the hub itself, of its sound and of
 * what it does about losses.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_HUB_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_HUB_RIG_H

#include "http/hub.h"
#include "tests/check_http_frames.h"
#include "tests/harness/harness.h"

#define RING_BYTES (1u << 20)

/* Of the test that runs; freed after it. */
static struct hub *hub;

static inline void
free_hub(void *arg)
{
	(void)arg;
	hub_free(&hub);
}

/* One that has a viewer. */
static inline void
make_hub(size_t ring_bytes)
{
	hub = hub_new(SUBSCRIBER, ring_bytes);
	hub_start(hub);
	harness_defer(free_hub, NULL);
}

/* Gives the message away. Returns how many entries of the ring came of it. */
static inline unsigned
push(struct bus_msg *msg)
{
	unsigned n = hub_push(hub, msg);

	bus_msg_unref(&msg);
	return n;
}

/* A GOP of n units, its configuration before it, as live messages. */
static inline void
push_gop(struct feed *feed, unsigned n)
{
	push(feed_config(feed, false));
	ck_assert_uint_eq(push(feed_key(feed)), 1);
	for (unsigned i = 1; i < n; i++)
		ck_assert_uint_eq(push(feed_delta(feed)), 1);
}

#endif
