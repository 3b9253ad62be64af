/*
 * Lookups in flight and waiting, and the strict reading of camhub-resolve's answer.
 */
#include "config.h"

#include "supervisor/sup_lookup.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define WHY_MAX 256

struct sup_lookup {
	TAILQ_ENTRY(sup_lookup) entry;
	struct sup *sup;
	char *host, *object;
	unsigned port;
	sup_lookup_fn *fn; /* NULL: cancelled */
	void *arg;
	struct sup_child *child; /* NULL: waiting */
	struct clock_timer timer;
	bool answered;
	struct sup_addresses addresses;
	char why[WHY_MAX];
};

socklen_t
sup_address_len(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return sizeof(struct sockaddr_in);
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

int
sup_address_parse(const char *host, unsigned port, struct sockaddr_storage *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		memcpy(address, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
		memcpy(address, &v6, sizeof(v6));
	else
		return -EINVAL;
	return 0;
}

int
sup_lookup_parse(const char *bytes, size_t len, unsigned port, struct sup_addresses *addresses,
		 char *why)
{
	char text[SUP_CHILD_RAW_MAX + 1];
	char *save = NULL, *word;

	addresses->n = 0;
	if (len > SUP_CHILD_RAW_MAX || memchr(bytes, '\0', len) != NULL) {
		snprintf(why, WHY_MAX, "camhub-resolve gave no valid answer");
		return -EPROTO;
	}
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (strncmp(text, "error ", 6) == 0) {
		snprintf(why, WHY_MAX, "%.200s", text + 6);
		return -ENOENT;
	}
	word = strtok_r(text, " ", &save);
	if (word != NULL && strcmp(word, "ok") == 0) {
		word = strtok_r(NULL, " ", &save);
		while (word != NULL && addresses->n < SUP_ADDRESSES_MAX &&
		       sup_address_parse(word, port, &addresses->list[addresses->n]) == 0) {
			addresses->n++;
			word = strtok_r(NULL, " ", &save);
		}
		if (word == NULL && addresses->n > 0)
			return 0;
	}
	addresses->n = 0;
	snprintf(why, WHY_MAX, "camhub-resolve gave no valid answer");
	return -EPROTO;
}

static void start_waiting(struct sup *sup);

static void
release(struct sup_lookup *lookup)
{
	TAILQ_REMOVE(&lookup->sup->lookups, lookup, entry);
	clock_timer_cancel(&lookup->timer);
	free(lookup->host);
	free(lookup->object);
	free(lookup);
}

/* Tells the owner, if there still is one, and is gone. */
static void
finish(struct sup_lookup *lookup)
{
	struct sup *sup = lookup->sup;

	if (lookup->fn != NULL)
		lookup->fn(lookup->arg, lookup->answered ? &lookup->addresses : NULL, lookup->why);
	release(lookup);
	start_waiting(sup);
}

static void
on_raw(void *arg, const char *bytes, size_t len)
{
	struct sup_lookup *lookup = arg;

	lookup->answered =
	    sup_lookup_parse(bytes, len, lookup->port, &lookup->addresses, lookup->why) == 0;
	/* One answer is all it may give, so nobody waits for it to leave by itself. */
	sup_child_kill_now(lookup->child);
}

static void
on_exit_(void *arg, const struct sup_exit *end)
{
	struct sup_lookup *lookup = arg;

	lookup->child = NULL;
	if (!lookup->answered && lookup->why[0] == '\0')
		snprintf(lookup->why, WHY_MAX, "camhub-resolve: %.200s", end->text);
	finish(lookup);
}

static const struct sup_child_ops child_ops = { .on_raw = on_raw, .on_exit = on_exit_ };

static void
on_timer(struct clock_timer *timer, void *arg)
{
	(void)timer;
	finish(arg);
}

static void
spawn(struct sup_lookup *lookup)
{
	const struct sup_child_spec spec = { .program = "camhub-resolve",
					     .object = lookup->object,
					     .raw = true,
					     .deadline_ms = SUP_LOOKUP_TIMEOUT_MS };
	int rc = sup_child_start(lookup->sup, &spec, &child_ops, lookup, &lookup->child);

	if (rc < 0) {
		snprintf(lookup->why, WHY_MAX, "cannot start camhub-resolve: %s", strerror(-rc));
		clock_timer_set_ms(&lookup->timer, 0);
		return;
	}
	sup_child_send_raw(lookup->child, lookup->host, strlen(lookup->host));
}

static void
start_waiting(struct sup *sup)
{
	struct sup_lookup *lookup, *next = NULL;
	unsigned running = 0;

	for (lookup = TAILQ_FIRST(&sup->lookups); lookup != NULL;
	     lookup = TAILQ_NEXT(lookup, entry)) {
		if (lookup->child != NULL || clock_timer_is_set(&lookup->timer))
			running++;
		else if (next == NULL)
			next = lookup;
	}
	if (next != NULL && running < SUP_LOOKUP_AT_ONCE && !sup->stopping)
		spawn(next);
}

struct sup_lookup *
sup_lookup_start(struct sup *sup, const char *host, unsigned port, const char *object,
		 sup_lookup_fn *fn, void *arg)
{
	struct sup_lookup *lookup = xcalloc(1, sizeof(*lookup));

	lookup->sup = sup;
	lookup->host = xstrdup(host);
	lookup->object = xstrdup(object);
	lookup->port = port;
	lookup->fn = fn;
	lookup->arg = arg;
	clock_timer_init(&lookup->timer, sup->deps.clock, on_timer, lookup);
	TAILQ_INSERT_TAIL(&sup->lookups, lookup, entry);
	start_waiting(sup);
	return lookup;
}

void
sup_lookup_cancel(struct sup_lookup **lookup)
{
	struct sup_lookup *old = *lookup;

	*lookup = NULL;
	if (old == NULL)
		return;
	old->fn = NULL;
	if (old->child != NULL)
		sup_child_kill_now(old->child);
	else
		release(old);
}

void
sup_lookup_free_all(struct sup *sup)
{
	struct sup_lookup *lookup;

	while ((lookup = TAILQ_FIRST(&sup->lookups)) != NULL) {
		sup_child_free(&lookup->child);
		release(lookup);
	}
}
