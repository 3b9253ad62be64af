/*
 * Buckets in a table of fixed size, found by address. When it is full the one that was used longest
 * ago makes room: it is the fullest of those, or nearly so.
 */
#include "config.h"

#include "http/access_limit.h"

#include "shared/clock.h"
#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define SETS     (ACCESS_LIMIT_ADDRESSES / SET_SIZE)
#define SET_SIZE 8

/* What is spent, as the time after which the bucket is full again. */
struct bucket {
	struct in6_addr address;
	int64_t full_ns; /* 0: never used */
};

struct access_limit {
	int64_t refill_ns, full_ns; /* for one try; for all */
	struct bucket buckets[SETS][SET_SIZE];
};

struct access_limit *
access_limit_new_of(unsigned tries, int64_t refill_ns)
{
	struct access_limit *limit = xcalloc(1, sizeof(*limit));

	limit->refill_ns = refill_ns;
	limit->full_ns = tries * refill_ns;
	return limit;
}

struct access_limit *
access_limit_new(void)
{
	return access_limit_new_of(ACCESS_LIMIT_TRIES, ACCESS_LIMIT_REFILL_S * NS_PER_S);
}

void
access_limit_free(struct access_limit **limit)
{
	free(*limit);
	*limit = NULL;
}

/* IPv4 as it is mapped into IPv6; of IPv6 the network. */
static struct in6_addr
key_of(const char *address)
{
	struct in6_addr key = { .s6_addr = { 0 } };
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) == 1) {
		key.s6_addr[10] = key.s6_addr[11] = 0xff;
		memcpy(&key.s6_addr[12], &v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, address, &key) == 1 && !IN6_IS_ADDR_V4MAPPED(&key)) {
		memset(&key.s6_addr[8], 0, 8);
	}
	return key;
}

/* FNV-1a: who fills one set with addresses of his own takes tries from nobody else. */
static size_t
set_of(const struct in6_addr *key)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(key->s6_addr); i++)
		hash = (hash ^ key->s6_addr[i]) * 16777619u;
	return hash % SETS;
}

static const struct bucket *
find(const struct access_limit *limit, const struct in6_addr *key)
{
	const struct bucket *set = limit->buckets[set_of(key)];

	for (size_t i = 0; i < SET_SIZE; i++)
		if (set[i].full_ns != 0 && memcmp(&set[i].address, key, sizeof(*key)) == 0)
			return &set[i];
	return NULL;
}

static struct bucket *
want(struct access_limit *limit, const struct in6_addr *key)
{
	struct bucket *set = limit->buckets[set_of(key)], *oldest = set;

	for (size_t i = 0; i < SET_SIZE; i++) {
		if (set[i].full_ns != 0 && memcmp(&set[i].address, key, sizeof(*key)) == 0)
			return &set[i];
		if (set[i].full_ns < oldest->full_ns)
			oldest = &set[i];
	}
	*oldest = (struct bucket){ .address = *key };
	return oldest;
}

bool
access_limit_is_spent(const struct access_limit *limit, const char *address, int64_t now_ns,
		      unsigned *wait_s)
{
	struct in6_addr key = key_of(address);
	const struct bucket *bucket = find(limit, &key);
	int64_t over_ns =
	    bucket != NULL ? bucket->full_ns - now_ns - (limit->full_ns - limit->refill_ns) : 0;

	if (over_ns <= 0)
		return false;
	if (wait_s != NULL)
		*wait_s = (unsigned)((over_ns + NS_PER_S - 1) / NS_PER_S);
	return true;
}

void
access_limit_take(struct access_limit *limit, const char *address, int64_t now_ns)
{
	struct in6_addr key = key_of(address);
	struct bucket *bucket = want(limit, &key);
	int64_t from_ns = bucket->full_ns > now_ns ? bucket->full_ns : now_ns;

	bucket->full_ns = from_ns + limit->refill_ns;
	if (bucket->full_ns > now_ns + limit->full_ns)
		bucket->full_ns = now_ns + limit->full_ns;
}

void
access_limit_give_back(struct access_limit *limit, const char *address, int64_t now_ns)
{
	struct in6_addr key = key_of(address);
	struct bucket *bucket = want(limit, &key);

	bucket->full_ns -= limit->refill_ns;
	if (bucket->full_ns < now_ns)
		bucket->full_ns = now_ns;
}
