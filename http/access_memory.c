/*
 * A small table of hashes with their ends.
 */
#include "config.h"

#include "http/access_memory.h"

#include "shared/clock.h"
#include "shared/xalloc.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES 32

struct entry {
	unsigned char hash[HASH_BYTES];
	int64_t until_ns; /* 0: free */
};

struct access_memory {
	unsigned char key[HASH_BYTES];
	struct entry entries[ACCESS_MEMORY_ENTRIES];
};

struct access_memory *
access_memory_new(void)
{
	struct access_memory *memory = xcalloc(1, sizeof(*memory));

	/* Without random bytes nothing that follows could be kept secret. */
	if (RAND_bytes(memory->key, sizeof(memory->key)) != 1)
		abort();
	return memory;
}

void
access_memory_free(struct access_memory **memory)
{
	if (*memory != NULL)
		OPENSSL_cleanse(*memory, sizeof(**memory));
	free(*memory);
	*memory = NULL;
}

/* HMAC(HMAC(key, user), password): no user and password read like another pair. */
static void
hash_of(const struct access_memory *memory, const char *user, const char *password,
	unsigned char hash[HASH_BYTES])
{
	unsigned char of_user[HASH_BYTES];

	if (HMAC(EVP_sha256(), memory->key, HASH_BYTES, (const unsigned char *)user, strlen(user),
		 of_user, NULL) == NULL ||
	    HMAC(EVP_sha256(), of_user, HASH_BYTES, (const unsigned char *)password,
		 strlen(password), hash, NULL) == NULL)
		xalloc_die();
	OPENSSL_cleanse(of_user, sizeof(of_user));
}

void
access_memory_add(struct access_memory *memory, const char *user, const char *password,
		  int64_t now_ns)
{
	struct entry *oldest = &memory->entries[0];

	for (size_t i = 1; i < ACCESS_MEMORY_ENTRIES; i++)
		if (memory->entries[i].until_ns < oldest->until_ns)
			oldest = &memory->entries[i];
	hash_of(memory, user, password, oldest->hash);
	oldest->until_ns = now_ns + ACCESS_MEMORY_S * NS_PER_S;
}

bool
access_memory_has(const struct access_memory *memory, const char *user, const char *password,
		  int64_t now_ns)
{
	unsigned char hash[HASH_BYTES];
	bool found = false;

	hash_of(memory, user, password, hash);
	/* All of them, each time: how long it takes tells nothing. */
	for (size_t i = 0; i < ACCESS_MEMORY_ENTRIES; i++) {
		const struct entry *entry = &memory->entries[i];
		bool equal = CRYPTO_memcmp(entry->hash, hash, HASH_BYTES) == 0;

		found |= equal & (entry->until_ns > now_ns);
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	return found;
}

void
access_memory_clear(struct access_memory *memory)
{
	OPENSSL_cleanse(memory->entries, sizeof(memory->entries));
}
