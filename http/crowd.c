/*
 * A hash table of addresses. Its keys come from the network: siphash would keep chosen ones apart,
 * but an attacker owns too few addresses at a time (each needs a connection) to make a list long.
 */
#include "config.h"

#include "http/crowd.h"

#include "shared/xalloc.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#define BUCKETS   256
#define KEY_BYTES 16
#define NET_BYTES 8 /* of an IPv6 address, those that one machine cannot choose */

struct crowd_place {
	LIST_ENTRY(crowd_place) entry;
	struct crowd *crowd;
	uint8_t key[KEY_BYTES];
	unsigned n;
};

LIST_HEAD(crowd_bucket, crowd_place);

struct crowd {
	struct crowd_bucket buckets[BUCKETS];
	unsigned max, n;
	bool is_freed; /* once the last has left */
};

/* IPv4 as IPv6 has it, ::ffff:a.b.c.d; false: not from the network. */
static bool
make_key(const struct sockaddr *addr, uint8_t key[KEY_BYTES])
{
	memset(key, 0, KEY_BYTES);
	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

		key[10] = key[11] = 0xff;
		memcpy(key + 12, &in->sin_addr, 4);
		return true;
	}
	if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
		bool is_v4 = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
		bool is_own = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);

		memcpy(key, &in6->sin6_addr, is_v4 || is_own ? KEY_BYTES : NET_BYTES);
		return true;
	}
	return false;
}

static bool
is_unlimited(const uint8_t key[KEY_BYTES])
{
	static const uint8_t v4[KEY_BYTES] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };
	static const uint8_t v6[KEY_BYTES] = { [15] = 1 };

	return memcmp(key, v4, KEY_BYTES) == 0 || memcmp(key, v6, KEY_BYTES) == 0;
}

static struct crowd_bucket *
bucket_of(struct crowd *crowd, const uint8_t key[KEY_BYTES])
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < KEY_BYTES; i++)
		hash = (hash ^ key[i]) * 16777619u;
	return &crowd->buckets[(hash ^ hash >> 16) % BUCKETS];
}

static struct crowd_place *
find_or_add(struct crowd *crowd, const uint8_t key[KEY_BYTES])
{
	struct crowd_bucket *bucket = bucket_of(crowd, key);
	struct crowd_place *address;

	for (address = LIST_FIRST(bucket); address != NULL; address = LIST_NEXT(address, entry))
		if (memcmp(address->key, key, KEY_BYTES) == 0)
			return address;
	address = xcalloc(1, sizeof(*address));
	address->crowd = crowd;
	memcpy(address->key, key, KEY_BYTES);
	LIST_INSERT_HEAD(bucket, address, entry);
	crowd->n++;
	return address;
}

enum crowd_verdict
crowd_enter(struct crowd *crowd, const struct sockaddr *addr, struct crowd_place **place)
{
	struct crowd_place *address;
	uint8_t key[KEY_BYTES];

	*place = NULL;
	if (!make_key(addr, key) || is_unlimited(key))
		return CROWD_FINE;
	address = *place = find_or_add(crowd, key);
	address->n++;
	if (crowd->max == 0 || address->n <= crowd->max)
		return CROWD_FINE;
	return address->n <= 2 * crowd->max ? CROWD_TOO_MANY : CROWD_FAR_TOO_MANY;
}

void
crowd_leave(struct crowd_place **place)
{
	struct crowd_place *address = *place;
	struct crowd *crowd;

	*place = NULL;
	if (address == NULL || --address->n > 0)
		return;
	crowd = address->crowd;
	LIST_REMOVE(address, entry);
	free(address);
	if (--crowd->n == 0 && crowd->is_freed)
		free(crowd);
}

struct crowd *
crowd_new(unsigned max)
{
	struct crowd *crowd = xcalloc(1, sizeof(*crowd));

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&crowd->buckets[i]);
	crowd->max = max;
	return crowd;
}

void
crowd_set_max(struct crowd *crowd, unsigned max)
{
	crowd->max = max;
}

void
crowd_free(struct crowd **crowd)
{
	struct crowd *old = *crowd;

	*crowd = NULL;
	if (old == NULL)
		return;
	old->is_freed = true;
	if (old->n == 0)
		free(old);
}

unsigned
crowd_count(const struct crowd *crowd)
{
	return crowd->n;
}
