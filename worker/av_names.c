/*
 * A small table of names and their addresses, as text.
 */
#include "config.h"

#include "worker/av_names.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 8

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

struct entry {
	char *name;
	char addresses[ADDRESSES_MAX][INET6_ADDRSTRLEN];
	size_t n;
};

static struct {
	pthread_mutex_t lock;
	struct entry entries[AV_NAMES_MAX];
	size_t n;
	bool is_frozen;
} names = { .lock = PTHREAD_MUTEX_INITIALIZER };

static getaddrinfo_fn *
libc_function(void)
{
	static void *found;

	if (found == NULL)
		found = dlsym(RTLD_NEXT, "getaddrinfo");
	return (getaddrinfo_fn *)(uintptr_t)found;
}

/* With the lock. */
static struct entry *
find(const char *name)
{
	for (size_t i = 0; i < names.n; i++)
		if (strcmp(names.entries[i].name, name) == 0)
			return &names.entries[i];
	return NULL;
}

static bool
is_numeric(const char *name)
{
	uint8_t bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static const void *
address_of(const struct addrinfo *info)
{
	if (info->ai_family == AF_INET)
		return &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
	if (info->ai_family == AF_INET6)
		return &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr;
	return NULL;
}

static void
remember(const char *name, const struct addrinfo *list)
{
	struct entry *entry;

	pthread_mutex_lock(&names.lock);
	entry = find(name);
	if (entry == NULL && names.n < AV_NAMES_MAX) {
		entry = &names.entries[names.n++];
		entry->name = xstrdup(name);
	}
	if (entry != NULL)
		entry->n = 0;
	for (; entry != NULL && list != NULL && entry->n < ADDRESSES_MAX; list = list->ai_next)
		if (address_of(list) != NULL)
			entry->n += inet_ntop(list->ai_family, address_of(list),
					      entry->addresses[entry->n], INET6_ADDRSTRLEN) != NULL;
	pthread_mutex_unlock(&names.lock);
}

/* With the lock: libc makes each list of a number, so that its freeaddrinfo() frees them all. */
static int
recall(const struct entry *entry, const char *service, const struct addrinfo *hints,
       struct addrinfo **list)
{
	struct addrinfo numeric = hints != NULL ? *hints : (struct addrinfo){ 0 };
	struct addrinfo *first = NULL, **end = &first;

	numeric.ai_flags |= AI_NUMERICHOST;
	for (size_t i = 0; i < entry->n; i++) {
		if (libc_function()(entry->addresses[i], service, &numeric, end) != 0) {
			*end = NULL;
			continue;
		}
		while (*end != NULL)
			end = &(*end)->ai_next;
	}
	if (first == NULL)
		return EAI_NONAME;
	*list = first;
	return 0;
}

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	    struct addrinfo **list)
{
	int rc = EAI_NONAME;
	bool is_frozen;

	if (name == NULL || is_numeric(name))
		return libc_function()(name, service, hints, list);
	pthread_mutex_lock(&names.lock);
	is_frozen = names.is_frozen;
	if (is_frozen && find(name) != NULL)
		rc = recall(find(name), service, hints, list);
	pthread_mutex_unlock(&names.lock);
	if (is_frozen)
		return rc;
	rc = libc_function()(name, service, hints, list);
	if (rc == 0)
		remember(name, *list);
	return rc;
}

void
av_names_freeze(void)
{
	pthread_mutex_lock(&names.lock);
	names.is_frozen = true;
	pthread_mutex_unlock(&names.lock);
}

void
av_names_reset(void)
{
	pthread_mutex_lock(&names.lock);
	while (names.n > 0)
		free(names.entries[--names.n].name);
	names.is_frozen = false;
	pthread_mutex_unlock(&names.lock);
}
