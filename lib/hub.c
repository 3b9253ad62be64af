/*
 * A hub from its beginning to its end, and the one place where it works and waits.
 */
#include "config.h"

#include "lib/hub.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000LL

int64_t
hub_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
}

/* The nearest of all times at which something is due wakes whoever waits. */
void
hub_plan(struct camhub *hub)
{
	const struct camhub_sub *sub;
	int64_t due = hub->tap < 0 ? hub->connect_ns : INT64_MAX;

	for (sub = TAILQ_FIRST(&hub->subs); sub != NULL; sub = TAILQ_NEXT(sub, entry))
		if (sub_due_ns(sub) < due)
			due = sub_due_ns(sub);
	poller_set_time(hub->poller, due);
}

void
hub_work(struct camhub *hub)
{
	struct camhub_sub *sub;
	int64_t now = hub_now_ns();

	if (hub->tap < 0 && now >= hub->connect_ns && tap_connect(hub) < 0)
		hub->connect_ns = now + HUB_CONNECT_MS * NS_PER_MS;
	tap_read(hub);
	for (sub = TAILQ_FIRST(&hub->subs); sub != NULL; sub = TAILQ_NEXT(sub, entry))
		sub_work(sub, now);
	hub_plan(hub);
}

void
hub_wait(struct camhub *hub, int64_t ms)
{
	poller_wait(hub->poller, ms > INT_MAX ? INT_MAX : (int)ms);
}

/* The directory with the tap in it: the one given, or "bus" below it. */
static char *
find_dir(const char *dir)
{
	char *tap, *bus;
	int there;

	if (dir == NULL)
		dir = getenv("CAMHUB_DIR");
	if (dir == NULL || dir[0] == '\0')
		dir = CAMHUB_RUNTIME_DIR;
	tap = xasprintf("%s/tap.sock", dir);
	there = access(tap, F_OK);
	free(tap);
	if (there == 0)
		return xstrdup(dir);
	bus = xasprintf("%s/bus", dir);
	if (access(bus, X_OK) == 0)
		return bus;
	free(bus);
	return xstrdup(dir);
}

/* The supervisor's first words. */
static int
wait_for_answer(struct camhub *hub)
{
	int64_t until = hub_now_ns() + HUB_ANSWER_MS * NS_PER_MS;

	while (!hub->is_synced) {
		int64_t left = (until - hub_now_ns()) / NS_PER_MS;

		if (hub->refused[0] != '\0')
			return -EINVAL;
		if (hub->tap < 0)
			return -ECONNREFUSED;
		if (left <= 0)
			return -ETIMEDOUT;
		hub_wait(hub, left);
		tap_read(hub);
	}
	return 0;
}

/* nng goes by absolute paths. */
static int
set_dir(struct camhub *hub, const char *dir)
{
	char *found = find_dir(dir);
	int rc = 0;

	hub->dir = realpath(found, NULL);
	if (hub->dir == NULL)
		rc = -errno;
	free(found);
	return rc;
}

int
camhub_open(const char *dir, const char *name, struct camhub **hub)
{
	struct camhub *new_hub;
	int rc;

	if (strlen(name) > HUB_NAME_MAX)
		return -EINVAL;
	new_hub = xcalloc(1, sizeof(*new_hub));
	new_hub->tap = -1;
	new_hub->wait_ms = HUB_CONNECT_MS;
	TAILQ_INIT(&new_hub->streams);
	TAILQ_INIT(&new_hub->subs);
	snprintf(new_hub->name, sizeof(new_hub->name), "%s", name);
	rc = set_dir(new_hub, dir);
	if (rc == 0)
		rc = poller_new(&new_hub->poller);
	if (rc == 0)
		rc = tap_connect(new_hub);
	if (rc == 0)
		rc = wait_for_answer(new_hub);
	if (rc < 0)
		camhub_close(&new_hub);
	else
		*hub = new_hub;
	return rc;
}

void
camhub_close(struct camhub **hub)
{
	struct camhub *old = *hub;

	*hub = NULL;
	if (old == NULL)
		return;
	while (!TAILQ_EMPTY(&old->subs)) {
		struct camhub_sub *sub = TAILQ_FIRST(&old->subs);

		camhub_unsubscribe(&sub);
	}
	if (old->poller != NULL)
		tap_close(old, false);
	results_close(old);
	streams_hide(old);
	streams_clear(old);
	poller_free(&old->poller);
	free(old->dir);
	free(old);
}

int
camhub_fd(const struct camhub *hub)
{
	return poller_fd(hub->poller);
}

const char *
camhub_version(void)
{
	return PACKAGE_VERSION;
}

static const struct {
	int error;
	const char *words;
} words[] = {
	{ 0, "no error" },
	{ ENOENT, "not there: camhub does not run, or has no stream of that name" },
	{ ECONNREFUSED, "camhub does not run" },
	{ EACCES, "not allowed: be in the group that bus: group: of camhub.yaml names" },
	{ EINVAL, "not as it should be, or camhub refused it" },
	{ ENAMETOOLONG, "the path is too long for a socket" },
	{ ETIMEDOUT, "camhub did not answer" },
	{ EEXIST, "that stream is subscribed to already" },
	{ EAGAIN, "no frame came in time" },
	{ EMSGSIZE, "more than 65536 bytes" },
	{ EBUSY, "more than 60 results of a stream in a second" },
};

const char *
camhub_strerror(int error)
{
	const char *text;
	int positive = error < 0 ? -error : error;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].error == positive)
			return words[i].words;
	text = strerrordesc_np(positive);
	return text != NULL ? text : "unknown error";
}
