/*
 * Results: an endpoint of our own, and one message for each.
 */
#include "config.h"

#include "lib/hub.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESULTS_MODE 0666 /* the directory says who gets there */
#define RESULTS_MAX  65536u
#define NS_PER_S     1000000000LL
#define TRIES        4

/* The number is drawn: process ids of containers are all the same. */
static char *
make_path(const struct camhub *hub)
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		number = (uint32_t)hub_now_ns();
	return xasprintf("%s/results/analyser-%s-%u.sock", hub->dir, hub->name, number);
}

static int
open_results(struct camhub *hub)
{
	int rc = -EADDRINUSE;

	for (int i = 0; i < TRIES && rc == -EADDRINUSE; i++) {
		char *path = make_path(hub);

		rc = bus_pub_open(path, RESULTS_MODE, &hub->results);
		if (rc == 0)
			hub->results_path = path;
		else
			free(path);
	}
	return rc;
}

static int
renew(struct camhub *hub)
{
	char *path = make_path(hub);
	int rc = bus_pub_move(hub->results, path, RESULTS_MODE);

	if (rc < 0) {
		free(path);
		return rc;
	}
	free(hub->results_path);
	hub->results_path = path;
	return 0;
}

int
results_tell(struct camhub *hub)
{
	struct stat st;
	int rc = 0;

	if (hub->results == NULL || hub->subscriber == 0 || hub->has_told_results)
		return 0;
	if (lstat(hub->results_path, &st) < 0)
		rc = renew(hub);
	if (rc < 0)
		return rc;
	hub->has_told_results = true;
	tap_hello(hub);
	return 0;
}

void
results_close(struct camhub *hub)
{
	/* Its socket stays with nng until the process ends: see shared/bus.h. */
	if (hub->results != NULL)
		bus_pub_unlink(hub->results);
	hub->results = NULL;
	free(hub->results_path);
	hub->results_path = NULL;
}

/* Of a stream each; of what is no stream of ours together. */
static struct rate *
rate_of(struct camhub *hub, const char *name)
{
	struct camhub_sub *sub;

	for (sub = TAILQ_FIRST(&hub->subs); sub != NULL; sub = TAILQ_NEXT(sub, entry))
		if (name != NULL && strcmp(sub->name, name) == 0)
			return &sub->results;
	return &hub->others;
}

static bool
is_too_much(struct rate *rate)
{
	int64_t now = hub_now_ns();

	if (now - rate->since_ns >= NS_PER_S) {
		rate->since_ns = now;
		rate->n = 0;
	}
	if (rate->n >= HUB_RESULTS_PER_S)
		return true;
	rate->n++;
	return false;
}

int
camhub_publish(struct camhub *hub, const char *json, size_t len)
{
	struct rate *rate;
	json_t *object;
	int rc;

	if (len > RESULTS_MAX)
		return -EMSGSIZE;
	object = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	rc = json_is_object(object) ? 0 : -EINVAL;
	rate = rate_of(hub, json_string_value(json_object_get(object, "stream")));
	json_decref(object);
	if (rc == 0 && hub->results == NULL)
		rc = open_results(hub);
	hub_work(hub);
	if (rc == 0)
		rc = results_tell(hub);
	if (rc == 0 && is_too_much(rate))
		rc = -EBUSY;
	return rc < 0 ? rc : bus_pub_send_plain(hub->results, json, len);
}
